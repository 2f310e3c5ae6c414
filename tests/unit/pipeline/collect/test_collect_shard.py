from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.bucket.attempt import JobId
from shared.bucket.keys import (
    Stage,
    attempt_key,
    open_job_key,
    record_key,
    settled_key,
    ticket_key,
    version_key,
    work_key,
)
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.submission import Submission
from shared.bucket.result_names import report_key_for
from shared.pipeline.deadlines import LOOK_AFTER
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.jobs.resume_job import ResumeJob
from shared.pipeline.jobs.start_job import StartJob
from shared.ports.provider import BatchProblem, BatchStatus
from shared.problems.exceptions import ProviderRejected
from shared.results.columns import Answer, RowStatus
from tests.support.builders import (
    JOB,
    answered_line,
    attempt,
    failed_in_output_line,
    refused_line,
)
from tests.support.collecting import Bench
from tests.support.fake_provider import failure_of
from tests.support.fakes import Killed
from tests.support.functions import LATE


def test_answers_come_back_in_input_order_with_their_own_columns() -> None:
    bench = Bench()
    batch = bench.submitted()
    lines = [answered_line("c", "C"), answered_line("a", "A"), answered_line("b", "B")]
    bench.end(batch, BatchStatus.COMPLETED, lines)

    bench.heard()

    rows = bench.rows()
    assert [(row["name"], row["status"], row["content"]) for row in rows] == [
        ("row a", "answered", "A"),
        ("row b", "answered", "B"),
        ("row c", "answered", "C"),
    ]
    assert bench.tickets() == []
    assert bench.provider.cleaned == [batch]
    assert bench.ledger().adds_up
    assert bench.ledger().tokens.total == 15
    assert json.loads(bench.store.get(report_key_for(bench.plan.result_key)))["by_status"] == {"answered": 3}


def test_rows_of_a_completed_batch_whose_output_file_is_late_are_not_sent_again_whatever_its_counts_say() -> (
    None
):
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [refused_line("b")])  # the error file alone, counts of 0

    early = bench.heard()
    bench.end(batch, BatchStatus.COMPLETED, [refused_line("b"), answered_line("a"), answered_line("c")])
    late = bench.heard()

    assert (early, late) == ("not_ended", "final")
    assert [row["status"] for row in bench.rows()] == ["answered", "refused", "answered"]


def test_a_row_that_failed_inside_the_output_file_is_not_answered() -> None:
    bench = Bench(attempts=1)
    batch = bench.submitted()
    lines = [answered_line("a"), failed_in_output_line("b", 400, "BadThing"), answered_line("c")]
    bench.end(batch, BatchStatus.COMPLETED, lines)

    bench.heard()

    row = bench.rows()[1]
    assert (row["status"], row["error_code"], row["error_message"]) == ("refused", "BadThing", "failed")


def test_only_unanswered_rows_are_sent_again_and_both_attempts_merge_in_order() -> None:
    bench = Bench(shards=(("a", "b", "c", "d"),))
    first = bench.submitted()
    lines = [answered_line("d", "D1"), refused_line("b"), failed_in_output_line("c", 429)]
    bench.end(first, BatchStatus.EXPIRED, lines)

    said = bench.heard()

    sent = [
        json.loads(line)["custom_id"]
        for line in bench.store.get(work_key(attempt(2), "requests.jsonl")).split(b"\n")[:-1]
    ]
    assert (said, sent) == ("resend", ["a", "c"])
    assert bench.tickets() == [ticket_key(Stage.READY, attempt(2))]
    second = bench.submitted(number=2)
    bench.end(second, BatchStatus.COMPLETED, [answered_line("c", "C2")])

    waiting = bench.heard(number=2)
    bench.clock.advance(LATE)
    bench.heard(number=2)

    assert waiting == "not_ended"  # the line that is missing may only be late
    assert [(row["name"], row["status"], row["content"]) for row in bench.rows()] == [
        ("row a", "missing", ""),
        ("row b", "refused", ""),
        ("row c", "answered", "C2"),
        ("row d", "answered", "D1"),
    ]
    assert bench.ledger().batches == (first, second)
    assert bench.ledger().by_status == {"answered": 2, "missing": 1, "refused": 1}


