"""Bailian's own in single requests: its form of refusals, its test model, one model each line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import openai
import pytest

from scripts.localcloud.answers.built_in_texts import answer_for, embedding_for, thought_for
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.ports.profile import EMBEDDINGS
from shared.problems.exceptions import ConfigurationError
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from shared.providers.bailian.real_time import BailianRealTime, open_bailian_real_time
from tests.support.bailian_requests import chat_line
from tests.support.bailian_wire import KEY, Wire
from tests.support.real_time import read

MODEL = "qwen-plus"
HELLO = [{"role": "user", "content": "hello"}]
CHAT_PATH, EMBEDDINGS_PATH = "/chat/completions", "/embeddings"


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBailian]:
    with LocalBailian(tmp_path_factory.mktemp("bailian"), KEY) as running:
        yield running


@pytest.fixture
def real_time(local: LocalBailian) -> BailianRealTime:
    return open_bailian_real_time(local.base_url, KEY)


def test_the_openai_sdk_gets_thoughts_and_vectors_as_long_as_it_asks_for(local: LocalBailian) -> None:
    sdk = openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0)

    chat = sdk.chat.completions.create(
        model="qwen-plus",
        messages=HELLO,
        extra_body={"enable_thinking": True},  # type: ignore[arg-type]
    )
    vectors = sdk.embeddings.create(
        model="text-embedding-v4", input=["a", "b"], dimensions=64, encoding_format="float"
    )

    assert chat.choices[0].message.reasoning_content == thought_for("hello")  # type: ignore[attr-defined]
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


def test_each_line_names_its_path_and_its_model(real_time: BailianRealTime) -> None:
    body = {"model": "text-embedding-v4", "input": "last"}
    embedding = json.dumps({"custom_id": "b", "url": EMBEDDINGS, "body": body}).encode()

    first, last = read(real_time.answers([chat_line("a", "first"), embedding], MODEL))

    assert first.content == answer_for("first")
    assert json.loads(last.content) == embedding_for("last", 8)


def test_the_test_model_has_no_preview(real_time: BailianRealTime) -> None:
    (answer,) = read(
        real_time.answers([chat_line("q", "x", model=TEST_MODEL, url=TEST_ENDPOINT)], TEST_MODEL)
    )

    assert answer.error_code == "only_in_batches"
    assert "测试模型 batch-test-model 只在批量任务里回答" in answer.error_message


def test_without_a_key_nobody_is_asked(local: LocalBailian) -> None:
    with pytest.raises(ConfigurationError, match="DASHSCOPE_API_KEY"):
        open_bailian_real_time(local.base_url, "")
