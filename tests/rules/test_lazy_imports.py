"""What a function loads at its start: each library costs every cold start time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

# By import name. Each is loaded by the code that needs it, when it does.
NEVER_AT_START = {
    "openai",
    "qcloud_cos",
    "tencentcloud",
    "tos",
    "volcenginesdkcore",
    "httpx2",
    "jinja2",
    "yaml",
    "pyarrow",
    "python_calamine",
    "isal",
    "jsonschema",
    "pandas",
    "polars",
    "duckdb",
    "numpy",
}
# Flask is what the endpoints are made of, and brings Jinja2.
EXCEPTIONS = {"callback": {"jinja2"}, "page": {"jinja2"}}
NOT_WITHOUT_AN_ENDPOINT = {"flask", "werkzeug"}
FUNCTIONS = sorted(path.parent.name for path in ROOT.glob("functions/*/index.py"))

# All functions load oss2 first of all, so it is loaded once; each goes on in a fork of its own.
LOADED = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import oss2
for function in sys.argv[2:]:
    if not os.fork():
        __import__(f"functions.{function}.index")
        print(json.dumps([function, *{name.partition(".")[0] for name in sys.modules}]), flush=True)
        os._exit(0)
    os.wait()
"""


def loaded_by(root: Path, *functions: str) -> dict[str, set[str]]:
    """By function, the top-level modules that a process holds once it has imported its handler."""
    command = [sys.executable, "-c", LOADED, str(root), *functions]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {function: set(names) for function, *names in map(json.loads, said.strip().split("\n"))}


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    return loaded_by(ROOT, *FUNCTIONS)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_loads_nothing_that_it_may_not_need(function: str, loaded: dict[str, set[str]]):
    unwanted = NEVER_AT_START | (set() if function in EXCEPTIONS else NOT_WITHOUT_AN_ENDPOINT)

    assert loaded[function] & unwanted == EXCEPTIONS.get(function, set())


def test_what_is_loaded_is_seen_wherever_it_is_imported(tmp_path: Path):
    folder = tmp_path / "functions" / "probe"
    folder.mkdir(parents=True)
    (tmp_path / "functions" / "__init__.py").touch()
    (folder / "index.py").write_text("import functions.probe.other")
    (folder / "other.py").write_text("def f():\n    import jinja2\nimport yaml.nodes")

    assert loaded_by(tmp_path, "probe")["probe"] & NEVER_AT_START == {"yaml"}