def test_bad_rows_of_a_skipped_file_stand_in_the_result_with_their_reason() -> None:
    bench = Bench(bad=("b",))
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line("a"), answered_line("c")])

    bench.heard()

    row = bench.rows()[1]
    assert (row["name"], row["status"], row["error_code"]) == ("row b", "refused", "ragged_row")


def test_the_result_waits_for_the_last_shard_and_joins_all_parts() -> None:
    bench = Bench(shards=(("a", "b"), ("c",)))
    for shard, ids in ((2, "c"), (1, "ab")):
        batch = bench.submitted(shard=shard)
        bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in ids])

    bench.heard(shard=2)
    early = bench.store.head(bench.plan.result_key)
    bench.heard(shard=1)

    assert early is None
    assert [row["name"] for row in bench.rows()] == ["row a", "row b", "row c"]


def test_collecting_twice_changes_nothing() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard()
    before = bench.store.get(bench.plan.result_key)
    bench.provider.set_results(batch, [])
    bench.records.put_finished(attempt(), "callback")

    bench.heard()

    assert bench.store.get(bench.plan.result_key) == before
    assert bench.tickets() == []


def dies_before_the_outcome(_what: str, key: str) -> None:
    if key.endswith("/outcome.json"):
        raise Killed


def test_a_part_of_a_run_that_died_undecided_is_not_taken_for_the_next_ones() -> None:
    bench = Bench(attempts=1)
    bench.store.before = dies_before_the_outcome
    batch = bench.submitted()
    lines = [answered_line("a"), refused_line("b"), refused_line("c")]
    bench.end(batch, BatchStatus.COMPLETED, lines)
    with pytest.raises(Killed):
        bench.heard()
    bench.store.before = None
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])

    bench.heard()

    assert [row["status"] for row in bench.rows()] == ["answered"] * 3
    assert bench.ledger().by_status == {"answered": 3}


def test_a_hint_about_a_batch_that_still_runs_only_waits() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.RUNNING)

    said = bench.heard()

    assert said == "not_ended"
    assert bench.tickets() == [ticket_key(Stage.RUNNING, attempt())]


@pytest.mark.parametrize("status", [BatchStatus.UNKNOWN, BatchStatus.RUNNING])
def test_a_batch_over_its_deadline_is_cancelled_and_at_last_closed_without_sending_again(
    status: BatchStatus,
) -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, status)
    bench.clock.advance(timedelta(hours=49))

    first = bench.heard()
    bench.end(batch, status)  # and the provider does not listen
    bench.clock.advance(timedelta(hours=24))
    bench.heard()

    assert (first, bench.provider.cancelled) == ("not_ended", [batch])
    assert [row["status"] for row in bench.rows()] == ["expired"] * 3


def test_a_batch_that_failed_for_some_rows_blames_them_and_sends_the_others_again() -> None:
    bench = Bench()
    batch = bench.submitted()
    problem = BatchProblem("mismatched_model", "other model", line=2)
    bench.end(batch, BatchStatus.FAILED, **failure_of(problem))

    bench.heard()

    lines = bench.store.get(work_key(attempt(2), "requests.jsonl")).split(b"\n")[:-1]
    assert [json.loads(line)["custom_id"] for line in lines] == ["a", "c"]


def test_a_batch_that_a_quota_stopped_is_queued_again_without_using_up_an_attempt() -> None:
    bench = Bench(attempts=1)
    batch = bench.submitted()
    problem = BatchProblem("token_limit_exceeded", "Enqueued token limit reached")
    bench.end(batch, BatchStatus.FAILED, **failure_of(problem))

    said = bench.heard()

    ticket = bench.records.find_ready(attempt(2))
    assert said == "requeue"
    assert ticket is not None
    assert ticket.not_before == bench.clock.now() + timedelta(minutes=5)
    second = bench.submitted(number=2)
    bench.end(second, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard(number=2)
    assert [row["status"] for row in bench.rows()] == ["answered"] * 3


def test_a_submission_that_was_refused_for_good_gives_every_row_the_reason() -> None:
    bench = Bench()
    now = bench.clock.now()
    refused = Submission(
        batch_id=None, batch_name="n", submitted_at=now, deadline_at=now,
        rejected_code="model_not_found", rejected_message="no such model",
    )  # fmt: skip
    bench.records.create(attempt_key(attempt(), "submission.json"), refused)

    bench.heard()

    assert [(row["status"], row["error_code"]) for row in bench.rows()] == [
        ("refused", "model_not_found")
    ] * 3


def test_a_completed_batch_whose_output_comes_late_is_waited_for() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, requests_completed=3)

    early = bench.heard()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"], requests_completed=3)
    bench.heard()

    assert early == "not_ended"
    assert [row["status"] for row in bench.rows()] == ["answered"] * 3


