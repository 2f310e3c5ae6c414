"""Find the modules that a function imports, ours and others', by reading the source."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.util import resolve_name
from itertools import accumulate
from pathlib import Path

SHIPPED = frozenset({"functions", "shared"})


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
        BuildError: There is no such function.
    """
    folder = root / "functions" / function
    if not (folder / "index.py").is_file():
        raise BuildError(f"functions/{function}/index.py does not exist")
    to_read = {root / "functions" / "__init__.py", *folder.rglob("*.py")}
    files: set[Path] = set()
    names: set[str] = set()
    others: set[str] = set()
    while to_read:
        path = to_read.pop()
        files.add(path)
        package = ".".join(path.relative_to(root).parent.parts)
        new = _imported_by(path.read_bytes(), str(path), package) - names
        names |= new  # most are imported by many; where each lies is looked up once
        for name in new:
            top = name.partition(".")[0]
            if top in SHIPPED:
                to_read |= _files_of(name, root) - files
            else:
                others.add(top)
    ours = frozenset(path.relative_to(root) for path in files)
    return Imports(ours, frozenset(others - sys.stdlib_module_names))


@cache  # most of our modules are part of most functions
def _imported_by(source: bytes, path: str, package: str) -> frozenset[str]:
    return frozenset(_imported(ast.parse(source, path), package))


def _imported(node: ast.AST, package: str) -> Iterator[str]:
    """Absolute names of modules, and of what is taken from them, which may be modules too."""
    children = ast.iter_child_nodes(node)
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        module = resolve_name("." * node.level + (node.module or ""), package)
        yield from (f"{module}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
        children = iter(node.orelse)
    for child in children:
        yield from _imported(child, package)


def _files_of(name: str, root: Path) -> set[Path]:
    """Those of a module and of each package above it, which Python runs first."""
    places = list(accumulate(name.split("."), Path, initial=root))[1:]
    found = {file for place in places for file in (place.with_suffix(".py"), place / "__init__.py")}
    return {file for file in found if file.is_file()}
