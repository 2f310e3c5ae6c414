"""An answer that is read back from a part is the one that was rendered."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.ports.profile import CHAT, EMBEDDINGS
from shared.results.columns import Answer, RowStatus, columns_of
from shared.results.lent.answer_reader import AnswerReader
from shared.results.rendering import AnswerRenderer
from tests.support.builders import plan_job
from tests.support.fakes import FixedClock, MemoryStore

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
STARTS = st.sampled_from(["", "=", "'=", "''=", "-5", "'", " =", "\r\n", '"', "\ufeff", "\u2028"])
WORDS = st.builds(str.__add__, STARTS, TEXTS)
NUMBERS = st.none() | st.integers(0, 2**53)
ANSWERS = st.builds(
    Answer,
    custom_id=st.just("0" * 32),
    status=st.just(RowStatus.ANSWERED),
    content=WORDS,
    reasoning_content=WORDS,
    model=WORDS,
    finish_reason=WORDS,
    prompt_tokens=NUMBERS,
    completion_tokens=NUMBERS,
    total_tokens=NUMBERS,
    request_id=WORDS,
    created=NUMBERS,
    # Tables have no columns for the next three.
    attempt=st.none(),
    attempts=st.none(),
    status_code=st.none(),
    usage=st.just(""),
    extra=st.just("") | st.just('{"a":1}'),
    error_code=st.just(""),
    error_message=st.just(""),
    retryable=st.just(False),  # it names a strategy
)


@pytest.mark.parametrize(("kind", "guard"), [("csv", True), ("csv", False), ("jsonl", True), ("xlsx", True)])
@given(answer=ANSWERS)
def test_it_comes_back_as_it_was(kind: str, guard: bool, answer: Answer) -> None:
    plan = _plan(output_format=kind, formula_guard=guard).model_copy(update={"endpoint": CHAT})

    settled = AnswerRenderer(plan).settled(answer)

    assert AnswerReader(plan)(answer.custom_id, settled) == answer


@pytest.mark.parametrize("kind", ["csv", "parquet"])
@given(vector=st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=3))
def test_vectors_come_back_number_by_number(kind: str, vector: list[float]) -> None:
    plan = _plan(output_format=kind).model_copy(update={"endpoint": EMBEDDINGS})
    answer = Answer("0" * 32, RowStatus.ANSWERED, content=json.dumps(vector, separators=(",", ":")))

    read = AnswerReader(plan)(answer.custom_id, AnswerRenderer(plan).settled(answer))

    assert json.loads(read.content) == vector


def _plan(**fields: Any) -> Any:
    plan = plan_job(MemoryStore(), FixedClock(), **fields)
    return plan.model_copy(update={"result_columns": columns_of(plan.kind)})