@pytest.mark.parametrize("status", [BatchStatus.EXPIRED, BatchStatus.CANCELLED, BatchStatus.FAILED])
def test_answers_that_a_batch_promised_at_its_end_are_waited_for_and_not_paid_again(
    status: BatchStatus,
) -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, status, [], lines_promised=2)

    early = bench.heard()
    bench.end(batch, status, [answered_line("a")], lines_promised=2)
    half = bench.heard()
    bench.end(batch, status, [answered_line("a"), answered_line("b")], lines_promised=2)
    late = bench.heard()

    assert (early, half) == ("not_ended", "not_ended")
    assert late == ("resend" if status is BatchStatus.EXPIRED else "final")
    assert len(bench.provider.submissions) == 1


def test_promised_answers_that_never_come_are_given_up() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.CANCELLED, [answered_line("a")], lines_promised=9)

    early = bench.heard()
    bench.clock.advance(LATE)
    late = bench.heard()

    assert (early, late) == ("not_ended", "final")
    assert bench.ledger().by_status == {"answered": 1, "cancelled": 2}


def test_a_batch_that_does_not_say_how_many_answers_it_has_is_waited_for_as_long() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.CANCELLED, [answered_line("a")], lines_promised=None)

    early = bench.heard()
    bench.clock.advance(LATE)
    late = bench.heard()

    assert (early, late) == ("not_ended", "final")


def test_a_batch_that_seems_to_run_at_the_first_look_after_an_outage_is_told_to_end_and_looked_at_again() -> (
    None
):
    bench = Bench()
    batch = bench.submitted()
    bench.clock.advance(timedelta(days=9))

    first = bench.heard()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    second = bench.heard()

    assert (first, second) == ("not_ended", "final")
    assert bench.provider.cancelled == [batch]
    assert [row["status"] for row in bench.rows()] == ["answered"] * 3


def test_a_batch_that_promised_more_than_there_are_rows_is_not_waited_for() -> None:
    bench = Bench()
    batch = bench.submitted()
    lines = [answered_line(each) for each in "abc"]
    bench.end(batch, BatchStatus.EXPIRED, lines, lines_promised=6)  # it was resumed and counted twice

    assert bench.heard() == "final"


def test_a_result_file_that_is_missing_is_waited_for_and_then_given_up_without_losing_the_other() -> None:
    bench = Bench(attempts=1)
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line("a")], requests_completed=2, requests_failed=1)
    bench.provider.set_state(batch, BatchStatus.COMPLETED, result_files=("missing", f"results-of-{batch}"))

    early = bench.heard()
    bench.clock.advance(timedelta(hours=1))
    late = bench.heard()

    assert (early, late) == ("not_ended", "final")
    assert [row["status"] for row in bench.rows()] == ["answered", "missing", "missing"]


def test_unknown_and_repeated_ids_are_counted_and_never_answer_another_row() -> None:
    bench = Bench()
    batch = bench.submitted()
    lines = [
        answered_line("zzz"),
        refused_line("a"),
        answered_line("a", "A"),
        answered_line("b"),
        answered_line("c"),
        b"{",
    ]
    bench.end(batch, BatchStatus.COMPLETED, lines)

    bench.heard()

    outcome = bench.records.find_outcome(attempt())
    assert outcome is not None
    assert (outcome.unmatched_lines, outcome.repeated_ids, outcome.unreadable_lines) == (2, 1, 1)
    assert bench.rows()[0]["content"] == "A"


