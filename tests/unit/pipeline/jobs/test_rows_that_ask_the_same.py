"""Rows that ask the same are sent once, and each of them comes back with the answer."""

from __future__ import annotations

import csv
import io
import json
import random
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.keys import Stage, loans_prefix, record_key, settled_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import report_key_for
from shared.events.oss import UploadedObject
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.jobs.retry_job import RetryJob
from shared.ports.profile import ShardLimits
from shared.ports.provider import BatchStatus
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import request_line
from tests.support.fake_provider import result_line
from tests.support.functions import BUCKET_NAME, LATE, OVERDUE
from tests.support.kills import invocations_of, one_piece
from tests.support.pipeline import Harness
from tests.support.said import Said, refused, told
from tests.support.whole_job import says

RECIPE = "model: qwen-plus\nprompt: '{{ text }}'\n"
# ``x`` is asked three times and ``y`` twice.
TABLE = b"id,text\n1,x\n2,y\n3,x\n4,z\n5,y\n6,x\n"


def busy(custom_id: str) -> dict[str, Any]:
    return result_line(custom_id, status=429)


class Job(Harness):
    """A dropped file; every batch ends with what is said of the texts that were asked."""

    def __init__(
        self,
        recipe: str | None = RECIPE,
        content: bytes = TABLE,
        name: str = "t.csv",
        max_requests: int = 50_000,
    ) -> None:
        super().__init__()

        def limits_for(model: str) -> ShardLimits:
            return replace(BAILIAN.limits_for(model), max_requests=max_requests)

        self.functions.profile = replace(BAILIAN, limits_for=limits_for)
        if recipe is not None:
            self.store.put("inbox/batch.yaml", recipe.encode())
        self.store.put(f"inbox/{name}", content)
        said = self.functions.validate(UploadedObject(BUCKET_NAME, f"inbox/{name}", ""), self.run_id())
        assert said == "planned", [self.store.get(key) for key in self.store.keys("rejected/")]

    @property
    def plan(self) -> Plan:
        (key,) = [key for key in self.store.keys("jobs/") if key.endswith("/plan.json")]
        return Plan.model_validate_json(self.store.get(key))

    def asked(self) -> list[str]:
        """What was asked, as often as it was sent."""
        return [_text(line) for each in self.provider.submissions for line in each.lines]

    def answer(self, said: Said) -> None:
        """Until the board is empty; of what nothing is said, the text itself is the answer."""

        def of(line: dict[str, Any]) -> dict[str, Any] | None:
            text = _text(line)
            return said.get(text, told(f"on {text}"))(line["custom_id"])

        while self.tickets():
            self.deliver()
            for batch in self.provider.unfinished():
                self.provider.answer_all(batch, BatchStatus.COMPLETED, of)
            for running in self.attempts(Stage.RUNNING):
                self.records.put_finished(running, "test")
            self.clock.advance(LATE)

    def contents(self) -> list[str]:
        return [row["content"] for row in self.rows()]

    def rows(self) -> list[dict[str, str]]:
        text = self.store.get(self.plan.result_key).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def report(self) -> Ledger:
        return Ledger.model_validate_json(self.store.get(report_key_for(self.plan.result_key)))


def _text(line: dict[str, Any]) -> str:
    body = line["body"]
    return str(body["messages"][-1]["content"] if "messages" in body else body["input"])


def test_each_question_is_sent_once_and_every_row_has_the_answer() -> None:
    job = Job()

    job.answer({})

    assert job.asked() == ["x", "y", "z"]
    assert [row["id"] for row in job.rows()] == [*"123456"]
    assert job.contents() == ["on x", "on y", "on x", "on z", "on y", "on x"]
    report = job.report()
    assert (report.rows_in, report.rows_sent, report.rows_same, report.rows_not_sent) == (6, 3, 3, 0)
    assert (report.adds_up, report.by_status) == (True, {"answered": 6})
    assert any("3 row(s) ask exactly what an earlier row asks" in each for each in report.warnings)


