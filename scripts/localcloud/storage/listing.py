"""Pages of a bucket's keys and uploads: prefix, delimiter, size; in the order of UTF-8 bytes."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, field

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.object_index import Index, StoredObject, Upload

_ROWS_AT_ONCE = 1001


@dataclass
class Page:
    """Objects and folders of one page.

    Attributes:
        folders: Common prefixes, delimiter included.
        next_marker: The last entry of this page if more follow, else ``""``.
    """

    objects: list[StoredObject] = field(default_factory=list)
    folders: list[str] = field(default_factory=list)
    next_marker: str = ""

    def __len__(self) -> int:
        return len(self.objects) + len(self.folders)

    @property
    def next_token(self) -> str:
        """``next_marker`` as clients of the second version of the list hand it back."""
        return base64.urlsafe_b64encode(self.next_marker.encode()).decode()


def parse_token(token: str) -> str:
    """The marker in a page's ``next_token``; ``Refusal`` 400 if it is none of ours."""
    try:
        return base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError) as error:
        raise refusals.invalid_argument("The continuation token is not one of ours.") from error


def list_page(index: Index, bucket: str, *, prefix: str, delimiter: str, marker: str, max_keys: int) -> Page:
    """Up to ``max_keys`` entries after ``marker``, which may be a key or a common prefix."""
    page = Page()
    last = ""
    start, inclusive = _start(prefix, delimiter, marker)
    at_once = min(max_keys + 1, _ROWS_AT_ONCE)  # one more tells that there are more
    while rows := index.objects(bucket, start, inclusive=inclusive, limit=at_once):
        for row in rows:
            if not row.key.startswith(prefix):
                return page
            if len(page) == max_keys:
                page.next_marker = last
                return page
            if folder := folder_of(row.key, prefix, delimiter):
                page.folders.append(folder)
                last, start, inclusive = folder, _after_all_with(folder), True
                break
            page.objects.append(row)
            last, start, inclusive = row.key, row.key.encode(), False
    return page


def _start(prefix: str, delimiter: str, marker: str) -> tuple[bytes, bool]:
    if marker < prefix:
        return prefix.encode(), True
    if marker and marker == folder_of(marker, prefix, delimiter):
        return _after_all_with(marker), True
    return marker.encode(), False


def folder_of(key: str, prefix: str, delimiter: str) -> str:
    """The common prefix that stands for ``key``, or ``""`` if it stands for itself."""
    end = key.find(delimiter, len(prefix)) if delimiter else -1
    return "" if end < 0 else key[: end + len(delimiter)]


def _after_all_with(prefix: str) -> bytes:
    # No byte of UTF-8 is 0xFF, so the last one can be counted up.
    encoded = prefix.encode()
    return encoded[:-1] + bytes([encoded[-1] + 1])


def uploads_after(
    uploads: Iterable[Upload], *, prefix: str, delimiter: str, after: tuple[str, str]
) -> list[tuple[tuple[str, str], Upload]]:
    """The uploads by key and id, in order; those of one folder once, by the folder and no id.

    Args:
        uploads: In order, all under ``prefix``.
        prefix: What a folder's name begins after.
        delimiter: What it ends with.
        after: Key and id of the last one shown. Without an id the key is a whole one, or a folder:
            all that is under it was shown.
    """
    places: dict[tuple[str, str], Upload] = {}
    for upload in uploads:
        folder = folder_of(upload.key, prefix, delimiter)
        places.setdefault((folder, "") if folder else (upload.key, upload.upload_id), upload)
    return [
        (place, upload)
        for place, upload in places.items()
        if (place > after if after[1] else place[0] > after[0] or not after[0])
    ]
