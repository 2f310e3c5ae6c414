"""Why words wait for their channels, for the operator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from shared.board.model import UntoldWords
from shared.bucket.keys import JOBS, OUTBOX, tries_prefix
from shared.pipeline.deadlines import WORD_AT_IT
from shared.ports.clock import Clock
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing
from shared.problems.problem import Problem


def untold_problems(store: ObjectStore, clock: Clock, untold: Mapping[str, UntoldWords]) -> list[Problem]:
    """One for each channel whose words were tried in vain; costs two requests for each."""
    return [
        Problem(code, found=channel, values={"words": each.words})
        for channel, each in untold.items()
        for code in _reason(store, clock, each.ticket)
    ]


def _reason(store: ObjectStore, clock: Clock, ticket: str) -> Iterator[str]:
    home, event_id, channel = ticket.removeprefix(OUTBOX).split("/")
    tries = store.list(tries_prefix(f"{JOBS}{home}/told/{event_id}/{channel}"))
    last = max(tries, key=lambda head: head.modified_at, default=None)
    if last is None:
        return
    try:
        code = store.get(last.key).decode()
    except ObjectMissing:  # erased meanwhile
        return
    if code:
        yield code
    elif clock.now() - last.modified_at > WORD_AT_IT:
        yield "channel_refuses"
