"""Rows whose answers do not fit are asked again, and keep the best answer that was paid for."""

from __future__ import annotations

import csv
import io
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import openpyxl
import pyarrow.parquet
import pytest

from shared.bucket.attempt import JobId, retry_job_id_for
from shared.bucket.keys import MONEY, Stage, record_key
from shared.bucket.money import Balance
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.outcome import Outcome
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import report_key_for
from shared.events.oss import UploadedObject
from shared.ports.profile import ShardLimits
from shared.ports.provider import BatchId, BatchStatus
from shared.providers.bailian.profile import BAILIAN
from tests.support.fake_provider import error_line, result_line
from tests.support.fakes import Killed
from tests.support.functions import BUCKET_NAME, LATE
from tests.support.pipeline import Cut, Harness

CLASSIFY = """model: qwen-flash
classify: {column: text, labels: [good, bad]}
parameters: {max_tokens: 100, enable_thinking: false}
"""
PLAIN = "model: qwen-flash\nprompt: '{{ text }}'\nparameters: {max_tokens: 100, enable_thinking: false}\n"
FITS, OTHER = '{"label": "good"}', '{"label": "so so"}'
# What was said at each try; of the last one again, if it is asked more often.
Said = Mapping[str, Sequence[str | tuple[str, str] | int]]


class Job(Harness):
    """A dropped table. At each try a row is told what stands for its text; a number is an error."""

    def __init__(
        self, recipe: str, texts: str = "x y z", header: str = "id,text", limits: ShardLimits | None = None
    ) -> None:
        super().__init__()
        if limits:
            self.functions.profile = replace(BAILIAN, limits_for=lambda _model: limits)
        self.store.put("inbox/batch.yaml", recipe.encode())
        rows = "".join(f"{number},{text}\n" for number, text in enumerate(texts.split(), 1))
        self.store.put("inbox/t.csv", f"{header}\n{rows}".encode())
        said = self.functions.validate(UploadedObject(BUCKET_NAME, "inbox/t.csv", ""), self.run_id())
        assert said == "planned", [self.store.get(key) for key in self.store.keys("rejected/")]
        self.tries: defaultdict[str, int] = defaultdict(int)

    @property
    def plan(self) -> Plan:
        keys = [key for key in self.store.keys("jobs/") if key.endswith("/plan.json")]
        plans = [Plan.model_validate_json(self.store.get(key)) for key in keys]
        return max(plans, key=lambda plan: plan.retries)

    def asked(self) -> list[list[str]]:
        """The texts of the rows of each batch."""
        return [[text_of(line) for line in each.lines] for each in self.provider.submissions]

    def answer(self, said: Said, status: BatchStatus = BatchStatus.COMPLETED) -> None:
        """Until the board is empty."""
        while self.tickets():
            self.deliver()
            for batch in self.provider.unfinished():
                self.end(batch, said, status)
            for running in self.attempts(Stage.RUNNING):
                self.records.put_finished(running, "test")
            self.clock.advance(LATE)

    def end(self, batch: BatchId, said: Said, status: BatchStatus = BatchStatus.COMPLETED) -> None:
        def told(line: dict[str, Any]) -> dict[str, Any] | None:
            text = text_of(line)
            each = said.get(text, [FITS])
            now = each[min(self.tries[text], len(each) - 1)]
            self.tries[text] += 1
            if isinstance(now, int):
                return error_line(line["custom_id"], str(now)) if now else None
            content, reason = now if isinstance(now, tuple) else (now, "stop")
            usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
            made = result_line(line["custom_id"], content=content, usage=usage)
            made["response"]["body"]["choices"][0]["finish_reason"] = reason
            return made

        self.provider.answer_all(batch, status, told)

    def rows(self) -> list[dict[str, str]]:
        text = self.store.get(self.plan.result_key).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def told(self, *names: str) -> list[tuple[str, ...]]:
        return [tuple(row[name] for name in names) for row in self.rows()]

    def report(self) -> Ledger:
        return Ledger.model_validate_json(self.store.get(report_key_for(self.plan.result_key)))