def test_the_quote_is_for_what_is_sent_and_says_what_is_not() -> None:
    job = Job()

    quote = job.plan.quote
    text = job.store.get("quotes/t.csv.quote.txt").decode()

    assert quote is not None
    assert (quote.requests, quote.same) == (3, 3)
    assert "3 more ask the same" in text
    assert "另有 3 行提问相同" in text


def test_what_was_not_sent_is_not_counted_as_paid() -> None:
    job = Job()

    job.answer(dict.fromkeys("xyz", lambda custom_id: says("a", total_tokens=5)({"custom_id": custom_id})))

    assert job.report().tokens.total == 3 * 5


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx", "parquet"])
def test_the_result_says_the_same_as_if_all_rows_were_sent(kind: str) -> None:
    once, each = (
        Job(f"{RECIPE}dedupe: {dedupe}\noutput: {{format: {kind}}}\n") for dedupe in ("true", "false")
    )

    for job in (once, each):
        job.answer({"y": refused})

    assert once.asked() != each.asked()
    assert _table(once, kind) == _table(each, kind)


def _table(job: Job, kind: str) -> list[list[Any]]:
    content = job.store.get(job.plan.result_key)
    if kind == "parquet":
        rows = pq.read_table(io.BytesIO(content)).to_pylist()
    elif kind == "jsonl":
        rows = [json.loads(line) for line in content.splitlines()]
    elif kind == "csv":
        rows = job.rows()
    else:
        names, *lines = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
        rows = [dict(zip(names, line, strict=True)) for line in lines]
    # The provider's id of a request names its row.
    return [[value for name, value in row.items() if name not in ("request_id", "extra")] for row in rows]


def test_a_question_that_is_sent_again_is_sent_once_and_answers_of_both_attempts_are_shared() -> None:
    job = Job()
    said: dict[str, Callable[[str], dict[str, Any] | None]] = {"x": busy, "y": told("on", "length")}
    job.deliver()
    batch = job.provider.last.batch_id
    job.provider.answer_all(
        batch, BatchStatus.COMPLETED, lambda line: said.get(_text(line), refused)(line["custom_id"])
    )

    job.answer({})

    assert job.asked() == ["x", "y", "z", "x"]
    assert job.contents() == ["on x", "on", "on x", "", "on", "on x"]
    assert job.report().by_status == {"answered": 5, "refused": 1}
    assert job.report().finish_reasons == {"length": 2}
    assert job.report().adds_up


def test_rows_share_the_reason_and_the_retry_of_the_row_that_was_sent() -> None:
    job = Job()
    first = job.plan
    job.answer({"x": refused, "y": told("on", "length")})
    before = [(row["status"], row["error_code"]) for row in job.rows()]

    said = job.functions.retry(first, job.run_id())
    job.answer({})

    assert before[0] == before[2] == before[5] != ("answered", "")
    assert (said.said, said.rows) == ("started", 3)
    assert job.asked() == ["x", "y", "z", "x"]
    assert _contents(job, first) == ["on x", "on", "on x", "on z", "on", "on x"]
    ledger = Ledger.model_validate_json(job.store.get(record_key(JobId(said.plan.job_id), "ledger.json")))
    assert (ledger.adds_up, ledger.by_status, ledger.finish_reasons) == (
        True,
        {"answered": 6},
        {"length": 2},
    )


