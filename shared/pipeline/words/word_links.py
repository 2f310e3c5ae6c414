"""Where a word leads: to the page, and for channels whose readers may, into the file's folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from shared.links.token import Link, token_for
from shared.ports.clock import Clock
from shared.words.event import Event


@dataclass(frozen=True)
class WordLinks:
    """A link lets in whoever reads the word, so only channels that say so get one.

    It is never for the whole inbox: of a file that lies in no folder, it leads to the door.

    Attributes:
        page_url: Of the page, without a slash at its end.
        secret: Signs links.
        days_for: By ``kind:name``, how many days a link opens; 0 for none.
    """

    page_url: str | None
    secret: bytes | None
    days_for: Callable[[str], int]
    clock: Clock

    def __call__(self, channel: str, event: Event) -> str | None:
        if self.page_url is None:
            return None
        days, folder = self.days_for(channel), event.path.rpartition("/")[0]
        if not (days and folder and self.secret):
            return self.page_url
        now = self.clock.now()
        # The same for all words of a month: who withdraws one of these links withdraws them all.
        link_id = hashlib.sha256(f"{channel} {folder} {now:%Y-%m}".encode()).hexdigest()[:16]
        link = Link(link_id, f"{folder}/", False, now + timedelta(days=days))
        try:
            return f"{self.page_url}/#{token_for(link, self.secret)}"
        except ValueError:
            return self.page_url  # an odd name, for which there are no links
