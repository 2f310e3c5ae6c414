"""What a zip is to hold, found without building one; tests/e2e/test_build.py builds them."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path, PurePosixPath
from zipfile import ZipFile

import crcmod
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oss2.utils import Crc64

from scripts.bundle.__main__ import main
from scripts.bundle.bytecode import Interpreter, find_interpreter
from scripts.bundle.contents import STAND_INS, STAND_INS_FOLDER, STAND_INS_UNLESS_OURS, place
from scripts.bundle.imports import BuildError, imports_of
from scripts.bundle.libraries import Target, _pins, libraries_for
from scripts.bundle.packing import library_zip, write_zip
from scripts.bundle.stand_ins.crcmod import Crc
from scripts.bundle.zips import ROOT, Built, _own_files, build, runtimes
from shared.providers.tione.package import runner_files

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


def test_a_function_without_a_handler_is_named(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"functions/nobody/index.py does not exist"):
        imports_of("nobody", lay(tmp_path, TREE))


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

    for python, version in (("3.10", "1.0 --hash=sha256:cc"), ("3.12", "2.0 --hash=sha256:dd")):
        assert [pin.split() for pin in _pins(Target.function_compute(python), lock)] == [
            ["both==1.0", "--hash=sha256:aa", "--hash=sha256:bb"],
            f"old=={version}".split(),
        ]


def make_wheel(folder: Path, name: str, module: str, requires: tuple[str, ...] = ()) -> str:
    """Write a wheel with one module into a folder; return its line in a lock."""
    folder.mkdir(parents=True, exist_ok=True)
    about = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
    about += "".join(f"Requires-Dist: {each}\n" for each in requires)
    files = {
        f"{module}.py": "",
        f"{module}/part.py": "",
        f"{name}-1.0.dist-info/METADATA": about,
        f"{name}-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{name}-1.0.dist-info/RECORD"] = "".join(f"{file},,\n" for file in files)
    path = folder / f"{name}-1.0-py3-none-any.whl"
    with ZipFile(path, "w") as archive:
        for file, text in files.items():
            archive.writestr(file, text)
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place from which pip gets anything."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (tmp_path / "wheels").as_uri())
    monkeypatch.delenv("PIP_CONSTRAINT", raising=False)
    return tmp_path / "wheels"


@pytest.mark.parametrize("target", [Target.function_compute("3.10"), Target.current()])
def test_what_a_module_needs_is_installed_once_and_stand_ins_take_the_place_of_the_rest(
    tmp_path: Path, wheels: Path, target: Target
) -> None:
    requires = (
        "crcmod",
        "aliyun-python-sdk-kms",
        f"Other_One; python_version == '{target.python}'",
        "never; extra == 'x'",
    )
    pins = [make_wheel(wheels, "sdk", "a_module", requires)]
    pins += [make_wheel(wheels, "other_one", "other_one"), make_wheel(wheels, "unused", "unused")]
    # crcmod is nowhere to be had: to look for it would be an error.
    lock = lay(tmp_path, {"lock": "".join([*pins, "crcmod==1.7 --hash=sha256:aa\n"])}) / "lock"

    names = libraries_for(target, lock, tmp_path / "kept").closure({"a_module"})
    for wheel in wheels.iterdir():
        wheel.unlink()
    again = libraries_for(target, lock, tmp_path / "kept")

    assert names == ["aliyun-python-sdk-kms", "crcmod", "other-one", "sdk"]
    assert again.closure({"a_module"}) == names
    assert set(again.files("sdk")) == {"a_module.py", "a_module/part.py", "sdk-1.0.dist-info/METADATA"}
    assert "crcmod/__init__.py" in again.files("crcmod")


def test_what_the_lock_does_not_pin_is_not_shipped(tmp_path: Path, wheels: Path) -> None:
    pin = make_wheel(wheels, "sdk", "sdk", ("missing",))
    lock = lay(tmp_path, {"lock": pin}) / "lock"
    libraries = libraries_for(Target.function_compute("3.10"), lock, tmp_path / "kept")

    with pytest.raises(BuildError, match=r"missing is not in requirements.lock for Python 3.10"):
        libraries.closure({"sdk"})
    with pytest.raises(BuildError, match=r"no package in requirements.lock provides flask"):
        libraries.closure({"flask"})


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("sdk==1.0\n", "Hashes are required"),
        ("sdk>=1.0 --hash=sha256:aa\n", "must have their versions pinned"),
        (f"sdk==1.0 --hash=sha256:{'0' * 64}\n", "DO NOT MATCH THE HASHES"),
    ],
)
def test_what_is_not_exactly_what_the_lock_says_is_refused(
    tmp_path: Path, wheels: Path, line: str, reason: str
) -> None:
    make_wheel(wheels, "sdk", "sdk")
    lock = lay(tmp_path, {"lock": line}) / "lock"

    with pytest.raises(BuildError, match=reason):
        libraries_for(Target.current(), lock, tmp_path / "kept")

    assert list((tmp_path / "kept").iterdir()) == []


def this_python() -> Interpreter:
    interpreter = find_interpreter(Target.current().python)
    assert interpreter
    return interpreter


def build_other(tmp_path: Path, out: str) -> Built:
    """The function ``other`` of a tree at ``tmp_path``, which needs no package."""
    return build("other", Target.current(), root=tmp_path, out=tmp_path / out, interpreter=this_python())


def test_the_same_sources_give_the_same_zip(tmp_path: Path) -> None:
    sets = "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e', 'f'}"
    lay(tmp_path, {**TREE, "shared/domain/rows.py": sets})

    first = build_other(tmp_path, "first")
    (tmp_path / "shared/domain/rows.py").touch()
    second = build_other(tmp_path, "second")

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.distributions == ()


def test_files_beside_our_modules_go_along_but_no_pages_and_none_of_other_folders(tmp_path: Path) -> None:
    beside = ("shared/domain/start.sh", "shared/domain/README.md", "shared/adapters/other.sh")
    lay(tmp_path, {**TREE, **dict.fromkeys(beside, "")})

    with ZipFile(build_other(tmp_path, "dist").path) as archive:
        names = archive.namelist()

    assert [name for name in beside if name in names] == ["shared/domain/start.sh"]


def test_what_sends_batches_holds_the_runner_whole() -> None:
    for function, is_inside in (
        ("submit", True),
        ("collect", True),
        ("reconcile", True),
        ("validate", False),
    ):
        files = _own_files(function, ROOT, imports_of(function, ROOT).files)

        for name in runner_files():
            assert (f"shared/providers/tione/runner/{name}" in files) is is_inside


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
    lay(tmp_path, {**TREE, **handler})
    with ZipFile(build_other(tmp_path, "dist").path) as archive:
        archive.extractall(tmp_path / "unpacked")
    return tmp_path / "unpacked"


def test_nothing_is_compiled_when_a_zip_is_imported(tmp_path: Path) -> None:
    folder = unpacked_other(tmp_path)

    answer = imported(folder)

    # The file's name is that of the unpacked source: a traceback can show its lines.
    assert answer.stdout.strip() == f"1 {folder / 'shared/domain/rows.py'}", answer.stderr


def test_garbage_is_collected_after_the_imports_and_not_while_they_run(tmp_path: Path) -> None:
    folder = unpacked_other(tmp_path)
    (folder / "shared/domain/rows.py").write_text("import gc\nRow = gc.isenabled()")
    code = """
