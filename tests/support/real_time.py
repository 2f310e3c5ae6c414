"""Reads what single requests came to."""

from __future__ import annotations

from collections.abc import Iterable

from shared.ports.real_time import Reply
from shared.results.columns import Answer
from shared.results.replies.result_lines import parse_result_line


def read(replies: Iterable[Reply]) -> list[Answer]:
    """Each as a line of a batch's results is read."""
    answers = [parse_result_line(reply.line) for reply in replies]
    assert None not in answers
    return [answer for answer in answers if answer]
