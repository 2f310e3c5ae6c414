"""Translates the exceptions of the ``tos`` SDK into the pipeline's, by who must act."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import requests
from tos.exceptions import TosClientError, TosServerError

from shared.problems.exceptions import ConfigurationError, PipelineError
from shared.stores.pieces.errors import ADVICE, EXPIRED, UNUSABLE, Refused, error_for, may_pass, unreached
from shared.stores.pieces.guarded import Errors

TOS = "TOS"
# The object exists and must not be overwritten: a constant of TOS's Java SDK, and
# https://www.volcengine.com/docs/6349/1189259. Its code is published nowhere.
_TAKEN_EC = "0017-00000004"
# https://www.volcengine.com/docs/6349/74874
_PASSING_ENDS = ("QPSLimit", "RateLimit")
_ADVICE = {**ADVICE, "ExpiredToken": EXPIRED}
# What the SDK says when fewer bytes came than were announced; it has no class for it.
_CUT_SHORT = "IO Content"


@contextlib.contextmanager
def translated(operation: str, key: str, *, publishes: bool = False) -> Iterator[None]:
    """Raise the pipeline's error for any that the SDK raises inside.

    Args:
        operation: TOS's name for the call, for the message.
        key: The object or the prefix that it is about.
        publishes: Without an answer, the object may have changed.
    """
    what = f"{operation} {key}"
    try:
        yield
    except TosServerError as error:
        raise _from_answer(operation, key, error) from error
    except TosClientError as error:
        if error.cause is None and not error.message.startswith(_CUT_SHORT):
            raise ConfigurationError(f"{what}: {error.message}", UNUSABLE) from error
        raise unreached(TOS, what, error.cause or error, publishes=publishes) from error
    except requests.RequestException as error:
        raise unreached(TOS, what, error, publishes=publishes) from error


def refused_by(error: TosServerError) -> Refused:
    code = error.code or ""
    return Refused(
        cloud=TOS,
        status=error.status_code,
        code=code,
        message=error.message,
        request_id=error.request_id,
        is_passing=may_pass(error.status_code, code) or code.endswith(_PASSING_ENDS),
        is_taken=error.ec == _TAKEN_EC,
    )


def _from_answer(operation: str, key: str, error: TosServerError) -> PipelineError:
    # A traceback shows the error; a wrong signature may be answered with what was signed.
    error.header, error.args = {}, (error.status_code, error.code or "no code")
    if error.code == "SignatureDoesNotMatch":
        error.message = ""
    return error_for(operation, key, refused_by(error), _ADVICE)


TOS_ERRORS = Errors(translated, TosServerError, refused_by)
