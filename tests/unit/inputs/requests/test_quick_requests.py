from __future__ import annotations

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.inputs.requests.line_shapes import find_shape
from shared.inputs.requests.quick_requests import QuickRequests, RequestMode
from tests.support.drawn_requests import (
    CHAT,
    MODES,
    ROLES,
    RULES,
    damaged,
    requests,
    requests_in_parts,
    usual_lines,
    written,
)
from tests.support.reading import codes, read_jsonl

QUICK = settings(max_examples=80)
MODE = RequestMode("/v1/chat/completions", "m", thinking=False)
TWICE = '[{"a":1,"a":2}]'
ABOUT_IDS = {"empty_custom_id", "custom_id_too_long"}
MESSAGE = '{"role":"user","content":"x"}'


def line(messages: str, more: str = "", top: str = "") -> bytes:
    body = '{"model":"m","enable_thinking":false,"messages":[' + messages + "]" + more + "}"
    fields = f'"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{body}{top}'
    return ("{" + fields + "}").encode()


HIDDEN = {
    "in a content": '{"role":"user","content":' + TWICE + "}",
    "in a role": '{"content":"x","role":' + TWICE + "}",
    "behind an escaped key": r'{"role":"user","c\u006fntent":[{"content":"x","a":1,"a":2}]}',
    "behind a good message": '{"role":"user","content":"x"},{"role":"user","content":' + TWICE + "}",
    "behind two escaped keys": r'{"role":"user","\u0063ontent":[{"content":"x"},{"content":"y","a":1,"a":2}]},'
    r'{"role":"user","\u0063ontent":"z"}',
    "behind a key that ends alike": '{"role":"user","x\\"content":"x","content":' + TWICE + "}",
    "behind a blank": '{"role":"user","content" :' + TWICE + ',"name":"content"}',
    "in a part, behind a blank": '{"role":"user","content" :[{"content":"x","content":"y"}]}',
    "in a later part, behind a blank": MESSAGE
    + ',{"role":"user","content" :[{"content":"x","content":"y"}]}',
    "as the key itself": '{"role":"user","content":"x","content":"y"}',
    "as an escaped key": r'{"role":"user","content":"x","\u0063ontent":"y"}',
}


