"""A job whose batches are there: a test ends them as it likes and has them collected."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from shared.bucket.keys import Stage, attempt_key, ticket_key
from shared.bucket.records.submission import Submission
from shared.ports.provider import BatchId, BatchStatus
from tests.support.builders import attempt, batch_request
from tests.support.pipeline import Pipeline


class Bench(Pipeline):
    """A planned job whose batches have been created."""

    def submitted(self, number: int = 1, shard: int = 1) -> BatchId:
        """As submit does it, but whatever the time is."""
        mine = attempt(number, shard)
        batch_id = self.provider.submit(batch_request(self.store, self.plan, mine))
        now = self.clock.now()
        submission = Submission(
            batch_id=batch_id, batch_name="n", submitted_at=now, deadline_at=now + timedelta(hours=48)
        )
        self.records.create(attempt_key(mine, "submission.json"), submission)
        self.store.delete(ticket_key(Stage.READY, mine))
        return batch_id

    def end(
        self, batch_id: BatchId, status: BatchStatus, lines: Sequence[bytes] = (), **more: object
    ) -> None:
        if lines:
            self.provider.set_results(batch_id, lines)
        self.provider.set_state(batch_id, status, **more)

    def heard(self, number: int = 1, shard: int = 1) -> str:
        """Somebody says that the batch has ended."""
        self.records.put_finished(attempt(number, shard), "test")
        return self.collect(attempt(number, shard))
