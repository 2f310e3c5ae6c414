"""A preview as a table for people, and as facts for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scripts.operate.jobs.facts import quote_facts
from scripts.operate.jobs.show import quote_lines
from scripts.operate.recipes.preview_table import Preview
from scripts.operate.texts.said import said
from scripts.operate.texts.text import Text
from scripts.terminal import render_table, width_of
from shared.money.amounts import spoken_text
from shared.money.quotes.sample_text import right_lines
from shared.problems.escapes import escaped_line
from shared.recipes.columns.answers import AnswerColumns

_CELL = 32
# A cell gets narrower, and its text takes more lines, before a column is left out.
_NARROW_CELLS = (24, 18, 14)
# And narrower still, before what is most likely asked about is the one that is left out.
_NARROWEST_CELLS = (11, 8)
_CELL_LINES = 8
_GAP = 2  # between columns
_INDENT = 4 + 3  # of each line, and of its number
_MARKS = {True: "✓", False: "✗", None: ""}
_Column = Sequence[str]  # its name, then its cells


def preview_lines(preview: Preview, width: int | None) -> Iterator[str]:
    """The table, what is odd about single rows, and what it tells of the whole file.

    Args:
        preview: What was answered.
        width: Of the terminal, in cells. Columns of the file for which there is no room are left
            out; ``None`` where there is room for all.
    """
    answers = [*_answer_columns(preview)]
    cell, own, left_out = _narrowed(preview, answers, width)
    numbers = ["", *map(str, range(1, len(preview.rows) + 1))]
    name, *rows = zip(numbers, *own, *answers, strict=True)
    yield from render_table(name, rows, cell, _CELL_LINES).split("\n")
    if left_out:
        yield said("columns_left_out", columns=", ".join(left_out))
    yield from _odd(preview)
    if preview.trouble:
        yield from preview.trouble.split("\n")
    yield from _told(preview)


def _odd(preview: Preview) -> Iterator[str]:
    """What is odd about single rows, once for all of which the same is to be said."""
    numbers: dict[str, list[str]] = {}
    for number, row in enumerate(preview.rows, start=1):
        if row.answered.error:
            numbers.setdefault(row.answered.error, []).append(str(number))
    for error, those in numbers.items():
        yield f"    {', '.join(those)}  " + escaped_line(error.replace("\n", " / "))


def _answer_columns(preview: Preview) -> Iterator[_Column]:
    names = AnswerColumns.names_of(preview.plan.answer_columns)
    for name in names:
        yield [name, *(row.answered.columns.get(name, "") for row in preview.rows)]
    if not names or not any(row.answered.columns for row in preview.rows):
        yield ["答案 answer", *(row.answered.answer for row in preview.rows)]
    if any(row.is_right is not None for row in preview.rows):
        yield ["正确 right", *(_MARKS[row.is_right] for row in preview.rows)]


def _narrowed(
    preview: Preview, answers: Sequence[_Column], width: int | None
) -> tuple[int, list[_Column], list[str]]:
    """How wide a cell is, and as ``_fitting``."""
    cell = _CELL
    own, left_out = _fitting(preview, answers, width, cell)
    for narrower in (*_NARROW_CELLS, *_NARROWEST_CELLS):
        if left_out and (narrower in _NARROW_CELLS or _longest(preview) in left_out):
            cell = narrower
            own, left_out = _fitting(preview, answers, width, cell)
    return cell, own, left_out


def _fitting(
    preview: Preview, answers: Sequence[_Column], width: int | None, cell: int
) -> tuple[list[_Column], list[str]]:
    """The file's columns for which there is room, and the names of the others."""
    expect = preview.plan.sample.expect if preview.plan.sample else ""
    cells = [row.cells for row in preview.rows]
    own = [[name, *column] for name, *column in zip(preview.plan.columns, *cells, strict=False)]
    room = None if width is None else width - _INDENT - _GAP - sum(_width(each, cell) for each in answers)
    taken = set()
    # What is right first, then the longest texts, which are most likely what is asked about.
    for column in sorted(own, key=lambda each: (each[0] != expect, -max(map(len, each)))):
        if room is None or _width(column, cell) <= room:
            taken.add(column[0])
            room = None if room is None else room - _width(column, cell)
    return [each for each in own if each[0] in taken], [each[0] for each in own if each[0] not in taken]


def _longest(preview: Preview) -> str:
    """The name of the column that has the longest texts."""
    cells = zip(*(row.cells for row in preview.rows), strict=False)
    columns = zip(preview.plan.columns, cells, strict=False)
    return max(columns, key=lambda each: max(map(len, each[1])), default=("", ()))[0]


def _width(column: _Column, cell: int) -> int:
    return _GAP + min(cell, max(width_of(escaped_line(each)) for each in column))


def _told(preview: Preview) -> Iterator[str]:
    """How many are right, what was asked, and what that says of the whole file."""
    plan, figures = preview.plan, preview.sample.figures
    for line in right_lines(figures, plan.sample.expect if plan.sample else ""):
        yield from line
    cost = Text("", "")
    if figures.cost is not None:
        zh, en = spoken_text(figures.cost)
        cost = Text(f"，花费 {zh}", f", for {en}")
        if preview.is_made_up:
            cost = Text(f"（真实模型要花 {zh}）", f" (a real model would take {en} for it)")
    yield said("preview_ended", asked=figures.asked, answered=figures.answered, cost=cost)
    yield from quote_lines(plan, preview.sample)


def preview_facts(preview: Preview) -> dict[str, object]:
    """``error`` says why a row has no answer, or what is odd about it."""
    rows = [
        {"custom_id": row.custom_id, "cells": row.cells, **vars(row.answered)}
        | ({} if row.is_right is None else {"expected": row.expected, "is_right": row.is_right})
        for row in preview.rows
    ]
    figures = preview.sample.figures.model_dump(mode="json")
    return {"rows": rows, "sample": figures, "quote": quote_facts(preview.plan, preview.sample)}
