"""A refused file's report for the page: each problem with the row that it is about."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass

from shared.bucket.result_names import rejection_keys_for
from shared.formats.heads import beginning
from shared.pipeline.page.first_rows import FirstRows, bytes_needed, rows_by_line
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ObjectMissing, UserInputError

_TOTAL = re.compile(r" was refused: ([0-9]+) problem\(s\) found\.")
_ENCODING = "utf-8-sig"
# What is shown of a row, and of how many rows; else an answer might be hundreds of megabytes.
_CELL_CHARS, _COLUMNS, _ROWS = 200, 30, 20


@dataclass(frozen=True)
class ReportedProblem:
    """One line of a report; ``row`` has the cells of its line where these can be shown."""

    line: int | None
    where: str
    zh: str
    en: str
    code: str
    row: FirstRows | None = None


@dataclass(frozen=True)
class Refusal:
    """``more`` problems are only counted; ``report`` is the key of the text."""

    problems: list[ReportedProblem]
    more: int
    report: str


def find_refusal(store: ObjectStore, head: ObjectHead) -> Refusal | None:
    """The report of a refused file; ``None`` if there is none, or if it is older than the file."""
    text_key, csv_key = rejection_keys_for(head.key)
    report = store.head(text_key)
    if report is None or report.modified_at < head.modified_at:
        return None
    try:
        text, table = store.get(text_key).decode(_ENCODING), store.get(csv_key).decode(_ENCODING)
    except ObjectMissing:  # only a notice
        return None
    found = list(csv.DictReader(io.StringIO(table, newline="")))
    lines = {int(each["line"]) for each in found if each["line"]}
    rows = _rows(store, head, lines)
    problems = [_problem(each, rows if place < _ROWS else {}) for place, each in enumerate(found)]
    # The first such line is the report's own: what it quotes comes behind.
    total = [int(number) for number in _TOTAL.findall(_header_of(text))]
    return Refusal(problems, max(total[-1] if total else 0, len(problems)) - len(problems), text_key)


def _header_of(text: str) -> str:
    return "\n".join(text.split("\r\n")[:4])


def _problem(found: dict[str, str], rows: dict[int, FirstRows]) -> ReportedProblem:
    line = int(found["line"]) if found["line"] else None
    row = rows.get(line) if line else None
    return ReportedProblem(
        line,
        found["field"],
        found["zh"],
        found["en"],
        found["code"],
        _cut(row, found["field"]) if row else None,
    )


def _cut(row: FirstRows, where: str) -> FirstRows:
    """The first columns, and the one that the problem is about."""
    (cells,) = row.rows
    named = row.columns.index(where) if where in row.columns else 0
    places = [
        place for place in range(max(len(row.columns), len(cells))) if place < _COLUMNS or place == named
    ]

    def kept(texts: list[str]) -> list[str]:
        return [texts[place][:_CELL_CHARS] for place in places if place < len(texts)]

    return FirstRows(kept(row.columns), [kept(cells)])


def _rows(store: ObjectStore, head: ObjectHead, lines: set[int]) -> dict[int, FirstRows]:
    try:
        content = beginning(store.read(head.key, etag=head.etag), bytes_needed(head.key))
        return rows_by_line(head.key, content, lines)
    except (ObjectMissing, UserInputError):
        return {}
