"""Refusals that only OSS gives, and the ECs of those that it shares with other services."""

from __future__ import annotations

from scripts.localcloud.storage.refusals import Refusal, invalid_argument

# The ECs are those of https://help.aliyun.com/en/oss/user-guide/0026-00000002 and its neighbours.
# An error whose EC we found nowhere has none, rather than an invented one.
ECS = {
    "NoSuchBucket": "0015-00000101",
    "NoSuchKey": "0026-00000001",
    "NoSuchUpload": "0042-00000002",
    "FileAlreadyExists": "0026-00000002",
    "BucketNotEmpty": "0015-00000301",
    "AccessDenied": "0003-00000001",
    "RequestTimeTooSkewed": "0002-00000504",
    "MissingContentLength": "0017-00000101",
}


def not_authorized(action: str) -> Refusal:
    """A missing permission, in the form of the service.

    Source: https://help.aliyun.com/en/oss/user-guide/0003-00000201
    """
    denied = [("NoPermissionType", "ImplicitDeny"), ("AuthAction", action)]
    message = f"You have no right to access this object: the caller's policies do not allow {action}."
    return Refusal(403, "AccessDenied", message, details={"AccessDeniedDetail": denied})


def invalid_access_key_id() -> Refusal:
    message = "The OSS Access Key Id you provided does not exist in our records."
    return Refusal(403, "InvalidAccessKeyId", message, ec="0002-00000902")


def key_and_token_do_not_match() -> Refusal:
    message = "The OSS access key id and security token you provided does not match."
    return Refusal(403, "AccessKeyIdAndSecurityTokenNotMatch", message)


def signature_does_not_match(given: str, signed: bytes) -> Refusal:
    """Quotes what was signed, as the service does.

    Clients must not log this document: the security token is in it.
    """
    message = "The request signature we calculated does not match the signature you provided. Check your key and signing method."
    details = {"SignatureProvided": given, "StringToSign": signed.decode("utf-8", "replace")}
    return Refusal(403, "SignatureDoesNotMatch", message, ec="0002-00000040", details=details)


def invalid_object_state() -> Refusal:
    message = "The operation is not valid for the object's state"
    return Refusal(403, "InvalidObjectState", message)


def symlink_target_not_exist() -> Refusal:
    return Refusal(404, "SymlinkTargetNotExist", "The symlink target object does not exist")


def invalid_target_type() -> Refusal:
    return Refusal(400, "InvalidTargetType", "The target type is invalid: the target is a symlink.")


def not_a_symlink() -> Refusal:
    return Refusal(400, "NotSymlink", "The object is not a symlink.")


def object_not_appendable() -> Refusal:
    return Refusal(409, "ObjectNotAppendable", "The object is not appendable")


def position_not_equal_to_length(length: int) -> Refusal:
    return Refusal(
        409,
        "PositionNotEqualToLength",
        "Position is not equal to file length",
        headers={"x-oss-next-append-position": str(length)},
    )


def invalid_signing_region(*, in_url: bool) -> Refusal:
    """Source: https://help.aliyun.com/en/oss/user-guide/0002-00000226, and the SDK's own tests."""
    if in_url:
        return invalid_argument("The signing region in credential is invalid.")
    return invalid_argument("Invalid signing region in Authorization header.", ec="0002-00000226")


def invalid_tag(message: str) -> Refusal:
    return Refusal(400, "InvalidTag", message)


def invalid_encryption_algorithm() -> Refusal:
    message = "The Encryption request you specified is not valid. Supported value: AES256/SM4/KMS."
    return Refusal(400, "InvalidEncryptionAlgorithmError", message)


def cors_not_allowed() -> Refusal:
    """Source: https://www.alibabacloud.com/help/en/oss/how-to-troubleshoot-403-status-code-when-you-access-oss."""
    message = (
        "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / "
        "Access-Control-Request-Method or Access-Control-Requet-Headers are not whitelisted by the resource's CORS spec."
    )
    return Refusal(403, "AccessForbidden", message)


def no_such_cors_configuration() -> Refusal:
    """Source: https://www.alibabacloud.com/help/en/oss/user-guide/0034-00000001."""
    message = "The CORS Configuration does not exist."
    return Refusal(404, "NoSuchCORSConfiguration", message, ec="0034-00000001")
