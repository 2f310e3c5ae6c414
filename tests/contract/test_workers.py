from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from scripts.localcloud.fc.workers.pool import FunctionHost, InvocationResult, WorkerPool
from scripts.localcloud.fc.workers.process import WorkerFailed
from shared.runtime.custom.http_server import Request
from tests.support.localcloud_stand_in import spec_for
from tests.support.processes import started
from tests.support.waiting import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[2]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A zombie whose new parent has not collected it yet runs no more.
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] in {"Z", "X"})


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[WorkerPool]:
    with WorkerPool(spec_for(tmp_path), size=2) as pool:
        yield pool


@contextmanager
def hanging(pool: WorkerPool) -> Iterator[tuple[int, list[InvocationResult]]]:
    """An invocation that never ends by itself: its worker's process id, and its later result."""
    results: list[InvocationResult] = []
    thread = threading.Thread(target=lambda: results.append(pool.invoke(b"hang", "r-hang")))
    thread.start()
    wait_until(
        lambda: pool.spec.log_path.exists() and "hanging" in pool.spec.log_path.read_text(), "it to hang"
    )
    yield int(pool.spec.log_path.read_text().rpartition("hanging")[2].split()[0]), results
    thread.join(timeout=PATIENCE_S)
    assert not thread.is_alive()


def test_starts_no_process_before_the_first_invocation(pool: WorkerPool) -> None:
    before = pool.pids

    pool.invoke(b"hello", "r-1")

    assert before == []
    assert len(pool.pids) == 1


def test_returns_the_body_that_the_function_answers(pool: WorkerPool) -> None:
    result = pool.invoke("grüße 你好".encode(), "r-1")

    assert result.error_type is None
    assert result.status == 200
    assert result.body == "grüße 你好".encode().upper()


def test_tells_the_function_who_and_what_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "the person's own")
    spec = spec_for(tmp_path, environment={"BUCKET": "my-bucket"}, memory_mb=1024, security_token="sts")

    with WorkerPool(spec) as pool:
        about = json.loads(pool.invoke(b"about", "r-7").body)

    headers = {name.lower(): value for name, value in about["headers"].items()}
    assert headers["x-fc-request-id"] == "r-7"
    assert headers["x-fc-function-name"] == about["environment"]["FC_FUNCTION_NAME"] == "submit"
    assert headers["x-fc-function-handler"] == "functions.submit.index.handler"
    assert headers["x-fc-function-memory"] == "1024"
    assert headers["x-fc-security-token"] == "sts"
    assert headers["x-fc-access-key-id"] == about["environment"]["ALIBABA_CLOUD_ACCESS_KEY_ID"]
    assert headers["content-type"] == "application/octet-stream"
    assert about["environment"]["BUCKET"] == "my-bucket"
    assert "DASHSCOPE_API_KEY" not in about["environment"]


def test_an_exception_of_the_function_is_an_error_and_keeps_the_worker(pool: WorkerPool) -> None:
    pool.invoke(b"hello", "r-0")
    before = pool.pids

    result = pool.invoke(b"fail", "r-1")

    assert result.error_type == "UnhandledInvocationError"
    assert json.loads(result.body)["errorMessage"] == "something is wrong"
    assert pool.pids == before


def test_one_request_at_a_time_per_worker(pool: WorkerPool) -> None:
    with hanging(pool) as (busy_pid, results):
        others = {json.loads(pool.invoke(b"about", f"r-{number}").body)["pid"] for number in range(3)}
        pids = pool.pids
        pool.stop()

    assert len(others) == 1
    assert busy_pid not in others
    assert set(pids) == {busy_pid, *others}
    assert results[0].error_type == "CAExited"


def test_never_more_workers_than_its_size(tmp_path: Path) -> None:
    with WorkerPool(spec_for(tmp_path), size=2) as pool, ThreadPoolExecutor(8) as threads:
        bodies = list(threads.map(lambda number: pool.invoke(b"about", f"r-{number}").body, range(24)))

        assert {json.loads(body)["pid"] for body in bodies} == set(pool.pids)
        assert len(pool.pids) <= 2


def test_a_worker_over_the_timeout_is_killed_and_replaced(tmp_path: Path) -> None:
    with WorkerPool(spec_for(tmp_path, timeout_s=3.0), size=1) as pool:
        pool.invoke(b"hello", "r-0")
        (slow_pid,) = pool.pids

        late = pool.invoke(b"hang", "r-1")
        after = pool.invoke(b"hello", "r-2")

        assert late.error_type == "InvocationTimeout"
        assert json.loads(late.body)["errorMessage"] == "Function timed out after 3 seconds"
        assert not is_running(slow_pid)
        assert after.body == b"HELLO"


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="nobody says how much memory is in use")
def test_a_worker_over_its_memory_is_killed_and_replaced(tmp_path: Path) -> None:
    with WorkerPool(spec_for(tmp_path, memory_mb=200), size=1) as pool:
        hungry = pool.invoke(b"eat", "r-1")
        after = pool.invoke(b"hello", "r-2")

    assert hungry.error_type == "CAExited"
    assert "more than its 200 MB of memory" in json.loads(hungry.body)["errorMessage"]
    assert after.body == b"HELLO"


@pytest.mark.parametrize("event", [b"crash", b"half"])
def test_a_worker_that_dies_on_the_way_is_an_error_and_is_replaced(pool: WorkerPool, event: bytes) -> None:
    crashed = pool.invoke(event, "r-1")
    after = pool.invoke(b"hello", "r-2")

    assert crashed.error_type == "CAExited"
    assert after.body == b"HELLO"
    assert len(pool.pids) == 1


