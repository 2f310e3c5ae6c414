"""Makes links to the page of one folder, and withdraws them."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from scripts.operate.access import PAGE, OpenBucket
from scripts.operate.texts.said import Refusal
from shared.bucket.keys import INBOX, withdrawn_key
from shared.links.folders import checked_folder
from shared.links.token import LINK_ID, Link, token_for, verified_link
from shared.ports.clock import Clock

# As long as the page asks of its setting.
_FEWEST_CHARS = 32


@dataclass(frozen=True)
class MadeLink:
    """A link and its URL; the token stands in the fragment, so that no log has it."""

    link: Link
    url: str


@dataclass(frozen=True)
class Links:
    """Of one bucket's page."""

    bucket: OpenBucket
    clock: Clock

    def make(self, folder: str, lifetime: timedelta, *, is_operator: bool) -> MadeLink:
        """A link that is good from now on, for so long.

        Raises:
            Refusal: The page's address or secret is not known, or there can be no such folder.
        """
        url = self.bucket.page_url
        if not url:
            raise Refusal("no_page", variables=", ".join(PAGE))
        link = Link(secrets.token_hex(8), _folder(folder), is_operator, self.clock.now() + lifetime)
        return MadeLink(link, f"{url.rstrip('/')}/#{token_for(link, self._secret())}")

    def has_files(self, folder: str) -> bool:
        """Whether a folder of the inbox is there: a bucket has no empty ones."""
        return next(iter(self.bucket.store.list(f"{INBOX}{folder}")), None) is not None

    def withdraw(self, link: str) -> str:
        """Let in nobody any more with a link, by its URL, its token or its id; the id.

        Raises:
            Refusal: It is none of this page.
        """
        token = link.rpartition("#")[2]
        if LINK_ID.fullmatch(token):
            link_id = token
        else:
            found = verified_link(token, self._secret())
            if found is None:
                raise Refusal("no_such_link")
            link_id = found.id
        self.bucket.store.put(withdrawn_key(link_id), b"")
        return link_id

    def _secret(self) -> bytes:
        if len(self.bucket.page_secret) < _FEWEST_CHARS:
            raise Refusal("no_page", variables=", ".join(PAGE))
        return self.bucket.page_secret.encode()


def _folder(typed: str) -> str:
    """A folder below ``inbox/`` as links name it, however it was typed."""
    name = (re.sub(r"^\./", "", typed).strip("/") + "/").removeprefix(INBOX).strip("/")
    try:
        return checked_folder(f"{name}/" if name else "")
    except ValueError as error:
        raise Refusal("no_such_folder", folder=typed) from error
