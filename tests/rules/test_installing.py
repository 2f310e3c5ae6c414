"""Batchdrop is run from a checkout, and pip says so in one sentence."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.run_from_checkout import REASON

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("how", [["install"], ["install", "--editable"]])
def test_pip_is_told_that_batchdrop_is_run_from_a_checkout(how: list[str], tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(
        [*pip, *how, str(ROOT)], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=600
    )

    assert done.returncode != 0
    assert REASON in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_sentence_names_commands_that_exist() -> None:
    commands = re.findall(r"scripts/\w+", REASON)

    assert commands
    assert [each for each in commands if not (ROOT / each).is_file()] == []
