from __future__ import annotations

import contextlib
import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest

from scripts.operate.jobs.show import job_lines
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import AGAIN, MONEY, Stage, sample_key, ticket_in
from shared.bucket.money import Balance
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from shared.pipeline.deadlines import SAMPLE_LOOK_AFTER
from shared.pipeline.reconcile.repairs.resume_open_jobs import ResumeOpenJobs
from shared.pipeline.sample.records import Sample
from shared.ports.real_time import Asked
from shared.problems.exceptions import ProviderTrouble
from shared.providers.bailian.profile import BAILIAN
from tests.support.fake_provider import ScriptedProvider, result_line
from tests.support.fakes import FixedClock, Killed, MemoryStore
from tests.support.functions import BUCKET_NAME, Functions
from tests.support.scripted_lane import Say, ScriptedLane, answers, refuses

RECIPE = """model: qwen-flash
prompt: 'Say it: {{ text }}'
parameters: {max_tokens: 100}
price: {sample: 6}
"""


UNDER_CEILING = RECIPE.replace("price: {", "price: {at_most: 0.2 CNY, ")


class Bench:
    """One file of ``rows`` rows, whose sample is asked of a lane."""

    def __init__(
        self, say: Say, rows: int = 20, recipe: str = RECIPE, *, label: str = "label", right: str = "good"
    ) -> None:
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        self.provider = ScriptedProvider(self.clock)
        self.lane = ScriptedLane(say)
        self.content = "from the batch"
        self.records = BucketRecords(self.store)
        self.functions = Functions(self.store, self.provider, self.clock, real_time=self.lane)
        self.store.put("inbox/batch.yaml", recipe.encode())
        self.texts = [f"text {'x' * number} {number}" for number in range(rows)]
        table = f"text,{label}\n" + "".join(f"{text},{right}\n" for text in self.texts)
        self.store.put("inbox/a.csv", table.encode())

    def validate(self, key: str = "inbox/a.csv", run_id: str = "run") -> Any:
        return self.functions.validate(UploadedObject(BUCKET_NAME, key, ""), run_id)

    def go_on(self) -> None:
        """What the timer does of what a dead run has left."""
        for candidate in ResumeOpenJobs(self.store, self.clock).candidates():
            candidate.repair()
        for key in [key for key in self.store.objects if key.startswith(AGAIN)]:
            self.validate(key, "again")
        self.validate(run_id="later")

    @property
    def plan(self) -> Plan:
        (key,) = [key for key in self.store.objects if key.endswith("/plan.json")]
        plan = self.records.find_plan(JobId(key.split("/")[1]))
        assert plan is not None
        return plan

    @property
    def sample(self) -> Sample | None:
        return self.records.find(sample_key(JobId(self.plan.job_id)), Sample)

    @property
    def asked(self) -> list[str]:
        return [line["custom_id"] for line in self.lane.asked]

    @property
    def sent(self) -> list[str]:
        batches = self.provider.batches.values()
        return [line["custom_id"] for batch in batches for line in batch.lines]

    def run(self) -> Ledger:
        """Deliver every ticket until the job is closed."""
        for _ in range(20):
            for key in [key for stage in Stage for key in self.store.objects if key.startswith(stage.value)]:
                found = ticket_in(key)
                if found is not None:
                    self._deliver(*found)
            ledger = self.records.find_ledger(JobId(self.plan.job_id))
            if ledger:
                return ledger
        raise AssertionError([*self.store.objects])

    def _deliver(self, stage: Stage, attempt: Attempt) -> None:
        if stage is Stage.READY:
            self.functions.submit(attempt)
        elif stage is Stage.RUNNING and (running := self.records.find_running(attempt)):
            if running.batch_id:
                self.provider.answer_all(running.batch_id, answer=self._answer)  # type: ignore[arg-type]
            self.records.put_finished(attempt, "test")
        elif stage is Stage.FINISHED:
            self.functions.collect(attempt, "run")

    def _answer(self, line: dict[str, Any]) -> dict[str, Any]:
        usage = {"prompt_tokens": 10, "completion_tokens": 30, "total_tokens": 40}
        return result_line(line["custom_id"], content=self.content, usage=usage)

    def rows(self) -> list[dict[str, str]]:
        return list(csv.DictReader(io.StringIO(self.store.objects["results/a.csv"].decode("utf-8-sig"))))

    def balance(self) -> Balance:
        key = max(key for key in self.store.objects if key.startswith(MONEY))
        return Balance.model_validate_json(self.store.objects[key])


