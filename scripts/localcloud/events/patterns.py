"""Match events against EventBridge patterns: AND across keys, OR inside an array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_MISSING = object()


def matches(pattern: Mapping[str, object], event: Mapping[str, object]) -> bool:
    """Whether an event passes a pattern; ``{}`` lets everything through.

    A field's array lists alternatives: plain values, or operators ``prefix``, ``suffix``,
    ``anything-but`` and ``exists``. All operators in one map must hold. A field that is a list
    matches if one element does.
    https://www.alibabacloud.com/help/en/eventbridge/user-guide/event-patterns

    Raises:
        ValueError: The pattern has an unknown operator, or a field that is neither array nor map.
    """
    return all(_field_matches(wanted, event.get(key, _MISSING), key) for key, wanted in pattern.items())


def _field_matches(wanted: object, found: object, key: str) -> bool:
    if isinstance(wanted, Mapping):
        # "exists": false may be inside.
        return matches(wanted, found if isinstance(found, Mapping) else {})
    if not isinstance(wanted, Sequence) or isinstance(wanted, str):
        raise ValueError(f"pattern of {key}: expected an array or a map, found {wanted!r}")  # noqa: TRY004 - one kind
    values = found if isinstance(found, list) else [found]
    return any(_alternative_matches(alternative, value) for alternative in wanted for value in values)


def _alternative_matches(wanted: object, found: object) -> bool:
    if isinstance(wanted, Mapping):
        return all(_operator_holds(name, operand, found) for name, operand in wanted.items())
    return _same(wanted, found)


def _operator_holds(name: str, operand: object, found: object) -> bool:
    if name == "prefix":
        return isinstance(found, str) and found.startswith(str(operand))
    if name == "suffix":
        return isinstance(found, str) and found.endswith(str(operand))
    if name == "exists":
        return (found is not _MISSING) == operand
    if name == "anything-but":
        excluded = operand if isinstance(operand, list) else [operand]
        return found is not _MISSING and not any(_alternative_matches(one, found) for one in excluded)
    raise ValueError(f"unknown operator {name!r} in an event pattern")


def _same(wanted: object, found: object) -> bool:
    # In JSON true is not 1, in Python it is.
    return isinstance(wanted, bool) == isinstance(found, bool) and wanted == found
