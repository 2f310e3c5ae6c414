"""What TI-ONE's errors mean to us: who must act, and whether the call was carried out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import requests
import urllib3.exceptions
from pydantic import ValidationError
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException

from shared.problems.exceptions import (
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.providers.tione.troubles import (
    ACCESS_KEY_REFUSED,
    ACCESS_KEY_WITHOUT_PERMISSION,
    ACCOUNT_WITHOUT_MONEY,
    API_WITHDRAWN,
    CLOCK_WRONG,
    STAGING_NOT_READABLE,
    TASK_SETTINGS_REFUSED,
    WRONG_ADDRESS,
    is_name_taken,
    is_quota,
    is_stop_for_later,
    is_unclear,
    is_unknown_task,
    lasting_quota,
    trouble_of,
)
from shared.stores.pieces.addresses import is_wrong_address

# For the log; ``shared.problems.messages.provider`` has the texts for people.
_REMEDIES = {
    ACCOUNT_WITHOUT_MONEY: "The operator must pay for this Tencent Cloud account.",
    ACCESS_KEY_REFUSED: "The operator must set TENCENT_SECRET_ID and TENCENT_SECRET_KEY to a valid pair.",
    ACCESS_KEY_WITHOUT_PERMISSION: "The operator must let the key's user call these actions of TI-ONE.",
    STAGING_NOT_READABLE: "The operator must let TI-ONE read and write COS_BUCKET.",
    WRONG_ADDRESS: "The operator must correct TIONE_HOST.",
    CLOCK_WRONG: "The operator must set this machine's clock right.",
    API_WITHDRAWN: "The operator must set TIONE_API to training, or to batch.",
    TASK_SETTINGS_REFUSED: "The operator must correct TIONE_IMAGE, TIONE_RESOURCE or TIONE_REGION.",
}
_MAX_SAID = 1000
# Of the SDK, where no answer came; anything may have been done then.
_NO_CONNECTION = "ClientNetworkError"
# These come before anything was sent.
_NOT_SENT = (requests.ConnectTimeout, urllib3.exceptions.NewConnectionError)
# What the SDK, or we, fail with at an answer in no known form.
_NO_ANSWER = (KeyError, TypeError, ValueError, ValidationError, requests.RequestException)


@contextmanager
def translated(
    action: str, secrets: Sequence[str], *, if_unclear: type[TransientError] = TransientError
) -> Iterator[None]:
    """Turn the SDK's exceptions into ours.

    Args:
        action: What was being done, for the messages.
        secrets: What is cut out of every message.
        if_unclear: Raised if the call may have been carried out: no answer, an internal error, or
            an answer that cannot be read.
    """
    try:
        yield
    except TencentCloudSDKException as error:
        if error.code == _NO_CONNECTION:
            raise _not_connected(error, action, if_unclear) from error
        raise error_for(error, action, secrets, if_unclear) from None
    except _NO_ANSWER as error:
        raise if_unclear(f"TI-ONE gave no usable answer to: {action} ({type(error).__name__})") from error


def error_for(
    error: TencentCloudSDKException, action: str, secrets: Sequence[str], if_unclear: type[TransientError]
) -> PipelineError:
    """Ours for what TI-ONE said."""
    code, said = str(error.code or ""), _text(error.message)
    for secret in filter(None, secrets):
        said = said.replace(secret, "***")
    facts = f"TI-ONE refused to {action}: {said} (code {code}, request {error.requestId})"
    if is_unclear(code):
        return if_unclear(facts)
    if is_stop_for_later(code):
        return TransientError(facts)
    if is_quota(code):
        return QuotaReached(facts, lasting_quota(code))
    trouble = None if is_name_taken(code) or is_unknown_task(code) else trouble_of(code)
    if trouble:
        return ProviderTrouble(facts, trouble, remedy=_REMEDIES[trouble])
    return ProviderRejected(facts, provider_code=code, request_id=str(error.requestId or ""))


def _not_connected(
    error: TencentCloudSDKException, action: str, if_unclear: type[TransientError]
) -> PipelineError:
    """The SDK keeps nothing but the words of what went wrong, and Python the rest."""
    cause = error.__context__ or error
    if is_wrong_address(cause):
        facts = f"No TI-ONE is there to: {action}"
        return ProviderTrouble(facts, WRONG_ADDRESS, remedy=_REMEDIES[WRONG_ADDRESS])
    told = f"TI-ONE gave no answer to: {action} ({type(cause).__name__})"
    return TransientError(told) if _was_not_sent(cause) else if_unclear(told)


def _was_not_sent(cause: BaseException) -> bool:
    """``requests`` wraps what urllib3 raised as an argument, and that the first cause as reason."""
    inner = cause.args[0] if cause.args else None
    return any(isinstance(each, _NOT_SENT) for each in (cause, inner, getattr(inner, "reason", None)))


def _text(message: object) -> str:
    """A proxy's answer comes as bytes, of any length."""
    text = message.decode(errors="replace") if isinstance(message, bytes) else str(message or "no message")
    return text[:_MAX_SAID]
