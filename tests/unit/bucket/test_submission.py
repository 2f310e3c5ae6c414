"""Submissions of an older version keep their meaning; commit c94d3d7 wrote these bytes."""

from __future__ import annotations

import json

import pytest

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import attempt_key
from shared.bucket.records.submission import Submission, SubmissionKind
from tests.support.builders import attempt
from tests.support.fakes import MemoryStore

# From the running job of tests/payloads/half-done-c94d3d7.
SENT = b"""{
 "batch_id": "batch_d7961450-aa47-4c2a-a877-2048699f68da",
 "batch_name": "batchdrop-6f5464a31c2cb515-1-00001",
 "submitted_at": "2026-11-26T11:24:21.088819Z",
 "deadline_at": "2026-11-28T11:24:21.088819Z",
 "rejected_code": "",
 "rejected_message": ""
}"""
REFUSED = b"""{
 "batch_id": null,
 "batch_name": "batchdrop-0123456789abcdef-1-00001",
 "submitted_at": "2026-11-21T09:00:00Z",
 "deadline_at": "2026-11-21T09:00:00Z",
 "rejected_code": "model_not_found",
 "rejected_message": "no such model"
}"""
TOO_LATE = """{
 "batch_id": null,
 "batch_name": "batchdrop-0123456789abcdef-1-00001",
 "submitted_at": "2026-11-21T09:00:00Z",
 "deadline_at": "2026-11-21T09:00:00Z",
 "rejected_code": "requests_removed",
 "rejected_message": "请求数据已被删除，因此没有提交，也没有产生费用。请告知运维人员，并重新放入一个包含这些行的文件。[requests_removed] / Its request was removed before it could be sent, so it was not sent and not paid. Tell the operator, and drop a file with these rows anew. [requests_removed]"
}""".encode()
CANCELLED = b"""{
 "batch_id": null,
 "batch_name": "batchdrop-0123456789abcdef-1-00001",
 "submitted_at": "2026-11-21T09:00:00Z",
 "deadline_at": "2026-11-21T09:00:00Z",
 "rejected_code": "cancelled",
 "rejected_message": "The job was cancelled before this was sent."
}"""
KEPT = b"""{
 "batch_id": null,
 "batch_name": "kept",
 "submitted_at": "2026-11-21T09:15:00Z",
 "deadline_at": "2026-11-21T09:15:00Z",
 "rejected_code": "kept",
 "rejected_message": ""
}"""


def read(content: bytes) -> Submission | None:
    store = MemoryStore()
    store.put(attempt_key(attempt(), "submission.json"), content)
    return BucketRecords(store).find_submission(attempt())


@pytest.mark.parametrize(
    ("content", "kind", "code"),
    [
        (SENT, SubmissionKind.BATCH, ""),
        (REFUSED, SubmissionKind.REFUSED, "model_not_found"),
        (TOO_LATE, SubmissionKind.REFUSED, "requests_removed"),
        (CANCELLED, SubmissionKind.CANCELLED, "cancelled"),
        (KEPT, SubmissionKind.KEPT, "kept"),
    ],
)
def test_a_record_of_an_older_version_says_its_kind(content: bytes, kind: SubmissionKind, code: str) -> None:
    submission = read(content)

    assert submission is not None
    assert (submission.kind, submission.rejected_code) == (kind, code)
    fields = json.loads(content)
    assert submission.model_dump(mode="json", include=set(fields)) == fields


@pytest.mark.parametrize("content", [SENT, REFUSED, TOO_LATE, CANCELLED, KEPT])
def test_a_record_is_the_same_after_it_was_written_by_this_version(content: bytes) -> None:
    submission = read(content)
    assert submission is not None

    again = read(submission.to_bytes())

    assert again is not None
    assert again.model_copy(update={"made_by": ""}) == submission


def test_a_provider_that_calls_its_refusal_cancelled_cancels_no_job() -> None:
    submission = read(REFUSED)
    assert submission is not None
    refused = submission.model_copy(update={"rejected_code": "cancelled"})

    again = read(refused.to_bytes())

    assert again is not None
    assert again.kind is SubmissionKind.REFUSED


@pytest.mark.parametrize("content", [b"[]", b"1", b'{"rejected_code": []}', b"{"])
def test_what_is_no_submission_is_none(content: bytes) -> None:
    assert read(content) is None


@pytest.mark.parametrize(
    ("content", "kind"), [(SENT, SubmissionKind.BATCH), (REFUSED, SubmissionKind.REFUSED)]
)
def test_a_kind_of_a_later_version_still_says_that_the_attempt_was_submitted(
    content: bytes, kind: SubmissionKind
) -> None:
    later = json.dumps({**json.loads(content), "kind": "priced"}).encode()

    submission = read(later)

    assert submission is not None
    assert submission.kind is kind
