"""One shard that is being written: its drafts, and which of its rows are sent."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.formats.write_blocks import Blocks
from shared.pipeline.loans.asked_before import Lender
from shared.ports.profile import ShardLimits
from shared.ports.store import ObjectWriter
from shared.results.kept_rows import borrowed_line, reusing_line


class Draft(Blocks):
    """One object that is being written, in blocks, which ``look`` sees on their way."""

    def __init__(self, writer: ObjectWriter, look: Callable[[bytes], object] | None = None) -> None:
        super().__init__(self._write_block)
        self._writer = writer
        self._look = look

    def _write_block(self, block: bytes) -> None:
        if self._look is not None:
            self._look(block)
        self._writer.write(block)

    def commit(self) -> None:
        self.flush()
        self._writer.commit()

    def discard(self) -> None:
        self.clear()
        self._writer.__exit__(None, None, None)


@dataclass
class OpenShard:
    """Counts are of rows so far."""

    number: int
    rows_key: str
    requests_key: str
    original_rows: Draft
    request_lines: Draft
    rows: int = 0
    requests: int = 0
    same: int = 0
    reused: int = 0
    # Which of the earlier jobs' answers its rows have.
    lenders: array[int] = field(default_factory=lambda: array("I"))
    # Which requests of earlier shards answer rows of this one.
    borrows_from: array[int] = field(default_factory=lambda: array("I"))

    @property
    def borrowed(self) -> int:
        """How many rows have the answer of an earlier shard's."""
        return len(self.borrows_from)

    @property
    def good_rows(self) -> int:
        return self.requests + self.same + self.reused

    def is_full(self, limits: ShardLimits, request: bytes) -> bool:
        return self.good_rows > 0 and not self.has_room(limits, 1, len(request))

    def has_room(self, limits: ShardLimits, rows: int, size_bytes: int) -> bool:
        """Rows that are not sent count, too: a part that is collected must not grow without end."""
        rows += self.good_rows
        return rows <= limits.max_requests and size_bytes + self.request_lines.size_bytes <= limits.max_bytes

    def reuse(self, line: bytes, digest: bytes, answer: int) -> bytes:
        """The row's line, without its line end, as one that has an earlier job's answer."""
        self.lenders.append(answer)
        self.reused += 1
        return reusing_line(line, digest)

    def borrow(self, line: bytes, request: int, lender: int | Lender) -> bytes:
        """The row's line, without its line end, as one that has the answer of that request."""
        self.same += 1
        if not isinstance(lender, int):
            self.borrows_from.append(request)
        return borrowed_line(line, lender)
