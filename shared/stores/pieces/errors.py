"""What object stores' errors mean alike: who must act, and whether the object may have changed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.problems.exceptions import (
    ConfigurationError,
    ObjectMissing,
    OutcomeUnknown,
    PipelineError,
    TransientError,
)
from shared.stores.pieces.addresses import is_wrong_address

# A server-side copy of 1 GB takes a service many seconds, during which it sends nothing.
CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 5, 60
ABOUT_VERSIONS = (
    "the bucket has, or had, versioning, with which create-if-absent cannot be relied on: rows may be "
    "paid for twice, and erased data stays in old versions. Use a bucket that never had it"
)
ADVICE = {
    "AccessDenied": "the user or role lacks the permission for it on this bucket, or a bucket policy denies it",
    "InvalidAccessKeyId": "the access key id is unknown or disabled",
    "InvalidSecurityToken": "the security token is invalid",
    "SignatureDoesNotMatch": "the access key's secret or the region is wrong",
    "RequestTimeTooSkewed": "this machine's clock is wrong",
    "NoSuchBucket": "the bucket does not exist; check the bucket's name, region and endpoint",
}
EXPIRED = "the temporary credentials have expired"
# 4xx codes that say "later", not "never": a slow body, a concurrent change, throttling.
_PASSING_CODES = frozenset({"RequestTimeout", "OperationAborted", "IncompleteBody", "NoSuchUpload"})
# What to tell people whose work waits for the bucket; also of a service whose codes are others.
UNUSABLE = "bucket_unusable"
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


@dataclass(frozen=True)
class Refused:
    """What a service said when it did not do what was asked.

    Attributes:
        cloud: How people call the service.
        code: Its own word; empty if the answer had none.
        is_passing: The same request may be granted later.
        is_taken: It is surely the answer to a conditional write when the object exists.
    """

    cloud: str
    status: int
    code: str
    message: str
    request_id: str
    is_passing: bool
    is_taken: bool


def error_for(operation: str, key: str, refused: Refused, advice: Mapping[str, str]) -> PipelineError:
    """Who must act, and what is said of it.

    Args:
        operation: The cloud's name for the call.
        key: The object or the prefix that it is about.
        refused: The answer.
        advice: What the operator should look at, by code.
    """
    code, status = refused.code or "no code", refused.status
    what = f"{operation} {key}: {status} {code} (request {refused.request_id}): {refused.message}"
    if refused.is_passing:
        return TransientError(what)
    if operation in _READS and _is_missing(operation, refused):
        return ObjectMissing(what)
    if status == 404 and code in {"NoSuchKey", "no code"}:
        return TransientError(what)  # a gateway's words, not the service's
    of_head = _TROUBLES_OF_HEAD.get(status) if operation == "HeadObject" else None
    trouble = next((trouble for words, trouble in _TROUBLES if words.search(code)), of_head)
    said = advice.get(code, f"{refused.cloud} refuses this request for good")
    return ConfigurationError(f"{what} [{said}]", trouble or UNUSABLE)


def _is_missing(operation: str, refused: Refused) -> bool:
    """The answer to a HEAD has no body, so no code; any other of the service's own has one."""
    is_head_of_none = operation == "HeadObject" and refused.status == 404 and not refused.code
    return is_head_of_none or refused.code == "NoSuchKey" or refused.status == 412


def has_versions(what: str) -> ConfigurationError:
    return ConfigurationError(f"{what}: {ABOUT_VERSIONS}", "bucket_versioned")


def unreached(cloud: str, what: str, cause: Exception, *, publishes: bool) -> PipelineError:
    """``no_answer``, unless the service is not where it is looked for."""
    if is_wrong_address(cause):
        return ConfigurationError(f"{what}: no {cloud} is at its address ({type(cause).__name__})", UNUSABLE)
    return no_answer(what, cause, publishes=publishes)


def may_pass(status: int, code: str) -> bool:
    """Whether the same request may be granted later."""
    return status == 429 or status >= 500 or code in _PASSING_CODES


def no_answer(what: str, cause: Exception, *, publishes: bool) -> TransientError:
    """Tells its kind only: the text of an error of requests may quote the URL and its key."""
    kind = OutcomeUnknown if publishes else TransientError
    return kind(f"{what}: no whole answer from the store ({type(cause).__name__})")