def text_of(line: dict[str, Any]) -> str:
    """What a row asks, however often it was asked."""
    (first, *_) = [each for each in line["body"]["messages"] if each["role"] == "user"]
    return str(first["content"].split("\n\nLast time")[0].split("\n")[-1])


def times(number: int, recipe: str = CLASSIFY) -> str:
    return f"{recipe}until_fits: {{times: {number}}}\n"


def test_a_row_is_asked_again_until_its_answer_fits_and_a_column_says_at_which_try() -> None:
    job = Job(times(2))

    job.answer({"x": [FITS], "y": [OTHER, FITS], "z": ["good, I think", OTHER, FITS]})

    assert job.asked() == [["x", "y", "z"], ["y", "z"], ["z"]]
    assert job.told("attempt", "attempts", "label", "error_code") == [
        ("1", "1", "good", ""), ("2", "2", "good", ""), ("3", "3", "good", "")
    ]  # fmt: skip
    ledger = job.report()
    assert (ledger.fitted, ledger.unread_answers, ledger.adds_up) == ({"1": 1, "2": 1, "3": 1}, {}, True)
    assert [each.tokens.total for each in ledger.attempts] == [45, 30, 15]


def test_the_answer_and_what_is_wrong_with_it_are_sent_along() -> None:
    job = Job(times(1), "x")

    job.answer({"x": [OTHER, FITS]})

    first, second = (each.lines[0]["body"]["messages"] for each in job.provider.submissions)
    assert second[:-2] == first
    assert second[-2] == {"role": "assistant", "content": OTHER}
    assert second[-1]["role"] == "user"
    assert 'label: "so so" is not one of "good", "bad"' in second[-1]["content"]


def test_it_is_asked_again_no_more_often_than_that_and_the_best_answer_stays_with_its_code() -> None:
    job = Job(times(2), "x y")

    job.answer({"x": [OTHER, "what?", "hm"], "y": ["hm", "what?", OTHER]})

    assert job.asked() == [["x", "y"]] * 3
    assert job.told("attempt", "attempts", "content", "error_code") == [
        ("1", "3", OTHER, "answer_does_not_fit"), ("3", "3", OTHER, "answer_does_not_fit")
    ]  # fmt: skip
    assert job.report().unread_answers == {"answer_does_not_fit": 2}
    assert job.report().fitted == {}


@pytest.mark.parametrize("then", [400, 429, 0])
def test_an_answer_that_was_paid_for_stays_if_no_other_comes(then: int) -> None:
    job = Job(times(2), "x y")

    job.answer({"x": [OTHER, then]})

    assert job.told("status", "content", "attempt") == [("answered", OTHER, "1"), ("answered", FITS, "1")]
    assert job.told("attempts") == [("2" if then == 400 else "3",), ("1",)]
    assert job.report().by_status == {"answered": 2}


def test_rows_that_failed_are_sent_in_the_same_attempt_and_each_has_all_of_its_tries() -> None:
    job = Job(times(2) + "attempts: 2\n", "x y")

    job.answer({"x": [OTHER, OTHER, FITS], "y": [429, OTHER, OTHER, FITS]})

    assert job.asked() == [["x", "y"], ["x", "y"], ["x", "y"], ["y"]]
    assert job.told("attempt", "label") == [("3", "good"), ("4", "good")]


def test_a_row_that_fails_when_it_is_asked_again_has_the_attempts_of_any_row() -> None:
    job = Job(times(1) + "attempts: 2\n", "x y")

    job.answer({"x": [OTHER, 429, FITS], "y": [OTHER, 429, 429, FITS]})

    assert job.asked() == [["x", "y"]] * 3
    assert job.told("attempt", "attempts", "content") == [("3", "3", FITS), ("1", "3", OTHER)]