def test_a_worker_that_died_between_two_requests_is_nobodys_error(pool: WorkerPool) -> None:
    pool.invoke(b"hello", "r-1")
    (pid,) = pool.pids
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(worker.is_alive for worker in pool._workers), "the worker to die")

    result = pool.invoke(b"hello", "r-2")

    assert result.error_type is None
    assert pool.pids != [pid]


@pytest.mark.parametrize(
    ("source", "start_timeout_s", "words"),
    [
        ("raise SystemExit('no such handler')", PATIENCE_S, "exited with 1"),
        ("import time; time.sleep(60)", 0.4, "still runs"),
    ],
)
def test_a_worker_that_never_listens_is_an_error(
    tmp_path: Path, source: str, start_timeout_s: float, words: str
) -> None:
    with WorkerPool(spec_for(tmp_path, source=source), start_timeout_s=start_timeout_s) as pool:
        result = pool.invoke(b"hello", "r-1")

        assert result.error_type == "FunctionNotStarted"
        assert words in json.loads(result.body)["errorMessage"]
        assert pool.pids == []


def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with WorkerPool(spec_for(tmp_path, command=(str(tmp_path / "nothing"),))) as pool:
        assert pool.invoke(b"hello", "r-1").error_type == "FunctionNotStarted"


def test_output_and_errors_are_appended_to_the_functions_log(tmp_path: Path) -> None:
    spec = spec_for(tmp_path)
    spec.log_path.parent.mkdir()
    spec.log_path.write_text("from yesterday\n")

    with WorkerPool(spec) as pool:
        pool.invoke(b"hello", "r-1")

    lines = spec.log_path.read_text().split("\n")
    assert lines[:2] == ["from yesterday", "a line before the address"]
    assert lines[2].startswith("listening on http://127.0.0.1:")


def test_http_requests_pass_through_with_utf8_paths_and_binary_bodies(pool: WorkerPool) -> None:
    body = bytes(range(256)) * 40
    target = "/callback/%E4%BD%A0%E5%A5%BD%2F1?a=1&a=%20"

    response = pool.http(Request("POST", target, [("X-Own", "1"), ("Connection", "close")], body), "r-1")

    seen = json.loads(response.header("x-request") or "")
    assert response.status == 201
    assert response.body == body[::-1]
    assert seen["path"] == target
    assert ["X-Own", "1"] in seen["headers"]
    assert ["x-fc-request-id", "r-1"] in seen["headers"]
    assert [value for name, value in response.headers if name == "Set-Cookie"] == ["a=1", "b=2"]


def test_http_without_an_answer_says_why(tmp_path: Path) -> None:
    spec = spec_for(tmp_path, source="raise SystemExit(1)")

    with WorkerPool(spec) as pool, pytest.raises(WorkerFailed) as failure:
        pool.http(Request("GET", "/", [], b""), "r-1")

    assert failure.value.error_type == "FunctionNotStarted"


def test_stop_leaves_no_process_behind_and_ends_what_waits(tmp_path: Path) -> None:
    host = FunctionHost([spec_for(tmp_path, function="collect")])
    host.add(spec_for(tmp_path), size=1)
    host.invoke("collect", b"hello", "r-1")
    with hanging(host.pools["submit"]) as (pid, results), ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(host.invoke, "submit", b"hello", "r-2")
        pids = [pid, *host.pools["collect"].pids]

        host.stop()
        host.stop()

        assert waiting.result(timeout=PATIENCE_S).error_type in {"FunctionNotStarted", "CAExited"}
    assert len(pids) == 2
    assert not any(is_running(pid) for pid in pids)
    assert results[0].error_type == "CAExited"
    assert host.invoke("submit", b"hello", "r-3").error_type == "FunctionNotStarted"


def test_what_a_worker_started_ends_with_it(tmp_path: Path) -> None:
    source = "import subprocess\nchild = subprocess.Popen(['sleep', '60'])\nprint('child', child.pid, flush=True)\n"
    server = spec_for(tmp_path, function="server").command[-1]
    spec = spec_for(tmp_path, source=source + Path(server).read_text())

    with WorkerPool(spec) as pool:
        pool.invoke(b"hello", "r-1")
        child_pid = int(spec.log_path.read_text().partition("child ")[2].split()[0])
        was_running = is_running(child_pid)

    assert was_running
    wait_until(lambda: not is_running(child_pid), "the child to end with its worker")


PARENT = """
import sys, threading
from pathlib import Path
from scripts.localcloud.fc.workers.pool import WorkerPool
from tests.support.localcloud_stand_in import spec_for

if __name__ == "__main__":
    pool = WorkerPool(spec_for(Path(sys.argv[1])), size=2)
    for starter in [threading.Thread(target=pool.invoke, args=(b"hello", "r-1"))]:
        starter.start()
        starter.join()
    print(*pool.pids, flush=True)
    pool.invoke(b"hang", "r-2")
"""


@pytest.mark.parametrize(
    "ending",
    [
        signal.SIGINT,
        pytest.param(
            signal.SIGKILL, marks=pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
        ),
        pytest.param(
            signal.SIGTERM, marks=pytest.mark.skipif(sys.platform != "linux", reason="needs PR_SET_PDEATHSIG")
        ),
    ],
)
def test_workers_do_not_outlive_their_parent(tmp_path: Path, ending: signal.Signals) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}

    command = [sys.executable, str(script), str(tmp_path)]
    with started(command, env=environment, stderr=subprocess.PIPE) as parent:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        log = tmp_path / "logs" / "submit.log"
        wait_until(lambda: "hanging" in log.read_text(), "it to hang")
        were_running = all(is_running(pid) for pid in pids)

        parent.send_signal(ending)
        parent.wait(timeout=PATIENCE_S)

    assert were_running
    assert len(pids) == 1
    wait_until(lambda: not any(is_running(pid) for pid in pids), "the workers to end")
