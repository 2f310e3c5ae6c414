"""The rows of a shard as they are kept, so that they stand before their answers in its part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from shared.formats.json.cells import JsonCells, escape
from shared.problems.exceptions import PipelineError
from shared.results.columns import Answer, RowStatus

# Of what a row asks, where an earlier job may have asked it: two of 128 bits are not met by chance.
DIGEST_BYTES = 16


class PartUnreadable(PipelineError):
    """The part does not belong to these rows, or is damaged."""

    code = "part_unreadable"


def original_line(custom_id: str, cells: JsonCells) -> bytes:
    """The same as ``OriginalRow.to_line``, for a row that is sent and whose cells are escaped."""
    return b"".join((b'["', escape(custom_id), b'",["', b'","'.join(cells.escaped), b'"],"",""]\n'))


def original_lines(custom_ids: Iterable[bytes], rows: Iterable[Sequence[bytes]]) -> bytes:
    """``original_line`` of each; the ids are escaped, too."""
    pairs = zip(custom_ids, map(b'","'.join, rows), strict=True)
    return b'["' + b'"],"",""]\n["'.join(map(b'",["'.join, pairs)) + b'"],"",""]\n'


class OriginalRow(NamedTuple):
    """One input row: its id, its own columns and, if it was never sent, why.

    The cells are texts, or JSON where the result keeps types.

    Attributes:
        lender: Of a row that is not sent because an earlier one of its shard asks the same, which
            of the shard's requests that is, from 0; of one of an earlier shard, that shard and
            which of its requests. It gets the answer of that one. An older version cannot read such
            a row, and leaves its shard to a newer one.
        reuses: Of a row that is not sent because an earlier job was answered the same question, the
            digest of that, in hexadecimal digits. The answer is kept in ``reused_key``.
    """

    custom_id: str
    cells: Sequence[Any]
    error_code: str = ""
    error_message: str = ""
    lender: int | Sequence[int] | None = None
    reuses: str = ""

    @property
    def is_good(self) -> bool:
        return not self.error_code

    @property
    def is_sent(self) -> bool:
        return self.is_good and self.lender is None and not self.reuses

    def own_answer(self) -> Answer:
        """What stands in the result for a row that was never sent."""
        return Answer(
            self.custom_id, RowStatus.REFUSED, error_code=self.error_code, error_message=self.error_message
        )

    def to_line(self) -> bytes:
        fields: list[object] = [self.custom_id, self.cells, self.error_code, self.error_message]
        if self.reuses:
            fields += [None, self.reuses]
        elif self.lender is not None:
            fields += [self.lender]
        return orjson.dumps(fields) + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> OriginalRow:
        return cls(*orjson.loads(line))


def borrowed_line(line: bytes, lender: int | tuple[int, int]) -> bytes:
    """The line of a row, as if it were sent, with its ``lender``; both are without a line end."""
    if isinstance(lender, int):
        return b"%b,%d]" % (line[:-1], lender)
    return b"%b,[%d,%d]]" % (line[:-1], *lender)


def reusing_line(line: bytes, digest: bytes) -> bytes:
    """The same with the digest of what it asks and an earlier job was answered."""
    return b'%b,null,"%b"]' % (line[:-1], digest[:DIGEST_BYTES].hex().encode())


def lender_in(line: bytes) -> int | Sequence[int] | None:
    """The lender of a kept row, if it has one."""
    return None if line.endswith(_SENT) else OriginalRow.from_line(line).lender


def sent_id(line: bytes) -> str | None:
    """The id of a kept row, if it is sent. Only of odd ones the cells are read, too."""
    custom_id = line[2 : line.find(b'"', 2)]
    if line.endswith(_SENT) and b"\\" not in custom_id:
        return custom_id.decode()
    row = OriginalRow.from_line(line)
    return row.custom_id if row.is_sent else None


# The end of no other line: quotes in texts are escaped, so this code and this message are empty.
_SENT = b'],"",""]'