@pytest.mark.parametrize("messages", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_repeated_key_is_seen_wherever_it_hides(messages: str) -> None:
    content = line(messages)

    assert QuickRequests(RULES).find_custom_id(content, MODE) is None
    assert "duplicate_key" in codes(read_jsonl(content)[1])


def test_depth_is_seen_behind_a_blank_too() -> None:
    content = line('{"role":"user","content" :[{"content":"x","d":' + "[" * 300 + "]" * 300 + "}]}")

    assert QuickRequests(RULES).find_custom_id(content, MODE) is None
    assert codes(read_jsonl(content)[1]) == ["json_too_deep"]


@pytest.mark.parametrize(
    ("more", "top"),
    [
        (',"model":"m"', ""),
        (',"stop":' + TWICE, ""),
        (',"content":"x","stop":' + TWICE, ""),
        ("", ',"method":"POST"'),
        ("", ',"extra":1,"extra":2'),
        ("", ',"extra":' + TWICE),
    ],
)
def test_a_repeated_key_is_seen_in_the_body_and_around_it(more: str, top: str) -> None:
    content = line(MESSAGE, more, top)

    assert QuickRequests(RULES).find_custom_id(content, MODE) is None
    assert codes(read_jsonl(content)[1]) == ["duplicate_key"]


def test_a_content_before_the_messages_is_not_taken_for_theirs() -> None:
    body = (
        '{"model":"m","enable_thinking":false,"content":"x","messages":[{"role":"user","content":'
        + TWICE
        + "}]}"
    )
    fields = '"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":'
    content = ("{" + fields + body + "}").encode()

    assert QuickRequests(RULES).find_custom_id(content, MODE) is None
    assert codes(read_jsonl(content)[1])[0] == "duplicate_key"


USUAL = {
    "tools": line(
        MESSAGE, ',"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]'
    ),
    "parts": line('{"role":"user","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}'),
    "a named message": line('{"role":"user","name":"n","content":"x"}'),
    "an unknown field": line(MESSAGE, "", ',"extra":{"a":1}'),
    "every role": line(",".join(MESSAGE.replace("user", role) for role in ROLES)),
    "a call of a tool": line(MESSAGE + ',{"role":"assistant","content":null,"tool_calls":[{"id":"1"}]}'),
    "a picture": line('{"role":"user","content":[{"type":"image_url","image_url":{"url":"u"}}]}'),
    "escapes": line(r'{"role":"user","content":"\u00e9\u4f60"}'),
    "blanks": line(MESSAGE).replace(b":", b" : ").replace(b",", b" , "),
}


@pytest.mark.parametrize("content", USUAL.values(), ids=USUAL.keys())
def test_good_requests_with_more_in_them_are_sure_too(content: bytes) -> None:
    assert QuickRequests(RULES).find_custom_id(content, MODE) == "1"


@pytest.mark.parametrize("thinking", [b"0", b"null", b"true", b'"false"', b"[]"])
def test_another_thinking_mode_is_for_the_full_checks(thinking: bytes) -> None:
    content = line(MESSAGE).replace(b'"enable_thinking":false', b'"enable_thinking":' + thinking)

    assert QuickRequests(RULES).find_custom_id(content, MODE) is None


def test_one_document_after_the_other_is_read_whatever_the_last_one_was() -> None:
    quick = QuickRequests(RULES)

    found = [quick.find_custom_id(each, MODE) for each in (b"{", line(MESSAGE), b"[1]", b"{}", line(MESSAGE))]

    assert found == [None, "1", None, None, "1"]


SHAPED = (
    line('{"role":"system","content":"Be brief."},{"role":"user","content":"TEXT"}', ',"stop":["x"]')
    + b"\r\n"
)


def found_after_a_line_of_the_same_shape(content: bytes, first: bytes = SHAPED) -> str | None:
    quick = QuickRequests(RULES)
    assert quick.find_custom_id(first, MODE) == "1"
    return quick.find_custom_id(content, MODE)


@pytest.mark.parametrize(
    ("text", "is_sure"),
    [
        (b"", True),
        (b"x", True),
        (rb"a\"b", True),
        (rb"a\\", True),
        (rb"\ud83d\ude00", True),
        ("你\u2028😀".encode(), True),
        (b'x","y', False),
        (b'x","content":"y', False),
        (b'x"},{"role":"user","content":"y', True),
        (b'x"],"content":["y', False),
        (b'x"', False),
        (b"x\\", False),
        (b"\xff", False),
        (b"\0", False),
        (b"\t", False),
        (rb"\ud83d", False),
        (rb"\x", False),
    ],
)
def test_a_text_in_a_known_shape_is_checked_as_strictly(text: bytes, is_sure: bool) -> None:
    content = SHAPED.replace(b"TEXT", text)

    assert found_after_a_line_of_the_same_shape(content) == ("1" if is_sure else None)
    assert bool(codes(read_jsonl(SHAPED.replace(b'"1"', b'"0"') + content)[1])) is not is_sure


@pytest.mark.parametrize(
    ("written", "custom_id"),
    [
        (b"q-2", "q-2"),
        ("编号".encode(), "编号"),
        (rb"\u0041", "A"),
        (b"\x7f", "\x7f"),
        (b"", ""),
        (b"\t", None),
        (b"\xff", None),
        (b'2","x":"y', "2"),
    ],
)
def test_an_id_in_a_known_shape_is_checked_as_strictly(written: bytes, custom_id: str | None) -> None:
    content = SHAPED.replace(b'"custom_id":"1"', b'"custom_id":"' + written + b'"')

    assert found_after_a_line_of_the_same_shape(content) == custom_id


@pytest.mark.parametrize("custom_id", ["POST", "u", "m", "content", "custom_id"])
def test_a_shape_varies_the_id_and_no_other_field_of_the_same_text(custom_id: str) -> None:
    start = b'{"method":"POST","url":"/v1/chat/completions","x":{"custom_id":"' + custom_id.encode() + b'"},'
    body = b'"body":{"model":"m","enable_thinking":false,"messages":[{"role":"user","content":"x"}]}}'
    good = start + b'"custom_id":"' + custom_id.encode() + b'",' + body
    quick = QuickRequests(RULES)

    assert quick.find_custom_id(good, MODE) == custom_id
    assert quick.find_custom_id(good.replace(b'"POST"', b'"GET"', 1), MODE) is None
    assert quick.find_custom_id(good.replace(b'{"custom_id":"', b'{"custom_id":"other'), MODE) == custom_id


@pytest.mark.parametrize("custom_id", ["~", "-", "1"])
def test_a_nested_id_is_not_taken_for_the_lines_own_whatever_that_is(custom_id: str) -> None:
    def with_nested(nested: str) -> bytes:
        body = '{"model":"m","enable_thinking":false,"metadata":{"custom_id":"' + nested + '"},"messages":['
        fields = '},"custom_id":"' + custom_id + '","method":"POST","url":"/v1/chat/completions"}'
        return ('{"body":' + body + MESSAGE + "]" + fields).encode()

    quick = QuickRequests(RULES)

    found = [quick.find_custom_id(with_nested(nested), MODE) for nested in ("~", "-", "3")]

    assert found == [custom_id] * 3


def test_an_empty_text_to_embed_is_for_the_full_checks() -> None:
    mode = RequestMode("/v1/embeddings", "m", None)
    good = b'{"custom_id":"1","method":"POST","url":"/v1/embeddings","body":{"model":"m","input":"x"}}\n'
    quick = QuickRequests(RULES)

    assert [quick.find_custom_id(each, mode) for each in (good, good, good.replace(b'"x"', b'""'))] == [
        "1",
        "1",
        None,
    ]


def test_lines_of_a_known_shape_are_found_by_it() -> None:
    shape = find_shape(SHAPED)

    assert shape is not None
    assert shape.find_parts(SHAPED) == (b"1", b'"TEXT"')
    assert shape.find_parts(shape.with_id(b"2")) == (b"2", b'"2"')
    assert shape.find_parts(SHAPED.replace(b"Be brief", b"Be long")) is None
    assert shape.find_parts(SHAPED[:-2]) is None


# Whatever hypothesis draws.


@QUICK
@given(data=st.data(), mode=st.sampled_from(MODES), damages=st.integers(0, 2))
def test_what_the_fast_parser_is_sure_of_passes_the_full_checks(
    data: st.DataObject, mode: RequestMode, damages: int
) -> None:
    content = data.draw(written(data.draw(requests(mode)))).encode("utf-8", "surrogatepass")
    for _ in range(damages):
        content = data.draw(damaged(content))
    assume(b"\n" not in content)

    check_sureness(content, mode)


@QUICK
@given(line=requests_in_parts().flatmap(written))
def test_a_content_in_parts_is_sure_only_if_the_full_checks_pass_it(line: str) -> None:
    check_sureness(line.encode(), CHAT)


def check_sureness(content: bytes, mode: RequestMode) -> None:
    quick = QuickRequests(RULES)

    custom_id = quick.find_custom_id(content, mode)

    # The first line of a file is always read by the full checks.
    rows, reader = read_jsonl(content)
    if custom_id is not None:
        assert {*codes(reader)} <= ABOUT_IDS
        assert rows[0].custom_id == custom_id
        assert (reader.facts.endpoint, reader.facts.model, reader.facts.thinking) == mode
    # However the line was, the parser is free for the next one.
    assert quick.find_custom_id(line(MESSAGE), MODE) == "1"


@QUICK
@given(data=st.data(), mode=st.sampled_from(MODES))
def test_the_fast_parser_is_sure_of_every_usual_request(data: st.DataObject, mode: RequestMode) -> None:
    """Else a slip in it would only make everything slow, and no other test would see it."""
    custom_id, line = data.draw(usual_lines(mode))

    assert QuickRequests(RULES).find_custom_id(line, mode) == custom_id


@QUICK
@given(data=st.data(), mode=st.sampled_from(MODES), damages=st.integers(1, 3))
def test_a_damaged_copy_of_a_known_line_is_sure_only_if_the_full_checks_pass_it(
    data: st.DataObject, mode: RequestMode, damages: int
) -> None:
    quick = QuickRequests(RULES)
    custom_id, content = data.draw(usual_lines(mode))
    assert quick.find_custom_id(content, mode) == custom_id
    for _ in range(damages):
        content = data.draw(damaged(content))
    assume(b"\n" not in content)

    found = quick.find_custom_id(content, mode)

    rows, reader = read_jsonl(content)
    assert found is None or found == rows[0].custom_id
    if found is not None:
        assert {*codes(reader)} <= ABOUT_IDS
