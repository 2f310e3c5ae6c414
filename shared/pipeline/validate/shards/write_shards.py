"""Cuts a stream of rows into shards within the provider's limits, and keeps them as drafts."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import compress, count
from types import TracebackType

from shared.bucket.attempt import JobId
from shared.bucket.keys import draft_key
from shared.bucket.records.plan import PlannedShard
from shared.inputs.rows import InputRow, RowBlock
from shared.money.tokens.line_parameters import LineParameters
from shared.money.tokens.token_meter import TokenMeter
from shared.pipeline.loans.asked_before import AskedBefore
from shared.pipeline.reuse.known_answers import KnownAnswers
from shared.pipeline.sample.choose_rows import ChooseRows
from shared.pipeline.validate.shards.open_shard import Draft, OpenShard
from shared.pipeline.validate.shards.original_lines import plain_line, typed_line
from shared.ports.profile import ShardLimits
from shared.ports.store import ObjectStore
from shared.results.kept_rows import original_lines


class ShardWriter:
    """Writes each row to its shard's original rows and, if it is good, its request line.

    Drafts lie under this run's own prefix and count only once a plan names them, so that an
    interrupted or concurrent run cannot mix up with this one. Two buffers are held, whatever the
    file's size. ``keeps_types``: the result will tell a number from its text. ``asks_once``: rows
    of a shard that ask the same share one request. ``known``: what earlier jobs were answered
    is not sent again.

    Attributes:
        meter: Of the tokens of all requests.
        lines: What the request lines say, if that is asked for.
        sample: Sees each row that is sent, if a sample is asked for.
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
        known: KnownAnswers | None = None,
        sample: ChooseRows | None = None,
    ) -> None:
        self._store = store
        self._job_id = job_id
        self._run_id = run_id
        self._original_line = typed_line if keeps_types else plain_line
        self._asks_once = asks_once
        self._known = known
        self._asked_before = AskedBefore()
        self._open: OpenShard | None = None
        self._closed: list[PlannedShard] = []
        self.lines = lines
        self.sample = sample
        self.meter = TokenMeter()

    def __enter__(self) -> ShardWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._asked_before.close()
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
        if (known := self._known_answer(row.digest)) is not None:
            line = shard.reuse(line[:-1], row.digest, known) + b"\n"
        elif (asked := self._asked_by(row.digest)) is not None:
            line = shard.borrow(line[:-1], asked, self._asked_before.lender(asked)) + b"\n"
        elif row.request is not None:
            shard.request_lines.add(row.request)
            if self.lines is not None and (row.shape is None or row.shape is not self.lines.shape):
                self.lines.add_line(row.request, row.shape, row.said)
            if self.sample is not None:
                self.sample.see_row(shard.number, shard.requests, row.request, row.cells)
            shard.requests += 1
        shard.original_rows.add(line)
        shard.rows += 1

    def _known_answer(self, digest: bytes) -> int | None:
        """Which answer of an earlier job it has, if there is one."""
        return self._known.find(digest) if self._known and digest else None

    def _asked_by(self, digest: bytes) -> int | None:
        """Which request asks the same already; if none does, the next one will."""
        if not digest or not self._asks_once:
            return None
        new = self._asked_before.requests
        (request,) = self._asked_before.take((digest,))
        return request if request != new else None

    def _add_block(self, block: RowBlock, limits: ShardLimits) -> None:
        """Add each row; all at once if they go to the same shard."""
        shard, rows = self._open, len(block.lines)
        if shard is None or not shard.has_room(limits, rows, len(block.requests)):
            for row in block.rows():
                self._add_row(row, limits)
            return
        lines, requests, cells = original_lines(block.custom_ids, block.cells), block.requests, block.cells
        sizes = block.request_sizes() if self.sample is not None else ()
        if self._asks_once and (answered := self._answered(shard, block.digests, lines)):
            lines, is_sent = answered
            requests = b"".join([each + b"\n" for each in compress(requests.split(b"\n"), is_sent)])
            cells, sizes = [*compress(cells, is_sent)], [*compress(sizes, is_sent)]
        if self.sample is not None:
            self.sample.see(shard.number, shard.requests, requests, sizes, cells)
        shard.rows += rows
        shard.requests += len(cells)
        shard.original_rows.add(lines)
        shard.request_lines.add(requests)

    def _answered(
        self, shard: OpenShard, digests: Sequence[bytes], rows: bytes
    ) -> tuple[bytes, Sequence[bool]] | None:
        """Unless all are sent: the lines of the rows, which say who answers them, and which are."""
        known = self._known.find_all(digests) if self._known else {}
        others = [index for index in range(len(digests)) if index not in known] if known else count()
        new = self._asked_before.requests
        asked = self._asked_before.take(
            [each for index, each in enumerate(digests) if index not in known] if known else digests
        )
        if not known and asked[-1] == new + len(asked) - 1:
            return None
        lines, is_sent = rows.split(b"\n"), [True] * len(digests)
        for index, answer in known.items():
            is_sent[index] = False
            lines[index] = shard.reuse(lines[index], digests[index], answer)
        lender_of = self._asked_before.lender
        for index, request in zip(others, asked, strict=False):
            if request == new:
                new += 1
            else:
                is_sent[index] = False
                lines[index] = shard.borrow(lines[index], request, lender_of(request))
        return b"\n".join(lines), is_sent

    def finish(self) -> tuple[PlannedShard, ...]:
        """Hand the drafts over: a plan may name them now, so no later error deletes them."""
        self._close_shard()
        self._write_loans()
        shards = tuple(self._closed)
        self._closed.clear()
        return shards

    def _write_loans(self) -> None:
        """Write for each shard which of its answers others get: by shard, which of its requests."""
        lenders = Counter[int]()
        for lender, borrowers in self._asked_before.borrowers():
            lenders.update(borrowers.keys())
            key = self._key(lender, "loans")
            with self._store.open_writer(key) as writer:
                for borrower, places in borrowers.items():
                    writer.write(json.dumps([borrower, list(places)]).encode() + b"\n")
                writer.commit()
            self._closed[lender - 1] = self._closed[lender - 1].model_copy(update={"loans_key": key})
        for borrower, known in lenders.items():
            self._closed[borrower - 1] = self._closed[borrower - 1].model_copy(update={"lenders": known})

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
            keys = shard.rows_key, shard.requests_key, shard.reused_key, shard.loans_key
            for key in filter(None, keys):
                self._store.delete(key)

    def _start_shard(self, number: int) -> OpenShard:
        self._asked_before.start_shard()
        rows_key, requests_key = self._key(number, "rows"), self._key(number, "requests")
        return OpenShard(
            number,
            rows_key,
            requests_key,
            Draft(self._store.open_writer(rows_key)),
            Draft(self._store.open_writer(requests_key), self._see),
        )

    def _key(self, shard: int, name: str) -> str:
        return draft_key(self._job_id, self._run_id, f"{shard:05d}.{name}.jsonl")

    def _see(self, lines: bytes) -> None:
        self.meter.add(lines)
        if self.lines is not None:
            self.lines.look(lines)

    def _close_shard(self) -> None:
        shard = self._open
        if shard is None:
            return
        reused_key = self._copy_answers(shard)
        self._asked_before.lend(shard.number, shard.borrows_from)
        shard.original_rows.commit()
        shard.request_lines.commit()
        self._closed.append(
            PlannedShard(
                shard=shard.number,
                rows=shard.rows,
                requests=shard.requests,
                same=shard.same,
                borrowed=shard.borrowed,
                reused=shard.reused,
                reused_key=reused_key,
                size_bytes=shard.request_lines.size_bytes,
                rows_key=shard.rows_key,
                requests_key=shard.requests_key,
                input_tokens=self.meter.tokens - sum(each.input_tokens for each in self._closed),
            )
        )
        self._open = None

    def _copy_answers(self, shard: OpenShard) -> str:
        """Keep the earlier jobs' answers to its rows, and return under which key."""
        if self._known is None or not shard.lenders:
            return ""
        key = self._key(shard.number, "reused")
        with self._store.open_writer(key) as writer:
            self._known.copy(shard.lenders, writer)
            writer.commit()
        return key
