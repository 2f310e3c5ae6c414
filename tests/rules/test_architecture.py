"""What may import and do what, checked on the source; each rule is shown able to fail."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.support.waiting import PATIENCE_S

ROOT = Path(__file__).parents[2]

IMPURE = {
    "os",
    "time",
    "random",
    "logging",
    "secrets",
    "uuid",
    "socket",
    "subprocess",
    "tempfile",
    "threading",
}


@dataclass(frozen=True)
class Room:
    """What the modules of one package may import.

    Attributes:
        floor: From the rooms of lower floors, and from its own.
        libraries: Of others, beside the standard library.
        impure: Of the standard library's modules that see or change the world outside.
    """

    floor: int
    libraries: Set[str] = frozenset()
    impure: Set[str] = frozenset()


ROOMS = {
    "shared.problems": Room(1),
    "shared.ports": Room(2, {"pydantic"}),
    "shared.formats": Room(
        3, {"isal", "orjson", "pyarrow", "pydantic", "python_calamine", "simdjson", "yaml"}
    ),
    "shared.bucket": Room(3, {"pydantic"}),
    "shared.stores": Room(
        3, {"fastcrc", "oss2", "qcloud_cos", "requests", "tos", "urllib3"}, {"logging", "socket", "ssl"}
    ),
    "shared.money": Room(4, {"orjson", "pydantic"}),
    "shared.recipes": Room(5, {"jinja2", "jsonschema_rs", "pydantic", "pydantic_core"}),
    "shared.events": Room(4, {"pydantic"}),
    "shared.words": Room(5, {"pydantic"}),
    "shared.board": Room(5, impure={"logging"}),
    "shared.links": Room(4, {"pydantic"}),
    "shared.inputs": Room(6, {"pydantic", "simdjson"}),
    "shared.results": Room(6, {"orjson", "pyarrow", "pydantic"}, {"tempfile"}),
    "shared.providers": Room(
        6,
        {"httpx2", "openai", "pydantic", "requests", "tencentcloud", "urllib3", "volcenginesdkcore"},
        {"logging", "os", "random", "time"},
    ),
    "shared.channels": Room(6, {"pydantic", "requests", "urllib3"}, {"ssl", "time"}),
    "shared.pipeline": Room(7, impure={"logging", "tempfile"}),
    "shared.runtime": Room(
        8, {"Crypto", "pydantic", "pydantic_core", "requests", "urllib3", "werkzeug"}, IMPURE
    ),
    "functions": Room(9, {"flask", "pydantic", "werkzeug"}, {"logging"}),
}
# Programs that are copied to another machine, where there is nothing but the standard library.
PROGRAMS = {"shared.providers.tione.runner"}
PROGRAM = Room(1, impure={"logging", "os", "socket", "subprocess", "threading", "time"})
# Which rooms may know a provider by its name.
NAME_PROVIDERS = {"shared.providers", "shared.runtime"}
PROVIDER_NAMES = re.compile(
    "bailian|dashscope|百炼|volc|方舟|(?<![a-z])ark(?![a-z])|tencent|腾讯|(?<![a-z])ti-?one", re.IGNORECASE
)
# What records say that were written before there were two.
NAMED_ON_PURPOSE = {"shared.bucket.base: bailian"}
CLOCK_READS = {"now", "utcnow", "today"}
ENVIRONMENT_READERS = {
    "shared.runtime.settings",
    "shared.runtime.event_trigger",
    "shared.runtime.http_trigger",
    "shared.runtime.custom.server",
    "shared.providers.tione.runner.runner",
}
LINE_SPLITTERS = {"splitlines", "iter_lines"}
MAX_HANDLER_LINES = 30
MADE_BY_WIRING = {
    "shared.pipeline",
    "shared.board",
    "shared.ports",
    "shared.stores",
    "shared.runtime.settings",
}

Rule = Callable[[str, ast.Module], Iterator[str]]


@cache
def nodes_of(tree: ast.Module) -> list[ast.AST]:
    return list(ast.walk(tree))


def imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Every imported module and each imported name as a module, with its line."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, f"line {node.lineno}"
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            yield module, f"line {node.lineno}"
            for alias in node.names:
                yield f"{module}.{alias.name}", f"line {node.lineno}"


def is_in(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


def is_in_any(module: str, packages: set[str]) -> bool:
    return any(is_in(module, package) for package in packages)


def room_of(module: str) -> str | None:
    return next((name for name in ROOMS if is_in(module, name)), None)


def imports_point_downwards(module: str, tree: ast.Module) -> Iterator[str]:
    here = room_of(module)
    for imported, where in imports(tree):
        if imported.startswith("."):
            yield f"{where}: a relative import hides the room"
        if not is_in_any(imported, {"shared", "functions"}) or imported in {"shared", "shared.VERSION"}:
            continue
        there = room_of(imported)
        if there is None or here is None:
            yield f"{where}: {module} or {imported} is in no room"
        elif there != here and ROOMS[there].floor >= ROOMS[here].floor:
            yield f"{where}: {module} must not import {imported}, which is on no lower floor"


def what_ships_imports_nothing_else(module: str, tree: ast.Module) -> Iterator[str]:
    for imported, where in imports(tree):
        if is_in_any(imported, {"scripts", "tests", "pytest", "hypothesis", "requests_mock"}):
            yield f"{where}: {module} ships, {imported} does not"


def a_room_imports_what_its_row_says(module: str, tree: ast.Module) -> Iterator[str]:
    is_program = is_in_any(module, PROGRAMS)
    room = PROGRAM if is_program else ROOMS.get(room_of(module) or "", Room(0))
    for imported, where in imports(tree):
        top = imported.partition(".")[0]
        if top in {"functions", "_typeshed", ""} or (top == "shared" and not is_program):
            continue
        if top in IMPURE and top not in room.impure:
            yield f"{where}: {module} must not import {imported}"
        if top not in sys.stdlib_module_names and top not in room.libraries:
            yield f"{where}: {imported} is no library of this room"


def the_core_names_no_provider(module: str, tree: ast.Module) -> Iterator[str]:
    """Names, words and numbers are in its profile; docstrings may give it as an example."""
    if is_in_any(module, NAME_PROVIDERS):
        return
    spoken = {id(node.value) for node in nodes_of(tree) if isinstance(node, ast.Expr)}
    for node in nodes_of(tree):
        words = (getattr(node, word, None) for word in ("id", "name", "attr", "module", "arg"))
        name: object = next(filter(None, words), None)
        if isinstance(node, ast.Constant) and id(node) not in spoken:
            name = node.value
        if PROVIDER_NAMES.search(str(name)) and f"{module}: {name}" not in NAMED_ON_PURPOSE:
            yield f"{module}: {name}"


def only_an_edge_reads_the_clock(module: str, tree: ast.Module) -> Iterator[str]:
    room = ROOMS.get(room_of(module) or "", Room(0))
    if "time" not in room.impure:
        yield from clock_reads(tree)


def clock_reads(tree: ast.Module) -> Iterator[str]:
    for node in nodes_of(tree):
        if isinstance(node, ast.Attribute) and node.attr in CLOCK_READS:
            owner = ast.unparse(node.value)
            if owner.rpartition(".")[2] in {"datetime", "date"}:
                yield f"line {node.lineno}: {owner}.{node.attr} reads the clock"


def only_the_runtime_reads_the_environment(module: str, tree: ast.Module) -> Iterator[str]:
    if module in ENVIRONMENT_READERS:
        return
    for node in nodes_of(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {
            "os.environ",
            "os.environb",
            "os.getenv",
        }:
            yield f"line {node.lineno}: {ast.unparse(node)}"
    for imported, where in imports(tree):
        if imported in {"os.environ", "os.getenv"}:
            yield f"{where}: {imported}"


def lines_are_split_on_the_line_feed_only(_module: str, tree: ast.Module) -> Iterator[str]:
    """``splitlines()`` also splits at U+2028, U+2029 and U+0085, and loses rows."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Attribute) and node.attr in LINE_SPLITTERS:
            yield f"line {node.lineno}: {node.attr}"


