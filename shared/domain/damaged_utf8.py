"""Tells UTF-8 with a few wrong bytes from GB18030, which nearly any bytes can be read as."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.lines import split_lines


def is_mostly_utf8(chunks: Iterable[bytes], max_line_bytes: int) -> bool:
    """Whether more of the lines that are not plain ASCII are UTF-8 than are not.

    A line of GB18030 is UTF-8 only by chance, and a word or two at most; a file of which most lines are is a
    damaged one, and reading it as GB18030 would send, and pay for, garbled prompts.
    """
    right = wrong = 0
    for line in split_lines(chunks, max_line_bytes):
        if line.content is None or line.content.isascii():
            continue
        try:
            line.content.decode()
        except UnicodeDecodeError:
            wrong += 1
        else:
            right += 1
    return right > wrong
