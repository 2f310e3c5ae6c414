"""Logs one JSON object a line on stderr, without secrets, from the standard library's loggers."""

from __future__ import annotations

import json
import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import TYPE_CHECKING, TextIO

from pydantic_core import to_jsonable_python

from shared.problems.escapes import escaped

# Function Compute cuts log lines at 32 KB, line end included; a cut line is no longer JSON.
# https://help.aliyun.com/zh/functioncompute/fc/product-overview/limits
MAX_LINE_BYTES = 32 * 1024 - 1

MASK = "**********"

# Our own packages log at the configured level. Libraries only warn: their INFO lines hold URLs and
# headers.
_OWN_LOGGERS = ("shared", "functions")

_STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}

# Secrets that nobody bound, but that libraries put into their messages: API keys, bearer tokens,
# signed URLs. With a callback's URL anybody can say that the batch has ended.
_SECRET_SHAPES = (
    re.compile(r"\bsk-[A-Za-z0-9_-]{12,}"),
    re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]+"),
    re.compile(r"(?i)(?<=signature=)[^&\s\"'<>\\,]+"),
    re.compile(r"(?i)(?<=security-token=)[^&\s\"'<>\\,]+"),
    re.compile(r"(?<=-[0-9]{5}/)[0-9a-f]{64}"),
)


@dataclass(frozen=True)
class _Bound:
    request_id: str | None = None
    job_id: str | None = None
    secrets: tuple[str, ...] = ()


_bound: ContextVar[_Bound] = ContextVar("batchdrop_log_fields", default=_Bound())  # noqa: B039 (it is frozen)


@contextmanager
def bind(
    *, request_id: str | None = None, job_id: str | None = None, secrets: tuple[str, ...] = ()
) -> Iterator[None]:
    """Add fields to every log line written inside; fields that are not given stay as they are.

    Args:
        request_id: Function Compute's id of the invocation.
        job_id: The job that is being worked on.
        secrets: Values that ``redact`` masks inside, in log lines and in what leaves a handler.
    """
    outer = _bound.get()
    inner = replace(
        outer,
        request_id=request_id or outer.request_id,
        job_id=job_id or outer.job_id,
        secrets=outer.secrets + secrets,
    )
    token = _bound.set(inner)
    try:
        yield
    finally:
        _bound.reset(token)


def redact(text: str) -> str:
    """``text`` with the bound secrets, and whatever looks like one, masked."""
    for secret in _bound.get().secrets:
        for form in {secret, json.dumps(secret, ensure_ascii=False)[1:-1]} - {""}:
            text = text.replace(form, MASK)
    for shape in _SECRET_SHAPES:
        text = shape.sub(MASK, text)
    return text


class JsonFormatter(logging.Formatter):
    """One record as one line of JSON, at most ``MAX_LINE_BYTES``; long values lose their middle."""

    def format(self, record: logging.LogRecord) -> str:
        core = _core_fields(record)
        # The core comes first for the reader, and again to win over extra fields of the same names.
        fields = core | _bound_fields() | _extra_fields(record) | core | _exception_fields(record)
        line = _line(fields)
        for max_chars in (4000, 500):
            if len(line.encode(errors="backslashreplace")) <= MAX_LINE_BYTES:
                return line
            line = _line({name: _shortened(value, max_chars) for name, value in fields.items()} | _TRUNCATED)
        if len(line.encode(errors="backslashreplace")) <= MAX_LINE_BYTES:
            return line
        return _line({name: _shortened(value, 500) for name, value in core.items()} | _TRUNCATED)


_TRUNCATED: dict[str, object] = {"truncated": True}


def _core_fields(record: logging.LogRecord) -> dict[str, object]:
    written_at = datetime.fromtimestamp(record.created, timezone.utc)
    try:
        event = record.getMessage()
    except (TypeError, ValueError):
        # A library's message does not fit its arguments: show the message alone.
        event = str(record.msg)
    return {
        "time": written_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname,
        "event": event,
        "logger": record.name,
    }


def _bound_fields() -> dict[str, object]:
    bound = _bound.get()
    fields: dict[str, object] = {"request_id": bound.request_id, "job_id": bound.job_id}
    return {name: value for name, value in fields.items() if value}


def _extra_fields(record: logging.LogRecord) -> dict[str, object]:
    return {name: value for name, value in vars(record).items() if name not in _STANDARD_ATTRIBUTES}


def _exception_fields(record: logging.LogRecord) -> dict[str, object]:
    if not record.exc_info or record.exc_info[0] is None:
        return {}
    kind, error, trace = record.exc_info
    return {
        "error_type": kind.__name__,
        "error": str(error),
        "traceback": "".join(traceback.format_exception(kind, error, trace)),
    }


def _line(fields: Mapping[str, object]) -> str:
    plain = {name: _plain(value) for name, value in fields.items()}
    return escaped(redact(json.dumps(plain, ensure_ascii=False)))


def _plain(value: object) -> object:
    try:
        return to_jsonable_python(
            value, serialize_unknown=True, bytes_mode="base64", inf_nan_mode="null", fallback=str
        )
    except ValueError:  # circular: a log line must never fail the work it tells of
        return f"<{type(value).__name__}>"


def _shortened(value: object, max_chars: int) -> object:
    if isinstance(value, (int, float)) or value is None:
        return value
    plain = _plain(value)
    # Mask before cutting: half a secret would no longer be recognised.
    text = redact(plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False))
    if len(text) <= max_chars:
        return text
    return f"{text[: max_chars // 2]} … {text[-max_chars // 2 :]}"


if TYPE_CHECKING:
    _TextStreamHandler = logging.StreamHandler[TextIO]
else:  # Python 3.10's is not generic when it runs
    _TextStreamHandler = logging.StreamHandler


class _StderrHandler(_TextStreamHandler):
    """Writes to the present ``sys.stderr``: Function Compute and tests replace it."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)
        self.setFormatter(JsonFormatter())

    @property
    def stream(self) -> TextIO:
        return sys.stderr

    @stream.setter
    def stream(self, stream: TextIO) -> None:
        """Ignored: see the class."""


def configure_logging(level: str = "INFO") -> None:
    """Send every logger's records to stderr as JSON; calling it again only changes the level.

    The root logger's console handlers are removed. Function Compute's Python runtimes put one
    there, which would write each record a second time, as text.
    """
    root = logging.getLogger()
    for handler in list(root.handlers):
        if _writes_to_console(handler):
            root.removeHandler(handler)
    if not any(isinstance(handler, _StderrHandler) for handler in root.handlers):
        root.addHandler(_StderrHandler())
    root.setLevel(logging.WARNING)
    for name in _OWN_LOGGERS:
        logging.getLogger(name).setLevel(level)


def _writes_to_console(handler: logging.Handler) -> bool:
    """Whether it writes to a console, or is the platform's own class (which has no stream)."""
    if isinstance(handler, (_StderrHandler, logging.NullHandler)):
        return False
    if isinstance(handler, logging.StreamHandler):
        return handler.stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__)
    return True
