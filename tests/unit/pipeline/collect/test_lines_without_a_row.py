"""Answers that no row was found for lie beside the result, and nothing is paid again for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.bucket.keys import name_claim_key
from shared.bucket.result_names import (
    plain_result_key_for,
    superseded_result_key_for,
    unmatched_key_for,
)
from shared.ports.provider import BatchStatus
from tests.support.builders import (
    JOB,
    answered_line,
    attempt,
    failed_in_output_line,
)
from tests.support.collecting import Bench

STRAY = answered_line("zzz", "paid")


def ended(bench: Bench, *lines: bytes, status: BatchStatus = BatchStatus.COMPLETED, number: int = 1) -> None:
    """End the batch; a completed one lacks lines, so collect waits before it settles."""
    bench.end(bench.submitted(number), status, lines)
    bench.heard(number)
    bench.clock.advance(timedelta(hours=1))
    bench.heard(number)


def kept(bench: Bench) -> bytes | None:
    return bench.store.objects.get(unmatched_key_for(bench.plan.result_key, JOB))


@pytest.mark.parametrize(
    ("stray", "text"),
    [
        (STRAY, STRAY),
        (b"<html>403</html>", b'{"line":"<html>403</html>"}'),
        (b'{"id": "x", "cust', b'{"line":"{\\"id\\": \\"x\\", \\"cust"}'),
        (STRAY.replace(b"custom_id", b"request"), STRAY.replace(b"custom_id", b"request")),
    ],
)
def test_a_row_whose_answer_may_be_a_line_without_a_row_is_not_paid_again(stray: bytes, text: bytes) -> None:
    bench = Bench(attempts=3)

    ended(bench, answered_line("a", "A"), stray, answered_line("b", "B"))

    assert [(row["status"], row["error_code"]) for row in bench.rows()] == [
        ("answered", ""), ("answered", ""), ("missing", "missing"),
    ]  # fmt: skip
    assert bench.sent() == ["a", "b", "c"]
    assert kept(bench) == text + b"\n"
    (warning,) = bench.ledger().warnings
    assert "lines_unmatched" in warning
    assert unmatched_key_for(bench.plan.result_key, JOB) in warning


@pytest.mark.parametrize("status", [BatchStatus.EXPIRED, BatchStatus.CANCELLED])
def test_so_it_is_when_the_batch_ended_early(status: BatchStatus) -> None:
    bench = Bench(attempts=3)

    ended(bench, answered_line("a", "A"), STRAY, status=status)

    assert bench.statuses() == ["answered", status.value, status.value]
    assert kept(bench) == STRAY + b"\n"


def test_a_result_that_was_cut_off_has_no_rows_sent_again() -> None:
    bench = Bench(attempts=3)

    ended(bench, answered_line("a", "A"), answered_line("b", "B")[:-30])

    assert [row["error_code"] for row in bench.rows()] == ["", "line_unreadable", "missing"]
    assert kept(bench) is None
    assert bench.ledger().warnings == ()


def test_rows_with_a_line_of_their_own_are_sent_again_and_what_was_kept_stays() -> None:
    bench = Bench(attempts=2)
    ended(bench, STRAY, answered_line("a", "A"), failed_in_output_line("b", 500))
    other = answered_line("other", "paid too")

    bench.end(bench.submitted(2), BatchStatus.COMPLETED, [answered_line("b", "B"), other])
    bench.heard(2)

    assert bench.sent() == ["a", "b", "c", "b"]
    assert bench.statuses() == ["answered", "answered", "missing"]
    assert kept(bench) == STRAY + b"\n" + other + b"\n"


def test_rows_that_all_have_their_answers_do_not_hide_a_line_too_many() -> None:
    bench = Bench()

    ended(bench, *map(answered_line, "abc"), STRAY)

    assert bench.statuses() == ["answered"] * 3
    assert kept(bench) == STRAY + b"\n"


def test_a_file_that_is_whole_when_it_is_read_again_leaves_nothing() -> None:
    bench = Bench()
    batch = bench.submitted()
    bench.end(batch, BatchStatus.COMPLETED, [b"<html>503</html>"])
    early = bench.heard()
    bench.end(batch, BatchStatus.COMPLETED, [*map(answered_line, "abc")])

    bench.heard()

    assert early == "not_ended"
    assert bench.statuses() == ["answered"] * 3
    assert [key for key in bench.store.objects if "unmatched" in key] == []


def test_a_retry_keeps_what_the_closed_job_kept() -> None:
    bench = Bench(attempts=1)
    ended(bench, STRAY, answered_line("a", "A"), answered_line("b", "B"))
    for key in [key for key in bench.store.objects if key.startswith("results/")]:
        bench.store.delete(key)

    bench.retry()
    bench.run_until_done()

    assert bench.statuses() == ["answered"] * 3
    assert kept(bench) == STRAY + b"\n"
    assert "lines_unmatched" in bench.report().warnings[0]


@pytest.mark.parametrize("is_older", [False, True])
def test_an_erased_job_leaves_none_of_them(is_older: bool) -> None:
    bench = Bench(attempts=1)
    ended(bench, STRAY, answered_line("a", "A"))
    if is_older:  # versions before 26.11 claimed no name for them
        unmatched = unmatched_key_for(bench.plan.result_key, JOB)
        bench.store.delete(name_claim_key(plain_result_key_for(unmatched)))

    bench.functions.erase(bench.plan)

    assert [key for key, content in bench.store.objects.items() if b"paid" in content] == []


def test_the_result_of_a_file_with_their_name_stays() -> None:
    bench = Bench(attempts=1)
    theirs = unmatched_key_for(bench.plan.result_key, JOB)
    bench.records.claim_name(plain_result_key_for(theirs), "inbox/another.csv")
    bench.store.put(theirs, b"a result")

    ended(bench, STRAY, answered_line("a", "A"))

    mine = superseded_result_key_for(theirs, JOB)
    assert bench.store.get(mine) == STRAY + b"\n"
    assert mine in bench.ledger().warnings[0]
    assert bench.functions.erase(bench.plan)
    assert bench.store.head(mine) is None
    assert kept(bench) == b"a result"


def test_what_another_call_reads_does_not_count_twice() -> None:
    bench = Bench(attempts=1)
    ended(bench, STRAY, answered_line("a", "A"))

    bench.heard()

    outcome = bench.records.find_outcome(attempt())
    assert outcome is not None
    assert outcome.unmatched_lines == 1
    assert kept(bench) == STRAY + b"\n"


def test_rows_whose_answers_stand_beside_that_of_another_row_are_not_paid_again() -> None:
    bench = Bench(attempts=3)

    ended(bench, *(answered_line("a", text) for text in "ABC"))

    assert [row["error_code"] for row in bench.rows()] == ["answers_differ", "missing", "missing"]
    assert bench.sent() == ["a", "b", "c"]