def _contents(job: Job, plan: Plan) -> list[str]:
    text = job.store.get(plan.result_key).decode("utf-8-sig")
    return [row["content"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_rows_of_one_shard_have_the_answers_of_another_and_all_of_them_count() -> None:
    job = Job(max_requests=3)

    job.answer({})

    shards = [(each.rows, each.requests, each.same, each.borrowed) for each in job.plan.shards]
    assert shards == [(3, 2, 1, 0), (3, 1, 2, 2)]
    assert job.asked() == ["x", "y", "z"]
    assert job.contents() == ["on x", "on y", "on x", "on z", "on y", "on x"]
    assert job.report().adds_up
    assert job.report().by_status == {"answered": 6}


# In shards of two, of which each but the first borrows of earlier ones, and the third lends, too.
LENT = b"id,text\n" + b"".join(b"%d,%c\n" % pair for pair in enumerate(b"abacbddaecbz"))


def _collect(job: Job, shards: Iterable[int]) -> None:
    """Their batches end one after the other, and each is collected at once."""
    batches = {each.request.metadata["batchdrop"]: each for each in job.provider.submissions}
    for shard in shards:
        attempt = Attempt(JobId(job.plan.job_id), 1, shard)
        if batch := batches.get(str(attempt)):
            job.provider.answer_all(
                batch.batch_id, BatchStatus.COMPLETED, lambda line: told("on")(line["custom_id"])
            )
        job.records.put_finished(attempt, "test")
        job.deliver()


def _forget_what_was_shared(job: Job) -> None:
    """As if no collect had had time for it."""
    job_id = JobId(job.plan.job_id)
    for shard in job.plan.shards:
        for key in (*job.store.keys(loans_prefix(job_id, shard.shard)), settled_key(job_id, shard.shard)):
            if shard.borrowed:
                job.store.delete(key)


@pytest.mark.parametrize("kind", ["csv", "parquet", "xlsx"])
def test_a_closing_shares_answers_shard_by_shard_whoever_is_killed_or_out_of_time(kind: str) -> None:
    """Each invocation has time for one shard, and each is killed once at each of its calls."""
    job = Job(f"{RECIPE}output: {{format: {kind}}}\n", LENT, max_requests=2)
    job.functions.pause = one_piece
    job.deliver()
    _collect(job, range(1, 7))
    _forget_what_was_shared(job)
    assert job.plan.result_key not in job.store.objects
    undisturbed, store = job.store.copied(), job.store.copied()
    CloseJob(undisturbed, job.clock)(job.plan)

    turns = invocations_of(store, lambda: CloseJob(store, job.clock, pause=one_piece)(job.plan))

    lenders = sum(bool(shard.loans_key) for shard in job.plan.shards)
    borrowers = sum(bool(shard.borrowed) for shard in job.plan.shards)
    assert turns == lenders + borrowers + 1
    assert {key: undisturbed.get(key) for key in undisturbed.objects} == store.objects


def test_the_timer_has_a_closing_that_shares_answers_gone_on_with() -> None:
    job = Job(content=LENT, max_requests=2)
    job.functions.pause = one_piece
    job.deliver()

    _collect(job, range(6, 0, -1))
    said = []
    while job.tickets():
        job.tick(after=OVERDUE.finished)
        said += job.deliver()

    assert said.count("closing") > 1
    assert said[-1] != "closing"
    assert job.contents() == ["on"] * 12
    assert job.report().adds_up


@pytest.mark.parametrize("seed", range(20))
def test_a_shard_is_whole_once_all_are_collected_that_lend_to_it(seed: int) -> None:
    choose = random.Random(f"order {seed}")
    texts = [choose.choice(b"abcdefghij") for _ in range(24)]
    job = Job(content=b"id,text\n" + b"".join(b"%d,%c\n" % pair for pair in enumerate(texts)), max_requests=4)
    job.deliver()
    plan, lenders = job.plan, defaultdict[int, set[int]](set)
    for shard in plan.shards:
        for line in job.store.get(shard.loans_key).splitlines() if shard.loans_key else ():
            lenders[json.loads(line)[0]].add(shard.shard)
    order = choose.sample(range(1, len(plan.shards) + 1), len(plan.shards))

    for shard in order:
        _collect(job, [shard])
        decided = {each for each in order if job.records.find_decided(JobId(plan.job_id), each)}
        whole = {each for each in decided if job.records.find_settled(JobId(plan.job_id), each)}
        assert whole == {each for each in decided if lenders[each] <= decided}

    assert job.contents() == ["on"] * 24
    assert job.report().adds_up


def test_a_shard_that_asks_nothing_of_its_own_has_no_batch() -> None:
    job = Job(content=b"id,text\n1,x\n2,x\n3,x\n4,x\n5,x\n6,x\n", max_requests=3)

    job.answer({})

    assert [each.requests for each in job.plan.shards] == [1, 0]
    assert job.asked() == ["x"]
    assert job.contents() == ["on x"] * 6
    assert job.report().adds_up


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx", "parquet"])
@pytest.mark.parametrize("seed", range(13))
def test_in_any_table_each_row_has_what_it_had_if_all_were_sent(kind: str, seed: int) -> None:
    choose = random.Random(seed)
    texts = [choose.choice("abcdefghij") for _ in range(choose.randint(2, 30))]
    table = b"id,text\n" + b"".join(b"%d,%b\n" % (n, text.encode()) for n, text in enumerate(texts))
    max_requests = choose.randint(1, 7)
    said = {
        text: choose.choice((refused, busy, told(f"on {text}", "length"), told(f"=on {text}")))
        for text in "abcd"
    }
    once, each = (
        Job(f"{RECIPE}dedupe: {dedupe}\noutput: {{format: {kind}}}\n", table, max_requests=max_requests)
        for dedupe in ("true", "false")
    )

    for job in (once, each):
        job.answer(said)

    assert _table(once, kind) == _table(each, kind)
    assert len(once.asked()) <= len(each.asked())
    reports = [job.report() for job in (once, each)]
    assert [each.adds_up for each in reports] == [True, True]
    for name in ("by_status", "unread_answers", "finish_reasons"):
        assert getattr(reports[0], name) == getattr(reports[1], name)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@pytest.mark.parametrize("seed", range(12))
def test_a_retry_of_any_table_comes_to_its_end_with_what_was_open(kind: str, seed: int) -> None:
    choose = random.Random(f"retry {seed}")
    texts = [choose.choice("abcdefghij") for _ in range(choose.randint(10, 40))]
    table = b"id,text\n" + b"".join(b"%d,%b\n" % (n, text.encode()) for n, text in enumerate(texts))
    job = Job(f"{RECIPE}output: {{format: {kind}}}\n", table, max_requests=choose.randint(1, 5))
    first = job.plan
    refused_texts = choose.sample("abcdefghij", 3)
    job.answer(dict.fromkeys(refused_texts, refused))
    open_rows = sum(text in refused_texts for text in texts)

    said = job.functions.retry(first, job.run_id())
    job.answer({})

    assert said.rows == open_rows
    ledger_key = record_key(JobId(said.plan.job_id), "ledger.json")
    ledger = Ledger.model_validate_json(
        job.store.get(ledger_key if open_rows else report_key_for(first.result_key))
    )
    assert (ledger.adds_up, ledger.by_status) == (True, {"answered": len(texts)})
    again = job.asked()[sum(shard.requests for shard in first.shards) :]
    assert sorted(again) == sorted(text for text in refused_texts if text in texts)
    assert all(batch.lines for batch in job.provider.submissions)


SAME = b"id,text\n1,good\n2,bad\n3,good\n4,worse\n5,bad\n6,bad\n7,worst\n"


@pytest.mark.parametrize("max_requests", [50_000, 2, 1])
@pytest.mark.parametrize(
    "kept", ["", "good", "bad", "worst", "good bad", "bad worse", "good worse worst", "bad worse worst"]
)
@pytest.mark.parametrize("retries", [1, 2])
def test_the_quote_of_a_retry_counts_the_rows_that_are_sent(
    kept: str, max_requests: int, retries: int
) -> None:
    job = Job(f"{RECIPE}parameters: {{max_tokens: 50}}\n", SAME, max_requests=max_requests)
    job.answer(refused_but(kept))
    plan = job.plan
    for _ in range(retries):
        before = len(job.asked())
        plan = RetryJob(job.store, job.clock, job.run_id())(plan).plan
        job.answer(refused_but(kept))

        quote = plan.quote
        assert quote is not None
        assert quote.requests == len(job.asked()) - before
        assert quote.requests + quote.same + quote.answered == 7
        assert quote.output_at_most == 50 * quote.requests


@pytest.mark.parametrize(("kept", "asked"), [("good", 2), ("bad", 1), ("worst", 3)])
def test_an_older_version_that_began_the_retry_lets_it_count_no_row_too_many(kept: str, asked: int) -> None:
    job = Job(f"{RECIPE}parameters: {{max_tokens: 50}}\n", SAME)
    job.answer(refused_but(kept))
    first = job.plan
    begun = RetryJob(job.store, job.clock, job.run_id())(first).plan
    for ticket in job.tickets():
        job.store.delete(ticket)
    job.store.delete(record_key(JobId(begun.job_id), "plan.json"))
    (key,) = (each for each in job.store.keys(f"jobs/{begun.job_id}/") if each.endswith("outcome.json"))
    without = json.loads(job.store.get(key))
    del without["answered_requests"]
    job.store.put(key, json.dumps(without).encode())

    quote = RetryJob(job.store, job.clock, job.run_id())(first).plan.quote

    assert quote is not None
    assert quote.requests == asked
    assert quote.requests + quote.same + quote.answered == 7


def refused_but(kept: str) -> Said:
    return {word: refused for word in ("good", "bad", "worse", "worst") if word not in kept.split()}


def test_a_retry_sends_the_lender_and_its_borrowers_in_other_shards_have_the_answer() -> None:
    job = Job(max_requests=3)
    first = job.plan
    job.answer({"x": refused})
    before = [row["status"] for row in job.rows()]

    said = job.functions.retry(first, job.run_id())
    job.answer({})

    assert before == ["refused", "answered", "refused", "answered", "answered", "refused"]
    assert (said.said, said.rows) == ("started", 3)
    assert job.asked() == ["x", "y", "z", "x"]
    assert _contents(job, first) == ["on x", "on y", "on x", "on z", "on y", "on x"]
    ledger = Ledger.model_validate_json(job.store.get(record_key(JobId(said.plan.job_id), "ledger.json")))
    assert (ledger.adds_up, ledger.by_status) == (True, {"answered": 6})


def test_bad_rows_among_them_are_neither_sent_nor_the_same() -> None:
    job = Job(f"{RECIPE}on_bad_rows: skip\n", b"id,text\n1,x\n2\n3,x\n4,y,z\n5,x\n")

    job.answer({})

    report = job.report()
    assert [row["status"] for row in job.rows()] == ["answered", "refused", "answered", "refused", "answered"]
    assert (report.rows_sent, report.rows_same, report.rows_not_sent) == (1, 2, 2)
    assert report.adds_up


@pytest.mark.parametrize("more", ["dedupe: false", "parameters: {n: 2}", "dedupe: 'false'"])
def test_every_row_is_sent_if_each_is_to_have_an_answer_of_its_own(more: str) -> None:
    job = Job(f"{RECIPE}{more}\n")

    job.answer({})

    assert job.asked() == [*"xyxzyx"]
    assert job.report().rows_same == 0


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("ids.csv", b"q-1,x\nq-2,x\n"),
        ("lines.jsonl", request_line("a", "x") + request_line("b", "x")),
    ],
)
def test_rows_that_name_their_requests_are_all_sent(name: str, content: bytes) -> None:
    job = Job(None, content, name)

    job.answer({})

    assert job.asked() == ["x", "x"]
