"""What every service of single requests promises: one body of cases for Bailian and Ark."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import Timeout

from scripts.localcloud.answers.built_in_texts import answer_for, embedding_for
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.ark.local_ark import LocalArk
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.pipeline.preview import PreviewedRow, preview
from shared.ports.profile import EMBEDDINGS
from shared.ports.real_time import Asked, RealTime
from shared.problems.exceptions import ProviderTrouble
from shared.providers.ark.real_time import ArkRealTime, open_ark_real_time
from shared.providers.bailian.real_time import BailianRealTime, open_bailian_real_time
from shared.providers.single_requests import SingleRequests
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import RowStatus
from tests.support.ark import API_KEY, ARK_MODEL, ark_line, local_ark
from tests.support.bailian_requests import chat_line
from tests.support.bailian_wire import KEY
from tests.support.real_time import read
from tests.support.upstream_server import UpstreamServer
from tests.support.waiting import PATIENCE_S

CHAT = "real_time.chat"
HELLO = [{"role": "user", "content": "hello"}]


@dataclass(frozen=True)
class World:
    """A service, its adapter, and what each of the two calls what all of them have.

    Attributes:
        busy: A status and code that say to come later, and so on.
    """

    service: LocalBailian | LocalArk
    opened: Callable[[str, str], RealTime]
    kind: type[SingleRequests]
    key: str
    model: str
    line: Callable[..., bytes]
    embedding_model: str
    embedding_line: Callable[[str, str], bytes]
    unknown: tuple[str, str]
    busy: tuple[int, str]
    broken: tuple[int, str]
    moderated: tuple[int, str]
    no_money: tuple[int, str]

    @property
    def real_time(self) -> RealTime:
        return self.opened(self.service.base_url, self.key)

    def strike(self, status: int | None, code: str = "", **fields: Any) -> None:
        self.service.faults.add(CallFault(route=CHAT, status=status, code=code, **fields))


@contextmanager
def bailian_world(directory: Path, **options: Any) -> Iterator[World]:
    def line(custom_id: str, content: str = "hello", model: str = "qwen-plus") -> bytes:
        return chat_line(custom_id, content, model=model)

    def embedding_line(custom_id: str, text: str) -> bytes:
        body = {"model": "text-embedding-v4", "input": text}
        return json.dumps({"custom_id": custom_id, "url": EMBEDDINGS, "body": body}).encode()

    with LocalBailian(directory, KEY, **options) as local:
        yield World(
            local,
            open_bailian_real_time,
            BailianRealTime,
            KEY,
            "qwen-plus",
            line,
            "text-embedding-v4",
            embedding_line,
            unknown=("no-such-model", "model_not_found"),
            busy=(429, "limit_requests"),
            broken=(500, "internal_error"),
            moderated=(400, "data_inspection_failed"),
            no_money=(400, "Arrearage"),
        )


@contextmanager
def ark_world(directory: Path, **options: Any) -> Iterator[World]:
    def line(custom_id: str, content: str = "hello", _model: str = ARK_MODEL) -> bytes:
        return ark_line(custom_id, content)

    def embedding_line(custom_id: str, text: str) -> bytes:
        return json.dumps({"custom_id": custom_id, "body": {"input": [text]}}).encode()

    with local_ark(directory, **options) as on:
        yield World(
            on.ark,
            open_ark_real_time,
            ArkRealTime,
            API_KEY,
            ARK_MODEL,
            line,
            "doubao-embedding-large-text-240915",
            embedding_line,
            unknown=("cm-20260628-tuned", "InvalidEndpointOrModel.NotFound"),
            busy=(429, "RateLimitExceeded.EndpointRPMExceeded"),
            broken=(500, "InternalServiceError"),
            moderated=(400, "SensitiveContentDetected"),
            no_money=(403, "AccountOverdueError"),
        )


Open = Callable[..., AbstractContextManager[World]]


@pytest.fixture(params=[bailian_world, ark_world], scope="module")
def open_world(request: pytest.FixtureRequest) -> Open:
    return request.param


@pytest.fixture(scope="module")
def running(open_world: Open, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(tmp_path_factory.mktemp("service")) as world:
        yield world


@pytest.fixture
def world(running: World) -> World:
    running.service.faults.clear()
    return running


def test_the_openai_sdk_gets_the_answers_that_a_batch_gives(world: World) -> None:
    sdk = openai.OpenAI(base_url=world.service.base_url, api_key=world.key, max_retries=0)

    chat = sdk.chat.completions.create(model=world.model, messages=HELLO)  # type: ignore[arg-type]
    vectors = sdk.embeddings.create(model=world.embedding_model, input=["a", "b"], encoding_format="float")

    assert chat.choices[0].message.content == answer_for("hello")
    assert chat.usage
    assert chat.usage.total_tokens == chat.usage.prompt_tokens + chat.usage.completion_tokens
    assert [each.embedding for each in vectors.data] == [embedding_for(text, 8) for text in "ab"]


def test_five_rows_are_answered_in_their_order_each_for_itself(world: World) -> None:
    contents = ["first", "[[refuse:400]]", "[[status:429]]", "[[lost]]", "last"]

    replies = world.real_time.answers(
        [world.line(f"q-{number}", content) for number, content in enumerate(contents)], world.model
    )
    answers = read(replies)

    assert [reply.asked for reply in replies] == [
        Asked.ANSWERED, Asked.REFUSED, Asked.REFUSED, Asked.UNKNOWN, Asked.ANSWERED
    ]  # fmt: skip
    assert [answer.custom_id for answer in answers] == [f"q-{number}" for number in range(5)]
    assert [answer.status for answer in answers] == [
        RowStatus.ANSWERED, *[RowStatus.REFUSED] * 3, RowStatus.ANSWERED
    ]  # fmt: skip
    assert [answer.error_code for answer in answers[2:4]] == ["no_answer_now"] * 2
    assert [answer.content for answer in answers] == [
        answer_for("first"), "", "", "", answer_for("last")
    ]  # fmt: skip


def test_an_embedding_is_asked_where_embeddings_are(world: World) -> None:
    (answer,) = read(world.real_time.answers([world.embedding_line("q", "hello")], world.embedding_model))

    assert json.loads(answer.content) == embedding_for("hello", 8)


def test_more_rows_than_five_are_not_asked(world: World) -> None:
    with pytest.raises(ValueError, match="6 requests are more than 5"):
        world.real_time.answers([world.line(str(number)) for number in range(6)], world.model)


def test_a_model_that_is_not_there_is_the_rows_own_reason(world: World) -> None:
    model, code = world.unknown

    (reply,) = world.real_time.answers([world.line("q", "x", model)], model)

    (answer,) = read([reply])
    assert (reply.asked, answer.error_code) == (Asked.REFUSED, code)
    assert model in answer.error_message


@pytest.mark.parametrize(
    ("fault", "fields", "asked"),
    [
        ("busy", {}, Asked.REFUSED),
        ("moderated", {}, Asked.REFUSED),
        ("broken", {}, Asked.UNKNOWN),
        ("broken", {"status": 502, "code": ""}, Asked.UNKNOWN),
        ("broken", {"after": True}, Asked.UNKNOWN),
        ("broken", {"status": None, "cut": True}, Asked.UNKNOWN),
    ],
    ids=str,
)
def test_only_what_may_have_been_run_is_unknown(
    world: World, fault: str, fields: dict[str, Any], asked: Asked
) -> None:
    status, code = getattr(world, fault)
    world.strike(**({"status": status, "code": code} | fields))

    (reply,) = world.real_time.answers([world.line("q")], world.model)

    (answer,) = read([reply])
    assert (reply.asked, answer.status) == (asked, RowStatus.REFUSED)
    assert (answer.error_code == "no_answer_now") is (fault != "moderated")


def test_what_cannot_be_reached_was_not_asked(world: World) -> None:
    (reply,) = world.opened("http://127.0.0.1:1/v1", world.key).answers([world.line("q")], world.model)

    assert reply.asked is Asked.REFUSED


def test_what_somebody_must_mend_is_told_as_everywhere_and_shows_no_key(world: World) -> None:
    def trouble(key: str) -> str:
        with pytest.raises(ProviderTrouble) as told:
            world.opened(world.service.base_url, key).answers([world.line("q")], world.model)
        assert key not in str(told.value)
        return told.value.trouble

    assert trouble("sk-that-opens-nothing") == "api_key_refused"
    world.strike(*world.no_money)
    assert trouble(world.key) == "account_without_money"
    world.strike(404)
    assert trouble(world.key) == "wrong_base_url"


def test_money_that_ends_between_two_rows_takes_no_answer_away(world: World) -> None:
    world.strike(*world.no_money, times=1)

    answers = read(world.real_time.answers([world.line("a", "hello"), world.line("b", "hello")], world.model))

    assert sorted((each.content, each.error_code) for each in answers) == [
        ("", "account_without_money"),
        (answer_for("hello"), ""),
    ]


def test_a_row_without_an_answer_in_time_says_so_and_stops_no_other(world: World) -> None:
    impatient = type("Impatient", (world.kind,), {"timeout": Timeout(3, connect=PATIENCE_S)})
    sdk = openai.OpenAI(base_url=world.service.base_url, api_key=world.key)
    world.strike(None, delay_s=6, times=1)

    replies = impatient(sdk).answers([world.line("a"), world.line("b")], world.model)

    quick, slow = sorted(read(replies), key=lambda each: each.error_code)
    assert (quick.content, slow.error_code) == (answer_for("hello"), "no_answer_now")
    assert "模型服务没有及时给出答案" in slow.error_message


def test_an_upstream_answers_single_requests_too_and_its_silence_is_told(
    open_world: Open, tmp_path: Path, upstream: UpstreamServer
) -> None:
    with open_world(tmp_path, upstream=Upstream(upstream.url, model="small")) as world:
        (answered,) = read(world.real_time.answers([world.line("q", "hello")], world.model))
        upstream.stop()
        with pytest.raises(ProviderTrouble) as silent:
            world.real_time.answers([world.line("q", "hello")], world.model)

    assert answered.content == "HELLO"
    assert upstream.seen[0][2]["model"] == "small"
    assert silent.value.trouble == "upstream_unavailable"


def test_a_preview_shows_each_row_as_its_result_would(world: World) -> None:
    requests = [
        world.line("q-0", '[[say]]{"label": "好评", "score": 5}'),
        None,
        world.line("q-2", "[[say]]no JSON"),
        world.line("q-3", "[[fail:ContentRefused]]"),
    ]

    read_one, bad, plain, refused = preview(
        world.real_time, requests, world.model, AnswerColumns({"label": "label", "score": "score"})
    )

    assert read_one.columns == {"label": "好评", "score": "5"}
    assert read_one.error == ""
    assert bad == PreviewedRow()
    assert (plain.answer, plain.columns) == ("no JSON", {"label": "", "score": ""})
    assert "[answer_not_json]" in plain.error
    assert (refused.answer, refused.columns) == ("", {})
    assert "ContentRefused" in refused.error


def test_a_preview_of_no_row_asks_nobody(world: World) -> None:
    nobody = world.opened("http://127.0.0.1:1/v1", world.key)

    assert preview(nobody, [None, None], world.model, None) == [PreviewedRow(), PreviewedRow()]
