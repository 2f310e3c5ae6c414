"""What a zip is to hold, found without building one; tests/e2e/test_build.py builds them."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import crcmod
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oss2.utils import Crc64

from scripts.build import Built, build, main, runtimes
from scripts.bundle.bytecode import Compiler, compiler_for
from scripts.bundle.contents import LEFT_OUT, STAND_INS, wheel_files
from scripts.bundle.imports import BuildError, imports_of
from scripts.bundle.interpreter import find_interpreter
from scripts.bundle.lock import Target, distributions_of, pins_for
from scripts.bundle.stand_ins.crcmod import Crc
from scripts.bundle.wheels import WheelStore

TREE = {
    "functions/__init__.py": "",
    "functions/work/__init__.py": "",
    "functions/work/index.py": """
from __future__ import annotations
import json
from typing import TYPE_CHECKING
from shared import sizes
from shared.domain.rows import Row
from .app import create_app
if TYPE_CHECKING:
    import openai
    from shared import unused
def handler(event, context):
    from shared.adapters import store
    return store
""",
    "functions/work/app.py": "import flask\nfrom ..work import index as again",
    "functions/work/page.txt": "hello",
    "functions/other/__init__.py": "",
    "functions/other/index.py": "import shared.domain.rows",
    "shared/__init__.py": "",
    "shared/sizes.py": "from shared.domain import rows, MISSING",
    "shared/unused.py": "import yaml",
    "shared/domain/__init__.py": "MISSING = 1",
    "shared/domain/rows.py": "Row = 1",
    "shared/adapters/__init__.py": "",
    "shared/adapters/store.py": "import oss2.exceptions, pydantic",
}


def lay(root: Path, files: Mapping[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_follows_imports_at_run_time_wherever_they_stand(tmp_path: Path) -> None:
    imports = imports_of("work", lay(tmp_path, TREE))

    assert {path.as_posix() for path in imports.files} == {
        "functions/__init__.py",
        "functions/work/__init__.py",
        "functions/work/index.py",
        "functions/work/app.py",
        "shared/__init__.py",
        "shared/sizes.py",
        "shared/domain/__init__.py",
        "shared/domain/rows.py",
        "shared/adapters/__init__.py",
        "shared/adapters/store.py",
    }
    assert imports.third_party == {"flask", "oss2", "pydantic"}


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("import shared.nothing", "work/index.py imports shared.nothing, which does not exist"),
        ("from shared.nothing import x", "work/index.py imports shared.nothing, which does not exist"),
        (
            "from . import nothing\nfrom .nowhere import x",
            "imports functions.work.nowhere, which does not exist",
        ),
        ("from scripts import build", "work/index.py imports scripts, which is not deployed"),
    ],
)
def test_an_import_that_cannot_work_is_named(tmp_path: Path, source: str, message: str) -> None:
    root = lay(tmp_path, {**TREE, "functions/work/index.py": source})

    with pytest.raises(BuildError, match=message):
        imports_of("work", root)


def test_a_function_without_a_handler_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"functions/nobody/index.py does not exist"):
        imports_of("nobody", lay(tmp_path, TREE))


def test_finds_the_distribution_behind_a_module() -> None:
    assert distributions_of(frozenset({"yaml", "oss2", "jinja2"})) == {"pyyaml", "oss2", "jinja2"}
    with pytest.raises(BuildError, match="no installed package provides nothing_like_it"):
        distributions_of(frozenset({"nothing_like_it"}))


LOCK = """\
# made by hand
both==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:bb
    # via batchdrop (pyproject.toml)
old==1.0 ; python_full_version < '3.11' \\
    --hash=sha256:cc
old==2.0 ; python_full_version >= '3.11' \\
    --hash=sha256:dd
windows==1.0 ; sys_platform == 'win32' \\
    --hash=sha256:ee
