"""The use cases as the functions wire them, over a test's ports; all tests make them here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from shared.board.model import Board
from shared.board.write import WriteBoard
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from shared.pipeline.collect.collect_shard import CollectShard
from shared.pipeline.collect.ticket_meaning import CollectResult
from shared.pipeline.deadlines import REPAIRS_SHOWN
from shared.pipeline.jobs.cancel_job import CancelJob, CancelResult
from shared.pipeline.jobs.erase_job import EraseJob
from shared.pipeline.jobs.retry_job import Retried, RetryJob
from shared.pipeline.quota.free_money import ceiling_on_board, money_on_board
from shared.pipeline.quotes.approve_job import ApproveJob, Decided
from shared.pipeline.reconcile.lull import Lull
from shared.pipeline.reconcile.reconcile import Overdue, Reconcile
from shared.pipeline.reconcile.repairs.lost_uploads import AskAgain, Asked
from shared.pipeline.reconcile.timer_run import TimerRun
from shared.pipeline.submit.submit_shard import SubmitResult, SubmitShard
from shared.pipeline.validate.validate_file import ValidateFile
from shared.pipeline.validate.validate_result import Validated
from shared.pipeline.words.tell import Tell, TellResult
from shared.pipeline.words.tell_waiting import TellWaiting
from shared.ports.channel import Channel
from shared.ports.choice import ProviderChoice
from shared.ports.clock import Clock, Pause, no_pause
from shared.ports.profile import ProviderProfile
from shared.ports.provider import BatchProvider
from shared.ports.providers import Provider, Providers
from shared.ports.real_time import RealTime
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ChannelRefused
from shared.providers.bailian.profile import BAILIAN
from shared.stores.folders_first import FoldersFirst

BUCKET_NAME = "drop"
LEASE = timedelta(minutes=15)
LATE = timedelta(hours=1)
OVERDUE = Overdue.from_seconds(ready=300, poll=300, finished=1200, inbox=900, files=21_600)


def no_channel(name: str) -> Channel:
    raise ChannelRefused(f"there is no {name}")


@dataclass
class Functions:
    """Every function, and what people run. A ``run_id`` is unique to one invocation.

    ``provider`` is called as ``profile`` says; ``others`` are set up beside it.
    """

    store: ObjectStore
    provider: BatchProvider
    clock: Clock
    profile: ProviderProfile = BAILIAN
    lease: timedelta = LEASE
    late: timedelta = LATE
    overdue: Overdue = OVERDUE
    callback_url_for: Callable[[Attempt], str | None] = lambda _: None
    others: tuple[Provider, ...] = ()
    channel: Callable[[str], Channel] = no_channel
    shown: Callable[[Board | None], object] = lambda _: None
    lull: Lull = field(default_factory=Lull)
    pause: Pause = no_pause
    real_time: RealTime | None = None
    month_budget: Money | None = None
    _run: FoldersFirst | None = None

    @property
    def providers(self) -> Providers:
        return Providers(Provider(self.profile, self.provider, self.real_time), *self.others)

    @property
    def choice(self) -> ProviderChoice:
        profiles = [provider.profile for provider in self.providers]
        return ProviderChoice(profiles, self.profile.name, [profile.name for profile in profiles])

    def validate(self, upload: UploadedObject, run_id: str) -> Validated:
        asked = {each.profile.name: each.real_time for each in self.providers if each.real_time}
        validate = ValidateFile(
            self.store,
            self.clock,
            self.choice,
            "qwen-flash",
            run_id,
            real_times=asked,
            month_budget=self.month_budget,
        )
        return validate(upload)

    def submit(self, attempt: Attempt) -> SubmitResult:
        submit = SubmitShard(
            self.store,
            self.providers,
            self.clock,
            self.lease,
            self.callback_url_for,
            month_budget=self.month_budget,
        )
        return submit(attempt)

    def collect(self, attempt: Attempt, run_id: str) -> CollectResult:
        collect = CollectShard(
            self.store, self.providers, self.clock, run_id, self.late, self.pause, self.month_budget
        )
        return collect(attempt)

    def reconcile(
        self,
        budget: timedelta = timedelta(minutes=1),
        validate: Callable[[UploadedObject], Asked] | None = None,
        store: FoldersFirst | None = None,
    ) -> dict[str, int]:
        """``validate`` handles a file whose event was lost; by default it gets a ticket."""
        store = self._run = store or FoldersFirst(self.store, self.store.folders)
        validate = validate or AskAgain(store, self.clock, self.overdue.inbox)
        reconcile = Reconcile(
            store,
            self.providers,
            self.clock,
            self.overdue,
            validate,
            BUCKET_NAME,
            budget,
            self.lull,
            month_budget=self.month_budget,
        )
        return reconcile()

    def run_timer(self, budget: timedelta, show_for: timedelta | None) -> dict[str, int]:
        """All that a tick does in a warm instance; without ``show_for`` it shows no board."""
        store = FoldersFirst(self.store, self.store.folders)
        run = TimerRun(
            store,
            self.clock,
            lambda: self.reconcile(budget, store=store),
            lambda repairs: self.write_board(repairs, show_for) if show_for else None,
            lambda _: None,  # ``write_board`` told
            self.lull,
            self.overdue.inbox,
        )
        return run()

    def write_board(self, repairs: dict[str, int], budget: timedelta) -> Board | None:
        """Show what is open, and tell who must act: the end of the run that ``reconcile`` began."""
        store, self._run = self._run or FoldersFirst(self.store, self.store.folders), None
        money = partial(money_on_board, store, self.clock)
        ceiling_of = partial(ceiling_on_board, store)
        board = WriteBoard(store, self.clock, budget, REPAIRS_SHOWN, money, ceiling_of)(repairs)
        self.shown(board)
        TellWaiting(store, self.clock)(board)
        return board

    def notify(self, key: str) -> TellResult:
        return Tell(self.store, self.clock, self.channel)(key)

    def cancel(self, job_id: JobId) -> CancelResult:
        return CancelJob(self.store, self.clock)(job_id)

    def approve(self, plan: Plan, by: str) -> Decided:
        return ApproveJob(self.store, self.clock, by)(plan, None)

    def retry(self, plan: Plan, run_id: str) -> Retried:
        return RetryJob(self.store, self.clock, run_id, self.choice.profiles)(plan)

    def erase(self, plan: Plan) -> bool:
        return EraseJob(self.store, self.providers, self.clock)(plan)