def test_a_notification_before_the_submission_was_written_leaves_the_shard_to_the_timer() -> None:
    bench = Bench()
    bench.records.put_finished(attempt(), "callback")

    said = bench.heard()

    assert said == "early"
    assert bench.tickets() == [ticket_key(Stage.READY, attempt())]


def test_a_notification_without_any_other_ticket_brings_the_ready_ticket_back() -> None:
    bench = Bench()
    bench.records.drop_ticket(Stage.READY, attempt())
    bench.records.put_finished(attempt(), "message")

    bench.heard()

    assert bench.tickets() == [ticket_key(Stage.READY, attempt())]


def test_raw_request_lines_get_the_documented_columns_with_the_errors_filled() -> None:
    bench = Bench(kind="request_jsonl", attempts=1)
    batch = bench.submitted()
    bench.end(
        batch,
        BatchStatus.COMPLETED,
        [answered_line("a"), refused_line("b", "Bad", "why"), answered_line("c")],
    )

    bench.heard()

    rows = bench.rows()
    assert list(rows[0]) == [
        "custom_id", "model", "request_id", "status_code", "error_code", "error_message", "created", "content",
        "usage", "reasoning_content",
    ]  # fmt: skip
    assert (rows[1]["custom_id"], rows[1]["error_code"], rows[1]["error_message"]) == ("b", "Bad", "why")
    assert json.loads(rows[0]["usage"])["total_tokens"] == 5


def newer_version(bench: Bench) -> bytes:
    """The result of a version that was dropped an hour later, in place."""
    first = bench.store.get(report_key_for(bench.plan.result_key))
    later = Ledger.model_validate_json(first).model_copy(
        update={"job_id": "f" * 16, "dropped_at": bench.clock.now() + timedelta(hours=1)}
    )
    bench.store.put(version_key(bench.plan.result_key, later.dropped_at, JobId(later.job_id)), b"")
    bench.store.put(report_key_for(bench.plan.result_key), later.to_bytes())
    bench.store.put(bench.plan.result_key, b"newer")
    return b"newer"


def test_a_late_hint_about_an_older_version_leaves_the_newer_result_alone() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard()
    newer = newer_version(bench)
    bench.records.put_finished(attempt(), "callback")

    bench.heard()

    assert bench.store.get(bench.plan.result_key) == newer
    assert bench.store.get(f"results/a/names.{JOB}.csv").count(b"answered") == 3


def test_an_older_version_that_is_dropped_again_takes_its_place_back() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard()
    newer_version(bench)
    bench.clock.advance(timedelta(hours=2))

    said = ResumeJob(StartJob(bench.store, bench.clock))(bench.plan, bench.clock.now())
    bench.heard()

    assert said == "result_again"
    assert len(bench.rows()) == 3


def test_a_result_that_is_to_be_written_again_is_even_if_somebody_deletes_its_ticket() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard()
    bench.store.delete(bench.plan.result_key)
    ResumeJob(StartJob(bench.store, bench.clock))(bench.plan, bench.clock.now())
    bench.store.delete(ticket_key(Stage.FINISHED, attempt()))
    bench.clock.advance(LOOK_AFTER)

    bench.resume()
    said = bench.collect(attempt())

    assert said == "final"
    assert len(bench.rows()) == 3
    assert bench.store.keys("open/") == bench.tickets() == []


@pytest.mark.parametrize("is_erased", [False, True])
def test_a_mark_that_comes_after_its_job_was_closed_goes_at_the_next_look(is_erased: bool) -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard()
    assert not is_erased or bench.functions.erase(bench.plan)
    before = dict(bench.store.objects)
    bench.store.put(open_job_key(JOB), b"")
    bench.clock.advance(LOOK_AFTER)

    bench.resume()
    bench.collect(attempt())

    assert bench.store.objects == before


