"""Refusals of every service that keeps objects: one exception type, and those that all can give."""

from __future__ import annotations

from collections.abc import Mapping


class Refusal(Exception):
    """A request that the service answers with an error document."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        ec: str = "",
        headers: Mapping[str, str] | None = None,
        details: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.ec = ec
        self.headers = dict(headers or {})
        self.details = dict(details or {})


def access_denied(message: str) -> Refusal:
    return Refusal(403, "AccessDenied", message)


def invalid_security_token() -> Refusal:
    return Refusal(403, "InvalidSecurityToken", "The security token you provided is invalid.")


def invalid_access_key_id() -> Refusal:
    return Refusal(403, "InvalidAccessKeyId", "The Access Key Id you provided does not exist in our records.")


def signature_does_not_match(signed: str) -> Refusal:
    """Quotes what was signed, with the security token in it: clients must not log it."""
    message = f"The request signature we calculated does not match the one you provided. Signed: {signed}"
    return Refusal(403, "SignatureDoesNotMatch", message)


def request_time_too_skewed() -> Refusal:
    message = "The difference between the request time and the current time is too large."
    return Refusal(403, "RequestTimeTooSkewed", message)


def no_such_bucket() -> Refusal:
    return Refusal(404, "NoSuchBucket", "The specified bucket does not exist.")


def no_such_key() -> Refusal:
    return Refusal(404, "NoSuchKey", "The specified key does not exist.")


def no_such_upload() -> Refusal:
    message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    return Refusal(404, "NoSuchUpload", message)


def file_already_exists() -> Refusal:
    message = "The object you specified already exists and can not be overwritten."
    return Refusal(409, "FileAlreadyExists", message)


def bucket_not_empty() -> Refusal:
    return Refusal(409, "BucketNotEmpty", "The bucket you tried to delete is not empty.")


def precondition_failed(condition: str) -> Refusal:
    message = "At least one of the pre-conditions you specified did not hold."
    return Refusal(412, "PreconditionFailed", message, details={"Condition": condition})


def not_modified() -> Refusal:
    return Refusal(304, "NotModified", "The object was not modified.")


def invalid_range() -> Refusal:
    return Refusal(416, "InvalidRange", "The requested range cannot be satisfied")


def invalid_argument(message: str, *, ec: str = "") -> Refusal:
    return Refusal(400, "InvalidArgument", message, ec=ec)


def invalid_object_name() -> Refusal:
    return Refusal(400, "InvalidObjectName", "The specified object is not valid.")


def invalid_bucket_name() -> Refusal:
    return Refusal(400, "InvalidBucketName", "The specified bucket is not valid.")


def foreign_host(host: str) -> Refusal:
    return Refusal(400, "InvalidHost", f"The local store does not answer as {host}.")


def invalid_digest() -> Refusal:
    return Refusal(400, "InvalidDigest", "The Content-MD5 you specified did not match what we received.")


def malformed_document() -> Refusal:
    return Refusal(400, "MalformedXML", "The XML you provided was not well-formed.")


def invalid_part() -> Refusal:
    message = "One or more of the specified parts could not be found or the specified entity tag might not have matched."
    return Refusal(400, "InvalidPart", message)


def invalid_part_order() -> Refusal:
    return Refusal(400, "InvalidPartOrder", "The list of parts was not in ascending order.")


def entity_too_small() -> Refusal:
    message = "Your proposed upload is smaller than the minimum allowed size"
    return Refusal(400, "EntityTooSmall", message)


def incomplete_body() -> Refusal:
    return Refusal(400, "IncompleteBody", "The request body is shorter than announced.")


def missing_content_length() -> Refusal:
    return Refusal(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")


def not_implemented(what: str) -> Refusal:
    return Refusal(501, "NotImplemented", f"The local cloud does not implement {what}.")


def busy(message: str) -> Refusal:
    return Refusal(503, "ServiceUnavailable", message)
