"""What one line of a provider's result file says about one row."""

from __future__ import annotations

import orjson

from shared.results.columns import Answer
from shared.results.replies.careful import read_carefully
from shared.results.replies.quick import chat_answer, refusal, vector_answer


def parse_result_line(line: bytes) -> Answer | None:
    """Read one result line, or ``None`` if it is not one (no JSON object, no ``custom_id``).

    A line that is nested too deep to be read counts as none, too.

    A row is answered if there is an answer, and no error. Both documented error shapes are read,
    ``error.code`` beside a null response and an error inside the response's body
    (https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai), and those of
    gateways.
    """
    try:
        return _read_quickly(line) or read_carefully(line)
    except RecursionError:
        return None


def _read_quickly(line: bytes) -> Answer | None:
    try:
        document = orjson.loads(line)
        if document["error"] is not None:
            return refusal(document)
        if "choices" in document["response"]["body"]:
            return chat_answer(document)
        return vector_answer(line, document)
    except (ValueError, AttributeError, LookupError, TypeError):
        return None
