"""The policy of a posted form: what its signer allows to be uploaded; pure.

Source: https://help.aliyun.com/en/oss/developer-reference/postobject, "Appendix: Policy". The ECs
are those of the pages 0006-00000201 and following under https://help.aliyun.com/en/oss/user-guide/.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from scripts.localcloud.oss import form_refusals

# https://help.aliyun.com/en/oss/user-guide/0006-00000003: PostObject takes 5 GB.
_MAX_BYTES = 5 * 1024**3
_SIZES = "content-length-range"
_TEXT_MODES = frozenset({"eq", "starts-with"})
_LIST_MODES = frozenset({"in", "not-in"})
_EXPIRATION = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?Z", re.ASCII)


@dataclass(frozen=True)
class Condition:
    """What one field must be: ``values`` holds one, but for the modes with a list."""

    mode: str
    field: str
    values: Sequence[str]

    def holds(self, value: str) -> bool:
        if self.mode == "starts-with":
            return value.startswith(self.values[0])
        return (value in self.values) != (self.mode == "not-in")

    def __str__(self) -> str:
        values = list(self.values) if self.mode in _LIST_MODES else self.values[0]
        return json.dumps([self.mode, f"${self.field}", values], ensure_ascii=False)


@dataclass(frozen=True)
class Policy:
    """What is allowed, until when, and with how many bytes."""

    expires_at: datetime
    conditions: Sequence[Condition]
    min_bytes: int = 0
    max_bytes: int = _MAX_BYTES

    def check(self, fields: Mapping[str, str], now: datetime) -> None:
        """Return if all conditions hold for ``fields``, the bucket among them.

        Raises:
            Refusal: 403.
        """
        if now > self.expires_at:
            raise form_refusals.against_policy("Policy expired.", "0006-00000213")
        for each in self.conditions:
            if each.field not in fields:
                raise form_refusals.against_policy(f"Policy Condition failed: {each}", "0006-00000226")
            if not each.holds(fields[each.field]):
                raise form_refusals.against_policy(f"Policy Condition failed: {each}", "0006-00000201")

    def names(self, fields: Iterable[str]) -> bool:
        """Whether it has a condition about each of them."""
        return set(fields) <= {each.field for each in self.conditions}

    def bounded(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        """The bytes of a file; 400 once it is too large, and at its end if it is too small."""
        size_bytes = 0
        for piece in pieces:
            size_bytes += len(piece)
            if size_bytes > self.max_bytes:
                raise form_refusals.file_too_large(self.max_bytes)
            yield piece
        if size_bytes < self.min_bytes:
            raise form_refusals.file_too_small(size_bytes, self.min_bytes)


def parse_policy(encoded: str) -> Policy:
    """Read the form's field.

    Raises:
        Refusal: 400.
    """
    if not encoded:
        raise form_refusals.invalid_policy("it is empty", "0006-00000205")
    try:
        document = json.loads(base64.b64decode(encoded, validate=True).decode("utf-8"))
    except (binascii.Error, ValueError, RecursionError) as error:
        raise form_refusals.invalid_policy("Invalid JSON", "0006-00000201") from error
    if not isinstance(document, dict):
        raise form_refusals.invalid_policy("Invalid JSON", "0006-00000201")
    _check_names(document)
    expires_at = _expiration(document["expiration"])
    sizes = [each for each in document["conditions"] if _mode(each) == _SIZES]
    others = [_condition(each) for each in document["conditions"] if _mode(each) != _SIZES]
    bounds = [_bounds(each) for each in sizes]
    return Policy(
        expires_at,
        others,
        max((low for low, _ in bounds), default=0),
        min((high for _, high in bounds), default=_MAX_BYTES),
    )


def _check_names(document: Mapping[str, Any]) -> None:
    lacking = {"expiration", "conditions"} - document.keys()
    if lacking:
        ecs = {"conditions": "0006-00000207", "expiration": "0006-00000208"}
        ec = "0006-00000209" if len(lacking) > 1 else ecs[min(lacking)]
        raise form_refusals.invalid_policy(f"{' and '.join(sorted(lacking))} is missing", ec)
    if unknown := sorted(document.keys() - {"expiration", "conditions"}):
        raise form_refusals.invalid_policy(f"unknown {unknown[0]}", "0006-00000206")
    if not isinstance(document["conditions"], list) or not document["conditions"]:
        raise form_refusals.invalid_policy("conditions is no list of conditions", "0006-00000215")


def _expiration(value: object) -> datetime:
    if not isinstance(value, str):
        raise form_refusals.invalid_policy("expiration is no text", "0006-00000210")
    if not value:
        raise form_refusals.invalid_policy("expiration is empty", "0006-00000211")
    try:
        if not _EXPIRATION.fullmatch(value):
            raise ValueError(value)  # noqa: TRY301 (one answer for both)
        return datetime.strptime(value[:19], "%Y-%m-%dT%H:%M:%S").replace(tzinfo=timezone.utc)
    except ValueError as error:
        raise form_refusals.invalid_policy("expiration is no time in GMT", "0006-00000212") from error


def _mode(condition: object) -> str:
    return str(condition[0]).lower() if isinstance(condition, list) and condition else ""


def _condition(condition: object) -> Condition:
    if isinstance(condition, dict):
        if len(condition) != 1:
            said = "Invalid Simple-Condition: Simple-Conditions must have exactly one property specified."
            raise form_refusals.invalid_policy(said, "0006-00000218")
        condition = ["eq", *next(iter(condition.items()))]
    mode = _mode(condition)
    if mode not in _TEXT_MODES | _LIST_MODES:
        raise form_refusals.invalid_policy("a condition has no matching mode", "0006-00000216")
    match condition:
        case [_, str(field), str(value)] if mode in _TEXT_MODES:
            return Condition(mode, _named(field), [value])
        case [_, str(field), list(values)] if mode in _LIST_MODES and all(isinstance(v, str) for v in values):
            return Condition(mode, _named(field), values)
    raise form_refusals.invalid_policy(f"the value of a condition {mode} is invalid", "0006-00000218")


def _bounds(condition: Sequence[object]) -> tuple[int, int]:
    match condition:
        case [_, int(low), int(high)] if 0 <= low <= high:
            return low, high
    raise form_refusals.invalid_policy(f"{_SIZES} is invalid", "0006-00000221")


def _named(field: str) -> str:
    return field.removeprefix("$").lower()
