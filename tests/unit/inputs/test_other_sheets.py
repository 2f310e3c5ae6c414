"""A cover sheet in front of the table is told with the name of the sheet that is meant."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from shared.formats.tables import workbook as workbook_reader
from shared.problems.problem import Problem
from tests.support.reading import read_rows, recipe
from tests.support.workbooks import workbook

TABLE = [["id", "text"], ["1", "好"]]
RECIPE = "model: qwen-flash\nprompt: '{{ text }}'\n"


def book(sheets: dict[str, Sequence[Sequence[object]]], hidden: Sequence[str] = ()) -> bytes:
    def fill(made: Any) -> None:
        for name, rows in sheets.items():
            sheet = made.create_sheet(name)
            for row in rows:
                sheet.append(list(row))
            sheet.sheet_state = "hidden" if name in hidden else "visible"
        del made["Sheet"]

    return workbook(fill)


def problems_of(content: bytes, more: str = "") -> list[Problem]:
    return list(read_rows("a.xlsx", content, recipe(RECIPE + more))[1].problems.first)


@pytest.mark.parametrize(
    "cover", [[["说明"]], [], [["目录", "页"], ["数据", 2]], [[None], [" "]], [["id", "comment"], ["1", "x"]]]
)
@pytest.mark.parametrize(("above", "line"), [([], 1), ([["2026 汇总"], []], 3)])
def test_the_sheet_that_has_the_columns_is_named(cover: list[Any], above: list[Any], line: int) -> None:
    (problem,) = problems_of(book({"封面": cover, "空": [], "数据 1": [*above, *TABLE]}))

    assert (problem.code, problem.found) == ("header_in_other_sheet", "数据 1")
    assert problem.values == {"sheet": "封面", "header_line": line}


def test_a_sheet_that_the_recipe_names_may_be_the_wrong_one() -> None:
    content = book({"数据": TABLE, "封面": [["说明"]]})

    assert [each.code for each in problems_of(content, "sheet: 封面\n")] == ["header_in_other_sheet"]


@pytest.mark.parametrize(
    ("sheets", "hidden", "code"),
    [
        ({"封面": [["说明"]], "数据": TABLE}, ["数据"], "missing_column"),
        ({"封面": [["说明"]], "别的": [["id", "城市"]]}, [], "missing_column"),
        ({"封面": []}, [], "empty_file"),
        ({"封面": [["说明"], [], *TABLE], "数据": TABLE}, [], "header_below"),
    ],
)
def test_other_sheets_are_not_named_for_nothing(sheets: dict[str, Any], hidden: list[str], code: str) -> None:
    assert [each.code for each in problems_of(book(sheets, hidden))] == [code]


def test_the_first_sheet_is_read_where_it_has_the_columns() -> None:
    rows, _ = read_rows("a.xlsx", book({"a": TABLE, "b": TABLE}), recipe(RECIPE))

    assert len(rows) == 1


@pytest.mark.parametrize(
    "sheets",
    [
        {"封面": [["说明"]] * 50, "二": [["a"]], "三": [["b"], ["c"]], "数据": TABLE},
        {"封面": [["说明"]] * 50, "二": [["a"]], "三": [["b"]] * 50, "四": [["c"]]},
        {"封面": [["说明"]] * 50, "二": [["a"]] * 50, "数据": TABLE},
        {"封面": [], "二": [], "数据": TABLE},
    ],
    ids=["found", "not found", "many rows", "empty"],
)
def test_no_two_sheets_are_in_memory_at_once(sheets: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: weakref.WeakSet[LoadedSheet] = weakref.WeakSet()
    together = []

    def load(file: Any, name: str) -> LoadedSheet:
        together.append(len(loaded) + 1)
        sheet = LoadedSheet(load_really(file, name))
        loaded.add(sheet)
        return sheet

    load_really = vars(workbook_reader)["_load"]
    monkeypatch.setattr(workbook_reader, "_load", load)

    problems_of(book(sheets))

    assert together == [1] * len(sheets)


class LoadedSheet:
    """A sheet of calamine's, of which one can see when nobody holds it any more."""

    def __init__(self, sheet: Any) -> None:
        self.start = sheet.start
        self._sheet = sheet

    def iter_rows(self) -> Iterator[list[Any]]:
        yield from self._sheet.iter_rows()
