"""The Ark adapter against the local Ark: what it sends, and what it leaves alone."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta

import pytest
from volcenginesdkcore import Configuration
from volcenginesdkcore.observability.debugger import LogLevel, sdk_core_logger

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.ark.jobs.job_faults import JobFault
from shared.ports.provider import BatchState, BatchStatus
from shared.problems.exceptions import (
    ConfigurationError,
    PipelineError,
    ProviderRejected,
    TransientError,
)
from shared.runtime.system_clock import SystemClock
from tests.support.ark import (
    BUCKET,
    FOLDER,
    GONE,
    INPUT,
    KEY_ID,
    SECRET,
    ArkOnThisMachine,
    ark_line,
    ark_request,
    ended,
    open_adapter,
    stage,
)
from tests.support.fakes import MemoryStore

ROWS = [ark_line("good"), ark_line("bad", "[[refuse:400]]")]


# What is sent.


def test_a_job_has_its_name_model_window_tags_and_places(on: ArkOnThisMachine) -> None:
    request = ark_request(
        "job", description="d" * 500, metadata={"batchdrop": "0123456789abcdef/1-00001"},
        completion_window=timedelta(hours=36),
    )  # fmt: skip

    on.provider.submit(request)

    (job,) = on.jobs
    assert (job.name, job.description, job.project_name) == ("job", "d" * 300, "default")
    assert job.model_reference == {
        "FoundationModel": {"Name": "doubao-seed-2-1-pro", "ModelVersion": "260628"}
    }
    assert job.window_days == 2
    assert [(tag.key, tag.value) for tag in job.tags] == [("batchdrop", "0123456789abcdef/1-00001")]
    assert (job.input_file.bucket_name, job.input_file.object_key) == (BUCKET, INPUT)
    assert (job.output_dir.bucket_name, job.output_dir.object_key) == (BUCKET, FOLDER)


def test_the_folder_of_results_exists_before_the_job(on: ArkOnThisMachine) -> None:
    on.ark.faults.paused = True

    on.provider.submit(ark_request("job", ark_line("a"), ark_line("b")))

    assert on.store.get(FOLDER) == b""
    assert on.store.get(INPUT) == ark_line("a") + ark_line("b")


@pytest.mark.parametrize(("hours", "days"), [(24, 1), (25, 2), (48, 2), (672, 28)])
def test_a_window_is_sent_in_whole_days(on: ArkOnThisMachine, hours: int, days: int) -> None:
    on.provider.submit(ark_request("job", completion_window=timedelta(hours=hours)))

    assert on.jobs[0].window_days == days


def test_an_endpoint_as_model_is_refused_before_anything_is_sent(on: ArkOnThisMachine) -> None:
    with pytest.raises(ProviderRejected, match="ep-1"):
        on.provider.submit(ark_request("job", model="ep-1"))

    assert (on.jobs, on.objects()) == ([], [])


def test_a_name_too_long_to_be_found_again_is_not_submitted(on: ArkOnThisMachine) -> None:
    with pytest.raises(ValueError, match="at most 200"):
        on.provider.submit(ark_request("n" * 201))

    assert on.objects() == []


class CountingStore(MemoryStore):
    """A memory store that counts what is written."""

    written: list[str]

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.written = []
        self.before = lambda what, key: self.written.append(key) if what == "write" else None


@pytest.mark.parametrize(
    ("lies_there", "is_uploaded"),
    [
        (None, True),
        (ark_line("a"), False),
        (ark_line("b"), True),
        (ark_line("a") + ark_line("b"), True),
        (b"", True),
    ],
)
def test_an_input_of_the_same_size_and_checksum_is_not_uploaded_again(
    on: ArkOnThisMachine, lies_there: bytes | None, is_uploaded: bool
) -> None:
    staging = CountingStore()
    if lies_there is not None:
        staging.objects[INPUT] = lies_there
        staging.put(INPUT, lies_there)
    staging.written.clear()

    with pytest.raises(PipelineError):  # the local Ark looks into another store
        open_adapter(on.ark.url, staging).submit(ark_request("job", ark_line("a")))

    assert (INPUT in staging.written) == is_uploaded
    assert staging.objects[INPUT] == ark_line("a")


@pytest.mark.parametrize("size_bytes", [0, 10**6])
def test_lines_of_another_length_than_promised_are_never_submitted(
    on: ArkOnThisMachine, size_bytes: int
) -> None:
    with pytest.raises(TransientError):
        on.provider.submit(ark_request("job", ark_line("a"), size_bytes=size_bytes))

    assert (on.jobs, on.objects()) == ([], [])


# Cleaning up.


def test_cleaning_up_leaves_nothing_of_ours_and_everything_else(on: ArkOnThisMachine) -> None:
    others = ["batchdrop-old/in/job.jsonl", "batchdrop/in/job2.jsonl", "batchdrop/out/job2/", "a.jsonl"]
    for key in others:
        on.store.put(key, b"x")
    on.ark.faults.add(JobFault(errors_elsewhere=True))
    state = ended(on, on.provider.submit(ark_request("job", *ROWS)))
    assert len(on.objects(FOLDER)) == 3

    on.provider.clean_up(state)

    assert sorted(on.objects("")) == sorted(others)
    assert not on.jobs[0].is_deleted


def test_cleaning_up_a_state_without_a_name_deletes_nothing(on: ArkOnThisMachine) -> None:
    on.store.put("batchdrop/in/.jsonl", b"x")
    on.store.put("batchdrop/out//x", b"x")
    outside = BatchState(GONE, BatchStatus.COMPLETED, "Completed", result_files=("other/r.jsonl",))
    on.store.put("other/r.jsonl", b"x")

    on.provider.clean_up(outside)

    assert len(on.objects("")) == 3


def test_files_below_the_prefix_are_unused_unless_an_active_job_reads_them(on: ArkOnThisMachine) -> None:
    name = "batchdrop-0123456789abcdef-1-00001"
    done = ended(on, on.provider.submit(ark_request(name, *ROWS)))
    on.ark.faults.paused = True
    active = [on.provider.submit(ark_request(f"active-{number}")) for number in range(5)]  # some queue
    assert len(active) == 5
    stage(on, "left")
    on.store.put("somebody/in/x.jsonl", b"x")
    on.store.put("batchdrop-old/in/x.jsonl", b"x")
    on.store.put("batchdrop/notes.txt", b"x")

    unused = {file.file_id: file for file in on.provider.unused_files() if not file.is_read()}

    results = {
        f"batchdrop/out/{name}/{done.batch_id}/{kind}"
        for kind in ("output/results.jsonl", "error/errors.jsonl")
    }
    assert set(unused) == {
        f"batchdrop/in/{name}.jsonl", f"batchdrop/out/{name}/", *results, "batchdrop/in/left.jsonl", "batchdrop/out/left/",
    }  # fmt: skip
    assert {unused[key].result_of for key in results} == {done.batch_id}
    assert {(unused[key].input_of, unused[key].batch_name) for key in results} == {("", name)}
    assert unused[f"batchdrop/in/{name}.jsonl"].input_of == name
    assert unused[f"batchdrop/in/{name}.jsonl"].result_of is None


def test_a_file_outside_the_prefix_is_never_deleted(on: ArkOnThisMachine) -> None:
    on.store.put("batchdrop-old/x", b"x")

    with pytest.raises(ValueError, match="none of ours"):
        on.provider.delete_file("batchdrop-old/x")

    assert on.objects("batchdrop-old/") == ["batchdrop-old/x"]


# Secrets and other side effects.


def test_neither_secret_stands_in_a_log_or_an_error(
    on: ArkOnThisMachine,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "urllib3")
    adapter = open_adapter(on.ark.url, on.store)
    monkeypatch.setattr(sdk_core_logger, "level", logging.DEBUG)
    monkeypatch.setattr(sdk_core_logger, "handlers", [caplog.handler])
    sdk_core_logger._cache.clear()  # of what is enabled
    sdk_core_logger.set_log_level(LogLevel.LOG_DEBUG_ALL.mask)
    message = f"The secret {SECRET} of {KEY_ID} is wrong."
    on.ark.faults.add(CallFault(route="GetBatchInferenceJob", status=400, code="X", message=message))

    with pytest.raises(ProviderRejected) as refusal:
        adapter.status(GONE)
    adapter.submit(ark_request("job"))

    written = caplog.text + "".join(capsys.readouterr()) + str(refusal.value) + repr(refusal.value.__cause__)
    assert SECRET not in written
    assert KEY_ID not in written
    assert "Authorization" not in written
    assert "*** of *** is wrong" in str(refusal.value)


def test_the_sdk_leaves_urllib3s_logger_and_the_process_alone(
    on: ArkOnThisMachine, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("urllib3")
    caplog.set_level(logging.INFO, "urllib3")
    monkeypatch.setattr(Configuration, "_default", None)  # as if it were the first of the process

    def now() -> tuple[object, ...]:
        return list(logger.handlers), logger.level, logger.propagate, threading.active_count()

    before = now()

    open_adapter(on.ark.url, on.store)

    assert now() == before


@pytest.mark.parametrize("missing", ["access_key_id", "secret_access_key", "bucket"])
def test_without_a_key_or_a_bucket_nothing_is_opened(on: ArkOnThisMachine, missing: str) -> None:
    with pytest.raises(ConfigurationError, match=r"The operator must set (ARK_|TOS_)"):
        open_adapter(on.ark.url, on.store, **{missing: ""})
