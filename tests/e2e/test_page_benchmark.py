"""The benchmark of the page runs; what it measures is no test's business."""

from __future__ import annotations

import pytest

from scripts.benchmarks.page.__main__ import main


def test_each_look_at_a_folder_sees_all_files(capsys: pytest.CaptureFixture[str]) -> None:
    main(["40", "--rounds", "1"])

    shown = capsys.readouterr().out.split("\n")
    assert [line.split(" | ")[:2] for line in shown if line.startswith("| 40")] == [
        ["| 40", "first look"],
        ["| 40", "a further look"],
        ["| 40", "listing"],
    ]
