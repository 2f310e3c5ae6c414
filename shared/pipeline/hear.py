"""Hears that a batch may have ended, from the provider's callback or from a message."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.bucket.attempt import Attempt, parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, batch_pointer_key, ticket_key
from shared.events.batch_ids import find_batch_ids
from shared.events.callbacks import verified_attempt
from shared.ports.profile import ProviderProfile
from shared.ports.provider import BatchId
from shared.ports.store import ObjectStore
from shared.problems.errors import ObjectMissing

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

    def __call__(self, attempt: Attempt, heard_from: str) -> bool:
        """Say whether a ticket was put."""
        is_news = self._is_under_way(attempt) and BucketRecords(self.store).create_finished(
            attempt, heard_from
        )
        log.info(
            "notification.heard" if is_news else "notification.repeated",
            extra={"attempt": str(attempt), "heard_from": heard_from},
        )
        return is_news

    def _is_under_way(self, attempt: Attempt) -> bool:
        return any(self.store.head(ticket_key(stage, attempt)) for stage in _UNDER_WAY)


@dataclass(frozen=True)
class HearCallback:
    """The signature is checked before the store is asked anything; nothing else of the request is read.

    Attributes:
        secret: What callback URLs are signed with.
    """

    store: ObjectStore
    secret: bytes = field(repr=False)

    def __call__(self, attempt_text: str, signature: str) -> bool:
        """Say whether the callback is one of ours; a repeated one is, and changes nothing.

        Args:
            attempt_text: ``<job>/<attempt>-<shard>`` as it stands in the path, or anything that somebody put there.
            signature: The rest of the path.
        """
        attempt = verified_attempt(attempt_text, signature, self.secret)
        if attempt is None:
            log.info("callback.refused")
            return False
        HearNotification(self.store)(attempt, "callback")
        return True


# Three small requests each; of these many the function's time-out of 60 s does not notice. The timer polls the rest.
MAX_BATCH_IDS = 500


@dataclass(frozen=True)
class HearMessage:
    """A message proves nothing: an id counts only if our own pointer leads from it to a shard of ours.

    Attributes:
        max_batch_ids: How many different ids of one event are followed; whoever sends it may have invented them.
    """

    store: ObjectStore
    profiles: Iterable[ProviderProfile]
    max_batch_ids: int = MAX_BATCH_IDS

    def __call__(self, event: bytes) -> int:
        """Return how many tickets were put. Messages about other people's batches are usual on a shared bus."""
        patterns = {profile.name: profile.batch_id for profile in self.profiles}
        batch_ids = find_batch_ids(event, patterns, self.max_batch_ids)
        if len(batch_ids) == self.max_batch_ids:
            log.warning("message.cut_short", extra={"batch_ids": len(batch_ids), "size_bytes": len(event)})
        attempts = (self._attempt_of(*each) for each in batch_ids)
        return sum(HearNotification(self.store)(attempt, "message") for attempt in attempts if attempt)

    def _attempt_of(self, provider: str, batch_id: BatchId) -> Attempt | None:
        try:
            pointer = self.store.get(batch_pointer_key(provider, batch_id))
        except ObjectMissing:
            # Another pipeline's batch, or ours a moment before its pointer is written: then the timer polls it.
            log.info("message.unknown_batch", extra={"batch_id": batch_id})
            return None
        return parse_attempt(pointer.decode(errors="replace"))
