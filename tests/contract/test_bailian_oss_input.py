"""Requests that Bailian reads from the bucket: the adapter against the local Bailian and OSS."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import oss2
import pytest
from openai import OpenAI

from scripts.localcloud.access.own_keys import OwnKeys
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.api.oss_input import OssInput as LocalOssInput
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.bailian.service_faults import BatchFault
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.operations.tag_operations import put_bucket_tags
from shared.ports.provider import BatchId, BatchRequest, BatchState, BatchStatus, FailedFor
from shared.problems.exceptions import OutcomeUnknown, ProviderRejected, ProviderTrouble
from shared.providers.bailian.client import Bailian, open_bailian
from shared.providers.bailian.oss_input import OssInput, explained
from shared.providers.bailian.profile import BUCKET_TAG
from shared.providers.bailian.troubles import OSS_NOT_READABLE
from shared.providers.bailian.wire import BatchAnswer, state_of
from tests.support.bailian_requests import batch_request, chat_line, wait_for

KEY = "sk-secret-of-the-test"
REGION, BUCKET, OBJECT = "cn-beijing", "drop", "work/job/1.requests.jsonl"
INPUT = f"oss:{REGION}:{BUCKET}/{OBJECT}"


@dataclass(frozen=True)
class World:
    """A bucket with requests in it, the local Bailian beside it, and what is asked of Bailian."""

    oss: LocalOss
    local: LocalBailian
    bailian: Bailian
    sdk: OpenAI
    asked: list[httpx2.Request]

    def tag(self, tags: dict[str, str]) -> None:
        put_bucket_tags(self.oss.storage, BUCKET, tags)

    def request(self, name: str = "job-1", **fields: Any) -> BatchRequest:
        return batch_request(name, object_key=OBJECT, size_bytes=1, open_lines=_unread, **fields)

    def ended(self, batch_id: BatchId) -> BatchState:
        def look() -> BatchState | None:
            state = self.bailian.status(batch_id)
            return state if state and state.status.is_terminal else None

        return wait_for(look)

    def questions(self, *, path: str) -> list[str]:
        """What was asked of the path, without a page's own parameters."""
        urls = [each.url for each in self.asked if each.url.path.endswith(path)]
        return [str(url.params.remove("limit").remove("after")) for url in urls]


def _unread() -> Iterator[bytes]:
    raise AssertionError("the requests pass through the function")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    asked: list[httpx2.Request] = []
    watched = httpx2.Client(event_hooks={"request": [asked.append]})
    with (
        watched,
        LocalOss(tmp_path, {"key": "secret"}, REGION, lambda event: None, scan_interval_s=3600) as oss,
        LocalBailian(tmp_path, KEY, oss=LocalOssInput(oss, OwnKeys("key", "secret", KEY))) as local,
    ):
        oss.storage.create_bucket(BUCKET)
        bucket = oss2.Bucket(oss2.make_auth("key", "secret", "v4"), oss.url, BUCKET, region=REGION)
        bucket.put_object(OBJECT, b"".join(map(chat_line, ("a", "b"))))
        sdk = OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0, http_client=watched)
        world = World(oss, local, Bailian(sdk, OssInput(REGION, BUCKET)), sdk, asked)
        world.tag(dict([BUCKET_TAG]))
        yield world


def test_requests_are_read_from_the_bucket_and_nothing_is_uploaded(world: World) -> None:
    state = world.ended(world.bailian.submit(world.request()))

    assert (state.status, state.input_file) == (BatchStatus.COMPLETED, INPUT)
    assert len(list(world.bailian.results(state))) == 2
    assert [each.id for each in world.sdk.files.list().data or []] == [*state.result_files]


def test_cleaning_up_leaves_the_bucket_alone_and_asks_for_no_file_of_that_name(world: World) -> None:
    state = world.ended(world.bailian.submit(world.request()))

    world.bailian.clean_up(state)

    assert not world.sdk.files.list().data
    assert not [each for each in world.asked if each.method == "DELETE" and "oss" in str(each.url)]
    assert world.oss.storage.index.find_object(BUCKET, OBJECT)


