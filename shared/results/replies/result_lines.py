"""What one line of a provider's result file says about one row."""

from __future__ import annotations

import re
from collections.abc import Iterator

import orjson

from shared.formats.json.compact import compact_json
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.results.columns import Answer, RowStatus
from shared.results.replies.careful import read_carefully
from shared.results.replies.forms.parts import AROUND
from shared.results.replies.quick import chat_answer, refusal, vector_answer
from shared.results.replies.sent_again import OWN_CODES
from shared.results.spool.row_ids import RowIds


def parse_result_line(line: bytes) -> Answer | None:
    """Read one result line, or ``None`` if it cannot be read (no JSON object, no ``custom_id``).

    A row is answered if there is an answer, and no error. Both documented error shapes are read,
    ``error.code`` beside a null response and an error inside the response's body
    (https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai), and those of
    gateways.
    """
    try:
        return _read_quickly(line) or read_carefully(line)
    except _ODD:  # one reply must not stop all others; what cannot be read is kept
        return None


_ODD = (ValueError, AttributeError, LookupError, TypeError, RecursionError)
_AROUND = AROUND.encode()


def says_nothing(line: bytes) -> bool:
    """Whether it is blank, or only begins or ends an array."""
    return not line.strip(_AROUND)


def is_object(line: bytes) -> bool:
    """Whether it is one JSON object, whatever that says."""
    try:
        return isinstance(orjson.loads(line), dict)
    except ValueError:
        return False


def _read_quickly(line: bytes) -> Answer | None:
    try:
        document = orjson.loads(line)
        if document["error"] is not None:
            return refusal(document)
        if "choices" in document["response"]["body"]:
            return chat_answer(document)
        return vector_answer(line, document)
    except _ODD:
        return None


def kept_unreadable(lines: bytes, asked: RowIds) -> Iterator[Answer]:
    """What lines that cannot be read leave to the rows that they name, which may be paid for.

    Each row keeps the text from its id to that of the next one, so nothing is kept twice.
    """
    found: dict[str, int] = {}
    for match in _CUSTOM_ID.finditer(lines):
        custom_id = _unescaped(match["text"] or match["number"])
        if custom_id in asked:
            found.setdefault(custom_id, match.start() if found else 0)
    for custom_id, start, end in zip(found, found.values(), [*found.values(), len(lines)][1:], strict=True):
        kept = compact_json({"line": lines[start:end].decode(errors="replace")})
        yield Answer(
            custom_id, RowStatus.REFUSED, extra=kept, error_code=UNREADABLE,
            error_message=render_both(Problem(UNREADABLE)), retryable=OWN_CODES[UNREADABLE],
        )  # fmt: skip


UNREADABLE = "line_unreadable"
# As a key: within a text the quotes behind it are escaped.
_CUSTOM_ID = re.compile(rb'"(?i:custom[ _-]?id)"\s*:\s*(?:"(?P<text>(?:[^"\\]|\\.)*)"|(?P<number>\d+))')


def _unescaped(custom_id: bytes) -> str:
    try:
        text: str = orjson.loads(b'"%b"' % custom_id)
    except ValueError:
        return custom_id.decode(errors="replace")
    return text
