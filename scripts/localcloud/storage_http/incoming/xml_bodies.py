"""XML documents of services that keep objects: rendered for answers, parsed from requests."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.multipart import PartReference
from scripts.localcloud.storage_http.answer import Answer

# What XML 1.0 cannot hold. Keys with such characters need encoding-type=url, which oss2 always
# sends. To others they are written as references, which some parsers take, rather than as another
# key.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Element = tuple[str, object]
"""A name with a text, or with a sequence of further elements."""


def xml_answer(
    root: str, content: Sequence[Element] | str, headers: Mapping[str, str] | None = None
) -> Answer:
    return Answer(headers={"Content-Type": "application/xml", **(headers or {})}, body=render(root, content))


def render(root: str, content: Sequence[Element] | str) -> bytes:
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + _render((root, content)).encode("utf-8")


def legible(text: str) -> str:
    """For documents that every client must be able to read: refusals."""
    return _ILLEGAL.sub("?", text)


def encoded(value: str, encoding_type: str) -> str:
    """A key as a listing shows it; ``url`` is the one encoding there is."""
    return quote(value, safe="") if encoding_type == "url" else value


def parse_parts(body: bytes) -> list[PartReference]:
    """The lines of a CompleteMultipartUpload document."""
    references = []
    for part in parse_document(body, "CompleteMultipartUpload").iterfind("{*}Part"):
        number, etag = part.findtext("{*}PartNumber", ""), part.findtext("{*}ETag", "").strip('" ').upper()
        if not re.fullmatch("[0-9]{1,5}", number) or not re.fullmatch("[0-9A-F]{32}", etag):
            raise refusals.malformed_document()
        references.append(PartReference(int(number), etag))
    return references


def parse_deletions(body: bytes) -> tuple[list[str], bool]:
    """The keys of a Delete document, and whether it wants a quiet answer."""
    root = parse_document(_shielded(body), "Delete")
    keys = [_unshielded(key.text or "") for key in root.iterfind("{*}Object/{*}Key")]
    if not 1 <= len(keys) <= 1000:
        raise refusals.malformed_document()
    if root.find("{*}Object/{*}VersionId") is not None:
        raise refusals.not_implemented("versions of objects")
    return keys, root.findtext("{*}Quiet", "").lower() == "true"


def parse_versioning(body: bytes) -> str:
    """The status that a VersioningConfiguration document asks for."""
    return parse_document(body, "VersioningConfiguration").findtext("{*}Status", "")


def parse_tagging(body: bytes) -> list[tuple[str, str]]:
    """Keys and values of a Tagging document."""
    tags = parse_document(body, "Tagging").iterfind("{*}TagSet/{*}Tag")
    return [(tag.findtext("{*}Key", ""), tag.findtext("{*}Value", "")) for tag in tags]


def parse_bucket_configuration(body: bytes) -> dict[str, str]:
    """What a CreateBucketConfiguration document asks for, name by name."""
    if not body:
        return {}
    root = parse_document(body, "CreateBucketConfiguration")
    return {child.tag.rpartition("}")[2]: (child.text or "").strip() for child in root}


# XML 1.0 holds no control characters, yet clients send keys with them, raw or as references, and
# the service takes them. They pass the parser as characters that nobody uses.
_SHIELD = 0x10FF00
_CONTROL = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f]|&#(?:0*([0-9]{1,2})|x0*([0-9a-fA-F]{1,2}));")


def _shielded(body: bytes) -> bytes:
    def shield(found: re.Match[str]) -> str:
        code = int(found[1]) if found[1] else int(found[2], 16) if found[2] else ord(found[0])
        return chr(_SHIELD + code) if code < 0x20 else found[0]

    try:
        return _CONTROL.sub(shield, body.decode("utf-8")).encode("utf-8")
    except UnicodeDecodeError as error:
        raise refusals.malformed_document() from error


def _unshielded(text: str) -> str:
    return re.sub(f"[{chr(_SHIELD)}-{chr(_SHIELD + 0x1F)}]", lambda c: chr(ord(c[0]) - _SHIELD), text)


def parse_document(body: bytes, root_name: str) -> ET.Element:
    try:
        # Only our own clients on this machine reach the parser, and expat bounds entity expansion.
        root = ET.fromstring(body)  # noqa: S314
    except ET.ParseError as error:
        raise refusals.malformed_document() from error
    if root.tag.rpartition("}")[2] != root_name:
        raise refusals.malformed_document()
    return root


def _render(element: Element) -> str:
    name, content = element
    if isinstance(content, list | tuple):
        return f"<{name}>{''.join(map(_render, content))}</{name}>"
    text = _ILLEGAL.sub(lambda found: f"&#{ord(found[0])};", escape(str(content)))
    return f"<{name}>{text}</{name}>"
