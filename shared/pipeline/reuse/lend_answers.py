"""Keeps what a finished shard was answered, for later jobs of its folder that ask the same."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import lent_key
from shared.bucket.records.plan import Plan, PlannedShard
from shared.formats.lines import byte_lines
from shared.formats.write_blocks import Blocks
from shared.inputs.requests.request_encoding import body_digest, body_in
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing
from shared.results.again.misfits import Misfits
from shared.results.columns import CODES_OF_ANSWERS, Answer
from shared.results.kept_rows import DIGEST_BYTES, OriginalRow, PartUnreadable
from shared.results.lent.answer_reader import AnswerReader
from shared.results.rendering import SettledAnswer, answered_rows

log = logging.getLogger(__name__)

ANSWERS, DIGESTS = ".answers", ".digests"


@dataclass(frozen=True)
class LendAnswers:
    """Writes the shard's good answers, and beside them, last, the digests of what was asked.

    The digests are what a later job reads of all that is lent, so they are small; no text of a
    question is in either. Repeated calls write the same bytes. When they were written says how old
    the answers are, so a retry lends only those that it was given itself: the earlier job has lent
    the others.
    """

    store: ObjectStore

    def __call__(self, plan: Plan, shard: int, part_key: str) -> None:
        """That it cannot be done keeps no job from being closed."""
        key = lent_key(plan.lends_to, JobId(plan.job_id), shard)
        digests = bytearray()
        try:
            with self.store.open_writer(key + ANSWERS) as writer:
                blocks = Blocks(writer.write)
                for digest, answer in self._answers(plan, plan.shards[shard - 1], part_key):
                    digests += digest
                    blocks.add(answer.to_line())
                blocks.flush()
                if digests:
                    writer.commit()
        except (ObjectMissing, PartUnreadable, ValueError) as error:
            log.warning("answers.not_lent", extra={"job_id": plan.job_id, "reason": str(error)})
            return
        if digests:
            self.store.put(key + DIGESTS, bytes(digests))
            self._withdraw_if_erased(plan, key)

    def _withdraw_if_erased(self, plan: Plan, key: str) -> None:
        """A call that comes late may write what an erasure has deleted, or did not see.

        The erasure marks the ledger before it looks for what is lent.
        """
        ledger = BucketRecords(self.store).find_ledger(JobId(plan.job_id))
        if ledger is not None and ledger.erased_at is not None:
            self.store.delete(key + DIGESTS)
            self.store.delete(key + ANSWERS)

    def _answers(self, plan: Plan, shard: PlannedShard, part_key: str) -> Iterator[tuple[bytes, Answer]]:
        asked, kept = _Asked(self.store, shard), self._kept_by_retry(plan, shard)
        read, misfits = AnswerReader(plan), Misfits.of(plan)
        next_kept = next(kept, None)
        for settled in answered_rows(plan, shard.shard, asked, self.store.read(part_key)):
            if settled.custom_id == next_kept:
                next_kept = next(kept, None)
            elif asked.digest and is_good(settled, misfits):
                yield asked.digest, read(asked.digest.hex(), settled)

    def _kept_by_retry(self, plan: Plan, shard: PlannedShard) -> Iterator[str]:
        """The ids of the rows whose answers a retry began with, in the order of the rows."""
        if not plan.retry_of:
            return iter(())
        outcome = BucketRecords(self.store).find_outcome(Attempt(JobId(plan.job_id), 1, shard.shard))
        if outcome is None or not outcome.content_key:
            return iter(())
        if outcome.kind == "final":
            rows = map(OriginalRow.from_line, byte_lines(self.store.read(shard.rows_key)))
            return (row.custom_id for row in rows if row.is_good)
        lines = byte_lines(self.store.read(outcome.content_key))
        return (SettledAnswer.from_line(line).custom_id for line in lines)


def is_good(settled: SettledAnswer, misfits: Misfits) -> bool:
    """Whether it is whole, and what was asked for, if perhaps with words around it."""
    is_plain = not settled.unread or settled.unread not in CODES_OF_ANSWERS
    return is_plain and not settled.cut_off and misfits.fits(settled, settled.cut_off)


class _Asked:
    """A shard's rows in turn.

    Attributes:
        digest: Of what the last one asked; empty if it was not sent.
    """

    def __init__(self, store: ObjectStore, shard: PlannedShard) -> None:
        self._rows = map(OriginalRow.from_line, byte_lines(store.read(shard.rows_key)))
        self._requests = byte_lines(store.read(shard.requests_key))
        self.digest = b""

    def __iter__(self) -> Iterator[OriginalRow]:
        for row in self._rows:
            request = next(self._requests) if row.is_sent else None
            self.digest = body_digest(body_in(request))[:DIGEST_BYTES] if request else b""
            yield row