def test_an_answer_that_was_cut_off_gets_twice_as_many_tokens_each_time() -> None:
    job = Job(times(2, PLAIN), "x y")

    job.answer({"x": [("long", "length"), ("longer", "length"), "whole"], "y": ["whole"]})

    bodies = [each.lines[0]["body"] for each in job.provider.submissions]
    assert [body["max_tokens"] for body in bodies] == [100, 200, 400]
    assert bodies[2]["messages"][1]["content"] == "longer"  # not both answers
    assert job.told("attempt", "content", "finish_reason") == [("3", "whole", "stop"), ("1", "whole", "stop")]
    assert job.report().finish_reasons == {}


def test_of_two_answers_that_were_cut_off_the_longer_one_stays_and_is_counted_once() -> None:
    job = Job(times(1, PLAIN), "x")

    job.answer({"x": [("long", "length"), ("longer", "length")]})

    assert job.told("attempt", "content") == [("2", "longer")]
    assert job.report().finish_reasons == {"length": 1}


def test_a_cut_off_answer_that_stays_is_counted_by_its_reason() -> None:
    job = Job(times(1, PLAIN), "x y")

    job.answer({"x": [("long", "length"), 400], "y": [429, "whole"]})

    assert job.told("content") == [("long",), ("whole",)]
    assert job.report().finish_reasons == {"length": 1}
    assert job.report().fitted == {"2": 1}


@pytest.mark.parametrize("said", [("no", "content_filter"), ("", "sensitive")])
def test_what_a_filter_withheld_is_not_asked_again(said: tuple[str, str]) -> None:
    job = Job(times(2), "x")

    job.answer({"x": [said, FITS]})

    assert job.asked() == [["x"]]


def test_a_row_with_two_answers_that_differ_is_not_asked_again_though_one_was_cut_off() -> None:
    job = Job(times(1, PLAIN), "x")
    job.deliver()
    (batch,) = job.provider.unfinished()
    job.end(batch, {"x": [("long", "length")]})
    (line,) = job.provider.batches[batch].results[f"results-of-{batch}"]
    job.provider.set_results(batch, [line, line.replace(b"long", b"other")])

    job.answer({})

    assert job.asked() == [["x"]]
    assert job.told("content", "error_code") == [("long", "answers_differ")]


def test_an_empty_answer_is_asked_again_without_an_empty_message() -> None:
    job = Job(times(1), "x")

    job.answer({"x": ["", FITS]})

    (only,) = job.provider.submissions[1].lines[0]["body"]["messages"]
    assert only["content"].endswith("Last time there was no answer. Do answer.")
    assert job.told("attempt", "label") == [("2", "good")]


def test_a_row_that_thought_until_its_tokens_were_used_up_gets_more() -> None:
    job = Job(times(1, PLAIN), "x y")

    job.answer({"x": [("", "length"), "whole"], "y": [("", "length"), ("", "length")]})

    first, second = (each.lines[0]["body"] for each in job.provider.submissions)
    assert (first["max_tokens"], second["max_tokens"]) == (100, 200)
    assert len(second["messages"]) == 1
    assert job.told("status", "attempt", "attempts", "error_code") == [
        ("answered", "2", "2", ""),
        ("refused", "", "2", "no_answer"),
    ]


def test_columns_of_the_same_name_keep_it() -> None:
    for name in ("attempt", "attempts"):
        job = Job(times(1).replace("text", name), "x", header=f"id,{name}")

        job.answer({"x": [OTHER, FITS]})

        assert job.told(name, f"result_{name}") == [("x", "2")]


def test_what_would_be_too_large_with_its_answer_is_asked_again_without_it() -> None:
    limits = BAILIAN.limits_for("qwen-flash")
    job = Job(times(1), "x y", limits=replace(limits, max_bytes=1200))

    job.answer({"x": [OTHER * 40, FITS], "y": [OTHER * 40, FITS]})

    again = [line["body"]["messages"] for line in job.provider.submissions[-1].lines]
    assert all(len(messages) == 1 for messages in again)
    assert job.told("label") == [("good",), ("good",)]


def test_rows_that_borrow_an_answer_get_the_last_one() -> None:
    job = Job(times(1), "x y x")

    job.answer({"x": [OTHER, FITS]})

    assert job.told("attempt", "label") == [("2", "good"), ("1", "good"), ("2", "good")]
    assert job.report().fitted == {"1": 1, "2": 2}


