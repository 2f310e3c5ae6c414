"""What becomes of a task of the local TI-ONE whose container is our runner, and what it tells."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from scripts.localcloud.answers.built_in_texts import answer_for
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.tione.tasks.task_faults import TaskFault
from tests.support.local_tione import TioneOnThisMachine, local_tione
from tests.support.processes import started
from tests.support.upstream_server import UpstreamServer
from tests.support.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[2]
HEARD = {"code": 0, "message": "success"}
FILES = ["", "errors.jsonl", "manifest.json", "results.jsonl"]


@pytest.fixture
def on(tmp_path: Path) -> Iterator[TioneOnThisMachine]:
    with local_tione(tmp_path) as on:
        yield on


def lines_of(on: TioneOnThisMachine, name: str = "results.jsonl") -> list[dict[str, Any]]:
    return [json.loads(line) for line in on.store.get(f"out/task/{name}").split(b"\n") if line]


def manifest_of(on: TioneOnThisMachine) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(on.store.get("out/task/manifest.json"))
    return manifest


def test_the_very_start_command_answers_every_row(on: TioneOnThisMachine) -> None:
    on.stage_rows("task", 20)

    ended = on.wait(on.create())

    assert ended["Status"] == "SUCCEED"
    assert on.keys("out/task/") == FILES
    said = {line["custom_id"]: line["response"]["body"] for line in lines_of(on)}
    assert said["7"]["choices"][0]["message"]["content"] == answer_for("row 7")
    assert len(said) == manifest_of(on)["succeeded"] == 20


def test_what_a_fault_leaves_of_the_output(on: TioneOnThisMachine) -> None:
    on.stage_rows("task", 6)
    on.tione.faults.add(TaskFault(tear_manifest=True, lose_lines=2, tear_line=True, late_describes=2))

    task_id = on.create()
    on.wait(task_id)  # the first that shows the end

    assert on.keys("out/task/") == [""]
    on.describe(task_id)
    assert on.keys("out/task/") == [""]
    on.describe(task_id)
    assert on.keys("out/task/") == FILES
    *whole, torn = on.store.get("out/task/results.jsonl").split(b"\n")
    assert [json.loads(line)["response"]["status_code"] for line in whole] == [200] * 3
    assert torn
    for cut in (torn, on.store.get("out/task/manifest.json")):
        with pytest.raises(json.JSONDecodeError):
            json.loads(cut)


@pytest.mark.parametrize(("fault", "files"), [({"lose_output": True}, [""]), ({"lose_manifest": True}, 3)])
def test_an_output_or_its_manifest_may_be_lost(
    on: TioneOnThisMachine, fault: dict[str, Any], files: Any
) -> None:
    on.stage_rows("task", 2)
    on.tione.faults.add(TaskFault(**fault))

    assert on.wait(on.create())["Status"] == "SUCCEED"

    expected = files if isinstance(files, list) else ["", "errors.jsonl", "results.jsonl"]
    assert on.keys("out/task/") == expected


@pytest.mark.parametrize(("outcome", "status"), [("kill", "FAILED"), ("stop", "STOPPED")])
def test_a_task_may_end_in_the_middle_of_its_rows(on: TioneOnThisMachine, outcome: Any, status: str) -> None:
    on.stage_rows("task", 20)
    on.tione.faults.add(TaskFault(outcome=outcome, after_rows=5, output_after_stop=True))

    ended = on.wait(on.create())

    assert ended["Status"] == status
    if outcome == "kill":
        assert ended["FailureReason"].endswith("exit code 137")
        assert on.keys("out/task/") == [""]
    else:
        assert len(lines_of(on)) == 5
        assert manifest_of(on)["complete"] is False


def test_a_paused_service_answers_no_row_and_its_tasks_can_be_stopped(on: TioneOnThisMachine) -> None:
    on.stage_rows("task", 3)
    on.tione.faults.paused = True
    task_id = on.create()
    on.wait(task_id, "RUNNING")

    on.call("StopBatchTask", BatchTaskId=task_id)

    assert on.wait(task_id)["Status"] == "STOPPED"


def test_the_model_server_has_another_model_in_place_of_one_that_is_called_so(on: TioneOnThisMachine) -> None:
    on.tione.faults.paused = True
    for name, model in (("one", "no-such-model"), ("two", "m")):
        on.stage_rows(name, 1, model=model)
        on.wait(on.create(name), "RUNNING")

    def served() -> list[str]:
        models = requests.get(f"{on.tione.model_url}/models", timeout=PATIENCE_S).json()["data"]
        return [each["id"] for each in models]

    wait_until(lambda: len(served()) == 2, "both containers to run")
    assert sorted(served()) == ["another-model", "m"]


def test_a_failure_before_it_runs_and_an_odd_status(on: TioneOnThisMachine) -> None:
    on.stage_rows("task", 3)
    on.tione.faults.add(TaskFault(outcome="fail", reason="no money", odd_status="DREAMING"))

    task_id = on.create()

    assert on.describe(task_id)["Status"] == "DREAMING"
    ended = on.wait(task_id)
    assert (ended["Status"], ended["FailureReason"]) == ("FAILED", "no money")


def test_rows_wait_for_an_upstream_that_is_down(tmp_path: Path, upstream: UpstreamServer) -> None:
    upstream.stop()
    with local_tione(tmp_path, upstream=Upstream(upstream.url)) as on:
        on.stage_rows("task", 3)
        task_id = on.create()
        on.wait(task_id, "RUNNING")
        upstream.start()
        on.wait(task_id)

        assert sorted(line["custom_id"] for line in lines_of(on)) == ["0", "1", "2"]
        assert sorted({*upstream.asked}) == ["row 0", "row 1", "row 2"]


def test_a_task_that_a_stop_interrupts_begins_afresh(tmp_path: Path) -> None:
    with local_tione(tmp_path) as on:
        on.stage_rows("task", 3)
        on.tione.faults.paused = True
        task_id = on.create()
        on.wait(task_id, "RUNNING")
        on.tione.stop()

        on.tione.faults.paused = False
        on.tione.start()

        assert on.wait(task_id)["Status"] == "SUCCEED"
        assert len(lines_of(on)) == 3


def test_it_goes_on_though_the_model_server_has_moved(tmp_path: Path) -> None:
    with local_tione(tmp_path) as before:
        before.stage_rows("task", 3)
        before.tione.faults.paused = True
        task_id = before.create()
        before.wait(task_id, "RUNNING")

    with local_tione(tmp_path) as on:
        assert on.wait(task_id)["Status"] == "SUCCEED"
        assert len(lines_of(on)) == 3


class Receiver:
    """What is called back."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.answers = [json.dumps(HEARD).encode()]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.heard.append(json.loads(body))
                answers = receiver.answers
                answer = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/callback"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.mark.parametrize("times", [0, 1, 2])
