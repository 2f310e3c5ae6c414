"""Tells which JSON documents are surely valid, several times faster than ``StrictJson``.

simdjson checks UTF-8, escapes, numbers and structure of the whole document. It accepts repeated
keys, a BOM and a thousand levels, so those are checked here. Nothing is refused here: what is not
surely valid is left to ``StrictJson``, which words the problem. simdjson refuses some valid
documents, too (integers beyond 64 bits, numbers beyond 1e308):
https://github.com/simdjson/simdjson/blob/master/doc/basics.md#error-handling
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from shared.formats.json.policies import MAX_DEPTH

if TYPE_CHECKING:
    from simdjson import Array, Object


class QuickJson:
    """A parser for many documents, one after the other; not for use by several threads."""

    def __init__(self) -> None:
        import simdjson  # noqa: PLC0415 - only files of request lines need it

        self._parse = simdjson.Parser().parse
        self.object, self.array = simdjson.Object, simdjson.Array

    def find_object(self, content: bytes) -> Object | None:
        """The object in ``content``, unchecked for repeated keys and depth; ``None`` if unsure.

        It is a view of the parser's memory: drop it, and all taken from it, before the next call.
        """
        if not content.startswith(b"{"):  # may be a BOM or a space too
            return None
        try:
            found = self._parse(content)
        except (ValueError, RuntimeError):
            return None
        return found if isinstance(found, self.object) else None

    def is_one_text(self, content: bytes | memoryview) -> bool:
        """Whether it is one JSON string and nothing else; it must begin and end with a quote."""
        try:
            # In an array, so that no ``str`` is made of it.
            found = self._parse(b"".join((b"[", content, b"]")))
        except (ValueError, RuntimeError):
            return False
        return isinstance(found, self.array) and len(found) == 1

    def is_strict(self, node: Object | Array, depth: int = MAX_DEPTH) -> bool:
        """Whether no object in it repeats a key and nothing is nested deeper.

        It makes a ``str`` of every string on its way, which takes longer than parsing them.
        """
        if depth == 0:
            return False
        children: Iterable[object] = node
        if isinstance(node, self.object):
            keys = [*node]
            if len({*keys}) < len(keys):
                return False
            children = map(node.__getitem__, keys)
        containers = (self.object, self.array)
        return all(self.is_strict(child, depth - 1) for child in children if isinstance(child, containers))
