"""What OSS says of a posted form that it does not take.

Sources: https://www.alibabacloud.com/help/en/oss/how-to-handle-common-errors-when-the-postobject-operation-is-called
for codes and messages, and the pages of the ECs under https://help.aliyun.com/en/oss/user-guide/.
"""

from __future__ import annotations

from scripts.localcloud.storage.refusals import Refusal, access_denied, invalid_argument


def malformed_post_request() -> Refusal:
    message = "The body of your POST request is not well-formed multipart/form-data."
    return Refusal(400, "MalformedPOSTRequest", message, ec="0006-00000104")


def no_file_in_form() -> Refusal:
    message = "POST requires exactly one file upload per request."
    return Refusal(400, "IncorrectNumberOfFilesInPOSTRequest", message, ec="0006-00000107")


def field_too_long() -> Refusal:
    return Refusal(400, "FieldItemTooLong", "Your form field is too long, max size is 8192.")


def invalid_policy(why: str, ec: str) -> Refusal:
    return Refusal(400, "InvalidPolicyDocument", f"Invalid Policy: {why}", ec=ec)


def against_policy(why: str, ec: str) -> Refusal:
    refusal = access_denied(f"Invalid according to Policy: {why}")
    refusal.ec = ec
    return refusal


def file_too_large(max_bytes: int) -> Refusal:
    message = "Your proposed upload exceeds the maximum allowed size."
    details = {"MaxSizeAllowed": max_bytes}
    return Refusal(400, "EntityTooLarge", message, ec="0006-00000003", details=details)


def file_too_small(size_bytes: int, min_bytes: int) -> Refusal:
    message = "Your proposed upload is smaller than the minimum allowed size."
    details = {"ProposedSize": size_bytes, "MinSizeAllowed": min_bytes}
    return Refusal(400, "EntityTooSmall", message, ec="0006-00000004", details=details)


def lacks_field(name: str, ec: str = "") -> Refusal:
    return invalid_argument(f"Bucket POST must contain a field named '{name}'.", ec=ec)


def invalid_credential() -> Refusal:
    return invalid_argument("The x-oss-credential field is invalid.", ec="0002-00000710")
