"""A refusal report as the page shows it: each problem with its row, and how many more there are."""

from __future__ import annotations

import pytest

from shared.pipeline.page.first_rows import FirstRows
from shared.pipeline.page.refusal import find_refusal
from tests.support.dropped import Dropped


def test_a_hundred_problems_are_shown_and_the_others_counted() -> None:
    dropped = Dropped(b"a,b\n" + b"1\n" * 250)
    dropped.validate()

    refusal = find_refusal(dropped.store, dropped.head)

    assert refusal
    assert (len(refusal.problems), refusal.more, refusal.report) == (100, 150, "rejected/t.csv.report.txt")
    assert (refusal.problems[0].line, refusal.problems[0].row) == (2, FirstRows(["a", "b"], [["1"]]))


def test_of_a_wide_table_the_first_columns_and_of_many_rows_the_first_are_shown() -> None:
    header = ",".join(f"c{place}" for place in range(1000))
    dropped = Dropped(f"a,{header}\n".encode() + b"1,2\n" * 50)
    dropped.validate()

    refusal = find_refusal(dropped.store, dropped.head)

    assert refusal
    rows = [problem.row for problem in refusal.problems]
    assert [row is None for row in rows] == [False] * 20 + [True] * 30
    assert rows[0]
    assert (len(rows[0].columns), rows[0].rows) == (30, [["1", "2"]])


@pytest.mark.parametrize("name", ["a was refused: 7 problem(s) found.csv", "=1+1.csv", "评论.csv"])
def test_no_name_of_a_file_confuses_the_count(name: str) -> None:
    dropped = Dropped(b"a,b\n1\n", name)
    dropped.validate()

    refusal = find_refusal(dropped.store, dropped.head)

    assert refusal
    assert (len(refusal.problems), refusal.more) == (1, 0)


def test_a_report_of_an_earlier_version_is_not_shown() -> None:
    dropped = Dropped(b"a,b\n1\n")
    dropped.validate()
    dropped.drop(b"a,b\n1,2\n")

    assert find_refusal(dropped.store, dropped.head) is None
