"""Approves what a job is to cost, after whoever approves it has seen the quote."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from scripts.operate.jobs.commands import Commands
from scripts.operate.jobs.show import quote_lines
from scripts.operate.texts.said import Refusal, said
from scripts.terminal import named
from shared.bucket.attempt import JobId
from shared.bucket.keys import awaited_key
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import approval_keys_for, quote_keys_for, rejection_keys_for
from shared.pipeline.quotes.approve_job import ApproveJob
from shared.ports.store import ObjectStore
from shared.problems.escapes import escaped_line
from shared.problems.exceptions import ObjectMissing
from shared.problems.problem import Problem
from shared.problems.render import render_problem
from shared.runtime.system_clock import SystemClock


def approve(commands: Commands, target: str, digest: str | None, confirm: Callable[[str], bool]) -> JobId:
    """Approve the quote of that number, or the one that is shown once ``confirm`` says yes."""
    store = commands.bucket.store
    plan = commands.only_one(target, _meant(store, commands.find(target)))
    names = {"job": plan.job_id, "key": named(plan.source.key)}
    job = ApproveJob(store, SystemClock(), "command")
    digest = digest and digest.strip().lower()
    _require(job.why_not(plan, digest), names)  # before anybody reads the quote for nothing
    if digest is None and store.head(awaited_key(JobId(plan.job_id))):
        for line in _quote_of(store, plan):
            commands.tell(escaped_line(line))
        if not confirm(said("about_to_approve", **names)):
            raise Refusal("nothing_approved", **names)
    decided = job(plan, digest)
    _require(decided.refused, names)
    for key in approval_keys_for(plan.source.key) if plan.source.key else ():
        store.delete(rejection_keys_for(key)[0])  # of a wrong number that was dropped before
    commands.tell(said("approved" if decided.is_new else "approved_before", **names))
    return JobId(plan.job_id)


def _require(refused: Problem | None, names: Mapping[str, str]) -> None:
    if refused:
        lines = (render_problem(refused, language) for language in ("zh", "en"))
        raise Refusal("not_approved", *lines, **names)


def _meant(store: ObjectStore, plans: list[Plan]) -> list[Plan]:
    """Those that wait, of the file as it is now; if there is none, the last job."""
    waiting = [plan for plan in plans if store.head(awaited_key(JobId(plan.job_id)))]
    heads = {plan.source.key: store.head(plan.source.key) for plan in waiting}
    of_now = [plan for plan in waiting if (head := heads[plan.source.key]) and head.etag == plan.source.etag]
    return of_now or waiting or plans[-1:]


def _quote_of(store: ObjectStore, plan: Plan) -> Iterator[str]:
    """As it lies in the bucket, if that is the quote of this version."""
    try:
        text = store.get(quote_keys_for(plan.source.key)[0]).decode(errors="replace")
    except ObjectMissing:
        text = ""
    is_its = plan.quote is not None and plan.quote.digest in text
    yield from text.rstrip().split("\n") if is_its else quote_lines(plan)
