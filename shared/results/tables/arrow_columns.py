"""How the columns of a Parquet result get their types, and what does not fit them."""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

_MAX_INT64 = 2**63 - 1
_PARAMETERS = re.compile(r"(timestamp|decimal\d+)\[?\(?(\w+), (?:tz=)?(.+?)[\])]")


class ArrowColumn(NamedTuple):
    """A type, and what makes an array of it from JSON values.

    ``array`` raises ``ArrowException`` or ``ValueError`` if a value does not fit.
    """

    type: pa.DataType
    array: Callable[[Sequence[Any]], pa.Array]


TEXT = ArrowColumn(pa.string(), lambda values: pa.array(values, pa.string()))
# Counts come from outside, and answers need not fit their schema; ``content`` has them whole.
COUNT = ArrowColumn(pa.int64(), lambda values: pa.array(map(_count, values), pa.int64()))
_INTEGER = ArrowColumn(pa.int64(), lambda values: pa.array(map(_integer, values), pa.int64()))
_NUMBER = ArrowColumn(pa.float64(), lambda values: pa.array(map(_float, values), pa.float64()))
_BOOLEAN = ArrowColumn(pa.bool_(), lambda values: pa.array(map(_boolean, values), pa.bool_()))
_READ_AS_TEXT = frozenset({pa.null(), pa.string(), pa.binary(), pa.large_binary(), pa.binary_view()})
ANSWERS: Mapping[str, ArrowColumn] = {"integer": _INTEGER, "number": _NUMBER, "boolean": _BOOLEAN}


def _count(value: object) -> int | None:
    return value if type(value) is int and abs(value) <= _MAX_INT64 else None


def _integer(value: object) -> int | None:
    # ``5.0`` is an integer in JSON Schema.
    return _count(int(value) if isinstance(value, float) and value.is_integer() else value)


def _float(value: object) -> float | None:
    try:
        return float(value) if type(value) in (int, float) else None  # type: ignore[arg-type]  # a number
    except OverflowError:
        return None


def _boolean(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _vectors(values: Sequence[object]) -> pa.Array:
    numbers, ends = array("f"), array("i", [0])
    for each in values:
        if isinstance(each, list):
            numbers.fromlist(each)
        elif each is not None:
            raise ValueError(each)
        ends.append(len(numbers))
    flat = pa.Array.from_buffers(pa.float32(), len(numbers), [None, pa.py_buffer(numbers)])
    if pc.any(pc.is_inf(flat)).as_py():
        raise ValueError("beyond single precision")
    places = pa.Array.from_buffers(pa.int32(), len(ends), [None, pa.py_buffer(ends)])
    return pa.ListArray.from_arrays(
        places, flat, mask=pa.array([each is None for each in values], pa.bool_())
    )


# Of any size: pyarrow before 26, which is Function Compute's, reads no list of one size that holds
# a null ("Expected all lists to be of size=2 but index 1 had size=0").
VECTORS = ArrowColumn(pa.list_(pa.float32()), _vectors)


def own_column(name: str) -> ArrowColumn | None:
    """A column of the dropped file, by Arrow's name of its type; ``None`` for one of texts.

    Lists, structures and bytes are texts: that is how they are read.
    """
    kind = _type_named(name)
    if kind is None or kind in _READ_AS_TEXT:
        return None
    return ArrowColumn(kind, _maker(kind))


def _type_named(name: str) -> pa.DataType | None:
    match = _PARAMETERS.fullmatch(name)
    try:
        if match is None:
            return pa.type_for_alias(name)
        if match[1] == "timestamp":
            return pa.timestamp(match[2], match[3])
        return getattr(pa, match[1])(int(match[2]), int(match[3]))
    except ValueError:
        return None


def _maker(kind: pa.DataType) -> Callable[[Sequence[str | None]], pa.Array]:
    """What reads the texts that ``cell_text`` and its like made of such values."""
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return lambda texts: pa.array(texts, kind)
    if pa.types.is_floating(kind):  # an empty cell that is not null
        return lambda texts: pa.array([each if each != "" else "nan" for each in texts], pa.string()).cast(
            kind
        )
    if pa.types.is_duration(kind):
        return lambda texts: _written(texts).cast(pa.int64()).cast(kind)
    if pa.types.is_time(kind):
        return lambda texts: _written(texts, "1970-01-01 ").cast(pa.timestamp(kind.unit)).cast(kind)
    return lambda texts: _written(texts).cast(kind)


def _written(texts: Sequence[str | None], before: str = "") -> pa.Array:
    return pa.array([before + each if each else None for each in texts], pa.string())
