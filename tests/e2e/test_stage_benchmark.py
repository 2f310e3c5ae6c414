"""The benchmark of whole stages runs; what it measures is no test's business."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripts.benchmarks.paths.data import Case, make
from scripts.benchmarks.stages.__main__ import main


def test_every_stage_runs_on_a_cloud_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    make(Case("validate", 1), tmp_path / "validate-1", seed=1)
    results = tmp_path / "join-1" / "results-1.jsonl"
    results.parent.mkdir()
    line = {"custom_id": "q-1", "response": None, "error": {"code": "InvalidParameter", "message": "no"}}
    results.write_text(json.dumps(line) + "\n")

    main(["--size-mb", "1", "--rounds", "1", "--folder", str(tmp_path)])

    shown = capsys.readouterr().out.split("\n")
    assert [line.split(" | ")[0] for line in shown if line.startswith("| ")] == [
        "| one 1 MB object",
        "| download + upload of the requests",
        "| validate",
        "| submit",
        "| download + upload of the results",
        "| collect",
        "| rows from a local file",
        "| rows over HTTP, CRC checked",
        "| rows over HTTP, oss2's own CRC",
    ]
