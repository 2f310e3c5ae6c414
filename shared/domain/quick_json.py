r"""Says of a JSON document that it is surely good, several times faster than ``StrictJson`` can.

simdjson checks UTF-8, escapes, numbers and structure of the whole document, but takes repeated keys, a BOM and a
thousand levels: those are checked here. What is not surely good is for ``StrictJson`` to judge and to word; nothing
is ever refused here. simdjson refuses some good documents too (integers that no 64 bits hold, numbers beyond
1e308): https://github.com/simdjson/simdjson/blob/master/doc/basics.md#error-handling
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from shared.domain.strict_json import MAX_DEPTH

if TYPE_CHECKING:
    from simdjson import Array, Object


_BEHIND_BRACE = b'" \t\r\n'


class QuickJson:
    """A parser for many documents, one after the other; not for use by several threads."""

    def __init__(self) -> None:
        import simdjson  # noqa: PLC0415 - only files of request lines need it

        self._parse = simdjson.Parser().parse
        self.object, self.array = simdjson.Object, simdjson.Array

    def find_object(self, content: bytes) -> Object | None:
        """The object that ``content`` is, not checked for repeated keys and depth yet; ``None`` if unsure.

        It is a view of the parser's memory: let go of it, and of all that was taken out of it, before the next.
        """
        if not content.startswith(b"{"):  # may be a BOM or a space too
            return None
        try:
            found = self._parse(content)
        except (ValueError, RuntimeError):
            return None
        return found if isinstance(found, self.object) else None

    def is_strict(self, content: bytes, document: Object, checked: int) -> bool:
        """Whether no object repeats a key and nothing is nested too deep.

        Args:
            content: The bytes that were parsed.
            document: What they are.
            checked: How many of its objects, the outermost included, the caller has found to repeat no key.
        """
        return _is_flat(content, checked) or self._is_strict(document, MAX_DEPTH)

    def _is_strict(self, node: Object | Array, depth: int) -> bool:
        """The same for any document; makes a text of every string, which takes longer than parsing."""
        if depth == 0:
            return False
        children: Iterable[object] = node
        if isinstance(node, self.object):
            keys = [*node]
            if not repeats_no_key(keys):
                return False
            children = map(node.__getitem__, keys)
        return all(
            self._is_strict(child, depth - 1)
            for child in children
            if isinstance(child, (self.object, self.array))
        )


def repeats_no_key(keys: Sequence[str]) -> bool:
    return len({*keys}) == len(keys)


def _is_flat(content: bytes, objects: int) -> bool:
    """Whether a valid document has at most so many objects with keys, and too few brackets for deep nesting.

    Texts are full of brackets too, so this may be false for a document that is flat. It never is true for one that
    is not: behind the brace of an object with keys comes a quote or a blank.
    """
    openings = 0
    at = content.find(b"{")
    while at >= 0:  # ``bytes.count`` is slower than parsing; ``find`` of a single byte is not
        objects -= content[at + 1] in _BEHIND_BRACE
        openings += 1
        if objects < 0 or openings > MAX_DEPTH:
            return False
        at = content.find(b"{", at + 1)
    at = content.find(b"[")
    while at >= 0:
        openings += 1
        if openings > MAX_DEPTH:
            return False
        at = content.find(b"[", at + 1)
    return True
