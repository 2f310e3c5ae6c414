"""Decides what the statements of RAM policies allow; pure, and in doubt it refuses."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# The condition keys that a request may carry. A policy's other keys cannot be judged here.
KNOWN_KEYS = frozenset({"oss:Prefix", "oss:Delimiter"})
_ELEMENTS = frozenset({"Effect", "Action", "Resource", "Condition", "Sid"})
# acs:<service>:<region>:<account>:<relative id>, and the relative id may hold colons
_RESOURCE_FIELDS = 5

Conditions = Mapping[str, Mapping[str, tuple[str, ...]]]
"""Values by condition key by operator.

All operators and keys must hold; of the values one is enough.
"""


class PolicyError(Exception):
    """No valid statement, or one that says something this evaluator would have to ignore."""


@dataclass(frozen=True)
class Statement:
    """One statement of a policy. ``actions`` and ``resources`` may hold ``*`` and ``?``."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    conditions: Conditions


def parse_statement(document: object) -> Statement:
    """Read one entry of ``Statement``, whose references are resolved already.

    Raises:
        PolicyError: It is malformed or has an element such as ``NotAction`` that is not supported.
    """
    if not isinstance(document, Mapping) or not {"Effect", "Action", "Resource"} <= document.keys():
        raise PolicyError("a statement needs Effect, Action and Resource")
    unknown = sorted(document.keys() - _ELEMENTS)
    if unknown:
        raise PolicyError(f"a statement's {', '.join(unknown)} is not supported here")
    if document["Effect"] not in ("Allow", "Deny"):
        raise PolicyError(f"Effect is {document['Effect']!r}, not Allow or Deny")
    return Statement(
        allows=document["Effect"] == "Allow",
        actions=_texts(document["Action"]),
        resources=_texts(document["Resource"]),
        conditions={
            operator: {key: _texts(values) for key, values in keys.items()}
            for operator, keys in (document.get("Condition") or {}).items()
        },
    )


def is_allowed(
    statements: Iterable[Statement], action: str, resource: str, context: Mapping[str, str]
) -> bool:
    """Whether a request may pass: no ``Deny`` matches it, and an ``Allow`` does.

    A condition with an unknown operator or key counts against the request: its ``Allow`` does not
    apply, its ``Deny`` does.

    Source: https://www.alibabacloud.com/help/en/oss/user-guide/how-oss-works-with-ram

    Args:
        statements: All of the caller's policies.
        action: ``oss:GetObject``.
        resource: ``acs:oss:<region>:<account>:<bucket>/<key>``, without wildcards.
        context: The request's values for condition keys. A condition on a key that the request does
            not carry never holds.
    """
    matching = [
        statement
        for statement in statements
        if any(_is_like(pattern, action) for pattern in statement.actions)
        and any(_is_resource(pattern, resource) for pattern in statement.resources)
        and _holds(statement.conditions, context, in_doubt=not statement.allows)
    ]
    return bool(matching) and all(statement.allows for statement in matching)


def _holds(conditions: Conditions, context: Mapping[str, str], *, in_doubt: bool) -> bool:
    return all(
        _one_holds(operator, key, values, context, in_doubt=in_doubt)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _one_holds(
    operator: str, key: str, values: Iterable[str], context: Mapping[str, str], *, in_doubt: bool
) -> bool:
    if operator not in _OPERATORS or key not in KNOWN_KEYS:
        return in_doubt
    return key in context and any(_OPERATORS[operator](value, context[key]) for value in values)


def _is_like(pattern: str, text: str) -> bool:
    """``*`` matches any number of characters, also none, ``?`` exactly one; case counts.

    Source: https://www.alibabacloud.com/help/en/ram/conditional-operator
    """
    translated = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(translated, text, re.DOTALL) is not None


def _is_resource(pattern: str, resource: str) -> bool:
    """Match field by field.

    If ``*`` matched colons, ``acs:oss:*:*:mine/*`` would match another bucket's ``a:mine/b``.
    """
    if pattern == "*":
        return True
    wanted, given = (text.split(":", _RESOURCE_FIELDS - 1) for text in (pattern, resource))
    return len(wanted) == len(given) and all(map(_is_like, wanted, given))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringLike": _is_like,
}


def _texts(value: Any) -> tuple[str, ...]:
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise PolicyError(f"expected text or a list of texts, found {value!r}")
    return tuple(texts)
