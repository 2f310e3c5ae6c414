"""What Ark's errors mean to us: who must act, and whether the call was carried out."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import urllib3.exceptions
from pydantic import ValidationError
from volcenginesdkcore.rest import ApiException

from shared.problems.exceptions import (
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.providers.ark.troubles import (
    ACCESS_KEY_REFUSED,
    ACCESS_KEY_WITHOUT_PERMISSION,
    ACCOUNT_WITHOUT_MONEY,
    CLOCK_WRONG,
    MODEL_NOT_ACTIVATED,
    SETTINGS_REFUSED,
    STAGING_NOT_READABLE,
    WRONG_ADDRESS,
    is_quota,
    lasting_quota,
    trouble_of,
)
from shared.stores.pieces.addresses import is_wrong_address

# For the log; ``shared.problems.messages.provider`` has the texts for people.
_REMEDIES = {
    ACCOUNT_WITHOUT_MONEY: "The operator must pay for this Volcengine account, or activate Ark in it.",
    ACCESS_KEY_REFUSED: "The operator must set ARK_ACCESS_KEY_ID and ARK_SECRET_ACCESS_KEY to a valid pair.",
    ACCESS_KEY_WITHOUT_PERMISSION: "The operator must let the access key's user call Ark's batch inference.",
    MODEL_NOT_ACTIVATED: "The operator must activate this model in the Ark console.",
    STAGING_NOT_READABLE: "The operator must let Ark read and write TOS_BUCKET, which lies in Ark's region.",
    WRONG_ADDRESS: "The operator must correct ARK_HOST.",
    CLOCK_WRONG: "The operator must set this machine's clock right.",
    SETTINGS_REFUSED: "The operator must correct ARK_PROJECT or ARK_REGION.",
}
_MAX_SAID = 1000

# These come before anything was sent.
_NOT_SENT = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)
# What the SDK fails with at an answer in no known form: it asks a text for its keys. No TypeError,
# with which a wrong call of it fails.
_NO_ANSWER = (AttributeError, ValueError, ValidationError, urllib3.exceptions.HTTPError)


@dataclass(frozen=True)
class Told:
    """What Ark said of a call that it refused; ``status`` is 0 if it was not Ark that spoke."""

    status: int
    code: str = ""
    message: str = "no readable message"
    request_id: str = ""

    @property
    def may_be_done(self) -> bool:
        """Whether the call may have been carried out all the same."""
        return (
            self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
            or self.status == HTTPStatus.REQUEST_TIMEOUT
            or self.code.startswith("Internal")
            or (self.status < HTTPStatus.BAD_REQUEST and not self.code)
        )


@contextmanager
def translated(
    action: str, secrets: Sequence[str], *, if_unclear: type[TransientError] = TransientError
) -> Iterator[None]:
    """Turn the SDK's exceptions into ours.

    Args:
        action: What was being done, for the messages.
        secrets: What is cut out of every message.
        if_unclear: Raised if the call may have been carried out: no answer, a 5xx, or an answer
            that cannot be read.
    """
    try:
        yield
    except ApiException as error:
        trouble = _wrong_address(error, action)
        raise trouble or _error_for(told_by(error), action, secrets, if_unclear) from None
    except _NOT_SENT as error:
        unreached = TransientError(f"Ark cannot be reached to: {action} ({type(error).__name__})")
        raise _wrong_address(error, action) or unreached from error
    except _NO_ANSWER as error:
        unclear = if_unclear(f"Ark gave no usable answer to: {action} ({type(error).__name__})")
        raise _wrong_address(error, action) or unclear from error


def _wrong_address(error: Exception, action: str) -> ProviderTrouble | None:
    if not is_wrong_address(error):
        return None
    facts = f"No Ark is there to: {action}"
    return ProviderTrouble(facts, WRONG_ADDRESS, remedy=_REMEDIES[WRONG_ADDRESS])


def is_not_found(refusal: ProviderRejected) -> bool:
    return refusal.status == HTTPStatus.NOT_FOUND or refusal.provider_code.startswith("NotFound")


def told_by(error: ApiException) -> Told:
    """An error has a body; in an answer of status 200 the SDK writes it into ``reason``."""
    status = error.status or 0
    answer = _mapping(_parsed(error.body))
    metadata = _mapping(answer.get("ResponseMetadata"))
    said = _mapping(metadata.get("Error")) or _mapping(_literal(error.reason) if not error.body else None)
    if not said:
        return Told(status)
    return Told(
        status,
        code=str(said.get("Code") or ""),
        message=str(said.get("Message") or "no message")[:_MAX_SAID],
        request_id=str(metadata.get("RequestId") or ""),
    )


def _error_for(
    told: Told, action: str, secrets: Sequence[str], if_unclear: type[TransientError]
) -> PipelineError:
    said = told.message
    for secret in filter(None, secrets):
        said = said.replace(secret, "***")
    facts = (
        f"Ark refused to {action}: {said} (status {told.status}, code {told.code}, request {told.request_id})"
    )
    if told.may_be_done:
        return if_unclear(facts)
    trouble = trouble_of(told.status, told.code)
    if trouble:
        return ProviderTrouble(facts, trouble, remedy=_REMEDIES[trouble])
    if is_quota(told.status, told.code, told.message):
        return QuotaReached(facts, lasting_quota(told.code, told.message))
    if not told.code:
        return TransientError(facts)  # a proxy's words, not Ark's
    return ProviderRejected(facts, provider_code=told.code, status=told.status, request_id=told.request_id)


def _parsed(body: Any) -> Any:
    try:
        return json.loads(body or "null")
    except ValueError:
        return None


def _literal(reason: Any) -> Any:
    try:
        return ast.literal_eval(str(reason))
    except (ValueError, SyntaxError):
        return None


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