import sys
sys.path.insert(0, sys.argv[1])
import gc, index, shared.domain.rows
print(shared.domain.rows.Row, gc.isenabled(), gc.get_freeze_count() > 0, index.handler.__name__)
"""
    command = [sys.executable, "-I", "-S", "-B", "-c", code, str(folder)]

    answer = subprocess.run(command, capture_output=True, text=True, check=False)

    assert answer.stdout.split() == ["False", "True", "True", "handler"], answer.stderr


def test_a_module_of_ours_that_is_changed_after_the_build_is_run_as_changed(tmp_path: Path) -> None:
    folder = unpacked_other(tmp_path)
    (folder / "shared/domain/rows.py").write_text("Row = 2")

    assert "compiled while imported" in imported(folder).stderr


def test_a_library_is_compiled_and_deflated_once_and_again_for_other_sources(tmp_path: Path) -> None:
    first = library_zip({"a/b.py": b"x = 1"}, this_python(), tmp_path)
    first.write_bytes(first.read_bytes() + b"made once")
    again = library_zip({"a/b.py": b"x = 1"}, this_python(), tmp_path)
    other = library_zip({"a/b.py": b"x = 2"}, this_python(), tmp_path)
    older = library_zip({"a/b.py": b"x = 1"}, None, tmp_path)

    assert again.read_bytes().endswith(b"made once")
    assert set(tmp_path.iterdir()) == {first, other, older}
    assert ZipFile(other).namelist() == [
        f"a/__pycache__/b.{sys.implementation.cache_tag}.pyc",
        "a/b.py",
    ]
    assert ZipFile(older).namelist() == ["a/b.py"]


def test_a_copied_library_gives_the_bytes_that_its_files_give(tmp_path: Path) -> None:
    library = {"b/data.bin": bytes(range(256)) * 999, "b/é.so": b"", "b.py": b"x = 1\n" * 999}
    own = {"a.py": b"import b", "c.py": b""}
    write_zip(tmp_path / "library", library)

    unpacked_bytes = write_zip(tmp_path / "copied", own, [tmp_path / "library"])
    assert write_zip(tmp_path / "written", {**own, **library}) == unpacked_bytes

    assert (tmp_path / "copied").read_bytes() == (tmp_path / "written").read_bytes()
    assert ZipFile(tmp_path / "copied").testzip() is None


def test_two_packages_may_hold_the_same_file_but_no_different_ones(tmp_path: Path) -> None:
    for name, content in (("one", b"1"), ("same", b"1"), ("other", b"2")):
        write_zip(tmp_path / name, {"shared_name/LICENSE": content})

    write_zip(tmp_path / "zip", {}, [tmp_path / "one", tmp_path / "same"])

    with pytest.raises(BuildError, match="two packages have a different shared_name/LICENSE"):
        write_zip(tmp_path / "zip", {}, [tmp_path / "one", tmp_path / "other"])


def test_a_librarys_source_is_not_read_again_when_it_is_imported() -> None:
    (ours,) = this_python().compile_ours({"a.py": b"x = 1", "data.txt": b"text"}).values()
    (library,) = this_python().compile_library({"a.py": b"x = 1"}).values()

    # https://peps.python.org/pep-0552/: bit 0 is "by hash", bit 1 is "compare with the source".
    assert (ours[4], library[4]) == (0b11, 0b01)


def test_what_is_no_python_for_the_target_stays_source_only() -> None:
    sources = {"old.py": b"print 'hello'", "template.py": b"{{ name }} = ", "good.py": b""}

    compiled = this_python().compile_library(sources)

    assert list(compiled) == [f"__pycache__/good.{sys.implementation.cache_tag}.pyc"]


def test_finds_the_python_that_runs_now_and_none_that_there_is_not() -> None:
    found = find_interpreter(Target.current().python)

    assert found
    assert (found.path, found.version) == (sys.executable, sys.version.partition(" ")[0])
    assert find_interpreter("3.99") is None


def make_program(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_a_launcher_is_asked_for_the_python_that_it_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = make_program(tmp_path / "real" / "python", f"echo CPython 3.99.1 {tmp_path}/real/python")
    # As pyenv's: it runs only where a version is switched on.
    make_program(tmp_path / "bin" / "python3.99", f'[ "$SWITCHED_ON" ] || exit 127\nexec {real}')
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))

    assert find_interpreter("3.99") is None
    monkeypatch.setenv("SWITCHED_ON", "1")
    assert find_interpreter("3.99") == Interpreter(str(real), "3.99.1")


@pytest.mark.parametrize(
    "text", ["exit 127", "echo not switched on", '[ "$SWITCHED_ON" ] && echo CPython 3.99.1 "$0"']
)
def test_a_launcher_that_starts_no_python_is_passed_over_for_one_of_pyenvs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    make_program(tmp_path / "bin" / "python3.99", text)
    kept = tmp_path / "versions" / "3.99.2" / "bin" / "python3.99"
    kept.parent.mkdir(parents=True)
    make_program(kept, f"echo CPython 3.99.2 {kept}")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("SWITCHED_ON", "1")

    assert find_interpreter("3.99") == Interpreter(str(kept), "3.99.2")


def test_a_python_that_cannot_compile_says_why(tmp_path: Path) -> None:
    broken = make_program(tmp_path / "python3.99", "echo switched off >&2; exit 127")

    with pytest.raises(BuildError, match=r"python3.99 does not compile:\nswitched off"):
        Interpreter(str(broken), "3.99.1").compile_ours({"a.py": b""})


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


def test_with_the_stand_in_for_pycryptodome_oss2_says_so_where_it_is_to_encrypt() -> None:
    code = "import oss2; from oss2.utils import AESCTRCipher; AESCTRCipher().get_key()"
    environment = {**os.environ, "PYTHONPATH": str(STAND_INS_FOLDER)}

    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment
    )

    assert "NotImplementedError: new: client-side encryption is not part of this" in done.stderr


@pytest.mark.parametrize(
    ("distribution", "module"),
    [
        ("cos-python-sdk-v5", "qcloud_cos"),
        ("tencentcloud-sdk-python-common", "tencentcloud.common.common_client"),
        ("openai", "openai.resources.files, openai.resources.batches, openai.resources.chat"),
    ],
)
def test_nothing_that_a_zip_holds_of_an_sdk_imports_what_is_left_out(distribution: str, module: str) -> None:
    paths = metadata.files(distribution) or []
    modules = [path for path in paths if path.suffix == ".py"]
    left_out = [".".join(path.with_suffix("").parts) for path in modules if place(distribution, path) is None]
    missing = f"import sys; sys.modules.update(dict.fromkeys({left_out}))"

    done = subprocess.run([sys.executable, "-c", f"{missing}; import {module}"], check=False)

    assert left_out
    assert done.returncode == 0


def test_every_stand_in_is_named_as_what_it_stands_in_for() -> None:
    providers = metadata.packages_distributions()

    for distribution, package in {**STAND_INS, **STAND_INS_UNLESS_OURS}.items():
        assert providers[package] == [distribution]


@pytest.mark.parametrize(
    ("path", "is_kept"),
    [
        ("pyarrow/lib.cpython-310-x86_64-linux-gnu.so", True),
        ("pyarrow/libarrow_python.so.2600", True),
        ("pyarrow/orc.py", True),
        ("pyarrow/parquet/core.py", True),
        ("pyarrow/parquet/encryption.py", False),
        ("pyarrow/libarrow_dataset.so.2600", False),
        ("pyarrow-1.0.dist-info/METADATA", True),
        ("pyarrow-1.0.dist-info/licenses/LICENSE.txt", True),
        ("pyarrow-1.0.dist-info/RECORD", False),
        ("pyarrow/libarrow_flight.so.2600", False),
        ("pyarrow/include/a/b.h", False),
        ("pyarrow/libarrow_python.so.2600.1.0", False),
        ("pyarrow/lib.pyi", False),
        ("pyarrow/tests/test_a.py", False),
    ],
)
def test_parts_of_a_package_that_nothing_runs_are_left_out(path: str, is_kept: bool) -> None:
    assert place("pyarrow", PurePosixPath(path)) == (path if is_kept else None)


def test_a_zip_that_is_too_large_is_not_left_behind(tmp_path: Path) -> None:
    lay(tmp_path, TREE)

    with pytest.raises(BuildError, match=r"other.zip has 0.0 MB; 0.0 MB are allowed"):
        build("other", Target.current(), root=tmp_path, out=tmp_path / "dist", max_zip_bytes=100)

    assert list((tmp_path / "dist").iterdir()) == []


def test_a_build_without_the_targets_python_says_what_it_costs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    template = "Resources: {W: {Type: 'ALIYUN::FC3::Function', Properties: {Runtime: python3.99, Code: {OssObjectName: a/other.zip}}}}"
    root = lay(tmp_path, {**TREE, "template.yaml": template})

    assert main([], root) == 0

    told = capsys.readouterr()
    assert told.out.split("\n")[1].split() == ["other", "0.0", "MB", "0.0", "MB", "none"]
    assert told.out.endswith(f"\nzips: {root / 'dist'}\n")
    assert told.err.startswith("warning: no python3.99 runs here, so the zips hold no bytecode")


def test_the_command_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    template = "Resources: {W: {Type: 'ALIYUN::FC3::Function', Properties: {Runtime: python3.10, Code: {OssObjectName: a/work.zip}}}}"
    root = lay(tmp_path, {"template.yaml": template})

    assert main(["play"], root) == 1
    assert main([], root) == 1
    assert capsys.readouterr().err == (
        "error: the template has no function play; it has work\nerror: functions/work/index.py does not exist\n"
    )


def test_the_template_names_each_runtime() -> None:
    root = Path(__file__).parents[3]

    assert runtimes(root / "template.yaml") == dict.fromkeys(
        ["validate", "submit", "callback", "message", "collect", "reconcile", "notify", "page"], "3.10"
    )
