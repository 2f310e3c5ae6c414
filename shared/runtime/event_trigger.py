"""Entry points for event triggers: turn every runtime's event and context into ours."""

from __future__ import annotations

import functools
import json
import os
from collections.abc import Callable

from pydantic_core import to_jsonable_python

from shared.runtime.context import FcContext, context_from_builtin
from shared.runtime.invocation import Failure, run_invocation
from shared.runtime.logs import configure_logging
from shared.runtime.secret_parts import secrets_from
from shared.runtime.settings import log_level_from

OK = {"status": "ok"}


def event_handler(function: Callable[[bytes, FcContext], object]) -> Callable[[object, object], object]:
    """Make ``function`` a Function Compute handler.

    Every exception is logged once and leaves: then Function Compute delivers an asynchronous event
    again (https://www.alibabacloud.com/help/en/functioncompute/fc/retry-policy). A function whose
    event must not come again returns. The result is made JSON-able; ``None`` becomes ``OK``.
    """

    @functools.wraps(function)
    def handler(event: object, context: object) -> object:
        configure_logging(log_level_from(os.environ))
        fc_context = context_from_builtin(context, os.environ)
        outcome = run_invocation(
            fc_context, lambda: _result(function(event_bytes(event), fc_context)), secrets_from(os.environ)
        )
        if isinstance(outcome, Failure):
            raise outcome.error from None
        return outcome

    return handler


def event_bytes(event: object) -> bytes:
    """The event as bytes, as Function Compute gives it to Python 3.

    Other callers give text or parsed JSON.

    Raises:
        TypeError: It is none of these.
    """
    if isinstance(event, (bytes, bytearray, memoryview)):
        return bytes(event)
    if isinstance(event, str):
        return event.encode()
    if isinstance(event, (dict, list)):
        return json.dumps(event, ensure_ascii=False).encode()
    message = f"an event is bytes, text, an object or a list, not {type(event).__name__}"
    raise TypeError(message)


def _result(value: object) -> object:
    """The result as JSON. An odd value must not fail: the work is done and would be done again."""
    if value is None:
        return OK
    return to_jsonable_python(
        value, serialize_unknown=True, bytes_mode="base64", inf_nan_mode="null", fallback=str
    )
