"""The benchmark of quotes runs; what it measures is no test's business."""

from __future__ import annotations

import pytest

from scripts.benchmarks.quotes.__main__ import Pairs, main, table


def test_a_file_is_planned_in_every_way(capsys: pytest.CaptureFixture[str]) -> None:
    main(["CSV", "--rows", "30", "--rounds", "1"])

    shown = capsys.readouterr().out.split("\n")
    assert [line.split(" | ")[0] for line in shown[2:-1]] == ["| CSV"]


def test_each_run_is_compared_with_that_of_its_round() -> None:
    cpu_s = {"uncounted": [1.0, 2.0, 4.0], "quote": [1.0, 2.1, 4.4], "ceiling": [2.0, 4.0, 8.0]}
    cpu_s |= {"sample": [1.0, 2.0, 4.0], "both": [1.0, 2.0, 4.0]}

    shown = table([Pairs("CSV", 1_000_000, cpu_s)], 30)

    assert shown.split("\n")[2] == (
        "| CSV | 1 | 2.00 | 1.05 × | 2.00 × | 1.00 × | 1.00 × | ≤ 1.1 ×: MISSED |"
    )
