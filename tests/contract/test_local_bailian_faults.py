"""Every fault the local Bailian can be asked for, and what it tells the world when a batch ends."""

from __future__ import annotations

import errno
import json
import logging
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.batches.batch_events import FinishedBatch, batch_event, render_batch_event
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.bailian.service_faults import BatchFault
from tests.support.bailian_requests import wait_for
from tests.support.bailian_wire import KEY, StoppedClock, Wire, ids_of, rows
from tests.support.waiting import PATIENCE_S


@pytest.fixture
def finished() -> list[FinishedBatch]:
    return []


@pytest.fixture
def local(tmp_path: Path, finished: list[FinishedBatch]) -> Iterator[LocalBailian]:
    with LocalBailian(tmp_path, KEY, clock=StoppedClock(), on_finished=finished.append) as local:
        yield local


@pytest.fixture
def wire(local: LocalBailian) -> Wire:
    return Wire(local)


@contextmanager
def receiver() -> Iterator[tuple[str, list[bytes]]]:
    """A callback URL, and the bodies that were posted to it."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/callback", bodies
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_expired_batch_keeps_what_was_answered_and_says_nothing_of_the_rest(
    local: LocalBailian, wire: Wire
) -> None:
    local.faults.add(BatchFault(outcome="expire"))

    batch = wire.ended(wire.create(*rows(10)))

    assert batch["status"] == "expired"
    assert batch["expired_at"]
    assert len(wire.lines(batch["output_file_id"])) == 5
    assert batch["error_file_id"] is None


def test_an_expired_batch_can_report_its_unprocessed_rows(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(outcome="expire", after_rows=3, report_unprocessed=True))

    batch = wire.ended(wire.create(*rows(10)))

    assert len(wire.lines(batch["output_file_id"])) == 3
    assert {line["error"]["code"] for line in wire.lines(batch["error_file_id"])} == {"batch_expired"}
    assert batch["request_counts"] == {"total": 10, "completed": 3, "failed": 7}


def test_a_batch_can_be_cancelled_half_way(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(outcome="cancel"))

    batch = wire.ended(wire.create(*rows(10)))

    assert batch["status"] == "cancelled"
    assert len(wire.lines(batch["output_file_id"])) == 5
    assert len(wire.lines(batch["error_file_id"])) == 5


def test_half_of_the_rows_can_fail_in_both_files(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(outcome="half_fail"))

    batch = wire.ended(wire.create(*rows(8)))

    output, errors = wire.lines(batch["output_file_id"]), wire.lines(batch["error_file_id"])
    statuses = Counter(line["response"]["status_code"] for line in output)
    assert batch["status"] == "completed"
    assert statuses == {200: 4, 500: 2}
    assert len(errors) == 2
    assert batch["request_counts"] == {"total": 8, "completed": 6, "failed": 2}


def test_a_batch_can_fail_validation_for_any_reason(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(outcome="fail", fail_code="batch_quota_exceeded", fail_message="Later."))

    batch = wire.ended(wire.create(*rows(1)))

    assert batch["status"] == "failed"
    assert batch["errors"] == {
        "object": "list",
        "data": [{"code": "batch_quota_exceeded", "message": "Later.", "param": None, "line": None}],
    }


def test_result_lines_can_be_lost_repeated_and_invented(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(lose_lines=2, repeat_lines=1, unknown_lines=1))

    batch = wire.ended(wire.create(*rows(10)))

    counts = Counter(ids_of(wire.lines(batch["output_file_id"])))
    assert len([name for name in counts if name.startswith("row-")]) == 8
    assert counts["unknown-1"] == 1
    assert sorted(counts.values())[-2:] == [1, 2]
    assert batch["request_counts"] == {"total": 10, "completed": 10, "failed": 0}


def test_the_output_file_can_be_late(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(late_output_gets=2))
    batch = wire.create(*rows(1))

    first = wire.ended(batch)

    assert (first["status"], first["output_file_id"]) == ("completed", None)
    assert wire.batch(batch)["output_file_id"] is None
    assert wire.batch(batch)["output_file_id"] is not None


def test_the_output_file_can_be_named_and_missing(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(missing_output=True))

    batch = wire.ended(wire.create(*rows(1)))

    assert wire.call("GET", f"/files/{batch['output_file_id']}/content").status_code == 404


def test_a_new_batch_can_be_unknown_and_unlisted_for_a_while(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(unseen_gets=2, unlisted_lists=1))
    batch = wire.create(*rows(1))

    statuses = [wire.call("GET", f"/batches/{batch['id']}").status_code for _ in range(3)]

    assert statuses == [404, 404, 200]
    assert wire.get("/batches")["data"] is None
    assert wire.get("/batches")["data"][0]["id"] == batch["id"]


def test_the_connection_can_be_cut_after_the_creation(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(cut_connection=True))

    with pytest.raises(requests.ConnectionError):
        wire.create(*rows(1), name="cut")

    assert wire.get("/batches", ds_name="cut")["data"][0]["metadata"] == {"ds_name": "cut"}


def test_a_status_can_be_a_word_nobody_knows(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(odd_status="pondering", odd_status_gets=2))
    batch = wire.create(*rows(1))

    assert [wire.batch(batch)["status"] for _ in range(2)] == ["pondering"] * 2
    assert wire.ended(batch)["status"] == "completed"


def test_a_fault_for_a_name_spares_the_others_and_is_used_up(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(match="shard-7", times=2, outcome="fail"))

    names = ("shard-1", "a-shard-7-b", "shard-7", "shard-7")
    statuses = [wire.ended(wire.create(*rows(1), name=name))["status"] for name in names]

    assert statuses == ["completed", "failed", "failed", "completed"]


def test_a_fault_without_an_end_hits_all_until_it_is_cleared(local: LocalBailian, wire: Wire) -> None:
    local.faults.add(BatchFault(times=None, outcome="fail"))
    hit = [wire.ended(wire.create(*rows(1)))["status"] for _ in range(3)]
    local.faults.clear()

    assert hit == ["failed"] * 3
    assert wire.ended(wire.create(*rows(1)))["status"] == "completed"


def test_calls_can_fail_before_or_after_they_are_carried_out(local: LocalBailian, wire: Wire) -> None:
    file_id = wire.upload(b"{}\n")
    local.faults.add(CallFault(route="files.retrieve", status=429, times=2))
    before = [wire.call("GET", f"/files/{file_id}").status_code for _ in range(3)]
    local.faults.add(CallFault(route="files.delete", after=True))
    after = wire.call("DELETE", f"/files/{file_id}").status_code

    assert before == [429, 429, 200]
    assert after == 500
    assert wire.call("GET", f"/files/{file_id}").status_code == 404


def test_faults_can_be_set_over_http_with_the_key_only(local: LocalBailian, wire: Wire) -> None:
    url = local.base_url.replace("/compatible-mode/v1", "/_faults")
    order: dict[str, Any] = {"batches": [{"outcome": "expire"}], "calls": [{"route": "files.list"}]}
    headers = {"Authorization": f"Bearer {KEY}"}

    assert requests.post(url, json=order, timeout=PATIENCE_S).status_code == 401
    assert (
        requests.post(url, json={"batches": [{"typo": 1}]}, headers=headers, timeout=PATIENCE_S).status_code
        == 400
    )
    assert requests.post(url, json=order, headers=headers, timeout=PATIENCE_S).json() == {"paused": False}
    assert wire.call("GET", "/files").status_code == 500
    assert wire.ended(wire.create(*rows(2)))["status"] == "expired"
    requests.post(url, json={"clear": True, "paused": True}, headers=headers, timeout=PATIENCE_S)
    assert local.faults.paused


def test_a_fault_of_a_batch_survives_a_restart(tmp_path: Path) -> None:
    local = LocalBailian(tmp_path, KEY)
    with local:
        local.faults.add(BatchFault(outcome="expire", after_rows=1))
        local.faults.paused = True
        batch = Wire(local).create(*rows(4))

    local.faults.paused = False
    with local:
        assert Wire(local).ended(batch)["status"] == "expired"


@pytest.mark.parametrize("times", [0, 1, 2])
def test_the_callback_is_posted_as_often_as_asked(local: LocalBailian, wire: Wire, times: int) -> None:
    local.faults.add(BatchFault(callbacks=times))

    with receiver() as (url, bodies):
        metadata = {"ds_name": "job", "ds_batch_finish_callback": url}
        batch = wire.ended(wire.create(*rows(1), metadata=metadata))
        wait_for(lambda: len(bodies) == times)

        local.stop()

        assert len(bodies) == times
        for body in map(json.loads, bodies):
            assert (body["id"], body["status"], body["metadata"]) == (batch["id"], "completed", metadata)


def test_a_callback_url_that_does_not_answer_harms_nothing_and_is_only_noted(
    local: LocalBailian, wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    metadata = {"ds_batch_finish_callback": "http://127.0.0.1:9/nobody"}

    assert wire.ended(wire.create(*rows(1), metadata=metadata))["status"] == "completed"
    assert wire.ended(wire.create(*rows(1)))["status"] == "completed"
    local.stop()
    (failed,) = (record for record in caplog.records if record.message == "callback.failed")
    assert failed.levelno == logging.INFO  # a terminal shows warnings
    assert (vars(failed)["error"], vars(failed)["errno"]) == ("ConnectionError", errno.ECONNREFUSED)
    assert "nobody" not in str(vars(failed))


@pytest.mark.parametrize(
    ("fault", "word"),
    [
        (BatchFault(), "SUCCEEDED"),
        (BatchFault(outcome="fail"), "FAILED"),
        (BatchFault(outcome="expire"), "FAILED"),
        (BatchFault(outcome="cancel"), "CANCELED"),
    ],
)
def test_every_end_is_announced_as_a_cloud_event(
    local: LocalBailian, wire: Wire, finished: list[FinishedBatch], fault: BatchFault, word: str
) -> None:
    local.faults.add(fault)
    batch = wire.ended(wire.create(*rows(2)))
    wait_for(lambda: finished)

    event = batch_event(finished[0])

    assert json.loads(render_batch_event(finished[0])) == event
    assert finished[0].json == batch
    assert (event["source"], event["type"]) == ("acs.dashscope", "dashscope:System:BatchTaskFinish")
    assert event["time"] == "2026-04-17T08:26:34.000Z"
    assert event["data"]["task_id"] == batch["id"]
    assert event["data"]["task_status"] == word
    assert event["data"]["end_time"] == "2026-04-17 16:26:34"


def test_an_announcement_can_come_twice_with_the_same_id(
    local: LocalBailian, wire: Wire, finished: list[FinishedBatch]
) -> None:
    local.faults.add(BatchFault(events=2))

    wire.create(*rows(1))
    wait_for(lambda: len(finished) == 2)

    assert batch_event(finished[0]) == batch_event(finished[1])


def test_a_listener_that_fails_does_not_stop_the_service(tmp_path: Path) -> None:
    def fail(_: FinishedBatch) -> None:
        raise RuntimeError

    with LocalBailian(tmp_path, KEY, on_finished=fail) as local:
        wire = Wire(local)

        assert wire.ended(wire.create(*rows(1)))["status"] == "completed"
        assert wire.ended(wire.create(*rows(1)))["status"] == "completed"
