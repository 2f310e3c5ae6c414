"""Translates the exceptions of the ``tos`` SDK into the pipeline's, by who must act."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import requests
from tos.exceptions import TosClientError, TosServerError

from shared.problems.exceptions import (
    ConfigurationError,
    ObjectMissing,
    OutcomeUnknown,
    PipelineError,
    TransientError,
)

# The object exists and must not be overwritten: a constant of TOS's Java SDK, and
# https://www.volcengine.com/docs/6349/1189259. Its code is published nowhere.
_TAKEN_EC = "0017-00000004"
# 4xx codes that say "later", not "never": https://www.volcengine.com/docs/6349/74874
_PASSING_CODES = frozenset({"RequestTimeout", "OperationAborted", "IncompleteBody", "NoSuchUpload"})
_PASSING_ENDS = ("QPSLimit", "RateLimit")
_ADVICE = {
    "AccessDenied": "the access key lacks the tos permission for it on this bucket, or a bucket policy denies it",
    "InvalidAccessKeyId": "the access key id is unknown or disabled",
    "InvalidSecurityToken": "the security token is invalid",
    "ExpiredToken": "the temporary credentials have expired",
    "SignatureDoesNotMatch": "the secret access key or the region is wrong",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "NoSuchBucket": "the bucket does not exist; check the bucket's name, region and endpoint",
}
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
    try:
        yield
    except TosServerError as error:
        raise _from_answer(operation, key, error) from error
    except TosClientError as error:
        if error.cause is None and not error.message.startswith(_CUT_SHORT):
            raise ConfigurationError(f"{operation} {key}: {error.message}") from error
        raise _unanswered(operation, key, error.cause or error, publishes=publishes) from error
    except requests.RequestException as error:
        raise _unanswered(operation, key, error, publishes=publishes) from error


def is_taken(error: TosServerError) -> bool:
    """Whether this is surely the answer to ``x-tos-forbid-overwrite`` when the object exists."""
    return bool(error.ec == _TAKEN_EC)


def is_passing(error: TosServerError) -> bool:
    """Whether the same request may be granted later."""
    status, code = error.status_code, error.code or ""
    return status == 429 or status >= 500 or code in _PASSING_CODES or code.endswith(_PASSING_ENDS)


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
    return ConfigurationError(f"{what} [{_ADVICE.get(code, 'TOS refuses this request for good')}]")


def _is_missing(operation: str, error: TosServerError) -> bool:
    """The answer to a HEAD has no body, so no code; any other of TOS's own has one."""
    is_head_of_none = operation == "HeadObject" and error.status_code == 404 and not error.code
    return is_head_of_none or error.code == "NoSuchKey" or error.status_code == 412


def _unanswered(operation: str, key: str, cause: Exception, *, publishes: bool) -> PipelineError:
    # The kind of failure only: the text of a requests error may quote the URL and its key.
    kind = OutcomeUnknown if publishes else TransientError
    return kind(f"{operation} {key}: no whole answer from TOS ({type(cause).__name__})")