@pytest.mark.parametrize("output", ["jsonl", "xlsx", "parquet"])
def test_all_results_have_the_columns(output: str) -> None:
    job = Job(times(1) + f"output: {{format: {output}}}\n", "x y")

    job.answer({"x": [OTHER, FITS], "y": [OTHER, "hm"]})

    assert job.plan.result_columns[-2:] == ("attempt", "attempts")
    assert numbers_in(job, output) == [(2, 2), (1, 2)]
    assert job.report().fitted == {"2": 1}


def numbers_in(job: Job, output: str) -> list[tuple[Any, ...]]:
    """At which try each answer came, and of how many; as numbers, not as texts."""
    content = job.store.get(job.plan.result_key)
    if output == "jsonl":
        rows = [json.loads(line) for line in content.splitlines()]
    elif output == "parquet":
        rows = pyarrow.parquet.read_table(io.BytesIO(content)).to_pylist()
    else:
        sheet = openpyxl.load_workbook(io.BytesIO(content)).worksheets[0]
        header, *lines = sheet.iter_rows(values_only=True)
        rows = [dict(zip(map(str, header), line, strict=True)) for line in lines]
    return [(row["attempt"], row["attempts"]) for row in rows]


def test_without_it_nothing_is_asked_again_and_there_is_no_column() -> None:
    job = Job(CLASSIFY, "x")

    job.answer({"x": [OTHER, FITS]})

    assert job.asked() == [["x"]]
    assert "attempt" not in job.rows()[0]
    assert job.report().fitted == {}


def test_after_a_cancellation_nothing_is_asked_again_and_what_was_paid_stays() -> None:
    job = Job(times(2), "x y")
    job.deliver()
    job.end(job.provider.unfinished()[0], {"x": [OTHER], "y": [FITS]})
    job.functions.cancel(JobId(job.plan.job_id))

    job.answer({})

    assert job.asked() == [["x", "y"]]
    assert job.told("content") == [(OTHER,), (FITS,)]


def test_a_cancellation_while_it_is_asked_again_keeps_what_was_paid() -> None:
    job = Job(times(2), "x y")
    while len(job.provider.submissions) < 2:
        job.deliver()
        for batch in job.provider.unfinished()[: 2 - len(job.provider.submissions)]:
            job.end(batch, {"x": [OTHER]})
        for running in job.attempts(Stage.RUNNING):
            job.records.put_finished(running, "test")
    job.functions.cancel(JobId(job.plan.job_id))

    job.answer({}, BatchStatus.CANCELLED)

    assert job.told("status", "content", "attempt")[0] == ("answered", OTHER, "1")


def test_a_retry_keeps_what_was_answered_with_its_tries() -> None:
    job = Job(times(1) + "attempts: 1\n", "x y z")
    job.answer({"x": [OTHER, FITS], "y": [429], "z": [OTHER]})
    job.functions.retry(job.plan, job.run_id())

    job.answer({"y": [OTHER, OTHER, FITS]})

    assert job.plan.job_id == retry_job_id_for(JobId(job.plan.retry_of or ""))
    assert job.asked()[2:] == [["y"], ["y"]]
    assert job.told("attempt", "content") == [("2", FITS), ("3", FITS), ("1", OTHER)]
    assert job.report().fitted == {"2": 1, "3": 1}


def test_what_is_asked_again_is_reserved_with_its_longer_answers() -> None:
    job = Job(times(1) + "price: {at_most: 200 CNY}\n", "x y")
    seen: list[int] = []

    def look(what: str, _about: str) -> None:
        if what == "submit":
            highest = max(job.store.keys(f"{MONEY}"))
            seen.append(Balance.model_validate_json(job.store.get(highest)).reserved_by_others(""))

    job.provider.before = look
    job.answer({"x": [("{", "length"), FITS], "y": [OTHER, FITS]})

    rate = job.plan.quote.rates_at_most.output  # type: ignore[union-attr]
    first, second = seen
    assert second - first >= rate * 100 // 1_000_000  # one answer may be twice as long
    assert Balance.model_validate_json(job.store.get(max(job.store.keys(MONEY)))).reserved == {}
    assert job.plan.quote.at_most.micros >= first + second  # type: ignore[union-attr]


