"""Has an upload validated whose event was lost: a ticket, so that the work stays with the function that can do it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.domain.events import UploadedObject
from shared.domain.keys import again_key
from shared.domain.records import AgainTicket
from shared.ports import Clock, ObjectStore

WAITING = "waiting"


@dataclass(frozen=True)
class AskAgain:
    """Puts the ticket that starts ``validate``, unless one lies there that is younger than ``patience``."""

    store: ObjectStore
    clock: Clock
    patience: timedelta

    def __call__(self, upload: UploadedObject) -> str:
        key = again_key(upload.bucket, upload.key, upload.etag)
        asked = self.store.head(key)
        if asked and self.clock.now() - asked.modified_at < self.patience:
            return WAITING
        ticket = AgainTicket(
            bucket=upload.bucket, key=upload.key, etag=upload.etag, request_id=upload.request_id
        )
        self.store.put(key, ticket.to_bytes())
        return "asked"
