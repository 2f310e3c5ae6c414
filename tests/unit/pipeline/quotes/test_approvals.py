"""A job whose quote must be approved sends nothing before, whoever comes to it."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import APPROVE, OUTBOX, open_job_key, record_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from shared.pipeline.jobs.retries import latest_retry
from shared.pipeline.quotes.approve_job import ApproveJob, Decided
from shared.problems.exceptions import TransientError
from shared.words.event import EventKind, WordTicket
from shared.words.texts import word_for
from tests.support.fakes import Killed
from tests.support.functions import BUCKET_NAME
from tests.support.pipeline import Cut, Harness, Meanwhile

BOUNDED = "model: qwen-flash\nprompt: '{{ name }}'\nparameters: {max_tokens: 100}\n"
ALWAYS = f"{BOUNDED}price: {{approve: always}}\nnotify: [{{dingtalk: team}}]\n"
TABLE = b"name\nAda\nBo\n"
KEY = "inbox/a/t.csv"


class Bench(Harness):
    """A folder whose recipe asks for an approval, and a file in it."""

    def __init__(self, recipe: str = ALWAYS, content: bytes = TABLE) -> None:
        super().__init__()
        self.store.put("inbox/batch.yaml", recipe.encode())
        self.drop(KEY, content)

    def drop(self, key: str, content: bytes, cut: Cut | None = None) -> str:
        self.clock.advance(timedelta(seconds=1))
        self.store.put(key, content)
        return self.validate(key, cut)

    def validate(self, key: str, cut: Cut | None = None) -> str:
        with self._cut_by(cut):
            return self.functions.validate(UploadedObject(BUCKET_NAME, key, ""), self.run_id())

    @property
    def first(self) -> Plan:
        head = self.store.head(KEY)
        assert head is not None
        return next(plan for plan in self.plans() if plan.source.etag == head.etag and not plan.retry_of)

    def plans(self) -> list[Plan]:
        keys = (key for key in self.store.keys("jobs/") if key.endswith("/plan.json"))
        return [Plan.model_validate_json(self.store.get(key)) for key in keys]

    @property
    def plan(self) -> Plan:
        return latest_retry(self.records, self.first)

    @property
    def digest(self) -> str:
        assert self.plan.quote is not None
        return self.plan.quote.digest

    def approve(self, digest: str | None = None, cut: Cut | None = None) -> Decided:
        with self._cut_by(cut):
            return ApproveJob(self.store, self.clock, "page")(self.plan, digest)

    def report(self, key: str) -> str:
        return self.store.get(f"rejected/{key}.report.txt").decode("utf-8-sig")

    def ledger(self) -> Ledger:
        ledger = self.records.find_ledger(JobId(self.plan.job_id))
        assert ledger is not None
        return ledger

    def errors(self) -> list[str]:
        result = self.store.get(self.plan.result_key).decode("utf-8-sig")
        return [row["error_code"] for row in csv.DictReader(io.StringIO(result))]

    def sent_rows(self) -> list[str]:
        """What was asked, as often as it was."""
        lines = (line for each in self.provider.submissions for line in each.lines)
        return sorted(line["body"]["messages"][-1]["content"] for line in lines)

    def words(self) -> list[str]:
        tickets = (self.records.find(key, WordTicket) for key in self.store.keys(OUTBOX))
        return [ticket.event.kind.value for ticket in tickets if ticket]

    def finish(self) -> None:
        """Let the timer and the batches work until nothing is open."""
        for _ in range(50):
            self.run_until_done()
            if not self.store.keys("open/"):
                return
            self.tick(timedelta(hours=1))
        raise AssertionError(self.store.keys("open/"))

    @property
    def waits(self) -> bool:
        return self.store.keys(APPROVE) == [f"{APPROVE}{self.plan.job_id}"] and not self.tickets()


def test_it_waits_since_it_was_ready_for_approval_whenever_the_timer_looked_last() -> None:
    bench = Bench()
    since = bench.clock.now()
    bench.clock.advance(timedelta(minutes=10))
    bench.store.put(open_job_key(JobId(bench.plan.job_id)), b"")

    board = bench.functions.write_board({}, timedelta(seconds=15))

    assert board is not None
    assert [job.waiting_since for job in board.jobs] == [since]


@pytest.mark.parametrize(
    ("terms", "waits"),
    [
        ("approve: always", True),
        ("approve: above 50 CNY", False),
        ("approve: above 0.0001 CNY", True),
        ("approve: above 50 USD", True),  # nobody knows how much that is
    ],
)
def test_a_job_waits_unless_it_is_certain_to_cost_no_more(terms: str, waits: bool) -> None:
    bench = Bench(f"{BOUNDED}price: {{{terms}}}\n")

    assert bench.waits is waits
    assert bool(bench.tickets()) is not waits


@pytest.mark.parametrize("model", ["qwen-flash", "a-model-without-a-price"])
def test_a_job_without_a_bound_or_a_price_waits(model: str) -> None:
    bench = Bench(f"model: {model}\nprompt: '{{{{ name }}}}'\nprice: {{approve: above 999999 CNY}}\n")

    assert bench.waits


def test_the_quote_says_how_to_approve_it_and_people_are_told() -> None:
    bench = Bench()

    quote = bench.store.get("quotes/a/t.csv.quote.txt").decode()
    assert "t.csv.approve" in quote
    assert "scripts/batchdrop approve a/t.csv" in quote
    assert bench.digest in quote
    assert bench.words() == ["approval"]


def test_nothing_is_sent_before_whatever_the_timer_and_people_do() -> None:
    bench = Bench()

    bench.drop(KEY, TABLE)
    bench.validate(KEY)
    for _ in range(5):
        bench.tick(timedelta(hours=2))
        bench.deliver()

    assert bench.waits
    assert not bench.provider.batches
    assert bench.words() == ["approval"]


def test_a_forged_ticket_sends_nothing() -> None:
    bench = Bench()
    attempt = Attempt(JobId(bench.plan.job_id), 1, 1)

    bench.records.put_ready(attempt)
    bench.deliver()

    assert not bench.provider.batches
    assert bench.records.find_submission(attempt) is None


def test_an_approved_job_runs_to_its_end() -> None:
    bench = Bench()

    said = bench.approve(bench.digest)
    bench.finish()

    assert said == Decided(is_new=True)
    assert bench.ledger().by_status == {"answered": 2}
    assert bench.store.keys(APPROVE) == []


@pytest.mark.parametrize(
    "written",
    [
        b"%s",
        b"\xef\xbb\xbf%s\r\n",
        b"  %s \n\n",
        b'"%s"',
        "“%s”".encode(),
        b"Quote number: %s (another file, recipe or price has another)\n",
        b"Quote number: %s (it changes with the file, the recipe or the price)\n",
        "报价编号：%s（文件、配方或价格变了，编号就会变）".encode(),
        "\u200b%s\ufeff".encode(),
    ],
)
@pytest.mark.parametrize("suffix", [".approve", ".approve.txt", ".APPROVE"])
def test_a_file_beside_it_approves_it(written: bytes, suffix: str) -> None:
    bench = Bench()

    said = bench.drop(f"{KEY}{suffix}", written % bench.digest.encode())

    assert said == "approved"
    assert bench.tickets()
    assert bench.store.keys("rejected/") == []


def test_digits_of_a_chinese_keyboard_are_digits() -> None:
    bench = Bench()
    wide = "".join(chr(ord(each) + 0xFEE0) for each in bench.digest)

    assert bench.drop(f"{KEY}.approve", wide.encode()) == "approved"


def test_the_shell_of_windows_writes_utf_16() -> None:
    bench = Bench()

    assert bench.drop(f"{KEY}.approve", f"{bench.digest.upper()}\r\n".encode("utf-16")) == "approved"


@pytest.mark.parametrize(
    ("content", "code", "shown"),
    [
        (b"0123456789ab", "approval_of_another", "0123456789ab"),
        (b"yes", "approval_unreadable", "yes"),
        (b"", "approval_empty", "是空的"),
        (b" \n", "approval_empty", "quotes/"),
        (b"not 0123456789ab", "approval_unreadable", "not 0123456789ab"),
        (b"0123456789ab or 0123456789ac", "approval_unreadable", "0123456789ab or"),
        (bytes(range(256)) * 9, "approval_unreadable", ""),
    ],
)
def test_another_number_is_refused_with_the_reason(content: bytes, code: str, shown: str) -> None:
    bench = Bench()

    said = bench.drop(f"{KEY}.approve", content)

    report = bench.report("a/t.csv.approve")
    assert said == "rejected"
    assert f"[{code}]" in report
    assert shown in report
    assert bench.waits


def test_the_right_number_withdraws_the_report() -> None:
    bench = Bench()
    bench.drop(f"{KEY}.approve", b"no")

    bench.drop(f"{KEY}.approve", bench.digest.encode())

    assert bench.store.keys("rejected/") == []


def test_an_approval_of_no_file_or_no_quote_is_refused() -> None:
    bench = Bench()
    bench.drop("inbox/a/other.csv.approve", b"0123456789ab")
    bench.drop("inbox/a/empty.csv", b"")

    bench.drop("inbox/a/empty.csv.approve", b"0123456789ab")

    assert "[approval_without_file]" in bench.report("a/other.csv.approve")
    assert "[approval_without_quote]" in bench.report("a/empty.csv.approve")


def test_an_approval_whose_event_was_lost_counts() -> None:
    bench = Bench()
    bench.clock.advance(timedelta(minutes=1))
    bench.store.put(f"{KEY}.approve", bench.digest.encode())

    for _ in range(60):
        bench.tick()
        for key in bench.store.keys("again/"):
            bench.validate(key)

    assert not bench.waits
    assert not bench.store.keys("again/")


def test_to_approve_it_twice_changes_nothing() -> None:
    bench = Bench()
    bench.approve()

    again = bench.approve(bench.digest)
    by_file = bench.drop(f"{KEY}.approve", bench.digest.encode())
    bench.finish()

    assert again == Decided()
    assert by_file == "approved"
    assert bench.sent_rows() == ["Ada", "Bo"]
    assert bench.approve() == Decided()


def test_what_nobody_approves_is_closed_unsent_with_its_reason() -> None:
    bench = Bench()

    bench.tick(timedelta(days=7, hours=1))
    bench.finish()

    assert bench.errors() == ["not_approved", "not_approved"]
    assert not bench.provider.batches
    assert bench.store.keys(APPROVE) == []
    refused = bench.approve().refused
    assert refused is not None
    assert refused.code == "approval_too_late"


def test_whoever_approves_it_too_late_closes_it_so_that_it_can_be_sent_again() -> None:
    bench = Bench(f"{ALWAYS}on_bad_rows: skip\n", TABLE + b"Cy,too many\n")
    bench.clock.advance(timedelta(days=7, seconds=1))

    refused = bench.approve().refused
    bench.run_until_done()

    assert refused
    assert refused.code == "approval_too_late"
    assert bench.errors()[:2] == ["not_approved", "not_approved"]
    assert bench.store.keys(APPROVE) == bench.store.keys("open/") == []
    tickets = [WordTicket.model_validate_json(bench.store.get(key)) for key in bench.store.keys(OUTBOX)]
    (ended,) = [each.event for each in tickets if each.event.kind is EventKind.FAILED_ROWS]
    assert ended.by_code == {"not_approved": 2}
    word = word_for(ended)
    assert "被拒绝 3 行；没有按时批准，所以没有再发送。" in word.lines[1]
    assert "3 refused; nobody approved the quote in time, so nothing more was sent." in word.lines[3]


def test_the_recipe_says_how_long_it_waits() -> None:
    bench = Bench(f"{BOUNDED}price: {{approve: always, approve_within: 2h}}\n")

    bench.tick(timedelta(hours=1, minutes=50))
    assert bench.waits
    bench.tick(timedelta(hours=1, minutes=1))
    bench.finish()

    assert bench.errors() == ["not_approved", "not_approved"]


def test_dropped_again_after_it_was_too_late_it_waits_again() -> None:
    bench = Bench()
    bench.tick(timedelta(days=8))
    bench.finish()
    lapsed = bench.plan.job_id

    bench.drop(KEY, TABLE)
    bench.validate(KEY)

    assert bench.plan.retry_of == lapsed
    assert bench.waits
    bench.drop(f"{KEY}.approve", bench.digest.encode())
    bench.finish()
    assert bench.errors() == ["", ""]
    assert bench.sent_rows() == ["Ada", "Bo"]


@pytest.mark.parametrize("is_decided", [True, False])
def test_dropped_again_while_what_lapsed_closes_it_waits_again(*, is_decided: bool) -> None:
    bench = Bench()
    bench.clock.advance(timedelta(days=8))
    if is_decided:
        bench.approve()
    lapsed = bench.plan.job_id

    with pytest.raises(TransientError):  # Function Compute and the timer come again
        bench.drop(KEY, TABLE)
    bench.finish()
    for _ in range(60):
        bench.tick()
        for key in bench.store.keys("again/"):
            bench.validate(key)

    assert bench.plan.retry_of == lapsed
    assert bench.waits


def test_a_retry_of_what_was_approved_waits_for_nobody() -> None:
    bench = Bench()
    bench.approve()
    bench.deliver()
    bench.functions.cancel(JobId(bench.plan.job_id))
    bench.finish()

    bench.functions.retry(bench.plan, bench.run_id())

    assert bench.plan.retry_of
    assert bench.plan.approval is None
    assert bench.tickets()


def test_a_job_is_cancelled_while_it_waits() -> None:
    bench = Bench()

    bench.functions.cancel(JobId(bench.plan.job_id))
    bench.finish()

    assert bench.errors() == ["cancelled", "cancelled"]
    assert not bench.provider.batches
    refused = bench.approve().refused
    assert refused is not None
    assert refused.code == "approval_of_cancelled"
    bench.functions.retry(bench.plan, bench.run_id())
    assert bench.waits  # nobody has approved it yet


def test_a_file_that_was_replaced_is_approved_as_it_is_now() -> None:
    bench = Bench()
    old = bench.plan
    digest = bench.digest
    bench.drop(KEY, b"name\nDi\n")

    said = ApproveJob(bench.store, bench.clock, "command")(old, None)
    by_file = bench.drop(f"{KEY}.approve", digest.encode())

    assert said.refused is not None
    assert said.refused.code == "approval_of_replaced"
    assert by_file == "rejected"
    assert "[approval_of_another]" in bench.report("a/t.csv.approve")
    bench.deliver()
    assert not bench.provider.batches


def test_what_needs_no_approval_says_so() -> None:
    bench = Bench(BOUNDED)

    refused = bench.approve().refused

    assert refused is not None
    assert refused.code == "approval_not_needed"
    assert bench.tickets()


def test_an_approval_may_be_killed_anywhere() -> None:
    for calls in range(100):
        bench = Bench()
        try:
            bench.approve(cut=Cut(calls))
        except Killed:
            if bench.records.find_approval(JobId(bench.plan.job_id)) is None:
                assert bench.waits
                continue
            bench.finish()
            assert bench.ledger().by_status == {"answered": 2}
            assert bench.store.keys(APPROVE) == []
        else:
            assert calls > 6
            return
    raise AssertionError


@pytest.mark.parametrize("is_approved", [True, False])
def test_whoever_approves_or_cancels_while_it_begins_to_wait_counts(*, is_approved: bool) -> None:
    seen = 0
    for calls in range(200):
        bench = Bench(BOUNDED.replace("100", "99"))
        bench.finish()
        bench.store.put("inbox/batch.yaml", ALWAYS.encode())
        bench.store.put(KEY, b"name\nDi\nEd\n")
        acted: list[JobId] = []

        def meanwhile(bench: Bench = bench, acted: list[JobId] = acted) -> None:
            for plan in (each for each in bench.plans() if each.approval):
                if not is_approved:
                    bench.functions.cancel(JobId(plan.job_id))
                    acted.append(JobId(plan.job_id))
                    continue
                refused = ApproveJob(bench.store, bench.clock, "page")(plan, None).refused
                assert refused is None or refused.code == "approval_without_quote"
                acted += [] if refused else [JobId(plan.job_id)]

        cut = Meanwhile(calls, meanwhile)
        bench.validate(KEY, cut)
        if cut.left is not None:
            assert seen > 6
            return
        if not acted:
            assert bench.waits
            continue
        seen += 1
        assert bench.store.keys(APPROVE) == []
        bench.finish()
        assert bench.ledger().by_status == ({"answered": 2} if is_approved else {"cancelled": 2})
    raise AssertionError


def test_the_mark_of_a_job_that_ended_is_removed() -> None:
    bench = Bench()
    bench.approve()
    bench.finish()
    bench.store.put(f"{APPROVE}{bench.plan.job_id}", b"{}")

    bench.tick(timedelta(hours=2))

    assert bench.store.keys(APPROVE) == []


def test_older_records_need_no_approval() -> None:
    bench = Bench()
    plan = bench.plan.model_dump(mode="json", exclude={"approval"})

    assert Plan.model_validate(plan).approve_until is None
    assert bench.store.head(record_key(JobId(bench.plan.job_id), "approval.json")) is None
