"""What every batch provider promises: one body of cases for fake, emulator and cloud."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from openai import OpenAI

from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.ports.profile import CHAT
from shared.ports.provider import BatchId, BatchProblem, BatchProvider, BatchRequest, BatchState, BatchStatus
from shared.problems.exceptions import ProviderRejected
from shared.providers.ark.wire import CHECK_FAILED
from shared.providers.bailian.client import Bailian, open_bailian
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from tests.support.ark import ARK_MODEL, ArkOnThisMachine, ark_line, local_ark
from tests.support.bailian_requests import batch_request, chat_line, wait_for
from tests.support.fake_provider import ScriptedProvider
from tests.support.local_tione import MODEL, PREFIX, TioneOnThisMachine, local_tione
from tests.support.waiting import PATIENCE_S

REAL_KEY = "BATCHDROP_TEST_DASHSCOPE_API_KEY"
REAL_URL = "https://dashscope.aliyuncs.com/compatible-mode/v1"


@dataclass(frozen=True)
class World:
    """A provider, and what a test needs to make its batches end."""

    provider: BatchProvider
    finish: Callable[[BatchId], BatchState]
    refuse: Callable[[BatchId], BatchState]
    pause: Callable[[], None]
    endpoint: str = CHAT
    model: str = "qwen-flash"
    poll_s: float = 0.01
    # Whether a second submit of one name finds the first batch while it runs.
    is_guarded: bool = False
    # Waits until it can be stopped.
    started: Callable[[BatchId], object] = lambda _: None
    cancelled_as: BatchStatus = BatchStatus.CANCELLED
    input_of: Callable[[BatchState], str | None] = lambda state: state.input_file
    # Whether one line may fail all of them.
    has_checks: bool = True
    # What is wrong with a file of two lines, and what is said of it.
    bad_line: Callable[[World], bytes] = lambda world: world.line("a")
    refused_as: tuple[str, int] = ("duplicate_custom_id", 2)

    def line(self, custom_id: str, content: str = "hello") -> bytes:
        if self.model == ARK_MODEL:
            return ark_line(custom_id, content)
        return chat_line(custom_id, content, model=self.model, url=self.endpoint)

    def request(self, name: str, *lines: bytes) -> BatchRequest:
        return batch_request(
            name, *lines, endpoint=self.endpoint, model=self.model, completion_window=timedelta(hours=24)
        )


@pytest.fixture(
    params=["fake", "local", "ark-local", "tione-local", pytest.param("cloud", marks=pytest.mark.real_cloud)],
)
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    if request.param == "fake":
        yield fake_world()
    elif request.param == "local":
        with LocalBailian(tmp_path, "sk-test") as local:
            provider = open_bailian(local.base_url, "sk-test")
            finish = finisher(provider, every_s=0.01)
            yield World(provider, finish, finish, lambda: setattr(local.faults, "paused", True))
    elif request.param == "ark-local":
        with local_ark(tmp_path) as local_and_store:
            yield ark_world(local_and_store)
    elif request.param == "tione-local":
        with local_tione(tmp_path) as local_and_cos:
            yield tione_world(local_and_cos)
    else:
        if not os.environ.get(REAL_KEY):
            pytest.skip(f"{REAL_KEY} is not set")
        yield from cloud_world(os.environ[REAL_KEY])


def ark_world(on: ArkOnThisMachine) -> World:
    finish = finisher(on.provider, every_s=0.02)
    return World(
        on.provider,
        finish,
        finish,
        lambda: setattr(on.ark.faults, "paused", True),
        model=ARK_MODEL,
        is_guarded=True,
        bad_line=lambda _: b"no JSON\n",
        refused_as=(CHECK_FAILED, 2),
    )


def tione_world(on: TioneOnThisMachine) -> World:
    provider = on.adapter()
    finish = finisher(provider, every_s=0.05)
    return World(
        provider,
        finish,
        finish,
        lambda: setattr(on.tione.faults, "paused", True),
        model=MODEL,
        is_guarded=True,
        started=lambda task_id: on.wait(task_id, "RUNNING"),
        cancelled_as=BatchStatus.EXPIRED,
        input_of=lambda state: f"{PREFIX}in/{state.name}/requests.jsonl",
        has_checks=False,
    )


def cloud_world(api_key: str) -> Iterator[World]:
    """The real Bailian with its free test model, which takes two unfinished batches at a time."""
    provider = TidyBailian(OpenAI(base_url=REAL_URL, api_key=api_key, max_retries=0))
    finish = finisher(provider, within_s=4 * 3600, every_s=60)
    yield World(provider, finish, finish, lambda: None, TEST_ENDPOINT, TEST_MODEL, poll_s=60)
    for batch_id in provider.submitted:
        provider.cancel(batch_id)
        provider.clean_up(finish(batch_id))


class TidyBailian(Bailian):
    """Remembers what it has submitted, so that a test leaves nothing behind."""

    def __init__(self, client: OpenAI) -> None:
        super().__init__(client)
        self.submitted: list[BatchId] = []

    def submit(self, request: BatchRequest) -> BatchId:
        self.submitted.append(super().submit(request))
        return self.submitted[-1]


def fake_world() -> World:
    provider = ScriptedProvider()

    def refuse(batch_id: BatchId) -> BatchState:
        return provider.fail_validation(
            batch_id, BatchProblem("duplicate_custom_id", "The custom_id is a duplicate.", line=2)
        )

    return World(provider, provider.answer_all, refuse, lambda: None)


def finisher(
    provider: BatchProvider, *, every_s: float, within_s: float = PATIENCE_S
) -> Callable[[BatchId], BatchState]:
    def ended(batch_id: BatchId) -> BatchState | None:
        state = provider.status(batch_id)
        return state if state and state.status.is_terminal else None

    return lambda batch_id: wait_for(lambda: ended(batch_id), within_s=within_s, every_s=every_s)


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4()}"


def test_a_batch_that_was_never_created_has_no_status(world: World) -> None:
    assert world.provider.status(BatchId(f"batch_{uuid.uuid4()}")) is None


def test_a_name_that_was_never_used_is_not_found(world: World, name: str) -> None:
    assert world.provider.find(name) is None


def test_a_submitted_batch_is_found_by_its_exact_name_only(world: World, name: str) -> None:
    batch_id = world.provider.submit(world.request(f"{name}-1", world.line("a")))

    assert world.provider.find(f"{name}-1") == batch_id
    assert world.provider.find(name) is None
    assert world.provider.find(f"{name}-11") is None


def test_the_newest_of_two_batches_with_one_name_is_found(world: World, name: str) -> None:
    older = world.provider.submit(world.request(name, world.line("a")))
    if world.is_guarded:
        world.finish(older)
    newer = world.provider.submit(world.request(name, world.line("a")))

    # A guarded provider's adapter makes no second one, not even after the first has ended.
    assert (newer == older) is world.is_guarded
    assert world.provider.find(name) == newer


def test_a_new_batch_knows_its_name_and_its_input(world: World, name: str) -> None:
    world.pause()
    batch_id = world.provider.submit(world.request(name, world.line("a")))

    state = world.provider.status(batch_id)

    assert state is not None
    assert (state.batch_id, state.name) == (batch_id, name)
    assert world.input_of(state)
    assert not state.status.is_terminal


def test_every_request_line_gets_one_result_line_and_no_line_end(world: World, name: str) -> None:
    ids = [f"row-{number}" for number in range(20)]
    batch_id = world.provider.submit(world.request(name, *map(world.line, ids)))

    state = world.finish(batch_id)
    lines = list(world.provider.results(state))

    assert state.status is BatchStatus.COMPLETED
    assert sorted(json.loads(line)["custom_id"] for line in lines) == sorted(ids)
    assert not any(b"\n" in line for line in lines)


def test_results_come_in_another_order_than_the_requests(world: World, name: str) -> None:
    if world.model in {TEST_MODEL, MODEL}:
        pytest.skip("the order may be kept")
    ids = [f"row-{number:02d}" for number in range(20)]
    batch_id = world.provider.submit(world.request(name, *map(world.line, ids)))

    lines = list(world.provider.results(world.finish(batch_id)))

    assert [json.loads(line)["custom_id"] for line in lines] != ids


def test_characters_that_other_splitters_take_for_line_ends_stay_in_their_line(
    world: World, name: str
) -> None:
    odd = "a\u2028b\u2029c\u0085d"
    batch_id = world.provider.submit(world.request(name, world.line(odd, odd), world.line("plain")))

    lines = list(world.provider.results(world.finish(batch_id)))

    assert {json.loads(line)["custom_id"] for line in lines} == {odd, "plain"}


def test_results_can_be_read_twice(world: World, name: str) -> None:
    batch_id = world.provider.submit(world.request(name, world.line("a"), world.line("b")))
    state = world.finish(batch_id)

    assert list(world.provider.results(state)) == list(world.provider.results(state))


def test_a_refused_file_fails_the_batch_with_the_line_at_fault_and_no_results(
    world: World, name: str
) -> None:
    if not world.has_checks:
        pytest.skip("each line is on its own")
    batch_id = world.provider.submit(world.request(name, world.line("a"), world.bad_line(world)))

    state = world.refuse(batch_id)

    assert state.status is BatchStatus.FAILED
    assert [(problem.code, problem.line) for problem in state.problems] == [world.refused_as]
    assert list(world.provider.results(state)) == []


def test_a_cancelled_batch_ends(world: World, name: str) -> None:
    world.pause()
    batch_id = world.provider.submit(world.request(name, world.line("a")))

    world.started(batch_id)
    world.provider.cancel(batch_id)

    state = wait_for(lambda: _ended(world.provider, batch_id), within_s=4 * 3600, every_s=world.poll_s)
    assert state.status is world.cancelled_as


def test_cancelling_a_batch_that_has_ended_changes_nothing(world: World, name: str) -> None:
    batch_id = world.provider.submit(world.request(name, world.line("a")))
    ended = world.finish(batch_id)

    world.provider.cancel(batch_id)

    assert world.provider.status(batch_id) == ended


def test_cancelling_a_batch_that_does_not_exist_is_no_error(world: World) -> None:
    batch_id = BatchId(f"batch_{uuid.uuid4()}")

    world.provider.cancel(batch_id)

    assert world.provider.status(batch_id) is None


def test_cleaning_up_twice_removes_the_results_and_keeps_the_batch(world: World, name: str) -> None:
    batch_id = world.provider.submit(world.request(name, world.line("a")))
    state = world.finish(batch_id)

    world.provider.clean_up(state)
    world.provider.clean_up(state)

    assert world.provider.find(name) == batch_id
    with pytest.raises(ProviderRejected) as refusal:
        list(world.provider.results(state))
    assert refusal.value.status == 404


def test_the_input_of_an_unfinished_batch_is_no_unused_file(world: World, name: str) -> None:
    world.pause()
    batch_id = world.provider.submit(world.request(name, world.line("a")))
    state = world.provider.status(batch_id)
    assert state is not None

    assert world.input_of(state) not in {
        file.file_id for file in world.provider.unused_files() if not file.is_read()
    }


def test_the_files_of_an_ended_batch_are_unused_and_known_by_name_time_and_size(
    world: World, name: str
) -> None:
    line = world.line("a")
    state = world.finish(world.provider.submit(world.request(name, line)))

    unused = {file.file_id: file for file in world.provider.unused_files() if not file.is_read()}

    input_file = world.input_of(state)
    assert input_file
    assert {input_file, *state.result_files} <= set(unused)
    file = unused[input_file]
    assert name in {file.name.removesuffix(".jsonl"), file.input_of}
    assert file.created_at.utcoffset() == timedelta(0)
    assert file.size_bytes > 0


def test_a_deleted_file_is_gone_and_deleting_it_again_is_no_error(world: World, name: str) -> None:
    state = world.finish(world.provider.submit(world.request(name, world.line("a"))))
    input_file = world.input_of(state)
    assert input_file

    world.provider.delete_file(input_file)
    world.provider.delete_file(input_file)

    assert input_file not in {file.file_id for file in world.provider.unused_files()}


def _ended(provider: BatchProvider, batch_id: BatchId) -> BatchState | None:
    state = provider.status(batch_id)
    return state if state and state.status.is_terminal else None
