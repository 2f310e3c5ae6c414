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
    "cover", [[["说明"]], [["目录", "页"], ["数据", 2]], [["id", "comment"], ["1", "x"]]]
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


@pytest.mark.parametrize("more", ["", "header_row: auto\n"])
@pytest.mark.parametrize("before", [["Sheet1"], ["封面", "空"]])
def test_empty_sheets_before_the_table_are_passed_over(before: list[str], more: str) -> None:
    content = book({**dict.fromkeys(before, ()), "数据": TABLE, "尾": ()})

    rows, reader = read_rows("a.xlsx", content, recipe(RECIPE + more))

    assert ([tuple(row.cells) for row in rows], reader.facts.sheet) == ([("1", "好")], "数据")
    (warning,) = reader.facts.warnings
    assert (warning.code, warning.found, warning.values) == (
        "empty_sheets",
        "数据",
        {"sheets": ", ".join(before)},
    )


@pytest.mark.parametrize(
    "blank",
    [
        [[" "]],
        [[None], [None, "  "]],
        [["\u3000"], ["\xa0", "\t"]],
        [[" \n "], []],
        [[" "] * 30] * 40,
    ],
)
def test_so_are_sheets_of_blanks(blank: list[list[str | None]]) -> None:
    for sheets in ({"空": blank, "数据": TABLE}, {"一": [], "空": blank, "数据": TABLE}):
        rows, reader = read_rows("a.xlsx", book(sheets), recipe(RECIPE))

        assert ([tuple(row.cells) for row in rows], reader.facts.sheet) == ([("1", "好")], "数据")
        assert [each.code for each in reader.facts.warnings] == ["empty_sheets"]


@pytest.mark.parametrize(
    ("first", "code"),
    [
        ([[" ", "x"]], "header_in_other_sheet"),
        ([[" ", 0]], "header_in_other_sheet"),
        ([[" ", "=A1"]], "header_in_other_sheet"),
    ],
)
def test_a_sheet_that_holds_more_is_read(first: list[list[object]], code: str) -> None:
    assert [each.code for each in problems_of(book({"封面": first, "数据": TABLE}))] == [code]


def test_blanks_in_the_only_sheet_are_an_empty_file() -> None:
    assert [each.code for each in problems_of(book({"空": [[" "], ["\u3000"]]}))] == ["empty_file"]


def test_so_they_are_without_a_recipe() -> None:
    rows, reader = read_rows("a.xlsx", book({"Sheet1": [], "b": [["q1", "好"]]}), None)

    assert [row.custom_id for row in rows] == ["q1"]
    assert [each.code for each in reader.facts.warnings] == ["empty_sheets"]


def test_an_empty_sheet_that_is_asked_for_is_empty() -> None:
    content = book({"空": [], "别的": [["id", "城市"]]})

    assert [each.code for each in problems_of(content, "sheet: 空\n")] == ["empty_file"]


@pytest.mark.parametrize("written", ["数据 ", " 数据", "数据\u200b", "数\u00ad据", "数据\u3000"])
@pytest.mark.parametrize("asked", ["数据", "数据\u00a0"])
def test_what_nobody_sees_of_the_name_of_a_sheet_makes_no_difference(written: str, asked: str) -> None:
    content = book({"封面": [["说明"]], written: TABLE})

    rows, _ = read_rows("a.xlsx", content, recipe(RECIPE + f'sheet: "{asked}"\n'))

    assert len(rows) == 1


@pytest.mark.parametrize("asked", ["data", "ＤＡＴＡ", "Data"])
def test_nor_does_case_if_only_one_sheet_is_left(asked: str) -> None:
    one, two = book({"a": TABLE, "DATA": TABLE}), book({"DATA": TABLE, "DaTa ": TABLE})

    assert len(read_rows("a.xlsx", one, recipe(RECIPE + f"sheet: {asked}\n"))[0]) == 1
    assert [each.code for each in problems_of(two, f"sheet: {asked}\n")] == ["unknown_sheet"]


@pytest.mark.parametrize(
    ("others", "named"),
    [
        ({"2月": TABLE}, "2月"),
        ({"2月": TABLE, "图": [["x"], ["y"]], "3月": [["汇总"], [], *TABLE]}, "2月, 3月"),
        ({"2月": [["x", "id", None, " text"], [1, 2, None, 3]]}, "2月"),
        ({"大": [*TABLE, *[["2", "长" * 90]] * 20_000]}, "大"),
    ],
)
def test_other_sheets_that_have_the_columns_are_told(others: dict[str, Any], named: str) -> None:
    rows, reader = read_rows("a.xlsx", book({"1月": TABLE, **others}), recipe(RECIPE))

    assert len(rows) == 1
    (warning,) = reader.facts.warnings
    assert (warning.code, warning.found) == ("unread_sheets", named)
    assert warning.values == {"sheet": "1月", "first": named.partition(",")[0]}


@pytest.mark.parametrize(
    ("others", "hidden", "more"),
    [
        ({"2月": TABLE}, [], "sheet: 1月\n"),
        ({"2月": TABLE}, ["2月"], ""),
        ({"模板": TABLE[:1]}, [], ""),
        ({"字段": [["id"], ["text"]], "空": []}, [], ""),
    ],
)
def test_others_are_not(others: dict[str, Any], hidden: list[str], more: str) -> None:
    content = book({"1月": TABLE, **others}, hidden)

    assert read_rows("a.xlsx", content, recipe(RECIPE + more))[1].facts.warnings == ()


def test_two_columns_in_two_sheets_are_told_without_a_recipe() -> None:
    table = [["q1", "好"], ["q2", "坏"]]

    _, reader = read_rows("a.xlsx", book({"a": table, "b": table, "c": [["x"]]}), None)

    assert [(each.code, each.found) for each in reader.facts.warnings] == [
        ("unread_sheets_of_two_columns", "b")
    ]


def test_the_first_sheet_is_read_where_it_has_the_columns() -> None:
    rows, _ = read_rows("a.xlsx", book({"a": TABLE, "b": TABLE}), recipe(RECIPE))

    assert len(rows) == 1


@pytest.mark.parametrize(
    "sheets",
    [
        {"封面": [["说明"]] * 50, "二": [["a"]], "三": [["b"], ["c"]], "数据": TABLE},
        {"封面": [["说明"]] * 50, "二": [["a"]], "三": [["b"]] * 50, "四": [["c"]]},
        {"封面": [["说明"]] * 50, "二": [["a"]] * 50, "数据": TABLE},
    ],
    ids=["found", "not found", "many rows"],
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


@pytest.mark.parametrize(
    ("other", "codes"),
    [
        ([["q3", "c"], ["q4", "d"]], ["unread_sheets_of_two_columns"]),
        ([["作者", "张三"], ["日期", "2024"]], []),
        ([["q3", "c", "x"], ["q4", "d", "x"]], []),
    ],
)
def test_without_a_recipe_only_a_sheet_with_such_ids_is_told(
    other: list[list[str]], codes: list[str]
) -> None:
    _, reader = read_rows("a.xlsx", book({"一": [["q1", "a"], ["q2", "b"]], "二": other}), None)

    assert [each.code for each in reader.facts.warnings] == codes


def test_a_prompt_that_uses_no_column_makes_no_sheet_alike() -> None:
    asked = recipe("model: qwen-flash\nprompt: 'x{% if row %}{% endif %}'\n")

    _, reader = read_rows("a.xlsx", book({"一": TABLE, "二": [["z"], ["2"]]}), asked)

    assert [each.code for each in reader.facts.warnings] == []