def test_sampled_rows_are_asked_once_and_never_sent() -> None:
    bench = Bench(answers("from the sample"))

    assert bench.validate() == "planned"
    ledger = bench.run()

    assert len(bench.asked) == len({*bench.asked}) == 6
    assert len(bench.sent) == 14
    assert not {*bench.asked} & {*bench.sent}
    assert [row["content"] for row in bench.rows()].count("from the sample") == 6
    assert (ledger.answered, ledger.rows_in, ledger.adds_up) == (20, 20, True)


@pytest.mark.parametrize("columns", ["columns: {said: said}\n", ""])
def test_sampled_rows_whose_answers_do_not_fit_are_asked_again_beside_the_others(columns: str) -> None:
    cut_off = answers("not fit", reason="length")
    bench = Bench(cut_off, 300, f"{RECIPE}{columns}until_fits: {{times: 1}}\n")
    bench.content = '{"said": "fit"}'

    bench.validate()
    quote = bench.store.objects["quotes/a.csv.quote.txt"].decode()
    figures = json.loads(bench.store.objects["quotes/a.csv.quote.json"])["sample"]
    ledger = bench.run()

    assert "回答 6 行（其中 6 个答案不合要求或被截断）" in quote
    assert "6 answered (6 of the answers do not fit or were cut off)" in quote
    assert (figures["answered"], figures["misfits"]) == (6, 6)
    assert figures["output_tokens"] == figures["output_high"] == 2 * 300 * 20  # all of them twice
    assert len(bench.sent) == 300
    rows = [(row["content"], row["attempt"]) for row in bench.rows()]
    assert Counter(rows) == {('{"said": "fit"}', "1"): 294, ('{"said": "fit"}', "2"): 6}
    assert ledger.fitted == {"1": 294, "2": 6}


def test_status_says_of_a_sample_that_the_other_rows_go_by_batch() -> None:
    bench = Bench(answers("from the sample"))

    bench.validate()
    bench.run()

    first, second = (each for each in job_lines(bench.records, bench.plan) if " attempt " in each)
    assert "样本 sample: 6 已回答 answered; 其余行用批次发送 the other rows go by batch" in first
    assert "20 已回答 answered" in second


def test_the_bill_has_the_sample_at_the_real_time_price() -> None:
    bench = Bench(answers("from the sample"))
    bench.validate()

    ledger = bench.run()

    sample, batch = ledger.attempts
    assert (sample.attempt, sample.in_real_time, batch.attempt, batch.in_real_time) == (1, True, 2, False)
    assert sample.cost == sample.real_time
    assert batch.cost is not None
    assert batch.real_time is not None
    assert batch.cost.micros < batch.real_time.micros
    assert bench.sample is not None
    assert bench.sample.figures.cost == sample.cost
    assert ledger.bill is not None
    assert ledger.bill.quoted == bench.sample.figures.expected
    assert (
        "Sent: 14 rows (6 were asked for the sample)"
        in bench.store.objects["quotes/a.csv.quote.txt"].decode()
    )


@pytest.mark.parametrize("rows", [1, 6, 20])
def test_a_run_that_dies_at_any_call_asks_no_row_twice_and_loses_no_money(rows: int) -> None:
    calls = _calls_of_a_validation(rows)
    for at in range(calls):
        bench = Bench(answers("from the sample"), rows, UNDER_CEILING)
        _die_at(bench, at)
        with contextlib.suppress(Killed):
            bench.validate()
        bench.store.before = None
        bench.clock.advance(timedelta(hours=2))

        bench.go_on()
        ledger = bench.run()

        assert len(bench.asked) == len({*bench.asked}), at
        assert not {*bench.asked} & {*bench.sent}, at
        assert (ledger.rows_out, ledger.adds_up) == (rows, True), at
        balance, billed = bench.balance(), sum(each.cost.micros for each in ledger.attempts if each.cost)
        assert balance.reserved == {}, at
        assert billed <= balance.spent <= 200_000, at
        lost = ledger.by_status.get("refused", 0)
        assert lost <= 5, at
        assert ledger.answered == rows - lost, at
        assert balance.spent == billed or lost, at


def _calls_of_a_validation(rows: int) -> int:
    bench, calls = Bench(answers("from the sample"), rows, UNDER_CEILING), count()
    bench.store.before = lambda *_call: next(calls)
    bench.validate()
    return next(calls)


def _die_at(bench: Bench, at: int) -> None:
    calls = count()

    def die(*_call: str) -> None:
        if next(calls) == at:
            raise Killed

    bench.store.before = die


