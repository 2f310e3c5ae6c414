"""What object stores' errors mean alike: who must act, and whether the object may have changed."""

from __future__ import annotations

from shared.problems.exceptions import OutcomeUnknown, TransientError

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


def may_pass(status: int, code: str) -> bool:
    """Whether the same request may be granted later."""
    return status == 429 or status >= 500 or code in _PASSING_CODES


def no_answer(what: str, cause: Exception, *, publishes: bool) -> TransientError:
    """Tells its kind only: the text of an error of requests may quote the URL and its key."""
    kind = OutcomeUnknown if publishes else TransientError
    return kind(f"{what}: no whole answer from the store ({type(cause).__name__})")
