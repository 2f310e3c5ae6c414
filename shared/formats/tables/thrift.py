"""Reads and writes structures in Thrift's compact protocol, whatever their fields mean.

https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md
"""

from __future__ import annotations

from typing import Any

# By its number, each field's type and value. A list is its elements' type, and they; what is not
# needed here (doubles, bytes) is kept as the bytes that it is.
Struct = dict[int, tuple[int, Any]]

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = frozenset({4, 5, 6})
_LONG_LIST = 15  # as its size in the head: the size follows


def parse_struct(content: bytes) -> Struct:
    """The structure that the bytes begin with.

    Raises:
        ValueError: They are none, or it has a field of a type that Parquet has not.
    """
    return _Reader(content).struct()


def render_struct(struct: Struct) -> bytes:
    written = bytearray()
    _write_struct(written, struct)
    return bytes(written)


class _Reader:
    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def struct(self) -> Struct:
        fields: Struct = {}
        number = 0
        while head := self._byte():
            kind, step = head & 15, head >> 4
            number = number + step if step else self._integer()
            fields[number] = kind, self._value(kind)
        return fields

    def _value(self, kind: int) -> Any:
        if kind in (_TRUE, _FALSE):
            return None  # the type says it
        return self._element(kind)

    def _element(self, kind: int) -> Any:
        """Of a list a truth value is a byte of its own."""
        if kind in _INTEGERS:
            return self._integer()
        if kind == _BINARY:
            return self._bytes(self._varint())
        if kind == _STRUCT:
            return self.struct()
        if kind in (_LIST, _SET):
            return self._list()
        if kind == _DOUBLE:
            return self._bytes(8)
        if kind in (_TRUE, _FALSE, _BYTE):
            return self._bytes(1)
        raise ValueError(f"a field of type {kind}")

    def _list(self) -> tuple[int, list[Any]]:
        head = self._byte()
        kind, size = head & 15, head >> 4
        count = self._varint() if size == _LONG_LIST else size
        return kind, [self._element(kind) for _ in range(count)]

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
        return value | byte << shift

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        taken = self._content[self._at : self._at + count]
        if len(taken) < count:
            raise ValueError("it ends too soon")
        self._at += count
        return taken


def _write_struct(written: bytearray, struct: Struct) -> None:
    before = 0
    for number, (kind, value) in sorted(struct.items()):
        step = number - before
        if 0 < step < 16:
            written.append(step << 4 | kind)
        else:
            written.append(kind)
            _write_integer(written, number)
        if kind not in (_TRUE, _FALSE):
            _write_element(written, kind, value)
        before = number
    written.append(0)


def _write_element(written: bytearray, kind: int, value: Any) -> None:
    if kind in _INTEGERS:
        _write_integer(written, value)
    elif kind == _BINARY:
        _write_varint(written, len(value))
        written += value
    elif kind == _STRUCT:
        _write_struct(written, value)
    elif kind in (_LIST, _SET):
        _write_list(written, *value)
    else:
        written += value


def _write_list(written: bytearray, kind: int, values: list[Any]) -> None:
    written.append(min(len(values), _LONG_LIST) << 4 | kind)
    if len(values) >= _LONG_LIST:
        _write_varint(written, len(values))
    for value in values:
        _write_element(written, kind, value)


def _write_integer(written: bytearray, value: int) -> None:
    _write_varint(written, value << 1 if value >= 0 else (-value << 1) - 1)


def _write_varint(written: bytearray, value: int) -> None:
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    written.append(value)
