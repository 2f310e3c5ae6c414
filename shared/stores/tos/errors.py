"""Translates the exceptions of the ``tos`` SDK into the pipeline's, by who must act."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import requests
from tos.exceptions import TosClientError, TosServerError

from shared.problems.exceptions import (
    ConfigurationError,
    ObjectMissing,
    PipelineError,
    TransientError,
)
from shared.stores.pieces.addresses import is_wrong_address
from shared.stores.pieces.errors import ABOUT_VERSIONS, ADVICE, EXPIRED, may_pass, no_answer

# The object exists and must not be overwritten: a constant of TOS's Java SDK, and
# https://www.volcengine.com/docs/6349/1189259. Its code is published nowhere.
_TAKEN_EC = "0017-00000004"
# https://www.volcengine.com/docs/6349/74874
_PASSING_ENDS = ("QPSLimit", "RateLimit")
_ADVICE = {**ADVICE, "ExpiredToken": EXPIRED}
# What to tell people whose work waits for the bucket; also of a TOS whose codes are others.
_UNUSABLE = "bucket_unusable"
_TROUBLES = (
    (re.compile("overdue|arrear|suspend|UserDisable", re.I), "account_without_money"),
    (re.compile("TimeTooSkewed|InvalidTimestamp", re.I), "clock_wrong"),
    (re.compile("AccessKey|Signature|Token|Credential", re.I), "access_key_refused"),
    (re.compile("NoSuchBucket|InvalidBucketName|Redirect", re.I), "bucket_missing"),
    (re.compile("AccessDenied|Forbidden", re.I), "bucket_forbidden"),
)
# The answer to a HEAD has no body, so no code.
_TROUBLES_OF_HEAD = {401: "access_key_refused", 403: "bucket_forbidden"}
# Only these miss an object; of all else a 404 is no word about one.
_READS = frozenset({"HeadObject", "GetObject", "UploadPartCopy"})
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
            raise ConfigurationError(f"{what}: {error.message}", _UNUSABLE) from error
        raise _no_answer(what, error.cause or error, publishes=publishes) from error
    except requests.RequestException as error:
        raise _no_answer(what, error, publishes=publishes) from error


def is_taken(error: TosServerError) -> bool:
    """Whether this is surely the answer to ``x-tos-forbid-overwrite`` when the object exists."""
    return bool(error.ec == _TAKEN_EC)


def is_passing(error: TosServerError) -> bool:
    """Whether the same request may be granted later."""
    code = error.code or ""
    return may_pass(error.status_code, code) or code.endswith(_PASSING_ENDS)


def has_versions(what: str) -> ConfigurationError:
    return ConfigurationError(f"{what}: {ABOUT_VERSIONS}", "bucket_versioned")


def _no_answer(what: str, cause: Exception, *, publishes: bool) -> PipelineError:
    if is_wrong_address(cause):
        return ConfigurationError(f"{what}: no TOS is at its address ({type(cause).__name__})", _UNUSABLE)
    return no_answer(what, cause, publishes=publishes)


def _from_answer(operation: str, key: str, error: TosServerError) -> PipelineError:
    code, status = error.code or "no code", error.status_code
    # A traceback shows the error; a wrong signature may be answered with what was signed.
    error.header, error.args = {}, (status, code)
    if code == "SignatureDoesNotMatch":
        error.message = ""
    what = f"{operation} {key}: {status} {code} (request {error.request_id}): {error.message}"
    if is_passing(error):
        return TransientError(what)
    if operation in _READS and _is_missing(operation, error):
        return ObjectMissing(what)
    if status == 404 and code in {"NoSuchKey", "no code"}:
        return TransientError(what)  # a gateway's words, not TOS's
    of_head = _TROUBLES_OF_HEAD.get(status) if operation == "HeadObject" else None
    trouble = next((trouble for words, trouble in _TROUBLES if words.search(code)), of_head)
    said = _ADVICE.get(code, "TOS refuses this request for good")
    return ConfigurationError(f"{what} [{said}]", trouble or _UNUSABLE)


def _is_missing(operation: str, error: TosServerError) -> bool:
    """The answer to a HEAD has no body, so no code; any other of TOS's own has one."""
    is_head_of_none = operation == "HeadObject" and error.status_code == 404 and not error.code
    return is_head_of_none or error.code == "NoSuchKey" or error.status_code == 412
