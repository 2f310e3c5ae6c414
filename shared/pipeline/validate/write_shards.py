"""Cuts a stream of rows into shards within the provider's limits, and keeps them as drafts."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType

from shared.bucket.attempt import JobId
from shared.bucket.blocks import Blocks
from shared.bucket.keys import draft_key
from shared.bucket.records import PlannedShard
from shared.inputs.rows import InputRow, RowBlock
from shared.money.line_parameters import LineParameters
from shared.money.token_meter import TokenMeter
from shared.pipeline.validate.original_lines import plain_line, typed_line
from shared.ports.profile import ShardLimits
from shared.ports.store import ObjectStore, ObjectWriter
from shared.results.kept_rows import borrowed_line, original_lines


class _Draft(Blocks):
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
class _OpenShard:
    number: int
    rows_key: str
    requests_key: str
    original_rows: _Draft
    request_lines: _Draft
    rows: int = 0
    requests: int = 0
    same: int = 0
    # By digest, which of the requests it is, from 0.
    places: dict[bytes, int] = field(default_factory=dict)

    def is_full(self, limits: ShardLimits, request: bytes) -> bool:
        return self.requests > 0 and not self.has_room(limits, 1, len(request))

    def has_room(self, limits: ShardLimits, rows: int, size_bytes: int) -> bool:
        """Rows that ask the same count, too: a part that is collected must not grow without end."""
        rows += self.requests + self.same
        return rows <= limits.max_requests and size_bytes + self.request_lines.size_bytes <= limits.max_bytes

    def has_same(self, digests: Sequence[bytes]) -> bool:
        """Whether two of them ask the same, or one as an earlier row."""
        # The keys' own method looks up the few; that of a set would go through all of them.
        found = {*digests}
        return len(found) < len(digests) or not self.places.keys().isdisjoint(found)

    def without_same(self, digests: Sequence[bytes], lines: bytes, requests: bytes) -> tuple[bytes, bytes]:
        """Of rows and their requests, those that are kept, and the requests that are sent."""
        kept, sent = [], []
        for digest, line, request in zip(digests, lines.split(b"\n"), requests.split(b"\n"), strict=False):
            place = self.places.setdefault(digest, self.requests)
            if place < self.requests:
                kept.append(borrowed_line(line, place))
                self.same += 1
                continue
            kept.append(line)
            sent.append(request)
            self.requests += 1
        return b"\n".join([*kept, b""]), b"\n".join([*sent, b""]) if sent else b""


class ShardWriter:
    """Writes each row to its shard's original rows and, if it is good, its request line.

    Drafts lie under this run's own prefix and count only once a plan names them, so that an
    interrupted or concurrent run cannot mix up with this one. Two buffers are held, whatever the
    file's size. ``keeps_types``: the result will tell a number from its text. ``asks_once``: rows
    of a shard that ask the same share one request.

    Attributes:
        meter: Of the tokens of all requests.
        lines: What the request lines say, if that is asked for.
    """

    def __init__(
        self,
        store: ObjectStore,
        job_id: JobId,
        run_id: str,
        *,
        keeps_types: bool = False,
        lines: LineParameters | None = None,
        asks_once: bool = False,
    ) -> None:
        self._store = store
        self._job_id = job_id
        self._run_id = run_id
        self._original_line = typed_line if keeps_types else plain_line
        self._asks_once = asks_once
        self._open: _OpenShard | None = None
        self._closed: list[PlannedShard] = []
        self.lines = lines
        self.meter = TokenMeter()

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.discard()

    def add(self, item: InputRow | RowBlock, limits: ShardLimits) -> None:
        if isinstance(item, InputRow):
            self._add_row(item, limits)
        else:
            self._add_block(item, limits)

    def _add_row(self, row: InputRow, limits: ShardLimits) -> None:
        shard = self._open
        if shard is None or (row.request is not None and shard.is_full(limits, row.request)):
            self._close_shard()
            shard = self._open = self._start_shard(len(self._closed) + 1)
        line = self._original_line(row)
        lender = self._lender(shard, row.digest)
        if lender is not None:
            line = borrowed_line(line[:-1], lender) + b"\n"
            shard.same += 1
        elif row.request is not None:
            shard.request_lines.add(row.request)
            shard.requests += 1
        shard.original_rows.add(line)
        shard.rows += 1

    def _lender(self, shard: _OpenShard, digest: bytes) -> int | None:
        """Which request asks the same already; the next one is noted."""
        if not digest or not self._asks_once:
            return None
        place = shard.places.setdefault(digest, shard.requests)
        return None if place == shard.requests else place

    def _add_block(self, block: RowBlock, limits: ShardLimits) -> None:
        """Add each row; all at once if they go to the same shard."""
        shard, rows = self._open, len(block.lines)
        if shard is None or not shard.has_room(limits, rows, len(block.requests)):
            for row in block.rows():
                self._add_row(row, limits)
            return
        digests = block.digests if self._asks_once else ()
        lines, requests = original_lines(block.custom_ids, block.cells), block.requests
        shard.rows += rows
        if shard.has_same(digests):
            lines, requests = shard.without_same(digests, lines, requests)
        else:
            shard.places.update(zip(digests, count(shard.requests), strict=False))
            shard.requests += rows
        shard.original_rows.add(lines)
        shard.request_lines.add(requests)

    def finish(self) -> tuple[PlannedShard, ...]:
        """Hand the drafts over: a plan may name them now, so no later error deletes them."""
        self._close_shard()
        shards = tuple(self._closed)
        self._closed.clear()
        return shards

    def discard(self) -> None:
        """Delete everything written and not handed over; safe to call more than once."""
        if self._open:
            self._open.original_rows.discard()
            self._open.request_lines.discard()
            self._open = None
        self.delete(self._closed)
        self._closed.clear()

    def delete(self, shards: Iterable[PlannedShard]) -> None:
        """Remove drafts that no plan names, because another run's plan was first."""
        for shard in shards:
            self._store.delete(shard.rows_key)
            self._store.delete(shard.requests_key)

    def _start_shard(self, number: int) -> _OpenShard:
        def key(name: str) -> str:
            return draft_key(self._job_id, self._run_id, f"{number:05d}.{name}")

        rows_key, requests_key = key("rows.jsonl"), key("requests.jsonl")
        return _OpenShard(
            number,
            rows_key,
            requests_key,
            _Draft(self._store.open_writer(rows_key)),
            _Draft(self._store.open_writer(requests_key), self._see),
        )

    def _see(self, lines: bytes) -> None:
        self.meter.add(lines)
        if self.lines is not None:
            self.lines.add(lines)

    def _close_shard(self) -> None:
        shard = self._open
        if shard is None:
            return
        shard.original_rows.commit()
        shard.request_lines.commit()
        self._closed.append(
            PlannedShard(
                shard=shard.number,
                rows=shard.rows,
                requests=shard.requests,
                same=shard.same,
                size_bytes=shard.request_lines.size_bytes,
                rows_key=shard.rows_key,
                requests_key=shard.requests_key,
                input_tokens=self.meter.tokens - sum(each.input_tokens for each in self._closed),
            )
        )
        self._open = None