"""


def test_the_lock_is_read_for_the_target_not_for_this_python(tmp_path: Path) -> None:
    lock = lay(tmp_path, {"requirements.lock": LOCK}) / "requirements.lock"

    for python, version in (("3.10", "1.0"), ("3.12", "2.0")):
        pins = pins_for(Target.function_compute(python), lock)
        assert {name: pin.version for name, pin in pins.items()} == {"both": "1.0", "old": version}
        assert str(pins["both"]) == "both==1.0 --hash=sha256:aa --hash=sha256:bb"


def test_a_pin_without_a_hash_is_refused(tmp_path: Path) -> None:
    lock = lay(tmp_path, {"requirements.lock": "loose==1.0\n"}) / "requirements.lock"

    with pytest.raises(BuildError, match=r"loose==1.0 pins no single version with hashes"):
        pins_for(Target.current(), lock)


def test_what_the_lock_does_not_pin_is_not_shipped(tmp_path: Path) -> None:
    lock = lay(tmp_path, {"requirements.lock": LOCK}) / "requirements.lock"

    with pytest.raises(BuildError, match=r"flask is not in requirements.lock for Python 3.10"):
        WheelStore(Target.function_compute("3.10"), lock, tmp_path / "wheels").closure({"flask"})


def compiler_here(tmp_path: Path) -> Compiler:
    compiler = compiler_for(Target.current(), tmp_path / "bytecode")
    assert compiler
    return compiler


def build_other(tmp_path: Path, out: str, compiler: Compiler | None = None) -> Built:
    """The function ``other`` of a tree at ``tmp_path``, which needs no package."""
    store = WheelStore(Target.current(), tmp_path / "requirements.lock", tmp_path / "wheels")
    return build("other", store, root=tmp_path, out=tmp_path / out, compiler=compiler)


def test_the_same_sources_give_the_same_zip(tmp_path: Path) -> None:
    sets = "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e', 'f'}"
    lay(tmp_path, {**TREE, "requirements.lock": LOCK, "shared/domain/rows.py": sets})

    first = build_other(tmp_path, "first", compiler_here(tmp_path))
    (tmp_path / "shared/domain/rows.py").touch()
    second = build_other(tmp_path, "second", compiler_here(tmp_path))

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.distributions == ()


# Fails where a module is compiled while it is imported.
IMPORT_COMPILED = """
import importlib.machinery, sys
def compiles(*arguments, **named):
    raise AssertionError("compiled while imported")
