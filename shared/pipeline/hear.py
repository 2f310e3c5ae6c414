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
from shared.problems.exceptions import ObjectMissing

log = logging.getLogger(__name__)


# An open shard has a ticket in one of the two; ``submit`` puts running/ before it removes ready/.
# In this order nearly every notification costs one request, and none falls between the two.
_UNDER_WAY = (Stage.RUNNING, Stage.READY, Stage.RUNNING)


@dataclass(frozen=True)
class HearNotification:
    """Puts the ``finished/`` ticket of a shard that is under way, unless one lies there.

    Any other notification is a repetition: it gets the same answer and costs no write. Only tickets
    are read, so that the public endpoint needs no permission to see people's data. A notification
    can be lost, for instance if ``collect`` is just removing the ticket of an earlier one; then the
    timer asks the provider.
    """

    store: ObjectStore

    def __call__(self, attempt: Attempt, heard_from: str) -> bool:
        """Return whether a ticket was put."""
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
    """Checks the signature before any request to the store; reads nothing else of the call.

    Attributes:
        secret: What callback URLs are signed with.
    """

    store: ObjectStore
    secret: bytes = field(repr=False)

    def __call__(self, attempt_text: str, signature: str) -> bool:
        """Return whether the callback is one of ours. A repeated one is, and changes nothing.

        Args:
            attempt_text: ``<job>/<attempt>-<shard>`` from the path, or anything that was forged.
            signature: The rest of the path.
        """
        attempt = verified_attempt(attempt_text, signature, self.secret)
        if attempt is None:
            log.info("callback.refused")
            return False
        HearNotification(self.store)(attempt, "callback")
        return True


# How many different ids of one event are followed; they may be invented. An event names one batch.
# At three small requests each, so many fit into the shorter time-out, the callback's 10 s. The
# timer polls the rest.
MAX_BATCH_IDS = 50


@dataclass(frozen=True)
class HearMessage:
    """A message proves nothing: an id counts only if a pointer of ours leads to a shard of ours."""

    store: ObjectStore
    profiles: Iterable[ProviderProfile]

    def __call__(self, event: bytes) -> int:
        """Return how many tickets were put. A shared bus carries other people's batches, too."""
        patterns = {profile.name: profile.batch_id for profile in self.profiles}
        batch_ids = find_batch_ids(event, patterns, MAX_BATCH_IDS)
        if len(batch_ids) == MAX_BATCH_IDS:
            log.warning("message.cut_short", extra={"batch_ids": len(batch_ids), "size_bytes": len(event)})
        attempts = (self._attempt_of(*each) for each in batch_ids)
        return sum(HearNotification(self.store)(attempt, "message") for attempt in attempts if attempt)

    def _attempt_of(self, provider: str, batch_id: BatchId) -> Attempt | None:
        try:
            pointer = self.store.get(batch_pointer_key(provider, batch_id))
        except ObjectMissing:
            # Another pipeline's batch; or ours, whose pointer comes later: the timer polls it.
            log.info("message.unknown_batch", extra={"batch_id": batch_id})
            return None
        return parse_attempt(pointer.decode(errors="replace"))
