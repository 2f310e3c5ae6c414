"""Lets in who has a link, to what it opens."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shared.bucket.keys import withdrawn_key
from shared.links.token import verified_link
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import PipelineError
from shared.problems.problem import Problem

_SCHEME = "Bearer "
_TIME = "%Y-%m-%d %H:%M UTC"


class PageRefusal(PipelineError):
    """The page does not do what it was asked; ``problem`` says why, to who asked."""

    code = "page_refusal"

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.code)
        self.problem = problem


class NotLetIn(PageRefusal):
    """There is no link, or it opens nothing."""


@dataclass(frozen=True)
class Visit:
    """Who is let in to what; ``expires_at`` is ``None`` where no link is needed."""

    folder: str
    is_operator: bool
    link_id: str = ""
    expires_at: datetime | None = None


EVERYTHING = Visit(folder="", is_operator=True)


@dataclass(frozen=True)
class Gate:
    """Checks a request's link.

    Attributes:
        secret: Signs links; without it there are none.
        is_open: A request without a link is let in to everything: only for the local cloud.
    """

    secret: bytes | None
    is_open: bool
    clock: Clock

    def __call__(self, authorization: str, open_store: Callable[[], ObjectStore]) -> Visit:
        """Let in, or not. The bucket is asked only about a link that is ours.

        Args:
            authorization: The header of that name; empty without one.
            open_store: Where withdrawn links are noted.

        Raises:
            NotLetIn: There is no link, or it is forged, over or withdrawn.
        """
        if not authorization and self.is_open:
            return EVERYTHING
        if self.secret is None:
            raise NotLetIn(Problem("page_closed"))
        if not authorization:
            raise NotLetIn(Problem("link_missing"))
        token = authorization.removeprefix(_SCHEME) if authorization.startswith(_SCHEME) else ""
        link = verified_link(token, self.secret)
        if link is None:
            raise NotLetIn(Problem("link_invalid"))
        if link.expires_at <= self.clock.now():
            raise NotLetIn(Problem("link_expired", values={"expired_at": link.expires_at.strftime(_TIME)}))
        if open_store().head(withdrawn_key(link.id)):
            raise NotLetIn(Problem("link_withdrawn"))
        return Visit(link.folder, link.is_operator, link.id, link.expires_at)
