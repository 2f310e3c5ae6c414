"""Merged cells are told, and filled down where the recipe says so."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from shared.problems.exceptions import UserInputError
from shared.problems.render import render_problem
from tests.support.reading import prompt_of, read_rows, recipe
from tests.support.workbooks import sheet_of, workbook

MENU = [["类别", "text"], ["饮料", "茶"], [None, "咖啡"], [None, "果汁"], ["小吃", "薯片"], [None, "坚果"]]
PROMPT = "model: qwen-flash\nprompt: '{{ 类别 }}：{{ text }}'\n"


def sheet(rows: Sequence[Sequence[object]], *merged: str) -> bytes:
    def fill(book: Any) -> None:
        for row in rows:
            book.active.append(list(row))
        for reference in merged:
            book.active.merge_cells(reference)

    return workbook(fill)


def prompts_of(content: bytes, more: str = "", name: str = "a.xlsx") -> list[str]:
    rows, _ = read_rows(name, content, recipe(PROMPT + more))
    return [prompt_of(row) for row in rows]


def warned(content: bytes, more: str = "", name: str = "a.xlsx") -> list[tuple[str, int | None, Any]]:
    _, reader = read_rows(name, content, recipe(PROMPT + more))
    found = [each for each in reader.facts.warnings if each.code in {"merged_cells", "image_in_cell"}]
    return [(each.code, each.line, each.values["cells"]) for each in found]


@pytest.mark.parametrize(
    ("rows", "merged", "told"),
    [
        (MENU, ["A2:A4", "A5:A6"], [("merged_cells", 3, 3)]),
        (MENU, ["A5:A6"], [("merged_cells", 6, 1)]),
        (MENU, ["A2:B2"], []),
        (MENU, ["A1:A2"], [("merged_cells", 2, 1)]),
        ([*MENU, ["x", "y", "z"], ["x", "y", None]], ["C7:C8"], []),
        (MENU, [], []),
    ],
)
def test_merged_cells_of_a_column_in_the_prompt_are_told(
    rows: list[list[object]], merged: list[str], told: list[object]
) -> None:
    assert warned(sheet(rows, *merged)) == told


@pytest.mark.parametrize("written", ["fill_down: [类别]\n", "fill_down: 类别\n", 'fill_down: [" 类别 "]\n'])
def test_merged_cells_are_filled_down(written: str) -> None:
    content = sheet(MENU, "A2:A4", "A5:A6")

    assert prompts_of(content, written) == [
        "饮料：茶",
        "饮料：咖啡",
        "饮料：果汁",
        "小吃：薯片",
        "小吃：坚果",
    ]
    assert warned(content, written) == []


def test_a_cell_that_is_blank_by_itself_stays_so_beside_merged_ones() -> None:
    rows = [
        ["类别", "text"],
        ["饮料", "茶"],
        [None, "咖啡"],
        [None, "杂项"],
        [None, "未分"],
        [None, "类"],
        ["小吃", "x"],
    ]

    filled = prompts_of(sheet(rows, "A2:A3", "A5:A6"), "fill_down: [类别]\n")

    assert filled == ["饮料：茶", "饮料：咖啡", "：杂项", "：未分", "：类", "小吃：x"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xlsx", sheet_of(*MENU)),
        ("a.csv", "类别,text\n饮料,茶\n,咖啡\n  ,果汁\n小吃,薯片\n,坚果\n".encode()),
        ("a.tsv", '类别\ttext\n饮料\t茶\n\t咖啡\n""\t果汁\n小吃\t薯片\n\t坚果\n'.encode()),
    ],
)
def test_without_merged_cells_a_blank_cell_has_the_value_above(name: str, content: bytes) -> None:
    filled = prompts_of(content, "fill_down: [类别]\n", name)

    assert filled == ["饮料：茶", "饮料：咖啡", "饮料：果汁", "小吃：薯片", "小吃：坚果"]


def test_nothing_stands_above_the_first_row() -> None:
    content = "类别,text\n,茶\n小吃,薯片\n,坚果\n".encode()

    assert prompts_of(content, "fill_down: [类别]\n", "a.csv") == ["：茶", "小吃：薯片", "小吃：坚果"]


def test_the_filled_cell_is_in_the_result_too() -> None:
    rows, _ = read_rows("a.xlsx", sheet(MENU, "A2:A4"), recipe(PROMPT + "fill_down: [类别]\n"))

    assert tuple(rows[1].cells) == ("饮料", "咖啡")


def test_a_blank_row_is_not_filled() -> None:
    rows = [MENU[0], MENU[1], [None, None], [None, "咖啡"]]

    assert prompts_of(sheet(rows, "A2:A4"), "fill_down: [类别]\n") == ["饮料：茶", "饮料：咖啡"]


@pytest.mark.parametrize("place", [1, 2])
def test_a_cell_is_filled_though_its_row_ends_before_it(place: int) -> None:
    rows = [["2026"], ["text", "类别"], ["茶", "饮料"], ["咖啡", None], ["果汁", None]]
    if place == 2:
        rows = [[row[0], *(["x"] if len(row) > 1 else []), *row[1:]] for row in rows]
        rows[1][1] = "x"
    column = "ABC"[place]

    filled = prompts_of(sheet(rows, f"{column}3:{column}5"), "fill_down: [类别]\nheader_row: 2\n")

    assert filled == ["饮料：茶", "饮料：咖啡", "饮料：果汁"]


@pytest.mark.parametrize(
    ("name", "filled", "write"),
    [
        ("类别", "", "fill_down: [类别]"),
        ("a b", "", "fill_down: [a b]"),
        ("类别, 大类", "", 'fill_down: ["类别, 大类"]'),
        ("大类\n小类", "", "fill_down: [大类 小类]"),
        ("[类别]: 大", "", 'fill_down: ["[类别]: 大"]'),
        ("true", "", 'fill_down: ["true"]'),
        ("2026", "", 'fill_down: ["2026"]'),
        ("类别", "fill_down: [text]\n", "fill_down: [text, 类别]"),
    ],
)
def test_what_to_write_for_merged_cells_names_the_column_and_is_right(
    name: str, filled: str, write: str
) -> None:
    content = sheet([[name, "text"], *MENU[1:]], "A2:A4", "A5:A6")
    named = json.dumps(" ".join(name.split()))
    prompt = f"model: qwen-flash\non_empty: send\nprompt: '{{{{ row[{named}] }}}}：{{{{ text }}}}'\n"

    _, told = read_rows("a.xlsx", content, recipe(prompt + filled))
    rows, _ = read_rows("a.xlsx", content, recipe(prompt + write + "\n"))

    (problem,) = [each for each in told.facts.warnings if each.code == "merged_cells"]
    assert problem.values["write"] == write
    assert all(write in render_problem(problem, language) for language in ("zh", "en"))
    assert [prompt_of(row).partition("：")[0] for row in rows] == ["饮料"] * 3 + ["小吃"] * 2


def test_a_column_to_fill_that_is_not_there_is_told() -> None:
    _, reader = read_rows("a.xlsx", sheet(MENU), recipe(PROMPT + "fill_down: [类型]\n"))

    (problem,) = reader.problems.first
    assert (problem.code, problem.field, problem.found) == ("missing_column", "fill_down", "类型")
    assert "Then write fill_down: [类别]. The header has" in render_problem(problem, "en")


@pytest.mark.parametrize(
    ("written", "meant"),
    [("[类别, tex]", "[类别, text]"), ("[类型, text]", "[类别, text]"), ("[text, 类型]", "[text, 类别]")],
)
def test_the_right_entries_of_a_list_stay_in_what_is_to_be_written(written: str, meant: str) -> None:
    _, reader = read_rows("a.xlsx", sheet(MENU), recipe(PROMPT + f"fill_down: {written}\n"))

    assert f"那要写成 fill_down: {meant}。" in render_problem(reader.problems.first[0], "zh")


def test_fill_down_takes_names() -> None:
    with pytest.raises(UserInputError) as refused:
        recipe(PROMPT + "fill_down: 3\n")

    assert [problem.code for problem in refused.value.problems] == ["recipe_not_names"]


def test_a_file_that_is_refused_for_its_empty_cells_is_told_why_they_are_empty() -> None:
    _, reader = read_rows("a.xlsx", sheet(MENU, "A2:A4", "A5:A6"), recipe(PROMPT))

    assert [problem.code for problem in reader.problems.first] == ["merged_cells", "too_many_empty_cells"]


GROUPS = "类别,text\n饮料,茶\n{}\n,薯片\n,坚果\n水果,桃\n,梨\n"


@pytest.mark.parametrize(
    ("bad", "filled"),
    [
        ('小吃,"好" 吃', None),
        ("小吃,好\r吃", None),
        (",好\r小吃,好吃", None),
        ("小吃", None),
        ("小吃,好,吃", None),
        ("小\0吃,好", None),
        ("小\udcff吃,好", None),
        ("小吃,好\udcff吃", None),
        ("snacks,好\udcff吃", "snacks"),
        ("小吃,好\0吃", "小吃"),
        ("小吃,好\udce5\udca5", "小吃"),
        (',"好" 吃', "饮料"),
        (",好,吃", "饮料"),
        (",好\0吃", "饮料"),
    ],
)
def test_below_a_bad_row_no_cell_gets_the_value_of_another_group(bad: str, filled: str | None) -> None:
    padding = ",很好很好很好很好很好很好\n" * 2  # a file that is UTF-8 beyond doubt
    content = GROUPS.format(padding + bad).encode("utf-8", "surrogateescape")

    rows, _ = read_rows("a.csv", content, recipe(PROMPT + "fill_down: [类别]\non_bad_rows: skip\n"))

    *_, bad_row, second, third, peach, pear = rows
    assert bad_row.request is None
    assert [prompt_of(row) for row in (peach, pear)] == ["水果：桃", "水果：梨"]
    if filled is None:
        assert [[each.code for each in row.problems] for row in (second, third)] == [["fill_down_lost"]] * 2
        assert {row.problems[0].values["above"] for row in (second, third)} == {bad_row.line}
    else:
        assert [prompt_of(row) for row in (second, third)] == [f"{filled}：薯片", f"{filled}：坚果"]


def test_a_value_behind_the_end_of_a_torn_row_is_not_known() -> None:
    content = "text,类别\n茶,饮料\n薯,片,小吃\n坚果,\n桃,水果\n".encode()

    rows, _ = read_rows("a.csv", content, recipe(PROMPT + "fill_down: [类别]\non_bad_rows: skip\n"))

    assert [row.request is None for row in rows] == [False, True, True, False]
