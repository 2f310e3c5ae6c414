"""The ids by which answers find their rows: present, short enough, unique in the job."""

from __future__ import annotations

from shared.domain.problems import Problem

FIELD = "custom_id"


class CustomIds:
    """The ids of a job so far, with the lines on which they stand."""

    def __init__(self, max_chars: int) -> None:
        self._max_chars = max_chars
        # About 150 bytes an id; every id must be remembered to say which line came first.
        self._lines: dict[str, int] = {}

    def problems(self, custom_id: str, line: int) -> list[Problem]:
        """Remember the id and say what is wrong with it."""
        if not custom_id.strip():
            return [Problem("empty_custom_id", line, FIELD)]
        if len(custom_id) > self._max_chars:
            values = {"chars": len(custom_id), "max_chars": self._max_chars}
            return [Problem("custom_id_too_long", line, FIELD, custom_id, values)]
        first_line = self._lines.setdefault(custom_id, line)
        if first_line != line:
            return [Problem("duplicate_custom_id", line, FIELD, custom_id, {"first_line": first_line})]
        return []
