"""The ids by which answers find their rows: present, short enough, unique in the job."""

from __future__ import annotations

from array import array

from shared.problems.problem import Problem

FIELD = "custom_id"


class CustomIds:
    """The ids of a job so far, with the lines on which they stand."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        self._lines = FirstLines()

    def problems(self, custom_id: str, line: int) -> list[Problem]:
        """Remember the id and say what is wrong with it."""
        if not custom_id or custom_id.isspace():
            return [Problem("empty_custom_id", line, FIELD)]
        if len(custom_id) > self._max_chars:
            values = {"chars": len(custom_id), "max_chars": self._max_chars}
            return [Problem("custom_id_too_long", line, FIELD, custom_id, values)]
        first_line = self._lines.first_line_of(custom_id, line)
        if first_line != line:
            return [Problem("duplicate_custom_id", line, FIELD, custom_id, {"first_line": first_line})]
        return []


class FirstLines:
    """The line on which each text was seen first, in about 30 bytes a text; a ``dict`` needs 140.

    It keeps 128 bits of each text: Python's own 64-bit hashes of two different strings (SipHash,
    with a new key for each process unless PYTHONHASHSEED is set,
    https://peps.python.org/pep-0456/). So a repeated text is always found, and the odds that any
    two of 5,000,000 different texts are taken for the same are 1 in 10^25.
    """

    def __init__(self) -> None:
        # Open addressing as in ``dict``: a slot holds the number of an entry, 0 is a free slot.
        self._slots = array("I", bytes(4 * 1024))
        self._hashes = array("q", [0])
        self._others = array("q", [0])
        self._lines = array("I", [0])

    def first_line_of(self, text: str, line: int) -> int:
        """The line on which this text was seen first: ``line`` if it is new."""
        first, slots, hashes = hash(text), self._slots, self._hashes
        mask = len(slots) - 1
        other = hash("\0" + text)
        slot = first & mask
        while entry := slots[slot]:
            if hashes[entry] == first and self._others[entry] == other:
                return self._lines[entry]
            slot = (slot + 1) & mask
        entry = slots[slot] = len(hashes)
        hashes.append(first)
        self._others.append(other)
        self._lines.append(line)
        if 3 * entry > 2 * mask:
            self._grow()
        return line

    def _grow(self) -> None:
        slots = self._slots = array("I", bytes(4)) * (2 * len(self._slots))
        mask = len(slots) - 1
        for entry, first in enumerate(self._hashes):
            slot = first & mask
            while slots[slot]:
                slot = (slot + 1) & mask
            slots[slot] = entry
