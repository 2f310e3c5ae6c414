"""Result lines say the same read quickly and slowly; nothing in one makes a paid answer vanish."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.results.columns import NUMBERS, TAKEN, Answer, RowStatus
from shared.results.replies.careful import read_carefully
from shared.results.replies.quick import chat_answer
from shared.results.replies.result_lines import parse_result_line

TEXT = st.text(st.one_of(st.sampled_from('"\\\n\t\0\u2028\ufeff{}[],:😀'), st.characters()), max_size=8)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 200, 2**63, 2**64, 10**40, -(10**30)]),
    st.floats(),
    TEXT,
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["code", "embedding", "a"]), inner)
    ),
    max_leaves=5,
)
USAGE = st.fixed_dictionaries(
    {"prompt_tokens": st.integers(0, 10**6), "total_tokens": st.integers(0, 10**6)},
    optional={"completion_tokens": st.integers(0, 10**6), "details": VALUES},
)


def with_body(body: Any, custom_id: str = "q-1", **more: Any) -> dict[str, Any]:
    response = {"status_code": 200, "request_id": "r-1", "body": body}
    return {"id": "1", "custom_id": custom_id, "response": response, "error": None, **more}


def chat(message: Any, usage: Any) -> dict[str, Any]:
    choices = [{"finish_reason": "stop", "index": 0, "message": message}]
    return with_body(
        {"created": 1776432582, "usage": usage, "model": "qwen", "id": "c-1", "choices": choices}
    )


def embedding(data: Any, usage: Any) -> dict[str, Any]:
    return with_body({"data": data, "model": "text-embedding-v4", "usage": usage, "id": "e-1"})


MESSAGES = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": TEXT},
    optional={"reasoning_content": st.one_of(TEXT, st.none()), "tool_calls": VALUES},
)
VECTORS = st.lists(st.one_of(st.floats(allow_nan=False, allow_infinity=False), st.integers()), max_size=4)
ITEMS = st.fixed_dictionaries({"embedding": VECTORS, "index": st.just(0)}, optional={"a": VALUES})
DOCUMENTS = st.one_of(
    st.builds(chat, MESSAGES, USAGE), st.builds(embedding, st.lists(ITEMS, max_size=2), USAGE)
)


def places_in(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path, *(place for key, child in children for place in places_in(child, (*path, key)))]


@st.composite
def changed(draw: st.DrawFn) -> dict[str, Any]:
    """A result of which up to three values are others, or gone."""
    document = draw(DOCUMENTS)
    for _ in range(draw(st.integers(0, 3))):
        *path, last = draw(st.sampled_from(places_in(document)[1:]))
        holder = document
        for key in path:
            holder = holder[key]
        if draw(st.booleans()):
            holder[last] = draw(VALUES)
        else:
            del holder[last]
        if not document:
            break
    return document


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    spaced, escaped = draw(st.booleans()), draw(st.booleans())
    text = json.dumps(draw(changed()), ensure_ascii=escaped, separators=None if spaced else (",", ":"))
    return text.encode("utf-8", "surrogatepass")


@st.composite
def broken_lines(draw: st.DrawFn) -> bytes:
    line = bytearray(draw(lines()))
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(line)))
        line[at : at + draw(st.integers(0, 2))] = draw(
            st.one_of(
                st.binary(max_size=3), st.sampled_from([b'"', b"\\", b"{", b"]", b"\xff", b"\0", b"NaN"])
            )
        )
    return bytes(line)


def as_read(answer: Answer | None, line: bytes) -> object:
    """Of an answer's vector only the numbers count; quick reading keeps the provider's digits."""
    if answer is None or b'"embedding"' not in line or not answer.content.startswith("["):
        return answer
    try:
        return answer._replace(content=repr(json.loads(answer.content)))
    except ValueError:  # a text that only begins like one
        return answer


def answered_with_every_column() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """An ordinary answer that has another value in each column, and the parts that hold them."""
    parts: list[dict[str, Any]] = [{} for _ in range(5)]
    for number, (name, (part, key)) in enumerate(TAKEN.items(), 1):
        parts[part][key] = number if name in NUMBERS else f"the {name}"
    response, body, usage, choice, message = parts
    response |= {"status_code": 200, "body": body}
    body |= {"usage": usage, "choices": [choice]}
    message["content"] = "the content"
    choice["message"] = message
    return {"custom_id": "q-1", "response": response, "error": None}, parts


def test_every_column_of_an_ordinary_answer_is_read_quickly() -> None:
    document, _ = answered_with_every_column()

    answer = chat_answer(document)

    assert answer is not None
    assert answer == read_carefully(json.dumps(document).encode())
    assert len({getattr(answer, name) for name in TAKEN}) == len(TAKEN)


@pytest.mark.parametrize("name", sorted(TAKEN.keys() - NUMBERS - {"request_id", "usage"}))
@pytest.mark.parametrize("is_null", [True, False])
def test_an_answer_that_lacks_a_text_is_read_quickly(name: str, is_null: bool) -> None:
    document, parts = answered_with_every_column()
    part, key = TAKEN[name]
    parts[part][key] = None
    if not is_null:
        del parts[part][key]

    answer = chat_answer(document)

    assert answer is not None
    assert getattr(answer, name) == ""
    assert answer == read_carefully(json.dumps(document).encode())


@settings(max_examples=150)
@given(lines())
def test_a_line_says_the_same_quickly_and_slowly(line: bytes) -> None:
    assert as_read(parse_result_line(line), line) == as_read(read_carefully(line), line)


@settings(max_examples=150)
@given(broken_lines())
def test_a_broken_line_says_the_same_quickly_and_slowly(line: bytes) -> None:
    assert as_read(parse_result_line(line), line) == as_read(read_carefully(line), line)


ODD_KEYS = [
    "answer", "blockReason", "candidates", "choices", "code", "content", "data", "delta", "detail", "embedding",
    "error", "finishReason", "finish_reason", "function_call", "incomplete_details", "index", "message", "object",
    "output", "parts", "promptFeedback", "reasoning", "reasoning_content", "refusal", "response", "result",
    "status", "stop_reason", "success", "text", "thinking", "thought", "tool_calls", "type", "usage",
    "usageMetadata",
]  # fmt: skip
ODD_VALUES = st.recursive(
    st.sampled_from([None, True, False, 0, 200, 2.5, "", "text", "SAFETY", "failed", "thinking", "{", "[1]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ODD_KEYS), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(ODD_KEYS), ODD_VALUES, min_size=1, max_size=4), ODD_VALUES, ODD_VALUES)
@example({"candidates": ["text"]}, None, None)
@example({"data": {"choices": ["text"]}}, None, None)
@example({"message": "text"}, {"candidates": [None]}, [])
def test_no_reply_makes_reading_fail(body: dict[str, Any], other: Any, error: Any) -> None:
    for response in (
        {"status_code": 200, "body": body},
        {"status_code": 200, "body": [other], **body},
        {"status_code": other, "body": json.dumps(body)},
        other,
    ):
        line = json.dumps({"custom_id": "q", "response": response, "error": error}).encode()

        answer = read_carefully(line)

        assert answer is not None
        assert not answer.extra or isinstance(json.loads(answer.extra), dict)


@given(st.binary(max_size=40))
def test_no_bytes_make_reading_fail(line: bytes) -> None:
    answer = parse_result_line(line)

    assert answer is None or isinstance(answer, Answer)


USAGE_TEXT = '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}'


def chat_line(content: bytes, *, more: bytes = b"", usage: str = USAGE_TEXT) -> bytes:
    return (
        b'{"custom_id":"q-1","response":{"status_code":200,"request_id":"r-1","body":{"created":1,"usage":%b,'
        b'"model":"m","id":"c","choices":[{"finish_reason":"stop","message":{"content":%b}}]}},"error":null%b}'
        % (usage.encode(), content, more)
    )


@pytest.mark.parametrize(
    ("content", "read"),
    [
        (b'"\\ud83d"', "\ufffd"),
        (b'"\\ud83d\\ude00"', "😀"),
        (b'"a\\u0000b"', "a\0b"),
        (b'"a\0b"', "a\0b"),
        (b'"a\tb"', "a\tb"),
        (b'"\xc4\xe3"', "\ufffd\ufffd"),
        (b'"\xed\xa0\xbd"', "\ufffd\ufffd\ufffd"),
        (b'"x","content":"y"', "y"),
        (b"NaN", "NaN"),
        (b"12345678901234567890123456789012345678901", "12345678901234567890123456789012345678901"),
        (b'[{"type":"text","text":"\xe4\xbd\xa0"}]', "你"),
        ('"a\u2028b\u2029c\u0085"'.encode(), "a\u2028b\u2029c\u0085"),
        (b'"a\\r\\nb"', "a\r\nb"),
    ],
)
def test_an_answer_that_was_paid_for_is_kept_whatever_is_odd_about_it(content: bytes, read: str) -> None:
    answer = parse_result_line(chat_line(content))

    assert answer is not None
    assert (answer.custom_id, answer.status, answer.content) == ("q-1", RowStatus.ANSWERED, read)
    assert (answer.prompt_tokens, answer.completion_tokens, answer.total_tokens) == (1, 2, 3)


@pytest.mark.parametrize(
    "line",
    [
        b"\xef\xbb\xbf" + chat_line(b'"x"'),
        chat_line(b'"x"') + b"\r",
        b"  " + chat_line(b'"x"') + b" ",
        chat_line(b'"x"', more=b',"n":NaN'),
        chat_line(b'"x"', more=b',"n":' + b"9" * 40),
        chat_line(b'"x"', more=b',"n":' + b"9" * 5000),
        chat_line(b'"x"', more=b',"n":1e999'),
        chat_line(b'"x"', more=b',"n":' + b"[" * 300 + b"]" * 300),
        chat_line(b'"x"', more=b',"custom_id":"q-1"'),
    ],
)
def test_what_is_odd_beside_an_answer_does_not_cost_it(line: bytes) -> None:
    answer = parse_result_line(line)

    assert answer is not None
    assert (answer.custom_id, answer.status, answer.content) == ("q-1", RowStatus.ANSWERED, "x")


def nested_line(place: str, nested: str) -> bytes:
    message = f'{{"content":{nested}}}' if place == "content" else '{"content":"x"}'
    body = nested if place == "body" else f'{{"choices":[{{"message":{message}}}]}}'
    more = f',"n":{nested}' if place == "extra" else ""
    error = nested if place == "error" else "null"
    response = f'{{"status_code":200,"body":{body}}}'
    return f'{{"custom_id":"q","response":{response},"error":{error}{more}}}'.encode()


def through(frames: int, line: bytes) -> Answer | None:
    """Read the line from so many frames further down."""
    return through(frames - 1, line) if frames else parse_result_line(line)


@pytest.mark.parametrize("frames", [0, 100, 300])
@pytest.mark.parametrize(
    ("opened", "closed"),
    [
        ("[", "]"),
        *(
            (f'{{"{key}":', "}")
            for key in ("error", "data", "output", "response", "result", "message", "content")
        ),
        ('{"choices":[', "]}"),
    ],
)
@pytest.mark.parametrize("place", ["error", "body", "content", "extra"])
def test_up_to_which_depth_a_line_is_read_does_not_depend_on_the_caller(
    place: str, opened: str, closed: str, frames: int
) -> None:
    levels = len(closed)
    read = [
        through(frames, nested_line(place, opened * times + "1" + closed * times)) is not None
        for times in (depth // levels for depth in (320, 400, 490, 506, 900, 980, 990, 1000, 1100, 100_000))
    ]

    assert read == [True] * 3 + [False] * 7


@pytest.mark.parametrize(
    "usage",
    [
        '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"rate":0.10}',
        '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"big":123456789012345678901234567890}',
        '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"details":{"a":null,"b":[1,true]}}',
        '{"prompt_tokens":-0,"completion_tokens":18446744073709551616,"total_tokens":9223372036854775808}',
        '{"prompt_tokens":1.0,"completion_tokens":true,"total_tokens":"3"}',
        '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":4}',
        '{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3,"cost":null}',
        '{"prompt_tokens":1,"total_tokens":3,"\\u007f\\u0001\\/":"\\u2028\\u00e9"}',
    ],
)
def test_usage_is_the_same_quickly_and_slowly(usage: str) -> None:
    line = chat_line(b'"x"', usage=usage)

    assert parse_result_line(line) == read_carefully(line)


def vector_line(data: str) -> bytes:
    body = f'{{"data":{data},"model":"m","usage":{{"prompt_tokens":1,"total_tokens":1}},"id":"e"}}'
    return (
        f'{{"custom_id":"q-1","response":{{"status_code":200,"request_id":"r","body":{body}}},"error":null}}'
    ).encode()


@pytest.mark.parametrize(
    ("data", "content"),
    [
        ('[{"embedding":[1e-05,-0.10,1E+2,3],"index":0,"object":"embedding"}]', "[1e-05,-0.10,1E+2,3]"),
        ('[{"embedding": [ 0.1, 0.2 ], "object": "embedding"}]', "[0.1,0.2]"),
        ('[{"embedding":[0.5]}]', "[0.5]"),
        ('[{"embedding":"AAAA"}]', '"AAAA"'),
        ('[{"embedding":[1,2]},{"embedding":[3]}]', "[[1,2],[3]]"),
        ('[{"embedding":[[1,2],3]}]', "[[1,2],3]"),
        ('[{"embedding":[[1],[2]]}]', "[[1],[2]]"),
        ('[{"embedding" :[1,2],"note":{"embedding":[8,9]}}]', "[1,2]"),
        ('[{"\\u0065mbedding":[1,2],"note":{"embedding":[8,9]}}]', "[1,2]"),
        ('[{"embedding":[1,2],"note":{"\\"embedding":[8,9]}}]', "[1,2]"),
        ('[{"note":{"embedding":[8,9]},"embedding":[1,2]}]', "[1,2]"),
        ('[{"embedding":[8,9],"embedding":[1,2]}]', "[1,2]"),
    ],
)
def test_a_vector_is_the_providers_own(data: str, content: str) -> None:
    answer = parse_result_line(vector_line(data))

    assert answer is not None
    assert (answer.status, answer.content) == (RowStatus.ANSWERED, content)


@given(VECTORS.filter(bool), st.sampled_from([",", ", "]))
@example([0.1] * 1024, ", ")
def test_every_vector_comes_back_number_by_number(vector: list[float], separator: str) -> None:
    text = f"[{separator.join(map(repr, vector))}]"

    answer = parse_result_line(vector_line(f'[{{"object":"embedding","embedding":{text},"index":0}}]'))

    assert answer is not None
    assert answer.content == text.replace(" ", "")
