"""What a zip is to hold, found without building one; tests/e2e/test_build.py builds them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from scripts.build import build, main, runtimes
from scripts.bundle.imports import BuildError, imports_of
from scripts.bundle.lock import Target, distributions_of, pins_for
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


def test_the_same_sources_give_the_same_zip(tmp_path: Path) -> None:
    root = lay(tmp_path, {**TREE, "requirements.lock": LOCK})
    store = WheelStore(Target.current(), root / "requirements.lock", tmp_path / "wheels")

    first = build("other", store, root=root, out=tmp_path / "first")
    (root / "shared/domain/rows.py").touch()
    second = build("other", store, root=root, out=tmp_path / "second")

    assert first.path.read_bytes() == second.path.read_bytes()
    assert first.distributions == ()


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
