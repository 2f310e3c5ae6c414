"""The local Bailian as the OpenAI SDK and plain HTTP see it: the recorded wire and each fault."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import openai
import pytest
import requests

from scripts.localcloud.answers.built_in_answers import TEST_RESULT
from scripts.localcloud.answers.built_in_texts import answer_for, embedding_for
from scripts.localcloud.bailian.batches.batch_events import FinishedBatch
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.limits import DOCUMENTED_RATES, AccountLimits
from scripts.localcloud.bailian.local_bailian import LocalBailian
from shared.ports.profile import CHAT, EMBEDDINGS
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from tests.support.bailian_requests import chat_line, wait_for
from tests.support.bailian_wire import KEY, StoppedClock, Wire, ids_of, rows

BATCH_FIELDS = [
    "id", "object", "endpoint", "errors", "input_file_id", "completion_window", "status", "output_file_id",
    "error_file_id", "created_at", "in_progress_at", "expires_at", "finalizing_at", "completed_at", "failed_at",
    "expired_at", "cancelling_at", "cancelled_at", "request_counts", "metadata",
]  # fmt: skip


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def finished() -> list[FinishedBatch]:
    return []


@pytest.fixture
def local(tmp_path: Path, clock: StoppedClock, finished: list[FinishedBatch]) -> Iterator[LocalBailian]:
    with LocalBailian(tmp_path, KEY, clock=clock, on_finished=finished.append) as local:
        yield local


@pytest.fixture
def wire(local: LocalBailian) -> Wire:
    return Wire(local)


def test_the_openai_sdk_goes_from_file_to_answers(local: LocalBailian) -> None:
    sdk = openai.OpenAI(base_url=local.base_url, api_key=KEY, max_retries=0)
    uploaded = sdk.files.create(file=("in.jsonl", b"".join(rows(3))), purpose="batch")
    batch = sdk.batches.create(input_file_id=uploaded.id, endpoint=CHAT, completion_window="24h")

    ended = wait_for(
        lambda: found if (found := sdk.batches.retrieve(batch.id)).status == "completed" else None
    )
    answers = {
        line["custom_id"]: line["response"]["body"]["choices"][0]["message"]["content"]
        for line in map(json.loads, sdk.files.content(ended.output_file_id or "").text.strip().split("\n"))
    }

    assert answers == {f"row-{number}": answer_for(f"question {number}") for number in range(3)}
    assert [found.id for found in sdk.batches.list()] == [batch.id]


@pytest.mark.parametrize("path", ["/files", "/batches", "/batches/batch_x", "/files/x/content", "/nothing"])
def test_a_wrong_key_gets_the_platforms_own_error_shape(local: LocalBailian, path: str) -> None:
    answer = Wire(local, "sk-wrong").call("GET", path)

    assert answer.status_code == 401
    assert answer.json()["code"] == "InvalidApiKey"
    assert answer.json().keys() == {"code", "message", "request_id"}
    assert answer.headers["x-request-id"]


def test_an_uploaded_file_shows_the_recorded_fields(wire: Wire) -> None:
    answer = wire.call("POST", "/files", files={"file": ("in.jsonl", b"{}\n")}, data={"purpose": "batch"})
    uploaded = answer.json()

    assert uploaded["id"].startswith("file-batch-")
    assert len(uploaded["id"]) == len("file-batch-") + 24
    assert list(uploaded)[-1] == "status_details"
    assert wire.get(f"/files/{uploaded['id']}") == {
        "id": uploaded["id"],
        "object": "file",
        "bytes": 3,
        "filename": "in.jsonl",
        "purpose": "batch",
        "status": "processed",
        "created_at": 1776414394,
    }
    assert answer.headers["x-request-id"]


def test_a_wrong_purpose_gets_the_openai_error_shape_and_stores_nothing(wire: Wire) -> None:
    answer = wire.call("POST", "/files", files={"file": ("a", b"x")}, data={"purpose": "fine-tune"})

    assert answer.status_code == 400
    assert answer.json()["error"].keys() == {"message", "type", "param", "code"}
    assert wire.get("/files")["data"] == []


def test_a_deleted_file_is_gone(wire: Wire) -> None:
    file_id = wire.upload(b"{}\n")

    assert wire.call("DELETE", f"/files/{file_id}").json() == {
        "id": file_id,
        "object": "file",
        "deleted": True,
    }
    assert wire.call("DELETE", f"/files/{file_id}").status_code == 404
    assert wire.call("GET", f"/files/{file_id}").status_code == 404


def test_files_are_listed_in_pages_and_by_time_in_beijing(wire: Wire, clock: StoppedClock) -> None:
    first, second = wire.upload(b"1"), wire.upload(b"2")
    clock.time += timedelta(days=1)
    third = wire.upload(b"3")

    page = wire.get("/files", limit=2)

    assert ([found["id"] for found in page["data"]], page["has_more"]) == ([third, second], True)
    rest = wire.get("/files", limit=2, after=second)
    assert ([found["id"] for found in rest["data"]], rest["has_more"]) == ([first], False)
    assert len(wire.get("/files", create_before="2026-04-17 16:26:34")["data"]) == 2
    assert len(wire.get("/files", create_after="20260418")["data"]) == 1
    assert wire.get("/files", purpose="batch_output")["data"] == []
    assert wire.call("GET", "/files?create_after=yesterday").status_code == 400


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (AccountLimits(max_files=1), "Upload file number exceed limit."),
        (AccountLimits(max_total_bytes=5), "Upload file capacity exceed limit."),
    ],
)
def test_a_full_account_takes_no_more_files(tmp_path: Path, limits: AccountLimits, message: str) -> None:
    with LocalBailian(tmp_path, KEY, limits=limits) as local:
        wire = Wire(local)
        wire.upload(b"123")

        answer = wire.call("POST", "/files", files={"file": ("a", b"456")}, data={"purpose": "batch"})

        assert (answer.status_code, answer.json()["error"]["message"]) == (400, message)


def test_results_come_chunked_without_a_content_type_and_inputs_not_at_all(wire: Wire) -> None:
    batch = wire.create(*rows(2))

    answer = wire.call("GET", f"/files/{wire.ended(batch)['output_file_id']}/content")

    assert "Content-Type" not in answer.headers
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert wire.call("GET", f"/files/{batch['input_file_id']}/content").status_code == 400


def test_a_new_batch_shows_the_recorded_fields_in_their_order(local: LocalBailian, wire: Wire) -> None:
    local.faults.paused = True

    batch = wire.create(*rows(1), metadata={"ds_name": "测试任务", "job_id": "x" * 300})

    assert list(batch) == BATCH_FIELDS
    assert batch["status"] == "validating"
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert batch["metadata"] == {"ds_name": "测试任务", "job_id": "x" * 300}
    assert batch["created_at"] == 1776414394


def test_a_completed_batch_shows_the_recorded_oddities(wire: Wire) -> None:
    batch = wire.ended(wire.create(*rows(2)))

    assert batch["status"] == "completed"
    assert batch["expires_at"] is None
    assert batch["finalizing_at"] == batch["completed_at"] is not None
    assert batch["output_file_id"].startswith("file-batch_output-")
    assert batch["error_file_id"] is None
    assert batch["request_counts"] == {"total": 2, "completed": 2, "failed": 0}


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"endpoint": "/v1/chat/completion"}, "endpoint"),
        ({"completion_window": "23h"}, "completion_window"),
        ({"completion_window": "15d"}, "completion_window"),
        ({"completion_window": "1 day"}, "completion_window"),
        ({"completion_window": 24}, "completion_window"),
        ({"metadata": {"ds_name": "n" * 101}}, "metadata.ds_name"),
        ({"metadata": {"ds_description": "n" * 201}}, "metadata.ds_description"),
        ({"input_file_id": "file-batch-nothing"}, "input_file_id"),
        ({"input_file_id": "oss:cn-beijing:bucket/a.jsonl"}, "input_file_id"),
        ({"input_file_id": "https://bucket/a.jsonl"}, "input_file_id"),
        ({"input_file_id": None}, "input_file_id"),
    ],
)
def test_a_wrong_request_is_refused_at_once(wire: Wire, changes: dict[str, Any], param: str) -> None:
    body = {"input_file_id": wire.upload(*rows(1)), "endpoint": CHAT, "completion_window": "24h"}

    answer = wire.call("POST", "/batches", json=body | changes)

    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


@pytest.mark.parametrize("window", ["24h", "336h", "1d", "14d"])
def test_every_documented_window_is_taken(wire: Wire, window: str) -> None:
    assert wire.create(*rows(1), completion_window=window)["completion_window"] == window


@pytest.mark.parametrize(
    ("line", "code", "param"),
    [
        (chat_line("a", url="/v1/chat/completion"), "url_not_found", "url"),
        (chat_line("a", url=TEST_ENDPOINT), "mismatched_test_url", "url"),
        (chat_line("a", url=EMBEDDINGS), "mismatched_url", "url"),
        (chat_line("a", model="qwen-plus"), "mismatched_model", "body.model"),
        (chat_line("a", model="no-such-model"), "model_not_found", "body.model"),
        (chat_line("first"), "duplicate_custom_id", "custom_id"),
        (chat_line("i" * 257), "invalid_custom_id", "custom_id"),
        (chat_line("a", custom_id=7), "missing_required_parameter", "custom_id"),
        (chat_line("a", method="GET"), "invalid_method", "method"),
        (chat_line("a", body="text"), "missing_required_parameter", "body"),
        (chat_line("a", body={}), "missing_required_parameter", "body.model"),
        (b"{not json}\n", "invalid_json_line", None),
        (b"[1]\n", "invalid_json_line", None),
        (b"\xff\xfe\n", "invalid_json_line", None),
        (chat_line("a", "x" * 6 * 1024 * 1024), "line_too_large", None),
    ],
)
def test_a_bad_line_fails_the_whole_batch_and_names_its_line(
    wire: Wire, line: bytes, code: str, param: str | None
) -> None:
    batch = wire.ended(wire.create(chat_line("first"), b"\n", line, chat_line("last")))

    assert batch["status"] == "failed"
    assert batch["failed_at"]
    assert batch["request_counts"] == {"total": 0, "completed": 0, "failed": 0}
    assert (batch["output_file_id"], batch["error_file_id"]) == (None, None)
    (finding,) = batch["errors"]["data"]
    assert (finding["code"], finding["param"], finding["line"]) == (code, param, 3)


def test_an_empty_file_fails_the_batch(wire: Wire) -> None:
    assert wire.ended(wire.create(b"\n\n"))["errors"]["data"][0]["code"] == "empty_file"


def test_the_test_model_takes_a_hundred_lines_and_always_says_the_same(wire: Wire) -> None:
    lines = [chat_line(str(number), model=TEST_MODEL, url=TEST_ENDPOINT) for number in range(101)]

    taken = wire.ended(wire.create(*lines[:100], endpoint=TEST_ENDPOINT))
    refused = wire.ended(wire.create(*lines, endpoint=TEST_ENDPOINT))

    body = wire.lines(taken["output_file_id"])[0]["response"]["body"]
    assert body["choices"][0]["message"] == {"content": TEST_RESULT}
    assert body["usage"] == {"completion_tokens": 6, "prompt_tokens": 20, "total_tokens": 26}
    assert refused["errors"]["data"][0]["code"] == "too_many_requests"


def test_an_answer_carries_its_time_and_the_id_of_its_request(wire: Wire, clock: StoppedClock) -> None:
    clock.time += timedelta(hours=5)

    batch = wire.ended(wire.create(*rows(2)))

    lines = wire.lines(batch["output_file_id"])
    bodies = [line["response"]["body"] for line in lines]
    assert [body["created"] for body in bodies] == [int(clock.time.timestamp())] * 2
    assert [body["id"] for body in bodies] == [f"chatcmpl-{line['id']}" for line in lines]
    assert [line["response"]["request_id"] for line in lines] == [line["id"] for line in lines]
    assert len({line["id"] for line in lines}) == 2


def test_embeddings_get_the_vector_of_their_input(wire: Wire) -> None:
    body = {"model": "text-embedding-v4", "input": ["你好", "b"], "dimensions": 4}
    line = chat_line("e", url=EMBEDDINGS, body=body)

    batch = wire.ended(wire.create(line, endpoint=EMBEDDINGS))

    answer = wire.lines(batch["output_file_id"])[0]["response"]["body"]
    assert [vector["embedding"] for vector in answer["data"]] == [
        embedding_for("你好", 4),
        embedding_for("b", 4),
    ]


def test_marked_rows_fail_in_the_file_and_form_they_ask_for(wire: Wire) -> None:
    markers = ["fine", "[[fail:DataInspectionFailed]]", "[[refuse:400]]", "[[status:429]]", "[[lost]]"]
    batch = wire.ended(wire.create(*(chat_line(marker, marker) for marker in markers)))

    output = {line["custom_id"]: line for line in wire.lines(batch["output_file_id"])}
    errors = {line["custom_id"]: line for line in wire.lines(batch["error_file_id"])}

    assert output.keys() == {"fine", "[[status:429]]"}
    assert output["[[status:429]]"]["response"]["status_code"] == 429
    assert errors.keys() == {"[[fail:DataInspectionFailed]]", "[[refuse:400]]"}
    assert errors["[[fail:DataInspectionFailed]]"]["response"] is None
    assert errors["[[fail:DataInspectionFailed]]"]["error"]["code"] == "DataInspectionFailed"
    assert errors["[[refuse:400]]"]["response"]["status_code"] == 400
    assert batch["request_counts"] == {"total": 5, "completed": 3, "failed": 2}
    assert batch["error_file_id"].startswith("file-batch_output-")


def test_an_empty_list_has_null_for_data(wire: Wire) -> None:
    assert wire.get("/batches") == {
        "object": "list",
        "data": None,
        "first_id": None,
        "last_id": None,
        "has_more": False,
    }


def test_batches_are_listed_newest_first_in_pages(wire: Wire) -> None:
    ids = [wire.create(*rows(1))["id"] for _ in range(3)][::-1]

    first, last = wire.get("/batches", limit=2), wire.get("/batches", limit=2, after=ids[1])

    assert [batch["id"] for batch in first["data"]] == ids[:2]
    assert [batch["id"] for batch in last["data"]] == ids[2:]
    assert (first["first_id"], first["last_id"]) == (ids[0], ids[1])
    assert wire.get("/batches", after=ids[2])["data"] is None
    assert wire.call("GET", "/batches?limit=101").status_code == 400


def test_batches_are_filtered_by_name_file_status_and_time_in_beijing(
    wire: Wire, clock: StoppedClock
) -> None:
    one = wire.ended(wire.create(*rows(1), name="job-1"))
    clock.time += timedelta(hours=1)
    two = wire.ended(wire.create(b"bad\n", name="other-job-1-more"))

    def found(**params: str) -> list[str]:
        return [batch["id"] for batch in wire.get("/batches", **params)["data"] or ()]

    assert found(ds_name="job-1") == [two["id"], one["id"]]
    assert found(ds_name="job%1") == []
    assert found(input_file_ids=f"{one['input_file_id']},x") == [one["id"]]
    assert found(status="failed,expired") == [two["id"]]
    assert found(create_after="20260417162000", create_before="20260417170000") == [one["id"]]
    clock.time += timedelta(days=30)
    assert found() == [two["id"]]


def test_a_cancelled_batch_counts_its_unprocessed_rows_as_failed(local: LocalBailian, wire: Wire) -> None:
    local.faults.paused = True
    batch = wire.create(*rows(3))

    cancelling = wire.call("POST", f"/batches/{batch['id']}/cancel").json()
    ended = wire.ended(batch)

    assert (cancelling["status"], cancelling["cancelling_at"]) == ("cancelling", None)
    assert ended["status"] == "cancelled"
    assert ended["cancelling_at"] == ended["cancelled_at"] is not None
    assert ended["request_counts"] == {"total": 3, "completed": 0, "failed": 3}
    assert ended["output_file_id"] is None
    assert sorted(ids_of(wire.lines(ended["error_file_id"]))) == ["row-0", "row-1", "row-2"]
    assert wire.call("POST", f"/batches/{batch['id']}/cancel").status_code == 400


def test_a_batch_whose_window_has_passed_expires_with_what_is_done(
    local: LocalBailian, wire: Wire, clock: StoppedClock
) -> None:
    local.faults.paused = True
    batch = wire.create(*rows(2))
    clock.time += timedelta(hours=24)
    local.faults.paused = False

    ended = wire.ended(batch)

    assert (ended["status"], ended["output_file_id"]) == ("expired", None)


def test_progress_shows_in_the_counts_while_rows_are_answered(tmp_path: Path) -> None:
    with LocalBailian(tmp_path, KEY, batch_delay_s=20) as local:
        wire = Wire(local)
        batch = wire.create(*rows(40))

        def look() -> dict[str, Any] | None:
            seen = wire.batch(batch)
            return seen if 0 < seen["request_counts"]["completed"] < 40 else None

        seen = wait_for(look)

        assert (seen["status"], seen["request_counts"]["total"]) == ("in_progress", 40)


def test_unfinished_batches_have_a_limit_and_the_test_model_a_smaller_one(tmp_path: Path) -> None:
    with LocalBailian(tmp_path, KEY, limits=AccountLimits(max_unfinished=3)) as local:
        local.faults.paused = True
        wire = Wire(local)
        test_line = chat_line("a", model=TEST_MODEL, url=TEST_ENDPOINT)
        for _ in range(2):
            wire.create(test_line, endpoint=TEST_ENDPOINT)

        with pytest.raises(requests.HTTPError, match="429"):
            wire.create(test_line, endpoint=TEST_ENDPOINT)
        wire.create(*rows(1))
        with pytest.raises(requests.HTTPError, match="429"):
            wire.create(*rows(1))


def test_the_documented_rates_answer_429_when_they_are_switched_on(tmp_path: Path) -> None:
    with LocalBailian(tmp_path, KEY, limits=AccountLimits(rates=DOCUMENTED_RATES)) as local:
        wire = Wire(local)

        statuses = [wire.call("GET", "/batches").status_code for _ in range(101)]

        assert statuses == [200] * 100 + [429]
        assert wire.call("GET", "/batches/batch_x").status_code == 404


def test_unfinished_batches_go_on_after_a_restart(tmp_path: Path) -> None:
    local = LocalBailian(tmp_path, KEY, batch_delay_s=1.0)
    with local:
        wire = Wire(local)
        waiting = wire.create(*rows(1))
        started = wire.create(*rows(30))
        wait_for(lambda: wire.batch(started)["request_counts"]["completed"])
        wire.call("DELETE", f"/files/{started['input_file_id']}")

    with local:
        wire = Wire(local)
        ended = wire.ended(started)

        assert ended["request_counts"] == {"total": 30, "completed": 30, "failed": 0}
        assert sorted(ids_of(wire.lines(ended["output_file_id"]))) == sorted(
            f"row-{number}" for number in range(30)
        )
        assert wire.ended(waiting)["status"] == "completed"


def test_a_line_torn_by_a_crash_is_written_again(tmp_path: Path) -> None:
    local = LocalBailian(tmp_path, KEY)
    with local:
        local.faults.paused = True
        batch = Wire(local).create(*rows(2))
    work = tmp_path / ".localcloud" / "bailian" / "work"
    (work / f"{batch['id']}.output").write_bytes(b'{"custom_id": "row-0"}\n{"custom_id": "ro')

    local.faults.paused = False
    with local:
        wire = Wire(local)
        ended = wire.ended(batch)

        assert sorted(ids_of(wire.lines(ended["output_file_id"]))) == ["row-0", "row-1"]


def test_an_end_torn_by_a_crash_is_made_again(tmp_path: Path) -> None:
    local = LocalBailian(tmp_path, KEY)
    with local:
        wire = Wire(local)
        before = wire.ended(wire.create(*rows(3), chat_line("bad", "[[fail:X]]")))
    store = Database(tmp_path / ".localcloud" / "bailian")
    store.update_batch(before["id"], status="finalizing", output_file_id=None, error_file_id=None)
    store.close()

    with local:
        wire = Wire(local)
        after = wire.ended(before)

        assert after["request_counts"] == before["request_counts"]
        assert len(wire.lines(after["output_file_id"])) == 3
        assert ids_of(wire.lines(after["error_file_id"])) == ["bad"]
