"""Batchdrop is run from a checkout, and whoever tries to install it is told so in one sentence."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.run_from_checkout import REASON

ROOT = Path(__file__).resolve().parents[2]
VERSION = re.compile(r'^version = "(\d\d\.\d{1,2}\.\d+)"', re.MULTILINE)


@pytest.mark.parametrize("how", [["install"], ["install", "--editable"]])
def test_pip_is_told_that_batchdrop_is_run_from_a_checkout(how: list[str], tmp_path: Path) -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(
        [*pip, *how, str(ROOT)], capture_output=True, text=True, check=False, cwd=tmp_path, timeout=600
    )

    assert done.returncode != 0
    assert REASON in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_the_newest_version_of_the_changelog_is_that_of_the_project() -> None:
    project = VERSION.search((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    newest = re.search(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert project
    assert newest
    assert project[1] == newest[1]