importlib.machinery.SourceFileLoader.source_to_code = compiles
sys.path.insert(0, sys.argv[1])
import index
import shared.domain.rows
print(shared.domain.rows.Row, shared.domain.rows.__file__)
"""


def imported(folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-S", "-B", "-c", IMPORT_COMPILED, str(folder)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def unpacked_other(tmp_path: Path) -> Path:
    handler = {"functions/other/index.py": "import shared.domain.rows\ndef handler(): ..."}
    lay(tmp_path, {**TREE, "requirements.lock": LOCK, **handler})
    with ZipFile(build_other(tmp_path, "dist", compiler_here(tmp_path)).path) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def test_nothing_is_compiled_when_a_zip_is_imported(tmp_path: Path) -> None:
    folder = unpacked_other(tmp_path)

    answer = imported(folder)

    # The file's name is that of the unpacked source: a traceback can show its lines.
    assert answer.stdout.strip() == f"1 {folder / 'shared/domain/rows.py'}", answer.stderr


def test_a_module_of_ours_that_is_changed_after_the_build_is_run_as_changed(tmp_path: Path) -> None:
    folder = unpacked_other(tmp_path)
    (folder / "shared/domain/rows.py").write_text("Row = 2")

    assert "compiled while imported" in imported(folder).stderr


def test_a_librarys_bytecode_is_kept_for_the_next_build_and_made_anew_for_other_sources(
    tmp_path: Path,
) -> None:
    compiler = compiler_here(tmp_path)

    first = compiler.of_library({"a/b.py": b"x = 1", "a/data.txt": b"text"})
    (kept,) = (tmp_path / "bytecode").iterdir()
    again = Compiler(compiler.interpreter, kept.parent).of_library({"a/b.py": b"x = 1"})
    other = compiler.of_library({"a/b.py": b"x = 2"})

    assert list(first) == [f"a/__pycache__/b.{sys.implementation.cache_tag}.pyc"]
    assert again == first != other
    assert len(list(kept.parent.iterdir())) == 2


def test_a_librarys_source_is_not_read_again_when_it_is_imported(tmp_path: Path) -> None:
    (ours,) = compiler_here(tmp_path).of_ours({"a.py": b"x = 1"}).values()
    (library,) = compiler_here(tmp_path).of_library({"a.py": b"x = 1"}).values()

    # https://peps.python.org/pep-0552/: bit 0 is "by hash", bit 1 is "compare with the source".
    assert (ours[4], library[4]) == (0b11, 0b01)


def test_what_is_no_python_for_the_target_stays_source_only(tmp_path: Path) -> None:
    sources = {"old.py": b"print 'hello'", "template.py": b"{{ name }} = ", "good.py": b""}

    compiled = compiler_here(tmp_path).of_library(sources)

    assert list(compiled) == [f"__pycache__/good.{sys.implementation.cache_tag}.pyc"]


def test_finds_the_python_that_runs_now_and_none_that_there_is_not() -> None:
    found = find_interpreter(Target.current().python)

    assert found
    assert (found.path, found.version) == (sys.executable, sys.version.partition(" ")[0])
    assert find_interpreter("3.99") is None


@given(st.lists(st.binary(max_size=300)))
def test_the_stand_in_for_crcmod_computes_what_oss2_asks_crcmod_for(chunks: list[bytes]) -> None:
    real, ours = Crc64(), Crc(Crc64._POLY, initCrc=0, rev=True, xorOut=Crc64._XOROUT)
    assert isinstance(real.crc64, crcmod.Crc)

    for chunk in chunks:
        real.update(chunk)
        ours.update(chunk)

    assert ours.crcValue == real.crc


def test_the_stand_in_for_crcmod_refuses_every_other_checksum() -> None:
    with pytest.raises(NotImplementedError, match="only OSS's CRC64"):
        Crc(0x104C11DB7, initCrc=0, rev=True, xorOut=0xFFFFFFFF)


def make_wheel(folder: Path, name: str, files: Mapping[str, str], requires: tuple[str, ...] = ()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    metadata = "".join(f"Requires-Dist: {each}\n" for each in requires)
    with ZipFile(path, "w") as archive:
        for file, text in {**files, f"{name}-1.0.dist-info/METADATA": metadata}.items():
            archive.writestr(file, text)
    return path


def test_a_stand_in_takes_the_place_of_a_package_and_of_what_only_that_requires(tmp_path: Path) -> None:
    lock = "".join(f"{name}==1.0 --hash=sha256:{name}\n" for name in ("sdk", "fastcrc"))
    store = WheelStore(Target.current(), lay(tmp_path, {"lock": lock}) / "lock", tmp_path / "wheels")
    kept = {pin.name: store._folder(pin) for pin in pins_for(Target.current(), tmp_path / "lock").values()}
    make_wheel(kept["sdk"], "sdk", {"sdk.py": ""}, ("crcmod", "aliyun-python-sdk-kms"))
    make_wheel(kept["fastcrc"], "fastcrc", {"fastcrc.py": ""})

    wheels = store.closure({"sdk"})

    # Neither crcmod nor the SDK is in the lock here: to look for them would be an error.
    assert set(wheels) == {"sdk", "fastcrc"}
    assert store.stand_ins(wheels) == ["aliyun-python-sdk-kms", "crcmod"]


def test_every_stand_in_is_named_as_what_it_stands_in_for() -> None:
    for distribution, stand_in in STAND_INS.items():
        assert distributions_of(frozenset({stand_in.package})) == {distribution}


def test_parts_of_a_wheel_that_nothing_runs_are_left_out(tmp_path: Path) -> None:
    kept = (
        "pyarrow/lib.cpython-310-x86_64-linux-gnu.so",
        "pyarrow/libarrow_python.so.2600",
        "pyarrow/orc.py",
    )
    omitted = ("pyarrow/libarrow_flight.so.2600", "pyarrow/include/a/b.h", "pyarrow/libarrow_python.so.2600.1.0",
               "pyarrow/lib.pyi", "pyarrow/tests/test_a.py")  # fmt: skip
    wheel = make_wheel(tmp_path, "pyarrow", dict.fromkeys((*kept, *omitted), ""))

    assert set(wheel_files("pyarrow", wheel)) == {*kept, "pyarrow-1.0.dist-info/METADATA"}
    assert "pyarrow" in LEFT_OUT


def test_a_zip_that_is_too_large_is_not_left_behind(tmp_path: Path) -> None:
    lay(tmp_path, {**TREE, "requirements.lock": LOCK})
    store = WheelStore(Target.current(), tmp_path / "requirements.lock", tmp_path / "wheels")

    with pytest.raises(BuildError, match=r"other.zip has 0.0 MB; 0.0 MB are allowed"):
        build("other", store, root=tmp_path, out=tmp_path / "dist", max_zip_bytes=100)

    assert list((tmp_path / "dist").iterdir()) == []


def test_a_build_without_the_targets_python_says_what_it_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = "Resources: {W: {Type: 'ALIYUN::FC3::Function', Properties: {Runtime: python3.99, Code: {OssObjectName: a/other.zip}}}}"
    root = lay(tmp_path, {**TREE, "template.yaml": template, "requirements.lock": LOCK})

    assert main([], root) == 0

    told = capsys.readouterr()
    assert told.out.split("\n")[1].split() == ["other", "0.0", "MB", "0.0", "MB", "none"]
    assert told.err.startswith("warning: no python3.99 runs here, so the zips hold no bytecode")


def test_the_command_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = "Resources: {W: {Type: 'ALIYUN::FC3::Function', Properties: {Runtime: python3.10, Code: {OssObjectName: a/work.zip}}}}"
    root = lay(tmp_path, {"template.yaml": template, "requirements.lock": LOCK})

    assert main(["play"], root) == 1
    assert main([], root) == 1
    assert capsys.readouterr().err == (
        "error: the template has no function play; it has work\nerror: functions/work/index.py does not exist\n"
    )


def test_the_template_names_each_runtime() -> None:
    root = Path(__file__).parent.parent.parent

    assert runtimes(root / "template.yaml") == dict.fromkeys(
        ["validate", "submit", "callback", "message", "collect", "reconcile"], "3.10"
    )
