"""Where a job's answers are looked for when settings have changed or Ark says little."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from fastcrc import crc64

from shared.pipeline.deadlines import ABANDONED_AFTER
from shared.ports.provider import BatchId, BatchState
from shared.problems.exceptions import ProviderTrouble
from shared.providers.ark.client import Ark
from shared.providers.ark.staging import Staging
from shared.providers.ark.wire import Job
from shared.providers.staged_files import STAGED_FOR
from tests.support.bailian_requests import batch_request
from tests.support.fakes import FixedClock, MemoryStore

JOB_ID = BatchId("bi-20261121115000-r2nwq")
BUCKET, PREFIX = "acme-batch", "batchdrop/"
FOLDER = f"batchdrop/out/job/{JOB_ID}/"
RESULTS, ERRORS = f"{FOLDER}output/results.jsonl", f"{FOLDER}error/errors.jsonl"
INPUT = "batchdrop/in/job.jsonl"
HERE = {"BucketName": BUCKET, "ObjectKey": "batchdrop/out/job/"}


def ark(*keys: str, prefix: str = PREFIX, phase: str = "Completed", **fields: Any) -> Ark:
    """An adapter whose bucket has these objects and whose only job has these fields."""
    answer = {"Id": JOB_ID, "Name": "job", "Status": {"Phase": phase}, "OutputDirTosLocation": HERE}
    job = Job.model_validate(answer | fields)
    api: Any = SimpleNamespace(get=lambda _: job, named=lambda _: iter([job]))
    store = MemoryStore()
    for key in keys:
        store.put(key, b"{}\n")
    return Ark(api, Staging(store, BUCKET, prefix))


def state(adapter: Ark) -> BatchState:
    found = adapter.status(JOB_ID)
    assert found
    return found


@pytest.mark.parametrize("prefix", ["ark/", "方舟/", "batchdrop/v2/", "batch/", "batchdrop-old/"])
def test_a_job_of_another_prefix_is_read_and_left_if_ark_does_not_tell_its_input(prefix: str) -> None:
    adapter = ark(RESULTS, ERRORS, prefix=prefix)

    found = state(adapter)
    adapter.clean_up(found)

    assert sorted(found.result_files) == [ERRORS, RESULTS]
    assert len(list(adapter.results(found))) == 2


@pytest.mark.parametrize("prefix", ["ark/", "方舟/", "batchdrop/v2/", "batch/", "batchdrop-old/"])
@pytest.mark.parametrize(
    ("location", "is_left"),
    [
        ({"BucketName": BUCKET, "ObjectKey": INPUT}, False),
        ({"BucketName": "acme-batch-2", "ObjectKey": INPUT}, True),
        ({"BucketName": BUCKET, "ObjectKey": "batchdrop/in/other.jsonl"}, True),
        ({"BucketName": BUCKET, "ObjectKey": "batchdrop/job.jsonl"}, True),
    ],
)
def test_of_a_job_of_another_prefix_goes_what_was_staged_there_by_its_name(
    prefix: str, location: dict[str, str], *, is_left: bool
) -> None:
    others = ["batchdrop/in/other.jsonl", "batchdrop/in/job.jsonl.bak", "batchdrop/out/jobs/x", "job.jsonl"]
    staged = [INPUT, "batchdrop/out/job/", RESULTS, ERRORS]
    adapter = ark(*staged, *others, prefix=prefix, InputFileTosLocation=location)

    adapter.clean_up(state(adapter))

    left = {found.key for found in adapter._staging.store.list("")}
    assert left == {*others, *(staged if is_left else [])}


@pytest.mark.parametrize("phase", ["Completed", "Failed", "Terminated"])
@pytest.mark.parametrize("bucket", ["acme-batch-2", "acme", "ACME-BATCH"])
def test_answers_in_another_bucket_are_waited_for_until_it_is_set_again(bucket: str, phase: str) -> None:
    place = {"BucketName": bucket, "ObjectKey": "batchdrop/out/job/"}

    with pytest.raises(ProviderTrouble, match=f"TOS_BUCKET to {bucket} ") as trouble:
        ark(phase=phase, OutputDirTosLocation=place).status(JOB_ID)

    assert trouble.value.trouble == "staging_not_readable"


@pytest.mark.parametrize("phase", ["Running", "Queued", "Terminating"])
def test_a_job_that_goes_on_in_another_bucket_is_asked_for(phase: str) -> None:
    place = {"BucketName": "acme-batch-2", "ObjectKey": "batchdrop/out/job/"}

    assert not state(ark(phase=phase, OutputDirTosLocation=place)).status.is_terminal


@pytest.mark.parametrize(
    "place",
    [
        None,
        {},
        {"BucketName": None, "ObjectKey": None},
        {"BucketName": BUCKET},
        {"BucketName": BUCKET, "ObjectKey": ""},
        {"ObjectKey": "batchdrop/out/job"},
        HERE,
    ],
)
def test_a_place_that_ark_does_not_tell_is_the_one_that_it_was_given(place: Any) -> None:
    assert state(ark(RESULTS, OutputDirTosLocation=place)).result_files == (RESULTS,)


@pytest.mark.parametrize(
    ("named", "lies_there"),
    [
        (ERRORS, False),
        (f"{FOLDER}output/errors.jsonl", False),
        (f"{FOLDER}errors.jsonl", False),
        ("batchdrop/out/job/errors.jsonl", False),
        ("elsewhere/errors.jsonl", False),
        ("batchdrop/out/job/errors.jsonl", True),
        ("elsewhere/errors.jsonl", True),
        (f"batchdrop/out/job/{JOB_ID}x/errors.jsonl", True),
    ],
)
def test_a_named_file_of_errors_is_read_only_if_it_is_there(named: str, lies_there: bool) -> None:
    keys = [RESULTS, named] if lies_there else [RESULTS]
    adapter = ark(*keys, ErrorFileTosLocation={"BucketName": BUCKET, "ObjectKey": named})

    found = state(adapter)

    assert list(found.result_files) == keys
    assert len(list(adapter.results(found))) == len(keys)


MARKER = "batchdrop/out/job/"  # the folder that a job is given


@pytest.mark.parametrize("name", [None, "", "job"])
@pytest.mark.parametrize(
    ("source", "folder", "left"),
    [
        (INPUT, MARKER, []),
        (INPUT, None, []),
        (INPUT, "batchdrop/out/job", []),
        (None, MARKER, []),
        ("batchdrop/in/作业.jsonl", MARKER, []),
        ("elsewhere/job.jsonl", MARKER, ["elsewhere/job.jsonl"]),
    ],
)
def test_all_of_a_job_is_deleted_though_ark_leaves_out_its_name(
    name: str | None, source: str | None, folder: str | None, left: list[str]
) -> None:
    places = {
        "InputFileTosLocation": source and {"BucketName": BUCKET, "ObjectKey": source},
        "OutputDirTosLocation": folder and {"BucketName": BUCKET, "ObjectKey": folder},
    }
    adapter = ark(RESULTS, MARKER, source or INPUT, Name=name, **places)

    found = state(adapter)
    adapter.clean_up(found)

    assert found.result_files == (RESULTS,)
    assert [found.key for found in adapter._staging.store.list("")] == left


@pytest.mark.parametrize(
    "place", ["", "in/", "in/.jsonl", "batchdrop/in/", "batchdrop/out/", "job.jsonl", "in/job.csv", "out/a/b"]
)
def test_a_place_that_tells_no_name_deletes_nothing_else(place: str) -> None:
    location = {"BucketName": BUCKET, "ObjectKey": place}
    others = ["batchdrop/in/other.jsonl", "batchdrop/out/other/"]
    adapter = ark(*others, Name=None, InputFileTosLocation=location, OutputDirTosLocation=location)

    adapter.clean_up(state(adapter))

    assert [found.key for found in adapter._staging.store.list("")] == others


@pytest.mark.parametrize(
    "batch_id", ["bi-1", "BI-20261121115000-R2NWQ", "job-1", "bij-20261121115000-r2nwq", "7"]
)
def test_an_id_that_create_gave_is_asked_for_whatever_its_form(batch_id: str) -> None:
    found = ark(Id=batch_id, phase="Running").status(BatchId(batch_id))

    assert found
    assert found.batch_id == batch_id


@pytest.mark.parametrize(
    ("waited", "is_fresh"),
    [
        (timedelta(0), False),
        (timedelta(hours=23), False),
        (timedelta(hours=25), True),
        (timedelta(days=9), True),
    ],
)
def test_what_waited_for_a_quota_is_staged_again_before_it_counts_as_abandoned(
    waited: timedelta, is_fresh: bool
) -> None:
    clock = FixedClock()
    store = MemoryStore(clock)
    staging = Staging(store, BUCKET, PREFIX, clock.now)
    staging.put(batch_request("job", b"{}\n"))
    began = clock.now()
    clock.advance(waited)

    staging.put(batch_request("job", b"{}\n"))

    expected = began + waited if is_fresh else began
    assert [found.modified_at for found in store.list(PREFIX)] == [expected] * 2
    assert ABANDONED_AFTER >= 2 * STAGED_FOR


@pytest.mark.parametrize(
    ("fields", "times"),
    [({}, 1), ({"crc64": 7}, 2), ({"crc64": None}, 2), ({"size_bytes": 3, "crc64": crc64.xz(b"{ }")}, 2)],
)
def test_requests_that_lie_there_are_neither_read_nor_sent_again(fields: dict[str, Any], times: int) -> None:
    clock, opened = FixedClock(), []
    staging = Staging(MemoryStore(clock), BUCKET, PREFIX, clock.now)
    first = batch_request("job", b"{}\n")

    def open_lines() -> Iterator[bytes]:
        opened.append(1)
        return iter([b"{ }"] if "size_bytes" in fields else [b"{}\n"])

    staging.put(replace(first, open_lines=lambda: opened.append(1) or iter([b"{}\n"])))
    staging.put(replace(first, open_lines=open_lines, **fields))

    assert len(opened) == times


def test_a_second_staging_keeps_what_a_job_has_written() -> None:
    clock = FixedClock()
    store = MemoryStore(clock)
    store.put(RESULTS, b"{}\n")
    staging = Staging(store, BUCKET, PREFIX, clock.now)
    for _ in range(2):
        staging.put(batch_request("job", b"{}\n"))
        clock.advance(timedelta(days=3))

    assert store.get(RESULTS) == b"{}\n"


@pytest.mark.parametrize(
    ("source", "is_ours"),
    [
        ("batchdrop/in/job.jsonl", True),
        ("in/job.jsonl", True),
        ("old/prefix/in/job.jsonl", True),
        (None, True),
        ("batchdrop/in/other.jsonl", False),
        ("batchdrop/in/a-job.jsonl", False),
        ("batchdrop/margin/job.jsonl", False),
        ("elsewhere/job.jsonl", False),
    ],
)
@pytest.mark.parametrize("bucket", [BUCKET, "acme-batch-2"])
def test_a_job_in_doubt_is_found_whichever_bucket_and_prefix_are_set_since(
    bucket: str, source: str | None, is_ours: bool
) -> None:
    location = {"BucketName": bucket, "ObjectKey": source}
    adapter = ark(INPUT, phase="Running", InputFileTosLocation=location)

    assert (adapter.find("job") == JOB_ID) is is_ours
    assert [file.is_read() for file in adapter.unused_files()] == [is_ours]
