"""Hears from the provider's callback that a batch may have ended, if the path proves that we made it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from shared.domain.callbacks import verified_unit
from shared.ports import ObjectStore
from shared.services.hear_notification import HearNotification

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class HearCallback:
    """The signature is checked before the store is asked anything; nothing else of the request is read.

    Attributes:
        secret: What callback URLs are signed with.
    """

    store: ObjectStore
    secret: bytes = field(repr=False)

    def __call__(self, unit_text: str, signature: str) -> bool:
        """Say whether the callback is one of ours; a repeated one is, and changes nothing.

        Args:
            unit_text: ``<job>/<attempt>-<shard>`` as it stands in the path, or anything that somebody put there.
            signature: The rest of the path.
        """
        unit = verified_unit(unit_text, signature, self.secret)
        if unit is None:
            log.info("callback.refused")
            return False
        HearNotification(self.store)(unit, "callback")
        return True