def test_a_row_without_a_reply_is_not_asked_again_but_by_a_retry() -> None:
    bench = Bench(refuses(asked=Asked.UNKNOWN))
    bench.validate()

    ledger = bench.run()

    # One group of five that got no answer at all is enough.
    assert (len(bench.asked), len(bench.sent)) == (5, 15)
    assert [row["error_code"] for row in bench.rows()].count("perhaps_asked") == 5
    assert ledger.answered == 15
    assert bench.functions.retry(bench.plan, "retry").rows == 5


def test_a_row_that_is_refused_goes_into_the_batch() -> None:
    bench = Bench(refuses())
    bench.validate()

    ledger = bench.run()

    assert (len(bench.asked), len(bench.sent), ledger.answered) == (5, 20, 20)
    assert bench.sample is not None
    assert bench.sample.figures.why == "sample_lane_down"


def test_a_service_that_is_down_stops_nothing_and_the_quote_says_why() -> None:
    bench = Bench(answers(""))
    bench.lane.before = _raises(ProviderTrouble("Arrearage: pay", "account_without_money"))
    bench.validate()

    ledger = bench.run()

    assert (len(bench.sent), ledger.answered) == (20, 20)
    quote = bench.store.objects["quotes/a.csv.quote.txt"].decode()
    assert "did not answer (Arrearage: pay). The job goes on. [sample_lane_down]" in quote


def test_without_such_a_service_the_quote_says_so() -> None:
    bench = Bench(answers(""))
    bench.functions.real_time = None
    bench.validate()

    assert len(bench.plan.shards) == 1
    assert bench.run().answered == 20
    assert "[sample_no_lane]" in bench.store.objects["quotes/a.csv.quote.txt"].decode()


def test_of_a_service_with_a_key_of_its_own_the_quote_names_that() -> None:
    bench = Bench(answers(""))
    bench.functions.real_time = None
    bench.functions.profile = replace(BAILIAN, real_time_terms={"key_variable": "ITS_API_KEY"})
    bench.validate()

    quote = bench.store.objects["quotes/a.csv.quote.txt"].decode()
    assert "没有设置百炼实时调用的密钥 ITS_API_KEY" in quote
    assert "No sample: ITS_API_KEY, the key for single requests to Bailian, is not set" in quote


def test_a_twin_waits_while_another_run_is_asking() -> None:
    bench = Bench(answers("from the sample"))

    def twin() -> None:
        bench.lane.before = lambda: None
        assert bench.validate(run_id="twin") == "sampling"

    bench.lane.before = twin
    bench.validate()

    assert len(bench.asked) == 6
    assert bench.run().answered == 20


def test_a_sample_goes_on_though_its_file_was_replaced() -> None:
    bench = Bench(answers("from the sample"))
    bench.lane.before = _raises(Killed())
    with pytest.raises(Killed):
        bench.validate()
    bench.lane.before = lambda: None
    first = bench.plan
    bench.store.put("inbox/a.csv", b"text,label\nanother,good\n")
    bench.clock.advance(SAMPLE_LOOK_AFTER)

    bench.go_on()

    assert bench.records.find(sample_key(JobId(first.job_id)), Sample) is not None
    assert not [key for key in bench.store.objects if key.startswith(AGAIN)]


def test_a_job_with_a_sample_is_looked_at_once_before_its_hour_is_over() -> None:
    bench = Bench(answers("from the sample"))
    bench.validate()
    bench.functions.collect(Attempt(JobId(bench.plan.job_id), 1, 1), "run")
    looks = []

    for _ in range(3):
        bench.clock.advance(SAMPLE_LOOK_AFTER)
        found = [*ResumeOpenJobs(bench.store, bench.clock).candidates()]
        looks.append([candidate.repair() for candidate in found])

    assert looks == [[False], [], []]


def test_no_more_is_asked_of_a_job_that_was_cancelled() -> None:
    bench = Bench(answers("from the sample"))
    bench.lane.before = lambda: bench.functions.cancel(JobId(bench.plan.job_id))
    bench.validate()

    ledger = bench.run()

    assert (len(bench.asked), len(bench.sent)) == (5, 0)
    assert ledger.by_status == {"answered": 5, "cancelled": 15}


def test_a_sample_without_room_under_the_ceiling_is_not_asked() -> None:
    # All rows fit in a batch, but in real time they cost twice as much.
    bench = Bench(
        answers("from the sample"),
        recipe=UNDER_CEILING.replace("0.2 CNY, sample: 6", "0.0025 CNY, sample: 20"),
    )
    bench.validate()

    ledger = bench.run()

    assert (bench.asked, len(bench.sent), ledger.answered) == ([], 20, 20)
    assert "[sample_no_room]" in bench.store.objects["quotes/a.csv.quote.txt"].decode()
    assert bench.balance().reserved == {}