def test_over_its_ceiling_the_answers_stay_that_were_paid_for() -> None:
    job = Job(times(2) + "price: {at_most: 0.00012 CNY}\n", "x")

    job.answer({"x": [OTHER, FITS]})

    assert job.asked() == [["x"]]
    assert job.told("status", "content", "error_code") == [("answered", OTHER, "answer_does_not_fit")]
    assert job.told("attempt", "attempts") == [("1", "1")]


def test_what_was_never_sent_was_asked_no_time() -> None:
    job = Job(times(2), "x y", header="id,text")
    job.functions.cancel(JobId(job.plan.job_id))

    job.answer({})

    assert job.told("status", "attempts") == [("cancelled", "")] * 2


def test_with_columns_too_an_answer_that_fits_but_was_cut_off_is_asked_again() -> None:
    job = Job(times(1), "x y z")

    job.answer({
        "x": [(FITS, "length"), '{"label": "bad"}'],
        "y": [(FITS, "length"), OTHER],
        "z": [OTHER, ('{"label": "bad"}', "length")],
    })  # fmt: skip

    assert job.asked() == [["x", "y", "z"]] * 2
    assert (
        "cut off at the length limit"
        in job.provider.submissions[1].lines[0]["body"]["messages"][-1]["content"]
    )
    assert [line["body"]["max_tokens"] for line in job.provider.submissions[1].lines] == [200, 200, 100]
    assert job.told("attempt", "attempts", "label", "finish_reason") == [
        ("2", "2", "bad", "stop"), ("1", "2", "good", "length"), ("2", "2", "bad", "length")
    ]  # fmt: skip
    assert job.report().fitted == {"2": 1}
    assert job.report().finish_reasons == {"length": 2}


def test_what_a_filter_cut_off_is_not_asked_again_though_it_fits() -> None:
    job = Job(times(1), "x")

    job.answer({"x": [(FITS, "content_filter")]})

    assert job.asked() == [["x"]]
    assert job.report().fitted == {"1": 1}


def test_wherever_it_dies_each_try_is_sent_once_and_nothing_paid_is_lost() -> None:
    for calls in range(0, 60, 3):
        job, cut = Job(times(1), "x y"), Cut(calls)
        said: Said = {"x": [OTHER, 400], "y": [OTHER, FITS]}
        while job.tickets():
            for attempt in job.attempts(Stage.READY):
                alive(job, "submit", attempt, cut)
            for batch in job.provider.unfinished():
                job.end(batch, said)
            for running in job.attempts(Stage.RUNNING):
                job.records.put_finished(running, "test")
            for attempt in job.attempts(Stage.FINISHED):
                alive(job, "collect", attempt, cut)
            job.clock.advance(LATE)

        assert job.asked() == [["x", "y"], ["x", "y"]], calls
        assert job.told("content") == [(OTHER,), (FITS,)], calls


def alive(job: Job, what: str, attempt: Any, cut: Cut) -> None:
    try:
        getattr(job, what)(attempt, cut)
    except Killed:
        cut.left = None


def test_an_older_version_leaves_such_an_outcome_to_a_newer_one() -> None:
    job = Job(times(1), "x")
    job.deliver()
    job.end(job.provider.unfinished()[0], {"x": [OTHER]})
    (running,) = job.attempts(Stage.RUNNING)
    job.records.put_finished(running, "test")
    job.deliver()

    kept = json.loads(job.store.get(record_key(JobId(job.plan.job_id), "") + "1-00001/outcome.json"))

    assert kept["kind"] not in ("final", "resend", "requeue")  # which such a version knows
    assert Outcome.model_validate({**kept, "kind": "more"}).kind == "unknown"
