"""Conditional and partial reads: If-Match and its kin, and byte ranges."""

from __future__ import annotations

import re
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.object_index import StoredObject
from scripts.localcloud.storage_http.incoming.request import ObjectRequest


class ByteRange(NamedTuple):
    """Part of an object, for ``Content-Range``; ``last`` is inclusive."""

    first: int
    last: int

    @property
    def size_bytes(self) -> int:
        return self.last - self.first + 1


def check_conditions(
    request: ObjectRequest, row: StoredObject, prefix: str = "if-", *, literal: str = ""
) -> None:
    """Refuse a read or, with ``prefix`` ``x-…-copy-source-if-``, a copy: 412 or 304.

    An ETag condition overrides the date condition of the same sense (RFC 9110, section 13.2.2).

    Args:
        request: Its headers hold the conditions.
        row: The object.
        prefix: Of the headers' names.
        literal: The ETag as it must be named, by letter; if there is none, case does not matter.
    """
    if must_match := request.header(f"{prefix}match"):
        if not _names(must_match, row, literal):
            raise refusals.precondition_failed("If-Match")
    elif (limit := _date(request.header(f"{prefix}unmodified-since"))) and row.modified_s > limit.timestamp():
        raise refusals.precondition_failed("If-Unmodified-Since")
    if must_differ := request.header(f"{prefix}none-match"):
        if _names(must_differ, row, literal):
            raise refusals.not_modified()
    elif (since := _date(request.header(f"{prefix}modified-since"))) and row.modified_s <= since.timestamp():
        raise refusals.not_modified()


def range_for(request: ObjectRequest, size_bytes: int, *, is_standard: bool) -> ByteRange | None:
    """The range to answer with 206, or ``None`` for the whole object with 200.

    Args:
        request: Its header ``Range`` says what is wanted.
        size_bytes: The object's.
        is_standard: Cut a range that leaves the object, or refuse it, as HTTP says; otherwise it
            is ignored.
    """
    bounds = _parse_range(request.header("range"))
    if bounds is None:
        return None
    first, last = _absolute(bounds, size_bytes)
    if 0 <= first <= last < size_bytes:
        return ByteRange(first, last)
    if not is_standard:
        return None
    if first >= size_bytes or size_bytes == 0:
        raise refusals.invalid_range()
    return ByteRange(max(first, 0), min(last, size_bytes - 1))


def copy_range_for(header: str, size_bytes: int) -> ByteRange:
    """The part of the source that an ``x-…-copy-source-range`` names; by default all of it."""
    if not header:
        return ByteRange(0, size_bytes - 1)
    bounds = _parse_range(header)
    if bounds is None:
        raise refusals.invalid_argument("The copy source range is malformed.")
    first, last = _absolute(bounds, size_bytes)
    if not 0 <= first <= last < size_bytes:
        raise refusals.invalid_range()
    return ByteRange(first, last)


def _parse_range(header: str) -> tuple[int | None, int | None] | None:
    # Of several ranges OSS serves the first.
    found = re.match(r"bytes=([0-9]{0,15})-([0-9]{0,15})(,|$)", header)
    if not found or not (found[1] or found[2]):
        return None
    return (int(found[1]) if found[1] else None, int(found[2]) if found[2] else None)


def _absolute(bounds: tuple[int | None, int | None], size_bytes: int) -> tuple[int, int]:
    first, last = bounds
    if first is None:
        return size_bytes - (last or 0), size_bytes - 1
    return first, size_bytes - 1 if last is None else last


def _names(header: str, row: StoredObject, literal: str) -> bool:
    tags = [tag.strip().removeprefix("W/").strip('"') for tag in header.split(",")]
    return "*" in tags or (literal in tags if literal else row.etag in map(str.upper, tags))


def _date(header: str) -> datetime | None:
    try:
        return parsedate_to_datetime(header) if header else None
    except (TypeError, ValueError):
        return None