def test_an_erased_job_names_no_column_and_quotes_no_reply() -> None:
    bench = Bench(refuses("InvalidParameter"), recipe=RECIPE.replace("sample: 6", "sample: 6, expect: label"))
    bench.validate()
    bench.run()
    before = bench.plan
    assert before.sample is not None
    assert before.sample.expect == "label"

    assert bench.functions.erase(before)

    job_id = JobId(before.job_id)
    after, sample = bench.records.find_plan(job_id), bench.records.find(sample_key(job_id), Sample)
    assert after is not None
    assert after.sample is not None
    assert sample is not None
    assert (after.sample.expect, after.sample.column, sample.said) == ("", "", "")


def _raises(error: BaseException) -> Callable[[], object]:
    def act() -> None:
        raise error

    return act


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ("sample: 6, expect: nothing", "expect_not_there"),
        ("expect: label", "expect_without_sample"),
        ("sample: 0", "recipe_sample"),
        ("sample: 101", "recipe_sample"),
        ("sample: many", "recipe_sample"),
    ],
)
def test_wrong_terms_are_told(terms: str, code: str) -> None:
    bench = Bench(answers(""), recipe=RECIPE.replace("sample: 6", terms))

    assert bench.validate() == "rejected"
    assert f"[{code}]" in bench.store.objects["rejected/a.csv.report.txt"].decode()


@pytest.mark.parametrize("label", [" label ", "\ufefflabel", "Label", "ｌａｂｅｌ", "la bel"])
def test_the_column_of_right_answers_is_found_as_one_in_a_prompt_is(label: str) -> None:
    bench = Bench(
        answers("good"), recipe=RECIPE.replace("sample: 6", "sample: 6, expect: label"), label=label
    )

    bench.validate()

    assert bench.sample.figures.right == 6


def test_two_columns_that_may_be_meant_are_none() -> None:
    recipe = RECIPE.replace("sample: 6", "sample: 6, expect: label")
    bench = Bench(answers("good"), recipe=recipe, label="Label,LABEL", right="good,bad")

    assert bench.validate() == "rejected"
    assert "[expect_twice]" in bench.store.objects["rejected/a.csv.report.txt"].decode()


@pytest.mark.parametrize(
    ("right", "said", "is_right"),
    [
        ("5", "5.0", True),
        ("5.00", "5", True),
        ("-0.5", "-0.50", True),
        (" good ", "good", True),
        ("05", "5", False),
        ("5", "five", False),
        ("1e1", "10", False),
        ("Good", "good", False),
        ("nan", "NaN", False),
        ("1" * 40, f"{'1' * 40}.0", False),
    ],
)
def test_a_right_answer_is_the_same_text_or_number(right: str, said: str, is_right: bool) -> None:
    recipe = RECIPE.replace("sample: 6", "sample: 6, expect: label")
    bench = Bench(answers(said), recipe=recipe, right=right)

    bench.validate()

    figures = bench.sample.figures
    assert (figures.compared, figures.right) == (6, 6 if is_right else 0)


def test_an_answer_of_several_columns_needs_one_of_the_expected_name() -> None:
    recipe = RECIPE.replace("sample: 6", "sample: 6, expect: label") + "columns: {a: a, b: b}\n"
    bench = Bench(answers(""), recipe=recipe)

    assert bench.validate() == "rejected"
    assert "[expect_unclear]" in bench.store.objects["rejected/a.csv.report.txt"].decode()


def test_the_quote_is_extrapolated_from_the_sample() -> None:
    bench = Bench(answers("good"), recipe=RECIPE.replace("sample: 6", "sample: 6, expect: label"))
    bench.validate()

    quote = bench.store.objects["quotes/a.csv.quote.txt"].decode()
    figures = json.loads(bench.store.objects["quotes/a.csv.quote.json"])["sample"]

    assert (figures["output_tokens"], figures["output_low"], figures["output_high"]) == (400, 400, 400)
    assert "约 400 Token（按样本的 6 行，答案都一样长）" in quote
    assert "about 400 tokens (by the 6 rows of the sample, whose answers are equally long)" in quote
    assert "(estimated, and corrected by the sample)" in quote
    assert 'Right in the sample: 6 of 6 (100%), compared with the column "label"' in quote
