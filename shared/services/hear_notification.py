"""Hears that a batch may have ended: what callback and message do once they know which shard is meant."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from shared.domain.keys import ShardAttempt, Stage, ticket_key
from shared.ports import ObjectStore
from shared.services.bucket_records import BucketRecords

log = logging.getLogger(__name__)

# Whatever is not settled has a ticket in one of the two; ``submit`` puts running/ before it removes ready/. Looked up
# in this order nearly every notification costs one question, and none falls between the two.
_UNDER_WAY = (Stage.RUNNING, Stage.READY, Stage.RUNNING)


@dataclass(frozen=True)
class HearNotification:
    """Puts the ``finished/`` ticket of a shard that is under way, unless one lies there.

    Anything else is a repetition: it is answered like the first, and costs no write. Reads tickets only, so that the
    public endpoint needs no permission to see anybody's data. If a notification comes to nothing, as when ``collect``
    is just about to remove the ticket of an earlier one, the timer asks the provider.
    """

    store: ObjectStore

    def __call__(self, unit: ShardAttempt, heard_from: str) -> bool:
        """Say whether a ticket was put."""
        is_news = self._is_under_way(unit) and BucketRecords(self.store).create_finished(unit, heard_from)
        log.info(
            "notification.heard" if is_news else "notification.repeated",
            extra={"unit": str(unit), "heard_from": heard_from},
        )
        return is_news

    def _is_under_way(self, unit: ShardAttempt) -> bool:
        return any(self.store.head(ticket_key(stage, unit)) for stage in _UNDER_WAY)
