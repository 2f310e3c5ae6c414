"""Joins the footers of Parquet files whose row groups are laid end to end.

The format: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.formats.tables.thrift import Struct, parse_struct, render_struct

MAGIC = b"PAR1"
# Field numbers of the structures, and which of them are places in the file.
_SCHEMA, _NUM_ROWS, _ROW_GROUPS, _METADATA = 2, 3, 4, 5
_COLUMNS, _GROUP_OFFSET, _ORDINAL = 1, 5, 7
_CHUNK_OFFSETS, _CHUNK_METADATA = (2, 4, 6), 3
_PAGE_OFFSETS = (9, 10, 11, 14)


class FootersDiffer(ValueError):
    """The files have not the same columns."""


def footer_end(footer: bytes) -> bytes:
    """A footer as it ends a file."""
    return footer + len(footer).to_bytes(4, "little") + MAGIC


def description(footer: bytes) -> bytes:
    """Its columns, in the words of its writer's version. Files that are joined have the same."""
    return _description(parse_struct(footer))


def joined_footers(footers: Iterable[tuple[bytes, int]]) -> bytes:
    """The footer of the row groups of all files, in their order.

    Args:
        footers: Each file's own, and by how much its row groups come later in the joined file.

    Raises:
        FootersDiffer: See there.
    """
    joined: Struct = {}
    described = b""
    groups: list[Any] = []
    for footer, shift in footers:
        each = parse_struct(footer)
        if not joined:
            joined, described = each, _description(each)
        elif _description(each) != described:
            raise FootersDiffer("the files have not the same columns")
        else:
            _add(joined, _NUM_ROWS, each[_NUM_ROWS][1])
        groups += _moved(each[_ROW_GROUPS][1][1], shift, len(groups))
    kind, (element, _) = joined[_ROW_GROUPS]
    return render_struct(joined | {_ROW_GROUPS: (kind, (element, groups))})


def _description(footer: Struct) -> bytes:
    return render_struct({field: footer[field] for field in (_SCHEMA, _METADATA) if field in footer})


def _moved(groups: list[Struct], shift: int, first: int) -> list[Struct]:
    for number, group in enumerate(groups, first):
        _add(group, _GROUP_OFFSET, shift)
        if _ORDINAL in group:
            group[_ORDINAL] = group[_ORDINAL][0], number
        for chunk in group[_COLUMNS][1][1]:
            for field in _CHUNK_OFFSETS:
                _add(chunk, field, shift)
            for field in _PAGE_OFFSETS:
                _add(chunk[_CHUNK_METADATA][1], field, shift)
    return groups


def _add(struct: Struct, field: int, more: int) -> None:
    """To a number that may be absent; writers leave 0 where a place is not told."""
    kind, value = struct.get(field, (0, 0))
    if value:
        struct[field] = kind, value + more
