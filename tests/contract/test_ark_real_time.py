"""Single requests of Ark: the local Ark's endpoints, and our port over them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest
import requests

from scripts.localcloud.answers.built_in_texts import answer_for, embedding_for
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.ark.local_ark import LocalArk
from shared.ports.real_time import Asked, Reply
from shared.problems.exceptions import ProviderTrouble
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.providers.ark.profile import ARK
from shared.providers.ark.real_time import ArkRealTime, open_ark_real_time
from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import parse_result_line
from tests.support.ark import API_KEY, ARK_MODEL, SECRET, ark_line, local_ark
from tests.support.upstream_server import UpstreamServer
from tests.support.waiting import PATIENCE_S

HELLO = [{"role": "user", "content": "hello"}]
EMBEDDING_MODEL = "doubao-embedding-large-text-240915"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalArk]:
    with local_ark(tmp_path_factory.mktemp("ark")) as on:
        yield on.ark


@pytest.fixture
def ark(running: LocalArk) -> LocalArk:
    running.faults.clear()
    return running


@pytest.fixture
def real_time(ark: LocalArk) -> ArkRealTime:
    return open_ark_real_time(ark.base_url, API_KEY)


def read(replies: list[Reply]) -> list[Answer]:
    answers = [parse_result_line(reply.line) for reply in replies]
    assert None not in answers
    return [answer for answer in answers if answer]


def test_the_openai_sdk_gets_the_answers_that_a_job_gives(ark: LocalArk) -> None:
    sdk = openai.OpenAI(base_url=ark.base_url, api_key=API_KEY, max_retries=0)

    chat = sdk.chat.completions.create(model=ARK_MODEL, messages=HELLO)  # type: ignore[arg-type]
    vectors = sdk.embeddings.create(model=EMBEDDING_MODEL, input=["a", "b"], encoding_format="float")

    assert chat.choices[0].message.content == answer_for("hello")
    assert chat.usage
    assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens
    assert [each.embedding for each in vectors.data] == [embedding_for(text, 8) for text in "ab"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ([], 400, "InvalidParameter"),
        ({"messages": HELLO}, 400, "MissingParameter.model"),
        ({"model": ARK_MODEL}, 400, "MissingParameter.messages"),
        ({"model": "no-such-model", "messages": HELLO}, 404, "InvalidEndpointOrModel.NotFound"),
        ({"model": "doubao-pro-32k@240615", "messages": HELLO}, 404, "InvalidEndpointOrModel.NotFound"),
        ({"model": EMBEDDING_MODEL, "messages": HELLO}, 404, "InvalidEndpointOrModel.NotFound"),
    ],
    ids=str,
)
def test_what_the_service_does_not_take_is_refused_in_its_form(
    ark: LocalArk, body: object, status: int, code: str
) -> None:
    headers = {"Authorization": f"Bearer {API_KEY}"}

    answer = requests.post(f"{ark.base_url}/chat/completions", json=body, headers=headers, timeout=PATIENCE_S)

    error = answer.json()["error"]
    assert (answer.status_code, error["code"], set(error)) == (
        status,
        code,
        {"code", "message", "param", "type"},
    )


def test_rows_are_answered_in_their_order_each_for_itself(real_time: ArkRealTime) -> None:
    lines = [
        ark_line("q-0", "first"),
        ark_line("q-1", "[[refuse:400]]"),
        ark_line("q-2", "[[status:429]]"),
        ark_line("q-3", "[[lost]]"),
        ark_line("q-4", "last"),
    ]

    replies = real_time.answers(lines, ARK_MODEL)
    answers = read(replies)

    assert [reply.asked for reply in replies] == [
        Asked.ANSWERED, Asked.REFUSED, Asked.REFUSED, Asked.UNKNOWN, Asked.ANSWERED
    ]  # fmt: skip
    assert [answer.custom_id for answer in answers] == [f"q-{number}" for number in range(5)]
    assert [answer.content for answer in answers] == [
        answer_for("first"), "", "", "", answer_for("last")
    ]  # fmt: skip


def test_an_embedding_is_asked_where_embeddings_are(real_time: ArkRealTime) -> None:
    line = json.dumps({"custom_id": "q", "body": {"input": ["hello"]}}).encode()

    (answer,) = read(real_time.answers([line], EMBEDDING_MODEL))

    assert json.loads(answer.content) == embedding_for("hello", 8)


@pytest.mark.parametrize("model", ["doubao-seed-2-1-pro@260628", ARK_MODEL])
def test_a_model_is_named_with_its_version_whichever_way_the_recipe_writes_it(
    real_time: ArkRealTime, model: str
) -> None:
    (answer,) = read(real_time.answers([ark_line("q")], model))

    assert answer.status is RowStatus.ANSWERED


def test_a_model_that_does_not_answer_single_requests_is_the_rows_own_reason(real_time: ArkRealTime) -> None:
    (reply,) = real_time.answers([ark_line("q")], "cm-20260628-tuned")

    (answer,) = read([reply])
    assert (reply.asked, answer.error_code) == (Asked.REFUSED, "InvalidEndpointOrModel.NotFound")


@pytest.mark.parametrize(
    ("status", "code", "trouble"),
    [
        (403, "AccountOverdueError", "account_without_money"),
        (403, "OperationDenied.ServiceNotOpen", "account_without_money"),
        (404, "ModelNotOpen", "model_not_activated"),
        (401, "AuthenticationError", "api_key_refused"),
        (403, "AccessDenied", "permission_missing"),
        (404, "", "wrong_base_url"),
    ],
)
def test_what_somebody_must_mend_is_told_with_the_settings_of_single_requests(
    ark: LocalArk, real_time: ArkRealTime, status: int, code: str, trouble: str
) -> None:
    ark.faults.add(CallFault(route="real_time.chat", status=status, code=code))

    with pytest.raises(ProviderTrouble) as told:
        real_time.answers([ark_line("q")], ARK_MODEL)

    assert told.value.trouble == trouble
    values = {**ARK.terms, **ARK.real_time_terms, "said": told.value.facts}
    shown = render_both(Problem(trouble, values=values))
    assert "ACCESS_KEY" not in shown
    assert "ARK_HOST" not in shown


def test_no_key_stands_in_what_is_told(ark: LocalArk) -> None:
    wrong = "an-api-key-that-opens-nothing"
    with pytest.raises(ProviderTrouble) as told:
        open_ark_real_time(ark.base_url, wrong).answers([ark_line("q")], ARK_MODEL)

    assert told.value.trouble == "api_key_refused"
    assert wrong not in str(told.value)


def test_the_key_of_jobs_opens_no_single_requests(ark: LocalArk) -> None:
    with pytest.raises(ProviderTrouble) as told:
        open_ark_real_time(ark.base_url, SECRET).answers([ark_line("q")], ARK_MODEL)

    assert told.value.trouble == "api_key_refused"


def test_nothing_listens_there_is_an_address_to_correct_or_a_wait() -> None:
    (reply,) = open_ark_real_time("http://127.0.0.1:1/api/v3", "k").answers([ark_line("q")], ARK_MODEL)

    assert reply.asked is Asked.REFUSED


@pytest.mark.parametrize(
    ("fault", "asked"),
    [
        ({"status": 429, "code": "RateLimitExceeded.EndpointRPMExceeded"}, Asked.REFUSED),
        ({"status": 429, "code": "ServerOverloaded"}, Asked.REFUSED),
        ({"status": 500, "code": "InternalServiceError"}, Asked.UNKNOWN),
        ({"status": 502, "code": ""}, Asked.UNKNOWN),
        ({"status": None, "cut": True}, Asked.UNKNOWN),
        ({"status": 500, "code": "InternalServiceError", "after": True}, Asked.UNKNOWN),
        ({"status": 400, "code": "SensitiveContentDetected"}, Asked.REFUSED),
    ],
    ids=str,
)
def test_only_what_may_have_been_run_is_unknown(
    ark: LocalArk, real_time: ArkRealTime, fault: dict[str, object], asked: Asked
) -> None:
    ark.faults.add(CallFault.model_validate({"route": "real_time.chat", **fault}))

    (reply,) = real_time.answers([ark_line("q")], ARK_MODEL)

    assert reply.asked is asked


def test_an_upstream_answers_single_requests_too_and_its_silence_is_told(tmp_path: Path) -> None:
    upstream = UpstreamServer()
    with local_ark(tmp_path, upstream=Upstream(upstream.url, model="small")) as on:
        real_time = open_ark_real_time(on.ark.base_url, API_KEY)
        (answered,) = read(real_time.answers([ark_line("q", "hello")], ARK_MODEL))
        upstream.stop()
        with pytest.raises(ProviderTrouble) as silent:
            real_time.answers([ark_line("q", "hello")], ARK_MODEL)

    assert answered.content == "HELLO"
    assert silent.value.trouble == "upstream_unavailable"
