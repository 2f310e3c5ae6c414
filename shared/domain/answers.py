"""What one row of a result says: an answer, or the reason why there is none."""

from __future__ import annotations

import json
from enum import Enum
from typing import NamedTuple


class RowStatus(str, Enum):
    """How a row ended, as it stands in the result CSV."""

    ANSWERED = "answered"
    REFUSED = "refused"
    EXPIRED = "expired"
    MISSING = "missing"
    CANCELLED = "cancelled"


class Answer(NamedTuple):
    """A row's answer or its reason, flat, in the order of the result columns.

    ``retryable`` says whether sending the row again may help; it is never a column.
    """

    custom_id: str
    status: RowStatus
    content: str = ""
    reasoning_content: str = ""
    model: str = ""
    finish_reason: str = ""
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    total_tokens: int | None = None
    request_id: str = ""
    created: int | None = None
    status_code: int | None = None
    usage: str = ""
    error_code: str = ""
    error_message: str = ""
    retryable: bool = False

    def to_line(self) -> bytes:
        fields = [self.custom_id, self.status.value, *(getattr(self, name) for name in _STORED)]
        return json.dumps(fields, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> Answer:
        custom_id, status, *values = json.loads(line)
        return cls(custom_id, RowStatus(status), **dict(zip(_STORED, values, strict=True)))


_STORED = (
    "content", "reasoning_content", "model", "finish_reason", "prompt_tokens", "completion_tokens",
    "total_tokens", "request_id", "created", "status_code", "usage", "error_code", "error_message", "retryable",
)  # fmt: skip
