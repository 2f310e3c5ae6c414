"""Recognises request lines that differ only in an id and a text, as in most files."""

from __future__ import annotations

import re
from typing import NamedTuple

_ID = re.compile(rb'"custom_id": ?"')
# The last text of a chat, or the one to embed; its value may vary freely.
_TEXT = re.compile(rb'"(?:content|input)": ?"')
_WITHIN = re.compile(rb'(?:[^"\\]|\\.)*')


class LineShape(NamedTuple):
    """A line's bytes before the id, between id and text, and after the text; with all quotes."""

    head: bytes
    middle: bytes
    tail: bytes

    def with_id(self, custom_id: bytes) -> bytes:
        """A line of this shape with this id, which is its text, too.

        Suppose this line is a good request, and so is the line that gave the shape, with another
        id. Then every line of the shape is good: id and text are values, and nothing else depends
        on them.
        """
        return custom_id.join(self)

    def find_parts(self, line: bytes) -> tuple[bytes, memoryview] | None:
        """The bytes of the id, which has no escape, and of the text in its quotes.

        The text may hold anything. It is not copied: a line may have megabytes.
        """
        head, middle, tail = self
        if not (line.startswith(head) and line.endswith(tail)):
            return None
        end = line.find(b'"', len(head))
        start = end + len(middle) - 1
        stop = len(line) - len(tail) + 1
        # An empty text may be refused: there is nothing to embed.
        if not line.startswith(middle, end) or stop - start < 3:
            return None
        custom_id = line[len(head) : end]
        return None if b"\\" in custom_id else (custom_id, memoryview(line)[start:stop])


def find_shape(line: bytes) -> LineShape | None:
    """The shape of a good line, to be proven with another id; ``None`` if it has none."""
    found = _ID.search(line)
    if found is None:
        return None
    id_start, id_end = found.end(), line.find(b'"', found.end())
    texts = list(_TEXT.finditer(line, id_end))
    if not texts:
        return None
    text_start = texts[-1].end()
    within = _WITHIN.match(line, text_start)
    text_end = within.end() if within else text_start
    return LineShape(line[:id_start], line[id_end:text_start], line[text_end:])
