from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.formats.csv.cells import FORMULA_START, guard_formula

GUARDED = re.compile(f"^'(?={FORMULA_START})")


def restored(cell: str) -> str:
    """What shared/results/README.md tells people to do."""
    return GUARDED.sub("", cell)


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "=", "+a1", "-a1", "-1+cmd|' /C calc'!A0", "@a", "\t=1", "\r=1", "\n\n=1", " =1", "＝1", "－1", "＋1", "＠a",
     "'=1", "''=1", "'-5", "' =1", "+86-138-0013-8000", "+E5", "-5A", "-1-1", "+", "--1", "- item", "-3~5"],
)  # fmt: skip
def test_cells_that_a_spreadsheet_would_run_get_one_apostrophe(cell: str) -> None:
    assert guard_formula(cell) == "'" + cell
    assert restored(guard_formula(cell)) == cell


@pytest.mark.parametrize(
    "cell",
    ["", "1", "a=b", "'quoted'", "'", " a", "\n\n答案", "\ta", "-5", "+1.5e3", "-.5", "-5.", " -5 ", "-12.5%", "-1,234.56",
     "+8613800138000", "-", "---"],
)  # fmt: skip
def test_other_cells_and_plain_numbers_stay_as_they_are(cell: str) -> None:
    assert guard_formula(cell) == cell
    assert restored(cell) == cell


@given(st.text(st.one_of(st.sampled_from("'=+-@＝ \t\r\n1.e%,a"), st.characters()), max_size=8))
def test_removing_the_apostrophe_restores_every_cell(cell: str) -> None:
    assert restored(guard_formula(cell)) == cell


@given(st.text(st.sampled_from("'=+-@＝ \t\r\n1.e%,a"), max_size=5))
def test_nothing_that_is_left_as_it_is_can_be_run(cell: str) -> None:
    shown = guard_formula(cell).strip(" \t\r\n")

    assert shown[:1] not in set("=@＝") or not shown
    assert shown[:1] not in set("+-") or re.fullmatch(r"-+|[+-][0-9.,]+(e[+-]?[0-9]+)?%?", shown)
