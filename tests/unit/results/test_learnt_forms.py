"""What is read by the form of earlier lines is what the other readers and renderers make of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.results.columns import RowStatus, columns_of, cut_off
from shared.results.rendering import AnswerRenderer
from shared.results.replies.learnt_forms import LearntForms, PlainAnswer
from shared.results.replies.result_lines import parse_result_line
from shared.results.replies.token_details import details_in
from shared.results.spool.answer_spool import AnswerSpool
from tests.unit.results.test_part_rows import plan_of

KINDS = [(kind, output) for kind in ("recipe_csv", "request_jsonl") for output in ("csv", "jsonl")]
ODD_TEXTS = [
    "", " ", "\u3000", "=1+1", "-1", "＝1", "'=x", "\ufeffx", "a,b", 'say "no"', "\n\n", "back\\slash", "\\n", "a\\\"b",
    "line\u2028end", "next\u0085line", "tab\tcr\rcrlf\r\n", "\x00\x1f\x7f", "“好”", "%b %s %", "987654321000001", "x987654321000001",
    '","reasoning_content":"', '"}}],"object":"chat.completion"}},"error":null}', "🙂", "\ud800", "é" * 300,
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(ODD_TEXTS) | st.text(max_size=5), max_size=3).map("".join)
ODD_BYTES = [
    rb"\/", rb"\u4e2d", rb"\u00e9", rb"\u001f", rb"\\u", rb"\\n", rb"\ud800", rb"\x41", b"\\", b"\xff", b"\xc0\x80", b"\n", b"\t",
    b'"', rb'\"', b",", b"}", b'","index":0,"a":"', b" ", b"x", b"0", b"-", b"1.5", b"1" * 19, "\u2028".encode(), b"=",
]  # fmt: skip
PARTS = st.sampled_from(ODD_BYTES)


def a_line(custom_id: str, content: str, *, thinking: str | None = None, **others: Any) -> bytes:
    message = {"role": "assistant", "content": content}
    if thinking is not None:
        message["reasoning_content"] = thinking
    usage = {
        "completion_tokens": 5,
        "prompt_tokens": 26,
        "prompt_tokens_details": {"cached_tokens": 3},
        "completion_tokens_details": {"reasoning_tokens": 4},
        "total_tokens": 31,
    }
    body = {
        "created": 1776432582, "usage": usage, "model": "qwen,flash", "id": f"chatcmpl-{custom_id}",
        "choices": [{"finish_reason": "length", "index": 0, "message": message}], "object": "chat.completion", **others,
    }  # fmt: skip
    response = {"status_code": 200, "request_id": f"r-{custom_id}", "body": body}
    line = {"id": "r", "custom_id": custom_id, "response": response, "error": None}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode(errors="surrogatepass")


class Readers:
    """Both ways to read, where two forms are known."""

    def __init__(self, kind: str, output: str) -> None:
        plan = plan_of(kind, output, "utf-8", ["a"] if kind != "request_jsonl" else [])
        self._render = AnswerRenderer(
            plan.model_copy(update={"result_columns": columns_of(kind), "answer_columns": {}})
        )
        self.forms = LearntForms(self._render, self._render.text)
        for number in range(60):
            self.learn(a_line(f"q-{number}", "plain"))
            self.learn(a_line(f"q-{number}", "plain", thinking="hm"))

    def learn(self, line: bytes) -> None:
        answer = parse_result_line(line)
        if answer and not self.forms.read(line):
            self.forms.learn(line, answer)

    def carefully(self, line: bytes) -> PlainAnswer | None:
        answer = parse_result_line(line)
        if answer is None or answer.status is not RowStatus.ANSWERED or answer.error_code:
            return None
        counts = (answer.prompt_tokens or 0, answer.completion_tokens or 0, answer.total_tokens or 0)
        counts += details_in(answer.usage)
        is_thought = bool(answer.reasoning_content)
        return (
            answer.custom_id,
            self._render(answer)[0],
            cut_off(answer.finish_reason),
            is_thought,
            *counts,
        )


READERS = {each: Readers(*each) for each in KINDS}


@pytest.mark.parametrize("readers", READERS.values(), ids=map("-".join, KINDS))
@pytest.mark.parametrize("thinking", [None, "so: \"a\", 'b'\n"])
def test_a_line_of_a_known_form_is_read_by_it(readers: Readers, thinking: str | None) -> None:
    line = a_line("q-1", 'a, "b"\nand C:\\new, 中文', thinking=thinking)

    assert readers.forms.read(line) == readers.carefully(line) is not None


@given(TEXTS, st.none() | TEXTS, st.sampled_from(["q-1", "", " q", "=q", "q,1", "第 1 行", "q\n1", "007"]))
def test_any_texts_are_read_as_by_the_other_readers(text: str, thinking: str | None, custom_id: str) -> None:
    line = a_line(custom_id, text, thinking=thinking)
    for readers in READERS.values():
        assert readers.forms.read(line) in {None, readers.carefully(line)}


@pytest.mark.parametrize("place", [b"some", b"26", b":3}", b":4}", b"1776432582", b"r-q-1", b"flash"])
def test_odd_bytes_in_a_value_are_read_as_by_the_other_readers(place: bytes) -> None:
    line = a_line("q-1", 'some "words"\n')
    for part in ODD_BYTES:
        for odd in (
            line.replace(place, part + place),
            line.replace(place, part),
            line.replace(place, place + part),
        ):
            for readers in READERS.values():
                assert readers.forms.read(odd) in {None, readers.carefully(odd)}, odd


@given(
    st.lists(st.tuples(PARTS, st.integers(0, 500), st.integers(0, 3)), min_size=1, max_size=3), st.booleans()
)
def test_any_bytes_anywhere_in_a_line_are_read_as_by_the_other_readers(
    changes: list[tuple[bytes, int, int]], is_thought: bool
) -> None:
    line = a_line("q-1", 'some "words"\n', thinking="hm" if is_thought else None)
    for part, at, removed in changes:
        line = line[:at] + part + line[at + removed :]
    for readers in READERS.values():
        assert readers.forms.read(line) in {None, readers.carefully(line)}


@pytest.mark.parametrize(
    "more", [{"usage": {}}, {"created": 1.5}, {"model": "other"}, {"new": "x"}, {"choices": []}]
)
def test_a_line_with_anything_else_has_no_known_form(more: dict[str, Any]) -> None:
    line = a_line("q-1", "text", **more)

    assert all(readers.forms.read(line) is None for readers in READERS.values())


def test_forms_that_are_seldom_met_are_given_up() -> None:
    readers = Readers("recipe_csv", "csv")
    for number in range(400):
        readers.learn(a_line("q", "text", model=f"m-{number}"))

    assert readers.forms.read(a_line("q", "text")) is None


ANSWERED = st.tuples(st.integers(0, 130), TEXTS, st.booleans()).map(
    lambda each: a_line(f"q-{each[0]}", each[1], thinking="hm" if each[2] else None)
)
OTHER = st.sampled_from([
    b'{"custom_id":"q-125","response":nu', b"two", b"", b'{"custom_id":"q-126","response":null,"error":{"code":"Throttling","message":"m"}}',
    b'{"custom_id":"q-127","response":null,"error":{"code":"a","message":"m"}}', a_line(" q-128 ", "t"), a_line("no row", "t"),
])  # fmt: skip


@given(st.lists(ANSWERED | OTHER, max_size=12))
def test_a_spool_keeps_the_same_with_forms_as_without(lines: list[bytes]) -> None:
    before = [a_line(f"q-{number}", "plain") for number in range(120)]

    with_forms, without = (spooled([*before, *lines], has_forms=has_forms) for has_forms in (True, False))

    assert with_forms == without


def spooled(lines: list[bytes], *, has_forms: bool) -> list[Any]:
    """All that is known of the rows."""
    plan = plan_of("recipe_csv", "csv", "utf-8", ["a"])
    render = AnswerRenderer(plan.model_copy(update={"answer_columns": {}}))
    if not has_forms:
        render.text = None
    kept: list[bytes] = []
    ids = [f"q-{number}" for number in range(131)]
    with AnswerSpool(ids, render, kept.append, (20, None)) as spool:
        spool.add_lines(lines)
        rows = [spool.rendered(n) if spool.is_answered(n) else spool.reason(n) for n in range(len(ids))]
        counts = (
            spool.usage.tokens,
            spool.usage.charged,
            spool.found,
            spool.unmatched_lines,
            spool.repeated_ids,
            spool.unreadable_lines,
        )
        return [rows, kept, counts, spool.has_strays]
