"""What the Bailian adapter makes of answers that no emulator gives on demand."""

from __future__ import annotations

import httpx2
import openai
import pytest

from shared.ports.provider import BatchStatus
from shared.problems.exceptions import TransientError
from shared.providers.bailian.client import Bailian
from shared.providers.bailian.wire import BatchAnswer, BatchPage, state_of


def listing(*pages: BatchPage) -> Bailian:
    """A Bailian whose list of batches has these pages, and empty ones behind them."""
    answers = iter(pages)

    def answer(request: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, json=next(answers, BatchPage()).model_dump())

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return Bailian(openai.OpenAI(base_url="http://127.0.0.1:9", api_key="sk", http_client=client))


def page(*names: str) -> BatchPage:
    batches = tuple(BatchAnswer(id=f"batch_{name}", metadata={"ds_name": name}) for name in names)
    return BatchPage(data=batches)


FULL = [f"job-{number}" for number in range(100, 200)]


def test_a_batch_of_which_everything_but_the_id_is_null_is_in_an_unknown_state() -> None:
    nulls = dict.fromkeys(BatchAnswer.model_fields) | {"id": "batch_1", "status": "new", "extra": 1}

    state = state_of(BatchAnswer.model_validate(nulls))

    assert (state.status, state.raw_status, state.name) == (BatchStatus.UNKNOWN, "new", "")
    assert (state.result_files, state.problems, state.requests_completed) == ((), (), None)


def test_findings_may_lack_anything() -> None:
    answer = {
        "id": "b",
        "status": "failed",
        "errors": {"data": [{"code": None}, {"message": "m", "line": 3}]},
    }

    state = state_of(BatchAnswer.model_validate(answer))

    assert [(problem.code, problem.message, problem.line) for problem in state.problems] == [
        ("unknown", "", None),
        ("unknown", "m", 3),
    ]


@pytest.mark.parametrize("empty", [BatchPage(data=None), BatchPage(data=())])
def test_an_empty_list_holds_no_batch(empty: BatchPage) -> None:
    assert listing(empty).find("job-1") is None


def test_a_short_page_need_not_be_the_last() -> None:
    assert listing(page("job-12"), page("job-1")).find("job-1") == "batch_job-1"
    assert listing(page("job-12")).find("job-1") is None


def test_a_page_that_is_answered_again_and_again_ends_the_search() -> None:
    repeated = page(*FULL)

    assert listing(repeated, repeated).find("job-1") is None


def test_a_full_page_goes_on_after_its_last_batch() -> None:
    assert listing(page(*FULL), page("job-1")).find("job-1") == "batch_job-1"


def test_a_list_without_end_is_no_proof_that_there_is_no_batch() -> None:
    pages = [page(f"job-{number}") for number in range(100, 400)]

    with pytest.raises(TransientError):
        listing(*pages).find("job-1")
