"""What a provider refuses to say: somebody is told, nothing is paid for twice, and it ends."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.bucket.attempt import Attempt
from shared.pipeline.deadlines import DEADLINE_GRACE, MENDED_WITHIN, SEND_WITHIN
from shared.problems.exceptions import (
    ConfigurationError,
    OutcomeUnknown,
    PipelineError,
    ProviderRejected,
    ProviderTrouble,
)
from shared.providers.bailian.profile import BAILIAN
from tests.support.pipeline import Pipeline

REFUSED = ProviderRejected("no such form of id", provider_code="InvalidParameter.Id", status=400)
TROUBLE = ProviderTrouble("not for this key", "access_key_without_permission")
NO_KEY = ConfigurationError("the key is missing")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DEADLINE = DAY + DEADLINE_GRACE  # of a batch with the window of a day

each_refusal = pytest.mark.parametrize("refusal", [REFUSED, TROUBLE, NO_KEY], ids=str)


class Bench(Pipeline):
    """One job, whose provider refuses to answer questions of one kind."""

    def __init__(self, question: str) -> None:
        super().__init__()
        self.attempt = Attempt(self.job_id, 1, 1)
        self.question, self.asked = question, 0
        self.refusal: PipelineError | None = None
        self.provider.before = self._refuse
        self.planned_at = self.clock.now()

    def _refuse(self, what: str, _about: str) -> None:
        if what == self.question:
            self.asked += 1
            if self.refusal:
                raise self.refusal

    def pass_until(self, age: timedelta, step: timedelta = HOUR) -> None:
        """The timer comes again and again until the job is so old, and is heard."""
        while self.clock.now() < self.planned_at + age:
            self.tick(step)
            self.deliver()

    @property
    def told(self) -> str:
        ticket = self.records.find_running(self.attempt) or self.records.find_ready(self.attempt)
        return ticket.waiting_for.message if ticket and ticket.waiting_for else ""

    def codes(self) -> set[str]:
        return {row["error_code"] for row in self.rows()}


def running() -> Bench:
    bench = Bench("status")
    bench.deliver()
    return bench


@each_refusal
def test_somebody_is_told_in_time_and_the_question_comes_ever_more_rarely(refusal: PipelineError) -> None:
    bench = running()
    bench.refusal = refusal

    bench.pass_until(12 * HOUR, step=timedelta(minutes=1))

    assert str(refusal) in bench.told
    assert bench.asked <= 3 + 12 * 60 / 40
    assert len(bench.provider.batches) == 1


@each_refusal
@pytest.mark.parametrize("age", [3 * HOUR, DEADLINE + MENDED_WITHIN - 2 * HOUR])
def test_once_the_provider_answers_the_rows_have_their_answers(
    refusal: PipelineError, age: timedelta
) -> None:
    bench = running()
    bench.provider.answer_all(bench.provider.last.batch_id)
    bench.refusal = refusal
    bench.pass_until(age)

    bench.refusal = None
    bench.pass_until(age + 3 * HOUR)

    assert bench.statuses() == ["answered"] * 3


@pytest.mark.parametrize(
    ("refusal", "end"), [(REFUSED, DEADLINE + MENDED_WITHIN), (TROUBLE, SEND_WITHIN), (NO_KEY, SEND_WITHIN)]
)
def test_in_the_end_the_rows_say_that_their_batch_never_ended_and_are_not_sent_again(
    refusal: PipelineError, end: timedelta
) -> None:
    bench = running()
    bench.refusal = refusal

    bench.pass_until(end - 6 * HOUR, step=6 * HOUR)
    assert bench.told
    bench.pass_until(end + 12 * HOUR, step=6 * HOUR)

    assert bench.codes() == {"never_ended"}
    assert bench.board() == []
    assert len(bench.provider.batches) == 1


@each_refusal
def test_whether_a_batch_was_made_is_not_guessed(refusal: PipelineError) -> None:
    bench = Bench("find")
    bench.provider.fail_next("submit", OutcomeUnknown("cut"), after=True)
    with pytest.raises(OutcomeUnknown):
        bench.deliver()
    bench.refusal = refusal

    bench.pass_until(6 * HOUR)
    assert str(refusal) in bench.told
    bench.pass_until(BAILIAN.listed_for + DAY, step=6 * HOUR)

    assert bench.codes() == {"perhaps_sent"}
    assert bench.board() == []
    assert len(bench.provider.batches) == 1


def test_a_batch_that_was_made_is_found_once_the_provider_lists_it() -> None:
    bench = Bench("find")
    bench.provider.fail_next("submit", OutcomeUnknown("cut"), after=True)
    with pytest.raises(OutcomeUnknown):
        bench.deliver()
    bench.refusal = REFUSED
    bench.pass_until(6 * HOUR)

    bench.refusal = None
    bench.pass_until(9 * HOUR)
    bench.provider.answer_all(bench.provider.last.batch_id)
    bench.pass_until(12 * HOUR)

    assert bench.statuses() == ["answered"] * 3
    assert len(bench.provider.batches) == 1


@each_refusal
def test_of_a_batch_that_may_still_be_listed_nothing_is_guessed_though_an_older_claim_cannot_be_looked_for(
    refusal: PipelineError,
) -> None:
    bench = Bench("find")
    bench.provider.fail_next("submit", OutcomeUnknown("cut"))
    with pytest.raises(OutcomeUnknown):
        bench.deliver()
    bench.refusal = refusal
    bench.pass_until(BAILIAN.listed_for - DAY, step=6 * HOUR)
    bench.refusal = None
    bench.provider.fail_next("submit", OutcomeUnknown("cut"), after=True)
    with pytest.raises(OutcomeUnknown):
        bench.pass_until(BAILIAN.listed_for - DAY / 2)
    bench.refusal = refusal
    bench.pass_until(BAILIAN.listed_for + DAY)
    bench.provider.answer_all(bench.provider.last.batch_id)

    bench.refusal = None
    bench.pass_until(BAILIAN.listed_for + 2 * DAY)

    assert bench.statuses() == ["answered"] * 3
    assert len(bench.provider.batches) == 1
