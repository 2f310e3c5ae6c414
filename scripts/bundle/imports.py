"""Find the modules that a function imports, ours and others', by reading the source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

SHIPPED = frozenset({"functions", "shared"})
NEVER_SHIPPED = frozenset({"scripts", "tests"})


class BuildError(Exception):
    """A zip cannot be built; the message says what to change."""


@dataclass(frozen=True)
class Imports:
    """Our files, relative to the root, and the top-level names of everything that is not ours."""

    files: frozenset[Path]
    third_party: frozenset[str]


def imports_of(function: str, root: Path) -> Imports:
    """Everything that ``functions/<function>`` needs at run time, transitively.

    Imports inside functions count; those below ``if TYPE_CHECKING`` do not. A module that is
    imported by a computed name is not seen.

    Raises:
        BuildError: A module of ours does not exist, or is one that must not be shipped.
    """
    folder = root / "functions" / function
    if not (folder / "index.py").is_file():
        raise BuildError(f"functions/{function}/index.py does not exist")
    to_read = [root / "functions" / "__init__.py", *sorted(folder.rglob("*.py"))]
    files: set[Path] = set()
    third_party: set[str] = set()
    while to_read:
        path = to_read.pop()
        if path in files:
            continue
        files.add(path)
        for name in _imported_names(path, root):
            top = name.partition(".")[0]
            if top in NEVER_SHIPPED:
                raise BuildError(f"{path.relative_to(root)} imports {name}, which is not deployed")
            if top in SHIPPED:
                to_read += _files_of(name, root)
            elif top not in sys.stdlib_module_names:
                third_party.add(top)
    return Imports(frozenset(path.relative_to(root) for path in files), frozenset(third_party))


def _imported_names(path: Path, root: Path) -> Iterator[str]:
    """Absolute dotted names; for ``from a import b`` also ``a.b`` if that is a module of ours."""
    package = path.relative_to(root).parent.parts
    for node in _runtime_nodes(ast.parse(path.read_bytes(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                _require(alias.name, path, root)
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            _require(module, path, root)
            yield module
            for alias in node.names:
                name = f"{module}.{alias.name}"
                if module.partition(".")[0] in SHIPPED and _module_file(name, root):
                    yield name


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    children: list[ast.AST] = list(ast.iter_child_nodes(node))
    if isinstance(node, ast.If) and ast.unparse(node.test) in {"TYPE_CHECKING", "typing.TYPE_CHECKING"}:
        children = list(node.orelse)
    for child in children:
        yield from _runtime_nodes(child)


def _require(name: str, path: Path, root: Path) -> None:
    if name.partition(".")[0] in SHIPPED and not _module_file(name, root):
        raise BuildError(f"{path.relative_to(root)} imports {name}, which does not exist")


def _files_of(name: str, root: Path) -> list[Path]:
    """The module's file and each ``__init__.py`` above it, which Python runs first."""
    parts = name.split(".")
    paths = (_module_file(".".join(parts[: length + 1]), root) for length in range(len(parts)))
    return [path for path in paths if path is not None]


def _module_file(name: str, root: Path) -> Path | None:
    base = root.joinpath(*name.split("."))
    candidates = (base.with_name(f"{base.name}.py"), base / "__init__.py")
    return next((path for path in candidates if path.is_file()), None)
