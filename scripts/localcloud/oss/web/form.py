"""A posted form, whose file is read as it arrives.

Source: https://help.aliyun.com/en/oss/developer-reference/postobject
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from scripts.localcloud.oss import form_refusals

_MAX_FIELD_BYTES = 8 * 1024
# More than one piece of the body, and what is left of the one before.
_MAX_UNREAD_BYTES = 1024 * 1024
_FILENAME = "${filename}"


@dataclass(frozen=True)
class PostedForm:
    """What stands before the file, and the file; what stands behind it has no effect.

    Attributes:
        fields: By names in lower case.
        file_type: The content type that its browser gave the file.
        pieces: The file's bytes, which can be read once.
    """

    fields: Mapping[str, str]
    file_name: str
    file_type: str
    pieces: Iterator[bytes]

    @property
    def key(self) -> str:
        return self.fields.get("key", "").replace(_FILENAME, self.file_name)

    @property
    def content_type(self) -> str:
        """OSS's own field is stronger than what a browser makes up."""
        fields = self.fields
        return fields.get("x-oss-content-type") or self.file_type or fields.get("content-type", "")


def open_form(content_type: str, pieces: Iterator[bytes]) -> PostedForm:
    """Read a form up to its file.

    Args:
        content_type: The request's, with the boundary.
        pieces: The request's body.

    Raises:
        Refusal: 400; also while the file is read.
    """
    boundary = parse_options_header(content_type)[1].get("boundary", "")
    if not boundary:
        raise form_refusals.malformed_post_request()
    events = _events(boundary.encode("latin-1", "replace"), pieces)
    fields: dict[str, str] = {}
    for event in events:
        if not isinstance(event, Field | File):
            continue
        if event.name == "file":
            name = event.filename if isinstance(event, File) else ""
            base = name.rpartition("/")[2]  # some clients send the whole path
            return PostedForm(fields, base, event.headers.get("content-type", ""), _file(events))
        fields[str(event.name).lower()] = _text(events)
    raise form_refusals.no_file_in_form()


def _events(boundary: bytes, pieces: Iterator[bytes]) -> Iterator[Event]:
    decoder = MultipartDecoder(boundary, _MAX_UNREAD_BYTES)
    try:
        for piece in pieces:
            decoder.receive_data(piece)
            yield from _decoded(decoder)
        decoder.receive_data(None)
        yield from _decoded(decoder)
    except (ValueError, RequestEntityTooLarge) as error:
        raise form_refusals.malformed_post_request() from error


def _decoded(decoder: MultipartDecoder) -> Iterator[Event]:
    while not isinstance(event := decoder.next_event(), NeedData):
        yield event
        if isinstance(event, Epilogue):
            return


def _part(events: Iterator[Event]) -> Iterator[bytes]:
    for event in events:
        if isinstance(event, Data):
            yield event.data
            if not event.more_data:
                return


def _text(events: Iterator[Event]) -> str:
    value = bytearray()
    for piece in _part(events):
        value += piece
        if len(value) > _MAX_FIELD_BYTES:
            raise form_refusals.field_too_long()
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise form_refusals.malformed_post_request() from error


def _file(events: Iterator[Event]) -> Iterator[bytes]:
    """To the end of the form, so that half a form leaves nothing."""
    yield from _part(events)
    for _ in events:
        pass
