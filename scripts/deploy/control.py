"""Calls of services other than OSS, by the vendor's own client, with its errors in our words.

How the client is told another address: ``Config.endpoint`` and ``Config.protocol``, as in
https://github.com/aliyun/darabonba-openapi/blob/master/python/alibabacloud_tea_openapi/models.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from alibabacloud_tea_openapi.client import Client as OpenApiClient
from alibabacloud_tea_openapi.models import Config, OpenApiRequest, Params
from darabonba.runtime import RuntimeOptions
from Tea.exceptions import TeaException, UnretryableException

from scripts.deploy.place import Place

_CONNECT_TIMEOUT_MS, _READ_TIMEOUT_MS = 10_000, 60_000
# What services answer to a caller who has no right; each has its own word.
# https://www.alibabacloud.com/help/en/ram/troubleshoot-no-permission
_NO_RIGHT = ("nopermission", "accessdenied", "forbidden", "unauthorized", "notauthorized")
# https://help.aliyun.com/en/openapi/api-error-codes-and-troubleshooting
_PASSING = ("Unreachable", "Throttling", "ServiceUnavailable", "InternalError")
Answer = TypeVar("Answer")


class CloudRefused(Exception):
    """A service answered with an error, or not at all; ``code`` is its own word."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}".rstrip(". "))  # it stands in a sentence
        self.code = code
        self.message = message

    @property
    def is_about_rights(self) -> bool:
        code = self.code.lower().replace("_", "").replace(".", "")
        return code.startswith(_NO_RIGHT) and "not enabled" not in self.message

    @property
    def is_passing(self) -> bool:
        """Whether the same question may be answered soon."""
        return self.code.startswith(_PASSING)


@dataclass(frozen=True)
class Question:
    """One action of one service.

    ``host`` may hold ``{region}``; a ``path`` makes it an action of the style ROA.
    """

    host: str
    version: str
    action: str
    path: str = ""


class Control:
    """Asks services by name of host, version and action."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def config(self, host: str) -> Config:
        """The client's settings for a service."""
        protocol, endpoint = self._place.endpoint(host)
        return Config(
            access_key_id=self._place.access_key_id,
            access_key_secret=self._place.access_key_secret,
            security_token=self._place.security_token or None,
            region_id=self._place.region,
            protocol=protocol,
            endpoint=endpoint,
            connect_timeout=_CONNECT_TIMEOUT_MS,
            read_timeout=_READ_TIMEOUT_MS,
        )

    def ask(
        self, question: Question, body: Mapping[str, str] | None = None, **parameters: str
    ) -> Mapping[str, Any]:
        """The answer's body; what is too long for an address goes into ``body``.

        Raises:
            CloudRefused: It is an error, or none came.
        """
        is_roa = bool(question.path)
        params = Params(
            action=question.action,
            version=question.version,
            protocol="HTTPS",
            pathname=question.path or "/",
            method="GET" if is_roa else "POST",
            auth_type="AK",
            style="ROA" if is_roa else "RPC",
            req_body_type="json" if is_roa else "formData",
            body_type="json",
        )
        request = OpenApiRequest(query=dict(parameters), body=dict(body) if body else None)
        client = OpenApiClient(self.config(question.host))
        answer = answered(lambda: client.call_api(params, request, RuntimeOptions()))
        told = answer.get("body")
        return told if isinstance(told, Mapping) else {}


def answered(call: Callable[[], Answer]) -> Answer:
    """Carry out a call of the vendor's client.

    Raises:
        CloudRefused: It raised an error of its own, or nothing was reached.
    """
    try:
        return call()
    except UnretryableException as error:
        cause = error.inner_exception
        if code := getattr(cause, "code", ""):
            raise CloudRefused(str(code), str(getattr(cause, "message", ""))) from error
        # Its text holds the whole address, and that the stack's parameters with their secrets.
        raise CloudRefused("Unreachable", type(cause).__name__) from None
    except TeaException as error:
        code = str(getattr(error, "code", "") or type(error).__name__)
        raise CloudRefused(code, str(getattr(error, "message", "") or error)) from error
    except OSError as error:
        raise CloudRefused("Unreachable", type(error).__name__) from None
