"""What one invocation knows of itself, alike in every Function Compute runtime."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from shared.problems.exceptions import ConfigurationError


@dataclass(frozen=True)
class Credentials:
    """The function role's temporary keys, for one invocation: keep no client built from them."""

    access_key_id: str
    access_key_secret: SecretStr
    security_token: SecretStr | None = None


@dataclass(frozen=True)
class MissingCredentials:
    """The credentials that an invocation lacks, by the names of where they were looked for."""

    names: tuple[str, ...]


@dataclass(frozen=True)
class FcContext:
    """One invocation. A text that the platform did not give is empty, a number ``None``."""

    request_id: str = ""
    function_name: str = ""
    handler: str = ""
    memory_mb: int | None = None
    timeout_s: int | None = None
    region: str = ""
    account_id: str = ""
    qualifier: str = ""
    given_credentials: Credentials | MissingCredentials = field(default=MissingCredentials(()), repr=False)

    @property
    def credentials(self) -> Credentials:
        """This invocation's credentials.

        Raises:
            ConfigurationError: There are none; only functions that use them need a role.
        """
        if isinstance(self.given_credentials, MissingCredentials):
            names = ", ".join(self.given_credentials.names) or "all of them"
            message = f"no credentials for this invocation; missing: {names}. Give the function a RAM role."
            raise ConfigurationError(message)
        return self.given_credentials

    def secret_values(self) -> tuple[str, ...]:
        """The values that must never be written anywhere."""
        given = self.given_credentials
        if isinstance(given, MissingCredentials):
            return ()
        secrets = (given.access_key_secret, given.security_token)
        return tuple(secret.get_secret_value() for secret in secrets if secret is not None)


_ENVIRONMENT_NAMES = (
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
    "ALIBABA_CLOUD_SECURITY_TOKEN",
)
_HEADER_NAMES = ("x-fc-access-key-id", "x-fc-access-key-secret", "x-fc-security-token")
_ATTRIBUTE_NAMES = ("access_key_id", "access_key_secret", "security_token")


def context_from_builtin(raw_context: object, env: Mapping[str, str]) -> FcContext:
    """The context that a built-in Python runtime hands to a handler.

    Python 3.12 dropped ``context.credentials`` in favour of the environment, and moved what
    ``context.service`` held (https://www.alibabacloud.com/help/en/functioncompute/fc/context-1).
    An ``FcContext``, as the custom runtime hands over, is returned unchanged.
    """
    if isinstance(raw_context, FcContext):
        return raw_context
    function = getattr(raw_context, "function", None)
    service = getattr(raw_context, "service", None)
    return FcContext(
        request_id=_text(raw_context, "request_id"),
        function_name=_text(function, "name") or env.get("FC_FUNCTION_NAME", ""),
        handler=_text(function, "handler") or env.get("FC_FUNCTION_HANDLER", ""),
        memory_mb=_number(_text(function, "memory") or env.get("FC_FUNCTION_MEMORY_SIZE", "")),
        timeout_s=_number(_text(function, "timeout")),
        region=_text(raw_context, "region") or env.get("FC_REGION", ""),
        account_id=_text(raw_context, "account_id") or env.get("FC_ACCOUNT_ID", ""),
        qualifier=_text(function, "qualifier") or _text(service, "qualifier"),
        given_credentials=_first_credentials(
            tuple(_text(getattr(raw_context, "credentials", None), name) for name in _ATTRIBUTE_NAMES),
            tuple(f"context.credentials.{name}" for name in _ATTRIBUTE_NAMES),
            env,
        ),
    )


def context_from_headers(headers: Mapping[str, str], env: Mapping[str, str]) -> FcContext:
    """The context that the platform sends to a custom runtime with each request.

    Source of the names:
    https://www.alibabacloud.com/help/en/functioncompute/fc/context-and-log-format-1
    """
    given = {name.lower(): value for name, value in headers.items()}
    return FcContext(
        request_id=given.get("x-fc-request-id", ""),
        function_name=given.get("x-fc-function-name") or env.get("FC_FUNCTION_NAME", ""),
        handler=given.get("x-fc-function-handler") or env.get("FC_FUNCTION_HANDLER", ""),
        memory_mb=_number(given.get("x-fc-function-memory") or env.get("FC_FUNCTION_MEMORY_SIZE", "")),
        timeout_s=_number(given.get("x-fc-function-timeout", "")),
        region=given.get("x-fc-region") or env.get("FC_REGION", ""),
        account_id=given.get("x-fc-account-id") or env.get("FC_ACCOUNT_ID", ""),
        qualifier=given.get("x-fc-qualifier", ""),
        given_credentials=_first_credentials(
            tuple(given.get(name, "") for name in _HEADER_NAMES), _HEADER_NAMES, env
        ),
    )


def _first_credentials(
    given: tuple[str, ...], names: tuple[str, ...], env: Mapping[str, str]
) -> Credentials | MissingCredentials:
    """The invocation's own credentials, else the environment's.

    Never half of each: key, secret and token belong together.
    """
    if not any(given):
        given, names = tuple(env.get(name, "") for name in _ENVIRONMENT_NAMES), _ENVIRONMENT_NAMES
    key_id, key_secret, token = given
    if not (key_id and key_secret):
        return MissingCredentials(
            tuple(name for name, value in zip(names[:2], given[:2], strict=True) if not value)
        )
    return Credentials(key_id, SecretStr(key_secret), SecretStr(token) if token else None)


def _text(source: object, name: str) -> str:
    value = getattr(source, name, None)
    return "" if value is None else str(value)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None
