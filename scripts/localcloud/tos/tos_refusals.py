"""Refusals as TOS gives them.

Codes and ECs: https://www.volcengine.com/docs/6349/74874, and the constants of its Java SDK. An
error whose EC we found nowhere has none, rather than an invented one.
"""

from __future__ import annotations

from scripts.localcloud.storage.refusals import Refusal

ECS = {"FileAlreadyExists": "0017-00000004", "NoSuchKey": "0017-00000003"}
# What the storage calls it, and TOS; the code of an object that must not be overwritten is
# published nowhere.
CODES = {"MalformedXML": "MalformedBody", "FileAlreadyExists": "ObjectAlreadyExists"}


def malformed_body() -> Refusal:
    return Refusal(400, "MalformedBody", "The JSON you provided was not well-formed.")


def content_hash_does_not_match() -> Refusal:
    message = "The provided x-tos-content-sha256 does not match what was computed."
    return Refusal(400, "XTosContentSHA256Mismatch", message)


def operation_aborted() -> Refusal:
    message = "A conflicting conditional operation is currently in progress against this resource."
    return Refusal(409, "OperationAborted", message)
