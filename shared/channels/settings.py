"""The channels that the operator has set up, from the setting that holds their secrets."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from shared.channels.dingtalk import DingTalk
from shared.channels.feishu import Feishu
from shared.channels.mail import Encryption, Mail
from shared.channels.slack import Slack
from shared.channels.webhook import SECRET_PREFIX, Webhook
from shared.channels.wecom import WeCom
from shared.ports.channel import Channel, is_channel_name
from shared.problems.exceptions import ChannelRefused

_THIS_MACHINE = frozenset({"127.0.0.1", "localhost"})
_MIN_KEY_BYTES, _MAX_KEY_BYTES = 24, 64


def _checked_url(url: str) -> str:
    parts = urlsplit(url)
    is_own = parts.scheme == "http" and parts.hostname in _THIS_MACHINE
    if not parts.hostname or not (parts.scheme == "https" or is_own):
        message = "must begin with https://"
        raise ValueError(message)
    return url


def _checked_secret(secret: str) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except binascii.Error:
        key = b""
    if not secret.startswith(SECRET_PREFIX) or not _MIN_KEY_BYTES <= len(key) <= _MAX_KEY_BYTES:
        message = f"must be {SECRET_PREFIX} and 24 to 64 bytes in base64"
        raise ValueError(message)
    return secret


_Url = Annotated[str, AfterValidator(_checked_url)]


class _Setting(BaseModel):
    """``link_days`` is the channel's, but not for the channel to know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    link_days: Annotated[int, Field(ge=0, le=30, exclude=True)] = 0


class _Days(_Setting):
    model_config = ConfigDict(extra="ignore")


class _SignedChat(_Setting):
    url: _Url
    secret: str = ""


class _Chat(_Setting):
    url: _Url


class _Endpoint(_Setting):
    url: _Url
    secret: Annotated[str, AfterValidator(_checked_secret)]


class _Mailbox(_Setting):
    host: str
    port: int = 465
    sender: str
    recipients: Annotated[list[str], Field(min_length=1)]
    user: str = ""
    password: str = ""
    encryption: Encryption = "tls"

    @field_validator("encryption")
    @classmethod
    def _is_on_this_machine(cls, encryption: Encryption, given: ValidationInfo) -> Encryption:
        if encryption == "none" and given.data.get("host") not in _THIS_MACHINE:
            message = "none is only for a server on this machine"
            raise ValueError(message)
        return encryption


_KINDS: Mapping[str, tuple[type[_Setting], Callable[..., Channel]]] = {
    "dingtalk": (_SignedChat, DingTalk),
    "feishu": (_SignedChat, Feishu),
    "wecom": (_Chat, WeCom),
    "slack": (_Chat, Slack),
    "webhook": (_Endpoint, Webhook),
    "email": (_Mailbox, Mail),
}


class Channels:
    """Finds a channel by ``kind:name``. One that is set up wrongly hinders no other.

    Args:
        given: JSON such as ``{"dingtalk": {"team": {"url": …, "secret": …}}}``.
    """

    def __init__(self, given: str) -> None:
        try:
            self._given: object = json.loads(given)
        except ValueError:
            self._given = None

    def link_days(self, name: str) -> int:
        """How long the links in a channel's words open its readers the file's folder."""
        return _Days.model_validate(self._setting(name)).link_days

    def channel(self, name: str) -> Channel:
        """The channel.

        Raises:
            ChannelRefused: There is none of this name, or its setting is wrong; never shows it.
        """
        setting = self._setting(name)
        checked, kind = _KINDS[name.partition(":")[0]]
        try:
            return kind(**checked.model_validate(setting).model_dump())
        except ValidationError as error:
            said = f"NOTIFY_CHANNELS, {name}: {_complaint(error)}"
            raise ChannelRefused(said, problem="channel_wrong") from None

    def _setting(self, name: str) -> object:
        kind, _, own_name = name.partition(":")
        if not isinstance(self._given, Mapping):
            raise ChannelRefused("NOTIFY_CHANNELS is no JSON object", problem="channel_wrong")
        named = self._given.get(kind)
        is_name = kind in _KINDS and is_channel_name(own_name)
        if is_name and isinstance(named, Mapping) and own_name in named:
            return named[own_name]
        raise ChannelRefused(f"NOTIFY_CHANNELS has no {name}", problem="channel_unknown")


def _complaint(error: ValidationError) -> str:
    details = error.errors(include_url=False, include_context=False, include_input=False)
    return "; ".join(f"{'.'.join(map(str, each['loc']))} {each['msg']}" for each in details)
