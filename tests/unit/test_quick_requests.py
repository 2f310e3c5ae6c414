from __future__ import annotations

import pytest

from shared.domain.quick_requests import QuickRequests, RequestMode
from tests.reading import codes, read_jsonl

MODE = RequestMode("/v1/chat/completions", "m", thinking=False)
TWICE = '[{"a":1,"a":2}]'


def line(messages: str, more: str = "", top: str = "") -> bytes:
    body = '{"model":"m","enable_thinking":false,"messages":[' + messages + "]" + more + "}"
    fields = f'"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":{body}{top}'
    return ("{" + fields + "}").encode()


HIDDEN = {
    "in a content": '{"role":"u","content":' + TWICE + "}",
    "in a role": '{"content":"x","role":' + TWICE + "}",
    "behind an escaped key": r'{"role":"u","c\u006fntent":[{"content":"x","a":1,"a":2}]}',
    "behind a good message": '{"role":"u","content":"x"},{"role":"u","content":' + TWICE + "}",
    "behind two escaped keys": r'{"role":"u","\u0063ontent":[{"content":"x"},{"content":"y","a":1,"a":2}]},'
    r'{"role":"u","\u0063ontent":"z"}',
    "behind a key that ends alike": '{"role":"u","x\\"content":"x","content":' + TWICE + "}",
    "behind a blank": '{"role":"u","content" :' + TWICE + ',"name":"content"}',
    "as the key itself": '{"role":"u","content":"x","content":"y"}',
    "as an escaped key": r'{"role":"u","content":"x","\u0063ontent":"y"}',
}


@pytest.mark.parametrize("messages", HIDDEN.values(), ids=HIDDEN.keys())
def test_a_repeated_key_is_seen_wherever_it_hides(messages: str) -> None:
    content = line(messages)

    assert QuickRequests().find_custom_id(content, MODE) is None
    assert "duplicate_key" in codes(read_jsonl(content)[1])


MESSAGE = '{"role":"u","content":"x"}'


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

    assert QuickRequests().find_custom_id(content, MODE) is None
    assert codes(read_jsonl(content)[1]) == ["duplicate_key"]


def test_a_content_before_the_messages_is_not_taken_for_theirs() -> None:
    body = (
        '{"model":"m","enable_thinking":false,"content":"x","messages":[{"role":"u","content":'
        + TWICE
        + "}]}"
    )
    fields = '"custom_id":"1","method":"POST","url":"/v1/chat/completions","body":'
    content = ("{" + fields + body + "}").encode()

    assert QuickRequests().find_custom_id(content, MODE) is None
    assert codes(read_jsonl(content)[1]) == ["duplicate_key"]


USUAL = {
    "tools": line(
        MESSAGE, ',"tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object"}}}]'
    ),
    "parts": line('{"role":"u","content":[{"type":"text","text":"x"},{"type":"text","text":"y"}]}'),
    "a named message": line('{"role":"u","name":"n","content":"x"}'),
    "an unknown field": line(MESSAGE, "", ',"extra":{"a":1}'),
    "escapes": line(r'{"role":"u","content":"\u00e9\u4f60"}'),
    "blanks": line(MESSAGE).replace(b":", b" : ").replace(b",", b" , "),
}


@pytest.mark.parametrize("content", USUAL.values(), ids=USUAL.keys())
def test_good_requests_that_are_not_flat_are_sure_too(content: bytes) -> None:
    assert QuickRequests().find_custom_id(content, MODE) == "1"


@pytest.mark.parametrize("thinking", [b"0", b"null", b"true", b'"false"', b"[]"])
def test_another_thinking_mode_is_for_the_full_checks(thinking: bytes) -> None:
    content = line(MESSAGE).replace(b'"enable_thinking":false', b'"enable_thinking":' + thinking)

    assert QuickRequests().find_custom_id(content, MODE) is None


def test_one_document_after_the_other_is_read_whatever_the_last_one_was() -> None:
    quick = QuickRequests()

    found = [quick.find_custom_id(each, MODE) for each in (b"{", line(MESSAGE), b"[1]", b"{}", line(MESSAGE))]

    assert found == [None, "1", None, None, "1"]