def test_its_end_is_told_as_often_as_is_asked_for(
    on: TioneOnThisMachine, receiver: Receiver, times: int
) -> None:
    on.stage("task")
    on.stage("next")
    on.tione.faults.add(TaskFault(callbacks=times))

    task_id = on.create("task", "true", CallbackUrl=receiver.url)
    on.wait(task_id)
    next_id = on.create("next", "exit 1", CallbackUrl=receiver.url)

    told = wait_until(
        lambda: receiver.heard[:] if any(each["id"] == next_id for each in receiver.heard) else None, "it"
    )
    wait_until(lambda: len([each for each in receiver.heard if each["id"] == task_id]) == times, "all")
    assert {each["projectName"] for each in told} == {"predict"}
    assert {each["id"]: each["code"] for each in receiver.heard} == {
        **({task_id: 0} if times else {}),
        next_id: 10002,
    }


def test_it_is_told_again_if_the_answer_is_not_the_documented_one(
    on: TioneOnThisMachine, receiver: Receiver
) -> None:
    receiver.answers.insert(0, b'{"ok": true}')
    on.stage("task")
    on.tione.faults.add(TaskFault(forged_callbacks=0))

    on.create("task", "true", CallbackUrl=receiver.url)

    assert on.tione.callbacks
    answers = on.tione.callbacks.answers
    assert wait_until(lambda: answers if len(answers) == 2 else None, "two") == [{"ok": True}, HEARD]


def test_somebody_else_may_tell_that_it_has_ended(on: TioneOnThisMachine, receiver: Receiver) -> None:
    on.stage("task")
    on.tione.faults.add(TaskFault(forged_callbacks=1, callbacks=0))

    task_id = on.create("task", "exec sleep 60", CallbackUrl=receiver.url)

    (told,) = wait_until(lambda: receiver.heard[:], "the forged call")
    assert (told["code"], told["id"] == task_id) == (0, False)
    assert on.describe(task_id)["Status"] == "RUNNING"


def serve_in(directory: str) -> None:
    """The service that is killed."""
    with local_tione(Path(directory)) as on:
        on.stage("task")
        on.create("task", "echo $$ > /opt/ml/output/pid; exec sleep 600")
        threading.Event().wait()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a container outlives a killed service")
def test_a_container_does_not_outlive_the_service(tmp_path: Path) -> None:
    def pid() -> int | None:
        found = [*tmp_path.glob(".localcloud/tione/work/*/ml/output/pid")]
        return int(found[0].read_text() or 0) if found else None

    command = [sys.executable, "-m", "tests.contract.test_tione_containers", str(tmp_path)]
    with started(command):
        container = wait_until(pid, "the container")

    def is_gone() -> bool:
        try:
            os.kill(container, 0)
        except ProcessLookupError:
            return True
        # Nobody may reap it here.
        return "Z" in Path(f"/proc/{container}/stat").read_text().rpartition(")")[2].split()[0]

    wait_until(is_gone, "the container to end")


if __name__ == "__main__":
    serve_in(sys.argv[1])
