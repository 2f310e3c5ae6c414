"""What a page, a script or our code starts or points to by its name is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (".ci", ".github", "examples", "functions", "scripts", "shared", "tests")
# A module after -m anywhere, and in our code a module's whole name: only what is started has it.
STARTED = re.compile(r"""-m[ "',]+((?:functions|scripts|shared|tests)(?:\.\w+)*)""")
NAMED = re.compile(r"""["']((?:functions|scripts|shared|tests)(?:\.\w+)+)["']""")
PATHS = re.compile(
    r"(?<![\w./*-])(?:\./)?((?:\.ci|\.github|examples|functions|scripts|shared|tests)/[\w./-]*\w)"
)
MADE_UP = ("tests/unit/bundle", "tests/rules/test_named_programs.py")


def texts() -> Iterator[tuple[Path, str]]:
    places = [ROOT.glob("*.*"), *((ROOT / folder).rglob("*") for folder in FOLDERS)]
    for path in sorted(path for place in places for path in place if path.is_file()):
        here = path.relative_to(ROOT)
        is_made_up = any(map(here.is_relative_to, MADE_UP))
        if path.suffix in {"", ".md", ".py", ".toml", ".yaml", ".yml"} and not is_made_up:
            yield here, path.read_text(encoding="utf-8")


def programs_in(path: Path, text: str) -> set[str]:
    found = set(STARTED.findall(text))
    # Tests make up names of modules.
    return found | set(NAMED.findall(text)) if path.suffix == ".py" and path.parts[0] != "tests" else found


def runs(module: str) -> bool:
    path = ROOT.joinpath(*module.split("."))
    file = path / "__main__.py" if path.is_dir() else path.with_suffix(".py")
    return file.is_file() and '__name__ == "__main__"' in file.read_text(encoding="utf-8")


def is_there(path: Path, named: str) -> bool:
    file = named.replace("/index.handler", "/index.py")  # as Function Compute names a handler
    return any((folder / file).exists() for folder in (ROOT, ROOT / path.parent))


def test_every_module_that_is_started_by_name_runs() -> None:
    named = {(path.as_posix(), module) for path, text in texts() for module in programs_in(path, text)}

    assert len(named) > 30
    assert sorted((path, module) for path, module in named if not runs(module)) == []


def test_every_path_that_is_named_is_there() -> None:
    named = {(path, each) for path, text in texts() for each in PATHS.findall(text)}

    assert len(named) > 150
    assert sorted((path.as_posix(), each) for path, each in named if not is_there(path, each)) == []


@pytest.mark.parametrize(
    "text",
    [
        '"$python" -m scripts.gone "$@"',
        "run `.venv/bin/python -m scripts.localcloud.bailian`",
        '[sys.executable, "-m", "scripts.terminal"]',
        'start("scripts.localcloud.bailian", "bailian")',
    ],
)
def test_a_module_that_is_gone_or_does_not_run_is_found(text: str) -> None:
    assert [runs(module) for module in programs_in(Path("scripts/x.py"), text)] == [False]


def test_a_path_that_is_gone_is_found() -> None:
    assert PATHS.findall("see `scripts/gone` and ./scripts/check.") == ["scripts/gone", "scripts/check"]
    assert not is_there(Path("README.md"), "scripts/gone")
