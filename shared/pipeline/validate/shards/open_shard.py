"""One shard that is being written: its drafts, and which of its rows are sent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

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
    # By digest, which of the requests it is, from 0.
    places: dict[bytes, int] = field(default_factory=dict)
    # By digest, the earlier job's shard that lends the answer.
    lenders: dict[bytes, int] = field(default_factory=dict)
    # How many of the same have the answer of an earlier shard's row, and of which.
    borrowed: int = 0
    borrows_from: set[Lender] = field(default_factory=set)

    @property
    def good_rows(self) -> int:
        return self.requests + self.same + self.reused

    def is_full(self, limits: ShardLimits, request: bytes) -> bool:
        return self.good_rows > 0 and not self.has_room(limits, 1, len(request))

    def has_room(self, limits: ShardLimits, rows: int, size_bytes: int) -> bool:
        """Rows that are not sent count, too: a part that is collected must not grow without end."""
        rows += self.good_rows
        return rows <= limits.max_requests and size_bytes + self.request_lines.size_bytes <= limits.max_bytes

    def has_same(self, digests: Sequence[bytes]) -> bool:
        """Whether two of them ask the same, or one as an earlier row."""
        # The keys' own method looks up the few; that of a set would go through all of them.
        found = {*digests}
        return len(found) < len(digests) or not self.places.keys().isdisjoint(found)

    def reuse(self, line: bytes, digest: bytes, lender: int) -> bytes:
        """The row's line, without its line end, as one that has an earlier job's answer."""
        self.lenders[digest] = lender
        self.reused += 1
        return reusing_line(line, digest)

    def lender_of(self, digest: bytes, asked_before: Lender | None) -> int | Lender | None:
        """Which request asks the same as a row; ``None`` if it is to be sent, which is noted."""
        if asked_before is not None:
            self.same += 1
            self.borrowed += 1
            self.borrows_from.add(asked_before)
            return asked_before
        place = self.places.setdefault(digest, self.requests)
        if place == self.requests:
            return None
        self.same += 1
        return place

    def without_answered(
        self,
        digests: Sequence[bytes],
        lines: bytes,
        requests: bytes,
        known: Mapping[bytes, int],
        asked_before: Mapping[bytes, Lender],
    ) -> tuple[bytes, bytes, Sequence[int]]:
        """Of rows and their requests, those that are kept, and the requests that are sent: which.

        Not sent is what an earlier job was answered, or what an earlier row asks.
        """
        kept, sent, places = [], [], []
        each = zip(count(), digests, lines.split(b"\n"), requests.split(b"\n"), strict=False)
        for place, digest, line, request in each:
            if digest in known:
                kept.append(self.reuse(line, digest, known[digest]))
                continue
            lender = self.lender_of(digest, asked_before.get(digest))
            if lender is not None:
                kept.append(borrowed_line(line, lender))
                continue
            kept.append(line)
            sent.append(request)
            places.append(place)
            self.requests += 1
        return b"\n".join([*kept, b""]), b"\n".join([*sent, b""]) if sent else b"", places
