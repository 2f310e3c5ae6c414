"""Translates oss2's exceptions into the pipeline's, by who must act."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

import oss2
import requests

from shared.problems.exceptions import (
    ConfigurationError,
    ObjectMissing,
    PipelineError,
    TransientError,
)
from shared.stores.pieces.errors import ADVICE, EXPIRED, may_pass, no_answer

# The other details of an error name the signature or signed headers, such as the security token.
_SAFE_DETAILS = frozenset({"Code", "Message", "RequestId", "HostId", "EC", "Key", "BucketName"})
_ADVICE = {
    **ADVICE,
    "SecurityTokenExpired": EXPIRED,
    "InvalidArgument": "check the region and the endpoint",
    "UserDisable": "the account is overdue or disabled",
}


@contextlib.contextmanager
def translated(operation: str, key: str, *, publishes: bool = False) -> Iterator[None]:
    """Raise the pipeline's error for any that oss2 raises inside.

    Args:
        operation: OSS's name for the call, for the message.
        key: The object or the prefix that it is about.
        publishes: Without an answer, the object may have changed.
    """
    try:
        yield
    except oss2.exceptions.ServerError as error:
        raise _from_answer(operation, key, error) from error
    except (oss2.exceptions.RequestError, requests.RequestException) as error:
        cause = getattr(error, "exception", error)
        raise no_answer(f"{operation} {key}", cause, publishes=publishes) from error
    except (oss2.exceptions.OpenApiFormatError, ParseError) as error:
        raise TransientError(f"{operation} {key}: an answer that is not OSS's, perhaps cut short") from error
    except oss2.exceptions.ClientError as error:
        raise ConfigurationError(f"{operation} {key}: {error.body}") from error


def is_refused_overwrite(error: oss2.exceptions.ServerError) -> bool:
    """Whether this is the answer to ``x-oss-forbid-overwrite``; oss2 has no class for it."""
    return bool(error.status == 409 and error.code == "FileAlreadyExists")


def _from_answer(operation: str, key: str, error: oss2.exceptions.ServerError) -> PipelineError:
    # The answer to a wrong signature quotes the signed request; a traceback must not.
    error.details = {name: error.details[name] for name in _SAFE_DETAILS & error.details.keys()}
    error.body = b""
    error.args = (error.status, error.code)
    code = error.code or "no code"
    what = f"{operation} {key}: {error.status} {code} (request {error.request_id}): {error.message}"
    if may_pass(error.status, code):
        return TransientError(what)
    if code == "NoSuchKey" or error.status == 412 or (error.status == 404 and not error.code):
        return ObjectMissing(what)
    return ConfigurationError(f"{what} [{_ADVICE.get(code, 'OSS refuses this request for good')}]")
