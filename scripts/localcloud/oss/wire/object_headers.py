"""What a request says of the object that it writes, and what its readers are told of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, quote, urlencode

from scripts.localcloud.oss import oss_refusals
from scripts.localcloud.oss.wire.oss_request import OssRequest
from scripts.localcloud.storage import refusals

META_PREFIX = "x-oss-meta-"
# Content-Type apart: https://www.alibabacloud.com/help/doc-detail/31859.htm
HTTP_HEADERS = ("cache-control", "content-disposition", "content-encoding", "content-language", "expires")
ACL, STORAGE_CLASS, TAGGING = "x-oss-object-acl", "x-oss-storage-class", "x-oss-tagging"
SYMLINK_TARGET = "x-oss-symlink-target"
CLIENT_ENCRYPTION = f"{META_PREFIX}client-side-encryption-"
_ENCRYPTION = "x-oss-server-side-encryption"
# Told with every answer about the object; the bytes themselves are kept as they came.
_ENCRYPTION_HEADERS = (_ENCRYPTION, f"{_ENCRYPTION}-key-id", "x-oss-server-side-data-encryption")
_PROPERTIES = (ACL, STORAGE_CLASS, TAGGING, *_ENCRYPTION_HEADERS)

ACLS = frozenset({"private", "public-read", "public-read-write"})
# An object of these must be restored before it is read.
_FROZEN_CLASSES = frozenset({"Archive", "ColdArchive", "DeepColdArchive"})
STORAGE_CLASSES = _FROZEN_CLASSES | {"Standard", "IA"}
_ALGORITHMS = frozenset({"AES256", "KMS", "SM4"})
# https://help.aliyun.com/en/oss/user-guide/object-tagging
MAX_TAGS = 10
_TAG_KEY, _TAG_VALUE = (re.compile(rf"[\w +\-=.:/]{{{sizes}}}") for sizes in ("1,128", "0,256"))


def kept_headers(request: OssRequest) -> dict[str, str]:
    """The headers kept with an object: its metadata, and its properties, checked."""
    return metadata_headers(request) | property_headers(request)


def metadata_headers(request: OssRequest) -> dict[str, str]:
    """``x-oss-meta-*`` in lower case, and some of HTTP's own headers."""
    http = {name.title(): request.headers[name] for name in HTTP_HEADERS if name in request.headers}
    return {name: value for name, value in request.headers.items() if name.startswith(META_PREFIX)} | http


def property_headers(request: OssRequest) -> dict[str, str]:
    """Tags, ACL, storage class and encryption.

    Raises:
        Refusal: 400 for values that the service does not know.
    """
    kept = {name: request.headers[name] for name in _PROPERTIES if request.header(name)}
    if STORAGE_CLASS in kept:
        check_storage_class(kept[STORAGE_CLASS])
    if ACL in kept:
        check_object_acl(kept[ACL])
    if kept.get(_ENCRYPTION, "AES256") not in _ALGORITHMS:
        raise oss_refusals.invalid_encryption_algorithm()
    if TAGGING in kept:
        kept[TAGGING] = render_tags(parse_tags(kept[TAGGING]))
    return kept


def is_metadata(name: str) -> bool:
    return name.startswith(META_PREFIX) or name.lower() in HTTP_HEADERS


def is_needed_to_decrypt(name: str) -> bool:
    """Whether the client needs it to read what it encrypted itself: no copy can go without."""
    return name.startswith(CLIENT_ENCRYPTION)


def shown_headers(kept: Mapping[str, str]) -> dict[str, str]:
    """What a reader of the object is told of ``kept``: of its tags, their number."""
    hidden = {ACL, TAGGING, SYMLINK_TARGET}
    tags = parse_tags(kept.get(TAGGING, ""))
    count = {"x-oss-tagging-count": str(len(tags))} if tags else {}
    return {STORAGE_CLASS: "Standard", **count} | {n: v for n, v in kept.items() if n not in hidden}


def encryption_headers(kept: Mapping[str, str]) -> dict[str, str]:
    return {name: kept[name] for name in _ENCRYPTION_HEADERS if name in kept}


def check_storage_class(name: str) -> None:
    if name not in STORAGE_CLASSES:
        raise refusals.invalid_argument("The storage class you specified is invalid.")


def storage_class(kept: Mapping[str, str]) -> str:
    return kept.get(STORAGE_CLASS, "Standard")


def check_readable(kept: Mapping[str, str]) -> None:
    if storage_class(kept) in _FROZEN_CLASSES:
        raise oss_refusals.invalid_object_state()


def check_object_acl(name: str) -> None:
    if name not in ACLS | {"default"}:
        raise refusals.invalid_argument("no such object access control exists")


def parse_tags(header: str) -> dict[str, str]:
    """The tags of an ``x-oss-tagging`` header, which is written like a query."""
    return checked_tags(parse_qsl(header, keep_blank_values=True))


def checked_tags(pairs: list[tuple[str, str]]) -> dict[str, str]:
    tags = dict(pairs)
    if len(pairs) > MAX_TAGS or len(tags) < len(pairs):
        raise oss_refusals.invalid_tag("There are more than ten tags, or two of one key.")
    for key, value in tags.items():
        if not _TAG_KEY.fullmatch(key):
            raise oss_refusals.invalid_tag("The TagKey you have provided is invalid.")
        if not _TAG_VALUE.fullmatch(value):
            raise oss_refusals.invalid_tag("The TagValue you have provided is invalid.")
    return tags


def render_tags(tags: Mapping[str, str]) -> str:
    return urlencode(tags, quote_via=quote)
