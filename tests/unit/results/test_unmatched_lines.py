"""A line goes to the row that it means without doubt; all others are kept as they came."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest

from shared.results.columns import Answer
from shared.results.spool.answer_spool import AnswerSpool
from shared.results.unmatched_lines import UnmatchedLines
from tests.support.builders import answered_line
from tests.support.fakes import FixedClock, MemoryStore
from tests.unit.results.spool.test_unreadable_lines import as_text

KEY = "work/unmatched.jsonl"
CUT = b'{"id": "x", "cust'
PAGE = "<html>\n<body>403 访问被拒绝</body>\n</html>".encode()


def spooled(asked: list[str], *lines: bytes) -> tuple[list[Any], list[Any]]:
    """What each row has (its answer, or the code of its reason), and the lines that were kept."""
    store = MemoryStore(FixedClock())
    with (
        UnmatchedLines(store, KEY) as unmatched,
        AnswerSpool(asked, as_text, unmatched.add) as spool,
    ):
        spool.add_lines(lines)
        found = [
            spool.rendered(index)[0].decode() if spool.is_answered(index) else _code(spool.reason(index))
            for index in range(len(asked))
        ]
        assert unmatched.commit() == (KEY if spool.unmatched_lines else "")
    kept = [json.loads(line) for line in store.objects.get(KEY, b"").splitlines()]
    assert len(kept) == spool.unmatched_lines
    return found, kept


def _code(reason: Answer | None) -> str | None:
    return reason.error_code if reason else None


def renamed(key: str, custom_id: object = "q-1") -> bytes:
    line = json.loads(answered_line("q-1", "paid"))
    return orjson.dumps({key: custom_id} | {name: line[name] for name in ("id", "response", "error")})


def with_id(custom_id: object) -> bytes:
    return renamed("custom_id", custom_id)


@pytest.mark.parametrize(
    ("asked", "line"),
    [
        ("q-1 ", with_id("q-1")),
        ("q-1", with_id(" q-1\t")),
        ("　q-1", with_id("q-1")),
        ("q-1", with_id("\ufeffq-1")),
        ("\u200bq-1 ", with_id("q-1")),
        (" q-1", with_id("q-1 ")),
        ("17", with_id(17)),
        ("0017", with_id(17)),
        ("17", with_id(17.0)),
        ("17.0", with_id(17)),
        ("007", with_id("7")),
        ("q-1", renamed("customId")),
        ("q-1", renamed("CustomID")),
        ("q-1", renamed("custom-id")),
        ("q-1", renamed("custom id")),
        ("q-1", renamed("customid")),
        ("17 ", renamed("customId", 17)),
        ("q-1", renamed("customId")[:-1] + b', "custom_id": null}'),
    ],
)
def test_an_answer_whose_id_is_written_otherwise_is_that_of_its_row(asked: str, line: bytes) -> None:
    rows, kept = spooled([asked, "q-2"], answered_line("q-2", "b"), line)

    assert rows == ["paid", "b"]
    assert kept == []


def test_a_line_that_cannot_be_read_is_kept_for_the_row_however_its_id_is_written() -> None:
    rows, kept = spooled(["q-1 ", "17"], renamed("customId")[:-1], with_id(17)[:-1])

    assert rows == ["line_unreadable", "line_unreadable"]
    assert kept == []


@pytest.mark.parametrize(
    "line",
    [
        with_id("zzz"),
        with_id("Q-1"),
        with_id("q-1-2"),
        with_id("twice"),
        with_id(""),
        with_id(None),
        with_id(["q-1"]),
        with_id(True),
        renamed("id2"),
        b'{"response": {"status_code": 200}}',
        b'{"error": {"message": "batch failed"}}',
    ],
)
def test_a_line_that_names_no_row_is_kept_as_it_came(line: bytes) -> None:
    asked = ["q-1", "q-2", " twice", "twice "]

    rows, kept = spooled(asked, answered_line("q-2", "b"), line)

    assert rows == [None, "b", None, None]
    assert kept == [orjson.loads(line)]


@pytest.mark.parametrize(
    ("lines", "kept"),
    [
        (PAGE.split(b"\n"), PAGE.decode()),
        ([b"data: [DONE]"], "data: [DONE]"),
        ([CUT], CUT.decode()),
        ([with_id("zzz")[:-1]], with_id("zzz")[:-1].decode()),
        (["模型服务繁忙".encode("gb18030")], "模型服务繁忙".encode("gb18030").decode(errors="replace")),
        ([b"{", b'"response": 1', b"}"], '{\n"response": 1\n}'),
        ([b"{'custom_id': 'zzz'}"], "{'custom_id': 'zzz'}"),
        ([b"1,2,3"], "1,2,3"),
    ],
)
def test_what_is_no_result_line_is_kept_as_text(lines: list[bytes], kept: str) -> None:
    found = spooled(["q-1"], *lines)

    assert found == ([None], [{"line": kept}])


@pytest.mark.parametrize("line", [b"[", b"]", b"],", b"\xef\xbb\xbf", b"  \t", b"\0", b"\x1e"])
def test_what_only_holds_an_array_together_is_nothing_to_keep(line: bytes) -> None:
    assert spooled(["q-1"], line, answered_line("q-1", "a") + b",", line) == (["a"], [])


def test_a_line_without_an_id_is_no_part_of_the_text_of_the_next() -> None:
    orphan = b'{"response": {"status_code": 200, "body": "paid"}}'

    rows, kept = spooled(["q-1", "q-2"], orphan, with_id("q-2")[:-1], orphan)

    assert rows == [None, "line_unreadable"]
    assert kept == [orjson.loads(orphan)] * 2


def test_one_document_of_all_rows_is_kept_for_each() -> None:
    line = b'{"results": [%b, %b]}' % (with_id("q-1"), with_id("q-2"))

    assert spooled(["q-1", "q-2"], line) == (["line_unreadable"] * 2, [])
