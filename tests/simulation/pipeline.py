"""The functions as Function Compute runs them: by events that come twice, late or never."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from shared.bucket.attempt import JobId, parse_attempt
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import AGAIN, APPROVE, INBOX_MARK, OUTBOX, Stage
from shared.events.callbacks import callback_path_for
from shared.events.oss import UploadedObject
from shared.pipeline.deadlines import SHARE_TO_REPAIR, SHARE_TO_SHOW
from shared.pipeline.hear import HearCallback, HearMessage
from shared.pipeline.reconcile.reconcile import Overdue
from shared.ports.clock import Pause, no_pause
from shared.ports.profile import ShardLimits
from shared.problems.exceptions import PipelineError
from shared.providers.bailian.profile import BAILIAN, BAILIAN_LIMITS
from shared.runtime.settings import Settings
from tests.simulation.bucket import Bucket
from tests.simulation.installations import Installation, provider_of
from tests.simulation.kernel import Kernel, Task
from tests.simulation.lane import Lane
from tests.simulation.members import Member, Surroundings, members_of
from tests.simulation.service import Batch
from tests.simulation.words import Words
from tests.support.fakes import START, Killed
from tests.support.functions import BUCKET_NAME, Functions
from tests.support.kills import one_piece

SECRET = b"0123456789abcdef"
# As template.yaml has them.
# More often than deployed, so that a run need not wait for it.
FILES_SWEEP_S = 1800
TIMEOUT_S = {"validate": 600, "submit": 600, "callback": 10, "message": 60, "collect": 900, "reconcile": 300}
TIMEOUT_S |= {"notify": 60}
# What people run on their own machines.
TIMEOUT_S |= {"cancel": 300, "retry": 300, "erase": 300, "approve": 300}
TRIGGERS = {"inbox/": "validate", "again/": "validate", "ready/": "submit", "finished/": "collect"}
TRIGGERS |= {OUTBOX: "notify"}
# A cancellation so soon after a claim may meet the create; by chance it hardly ever would.
_CANCELLED_WITHIN_S = 4.0
# Two people see at once that a job ended with rows that have no answer.
_RETRIED_WITHIN_S = 4.0
# So soon after a validation began, its file may be replaced before it is read.
_REPLACED_WITHIN_S = 2.0
# Somebody saves a recipe with a mistake just before it is read, and puts it right so soon.
_BROKEN_FOR_S = 4.0
_OUTAGES_S = {"outage": 3 * 24 * 3600.0, "outage_of_weeks": 35 * 24 * 3600.0}
RETRIES = 3
TIMER_S = 60.0
_LONGEST_TICK_S = 3600.0
# The board is for people alone, and takes as long as the repairs.
_SHOWN_EVERY = 4
WORK = ("again/", "ready/", "running/", "finished/", "open/", APPROVE, OUTBOX)
_HOUR_S = 3600.0
# In so many runs a closing leaves off behind each shard or workbook.
_IN_PIECES = 0.15
# For so long one of two providers refuses everything, and the other's batches must go on.
DOWN_FOR_S = 3 * 24 * _HOUR_S
# What would hold up everybody while faults last that long: then nothing is said about the other.
_NOT_FOR_DAYS = ("kill", "slow", "timer_lost", "outage", "outage_of_weeks", "key_refused")


class Pipeline:
    """Bucket, provider and functions of one run.

    Attributes:
        invocations: How many of each function were started.
        calm_s: When the faults were over; infinite before.
        surprises: Errors that are none of ours: an invocation that ends so is a bug.
        earlier: What the history had when the run began.
        reuse: How old an answer may be that an earlier job was given, as the recipe says it.
        unfinished: How many validations of each file were killed or ended with an error.
    """

    def __init__(
        self,
        kernel: Kernel,
        seed: int,
        limits: ShardLimits = BAILIAN_LIMITS,
        installation: Installation = Installation.BAILIAN,
    ) -> None:
        self.kernel = kernel
        self.bucket = Bucket(kernel, self._wrote)
        self.installation = installation
        around = Surroundings(self._notify_by_callback, self._announce, self.bucket.objects)
        self.members = members_of(installation, kernel, seed, limits, around)
        self.invocations: Counter[str] = Counter()
        self.repairs: Counter[str] = Counter()
        self.surprises: list[str] = []
        self.unfinished: Counter[str] = Counter()
        self.earlier: Sequence[str] = ()
        self.reuse: str | None = None
        self.words = Words(kernel, self.bucket)
        self.lane = Lane(kernel)
        self._functions = _functions(
            self.bucket, self.members, kernel, self.words, self.lane, pause=_pause_of(seed)
        )
        self._run_number = 0
        self._pending = self._running = self._people = 0
        self._has_acted = False
        self._tick_s = TIMER_S
        self._down_until_s = self._down_until_s_of_one = 0.0
        self.calm_s = math.inf
        self._erasing: set[str] = set()
        self.replace: Callable[[str], object] = lambda _key: None
        self.break_recipe: Callable[[float], object] = lambda _for_s: None
        self.awaits: Callable[[str], object] = lambda _key: None
        self.approvals: object = None
        self.down: Member | None = None
        self._let_one_be_down(seed)

    @property
    def start(self) -> datetime:
        return START

    @property
    def batches(self) -> list[Batch]:
        """Of all providers."""
        return [batch for member in self.members for batch in member.service.batches.values()]

    def member_of(self, model: str) -> Member:
        """Who is asked about that model."""
        return next(each for each in self.members if each.name == provider_of(model))

    def _let_one_be_down(self, seed: int) -> None:
        own = random.Random(f"down {seed}")
        if len(self.members) == 2 and self.kernel.faults.strikes("down_for_days", "provider", 0, likely=3):
            self.down, at_s = own.choice(self.members), own.uniform(0.1, 1) * _HOUR_S
            self._down_until_s_of_one = at_s + DOWN_FOR_S
            for kind in _NOT_FOR_DAYS:
                self.kernel.faults.rates.pop(kind, None)
            self.kernel.at(at_s, partial(self.down.service.be_down_until, self._down_until_s_of_one))

    @property
    def has_work(self) -> bool:
        """Whether anything is under way, on its way, or waits for the timer."""
        return bool(self._pending or self._people) or any(map(self.bucket.keys, WORK))

    def start_timer(self) -> None:
        self.kernel.at(TIMER_S, self._tick)

    def calm_down(self) -> None:
        """No fault strikes any more, and no callback and no message comes: the timer is alone."""
        down_until_s = max(self._down_until_s, self._down_until_s_of_one)
        if self.kernel.now_s < down_until_s:
            self.kernel.at(down_until_s - self.kernel.now_s, self.calm_down)
            return
        self.kernel.say("THE FAULTS ARE OVER")
        self.kernel.faults.end()
        mended_in_s = max(member.service.mended_s for member in self.members) - self.kernel.now_s
        for job in sorted(self._erasing):  # a command that was interrupted or refused is repeated
            self.later(max(mended_in_s, 0), partial(self._invoke, "erase", job, tries=RETRIES))
        self.calm_s = self.kernel.now_s

    def operate(self, command: str, which: float) -> None:
        """Run a command of ``scripts/batchdrop`` on a job; ``which`` is between 0 and 1."""
        jobs = [key.split("/")[1] for key in self.bucket.keys("jobs/") if key.endswith("/plan.json")]
        if jobs:
            self._command(command, jobs[int(which * len(jobs))])

    def _command(self, command: str, job: str) -> None:
        if not self.kernel.faults.are_over:
            self._invoke(command, job, tries=RETRIES - 1)  # people who see it fail try once more

    def approve(self, way: str, job: str) -> None:
        """Somebody approves a job, by command or on the page."""
        self._invoke("approve", f"{way} {job}", tries=RETRIES - 1)

    # Events.

    def _wrote(self, key: str) -> None:
        if key.startswith(APPROVE):
            self.awaits(key)
        for prefix, function in TRIGGERS.items():
            if key.startswith(prefix):
                self._deliver(function, key)
        kernel = self.kernel
        if "/claim-" in key and kernel.faults.strikes("cancelled_meanwhile", key, kernel.now_s, likely=2):
            cancel = partial(self._command, "cancel", key.split("/")[1])
            kernel.at(kernel.random_s(0, _CANCELLED_WITHIN_S), cancel)
        if key.endswith("/ledger.json") and kernel.faults.strikes("retried_at_once", key, kernel.now_s):
            retry = partial(self._command, "retry", key.split("/")[1])
            for _ in range(2):
                kernel.at(kernel.random_s(0, _RETRIED_WITHIN_S), retry)

    def _deliver(self, function: str, key: str) -> None:
        kernel, where = self.kernel, f"{function} {key}"
        # What was dropped before the timer ran once is from before there was a pipeline.
        for outage, lasts_s in _OUTAGES_S.items() if INBOX_MARK in self.bucket.objects else ():
            if kernel.faults.strikes(outage, where, kernel.now_s, likely=0.1):
                self._down_until_s = kernel.now_s + lasts_s
        if kernel.now_s < self._down_until_s or kernel.faults.strikes("event_lost", where, kernel.now_s):
            kernel.say(f"event of {key} lost")
            return
        delay_s = kernel.pace * kernel.random_s(0.2, 2.0)
        if kernel.faults.strikes("event_late", where, kernel.now_s):
            delay_s += kernel.random_s(1, 3 * _HOUR_S)
        self._invoke_at(delay_s, function, key)
        if function == "validate" and kernel.faults.strikes("replaced_meanwhile", where, kernel.now_s):
            replaced_s = delay_s + kernel.pace * kernel.random_s(0, _REPLACED_WITHIN_S)
            self.later(replaced_s, lambda: self.replace(key))
        if self._is_twice(function, key, delay_s):
            again_s = kernel.pace * kernel.random_s(0.2, 2.0) if delay_s < 5 else delay_s
            self._invoke_at(again_s, function, key)

    def _is_twice(self, function: str, key: str, delay_s: float) -> bool:
        kernel, where = self.kernel, f"{function} {key}"
        is_twice = kernel.faults.strikes("event_twice", where, kernel.now_s)
        is_file = function == "validate" and not key.endswith(".yaml")
        if is_file and kernel.faults.strikes("recipe_broken", where, kernel.now_s, likely=3):
            broken_for_s = kernel.random_s(0, _BROKEN_FOR_S)
            broken_s = delay_s - kernel.pace * kernel.random_s(0, 0.2)
            self.later(broken_s, lambda: self.break_recipe(broken_for_s))
            return True  # one look may find it broken, the other mended
        if function == "submit" and kernel.faults.strikes("submit_twice", where, kernel.now_s, likely=3):
            return True
        return is_twice

    def _announce(self, batch: Batch) -> None:
        """At its end the provider calls back, and the event bus says so; both may fail or lie."""
        ends_in_s = self._notify_by_callback(batch)
        kernel, name = self.kernel, batch.request.name
        message = f'{{"data": {{"id": "{batch.batch_id}"}}}}'
        if not kernel.faults.strikes("message_lost", name, kernel.now_s):
            kernel.at(ends_in_s, lambda: self._hear("message", message, tries=0))
        if kernel.faults.strikes("message_garbage", name, kernel.now_s):
            garbage = message[:-9] + '"batch_'
            kernel.at(kernel.random_s(0, ends_in_s), lambda: self._hear("message", garbage, tries=0))

    def _notify_by_callback(self, batch: Batch) -> float:
        """How soon it ends, and the provider says so."""
        kernel, name = self.kernel, batch.request.name
        faults, path = kernel.faults, batch.request.callback_url or ""
        ends_in_s = max(batch.ends_s - kernel.now_s, 0) + kernel.random_s(0.5, 5)
        if not faults.strikes("callback_lost", name, kernel.now_s):
            kernel.at(ends_in_s, lambda: self._call_back(path))
        if faults.strikes("callback_early", name, kernel.now_s):
            kernel.at(kernel.random_s(0, ends_in_s), lambda: self._call_back(path))
        if faults.strikes("callback_forged", name, kernel.now_s):
            kernel.at(kernel.random_s(0, ends_in_s), lambda: self._call_back(path[:-4] + "0000"))
        if faults.strikes("callback_of_another", name, kernel.now_s):
            other = self.batches[0].request.callback_url or ""
            kernel.at(kernel.random_s(0, ends_in_s), lambda: self._call_back(other))
        return ends_in_s

    def _call_back(self, path: str) -> None:
        self._hear("callback", path, tries=RETRIES)  # no callback is sent again

    def _hear(self, function: str, said: str, tries: int) -> None:
        if not self.kernel.faults.are_over:
            self._invoke(function, said, tries)

    def _tick(self) -> None:
        kernel = self.kernel
        # Where nothing happens but waiting, most ticks of a minute would find nothing.
        is_busy = self._running or self._has_acted
        self._tick_s = TIMER_S if is_busy else min(self._tick_s * 2, _LONGEST_TICK_S)
        self._has_acted = False
        kernel.at(self._tick_s, self._tick)
        if kernel.now_s < self._down_until_s or kernel.faults.strikes("timer_lost", "timer", kernel.now_s):
            return
        if kernel.faults.strikes("ticket_deleted", "bucket", kernel.now_s, likely=0.3):
            self._delete_a_ticket()
        self._invoke("reconcile", "", tries=RETRIES)
        if kernel.faults.strikes("timer_twice", "timer", kernel.now_s, likely=0.3):
            self._invoke("reconcile", "", tries=RETRIES)

    def _delete_a_ticket(self) -> None:
        """Somebody tidies up what looks like rubbish."""
        tickets = [key for stage in Stage for key in self.bucket.keys(stage.value)]
        if tickets:
            key = tickets[int(self.kernel.random_s(0, len(tickets)))]
            self.kernel.say(f"somebody deletes {key}")
            self.bucket.remove(key)

    # Invocations.

    def later(self, delay_s: float, act: Callable[[], object]) -> None:
        """A person does it then; the run is not over before."""
        self._people += 1

        def acts() -> None:
            self._people -= 1
            act()

        self.kernel.at(delay_s, acts)

    def _invoke_at(self, delay_s: float, function: str, payload: str, tries: int = 0) -> None:
        self._pending += 1

        def invoke() -> None:
            self._pending -= 1
            self._invoke(function, payload, tries)

        self.kernel.at(delay_s, invoke)

    def _invoke(self, function: str, payload: str, tries: int) -> None:
        self.invocations[function] += 1
        self._pending += 1
        is_timer = function == "reconcile"
        self._running += not is_timer
        self._run_number += 1
        run_id = f"run{self._run_number:05d}"
        body: Callable[[str, str], object] = getattr(self, f"_{function}")
        file = self._file_of(payload) if function == "validate" else ""

        def ended(task: Task) -> None:
            self._pending -= 1
            self._running -= not is_timer
            self._has_acted |= not is_timer
            if task.error is None:
                return
            self.unfinished[file] += 1
            if not isinstance(task.error, Killed | PipelineError):
                self.surprises.append(f"{task.name}: {type(task.error).__name__}: {task.error}")
            self.kernel.say(f"{task.name} failed: {task.error!r}")
            if tries < RETRIES and not self.kernel.faults.strikes("no_retry", task.name, self.kernel.now_s):
                self._invoke_at(60.0 * 2**tries, function, payload, tries + 1)
            elif function == "erase" and self.kernel.faults.are_over:
                self._invoke_at(_HOUR_S, function, payload, tries)  # the operator has yet to mend something

        self.kernel.start(f"{run_id} {function}", TIMEOUT_S[function], lambda: body(payload, run_id), ended)

    def _file_of(self, key: str) -> str:
        """The dropped file that the event is about, or that its ticket names."""
        ticket = self.bucket.objects.get(key, b"{}") if key.startswith(AGAIN) else b"{}"
        return str(json.loads(ticket).get("key", key))

    def _validate(self, key: str, run_id: str) -> object:
        return self._functions.validate(UploadedObject(BUCKET_NAME, key, ""), run_id)

    def _submit(self, key: str, _run_id: str) -> object:
        attempt = parse_attempt(key.removeprefix(Stage.READY.value))
        return self._functions.submit(attempt) if attempt else None

    def _collect(self, key: str, run_id: str) -> object:
        attempt = parse_attempt(key.removeprefix(Stage.FINISHED.value))
        return self._functions.collect(attempt, run_id) if attempt else None

    def _notify(self, key: str, _run_id: str) -> object:
        return self._functions.notify(key)

    def _callback(self, path: str, _run_id: str) -> object:
        attempt_text, _, signature = path.removeprefix("/finished/").rpartition("/")
        return HearCallback(self.bucket, SECRET)(attempt_text, signature)

    def _message(self, event: str, _run_id: str) -> object:
        return HearMessage(self.bucket, [BAILIAN])(event.encode())

    def _reconcile(self, _payload: str, _run_id: str) -> object:
        timeout = timedelta(seconds=TIMEOUT_S["reconcile"])
        is_short = self.kernel.faults.strikes("timer_short", "timer", self.kernel.now_s)
        is_shown = self.invocations["reconcile"] % _SHOWN_EVERY == 0
        repairs = self._functions.run_timer(
            timedelta() if is_short else timeout * SHARE_TO_REPAIR,
            timeout * SHARE_TO_SHOW if is_shown else None,
        )
        self.repairs.update(repairs)
        return repairs

    def _cancel(self, job_id: str, _run_id: str) -> object:
        return self._functions.cancel(JobId(job_id))

    def _approve(self, payload: str, _run_id: str) -> object:
        way, job_id = payload.split()
        plan = BucketRecords(self.bucket).find_plan(JobId(job_id))
        return self._functions.approve(plan, way) if plan else None

    def _retry(self, job_id: str, run_id: str) -> object:
        plan = BucketRecords(self.bucket).find_plan(JobId(job_id))
        return self._functions.retry(plan, run_id) if plan else None

    def _erase(self, job_id: str, _run_id: str) -> object:
        self._erasing.add(job_id)
        plan = BucketRecords(self.bucket).find_plan(JobId(job_id))
        is_erased = self._functions.erase(plan) if plan else None
        self._erasing.discard(job_id)
        return is_erased


def _pause_of(seed: int) -> Pause:
    """In some runs an invocation has time for one piece of a closing."""
    return one_piece if random.Random(f"time to close {seed}").random() < _IN_PIECES else no_pause


def _functions(
    bucket: Bucket, members: Sequence[Member], kernel: Kernel, words: Words, lane: Lane, *, pause: Pause
) -> Functions:
    """As deployed by default."""
    settings = Settings(bucket_name=BUCKET_NAME, oss_endpoint="http://oss", oss_region="r")
    overdue = Overdue.from_seconds(
        settings.ready_overdue_s,
        settings.poll_after_s,
        settings.finished_overdue_s,
        settings.inbox_sweep_after_s,
        FILES_SWEEP_S,
    )
    return Functions(
        bucket,
        members[0].provider.batches,
        kernel,
        profile=members[0].provider.profile,
        others=tuple(each.provider for each in members[1:]),
        lease=timedelta(seconds=settings.claim_lease_s),
        late=timedelta(seconds=settings.results_late_s),
        overdue=overdue,
        callback_url_for=lambda attempt: callback_path_for(attempt, SECRET),
        channel=words.channel,
        shown=words.see,
        real_time=lane if members[0].name == BAILIAN.name else None,
        pause=pause,
    )
