"""Whether the upstream answers at the moment, over all batches, and which rows it never answers."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from dataclasses import dataclass

from scripts.localcloud.answers.built_in_answers import Answer, Request
from scripts.localcloud.answers.upstream import Silence, Upstream

_TRIES = 4
_EVIDENCE = 3
_BLAMED_AT_MOST = 2
# In first pauses (half a second each): how long a pause becomes, and a silence that is no
# hiccup, and is shown.
_LONGEST_PAUSE, _SHOWN_AFTER = 20, 6


@dataclass
class AskedRow:
    """A row on its way through the upstream.

    ``evidence`` counts the tries that failed although others were answered since the one before.
    """

    request: Request
    tries: int = 0
    evidence: int = 0
    not_before: float = 0.0
    answers_before: int = 0

    def fail(self, answers: int) -> None:
        """Count one more try, after which ``answers`` rows had been answered in all."""
        self.evidence += self.tries > 0 and answers > self.answers_before
        self.tries += 1
        self.answers_before = answers


class UpstreamHealth:
    """What the calls of all batches tell of the upstream; safe to use from several threads.

    While it is silent, one call at a time finds out whether it is back, after longer pauses each
    time. A row is given up only if others are answered, or if the upstream itself says that the
    row's work failed, and does not say so of one row after the other.

    Attributes:
        answers: How many rows were answered or refused so far.
    """

    def __init__(self, upstream: Upstream | None) -> None:
        self._first_pause_s = upstream.first_pause_s if upstream else 0.0
        self._lock = threading.Lock()
        self._silence: Silence | None = None
        self._began = self._counted_at = self._next_at = 0.0
        self._failures = self._blamed = 0
        self.answers = 0
        self._never_answered: set[bytes] = set()

    def may_ask(self) -> bool:
        """Whether a call may be made now; while the upstream is silent, each "yes" is for one."""
        with self._lock:
            now = time.monotonic()
            is_due = now >= self._next_at or not self._failures
            if is_due:
                self._next_at = now + self._pause_s(self._failures)
            return is_due

    @property
    def waits_for(self) -> Silence | None:
        """What its last call said, if it has been silent for some time."""
        with self._lock:
            is_long = time.monotonic() - self._began >= _SHOWN_AFTER * self._first_pause_s
            return self._silence if self._failures and is_long else None

    def note_answer(self) -> None:
        with self._lock:
            self.answers += 1
            self._failures = self._blamed = 0

    def verdict_on(self, row: AskedRow, silence: Silence, asked_at: float, *, is_last: bool) -> Answer | None:
        """The answer of a row to give up, or ``None`` if it is tried again later.

        Args:
            row: It has got no answer once more.
            silence: What was said instead.
            asked_at: When the call was made.
            is_last: There are no other rows that could still tell whether the upstream is well.
        """
        with self._lock:
            self._note_silence(silence, asked_at)
            row.not_before = time.monotonic() + self._pause_s(row.tries)
            if row.tries < _TRIES or not self._is_to_blame(row, silence, is_last=is_last):
                return None
            return silence.verdict

    def _note_silence(self, silence: Silence, asked_at: float) -> None:
        self._silence = silence
        if not self._failures:
            self._began = self._counted_at = asked_at
        if asked_at >= self._counted_at:  # calls that were out together fail for one reason
            self._failures += 1
            self._counted_at = time.monotonic()
            self._next_at = self._counted_at + self._pause_s(self._failures)

    def _is_to_blame(self, row: AskedRow, silence: Silence, *, is_last: bool) -> bool:
        name = _name_of(row.request)
        is_alone = row.evidence >= (1 if is_last else _EVIDENCE) or name in self._never_answered
        if not is_alone and not (silence.is_about_row and self._blamed < _BLAMED_AT_MOST):
            return False
        self._blamed += not is_alone
        self._failures = 0  # it was the row
        self._never_answered.add(name)  # in a next attempt there may be no other rows
        return True

    def _pause_s(self, failures: int) -> float:
        doubled = 2 ** min(failures - 1, _LONGEST_PAUSE) if failures else 0
        return self._first_pause_s * min(doubled, _LONGEST_PAUSE)


def _name_of(request: Request) -> bytes:
    return hashlib.sha256(json.dumps([request.url, request.body]).encode()).digest()
