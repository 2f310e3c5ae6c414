"""The Bailian adapter against the local Bailian: what its failures mean, and what it sends."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import openai
import pytest

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.limits import DOCUMENTED_RATES, AccountLimits
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.bailian.service_faults import BatchFault
from shared.ports.provider import BatchId, BatchState, BatchStatus
from shared.problems.exceptions import (
    ConfigurationError,
    OutcomeUnknown,
    ProviderRejected,
    ProviderTrouble,
    QuotaReached,
    TransientError,
)
from shared.problems.render import MESSAGES
from shared.providers.bailian.client import Bailian, open_bailian
from shared.providers.bailian.profile import BAILIAN, TEST_MODEL, UNFINISHED_BATCHES
from shared.providers.bailian.wire import BatchAnswer, state_of
from tests.support.bailian_requests import batch_request, chat_line, wait_for

ROOT = Path(__file__).parents[2]
KEY = "sk-secret-of-the-test"
GONE = BatchId("batch_00000000-0000-4000-8000-000000000000")


@pytest.fixture
def local(tmp_path: Path) -> Iterator[LocalBailian]:
    with LocalBailian(tmp_path, KEY) as local:
        yield local


@pytest.fixture
def bailian(local: LocalBailian, monkeypatch: pytest.MonkeyPatch) -> Bailian:
    monkeypatch.setattr(Bailian, "pause", staticmethod(lambda _seconds: None))
    return open_bailian(local.base_url, KEY)


@pytest.fixture
def sdk(local: LocalBailian) -> openai.OpenAI:
    return openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0)


def finished(bailian: Bailian, batch_id: BatchId) -> BatchState:
    def look() -> BatchState | None:
        state = bailian.status(batch_id)
        return state if state and state.status.is_terminal else None

    return wait_for(look)


def test_a_batch_carries_its_name_description_callback_window_and_metadata(
    bailian: Bailian, sdk: openai.OpenAI
) -> None:
    request = batch_request(
        "job-1-0",
        chat_line("a"),
        completion_window=timedelta(days=3),
        description="d" * 300,
        callback_url="http://127.0.0.1:9/callback",
        metadata={"job_id": "job", "ds_name": "not this one"},
    )

    batch = sdk.batches.retrieve(bailian.submit(request))

    assert batch.completion_window == "72h"
    assert batch.metadata == {
        "job_id": "job",
        "ds_name": "job-1-0",
        "ds_description": "d" * 200,
        "ds_batch_finish_callback": "http://127.0.0.1:9/callback",
    }
    assert sdk.files.retrieve(batch.input_file_id).filename == "job-1-0.jsonl"


def test_a_name_too_long_to_be_found_again_is_not_submitted(bailian: Bailian, sdk: openai.OpenAI) -> None:
    with pytest.raises(ValueError, match="at most 100"):
        bailian.submit(batch_request("n" * 101, chat_line("a")))

    assert not list(sdk.files.list())


def test_an_upload_of_100_mb_needs_little_memory(bailian: Bailian) -> None:
    line = chat_line("a", "x" * 100_000)
    count = 100_000_000 // len(line)

    def open_lines() -> Iterator[bytes]:
        return (line for _ in range(count))

    request = batch_request("big", size_bytes=count * len(line), open_lines=open_lines)
    tracemalloc.start()
    bailian.submit(request)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # The emulator in the same process reads up to 10 MB at a time.
    assert peak_bytes < 20_000_000


def test_an_upload_sends_its_length_and_every_byte_once(bailian: Bailian, sdk: openai.OpenAI) -> None:
    lines = [chat_line(str(number), "x" * number) for number in range(500)]

    batch = sdk.batches.retrieve(bailian.submit(batch_request("job", *lines)))

    assert sdk.files.retrieve(batch.input_file_id).bytes == sum(map(len, lines))


@pytest.mark.parametrize("size_bytes", [0, 10**6])
def test_lines_of_another_length_than_promised_are_never_submitted(bailian: Bailian, size_bytes: int) -> None:
    request = batch_request("job", chat_line("a"), size_bytes=size_bytes)

    with pytest.raises(TransientError):
        bailian.submit(request)

    assert bailian.find("job") is None


def test_an_error_of_the_bucket_during_the_upload_stays_what_it_is(bailian: Bailian) -> None:
    class BucketIsSlow(TransientError):
        pass

    def open_lines() -> Iterator[bytes]:
        yield chat_line("a")
        raise BucketIsSlow

    with pytest.raises(BucketIsSlow):
        bailian.submit(batch_request("job", size_bytes=10**6, open_lines=open_lines))


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (CallFault(route="batches.create", status=429, times=99), QuotaReached),
        (CallFault(route="batches.create", status=500), OutcomeUnknown),
        (CallFault(route="batches.create", status=503, after=True), OutcomeUnknown),
        (CallFault(route="batches.create", status=400, code="InvalidParameter"), ProviderRejected),
        (CallFault(route="batches.create", status=400, code="Arrearage", dashscope=True), ProviderTrouble),
        (CallFault(route="batches.create", status=429, code="PostpaidBillOverdue"), ProviderTrouble),
        (CallFault(route="batches.create", status=403, code="Model.AccessDenied"), ProviderTrouble),
        (CallFault(route="files.upload", status=500), TransientError),
        (CallFault(route="files.upload", status=429, times=99), QuotaReached),
        (CallFault(route="files.upload", status=400), ProviderRejected),
    ],
)
def test_a_refused_submission_says_who_must_act(
    local: LocalBailian, bailian: Bailian, fault: CallFault, error: type[Exception]
) -> None:
    local.faults.add(fault)

    with pytest.raises(error) as raised:
        bailian.submit(batch_request("job", chat_line("a")))

    assert type(raised.value) is error
    assert KEY not in str(raised.value)


def test_a_cut_connection_leaves_the_outcome_open_and_the_batch_can_be_found(
    local: LocalBailian, bailian: Bailian
) -> None:
    local.faults.add(BatchFault(cut_connection=True))

    with pytest.raises(OutcomeUnknown):
        bailian.submit(batch_request("job", chat_line("a")))

    found = bailian.find("job")
    assert found is not None
    assert finished(bailian, found).status is BatchStatus.COMPLETED


def test_a_creation_that_is_not_answered_in_time_leaves_the_outcome_open(local: LocalBailian) -> None:
    local.faults.add(CallFault(route="batches.create", status=None, delay_s=0.5))
    impatient = Impatient(openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0))

    with pytest.raises(OutcomeUnknown):
        impatient.submit(batch_request("job", chat_line("a")))


def test_a_question_that_is_not_answered_in_time_may_be_asked_again(local: LocalBailian) -> None:
    impatient = Impatient(openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0))
    local.faults.add(CallFault(route="batches.retrieve", status=None, delay_s=0.5))

    with pytest.raises(TransientError):
        impatient.status(BatchId("batch_1"))


class Impatient(Bailian):
    """Waits a tenth of a second."""

    call_timeout = status_timeout = openai.Timeout(0.1)


@pytest.mark.parametrize("name", ["", "..", "../files", "a/b", "batch_1/cancel", "?limit=1", "a b"])
def test_an_id_cannot_lead_to_another_call(local: LocalBailian, bailian: Bailian, name: str) -> None:
    routes = ("batches.list", "batches.retrieve", "batches.cancel", "files.list")
    local.faults.add(*(CallFault(route=route) for route in routes))

    assert bailian.status(BatchId(name)) is None
    bailian.cancel(BatchId(name))


def test_a_refused_creation_leaves_no_file_behind(
    local: LocalBailian, bailian: Bailian, sdk: openai.OpenAI
) -> None:
    local.faults.add(CallFault(route="batches.create", status=400))

    with pytest.raises(ProviderRejected):
        bailian.submit(batch_request("job", chat_line("a")))

    assert list(sdk.files.list()) == []


def test_an_open_outcome_leaves_the_file_for_the_batch_that_may_exist(
    local: LocalBailian, bailian: Bailian, sdk: openai.OpenAI
) -> None:
    local.faults.add(CallFault(route="batches.create", status=500))

    with pytest.raises(OutcomeUnknown):
        bailian.submit(batch_request("job", chat_line("a")))

    assert len(list(sdk.files.list())) == 1


def test_a_failing_clean_up_does_not_hide_why_the_creation_was_refused(
    local: LocalBailian, bailian: Bailian
) -> None:
    local.faults.add(CallFault(route="batches.create", status=400), CallFault(route="files.delete"))

    with pytest.raises(ProviderRejected):
        bailian.submit(batch_request("job", chat_line("a")))


def test_a_wrong_key_asks_the_operator_and_does_not_show_the_key(local: LocalBailian) -> None:
    stranger = open_bailian(local.base_url, "sk-another-secret")

    with pytest.raises(ConfigurationError, match="operator must set DASHSCOPE_API_KEY") as raised:
        stranger.status(GONE)

    assert "sk-another-secret" not in str(raised.value)
    assert "InvalidApiKey" in str(raised.value)


def test_a_key_that_the_service_repeats_is_not_passed_on(local: LocalBailian, bailian: Bailian) -> None:
    local.faults.add(CallFault(route="batches.retrieve", status=403, message=f"The key {KEY} may not."))

    with pytest.raises(ConfigurationError, match="The key \\*\\*\\* may not") as raised:
        bailian.status(GONE)

    assert KEY not in str(raised.value)


def test_an_empty_key_is_refused_before_any_call() -> None:
    with pytest.raises(ConfigurationError):
        open_bailian("http://127.0.0.1:9", "")


def test_a_full_file_store_asks_the_operator_to_delete_files(tmp_path: Path) -> None:
    with LocalBailian(tmp_path, KEY, limits=AccountLimits(max_files=0)) as full:
        bailian = open_bailian(full.base_url, KEY)

        with pytest.raises(ConfigurationError, match="delete old files"):
            bailian.submit(batch_request("job", chat_line("a")))


def test_a_rejection_keeps_code_status_and_request_id(local: LocalBailian, bailian: Bailian) -> None:
    local.faults.add(CallFault(route="batches.retrieve", status=422, code="Odd", dashscope=True))

    with pytest.raises(ProviderRejected) as raised:
        bailian.status(GONE)

    assert (raised.value.provider_code, raised.value.status) == ("Odd", 422)
    assert raised.value.request_id


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_service_is_worth_another_try(local: LocalBailian, bailian: Bailian, status: int) -> None:
    routes = ("batches.retrieve", "batches.list", "batches.cancel", "files.content", "files.delete")
    local.faults.add(*(CallFault(route=route, status=status) for route in routes))
    state = BatchState(
        GONE, BatchStatus.COMPLETED, "completed", input_file="file-batch-1", result_files=("x",)
    )

    for call in (
        lambda: bailian.status(GONE),
        lambda: bailian.find("job"),
        lambda: bailian.cancel(GONE),
        lambda: list(bailian.results(state)),
        lambda: bailian.clean_up(state),
    ):
        with pytest.raises(TransientError) as raised:
            call()
        assert type(raised.value) is (QuotaReached if status == 429 else TransientError)


@pytest.mark.parametrize("route", ["files.upload", "batches.create"])
def test_a_submission_takes_its_turn_with_others_and_leaves_nothing_of_what_was_refused(
    local: LocalBailian, bailian: Bailian, sdk: openai.OpenAI, route: str
) -> None:
    local.faults.add(CallFault(route=route, status=429, code="limit_requests", times=3))

    batch_id = bailian.submit(batch_request("job", chat_line("a")))

    assert bailian.find("job") == batch_id
    assert len([file for file in sdk.files.list() if file.purpose == "batch"]) == 1


def test_a_submission_that_is_never_let_in_leaves_no_file(
    local: LocalBailian, bailian: Bailian, sdk: openai.OpenAI
) -> None:
    local.faults.add(CallFault(route="batches.create", status=429, times=99))

    with pytest.raises(QuotaReached):
        bailian.submit(batch_request("job", chat_line("a")))

    assert list(sdk.files.list()) == []


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        (
            CallFault(route="batches.create", status=400, code="Arrearage", dashscope=True),
            "account_without_money",
        ),
        (CallFault(route="batches.create", status=403, code="Model.AccessDenied"), "model_not_open"),
        (
            CallFault(route="files.upload", status=401, code="InvalidApiKey", dashscope=True),
            "api_key_refused",
        ),
        (CallFault(route="files.upload", status=404, code="not_found"), "wrong_base_url"),
        (
            CallFault(route="files.upload", status=400, code="", message="Upload file number exceed limit."),
            "file_store_full",
        ),
        (CallFault(route="batches.create", status=403, code="forbidden"), "permission_missing"),
    ],
)
def test_each_trouble_of_an_account_has_its_name(
    local: LocalBailian, bailian: Bailian, fault: CallFault, trouble: str
) -> None:
    local.faults.add(fault)

    with pytest.raises(ProviderTrouble) as raised:
        bailian.submit(batch_request("job", chat_line("a")))

    assert raised.value.trouble == trouble
    assert trouble in MESSAGES


def test_the_local_service_keeps_the_limits_that_the_page_about_bailian_says() -> None:
    limits, rates = AccountLimits(), {route: rate.calls for route, rate in DOCUMENTED_RATES.items()}
    page = (ROOT / "shared/providers/bailian/README.md").read_text(encoding="utf-8")

    assert limits.max_unfinished == UNFINISHED_BATCHES
    assert limits.max_unfinished_test == BAILIAN.pool_for(TEST_MODEL).slots
    assert f"{limits.max_files:,} files" in page
    assert f"{rates['files.upload']} uploads and {rates['files.delete']} other file calls a second" in page
    assert f"{rates['batches.create']:,} creates, queries and cancels a minute" in page
    assert rates["batches.create"] == rates["batches.retrieve"] == rates["batches.cancel"]
    assert rates["batches.retrieve"] == BAILIAN.queries_per_minute
    assert f"{rates['batches.list']} lists a minute" in page


def test_a_service_that_is_not_there_is_worth_another_try(tmp_path: Path) -> None:
    with LocalBailian(tmp_path, KEY) as local:
        bailian = open_bailian(local.base_url, KEY)

    with pytest.raises(TransientError):
        bailian.status(GONE)


def test_a_name_hidden_behind_a_full_page_of_similar_names_is_found(
    bailian: Bailian, sdk: openai.OpenAI
) -> None:
    wanted = bailian.submit(batch_request("job-1", chat_line("a")))
    file_id = sdk.batches.retrieve(wanted).input_file_id
    for number in range(100):
        sdk.batches.create(
            input_file_id=file_id,
            endpoint="/v1/chat/completions",
            completion_window="24h",
            metadata={"ds_name": f"job-1{number}"},
        )

    assert bailian.find("job-1") == wanted


def test_a_word_nobody_knows_is_no_end_and_is_kept(local: LocalBailian, bailian: Bailian) -> None:
    local.faults.add(BatchFault(odd_status="pondering"))
    batch_id = bailian.submit(batch_request("job", chat_line("a")))

    state = bailian.status(batch_id)

    assert state is not None
    assert (state.status, state.raw_status) == (BatchStatus.UNKNOWN, "pondering")
    assert not state.status.is_terminal


@pytest.mark.parametrize(
    ("errors", "trouble"),
    [
        (None, ""),
        ([], ""),
        ([{"code": "upstream_unavailable", "message": "http://u: HTTP 503"}], "upstream_unavailable"),
        ([{"code": "upstream_refuses_key", "message": "http://u: HTTP 401"}], "upstream_refuses_key"),
        ([{"code": "Arrearage", "message": "x"}], "account_without_money"),
        ([{"code": "pondering", "message": "x"}, {"code": "NoApiKey", "message": "y"}], "api_key_refused"),
        ([{"code": "pondering", "message": "x"}], ""),
    ],
)
@pytest.mark.parametrize("status", ["validating", "in_progress", "pondering"])
def test_a_batch_on_its_way_may_say_what_it_waits_for(
    errors: list[dict[str, str]] | None, trouble: str, status: str
) -> None:
    findings = None if errors is None else {"data": errors}
    state = state_of(BatchAnswer.model_validate({"id": "b", "status": status, "errors": findings}))

    assert (state.trouble, state.failed_for) == (trouble, None)


@pytest.mark.parametrize("status", ["completed", "expired", "cancelled"])
def test_a_batch_that_has_ended_waits_for_nothing(status: str) -> None:
    errors = {"data": [{"code": "Arrearage", "message": "x"}]}

    assert state_of(BatchAnswer.model_validate({"id": "b", "status": status, "errors": errors})).trouble == ""


def test_results_are_the_lines_of_output_and_error_file(bailian: Bailian) -> None:
    request = batch_request("job", chat_line("good"), chat_line("bad", "[[fail:DataInspectionFailed]]"))

    state = finished(bailian, bailian.submit(request))

    assert len(state.result_files) == 2
    assert len(list(bailian.results(state))) == 2
    assert (state.requests_completed, state.requests_failed) == (1, 1)


def test_a_line_longer_than_any_chunk_arrives_whole(bailian: Bailian) -> None:
    request = batch_request("job", chat_line("v", "x" * 3_000_000), chat_line("w"))

    state = finished(bailian, bailian.submit(request))

    assert len(list(bailian.results(state))) == 2


@pytest.mark.parametrize("count", [1, 500])
def test_a_download_that_breaks_off_is_no_short_file(
    local: LocalBailian, bailian: Bailian, count: int
) -> None:
    lines = [chat_line(str(number)) for number in range(count)]
    state = finished(bailian, bailian.submit(batch_request("job", *lines)))
    local.faults.add(CallFault(route="files.content", cut=True))

    with pytest.raises(TransientError):
        list(bailian.results(state))

    assert len(list(bailian.results(state))) == count


def test_a_broken_answer_to_a_creation_leaves_the_outcome_open(local: LocalBailian, bailian: Bailian) -> None:
    local.faults.add(CallFault(route="batches.create", cut=True))

    with pytest.raises(OutcomeUnknown):
        bailian.submit(batch_request("job", chat_line("a")))

    assert bailian.find("job") is not None
