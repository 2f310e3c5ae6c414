"""One invocation from start to end: bound log fields and three log lines.

The one place that catches everything.
"""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from shared import VERSION
from shared.problems.exceptions import PipelineError, TransientError
from shared.runtime.context import FcContext
from shared.runtime.logs import bind, redact

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_STACK_FRAMES = 50


@dataclass(frozen=True)
class Failure:
    """A call that ended in an exception."""

    error: Exception

    def as_fc_error(self) -> dict[str, object]:
        """The error body of Function Compute.

        Source: https://www.alibabacloud.com/help/en/functioncompute/fc/error-handling
        """
        frames = traceback.extract_tb(self.error.__traceback__)[-MAX_STACK_FRAMES:]
        return {
            "errorMessage": redact(str(self.error)),
            "errorType": type(self.error).__name__,
            "stackTrace": [
                [f'File "{frame.filename}"', f"line {frame.lineno}", f"in {frame.name}", frame.line or ""]
                for frame in frames
            ],
        }


class SecretInError(Exception):
    """Replaces an error whose own text held a secret, so that the text can leave the handler."""


def attempt(call: Callable[[], T]) -> T | Failure:
    """Return the result, or any exception as a ``Failure``.

    The only ``except Exception`` of what ships but for the one around templates.
    """
    try:
        return call()
    except Exception as error:  # noqa: BLE001 (the caller logs it or lets it leave)
        return Failure(error)


def run_invocation(context: FcContext, call: Callable[[], T], secrets: tuple[str, ...] = ()) -> T | Failure:
    """Make the call, log how it went, and mask the context's credentials and ``secrets``.

    A failure is logged here, once, with its traceback; the caller only decides how it leaves.
    """
    with bind(request_id=context.request_id, secrets=context.secret_values() + secrets):
        started_at_s = time.monotonic()
        log.info("invocation.started", extra={"function": context.function_name, "version": VERSION})
        outcome = attempt(call)
        duration_ms = round((time.monotonic() - started_at_s) * 1000)
        if isinstance(outcome, Failure):
            _log_failure(outcome.error, duration_ms)
            return Failure(_without_secrets(outcome.error))
        log.info("invocation.finished", extra={"duration_ms": duration_ms})
        return outcome


def _log_failure(error: Exception, duration_ms: int) -> None:
    """Log a warning if trying again may cure the error, else an error: somebody must act."""
    log.log(
        logging.WARNING if isinstance(error, TransientError) else logging.ERROR,
        "invocation.failed",
        exc_info=error,
        extra={
            "duration_ms": duration_ms,
            "code": error.code if isinstance(error, PipelineError) else "unexpected_error",
        },
    )


def _without_secrets(error: Exception) -> Exception:
    text = str(error)
    if redact(text) == text:
        return error
    stand_in = SecretInError(f"{type(error).__name__}: {redact(text)}")
    return stand_in.with_traceback(error.__traceback__)
