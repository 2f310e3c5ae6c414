"""Single requests: the local Bailian's endpoints, our port over them, and the preview of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import Timeout

from scripts.localcloud.answers.built_in_texts import answer_for, embedding_for, thought_for
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.pipeline.preview import PreviewedRow, preview
from shared.ports.profile import EMBEDDINGS
from shared.ports.real_time import Asked, Reply
from shared.problems.exceptions import ConfigurationError, ProviderTrouble
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from shared.providers.bailian.real_time import BailianRealTime, open_bailian_real_time
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import Answer, RowStatus
from shared.results.replies.result_lines import parse_result_line
from tests.support.bailian_requests import chat_line
from tests.support.bailian_wire import KEY, Wire
from tests.support.upstream_server import UpstreamServer
from tests.support.waiting import PATIENCE_S

MODEL = "qwen-plus"
HELLO = [{"role": "user", "content": "hello"}]
CHAT_PATH, EMBEDDINGS_PATH = "/chat/completions", "/embeddings"


@pytest.fixture(scope="module")
def bailian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBailian]:
    with LocalBailian(tmp_path_factory.mktemp("bailian"), KEY) as running:
        yield running


@pytest.fixture
def local(bailian: LocalBailian) -> LocalBailian:
    bailian.faults.clear()
    return bailian


@pytest.fixture
def real_time(local: LocalBailian) -> BailianRealTime:
    return open_bailian_real_time(local.base_url, KEY)


def embedding_line(custom_id: str, text: str, **fields: Any) -> bytes:
    body = {"model": "text-embedding-v4", "input": text, **fields}
    return json.dumps({"custom_id": custom_id, "method": "POST", "url": EMBEDDINGS, "body": body}).encode()


def read(replies: list[Reply]) -> list[Answer]:
    answers = [parse_result_line(reply.line) for reply in replies]
    assert None not in answers
    return [answer for answer in answers if answer]


def test_the_openai_sdk_gets_the_answers_that_a_batch_gives(local: LocalBailian) -> None:
    sdk = openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0)

    chat = sdk.chat.completions.create(
        model="qwen-plus",
        messages=HELLO,
        extra_body={"enable_thinking": True},  # type: ignore[arg-type]
    )
    vectors = sdk.embeddings.create(
        model="text-embedding-v4", input=["a", "b"], dimensions=64, encoding_format="float"
    )

    assert chat.choices[0].message.content == answer_for("hello")
    assert chat.choices[0].message.reasoning_content == thought_for("hello")  # type: ignore[attr-defined]
    assert chat.usage
    assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens
    assert [each.embedding for each in vectors.data] == [embedding_for(text, 64) for text in "ab"]


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        (CHAT_PATH, [], 400, None),
        (CHAT_PATH, {"messages": HELLO}, 400, None),
        (CHAT_PATH, {"model": "no-such-model", "messages": HELLO}, 404, "model_not_found"),
        (CHAT_PATH, {"model": TEST_MODEL, "messages": HELLO}, 404, "model_not_found"),
        (CHAT_PATH, {"model": "text-embedding-v4", "messages": HELLO}, 404, "model_not_supported"),
        (CHAT_PATH, {"model": "qwen-plus"}, 400, "invalid_parameter_error"),
        (CHAT_PATH, {"model": "qwen-plus", "messages": []}, 400, "invalid_parameter_error"),
        (CHAT_PATH, {"model": "qwen-plus", "messages": HELLO, "stream": True}, 501, "not_implemented"),
        (
            CHAT_PATH,
            {"model": "qwen-plus", "messages": HELLO, "response_format": {"type": "json_object"}},
            400,
            "invalid_parameter_error",
        ),
        (EMBEDDINGS_PATH, {"model": "qwen-plus", "input": "a"}, 404, "model_not_supported"),
        (EMBEDDINGS_PATH, {"model": "text-embedding-v4"}, 400, "invalid_parameter_error"),
        (EMBEDDINGS_PATH, {"model": "text-embedding-v4", "input": ""}, 400, "invalid_parameter_error"),
        (EMBEDDINGS_PATH, {"model": "text-embedding-v4", "input": []}, 400, "invalid_parameter_error"),
        (
            EMBEDDINGS_PATH,
            {"model": "text-embedding-v4", "input": ["a"] * 11},
            400,
            "invalid_parameter_error",
        ),
        (EMBEDDINGS_PATH, {"model": "text-embedding-v2", "input": ["a"] * 25}, 200, None),
    ],
    ids=str,
)
def test_what_the_service_does_not_take_is_refused_in_openais_form(
    local: LocalBailian, path: str, body: object, status: int, code: str | None
) -> None:
    answer = Wire(local).call("POST", path, json=body)

    assert answer.status_code == status
    assert answer.headers["x-request-id"]
    assert answer.json().get("error", {}).get("code") == code
    assert ("error" in answer.json()) == (status != 200)


@pytest.mark.parametrize("path", [CHAT_PATH, EMBEDDINGS_PATH])
def test_a_wrong_key_is_refused_in_openais_form(local: LocalBailian, path: str) -> None:
    answer = Wire(local, "sk-wrong").call("POST", path, json={})

    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")


def test_five_rows_are_answered_in_their_order_each_for_itself(real_time: BailianRealTime) -> None:
    lines = [
        chat_line("q-0", "first"),
        chat_line("q-1", "[[refuse:400]]"),
        chat_line("q-2", "[[status:429]]"),
        chat_line("q-3", "[[lost]]"),
        embedding_line("q-4", "last"),
    ]

    replies = real_time.answers(lines, MODEL)
    answers = read(replies)

    assert [reply.asked for reply in replies] == [
        Asked.ANSWERED, Asked.REFUSED, Asked.REFUSED, Asked.UNKNOWN, Asked.ANSWERED
    ]  # fmt: skip
    assert [answer.custom_id for answer in answers] == [f"q-{number}" for number in range(5)]
    assert [answer.status for answer in answers] == [
        RowStatus.ANSWERED, *[RowStatus.REFUSED] * 3, RowStatus.ANSWERED
    ]  # fmt: skip
    assert [answer.error_code for answer in answers] == [
        "", "InvalidParameter", "no_answer_now", "no_answer_now", ""
    ]  # fmt: skip
    assert answers[0].content == answer_for("first")
    assert json.loads(answers[4].content) == embedding_for("last", 8)


def test_more_rows_than_five_are_not_asked(real_time: BailianRealTime) -> None:
    with pytest.raises(ValueError, match="6 requests are more than 5"):
        real_time.answers([chat_line(str(number)) for number in range(6)], MODEL)


def test_the_test_model_has_no_preview(real_time: BailianRealTime) -> None:
    (answer,) = read(
        real_time.answers([chat_line("q", "x", model=TEST_MODEL, url=TEST_ENDPOINT)], TEST_MODEL)
    )

    assert answer.error_code == "only_in_batches"
    assert "测试模型 batch-test-model 只在批量任务里回答" in answer.error_message


def test_a_model_that_is_not_there_is_the_rows_own_reason(real_time: BailianRealTime) -> None:
    (answer,) = read(real_time.answers([chat_line("q", "x", model="no-such-model")], "no-such-model"))

    assert answer.error_code == "model_not_found"
    assert "The model `no-such-model` does not exist" in answer.error_message


def test_what_somebody_must_mend_is_told_as_everywhere(local: LocalBailian) -> None:
    def trouble(base_url: str, key: str) -> str:
        with pytest.raises(ProviderTrouble) as told:
            open_bailian_real_time(base_url, key).answers([chat_line("q")], MODEL)
        assert key not in str(told.value)
        return told.value.trouble

    assert trouble(local.base_url, "sk-wrong") == "api_key_refused"
    with pytest.raises(ConfigurationError, match="DASHSCOPE_API_KEY"):
        open_bailian_real_time(local.base_url, "")
    local.faults.add(CallFault(route="real_time.chat", status=400, code="Arrearage"))
    assert trouble(local.base_url, KEY) == "account_without_money"
    local.faults.add(CallFault(route="real_time.chat", status=404, code=""))
    assert trouble(local.base_url, KEY) == "wrong_base_url"


def test_money_that_ends_between_two_rows_takes_no_answer_away(
    local: LocalBailian, real_time: BailianRealTime
) -> None:
    local.faults.add(CallFault(route="real_time.chat", status=400, code="Arrearage", times=1))

    answers = read(real_time.answers([chat_line("a", "hello"), chat_line("b", "hello")], MODEL))

    assert sorted((each.content, each.error_code) for each in answers) == [
        ("", "account_without_money"),
        (answer_for("hello"), ""),
    ]


def test_a_row_without_an_answer_in_time_says_so_and_stops_no_other(local: LocalBailian) -> None:
    class Impatient(BailianRealTime):
        timeout = Timeout(3, connect=PATIENCE_S)

    sdk = openai.OpenAI(base_url=local.base_url, api_key=KEY)
    local.faults.add(CallFault(route="real_time.chat", status=None, delay_s=6))

    slow, quick = read(Impatient(sdk).answers([chat_line("q-0"), embedding_line("q-1", "b")], MODEL))

    assert (slow.error_code, quick.status) == ("no_answer_now", RowStatus.ANSWERED)
    assert "模型服务没有及时给出答案" in slow.error_message


def test_an_answer_that_is_cut_off_is_none(local: LocalBailian, real_time: BailianRealTime) -> None:
    local.faults.add(CallFault(route="real_time.chat", status=None, cut=True))

    (answer,) = read(real_time.answers([chat_line("q")], MODEL))

    assert answer.error_code == "no_answer_now"


def test_an_upstream_answers_single_requests_too_and_its_silence_is_told(tmp_path: Path) -> None:
    upstream = UpstreamServer()
    with LocalBailian(tmp_path, KEY, upstream=Upstream(upstream.url, model="small")) as local:
        real_time = open_bailian_real_time(local.base_url, KEY)
        (answered,) = read(real_time.answers([chat_line("q", "hello")], MODEL))
        upstream.stop()
        with pytest.raises(ProviderTrouble) as silent:
            real_time.answers([chat_line("q", "hello")], MODEL)

    assert answered.content == "HELLO"
    assert upstream.seen[0][2]["model"] == "small"
    assert silent.value.trouble == "upstream_unavailable"


def test_a_preview_shows_each_row_as_its_result_would(real_time: BailianRealTime) -> None:
    requests = [
        chat_line("q-0", '[[say]]{"label": "好评", "score": 5}'),
        None,
        chat_line("q-2", "[[say]]no JSON"),
        chat_line("q-3", "[[fail:DataInspectionFailed]]"),
    ]

    read_one, bad, plain, refused = preview(
        real_time, requests, MODEL, AnswerColumns({"label": "label", "score": "score"})
    )

    assert read_one.columns == {"label": "好评", "score": "5"}
    assert read_one.error == ""
    assert bad == PreviewedRow()
    assert (plain.answer, plain.columns) == ("no JSON", {"label": "", "score": ""})
    assert "[answer_not_json]" in plain.error
    assert (refused.answer, refused.columns) == ("", {})
    assert "DataInspectionFailed" in refused.error


def test_a_preview_of_no_row_asks_nobody() -> None:
    nobody = open_bailian_real_time("http://127.0.0.1:1/v1", KEY)

    assert preview(nobody, [None, None], MODEL, None) == [PreviewedRow(), PreviewedRow()]
