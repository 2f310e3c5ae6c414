"""What a setting's text must be. No message shows it: it may be a secret in the wrong place."""

from __future__ import annotations

import json
import re
import shlex
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, JsonValue

from shared.bucket.money import Money
from shared.events.signed_events import is_region
from shared.money.amounts import parse_money

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::[0-9]{1,5})?")
_THIS_MACHINE = {"127.0.0.1", "localhost"}


def _checked_url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if scheme.lower() not in {"http", "https"} or not separator or not rest.strip("/") or " " in text:
        message = "must be a URL that starts with http:// or https://"
        raise ValueError(message)
    return text.rstrip("/")


def _checked_region(text: str) -> str:
    if not is_region(text):
        message = "must be a region such as cn-beijing"
        raise ValueError(message)
    return text


def _checked_host(text: str) -> str:
    if _HOST.fullmatch(text) is None:
        message = "must be the name of a host, without https:// or a path"
        raise ValueError(message)
    return text


def _checked_own_host(text: str) -> str:
    if _checked_host(text).partition(":")[0] not in _THIS_MACHINE:
        message = "is only for tests and must be on this machine: 127.0.0.1 or localhost, and a port"
        raise ValueError(message)
    return text


def is_own_url(text: str) -> bool:
    """Whether it leads to this machine, without TLS, as the local cloud's addresses do."""
    scheme, _, host = text.partition("://")
    return scheme == "http" and host.partition(":")[0] in _THIS_MACHINE


def _checked_host_or_own_url(text: str) -> str:
    scheme, separator, host = text.partition("://")
    if separator and scheme == "http":
        _checked_own_host(host)
        return text
    return _checked_host(text)


def _checked_folder(text: str) -> str:
    if text.startswith("/") or not text.endswith("/") or "//" in text:
        message = "must be a folder, with a slash at its end and none before it"
        raise ValueError(message)
    return text


def _parsed_object(text: object) -> dict[str, Any]:
    """Empty, if it is none."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        value = None
    return value if isinstance(value, dict) else {}


def _parsed_resource(text: object) -> object:
    resource = _parsed_object(text)
    if not resource:
        message = 'must be a JSON object such as {"InstanceType": "TI.GN10.2XLARGE40.POST"}'
        raise ValueError(message)
    return resource


def _parsed_image(text: object) -> object:
    """The address of an image, or all that its registry needs as JSON."""
    if isinstance(text, str) and not text.startswith("{"):
        image = {} if re.search(r"[\s{}]", text) else {"ImageType": "CCR", "ImageUrl": text}
    else:
        image = _parsed_object(text)
    if not {"ImageType", "ImageUrl"} <= image.keys():
        message = "must be the address of an image, or a JSON object with ImageType and ImageUrl"
        raise ValueError(message)
    return image


def _checked_words(text: str) -> str:
    try:
        shlex.split(text)
    except ValueError:
        message = "must be a command whose quotes are closed"
        raise ValueError(message) from None
    return text


def _parsed_amount(text: object) -> object:
    amount = parse_money(text) if isinstance(text, str) else text
    if amount is None:
        message = "must be an amount with its currency, such as 500 CNY"
        raise ValueError(message)
    return amount


HttpUrl = Annotated[str, AfterValidator(_checked_url)]
Region = Annotated[str, AfterValidator(_checked_region)]
Host = Annotated[str, AfterValidator(_checked_host)]
OwnHost = Annotated[str, AfterValidator(_checked_own_host)]
# Keys are sent signed, never as they are; but only to this machine without TLS.
HostOrOwnUrl = Annotated[str, AfterValidator(_checked_host_or_own_url)]
Folder = Annotated[str, AfterValidator(_checked_folder)]
Resource = Annotated[dict[str, JsonValue], BeforeValidator(_parsed_resource)]
Image = Annotated[dict[str, JsonValue], BeforeValidator(_parsed_image)]
Amount = Annotated[Money, BeforeValidator(_parsed_amount)]
Command = Annotated[str, AfterValidator(_checked_words)]
