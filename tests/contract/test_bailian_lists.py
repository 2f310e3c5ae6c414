"""The lists of files and batches, however oddly their pages end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import httpx2
import openai
import pytest

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.problems.exceptions import ConfigurationError, TransientError
from shared.providers.bailian.client import Bailian, open_bailian
from tests.support.bailian_wire import KEY, Wire, rows

Page = Callable[[Mapping[str, str]], dict[str, Any]]
EMPTY = {"object": "list", "data": None, "has_more": False}


def file(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"file-batch-{number}",
        "filename": f"{number}.jsonl",
        "bytes": number,
        "created_at": 1742304153,
    } | fields


def bailian_with(files: Page, batches: Page = lambda query: EMPTY) -> Bailian:
    """An adapter whose service answers both lists as the pages say."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        page = batches if request.url.path.endswith("/batches") else files
        return httpx2.Response(200, json=page(request.url.params))

    client = httpx2.Client(transport=httpx2.MockTransport(answer))
    return Bailian(openai.OpenAI(base_url="http://127.0.0.1:9/v1", api_key=KEY, http_client=client))


def in_pages(size: int, count: int, **envelope: Any) -> Page:
    """``count`` files, newest first, in pages of ``size`` whatever was asked for."""

    def page(query: Mapping[str, str]) -> dict[str, Any]:
        after = query.get("after", f"file-batch-{count + 1}")
        newest = int(after.removeprefix("file-batch-")) - 1
        data = [file(number) for number in range(newest, max(newest - size, 0), -1)]
        return {"object": "list", "data": data, "has_more": newest > size} | envelope

    return page


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 20])
@pytest.mark.parametrize("envelope", [{}, {"has_more": True}, {"has_more": False}, {"object": None}])
def test_every_file_is_listed_whatever_the_pages_claim(count: int, envelope: dict[str, Any]) -> None:
    bailian = bailian_with(in_pages(8, count, **envelope))

    numbers = [int(file.file_id.removeprefix("file-batch-")) for file in bailian.unused_files()]

    assert sorted(numbers) == list(range(1, count + 1))


@pytest.mark.parametrize("page", [EMPTY, {"data": []}, {}])
def test_an_empty_list_has_many_shapes(page: dict[str, Any]) -> None:
    assert list(bailian_with(lambda query: page).unused_files()) == []


def test_a_service_that_ignores_where_to_go_on_is_asked_no_third_time() -> None:
    asked: list[str] = []

    def page(query: Mapping[str, str]) -> dict[str, Any]:
        asked.append(query.get("after", ""))
        return {"data": [file(2), file(1)], "has_more": True}

    listed = list(bailian_with(page).unused_files())

    assert [each.name for each in listed] == ["2.jsonl", "1.jsonl"]
    assert asked == ["", "file-batch-1"]


def test_a_list_without_an_end_is_no_list() -> None:
    numbers = iter(range(10**6, 0, -1))

    with pytest.raises(TransientError, match="no end"):
        list(bailian_with(lambda query: {"data": [file(next(numbers))]}).unused_files())


def test_a_file_is_taken_as_it_is_and_one_without_an_age_is_passed_over() -> None:
    data = [file(1, filename=None, bytes=None, status="odd", purpose=None), file(2, created_at=None)]

    (listed,) = bailian_with(lambda query: {"data": data} if "after" not in query else EMPTY).unused_files()

    assert (listed.file_id, listed.name, listed.size_bytes) == ("file-batch-1", "", 0)
    assert listed.created_at == datetime(2025, 3, 18, 13, 22, 33, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    "page", [{"data": "none"}, {"data": [{"id": ""}]}, {"data": [file(1, created_at="soon")]}]
)
def test_a_list_that_cannot_be_read_is_worth_another_try(page: dict[str, Any]) -> None:
    with pytest.raises(TransientError):
        list(bailian_with(lambda query: page).unused_files())


def test_only_the_inputs_of_unfinished_batches_are_in_use_on_whichever_page_they_are() -> None:
    statuses: list[str] = []

    def batches(query: Mapping[str, str]) -> dict[str, Any]:
        statuses.append(query["status"])
        after = query.get("after", "batch_0")
        number = int(after.removeprefix("batch_")) + 1
        data = [{"id": f"batch_{number}", "status": "in_progress", "input_file_id": f"file-batch-{number}"}]
        return {"data": data if number < 4 else None, "has_more": True}

    bailian = bailian_with(in_pages(8, 5), batches)

    assert [each.file_id for each in bailian.unused_files()] == ["file-batch-5", "file-batch-4"]
    assert set(statuses) == {"validating,in_progress,finalizing,cancelling"}


def test_the_local_service_lists_every_file_but_the_one_that_is_read(tmp_path: Path) -> None:
    with LocalBailian(tmp_path, KEY) as local:
        wire = Wire(local)
        ids = {wire.upload(*rows(1)) for _ in range(5)}
        local.faults.paused = True
        used = wire.create(*rows(1))["input_file_id"]

        listed = {each.file_id for each in open_bailian(local.base_url, KEY).unused_files()}

    assert listed == ids
    assert used not in listed


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (CallFault(route="files.list", status=429), TransientError),
        (CallFault(route="files.list", status=500), TransientError),
        (CallFault(route="batches.list", status=503), TransientError),
        (CallFault(route="files.list", status=403), ConfigurationError),
    ],
)
def test_a_refused_list_says_who_must_act(tmp_path: Path, fault: CallFault, error: type[Exception]) -> None:
    with LocalBailian(tmp_path, KEY) as local:
        local.faults.add(fault)

        with pytest.raises(error):
            list(open_bailian(local.base_url, KEY).unused_files())