def close_newer_version(bench: Bench, digit: str, hours: int) -> bytes:
    """Close a job of bytes that were dropped so much later, and return its result."""
    job_id, dropped_at = JobId(digit * 16), bench.clock.now() + timedelta(hours=hours)
    source = bench.plan.source.model_copy(update={"etag": digit, "dropped_at": dropped_at})
    newer = bench.plan.model_copy(update={"job_id": job_id, "source": source})
    bench.records.create(record_key(job_id, "plan.json"), newer)
    settled = bench.records.find_settled(bench.job_id, 1)
    assert settled is not None
    part = settled.model_copy(update={"part_key": f"part-{digit}"})
    bench.store.put(part.part_key, f"newer {digit}".encode())
    bench.records.create(settled_key(job_id, 1), part)
    CloseJob(bench.store, bench.clock)(newer)
    return bench.store.get(newer.result_key)


@pytest.mark.parametrize("is_replaced_meanwhile", [False, True])
def test_an_older_result_that_a_killed_run_left_over_a_newer_goes_though_its_ticket_is_gone(
    is_replaced_meanwhile: bool,
) -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard()
    older, result_key = bench.store.get(bench.plan.result_key), bench.plan.result_key
    newest = [close_newer_version(bench, "e", hours=1)]
    bench.store.put(result_key, older)  # by a twin of the first run, which was killed behind it

    def a_third_closes(_what: str, key: str) -> None:
        if key == result_key:
            bench.store.before = None
            newest.append(close_newer_version(bench, "f", hours=2))

    bench.store.before = a_third_closes if is_replaced_meanwhile else None
    said = bench.collect(attempt())
    bench.store.before = None

    assert said == "gone"
    assert newest == ([b"newer e", b"newer f"] if is_replaced_meanwhile else [b"newer e"])
    assert bench.store.get(result_key) == newest[-1]


def test_a_late_copy_of_an_event_whose_ticket_is_gone_does_nothing() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.heard()
    before = dict(bench.store.objects)

    said = bench.collect(attempt())

    assert said == "gone"
    assert bench.store.objects == before


def test_answers_that_come_later_than_the_error_file_are_waited_for_and_not_paid_again() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [refused_line("b")], requests_completed=2, requests_failed=1)

    early = bench.heard()
    bench.end(
        batch,
        BatchStatus.COMPLETED,
        [refused_line("b"), answered_line("a"), answered_line("c")],
        requests_completed=2,
    )
    bench.records.put_finished(attempt(), "timer")
    bench.heard()

    assert early == "not_ended"
    assert [row["status"] for row in bench.rows()] == ["answered", "refused", "answered"]


def test_a_model_that_does_not_exist_is_every_rows_reason_at_once() -> None:
    bench = Bench()
    batch = bench.submitted()
    problem = BatchProblem("model_not_found", "no such model", line=1, param="body.model")
    bench.end(batch, BatchStatus.FAILED, **failure_of(problem))

    bench.heard()

    assert [(row["status"], row["error_code"]) for row in bench.rows()] == [
        ("refused", "model_not_found")
    ] * 3


def test_a_quota_that_never_frees_ends_the_job_with_its_reason() -> None:
    bench = Bench(attempts=1)
    problem = BatchProblem("token_limit_exceeded", "Enqueued token limit reached")
    bench.clock.advance(timedelta(days=30))  # however long the job has waited before
    said = []
    for number in (1, 2):
        bench.end(bench.submitted(number), BatchStatus.FAILED, **failure_of(problem))
        said.append(bench.heard(number))
        bench.clock.advance(timedelta(days=14))

    assert said == ["requeue", "final"]
    assert [row["error_code"] for row in bench.rows()] == ["token_limit_exceeded"] * 3


def test_what_our_own_cancel_past_the_deadline_left_is_sent_again() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.clock.advance(timedelta(hours=48))
    bench.end(batch, BatchStatus.CANCELLED, [answered_line("a")])

    said = bench.heard()

    assert said == "resend"


def test_rows_that_our_own_cancel_left_in_the_error_file_are_sent_again_too() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.clock.advance(timedelta(hours=48))
    lines = [answered_line("a"), refused_line("b", "batch_cancelled"), refused_line("c", "InvalidParameter")]
    bench.end(batch, BatchStatus.CANCELLED, lines)

    bench.heard()

    requests = bench.store.get(work_key(attempt(2), "requests.jsonl")).split(b"\n")[:-1]
    assert [json.loads(line)["custom_id"] for line in requests] == ["b"]


