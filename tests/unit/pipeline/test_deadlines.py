"""The inequalities between the durations: what must be longer than what, and why."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from scripts.localcloud.options import CloudOptions
from scripts.template.check import ROOT
from scripts.template.read import load_stack
from shared.pipeline import deadlines as d
from shared.pipeline.waiting import backoff
from shared.runtime.certificates import TOTAL_TIMEOUT_S
from shared.runtime.wiring.providers.profiles import PROFILES
from tests.support.template import ATTRIBUTES, PARAMETERS

STACK = load_stack(ROOT / "template.yaml", PARAMETERS, ATTRIBUTES)
# Of every provider.
LONGEST_WINDOW = max(profile.limits_for("").max_window for profile in PROFILES)
MOST_ATTEMPTS = 5


def timeout(function: str) -> timedelta:
    return timedelta(seconds=STACK.function(function).timeout_s)


def set_to(function: str, variable: str) -> timedelta:
    return timedelta(seconds=int(STACK.function(function).environment[variable]))


def claim_lease(**options: str) -> timedelta:
    """Of the local cloud."""
    parameters = {**PARAMETERS, **CloudOptions(Path(), **options).template_parameters()}  # type: ignore[arg-type]
    environment = load_stack(ROOT / "template.yaml", parameters, ATTRIBUTES).function("Submit").environment
    return timedelta(seconds=int(environment["CLAIM_LEASE_S"]))


LAST_END = d.DEADLINE_GRACE + d.GIVE_UP  # after a batch's window
SHORTER_AND_LONGER = {
    "a claim is taken over once its claimant has died and its batch would be listed": (
        timeout("Submit") + d.LISTED_WITHIN + d.CLOCK_ERROR,
        set_to("Submit", "CLAIM_LEASE_S"),
    ),
    "the local cloud takes over no submit that may be at work, where rows cost something": (
        timeout("Submit") + d.LISTED_WITHIN + d.CLOCK_ERROR,
        min(claim_lease(upstream="http://127.0.0.1:1/v1"), claim_lease(real="bailian")),
    ),
    "the timer collects again once a collect has died": (
        timeout("Collect") + d.CLOCK_ERROR,
        set_to("Reconcile", "FINISHED_OVERDUE_S"),
    ),
    "a slot is swept once the one that took it has died": (
        timeout("Submit") + d.CLOCK_ERROR,
        set_to("Reconcile", "FINISHED_OVERDUE_S"),
    ),
    "a word is put again once the run that was to tell it has died": (
        timeout("Notify") + d.CLOCK_ERROR,
        d.FIRST_BACKOFF,
    ),
    "a chat whose limit was reached takes words again within a few tries": (
        timedelta(minutes=10),  # https://open.dingtalk.com/document/robots/custom-robot-access
        d.FIRST_BACKOFF * 3,
    ),
    "the timer validates again once a validate has died, though some of its signs of life were lost": (
        3 * d.SIGN_OF_LIFE + d.CLOCK_ERROR,
        set_to("Reconcile", "INBOX_SWEEP_AFTER_S"),
    ),
    "a validate whose file takes too long has time to say so": (
        timedelta(minutes=5),  # 400 shards of two drafts each are removed
        timeout("Validate") * (1 - d.SHARE_TO_VALIDATE),
    ),
    "what a closing begins before it leaves off may take as long as all before it": (
        timeout("Collect") * d.SHARE_TO_CLOSE,
        timeout("Collect") * (1 - d.SHARE_TO_CLOSE),
    ),
    "an upload is looked for long enough to be found": (
        set_to("Reconcile", "INBOX_SWEEP_AFTER_S") + timeout("Reconcile"),
        d.INBOX_WINDOW,
    ),
    "a run of the timer is done before the next one": (
        timeout("Reconcile") * (d.SHARE_TO_REPAIR + d.SHARE_TO_SHOW),
        d.SHORTEST_TICK,
    ),
    "an event that puts its ticket back ends there": (d.CLOCK_ERROR, d.FIRST_BACKOFF),
    "what waits for somebody goes on in the hours after it was mended": (backoff(99), timedelta(hours=2)),
    "a poll that backs off sees a batch before it is over its deadline": (
        set_to("Reconcile", "POLL_AFTER_S") * (1 << d.POLL_DOUBLINGS),
        d.DEADLINE_GRACE,
    ),
    "late results are waited for before a batch is given up": (
        set_to("Collect", "RESULTS_LATE_S"),
        d.GIVE_UP,
    ),
    "an open job is resumed once its tickets have come": (
        max(set_to("Reconcile", each) for each in ("READY_OVERDUE_S", "FINISHED_OVERDUE_S")),
        d.LOOK_AFTER,
    ),
    "a sample whose author has died may be gone on with when the timer looks at it": (
        d.SAMPLE_LEASE + d.CLOCK_ERROR,
        d.SAMPLE_LOOK_AFTER,
    ),
    "who was to plan a job has died": (d.LONGEST_INVOCATION + d.CLOCK_ERROR, d.NEVER_PLANNED),
    "who uploaded a file has created its batch": (
        d.LONGEST_INVOCATION + d.LISTED_WITHIN + d.CLOCK_ERROR,
        d.ABANDONED_AFTER,
    ),
    "an event is not refused because of a clock": (d.CLOCK_ERROR, d.EVENT_VALID),
    "a certificate is here before the endpoint's time is over": (
        timedelta(seconds=TOTAL_TIMEOUT_S),
        timeout("Callback"),
    ),
}


@pytest.mark.parametrize("why", SHORTER_AND_LONGER)
def test_what_must_be_longer_is_longer(why: str) -> None:
    shorter, longer = SHORTER_AND_LONGER[why]

    assert shorter <= longer


# What the profiles make necessary.
ALL_ATTEMPTS = MOST_ATTEMPTS * (LONGEST_WINDOW + LAST_END)
STOPPED_FOR = LONGEST_WINDOW  # as ``is_worth_requeuing`` has it
SPARE = timedelta(days=7)


def test_every_retention_follows_from_the_profiles() -> None:
    """Each is long enough, and no longer than that by more than a few days.

    The template's days follow in turn: see ``test_what_an_open_job_needs_outlives_it``.
    """
    sent_by = ALL_ATTEMPTS + STOPPED_FOR
    open_until = d.SEND_WITHIN + LONGEST_WINDOW + LAST_END

    assert sent_by <= d.SEND_WITHIN <= sent_by + SPARE
    assert open_until + d.MENDED_WITHIN <= d.WORK_KEPT <= open_until + d.MENDED_WITHIN + SPARE
    comment = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert f"a job may be open for {open_until.days} days" in comment


def test_windows_and_their_bounds_are_whole_steps() -> None:
    for profile in PROFILES:
        limits = profile.limits_for("")

        for bound in (limits.min_window, limits.max_window):
            assert limits.rounded_window(bound) == bound
            assert bound % timedelta(days=1) == timedelta(0)


# A day that is a recipe's default, and attempts rather than durations.
# The calendar's days are no deadlines.
ELSEWHERE = {
    "recipes/recipe.py",
    "events/signed_events.py",
    "pipeline/jobs/retry_job.py",
    "money/months.py",
}


def durations_in(source: str) -> Iterator[int]:
    """The lines on which a duration is made of a number."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("timedelta"):
            values = [*node.args, *(keyword.value for keyword in node.keywords)]
            if any(isinstance(value, ast.Constant) and value.value for value in values):
                yield node.lineno


def test_no_duration_stands_elsewhere() -> None:
    """But for the silences of connections, beside each client."""
    shared = ROOT / "shared"
    clients = {"stores", "providers"}
    files = [path for path in shared.rglob("*.py") if path.relative_to(shared).parts[0] not in clients]

    found = {
        path.relative_to(shared).as_posix() for path in files if [*durations_in(path.read_text("utf-8"))]
    }

    assert found - {"pipeline/deadlines.py"} == ELSEWHERE


def test_a_duration_elsewhere_would_be_found() -> None:
    assert [*durations_in("a = timedelta(0)\nb = datetime.timedelta(hours=1)")] == [2]
