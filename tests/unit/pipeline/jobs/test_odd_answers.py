"""The ledger and the status say how many answers are cut off or odd, and what to do."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from scripts.operate.jobs.show import job_lines
from shared.bucket.keys import record_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.outcome import Outcome, SettledShard
from shared.bucket.result_names import report_key_for
from shared.ports.provider import BatchStatus
from shared.results.columns import columns_of
from tests.support.builders import JOB, answered_line, failed_in_output_line
from tests.support.fake_provider import echo
from tests.support.pipeline import Pipeline
from tests.unit.pipeline.collect.test_collect_shard import Bench
from tests.unit.pipeline.jobs.test_retry_job import Ending

KINDS = pytest.mark.parametrize("kind", ["recipe_csv", "request_jsonl"])


def ended(custom_id: str, reason: str, **message: Any) -> bytes:
    line = json.loads(answered_line(custom_id, "half"))
    choice = line["response"]["body"]["choices"][0]
    choice["finish_reason"] = reason
    choice["message"] |= message
    return json.dumps(line).encode()


def collected(kind: str) -> Bench:
    """Two attempts: of the first one row is cut off, of the second another, and one is filtered."""
    bench = Bench(shards=(("a", "b", "c", "d"),), kind=kind)
    first = [ended("a", "length"), failed_in_output_line("b", 500), failed_in_output_line("c", 500)]
    bench.end(
        bench.submitted(), BatchStatus.COMPLETED, [*first, ended("d", "stop", content="", refusal="No.")]
    )
    bench.heard()
    second = [ended("b", "length"), ended("c", "content_filter", content=None)]
    bench.end(bench.submitted(number=2), BatchStatus.COMPLETED, second)
    bench.heard(number=2)
    return bench


@KINDS
def test_the_ledger_counts_every_answer_that_is_not_whole_and_says_what_to_raise(kind: str) -> None:
    ledger = collected(kind).ledger()

    assert ledger.by_status == {"answered": 3, "refused": 1}
    assert ledger.finish_reasons == {"content_filter": 1, "length": 2}
    assert ledger.unread_answers == {"model_refused": 1}
    cut, filtered = ledger.warnings
    assert "2 行的答案因为达到长度上限而被截断" in cut
    assert "2 row(s) have answers that were cut off" in cut
    assert "max_tokens: …" in cut
    assert "1 row(s) have answers that the provider's content filter" in filtered


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("length", "answers_cut"),
        ("MAX_TOKENS", "answers_cut"),
        ("max_tokens", "answers_cut"),
        ("SAFETY", "answers_filtered"),
        ("sensitive", "answers_filtered"),
    ],
)
def test_the_words_of_other_models_for_a_cut_answer_count(reason: str, code: str) -> None:
    bench = Bench()
    lines = [ended("a", reason), answered_line("b"), answered_line("c")]
    bench.end(bench.submitted(), BatchStatus.COMPLETED, lines)
    bench.heard()

    (warning,) = bench.ledger().warnings
    assert warning.endswith(f"[{code}]")


@KINDS
def test_the_ledger_counts_the_rows_that_were_answered_twice_in_either_attempt(kind: str) -> None:
    bench = Bench(shards=(("a", "b", "c", "d"),), kind=kind)
    first = [answered_line("a", "1"), answered_line("a", "2"), failed_in_output_line("b", 500)]
    others = [failed_in_output_line("c", 500), answered_line("d"), answered_line("d")]
    bench.end(bench.submitted(), BatchStatus.COMPLETED, [*first, *others])
    bench.heard()
    second = [
        answered_line("b", "1"),
        failed_in_output_line("c", 400),
        answered_line("c"),
        answered_line("b", "2"),
    ]
    bench.end(bench.submitted(number=2), BatchStatus.COMPLETED, second)
    bench.heard(number=2)

    ledger = bench.ledger()

    assert ledger.by_status == {"answered": 4}
    assert ledger.unread_answers == {"answers_differ": 2, "answer_with_error": 1}
    assert ledger.tokens.total == 6 * 5
    (warning,) = ledger.warnings
    assert "2 行收到了不止一个答案" in warning
    assert "2 row(s) got more than one answer" in warning


def test_report_and_status_say_the_same() -> None:
    bench = collected("recipe_csv")

    report = json.loads(bench.store.get(report_key_for(bench.plan.result_key)))
    lines = "\n".join(job_lines(bench.records, bench.plan))

    assert report["finish_reasons"] == {"content_filter": 1, "length": 2}
    assert "结束原因 finish_reason content_filter: 1, length: 2" in lines
    assert "错误代码 error_code model_refused: 1" in lines
    assert report["warnings"]
    assert all(f"提示 warning {warning}" in lines for warning in report["warnings"])


@KINDS
def test_whole_answers_are_not_counted(kind: str) -> None:
    bench = Bench(kind=kind)
    lines = [answered_line("a"), ended("b", "tool_calls", content=None, tool_calls=[1]), answered_line("c")]
    bench.end(bench.submitted(), BatchStatus.COMPLETED, lines)
    bench.heard()

    ledger = bench.ledger()
    assert (ledger.by_status, ledger.finish_reasons, ledger.warnings) == ({"answered": 3}, {}, ())


class CutEnding(Ending):
    """Answers are cut off, in row ``b`` with a refusal in words; a filter withholds the others."""

    def _answer(self, line: dict[str, Any]) -> dict[str, Any] | None:
        answer = echo(line)
        choice = answer["response"]["body"]["choices"][0]
        choice["finish_reason"] = "length"
        if line["custom_id"] not in self.answered:
            choice |= {"finish_reason": "content_filter", "message": {"content": None}}
        elif line["custom_id"] == "b":
            choice["message"] |= {"content": None, "refusal": "No."}
        return answer


@KINDS
@pytest.mark.parametrize("output_format", ["csv", "jsonl"])
def test_a_retry_sends_no_answer_again_and_counts_those_that_it_keeps(kind: str, output_format: str) -> None:
    job = Pipeline(kind=kind, output_format=output_format)
    job.plan = job.plan.model_copy(update={"result_columns": columns_of(kind)})
    job.store.put(record_key(JOB, "plan.json"), job.plan.to_bytes())
    ending = CutEnding(job, "ab")
    job.drain(ending)
    sent, before = len(job.sent()), job.report().finish_reasons
    ending.answered.add("c")

    job.retry()
    job.drain(ending)

    assert before == {"content_filter": 1, "length": 2}
    assert job.sent()[sent:] == ["c"]
    assert job.report().finish_reasons == {"length": 3}
    assert job.report().unread_answers == {"model_refused": 1}
    assert job.report().retry_of == JOB


class OddEnding(Ending):
    """Each row that is answered has another odd answer; the codes of the refusals are odd, too."""

    refusals: ClassVar[dict[str, Any]] = {
        "open": {"response": None, "error": {"code": "answer_empty", "message": "m"}},
        "shut": {"response": {"status_code": 400, "body": {"error": {"code": "model_refused"}}}},
        "mute": {"response": None, "error": {"code": "", "message": "m"}},
    }

    def _answer(self, line: dict[str, Any]) -> dict[str, Any] | None:
        answer = echo(line)
        if line["custom_id"] not in self.answered:
            return answer | self.refusals[line["custom_id"]]
        message = answer["response"]["body"]["choices"][0]["message"]
        if line["custom_id"] == "refused":
            message |= {"content": None, "refusal": "No."}
        elif line["custom_id"] == "empty":
            message["content"] = ""
        else:
            answer["response"]["status_code"] = {"201": 201, "text": "202", "none": None}[line["custom_id"]]
        return answer


@KINDS
@pytest.mark.parametrize("output_format", ["csv", "jsonl"])
def test_a_retry_keeps_every_answer_whatever_its_status_code_was(kind: str, output_format: str) -> None:
    answered = ("201", "text", "none", "refused", "empty")
    rows = (*answered, *OddEnding.refusals)
    job = Pipeline(kind=kind, output_format=output_format, shards=(rows,))
    ending = OddEnding(job, answered)
    job.drain(ending)
    before = job.report()

    said = job.retry()

    assert (before.by_status, said) == ({"answered": 5, "refused": 3}, "started")
    assert before.unread_answers == {"model_refused": 1, "answer_empty": 1}
    sent = len(job.sent())
    job.drain(Ending(job, OddEnding.refusals))
    assert job.sent()[sent:] == [*OddEnding.refusals]
    assert job.report().by_status == {"answered": 8}


@pytest.mark.parametrize("record", [Outcome, SettledShard, Ledger])
def test_records_of_an_older_version_count_nothing(record: type[Any]) -> None:
    assert record.model_fields["finish_reasons"].get_default(call_default_factory=True) == {}
