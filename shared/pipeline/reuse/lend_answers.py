"""Keeps what a finished shard was answered, for later jobs of its folder that ask the same."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.blocks import Blocks
from shared.bucket.keys import lent_key
from shared.bucket.records.plan import Plan, PlannedShard
from shared.formats.lines import byte_lines
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
    question is in either. Repeated calls write the same bytes.
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

    def _answers(self, plan: Plan, shard: PlannedShard, part_key: str) -> Iterator[tuple[bytes, Answer]]:
        asked = _Asked(self.store, shard)
        read, misfits = AnswerReader(plan), Misfits.of(plan)
        for settled in answered_rows(plan, shard.shard, asked, self.store.read(part_key)):
            if asked.digest and is_good(settled, misfits):
                yield asked.digest, read(asked.digest.hex(), settled)


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
