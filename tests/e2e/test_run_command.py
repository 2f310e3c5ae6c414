"""``scripts/batchdrop run`` as people run it: it starts what is needed, and Ctrl-C is safe."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.data_lock import is_locked
from scripts.localcloud.terminal.answerer_warnings import answerer_warnings
from scripts.localcloud.terminal.command_line import parse_options
from scripts.operate.__main__ import main
from tests.support.bailian_requests import wait_for
from tests.support.processes import read_until, started
from tests.support.upstream_server import Reply, UpstreamServer
from tests.support.waiting import PATIENCE_S

ROWS = 40


@pytest.fixture
def upstream() -> Iterator[UpstreamServer]:
    """Answers when the test lets it."""
    upstream = UpstreamServer()
    upstream.gate.clear()
    yield upstream
    upstream.close()


PROGRAM = ("-m", "scripts.operate")
# The same, but that it would wait an hour for the rows that are being asked.
PATIENT = """
import functools, runpy
from scripts.localcloud.answers import upstream

upstream.Upstream = functools.partial(upstream.Upstream, patience_s=3600)
runpy.run_module("scripts.operate", run_name="__main__", alter_sys=True)
"""


def run(
    table: Path, data: Path, upstream: str, *options: str, program: tuple[str, str] = PROGRAM
) -> AbstractContextManager[subprocess.Popen[str]]:
    command = [sys.executable, *program, "run", str(table), "--data", str(data), "--upstream", upstream]
    env = {name: value for name, value in os.environ.items() if name != "BUCKET_NAME"}
    return started([*command, *options], env=env, stderr=subprocess.STDOUT)


def told(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, _ = process.communicate(timeout=PATIENCE_S)
    return [json.loads(line) for line in out.splitlines()]


def test_a_second_interrupt_waits_for_no_row(tmp_path: Path, upstream: UpstreamServer) -> None:
    table = tmp_path / "reviews.csv"
    table.write_text("".join(f"{n},hello {n}\n" for n in range(ROWS)), encoding="utf-8")
    with run(table, tmp_path / "data", upstream.url, program=("-c", PATIENT)) as process:
        wait_for(lambda: upstream.open_calls)
        process.send_signal(signal.SIGINT)
        read_until(process, "Waiting up to 30 s")
        process.send_signal(signal.SIGTERM)

        assert process.wait(PATIENCE_S) == 130
    assert upstream.open_calls, "it has waited for the row"


def test_a_run_that_is_interrupted_goes_on_with_the_same_command_and_pays_once(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    table, data = tmp_path / "reviews.csv", tmp_path / "my data"
    table.write_text("".join(f"{n},hello {n}\n" for n in range(ROWS)), encoding="utf-8")
    with run(table, data, upstream.url, "--json") as first:
        assert first.stdout is not None
        assert any(is_running(line) for line in iter(first.stdout.readline, ""))
        first.send_signal(signal.SIGINT)
        upstream.gate.set()
        *_, interrupted = told(first)

    assert (first.returncode, interrupted["exit_code"]) == (130, 130)
    assert interrupted["error"]["code"] == "interrupted"
    assert not is_locked(data)

    with run(table, data, upstream.url, "--json") as second:
        *_, done = told(second)

    assert (second.returncode, done["job"]["by_status"]) == (0, {"answered": ROWS})
    result = Path(done["result"]).read_text(encoding="utf-8-sig")
    assert "HELLO 7" in result
    assert len(upstream.asked) == ROWS, "no row is asked twice"

    assert batches(data) == 1


def is_running(line: str) -> bool:
    """Whether it tells of a batch."""
    told = json.loads(line)
    return told["event"] == "progress" and bool(told["job"]["batches"])


def batches(data: Path) -> int:
    """That the local Bailian was ever asked for in this folder."""
    key = own_keys(data).api_key
    with LocalBailian(data, key) as bailian:
        client = OpenAI(base_url=bailian.base_url, api_key=key)
        return len(client.batches.list(limit=100).data or [])


def test_a_folder_that_somebody_else_answered_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Made-up answers must not stand beside paid ones, nor a batch be asked for where it is not."""
    data = tmp_path / "data"
    table = tmp_path / "reviews.csv"
    table.write_text("1,hello\n", encoding="utf-8")
    [*answerer_warnings(parse_options(["--data", str(data), "--upstream", "http://127.0.0.1:9/v1"], {}))]

    status = main(["run", str(table), "--data", str(data)], {})

    assert status == 1
    assert "[answered_otherwise]" in (told := capsys.readouterr().err)
    assert "http://127.0.0.1:9/v1" in told
    assert not (data / "batchdrop").exists()


ASKED_AGAIN = """model: qwen-flash
classify: {column: text, labels: [good, bad]}
until_fits: {times: 1}
"""


def test_rows_whose_answers_do_not_fit_are_asked_again_alone(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    upstream.reply = lambda last: said("so so" if last.endswith("wrong at first") else "good")
    upstream.gate.set()
    (tmp_path / "batch.yaml").write_text(ASKED_AGAIN, encoding="utf-8")
    table = tmp_path / "reviews.csv"
    table.write_text("id,text\n1,fine\n2,wrong at first\n3,fine too\n", encoding="utf-8")

    with run(table, tmp_path / "data", upstream.url, "--json") as process:
        *_, done = told(process)

    with Path(done["result"]).open(encoding="utf-8-sig", newline="") as result:
        rows = [(row["label"], row["attempt"], row["error_code"]) for row in csv.DictReader(result)]
    assert rows == [("good", "1", ""), ("good", "2", ""), ("good", "1", "")]
    assert [len(body["messages"]) for _, _, body in upstream.seen].count(3) == 1
    assert len(upstream.seen) == 4
    assert 'label: "so so" is not one of' in upstream.asked[-1]


def said(label: str) -> Reply:
    message = {"role": "assistant", "content": json.dumps({"label": label})}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return 200, json.dumps({"id": "c", "model": "m", "created": 1, "choices": [choice]}).encode()
