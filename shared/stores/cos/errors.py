"""Translates the exceptions of COS's SDK into the pipeline's, by who must act."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from xml.etree.ElementTree import ParseError

import requests
from qcloud_cos import CosClientError, CosServiceError
from urllib3.exceptions import HTTPError

from shared.problems.exceptions import ConfigurationError, PipelineError
from shared.stores.pieces.errors import ADVICE, EXPIRED, UNUSABLE, Refused, error_for, may_pass, unreached
from shared.stores.pieces.guarded import Errors

COS = "COS"
# https://cloud.tencent.com/document/product/436/7749
_TAKEN = "FileAlreadyExists"
# https://cloud.tencent.com/document/product/436/7730
_ADVICE = {**ADVICE, "ExpiredToken": EXPIRED, "KeyTooLong": "a key has 850 bytes at most"}
# What the SDK says where the answer, such as one to a HEAD, has no code.
_NO_CODES = frozenset({"Unknown", "NoSuchResource"})
_FROM_NETWORK = (requests.RequestException, HTTPError, OSError)


class ElsewhereError(requests.RequestException):
    """COS names another address; the SDK takes that for success."""


class IncompleteAnswerError(Exception):
    """An answer that says less than COS's do."""


@contextlib.contextmanager
def translated(operation: str, key: str, *, publishes: bool = False) -> Iterator[None]:
    """Raise the pipeline's error for any that the SDK raises inside.

    Args:
        operation: COS's name for the call, for the message.
        key: The object or the prefix that it is about.
        publishes: Without an answer, the object may have changed.
    """
    what = f"{operation} {key}"
    try:
        yield
    except CosServiceError as error:
        if error.get_status_code() == 200:  # it failed after the answer had begun
            raise unreached(COS, what, error, publishes=publishes) from None
        raise _from_answer(operation, key, error) from error
    except CosClientError as error:
        raise _from_client(what, error, publishes=publishes) from error
    except (*_FROM_NETWORK, ParseError, KeyError, IncompleteAnswerError) as error:
        raise unreached(COS, what, error, publishes=publishes) from error


def refused_by(error: CosServiceError) -> Refused:
    code, status = str(error.get_error_code()), int(error.get_status_code())
    code = "" if code in _NO_CODES else code
    return Refused(
        cloud=COS,
        status=status,
        code=code,
        message=error.get_error_msg() if code else "",
        request_id=error.get_request_id() if code else "unknown",
        is_passing=may_pass(status, code),
        is_taken=(status, code) == (409, _TAKEN),
    )


def _from_answer(operation: str, key: str, error: CosServiceError) -> PipelineError:
    refused = refused_by(error)
    # A traceback shows the error; a wrong signature may be answered with what was signed.
    told = f"{refused.status} {refused.code or 'no code'}"
    error.args = (refused.status, refused.code)
    vars(error).update(_message=told, _origin_msg="", _digest_msg=told)
    if refused.code == "SignatureDoesNotMatch":
        refused = replace(refused, message="")
    return error_for(operation, key, refused, _ADVICE)


def _from_client(what: str, error: CosClientError, *, publishes: bool) -> PipelineError:
    """The SDK raises it while it handles what its HTTP library raised, or by itself."""
    cause = error.__context__
    if isinstance(cause, ElsewhereError):
        return ConfigurationError(f"{what}: {cause}", "bucket_missing")
    if isinstance(cause, _FROM_NETWORK):
        # Its text may quote the URL.
        error.args = (type(cause).__name__,)
        vars(error).update(_message=type(cause).__name__)
        return unreached(COS, what, cause, publishes=publishes)
    return ConfigurationError(f"{what}: {error}", UNUSABLE)


COS_ERRORS = Errors(translated, CosServiceError, refused_by)
