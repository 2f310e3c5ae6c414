"""Which columns a template uses, and which of a header's columns each of its names means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from jinja2 import meta, nodes

from shared.formats.visible_text import folded, visible
from shared.problems.problem import nearest
from shared.recipes.templates.sandbox import parsed

ROW = "row"
_COMPARED_CHARS = 100
_NEAR = 0.5  # how much two names have in common if one is a slip for the other

# Jinja2 gives these names its own meaning.
SPECIAL_NAMES = frozenset({"self", "super", "caller", "loop", "varargs", "kwargs", "context", "environment"})
_KEYWORDS = frozenset(
    ("and", "else", "false", "False", "if", "in", "is", "none", "None", "not", "or", "true", "True", ROW)
)


# From the most exact way to compare names on; the first that finds a column decides.
_WAYS: tuple[Callable[[str], str], ...] = (str.strip, visible, folded)


class ColumnNames:
    """A header's columns, found by the names that templates use.

    Attributes:
        columns: As the header has them.
        known: As people see them, without those that have no name.
        places: Of each name without the spaces around it; the first column of a name has it.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        named = [(place, column) for place, column in enumerate(columns) if visible(column)]
        self.columns = columns
        self.known = [visible(column) for _, column in named]
        self.places: dict[str, int] = {}
        for place, column in named:
            self.places.setdefault(column.strip(), place)
        self._found: list[dict[str, list[int]]] = [{} for _ in _WAYS]
        for found, way in zip(self._found, _WAYS, strict=True):
            for place, column in named:
                found.setdefault(way(column), []).append(place)

    def find(self, name: str) -> Sequence[int]:
        """The places of the columns that the name may mean; good is exactly one."""
        for found, way in zip(self._found, _WAYS, strict=True):
            if places := found.get(way(name)):
                return places
        return ()


def near_column(name: str, known: Sequence[str]) -> str:
    """The column that somebody probably meant; ``""`` if none has much in common with the name."""
    wanted = folded(name[:_COMPARED_CHARS])
    return nearest(name, [each for each in known if _is_near(wanted, folded(each[:_COMPARED_CHARS]))])


def _is_near(name: str, other: str) -> bool:
    shorter, longer = sorted((name, other), key=len)
    is_telling = len(shorter) > 1 or not shorter.isascii()  # a letter is in most words
    is_part = bool(shorter) and is_telling and shorter in longer
    return is_part or SequenceMatcher(None, name, other).ratio() >= _NEAR


def expression_for(name: str) -> str:
    """How a template gets the column of this name."""
    name = visible(name)
    if name.isidentifier() and name not in _KEYWORDS | SPECIAL_NAMES:
        return f"{{{{ {name} }}}}"
    quoted = (
        f"'{name}'" if '"' in name and not {"'", "\\"} & set(name) else json.dumps(name, ensure_ascii=False)
    )
    return f"{{{{ {ROW}[{quoted}] }}}}"


def used_columns(source: str) -> set[str]:
    """The names of columns that stand in the template, also where it only asks about them."""
    return {name for node in _nodes_of(source) if (name := column_of(node)) is not None}


def handled_columns(tree: nodes.Template) -> set[str]:
    """The columns about which the template asks, so that it knows what to do if one is empty."""
    asked: list[nodes.Node] = [node.test for node in tree.find_all(nodes.If)]
    asked += [node.test for node in tree.find_all(nodes.CondExpr)]
    asked += [node.left for node in tree.find_all(nodes.Or)]
    asked += [node for node in tree.find_all(nodes.Filter) if node.name in {"default", "d"}]
    return {
        name
        for node in asked
        for each in (node, *node.find_all((nodes.Name, nodes.Getitem, nodes.Getattr)))
        if (name := column_of(each)) is not None
    }


def is_about_rows(source: str) -> bool:
    """Whether what the template makes can differ from row to row."""
    return bool(_variables(source))


def column_of(node: nodes.Node) -> str | None:
    """The column that ``name``, ``row.name`` or ``row["name"]`` stands for."""
    if isinstance(node, nodes.Name):
        return None if node.name == ROW else node.name
    if not isinstance(node, nodes.Getitem | nodes.Getattr) or not _is_row(node.node):
        return None
    if isinstance(node, nodes.Getattr):
        return None if hasattr(dict, node.attr) else node.attr
    return node.arg.value if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str) else None


@lru_cache(maxsize=16)  # as of what is parsed
def _variables(source: str) -> frozenset[str]:
    return frozenset(meta.find_undeclared_variables(parsed(source)))


def _nodes_of(source: str) -> Iterator[nodes.Node]:
    yield from (nodes.Name(name, "load") for name in _variables(source))
    if ROW in _variables(source):
        yield from parsed(source).find_all((nodes.Getitem, nodes.Getattr))


def _is_row(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Name) and node.name == ROW