@pytest.mark.parametrize(("tags", "key"), [({}, OBJECT), (dict([BUCKET_TAG]), "work/job/gone.jsonl")])
def test_a_bucket_that_cannot_be_read_is_the_operators_and_no_rows(
    tags: dict[str, str], key: str, world: World
) -> None:
    world.tag(tags)

    with pytest.raises(ProviderTrouble) as refused:
        world.bailian.submit(batch_request("job-1", object_key=key))

    assert refused.value.trouble == OSS_NOT_READABLE
    assert "INPUT_FROM" in str(refused.value)
    assert "cannot be read from OSS" in refused.value.facts
    assert not world.sdk.batches.list().data


def test_what_is_wrong_with_the_batch_itself_is_no_trouble_of_the_bucket(world: World) -> None:
    with pytest.raises(ProviderRejected):
        world.bailian.submit(world.request(endpoint="/v1/responses"))


@pytest.mark.parametrize(
    ("said", "is_meant"),
    [
        ("OSS answered 403 AccessDenied", True),
        ("Invalid input_file_id.", True),
        ("The specified bucket does not exist.", True),
        ("Failed to download the input", True),
        ("The file test.jsonl was not found", True),
        ("completion_window must be between 24h and 336h", False),
        ("Metadata must be an object", False),
        ("The model does not exist", False),
        ("404 page not found", False),
        ("Possess a valid endpoint", False),
    ],
)
def test_the_words_of_a_refusal_say_whether_the_bucket_is_meant(said: str, is_meant: bool) -> None:
    meant = explained(ProviderRejected(said, status=400))

    assert (isinstance(meant, ProviderTrouble) and meant.trouble == OSS_NOT_READABLE) is is_meant


def test_an_unclear_create_is_found_by_its_input_in_one_question(world: World) -> None:
    world.local.faults.add(BatchFault(cut_connection=True))
    with pytest.raises(OutcomeUnknown):
        world.bailian.submit(world.request())
    world.bailian.submit(world.request("somebody's"))
    world.asked.clear()

    found = world.bailian.find("job-1", OBJECT)

    assert found == world.sdk.batches.list(extra_query={"ds_name": "job-1"}).data[0].id
    assert world.questions(path="/batches")[0] == str(httpx2.QueryParams(input_file_ids=INPUT))
    assert len(world.asked) == 2  # the test's own is the second


def test_what_an_earlier_version_of_the_stack_uploaded_is_found_by_its_name(world: World) -> None:
    uploaded = open_bailian(world.local.base_url, KEY).submit(batch_request("job-1", chat_line("a")))

    assert world.bailian.find("job-1", OBJECT) == uploaded
    assert world.bailian.find("job-2", OBJECT) is None


def test_where_no_filter_by_such_an_input_is_known_the_name_is_asked(world: World) -> None:
    read = world.bailian.submit(world.request())
    world.local.faults.add(CallFault(route="batches.list", status=400, code="InvalidParameter"))

    assert world.bailian.find("job-1", OBJECT) == read


def test_what_reads_the_bucket_is_found_once_the_stack_uploads_again(world: World) -> None:
    read = world.bailian.submit(world.request())

    assert open_bailian(world.local.base_url, KEY).find("job-1", OBJECT) == read


@pytest.mark.parametrize(
    ("input_file", "finding", "failed_for"),
    [
        (
            INPUT,
            {"code": "file_error", "message": "Failed to read from OSS: AccessDenied"},
            FailedFor.ACCOUNT,
        ),
        (INPUT, {"code": "NoSuchKey", "message": ""}, FailedFor.ACCOUNT),
        (INPUT, {"code": "NoSuchKey", "message": "", "line": 1}, FailedFor.ROWS),
        (INPUT, {"code": "url_not_found", "message": "no such url", "param": "url"}, FailedFor.ROWS),
        (INPUT, {"code": "empty_file", "message": "The input holds no request."}, FailedFor.ROWS),
        ("file-batch-1", {"code": "NoSuchKey", "message": "OSS: AccessDenied"}, FailedFor.ROWS),
    ],
)
def test_a_batch_that_could_not_read_its_input_failed_for_the_account(
    input_file: str, finding: dict[str, Any], failed_for: FailedFor
) -> None:
    answer = {"id": "batch_1", "status": "failed", "input_file_id": input_file, "errors": {"data": [finding]}}

    state = state_of(BatchAnswer.model_validate(answer))

    assert state.failed_for is failed_for
    assert (state.trouble == OSS_NOT_READABLE) is (failed_for is FailedFor.ACCOUNT)
