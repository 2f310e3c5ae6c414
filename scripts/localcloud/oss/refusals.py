"""OSS's refusals: code, HTTP status, message and EC, as one exception type and a catalogue."""

from __future__ import annotations

from collections.abc import Mapping


class OssRefusal(Exception):
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


# The ECs are those of https://help.aliyun.com/en/oss/user-guide/0026-00000002 and its neighbours.
# An error whose EC we found nowhere has none, rather than an invented one.


def access_denied(message: str) -> OssRefusal:
    return OssRefusal(403, "AccessDenied", message, ec="0003-00000001")


def not_authorized(action: str) -> OssRefusal:
    """A missing permission, in the form of the service.

    Source: https://help.aliyun.com/en/oss/user-guide/0003-00000201
    """
    denied = [("NoPermissionType", "ImplicitDeny"), ("AuthAction", action)]
    message = f"You have no right to access this object: the caller's policies do not allow {action}."
    details = {"AccessDeniedDetail": denied}
    return OssRefusal(403, "AccessDenied", message, ec="0003-00000001", details=details)


def invalid_access_key_id() -> OssRefusal:
    message = "The OSS Access Key Id you provided does not exist in our records."
    return OssRefusal(403, "InvalidAccessKeyId", message, ec="0002-00000902")


def invalid_security_token() -> OssRefusal:
    return OssRefusal(403, "InvalidSecurityToken", "The security token you provided is invalid.")


def key_and_token_do_not_match() -> OssRefusal:
    message = "The OSS access key id and security token you provided does not match."
    return OssRefusal(403, "AccessKeyIdAndSecurityTokenNotMatch", message)


def signature_does_not_match(given: str, signed: bytes) -> OssRefusal:
    """Quotes what was signed, as the service does.

    Clients must not log this document: the security token is in it.
    """
    message = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    details = {"SignatureProvided": given, "StringToSign": signed.decode("utf-8", "replace")}
    return OssRefusal(403, "SignatureDoesNotMatch", message, ec="0002-00000040", details=details)


def request_time_too_skewed() -> OssRefusal:
    message = "The difference between the request time and the current time is too large."
    return OssRefusal(403, "RequestTimeTooSkewed", message, ec="0002-00000504")


def no_such_bucket() -> OssRefusal:
    return OssRefusal(404, "NoSuchBucket", "The specified bucket does not exist.", ec="0015-00000101")


def no_such_key() -> OssRefusal:
    return OssRefusal(404, "NoSuchKey", "The specified key does not exist.", ec="0026-00000001")


def invalid_object_state() -> OssRefusal:
    message = "The operation is not valid for the object's state"
    return OssRefusal(403, "InvalidObjectState", message)


def symlink_target_not_exist() -> OssRefusal:
    return OssRefusal(404, "SymlinkTargetNotExist", "The symlink target object does not exist")


def invalid_target_type() -> OssRefusal:
    return OssRefusal(400, "InvalidTargetType", "The target type is invalid: the target is a symlink.")


def not_a_symlink() -> OssRefusal:
    return OssRefusal(400, "NotSymlink", "The object is not a symlink.")


def no_such_upload() -> OssRefusal:
    message = "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed."
    return OssRefusal(404, "NoSuchUpload", message, ec="0042-00000002")


def file_already_exists() -> OssRefusal:
    message = "The object you specified already exists and can not be overwritten."
    return OssRefusal(409, "FileAlreadyExists", message, ec="0026-00000002")


def bucket_not_empty() -> OssRefusal:
    return OssRefusal(
        409, "BucketNotEmpty", "The bucket you tried to delete is not empty.", ec="0015-00000301"
    )


def object_not_appendable() -> OssRefusal:
    return OssRefusal(409, "ObjectNotAppendable", "The object is not appendable")


def position_not_equal_to_length(length: int) -> OssRefusal:
    return OssRefusal(
        409,
        "PositionNotEqualToLength",
        "Position is not equal to file length",
        headers={"x-oss-next-append-position": str(length)},
    )


def precondition_failed(condition: str) -> OssRefusal:
    message = "At least one of the pre-conditions you specified did not hold."
    return OssRefusal(412, "PreconditionFailed", message, details={"Condition": condition})


def not_modified() -> OssRefusal:
    return OssRefusal(304, "NotModified", "The object was not modified.")


def invalid_range() -> OssRefusal:
    return OssRefusal(416, "InvalidRange", "The requested range cannot be satisfied")


def invalid_argument(message: str, *, ec: str = "") -> OssRefusal:
    return OssRefusal(400, "InvalidArgument", message, ec=ec)


def invalid_signing_region(*, in_url: bool) -> OssRefusal:
    """Source: https://help.aliyun.com/en/oss/user-guide/0002-00000226, and the SDK's own tests."""
    if in_url:
        return invalid_argument("The signing region in credential is invalid.")
    return invalid_argument("Invalid signing region in Authorization header.", ec="0002-00000226")


def invalid_tag(message: str) -> OssRefusal:
    return OssRefusal(400, "InvalidTag", message)


def invalid_encryption_algorithm() -> OssRefusal:
    message = "The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS."
    return OssRefusal(400, "InvalidEncryptionAlgorithmError", message)


def invalid_object_name() -> OssRefusal:
    return OssRefusal(400, "InvalidObjectName", "The specified object is not valid.")


def invalid_bucket_name() -> OssRefusal:
    return OssRefusal(400, "InvalidBucketName", "The specified bucket is not valid.")


def invalid_digest() -> OssRefusal:
    return OssRefusal(400, "InvalidDigest", "The Content-MD5 you specified did not match what we received.")


def malformed_xml() -> OssRefusal:
    return OssRefusal(400, "MalformedXML", "The XML you provided was not well-formed.")


def invalid_part() -> OssRefusal:
    message = "One or more of the specified parts could not be found or the specified entity tag might not have matched."
    return OssRefusal(400, "InvalidPart", message)


def invalid_part_order() -> OssRefusal:
    return OssRefusal(400, "InvalidPartOrder", "The list of parts was not in ascending order.")


def entity_too_small() -> OssRefusal:
    message = "Your proposed upload is smaller than the minimum allowed size"
    return OssRefusal(400, "EntityTooSmall", message)


def incomplete_body() -> OssRefusal:
    return OssRefusal(400, "IncompleteBody", "The request body is shorter than announced.")


def not_implemented(what: str) -> OssRefusal:
    return OssRefusal(501, "NotImplemented", f"The local OSS does not implement {what}.")


def busy(message: str) -> OssRefusal:
    return OssRefusal(503, "ServiceUnavailable", message)
