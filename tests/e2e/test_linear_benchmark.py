"""The benchmark from drop to result runs, also beside the scripts that people write by hand."""

from __future__ import annotations

import pytest

from scripts.benchmarks.linear import main


def test_a_table_comes_to_the_same_answers_both_ways(capsys: pytest.CaptureFixture[str]) -> None:
    main(["300", "--by-hand"])

    shown = capsys.readouterr().out.split("\n")
    assert [line.partition(" |")[0] for line in shown if line.startswith("| ")] == ["| rows", "| 300"] * 2