def handlers_are_short(module: str, tree: ast.Module) -> Iterator[str]:
    if not (is_in(module, "functions") and module.endswith(".index")):
        return
    for node in nodes_of(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > MAX_HANDLER_LINES:
                yield f"line {node.lineno}: {node.name} has {lines} lines"


def handlers_leave_the_wiring_to_the_runtime(module: str, tree: ast.Module) -> Iterator[str]:
    """They hold no number, and make no use case, port or setting."""
    if not (is_in(module, "functions") and module.endswith(".index")):
        return
    for imported, where in imports(tree):
        if is_in_any(imported, MADE_BY_WIRING):
            yield f"{where}: {imported} is for shared.runtime.wiring"
    for node in nodes_of(tree):
        if isinstance(node, ast.Constant) and type(node.value) in {int, float}:
            yield f"line {node.lineno}: {node.value}"


CATCH_EVERYTHING = {"shared.runtime.invocation", "shared.recipes.templates.sandbox"}


def everything_is_caught_in_two_places(module: str, tree: ast.Module) -> Iterator[str]:
    for node in nodes_of(tree):
        if isinstance(node, ast.ExceptHandler) and module not in CATCH_EVERYTHING:
            caught = ast.unparse(node.type) if node.type else "everything"
            if caught in {"everything", "Exception", "BaseException"}:
                yield f"line {node.lineno}: catches {caught}"


def oss2_computes_no_checksum(_module: str, tree: ast.Module) -> Iterator[str]:
    """Its crcmod may silently be the slow one, at 12 MB/s; the adapter checks with fastcrc."""
    for node in nodes_of(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"oss2.Bucket", "Bucket"}:
            given = {word.arg: ast.unparse(word.value) for word in node.keywords}
            if given.get("enable_crc") != "False":
                yield f"line {node.lineno}: a Bucket without enable_crc=False"


# Each rule with a bad source, as which module it is checked, and a good one.
RULES: list[tuple[Rule, str, str, str]] = [
    (imports_point_downwards, "shared.bucket.x", "from shared.pipeline.y import z", "from shared.bucket import y"),
    (imports_point_downwards, "shared.recipes.x", "def f():\n    import shared.inputs", "import json"),
    (imports_point_downwards, "shared.results.x", "from shared.inputs import y", "from shared.recipes import y"),
    (imports_point_downwards, "shared.pipeline.x", "from shared import runtime", "from shared import VERSION"),
    (imports_point_downwards, "shared.providers.bailian.x", "import shared.results.y", "import shared.ports.provider"),
    (imports_point_downwards, "shared.runtime.x", "import functions.submit", "import shared.stores.oss.store"),
    (imports_point_downwards, "shared.ports.x", "import shared.helpers", "from shared.problems.exceptions import y"),
    (imports_point_downwards, "functions.x", "from . import y", "from shared.runtime import settings"),
    (a_room_imports_what_its_row_says, "shared.providers.tione.runner.x", "import pydantic", "import subprocess"),
    (a_room_imports_what_its_row_says, "shared.providers.tione.runner.x", "from shared import ports", "import http.client"),
    (what_ships_imports_nothing_else, "shared.runtime.x", "import scripts.bundle", "import json"),
    (what_ships_imports_nothing_else, "functions.x", "from tests.support import y", "from testsuite import y"),
    (a_room_imports_what_its_row_says, "shared.pipeline.x", "import oss2.models", "import shared.stores.oss"),
    (a_room_imports_what_its_row_says, "shared.stores.oss.x", "from openai import OpenAI", "import oss2.models"),
    (a_room_imports_what_its_row_says, "shared.formats.x", "import logging", "import json"),
    (a_room_imports_what_its_row_says, "shared.recipes.x", "from os import path", "import jinja2"),
    (a_room_imports_what_its_row_says, "shared.problems.x", "import pydantic", "import difflib"),
    (a_room_imports_what_its_row_says, "shared.pipeline.x", "import time", "import logging"),
    (the_core_names_no_provider, "shared.pipeline.x", "from shared.providers.bailian import wire", "from shared.ports import provider"),
    (the_core_names_no_provider, "shared.pipeline.x", "def f(dashscope_key): ...", "def f(key): ..."),
    (the_core_names_no_provider, "shared.results.x", "f(bailian=1)", "f(provider=1)"),
    (the_core_names_no_provider, "shared.pipeline.x", "'ask Bailian'.split()", "'ask it'.split()"),
    (the_core_names_no_provider, "shared.problems.x", "a = {f'{x}百炼'}", '"""As Bailian does."""'),
    (the_core_names_no_provider, "functions.x", "from a import bailian", "BAI = profile.name"),
    (the_core_names_no_provider, "functions.x", "a.dashscope_key", "a.key"),
    (the_core_names_no_provider, "shared.inputs.x", "if name == 'ark': f()", "mark = 'marks, parks'"),
    (the_core_names_no_provider, "shared.recipes.x", "a.ark_host", "a.host"),
    (the_core_names_no_provider, "functions.x", "'TI-ONE'.split()", "'station, options'"),
    (only_an_edge_reads_the_clock, "shared.inputs.x", "import datetime as d\nd.datetime.now()", "limits.now()"),
    (only_an_edge_reads_the_clock, "shared.pipeline.x", "datetime.now(timezone.utc)", "clock.now()"),
    (only_the_runtime_reads_the_environment, "functions.x", "import os\nos.environ['A']", "import os\nos.sep"),
    (only_the_runtime_reads_the_environment, "shared.stores.x", "from os import getenv", "env.get('A')"),
    (lines_are_split_on_the_line_feed_only, "scripts.x", "text.splitlines()", "text.split('\\n')"),
    (lines_are_split_on_the_line_feed_only, "shared.x", "for l in r.iter_lines(): pass", "r.iter_bytes()"),
    (handlers_are_short, "functions.x.index", "def handler():\n" + "    f()\n" * 30, "def handler():\n    f()"),
    (handlers_leave_the_wiring_to_the_runtime, "functions.x.index", "from shared.pipeline.hear import A", "import shared.events.oss"),
    (handlers_leave_the_wiring_to_the_runtime, "functions.x.index", "h = serve(app, 2 * SIZE)", "h = serve(app, SIZE)"),
    (everything_is_caught_in_two_places, "functions.x", "try: f()\nexcept Exception: g()", "try: f()\nexcept OSError: g()"),
    (everything_is_caught_in_two_places, "shared.x", "try: f()\nexcept: g()", "try: f()\nfinally: g()"),
    (oss2_computes_no_checksum, "shared.x", "oss2.Bucket(a, b, c)", "oss2.Bucket(a, b, c, enable_crc=False)"),
    (oss2_computes_no_checksum, "shared.x", "Bucket(a, enable_crc=True)", "bucket(a)"),
]  # fmt: skip


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def sources(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize(("rule", "module", "bad", "good"), RULES)
def test_each_rule_can_fail(rule: Rule, module: str, bad: str, good: str):
    assert list(rule(module, ast.parse(bad)))
    assert not list(rule(module, ast.parse(good)))


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("rule", dict.fromkeys(rule for rule, *_ in RULES), ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(rule: Rule):
    # Programs in scripts/ never ship: the only rule for them is the one by which rows get lost.
    folders = ["shared", "functions"]
    if rule is lines_are_split_on_the_line_feed_only:
        folders.append("scripts")

    findings = [
        f"{path.relative_to(ROOT)}, {finding}"
        for path in sources(*folders)
        for finding in rule(module_name(path), tree_of(path))
    ]

    assert not findings


# Runs in a fresh process: imports modules and watches what they do. An audit hook sees files and
# sockets. Reads of the environment count only in our own code: libraries may look around.
WATCH = """
import os, sys
from collections.abc import MutableMapping
from pathlib import Path

root, *modules = sys.argv[1:]
sys.path.insert(0, root)
sys.dont_write_bytecode = True
found = []

def is_urllib3_looking_for_ipv6():
    frame = sys._getframe(2)
    while frame:
        if frame.f_code.co_name == "_has_ipv6":
            return True
        frame = frame.f_back

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if writes and arguments[0] != os.devnull:
        found.append(f"opens {arguments[0]} for writing")
    elif event in {"socket.bind", "socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.mkdir", "os.remove"}:
        if not is_urllib3_looking_for_ipv6():
            found.append(event)

class Watched(MutableMapping):
    def __init__(self, inner):
        self.inner = inner
    def __getitem__(self, key):
        frame = sys._getframe(1)
        while "collections_abc" in frame.f_code.co_filename or frame.f_code.co_filename in {os.__file__, "<frozen os>"}:
            frame = frame.f_back
        if Path(frame.f_code.co_filename).is_relative_to(root) and ".venv" not in frame.f_code.co_filename:
            found.append(f"reads {key} from the environment")
        return self.inner[key]
    def __setitem__(self, key, value):
        found.append(f"sets {key} in the environment")
        self.inner[key] = value
    def __delitem__(self, key):
        del self.inner[key]
    def __iter__(self):
        return iter(self.inner)
    def __len__(self):
        return len(self.inner)

os.environ = Watched(os.environ)
sys.addaudithook(watch)
for module in modules:
    before = len(found)
    __import__(module)
    found[before:] = [f"{module}: {finding}" for finding in found[before:]]
if threads := __import__("threading").active_count() - 1:
    found.append(f"{threads} threads run")
print("\\n".join(found))
"""


def seen_while_importing(root: Path, modules: list[str]) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", WATCH, str(root), *modules],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().split("\n") if done.stdout.strip() else []


def test_importing_a_module_does_nothing():
    modules = [module_name(path) for path in sources("shared", "functions") if path.name != "__main__.py"]

    assert seen_while_importing(ROOT, modules) == []


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("open('x', 'w')", "for writing"),
        ("import socket\nsocket.socket().bind(('127.0.0.1', 0))", "socket.bind"),
        ("import os\nos.environ.get('HOME')", "reads HOME"),
        ("import os\nos.getenv('HOME')", "reads HOME"),
        ("import os\nos.environ['A'] = 'b'", "sets A"),
        (
            "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
            "1 threads run",
        ),
    ],
)
def test_the_watch_on_imports_can_fail(tmp_path: Path, source: str, finding: str):
    (tmp_path / "bad.py").write_text(source)

    (seen,) = seen_while_importing(tmp_path, ["bad"])

    assert finding in seen


def test_the_table_on_the_page_of_the_design_is_this_one() -> None:
    page = (ROOT / "shared/README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d) \| `(\w+)/` \|", page, re.MULTILINE)

    assert {f"shared.{name}": int(floor) for floor, name in rows} == {
        name: room.floor for name, room in ROOMS.items() if name != "functions"
    }
