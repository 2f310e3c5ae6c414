"""Five jobs that an older version left half-done are finished by this one."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import CloudOptions
from tests.e2e.conftest import RunningCloud
from tests.e2e.half_done import BUCKET, FILES, forget_submission, open_half_done
from tests.support.waiting import wait_until

PARAMETERS = {"ReadyOverdueS": "3", "PollAfterS": "3", "FinishedOverdueS": "3", "ResultsLateS": "3"}
JOBS = {name.removesuffix(".jsonl").removesuffix("/names.csv"): name for name in FILES if "yaml" not in name}
ANSWER = '{"mood": "=good"}'


def job_ids(bucket_dir: Path) -> dict[str, str]:
    """The five jobs by the state in which they were stopped."""
    plans = [json.loads(path.read_bytes()) for path in bucket_dir.glob("jobs/*/plan.json")]
    states = {f"inbox/{name}": state for state, name in JOBS.items()}
    return {states[plan["source"]["key"]]: plan["job_id"] for plan in plans}


def files_in(bucket_dir: Path, folder: str) -> list[str]:
    """The shards, such as ``<job>/1-00001``, that have a ticket or a mark in a folder."""
    return sorted("/".join(path.parts[-2:]) for path in (bucket_dir / folder).rglob("*") if path.is_file())


def batches_in(data_dir: Path) -> dict[str, str]:
    """Every batch that the provider was ever asked for: id and name."""
    with closing(sqlite3.connect(data_dir / ".localcloud" / "bailian" / "bailian.sqlite3")) as bailian:
        return dict(bailian.execute("SELECT id, name FROM batches").fetchall())


def test_the_recorded_folder_holds_a_job_in_each_of_five_states(tmp_path: Path) -> None:
    open_half_done(tmp_path)
    bucket_dir = tmp_path / BUCKET

    ids = job_ids(bucket_dir)

    assert set(ids) == set(JOBS)
    first = {state: f"{job_id}/1-00001" for state, job_id in ids.items()}
    second = f"{ids['running']}/1-00002"
    assert files_in(bucket_dir, "ready") == sorted([first["unsubmitted"], first["waiting"]])
    assert files_in(bucket_dir, "waiting") == [first["waiting"]]
    assert files_in(bucket_dir, "running") == sorted([first["running"], second, first["finished"]])
    assert files_in(bucket_dir, "finished") == [first["finished"]]
    assert [path.parent.name for path in bucket_dir.glob("jobs/*/ledger.json")] == [ids["closed"]]
    assert not (bucket_dir / "jobs" / first["unsubmitted"]).exists()
    names = {f"batchdrop-{each.replace('/', '-')}" for each in (*first.values(), second)}
    unsent = {f"batchdrop-{first[state].replace('/', '-')}" for state in ("unsubmitted", "waiting")}
    assert sorted(batches_in(tmp_path).values()) == sorted(names - unsent)


def test_five_half_done_jobs_of_an_older_version_are_finished_and_nothing_is_sent_twice(
    tmp_path: Path,
) -> None:
    open_half_done(tmp_path)
    bucket_dir = tmp_path / BUCKET
    ids, sent = job_ids(bucket_dir), batches_in(tmp_path)
    # One more state: a batch was created under a claim, and nothing of it was written.
    forget_submission(tmp_path, f"{ids['running']}/1-00002", like=f"{ids['waiting']}/1-00001")
    closed = {path.name: path.read_bytes() for path in (bucket_dir / "results" / "closed").iterdir()}
    options = CloudOptions(tmp_path, workers=1, timer_interval_s=1.0, parameters=PARAMETERS)

    with LocalCloud(options) as local_cloud:
        cloud = RunningCloud(local_cloud)
        reports = {state: bucket_dir / f"results/{_stem(name)}.report.json" for state, name in JOBS.items()}
        for state, path in reports.items():
            wait_until(path.exists, f"the job that was {state} does not end; {cloud.board()}")
        cloud.wait_until_quiet()
        wait_until(lambda: not files_in(bucket_dir, "waiting"), "somebody still waits")
        assert local_cloud.invoker.dead_letters == ()

    ledgers = {state: json.loads(path.read_bytes()) for state, path in reports.items()}
    assert {state: ledger["job_id"] for state, ledger in ledgers.items()} == ids
    assert {state: ledger["by_status"] for state, ledger in ledgers.items()} == {
        "closed": {"answered": 2},
        "finished": {"answered": 2},
        "running": {"answered": 101},
        "waiting": {"answered": 2},
        "unsubmitted": {"answered": 2, "refused": 1},
    }
    check_batches(sent, batches_in(tmp_path), ledgers)
    check_results(bucket_dir / "results")
    assert closed == {path.name: path.read_bytes() for path in (bucket_dir / "results" / "closed").iterdir()}


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def check_batches(
    sent: dict[str, str], sent_in_all: dict[str, str], ledgers: dict[str, dict[str, object]]
) -> None:
    """Each shard was sent once, by one of the versions, and each batch is in its job's ledger."""
    assert len(sent_in_all) == 6
    assert max(Counter(sent_in_all.values()).values()) == 1
    assert sent.items() <= sent_in_all.items()
    billed = [batch for ledger in ledgers.values() for batch in ledger["batches"]]  # type: ignore[attr-defined]
    assert sorted(billed) == sorted(sent_in_all)


def check_results(results: Path) -> None:
    def table(name: str) -> list[dict[str, str]]:
        text = (results / name).read_bytes().decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    shown = ("name", "status", "content", "error_code", "mood")
    bob = ("Bob", "answered", "no JSON", "answer_not_json", "")
    expected = [("Ada", "answered", ANSWER, "", "'=good"), bob]
    assert [tuple(row[key] for key in shown) for row in table("closed/names.csv")] == expected
    unsubmitted = [tuple(row[key] for key in shown) for row in table("unsubmitted/names.csv")]
    assert unsubmitted == [*expected, ("Eve", "refused", "", "ragged_row", "")]
    lines = (results / "finished" / "names.jsonl").read_bytes().split(b"\n")[:-1]
    rows = [json.loads(line) for line in lines]
    assert [(row["name"], row["content"], row["mood"]) for row in rows] == [
        ("Ada", ANSWER, "=good"),
        ("Bob", "no JSON", None),
    ]
    for name, count in (("running.csv", 101), ("waiting.csv", 2)):
        assert [(row["custom_id"], row["content"]) for row in table(name)] == [
            (f"q-{number}", "This is a test result.") for number in range(count)
        ]
