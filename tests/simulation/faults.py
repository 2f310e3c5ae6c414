"""Which faults strike in one run: decided by its seed, recorded for a replay with fewer."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count

from tests.simulation.installations import installation_of

# What may go wrong, by where it is asked. Every run switches on some, each at its own rate.
KINDS = (
    # the platform
    "kill", "slow", "event_lost", "event_twice", "event_late", "no_retry", "timer_lost", "timer_twice",
    # the store
    "store_fails", "store_fails_after", "read_breaks",
    # the provider's API
    "upload_fails", "upload_fails_after", "create_throttled", "create_fails", "create_fails_after", "create_refused", "api_fails", "api_throttled",
    "key_refused",
    "results_break", "slow_to_list", "unknown_at_first", "account_blocked",
    # what becomes of batches
    "long_batch", "failed_by_rows", "failed_by_quota", "failed_by_account", "expired", "cancelled", "never_ends",
    "ignores_cancel", "files_late", "files_never", "lines_late", "output_late", "counts_null", "row_refused", "row_throttled", "row_failed_in_output",
    "line_missing", "line_twice", "line_unknown", "line_garbage",
    # notifications
    "callback_lost", "callback_early", "callback_forged", "callback_of_another", "message_lost", "message_garbage",
    # people
    "dropped_again", "new_version", "old_version", "job_cancelled", "job_retried", "recipe_edited", "replaced_meanwhile", "ticket_deleted",
    # the platform and the store, again: added later, so that older seeds choose as before
    "clock_skewed", "whole_seconds", "own_conflict", "short_pages", "outage", "timer_short", "poison",
    "status_backwards", "line_contradicts", "forgotten",
    "outage_of_weeks", "rows_mixed", "limit_lowered", "job_erased", "recipe_moved", "names_alike",
    "result_deleted",
    # Ark
    "initializing", "phase_unknown", "week_used_up", "failed_midway", "resumed", "no_files_after_stop", "job_copied",
    "input_read_by_another", "down_for_days",
    # TI-ONE
    "manifest_absent", "manifest_late", "manifest_torn", "manifest_of_another", "hash_wrong", "line_torn",
    "stop_refused", "callback_twice", "names_unique", "sold_out", "actions_withdrawn",
    # words to people
    "channel_fails", "channel_fails_after", "channel_dead",
    # Bailian that reads from the bucket
    "bucket_closed", "failed_by_bucket",
)  # fmt: skip
RATES = (0.02, 0.08, 0.3)
# What two invocations do to each other at once needs several faults together. Some runs have all of
# one row, often.
PROFILES = (
    ("event_twice", "slow", "submit_twice", "submit_dawdles", "cancelled_meanwhile"),
    ("new_version", "new_version_soon", "short_batch", "slow_results"),
    ("event_late", "recipe_edited", "dropped_again"),
    ("slow", "slow_to_list", "create_fails_after", "clock_skewed"),
    ("replaced_meanwhile", "short_batch", "whole_seconds", "row_refused", "retried_at_once"),
    ("kill", "ticket_deleted", "short_batch"),
    ("outage", "event_lost", "new_version"),
    ("outage_of_weeks", "create_fails_after", "kill"),
    ("job_erased", "short_batch", "dropped_again", "new_version"),
    ("recipe_moved", "event_late", "names_alike"),
)
_WITH_A_PROFILE = 0.4
# People's mistakes, which they put right: beside those, so that older seeds choose as before.
_MISTAKES = ("recipe_broken", "bad_version", "event_twice", "slow", "short_batch")
_WITH_MISTAKES = 0.08
_UNDER_CEILINGS = 0.1
_MUST_APPROVE = 0.12
# Some runs ask a sample first, of a service that fails in these ways.
_SAMPLED = 0.1
_OF_THE_LANE = ("lane_down", "lane_refuses", "lane_silent")
_OF_ARK = (
    ("create_fails_after", "slow", "kill"),
    ("create_fails_after", "job_copied"),
    ("create_fails_after", "input_read_by_another", "short_batch"),
    ("initializing", "short_batch"),
    ("week_used_up", "job_retried"),
    ("expired", "cancelled", "no_files_after_stop", "failed_midway"),
    ("resumed", "lines_late", "job_cancelled"),
    ("down_for_days", "long_batch"),
    ("down_for_days", "long_batch", "initializing"),
    ("down_for_days", "long_batch", "event_late"),
)
_OF_TIONE = (
    ("create_fails_after", "slow", "kill"),
    ("create_fails_after", "job_copied", "slow_to_list"),
    ("create_fails_after", "names_unique", "slow_to_list"),
    ("manifest_absent", "lines_late", "line_missing"),
    ("manifest_torn", "manifest_late", "output_late"),
    ("manifest_of_another", "hash_wrong", "files_late"),
    ("failed_midway", "line_torn", "files_late", "no_files_after_stop"),
    ("cancelled", "expired", "manifest_late", "files_late"),
    ("stop_refused", "never_ends", "job_cancelled"),
    ("callback_twice", "callback_early", "initializing", "job_cancelled"),
    ("actions_withdrawn", "long_batch"),
    ("down_for_days", "long_batch"),
)
PROFILES_OF = {"ark": _OF_ARK, "tione": _OF_TIONE}
_WITH_A_PROFILE_OF_ITS_OWN = 0.8


def seeds_with(kinds: Collection[str], providers: tuple[str, ...]) -> Iterator[int]:
    """Those whose runs have these providers, and often all of these faults."""
    for seed in count():
        if installation_of(seed).value == providers:
            rates = Faults(seed).rates
            if all(rates.get(kind) == RATES[-1] for kind in kinds):
                yield seed


@dataclass(frozen=True)
class Fault:
    """One fault that struck; ``index`` counts all the questions whether one does."""

    index: int
    kind: str
    where: str
    at_s: float


class Faults:
    """Says at each opportunity whether a fault strikes, and how hard.

    Every opportunity takes one random number, whether or not its fault strikes. So a run without
    some faults goes on like the first one until their absence makes a difference.

    Args:
        seed: Decides everything.
        allowed: The indices of the only faults that may strike; ``None`` for all of them.
    """

    def __init__(self, seed: int, allowed: Collection[int] | None = None) -> None:
        choose = random.Random(f"faults {seed}")
        how_many = choose.choice((0.0, 0.15, 0.3, 0.6))
        self.rates = {kind: choose.choice(RATES) for kind in KINDS if choose.random() < how_many}
        profile = random.Random(f"profile {seed}")
        if profile.random() < _WITH_A_PROFILE:
            self.rates |= dict.fromkeys(profile.choice(PROFILES), RATES[-1])
        if random.Random(f"mistakes {seed}").random() < _WITH_MISTAKES:
            self.rates |= dict.fromkeys(_MISTAKES, RATES[-1])
        if random.Random(f"ceilings {seed}").random() < _UNDER_CEILINGS * (
            installation_of(seed).value == ("bailian",)
        ):
            self.rates |= {"under_ceilings": RATES[-1]}
        if random.Random(f"must approve {seed}").random() < _MUST_APPROVE:
            self.rates |= {"must_approve": RATES[-1], "approved": 1.0}
        sampled = random.Random(f"sampled {seed}")
        if sampled.random() < _SAMPLED * (installation_of(seed).value == ("bailian",)):
            self.rates |= {"sampled": RATES[-1]}
            self.rates |= {kind: sampled.choice(RATES) for kind in _OF_THE_LANE if sampled.random() < 0.5}
        for name in installation_of(seed).value:
            own = random.Random(f"profile of {name} {seed}")
            if name in PROFILES_OF and own.random() < _WITH_A_PROFILE_OF_ITS_OWN:
                self.rates |= dict.fromkeys(own.choice(PROFILES_OF[name]), RATES[-1])
        self._random = random.Random(f"strikes {seed}")
        self._allowed = None if allowed is None else frozenset(allowed)
        self._index = 0
        self.struck: list[Fault] = []
        self.are_over = False

    def end(self) -> None:
        """No fault strikes any more."""
        self.are_over = True
        self.rates.clear()

    def strikes(self, kind: str, where: str, at_s: float, *, likely: float = 1.0) -> bool:
        """Whether this fault strikes here and now; ``likely`` scales how often."""
        rate = self.rates.get(kind)
        if rate is None:
            return False
        self._index += 1
        if self._random.random() >= rate * likely:
            return False
        if self._allowed is not None and self._index not in self._allowed:
            return False
        self.struck.append(Fault(self._index, kind, where, at_s))
        return True

    def counted(self) -> Counter[str]:
        return Counter(fault.kind for fault in self.struck)
