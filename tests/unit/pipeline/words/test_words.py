"""A word to people: who is told, of what, how often, and that nobody is told what is not so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from shared.board.model import Board, HeldUp, OpenJob, held_up_by
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import BOARD, OUTBOX, Stage
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import ReadyTicket, RunningTicket, WaitingFor
from shared.events.oss import UploadedObject
from shared.links.token import verified_link
from shared.pipeline.deadlines import CHANNEL_RESTS, REPAIRS_SHOWN, WORD_GIVEN_UP
from shared.pipeline.reconcile.repairs.retry_words import AT_ONCE
from shared.pipeline.waiting import backoff
from shared.pipeline.words.is_so import IsSo
from shared.pipeline.words.silent_channels import SilentChannels
from shared.pipeline.words.tell import Tell
from shared.pipeline.words.untold import untold_problems
from shared.pipeline.words.word_links import WordLinks
from shared.ports.channel import Channel, Word
from shared.problems.exceptions import ChannelRefused, ProviderTrouble
from shared.results.tables import ledger_sheet
from shared.words.event import Event, EventKind, Told
from shared.words.texts import STATUS_ZH, word_for
from tests.support.fakes import START, FixedClock, Killed
from tests.support.functions import Functions
from tests.support.pipeline import Cut, Harness

RECIPE = "model: qwen-flash\nprompt: 'Say {{ name }}'\n"
TEAM = "notify: [{dingtalk: team}]\n"
TABLE = b"name\nAlice-Secret\nBob-Secret\n"
WRONG = b"age\n3\n"  # the recipe wants a name


@dataclass
class Chat:
    """A channel that notes what it is told; ``refusals`` are raised first."""

    told: list[Word] = field(default_factory=list)
    times: list[datetime] = field(default_factory=list)
    refusals: list[BaseException] = field(default_factory=list)
    is_dead: bool = False

    def deliver(self, word: Word, now: datetime) -> None:
        self.times.append(now)
        if self.is_dead:
            raise ChannelRefused("no answer")
        if self.refusals:
            raise self.refusals.pop(0)
        self.told.append(word)


class Bench(Harness):
    """The whole pipeline with a team's chat and a boss's mailbox; events of the outbox wait."""

    def __init__(self) -> None:
        super().__init__()
        self.team, self.boss = Chat(), Chat()
        chats: dict[str, Channel] = {"dingtalk:team": self.team, "email:boss": self.boss}
        self.functions = Functions(self.store, self.provider, self.clock, channel=self._channel(chats))

    @staticmethod
    def _channel(chats: dict[str, Channel]) -> Any:
        def channel(name: str) -> Channel:
            if name not in chats:
                raise ChannelRefused(f"there is no {name}", problem="channel_unknown")
            return chats[name]

        return channel

    def drop(self, key: str, content: bytes | str) -> str:
        self.store.put(key, content.encode() if isinstance(content, str) else content)
        return self.functions.validate(UploadedObject("drop", key, ""), self.run_id())

    def outbox(self) -> list[str]:
        return self.store.keys(OUTBOX)

    def notify(self, key: str | None = None, cut: Cut | None = None) -> str:
        with self._cut_by(cut):
            return self.functions.notify(key or self.outbox()[0]).value

    def tell_all(self) -> list[str]:
        return [self.notify(key) for key in self.outbox()]

    def problems(self) -> dict[str | None, str]:
        """What is said of each channel."""
        found = untold_problems(self.store, self.clock, self.show().untold_by)
        return {problem.found: problem.code for problem in found}

    def plan(self) -> Plan:
        (key,) = [key for key in self.store.keys("jobs/") if key.endswith("/plan.json")]
        return Plan.model_validate_json(self.store.get(key))

    def show(self) -> Board:
        self.functions.write_board({}, timedelta(seconds=10))
        return Board.model_validate_json(self.store.get(BOARD))


def closed(recipe: str = RECIPE + TEAM, table: bytes = TABLE) -> Bench:
    """A job that has ended, and whose words are still to be told."""
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", recipe)
    assert bench.drop("inbox/a/names.csv", table) == "planned"
    bench.run_until_done()
    return bench


# Who is told.


def test_a_recipe_says_who_is_told() -> None:
    bench = closed(RECIPE + "notify:\n  - dingtalk: team\n  - email: boss\n  - dingtalk: team\n")

    assert bench.tell_all() == ["told", "told"]

    assert (len(bench.team.told), len(bench.boss.told)) == (1, 1)
    assert bench.outbox() == []


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"inbox/notify.yaml": "notify: [{email: boss}]"}, ("email:boss",)),
        ({"inbox/notify.yaml": TEAM, "inbox/a/notify.yaml": "notify: [{email: boss}]"}, ("email:boss",)),
        ({"inbox/notify.yaml": TEAM, "inbox/a/notify.yaml": "notify: []"}, ()),
        ({"inbox/notify.yaml": TEAM, "inbox/a/notify.yaml": "notify: team"}, ()),
        ({"inbox/b/notify.yaml": TEAM}, ()),
        (
            {"inbox/notify.yaml": TEAM, "inbox/a/batch.yaml": RECIPE + "notify: [{email: boss}]"},
            ("email:boss",),
        ),
        ({"inbox/notify.yaml": TEAM, "inbox/a/batch.yaml": RECIPE + "notify: []"}, ()),
        ({}, ()),
    ],
)
def test_the_nearest_file_counts_and_a_recipe_more(files: dict[str, str], told: tuple[str, ...]) -> None:
    bench = Bench()
    for key, content in {"inbox/a/batch.yaml": RECIPE, **files}.items():
        bench.store.put(key, content.encode())

    bench.drop("inbox/a/names.csv", TABLE)

    assert bench.plan().notify == told


def test_nobody_is_asked_for_who_wants_no_word() -> None:
    bench = closed(RECIPE)

    assert bench.outbox() == []


def test_a_huge_notify_file_is_not_read_whole() -> None:
    bench = Bench()

    assert bench.drop("inbox/notify.yaml", b"notify: []\n" + b"#" * 100_000) == "rejected"
    assert b"recipe_too_large" in bench.store.get("rejected/notify.yaml.report.txt")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("", "recipe_notify"),
        ("notify: team", "recipe_notify"),
        ("notify: [team]", "recipe_notify"),
        ("notify: [{pager: team}]", "recipe_notify"),
        ("notify: [{slack: a/b}]", "recipe_notify"),
        ("notify: [{slack: a, feishu: b}]", "recipe_notify"),
        ("who: me\nnotify: []", "notify_unknown_key"),
        ("notify: [", "recipe_not_yaml"),
        ("- dingtalk: team\n- email: boss", "notify_not_a_mapping"),
        ("# nobody yet", "notify_not_a_mapping"),
    ],
)
def test_a_wrong_notify_file_gets_a_report(content: str, code: str) -> None:
    bench = Bench()

    assert bench.drop("inbox/notify.yaml", content) == "rejected"

    report = bench.store.get("rejected/notify.yaml.report.txt").decode("utf-8-sig")
    assert f"[{code}]" in report
    assert "notify.yaml" in report
    assert "model:" not in report


def test_a_right_one_starts_nothing_and_withdraws_the_report() -> None:
    bench = Bench()
    bench.drop("inbox/notify.yaml", "notify: team")

    assert bench.drop("inbox/notify.yaml", TEAM) == "recipe"

    assert bench.store.keys("rejected/") == []
    assert bench.store.keys("jobs/") == []


# What is told.


def test_a_word_has_counts_and_names_and_nothing_of_a_cell() -> None:
    bench = closed()

    bench.tell_all()

    (word,) = bench.team.told
    assert word.type == "job.done"
    assert word.lines[1] == "共 2 行：已回答 2 行。用量 0 个 token。结果：results/a/names.csv"
    assert word.lines[3] == "2 rows: 2 answered. 0 tokens. Result: results/a/names.csv"
    assert word.data["path"] == "a/names.csv"
    everything = word.text + word.title + json.dumps(dict(word.data))
    assert not [said for said in ("Alice", "Bob", "Say", "ok:") if said in everything]


def test_a_word_says_what_the_job_cost() -> None:
    event = Event(
        id="evt_1", kind=EventKind.DONE, job_id="j", path="a/b.csv", rows=2, by_status={"answered": 2},
        tokens=4_115, cost=Money(micros=420_000, currency="CNY"), saved=Money(micros=430_000, currency="CNY"),
        place="results/a/b.csv", at=datetime(2026, 11, 28, tzinfo=timezone.utc),
    )  # fmt: skip

    word = word_for(event)

    assert "用量 4,115 个 token，按报价时的价格为 ¥0.42，比实时调用省 ¥0.43。" in word.lines[1]
    assert "4,115 tokens, ¥0.42 at the quoted price, ¥0.43 less than in real time." in word.lines[3]
    assert word.data["cost"] == {"micros": 420_000, "currency": "CNY"}


def test_answers_that_do_not_fit_are_told_also_where_every_row_has_one() -> None:
    bench = closed(RECIPE + TEAM + "columns: {a: a}\n")

    bench.tell_all()

    (word,) = bench.team.told
    assert word.type == "job.done"
    assert word.data["by_code"] == {"answer_not_json": 2}
    assert "已回答 2 行；2 行的答案不合要求。" in word.lines[1]
    assert "2 answered; 2 answer(s) do not fit." in word.lines[3]


def test_rows_without_an_answer_are_told() -> None:
    bench = closed(RECIPE + TEAM + "on_bad_rows: skip\n", b"name,b\nAlice,1\nBob,1,2\n")

    bench.tell_all()

    (word,) = bench.team.told
    assert word.type == "job.failed_rows"
    assert word.data["by_status"] == {"answered": 1, "refused": 1}


def test_a_refused_file_is_told_with_its_report() -> None:
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", RECIPE + TEAM)

    assert bench.drop("inbox/a/names.csv", WRONG) == "rejected"
    assert bench.tell_all() == ["told"]

    (word,) = bench.team.told
    assert word.type == "file.refused"
    assert word.data["place"] == "rejected/a/names.csv.report.txt"
    assert "age" not in word.text


def test_a_recipe_with_a_mistake_is_told_to_those_whom_it_names() -> None:
    bench = Bench()

    assert bench.drop("inbox/a/batch.yaml", RECIPE + TEAM + "atempts: 2\n") == "rejected"
    bench.tell_all()

    (word,) = bench.team.told
    assert word.data["path"] == "a/batch.yaml"


def test_a_word_calls_the_ends_of_rows_as_the_result_does() -> None:
    assert {
        f"by_status.{status}": zh for status, zh in STATUS_ZH.items()
    }.items() <= ledger_sheet._CHINESE.items()


def test_the_longest_name_leaves_room_for_the_link_in_what_wecom_takes() -> None:
    event = Event(
        id="evt_1",
        kind=EventKind.FAILED_ROWS,
        job_id="j",
        path="长" * 300,
        rows=10**9,
        by_status=dict.fromkeys(STATUS_ZH, 10**9),
        tokens=10**12,
        place="长" * 300,
        at=START,
    )

    assert len(word_for(event, "https://page.example.com/#" + "t" * 400).text.encode()) <= 2048


def test_the_name_of_a_file_cannot_begin_another_line() -> None:
    bench = Bench()
    bench.drop("inbox/notify.yaml", TEAM)
    bench.drop("inbox/a\nDone: b.csv", b"x")
    bench.tell_all()

    (word,) = bench.team.told
    assert not [line for line in word.lines if "\n" in line]


def test_work_that_waits_for_somebody_is_told_once() -> None:
    bench, ready = waiting()

    for _ in range(3):
        bench.show()
        bench.tell_all()
        bench.clock.advance(timedelta(minutes=1))

    (word,) = bench.team.told
    assert ready
    assert word.type == "job.waiting"
    assert word.data["by_code"] == {"account_without_money": 1}
    assert "Arrearage" not in word.text


def test_of_many_jobs_that_wait_for_the_same_one_is_named() -> None:
    bench, _ = waiting()
    for number in range(5):
        bench.clock.advance(timedelta(seconds=1))
        bench.provider.fail_next("submit", ProviderTrouble("Arrearage", "account_without_money"))
        bench.drop(f"inbox/a/more{number}.csv", f"name\nN{number}\n")
        bench.deliver()

    bench.show()
    bench.tell_all()
    bench.clock.advance(timedelta(minutes=1))
    bench.show()

    (word,) = bench.team.told
    assert bench.outbox() == []
    assert word.data["path"] == "a/names.csv"
    assert word.data["by_code"] == {"account_without_money": 6}


def test_a_closed_job_that_cannot_be_cleaned_up_does_not_keep_others_from_being_told_of() -> None:
    bench = closed()
    done = Attempt(JobId(bench.plan().job_id), 1, 1)
    since = bench.clock.now()
    reason = WaitingFor(code="account_without_money", message="Arrearage", since=since)
    ticket = RunningTicket(batch_id="b", submitted_at=since, deadline_at=since, waiting_for=reason)
    bench.records.put_running(done, ticket)
    for number in range(2):
        bench.clock.advance(timedelta(minutes=1))
        bench.provider.fail_next("submit", ProviderTrouble("Arrearage", "account_without_money"))
        bench.drop(f"inbox/a/more{number}.csv", f"name\nN{number}\n")
        bench.deliver()

    bench.show()
    bench.tell_all()

    words = [word for word in bench.team.told if word.type == "job.waiting"]
    assert [word.data["path"] for word in words] == ["a/more0.csv"]
    assert words[0].data["by_code"] == {"account_without_money": 2}


def test_while_the_jobs_go_on_one_by_one_once_it_is_mended_nobody_is_told_again() -> None:
    bench, _ = waiting()
    for number in range(5):
        bench.clock.advance(timedelta(minutes=1))
        bench.provider.fail_next("submit", ProviderTrouble("Arrearage", "account_without_money"))
        bench.drop(f"inbox/a/more{number}.csv", f"name\nN{number}\n")
        bench.deliver()
    bench.show()
    bench.tell_all()

    for attempt in bench.attempts(Stage.READY):  # the money is there, and each has its turn
        bench.records.put_ready(attempt)
        bench.show()
        bench.tell_all()

    assert [word.type for word in bench.team.told] == ["job.waiting"]


def test_what_begins_to_wait_anew_is_told_anew() -> None:
    bench, ready = waiting()
    attempt = Attempt(JobId(bench.plan().job_id), 1, 1)
    bench.show()
    bench.tell_all()
    bench.records.put_ready(attempt)
    bench.show()
    bench.clock.advance(timedelta(days=1))

    assert ready.waiting_for
    again = ready.waiting_for.model_copy(update={"since": bench.clock.now()})
    bench.records.put_back(attempt, ready.model_copy(update={"waiting_for": again}))
    bench.show()
    bench.tell_all()

    assert len({word.id for word in bench.team.told}) == 2


def waiting() -> tuple[Bench, ReadyTicket]:
    """A job whose account has no money."""
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", RECIPE + TEAM)
    bench.provider.fail_next("submit", ProviderTrouble("Arrearage", "account_without_money"))
    bench.drop("inbox/a/names.csv", TABLE)
    bench.deliver()
    ready = bench.records.find_ready(Attempt(JobId(bench.plan().job_id), 1, 1))
    assert ready
    return bench, ready


# Nobody is told what is not so.


def test_of_a_closed_job_it_is_not_told_that_it_waits_while_its_ticket_is_still_there() -> None:
    _, ready = waiting()
    bench = closed()
    job_id = bench.plan().job_id
    bench.records.put_back(Attempt(JobId(job_id), 1, 1), ready)

    assert not IsSo(bench.store)(Event(id="evt_1", kind=EventKind.WAITING, job_id=job_id, path="a", at=START))


def test_a_file_that_was_put_right_meanwhile_is_not_told() -> None:
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", RECIPE + TEAM)
    bench.drop("inbox/a/names.csv", WRONG)
    bench.drop("inbox/a/names.csv", TABLE)

    assert bench.notify() == "not_so"
    assert (bench.team.told, bench.outbox()) == ([], [])


def test_a_job_that_goes_on_meanwhile_is_not_told() -> None:
    bench, ready = waiting()
    bench.show()
    bench.records.put_back(
        Attempt(JobId(bench.plan().job_id), 1, 1), ready.model_copy(update={"waiting_for": None})
    )

    assert bench.notify() == "not_so"
    assert bench.team.told == []


def test_an_erased_job_is_not_told_and_leaves_no_ticket_that_names_it() -> None:
    bench = closed()
    (ticket,) = (bench.store.get(key) for key in bench.outbox())
    key = bench.outbox()[0]

    assert bench.functions.erase(bench.plan())
    assert bench.outbox() == []
    bench.store.put(key, ticket)  # a run that was slow puts it after that

    assert bench.notify() == "not_so"
    assert (bench.team.told, bench.outbox()) == ([], [])


def test_what_is_still_to_be_told_of_a_refused_version_is_erased_too() -> None:
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", RECIPE + TEAM)
    bench.drop("inbox/a/names.csv", WRONG)
    bench.drop("inbox/a/names.csv", TABLE)
    bench.run_until_done()

    assert bench.functions.erase(bench.plan())

    assert bench.outbox() == []


def test_what_is_still_to_be_told_of_a_version_that_was_another_job_is_not() -> None:
    bench = closed()
    first = bench.plan()
    waiting = bench.outbox()
    bench.drop("inbox/a/names.csv", TABLE + b"Carol\n")
    bench.run_until_done()
    plans = [
        Plan.model_validate_json(bench.store.get(key))
        for key in bench.store.keys("jobs/")
        if key.endswith("/plan.json")
    ]
    (second,) = [plan for plan in plans if plan.job_id != first.job_id]

    assert bench.functions.erase(second)

    assert bench.outbox() == waiting


# At least once, with one id; no word is lost.


def test_the_same_event_twice_is_told_once() -> None:
    bench = closed()
    key = bench.outbox()[0]

    said = [bench.notify(key), bench.notify(key)]

    assert said == ["told", "gone"]
    assert len(bench.team.told) == 1


def test_two_runs_at_once_tell_once() -> None:
    bench = closed()
    key = bench.outbox()[0]
    inner: list[str] = []
    bench.team.refusals = []
    deliver = bench.team.deliver

    def meanwhile(word: Word, now: datetime) -> None:
        inner.append(bench.notify(key))
        deliver(word, now)

    bench.team.deliver = meanwhile  # type: ignore[method-assign]

    assert (bench.notify(key), inner) == ("told", ["taken"])
    assert len(bench.team.told) == 1


def test_a_job_that_is_closed_again_is_not_told_again() -> None:
    bench = closed()
    bench.tell_all()
    bench.store.delete(bench.plan().result_key)

    bench.drop("inbox/a/names.csv", TABLE)
    bench.run_until_done()

    assert bench.outbox() == []
    assert bench.store.keys("results/a/names.csv")


def test_a_retry_is_told_as_a_job_of_its_own() -> None:
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", RECIPE + TEAM)
    bench.drop("inbox/a/names.csv", TABLE)
    bench.functions.cancel(JobId(bench.plan().job_id))
    bench.run_until_done()
    bench.tell_all()
    bench.functions.retry(bench.plan(), bench.run_id())
    bench.run_until_done()

    bench.tell_all()

    assert [word.type for word in bench.team.told] == ["job.failed_rows", "job.done"]


def test_killed_at_any_call_it_is_told_in_the_end_with_the_same_id() -> None:
    for calls in range(20):
        bench = closed()
        try:
            bench.notify(cut=Cut(calls))
        except Killed:
            pass
        else:
            assert calls > 4
            return
        for _ in range(3):
            bench.tick(timedelta(hours=1))
            bench.tell_all()

        assert {word.id for word in bench.team.told} == {bench.team.told[0].id}
        assert len(bench.team.told) <= 2
        assert bench.outbox() == []
    raise AssertionError("never done")


def test_an_event_that_was_lost_is_told_by_the_timer() -> None:
    bench = closed()
    bench.events.clear()

    assert bench.tick(timedelta(minutes=10)) == {}

    assert bench.tell_all() == ["told"]


def test_what_is_refused_is_tried_again_later_each_time() -> None:
    bench = closed()
    bench.team.is_dead = True
    began_at = bench.clock.now()

    for _ in range(400):
        for key in bench.outbox():
            bench.notify(key)
        bench.tick()

    waits = [
        (later - earlier) / backoff(tries)
        for tries, (earlier, later) in enumerate(pairwise(bench.team.times))
    ]
    assert bench.team.times[0] == began_at
    assert len(waits) >= 5
    assert all(1 <= wait <= 2.2 for wait in waits)


def test_many_words_that_were_refused_do_not_come_back_at_once() -> None:
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", RECIPE + TEAM)
    for number in range(40):
        bench.drop(f"inbox/a/{number}.csv", WRONG)
    bench.team.is_dead = True
    bench.tell_all()

    put = [0]
    for _ in range(10):
        bench.tick()
        put.append(len([key for key in bench.outbox() if b'"tries": 0' not in bench.store.get(key)]))

    assert put[-1] == 40
    assert max(later - earlier for earlier, later in pairwise(put)) <= AT_ONCE


def test_a_channel_with_hundreds_of_words_does_not_take_anothers_turn() -> None:
    bench = Bench()
    bench.drop("inbox/a/batch.yaml", RECIPE + TEAM)
    bench.drop("inbox/z/batch.yaml", RECIPE + "notify: [{email: boss}]\n")
    for number in range(60):
        bench.drop(f"inbox/a/{number}.csv", WRONG)
    bench.drop("inbox/z/names.csv", WRONG)

    bench.tick(timedelta(hours=2))

    tries = [key for key in bench.outbox() if b'"tries": 1' in bench.store.get(key)]
    assert len(tries) == AT_ONCE + 1
    assert [key for key in tries if key.endswith("/email-boss")]


def test_a_dead_channel_touches_neither_a_job_nor_another_channel() -> None:
    bench = Bench()
    bench.team.is_dead = True
    bench.drop("inbox/a/batch.yaml", RECIPE + "notify: [{dingtalk: team}, {slack: nobody}, {email: boss}]\n")
    bench.drop("inbox/a/names.csv", TABLE)
    bench.run_until_done()

    assert sorted(bench.tell_all()) == ["refused", "refused", "told"]

    assert len(bench.boss.told) == 1
    assert bench.store.keys("results/a/names.csv")
    board = bench.show()
    assert board.untold == 2
    assert {channel: each.words for channel, each in board.untold_by.items()} == {
        "dingtalk:team": 1,
        "slack:nobody": 1,
    }


def test_it_is_said_which_channel_has_what_problem() -> None:
    bench = Bench()
    bench.team.is_dead = True
    bench.drop("inbox/a/batch.yaml", RECIPE + "notify: [{dingtalk: team}, {slack: nobody}, {email: boss}]\n")
    bench.drop("inbox/a/names.csv", WRONG)
    bench.drop("inbox/a/more.csv", WRONG)
    bench.store.put("outbox/", b"")  # as a console makes folders

    assert bench.problems() == {}  # nothing was tried yet
    for key in bench.outbox()[1:]:
        bench.notify(key)
    at_once = bench.problems()
    bench.clock.advance(timedelta(minutes=3))

    assert at_once == {"slack:nobody": "channel_unknown"}
    assert bench.problems() == {"slack:nobody": "channel_unknown", "dingtalk:team": "channel_refuses"}


def test_a_channel_that_does_not_answer_does_not_hold_up_the_others() -> None:
    bench = Bench()
    bench.team.refusals = [ChannelRefused("no answer", is_silent=True)]
    bench.drop("inbox/a/batch.yaml", RECIPE + "notify: [{dingtalk: team}, {email: boss}]\n")
    for number in range(3):
        bench.drop(f"inbox/a/{number}.csv", WRONG)
    silent = SilentChannels()
    tell = Tell(bench.store, bench.clock, bench.functions.channel, silent=silent)

    said = [tell(key).value for key in bench.outbox()]
    bench.clock.advance(CHANNEL_RESTS)
    bench.tick(timedelta(hours=2))
    later = [tell(key).value for key in bench.outbox()]

    assert sorted(said) == ["refused"] * 3 + ["told"] * 3
    assert len(bench.team.times) == 1 + len(later)
    assert set(later) == {"told"}


def test_what_nobody_takes_for_a_day_is_given_up_and_counted() -> None:
    bench = closed()
    bench.team.is_dead = True
    repairs: list[int] = []

    for _ in range(27 * 60):
        for key in bench.outbox():
            bench.notify(key)
        repairs.append(bench.tick().get("untold", 0))

    (told,) = (
        Told.model_validate_json(bench.store.get(key))
        for key in bench.store.keys("jobs/")
        if told_record(key)
    )
    assert told.given_up
    assert sum(repairs) == 1
    assert bench.outbox() == []
    assert bench.team.times[-1] - bench.team.times[0] < WORD_GIVEN_UP
    assert len(bench.team.times) > 8


def test_a_word_whose_events_are_all_lost_is_not_given_up_before_it_was_tried() -> None:
    bench = closed()

    for _ in range(27 * 12):
        bench.tick(timedelta(minutes=5))
    said = bench.tell_all()

    assert said == ["told"]
    assert len(bench.team.told) == 1


def told_record(key: str) -> bool:
    return "/told/" in key and ".try-" not in key


def test_one_that_wants_nothing_more_is_given_up_at_once() -> None:
    bench = closed()
    bench.team.refusals = [ChannelRefused("410", is_gone=True)]

    assert bench.notify() == "given_up"
    assert bench.outbox() == []


def test_what_somebody_else_put_there_is_left_alone() -> None:
    bench = Bench()
    bench.store.put("outbox/readme.txt", b"hello")

    assert bench.notify() == "gone"
    bench.tick(timedelta(hours=1))

    assert bench.outbox() == ["outbox/readme.txt"]


def test_a_ticket_under_another_name_is_not_told() -> None:
    bench = closed()
    (ticket,) = (bench.store.get(key) for key in bench.outbox())
    bench.store.put("outbox/x", ticket)

    assert bench.notify("outbox/x") == "gone"
    bench.tick(timedelta(hours=2))
    assert bench.store.get("outbox/x") == ticket


def test_what_is_withdrawn_and_put_again_does_not_wait_for_the_tries_of_before() -> None:
    bench, ready = waiting()
    attempt = Attempt(JobId(bench.plan().job_id), 1, 1)
    bench.team.refusals = [ChannelRefused("down")]
    bench.show()
    bench.tell_all()
    bench.records.put_ready(attempt)
    (key,) = bench.outbox()
    assert bench.notify(key) == "not_so"

    bench.clock.advance(timedelta(minutes=1))
    bench.records.put_back(attempt, ready)
    bench.show()

    assert bench.notify(key) == "told"


@pytest.mark.parametrize(("away", "begins"), [(timedelta(hours=1), False), (timedelta(days=30), True)])
def test_what_is_held_up_ends_also_where_the_board_shows_some_jobs_only(
    away: timedelta, begins: bool
) -> None:
    def looked(at: datetime, earlier: Mapping[str, HeldUp]) -> dict[str, HeldUp]:
        return held_up_by([held_up_job(at)], earlier, at, remembered=REPAIRS_SHOWN, are_all=False)

    before = looked(START, {})
    later = held_up_by([], before, START + timedelta(minutes=1), remembered=REPAIRS_SHOWN, are_all=False)

    (now,) = looked(START + away, later).values()
    assert (now.began_at == START + away) is begins


def held_up_job(since: datetime) -> OpenJob:
    reason = WaitingFor(code="account_without_money", message="", since=since)
    return OpenJob(
        job_id="j",
        source_key="inbox/a.csv",
        rows=1,
        shards=1,
        by_state={},
        waiting_since=since,
        waiting_for=reason,
    )


# Where a word leads.


LINK_SECRET = b"s" * 32


@pytest.mark.parametrize(
    ("page_url", "secret", "days", "path", "link"),
    [
        (None, LINK_SECRET, 7, "a/b.csv", None),
        ("https://page", LINK_SECRET, 0, "a/b.csv", "https://page"),
        ("https://page", None, 7, "a/b.csv", "https://page"),
        ("https://page", LINK_SECRET, 7, "b.csv", "https://page"),
        ("https://page", LINK_SECRET, 7, "a//b.csv", "https://page"),
    ],
)
def test_a_word_leads_to_the_page_and_opens_it_only_where_its_channel_may(
    page_url: str | None, secret: bytes | None, days: int, path: str, link: str | None
) -> None:
    assert link_of(WordLinks(page_url, secret, lambda _: days, FixedClock()), path) == link


def test_a_link_opens_the_folder_of_its_file_alone_and_for_so_many_days() -> None:
    links = WordLinks("https://page", LINK_SECRET, lambda _: 7, FixedClock())

    url = link_of(links, "a/b/c.csv")
    found = verified_link(str(url).removeprefix("https://page/#"), LINK_SECRET)

    assert url == link_of(links, "a/b/other.csv")  # one withdrawal ends both
    assert found
    assert (found.folder, found.is_operator, found.expires_at) == ("a/b/", False, START + timedelta(days=7))


def link_of(links: WordLinks, path: str) -> str | None:
    return links("dingtalk:team", Event(id="evt_1", kind=EventKind.DONE, job_id="j", path=path, at=START))