def test_provider_files_that_cannot_be_deleted_keep_nothing_on_the_board() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each) for each in "abc"])
    bench.provider.fail_next("clean_up", ProviderRejected("not yours", status=400))

    bench.heard()

    assert bench.tickets() == []
    assert len(bench.rows()) == 3


def test_a_lost_running_ticket_is_put_again_when_the_file_is_dropped_again() -> None:
    bench = Bench()
    bench.submitted()
    bench.store.delete(ticket_key(Stage.FINISHED, attempt()))

    ResumeJob(StartJob(bench.store, bench.clock))(bench.plan, bench.clock.now())

    assert bench.tickets() == [ticket_key(Stage.RUNNING, attempt())]


def test_answers_that_are_json_become_columns_and_the_ledger_counts_those_that_are_not() -> None:
    bench = Bench(shards=(("a", "b", "c", "d"),), columns={"mood": "mood", "city": "address.city"})
    batch = bench.submitted()
    fitting = '```json\n{"mood": "good", "address": {"city": "北京"}}\n```'
    lines = [
        answered_line("a", fitting),
        answered_line("b", "I think: good"),
        answered_line("c", '{"mood": 1}'),
        answered_line("d", 'Sure: {"mood": 1, "address": {"city": 2}}'),
    ]
    bench.end(batch, BatchStatus.COMPLETED, lines)

    bench.heard()

    rows = bench.rows()
    assert list(rows[0])[-2:] == ["mood", "city"]
    assert [(row["status"], row["content"], row["mood"], row["city"], row["error_code"]) for row in rows] == [
        ("answered", fitting, "good", "北京", ""),
        ("answered", "I think: good", "", "", "answer_not_json"),
        ("answered", '{"mood": 1}', "1", "", "answer_does_not_fit"),
        ("answered", 'Sure: {"mood": 1, "address": {"city": 2}}', "1", "2", "answer_had_prose"),
    ]
    assert "city" in rows[2]["error_message"]
    assert bench.ledger().by_status == {"answered": 4}
    assert bench.ledger().unread_answers == {
        "answer_does_not_fit": 1,
        "answer_had_prose": 1,
        "answer_not_json": 1,
    }
    assert bench.ledger().adds_up


def test_a_row_without_an_answer_keeps_its_own_reason_and_has_empty_columns() -> None:
    bench = Bench(columns={"properties": {"mood": {"type": "string"}}}, bad=("b",), attempts=1)
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line("a", '{"mood": "=1"}'), refused_line("c")])

    bench.heard()

    rows = [(row["status"], row["mood"], row["error_code"]) for row in bench.rows()]
    assert rows == [
        ("answered", "'=1", ""),
        ("refused", "", "ragged_row"),
        ("refused", "", "InvalidParameter"),
    ]
    assert bench.ledger().unread_answers == {}


def test_an_answer_of_an_earlier_attempt_becomes_columns_too() -> None:
    bench = Bench(columns={"mood": "mood"}, output_format="jsonl")
    first = bench.submitted()
    lines = [answered_line("a", '{"mood": "good"}'), answered_line("b", "no JSON")]
    bench.end(first, BatchStatus.EXPIRED, lines)
    bench.heard()
    second = bench.submitted(number=2)
    bench.end(second, BatchStatus.COMPLETED, [answered_line("c", '{"mood": null}')])

    bench.heard(number=2)

    rows = [json.loads(line) for line in bench.store.get("results/a/names.jsonl").split(b"\n")[:-1]]
    assert [(row["name"], row["mood"], row["error_code"]) for row in rows] == [
        ("row a", "good", ""),
        ("row b", None, "answer_not_json"),
        ("row c", None, ""),
    ]
    assert bench.ledger().unread_answers == {"answer_not_json": 1}


def test_a_result_in_jsonl_has_one_object_a_row_over_all_shards_and_is_raw() -> None:
    bench = Bench(shards=(("a", "b"), ("c",)), output_format="jsonl")
    for shard, ids in ((2, "c"), (1, "ab")):
        batch = bench.submitted(shard=shard)
        bench.end(batch, BatchStatus.COMPLETED, [answered_line(each, f"={each}") for each in ids])

    bench.heard(shard=2)
    bench.heard(shard=1)

    result = bench.store.get("results/a/names.jsonl")
    rows = [json.loads(line) for line in result.split(b"\n")[:-1]]
    assert [(row["name"], row["content"], row["total_tokens"]) for row in rows] == [
        ("row a", "=a", 5),
        ("row b", "=b", 5),
        ("row c", "=c", 5),
    ]
    assert bench.store.head("results/a/names.report.json")
    assert bench.store.head("results/a/names.csv") is None


@pytest.mark.parametrize(("guard", "shown"), [(True, "'=1+1"), (False, "=1+1")])
def test_answers_are_guarded_against_being_run_as_formulas_unless_the_plan_says_no(
    guard: bool, shown: str
) -> None:
    bench = Bench(formula_guard=guard)
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each, "=1+1") for each in "abc"])

    bench.heard()

    assert [row["content"] for row in bench.rows()] == [shown] * 3


def test_a_plan_of_an_older_version_is_finished_as_that_version_would_have() -> None:
    bench = Bench()
    new = {"output_format", "formula_guard", "answer_columns"}
    old = json.dumps(
        {name: value for name, value in json.loads(bench.plan.to_bytes()).items() if name not in new}
    )
    bench.store.put(record_key(JOB, "plan.json"), old.encode())
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [answered_line(each, "=1+1") for each in "abc"])

    bench.heard()

    assert [row["content"] for row in bench.rows()] == ["=1+1"] * 3


def test_answers_that_an_older_version_kept_are_joined_with_those_of_this_one() -> None:
    bench = Bench(columns={"mood": "mood"})
    first = bench.submitted()
    bench.end(first, BatchStatus.EXPIRED, [answered_line("b", "B"), refused_line("c", "Bad", "no")])
    bench.heard()
    outcome = bench.records.find_outcome(attempt())
    assert outcome is not None
    settled = [
        Answer("b", RowStatus.ANSWERED, content='{"mood":"good"}', total_tokens=5),
        Answer("c", RowStatus.REFUSED, error_code="Bad", error_message="no"),
    ]
    bench.store.put(outcome.content_key, b"".join(answer.to_line() for answer in settled))
    second = bench.submitted(number=2)
    bench.end(second, BatchStatus.COMPLETED, [answered_line("a", '{"mood":"bad"}')])

    bench.heard(number=2)

    assert [
        (row["name"], row["status"], row["total_tokens"], row["mood"], row["error_message"])
        for row in bench.rows()
    ] == [
        ("row a", "answered", "5", "bad", ""),
        ("row b", "answered", "5", "good", ""),
        ("row c", "refused", "", "", "no"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"m","usage":{"x":1},"data":{"embedding":5}}',
        b'{"model":"m","usage":{"x":"\\ud800"},"choices":[{"finish_reason":"stop","message":{"content":"fine"}}]}',
        b'{"model":"m","usage":{},"data":[{"embedding":["\\ud800"]}]}',
    ],
)
def test_an_odd_answer_stops_nothing_and_is_kept(body: bytes) -> None:
    bench = Bench(shards=[["a"]])
    batch_id = bench.submitted()
    line = b'{"custom_id":"a","error":null,"response":{"status_code":200,"request_id":"r","body":%b}}' % body
    bench.end(batch_id, BatchStatus.COMPLETED, [line], requests_completed=1)

    bench.heard()

    (row,) = bench.rows()
    assert row["status"] == "answered"


@pytest.mark.parametrize("status", [BatchStatus.COMPLETED, BatchStatus.EXPIRED, BatchStatus.CANCELLED])
def test_a_row_whose_line_cannot_be_read_is_never_sent_again(status: BatchStatus) -> None:
    bench = Bench(attempts=3)
    batch = bench.submitted()
    deep = answered_line("b").replace(b'"fine"', b"[" * 2_000 + b"]" * 2_000)
    bench.end(batch, status, [answered_line("a")[:-1], deep, answered_line("c")])

    bench.heard()
    bench.clock.advance(timedelta(hours=1))
    bench.heard()

    rows = bench.rows()
    assert [row["error_code"] for row in rows] == ["line_unreadable", "line_unreadable", ""]
    assert bench.records.find_outcome(attempt()).kind == "final"
