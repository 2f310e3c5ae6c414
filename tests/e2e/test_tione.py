"""Files that tasks of TI-ONE answer, with our runner in each, over real HTTP."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from scripts.localcloud.answers.built_in_texts import answer_for
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import CloudOptions
from scripts.localcloud.tione.api.service import Habit
from scripts.localcloud.tione.tasks.task import STOPPED, Task
from scripts.localcloud.tione.tasks.task_faults import TaskFault
from tests.e2e.conftest import RunningCloud, wait_until
from tests.e2e.test_batchdrop_command import batchdrop

MODELS = {"bailian": "qwen-flash", "ark": "doubao-seed-2-1-pro-260628"}
ROWS = 5
TABLE = "".join(f"{line}\n" for line in ("name", *range(ROWS))).encode()
ANSWERS = [(str(row), "answered", answer_for(f"Say {row}")) for row in range(ROWS)]
HEARD = {"code": 0, "message": "success"}
# Of the first attempt alone.
FIRST = "-1-00001"
MANIFEST_TORN = TaskFault(match=FIRST, tear_manifest=True, forged_callbacks=2)
OUTPUT_LOST = TaskFault(match=FIRST, lose_output=True, callbacks=2)
HASH_WRONG = TaskFault(match=FIRST, lose_lines=2, callback_delay_s=1.0)
KILLED = TaskFault(match=FIRST, outcome="kill", after_rows=2)
STOPPED_HERE = TaskFault(match=FIRST, outcome="stop", after_rows=2, output_after_stop=True, callbacks=0)
ODD = [MANIFEST_TORN, OUTPUT_LOST, HASH_WRONG, KILLED, STOPPED_HERE]
ODD_IN_TRAINING = [OUTPUT_LOST, KILLED, STOPPED_HERE]


def recipe(provider: str, model: str) -> bytes:
    return f"provider: {provider}\nmodel: {model}\nprompt: 'Say {{{{ name }}}}'\n".encode()


def answers_of(cloud: RunningCloud, name: str) -> list[tuple[str, str, str]]:
    rows = cloud.wait_for_rows(f"results/{name}.csv")
    return [(row["name"], row["status"], row["content"]) for row in rows]


def report_of(cloud: RunningCloud, name: str) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(cloud.wait_for(f"results/{name}.report.json"))
    return report


def tasks_of(cloud: RunningCloud, report: dict[str, Any]) -> list[Task]:
    """In the order of their creation."""
    assert cloud.tione.store
    return [task for task in cloud.tione.store.jobs() if report["job_id"] in task.name]


def drop(cloud: RunningCloud, folder: str, provider: str = "tione") -> None:
    # A task that is held after some of its rows would hold those of others of its model.
    model = f"model-of-{folder.replace('/', '-')}" if provider == "tione" else MODELS[provider]
    cloud.drop(f"{folder}/batch.yaml", recipe(provider, model))
    cloud.drop(f"{folder}/rows.csv", TABLE)


def check_odd(cloud: RunningCloud, folders: list[str], odd: list[TaskFault]) -> None:
    """Each row is answered once, and every fault has struck the first task of a file."""
    assert cloud.tione.store
    struck = []
    for folder in folders:
        assert answers_of(cloud, f"{folder}/rows") == ANSWERS
        report = report_of(cloud, f"{folder}/rows")
        first, *others = tasks_of(cloud, report)
        struck.append(cloud.tione.store.fault_of(first.id))
        assert (report["adds_up"], bool(others)) == (True, struck[-1] != MANIFEST_TORN), struck[-1]
        assert sorted(report["batches"]) == sorted(task.id for task in (first, *others))
    assert {*struck} == {*odd}


def test_rows_of_a_task_that_goes_wrong_are_sent_again_and_none_comes_twice(cloud: RunningCloud) -> None:
    """While the other two providers answer files of the same bucket."""
    folders = [f"odd/{number}" for number, _ in enumerate(ODD)]
    cloud.tione.faults.add(*ODD)

    for folder in folders:
        drop(cloud, folder)
    for provider in ("bailian", "ark"):
        drop(cloud, f"odd/{provider}", provider)

    for provider in ("bailian", "ark"):
        assert answers_of(cloud, f"odd/{provider}/rows") == ANSWERS
    check_odd(cloud, folders, ODD)
    cloud.wait_until_quiet()
    assert cloud.tione.callbacks
    answers = cloud.tione.callbacks.answers
    assert answers == [HEARD] * len(answers) != []
    assert cloud.cloud.tencent
    bucket = cloud.cloud.tencent.cos.storage.layout.bucket_dir(cloud.cloud.tencent.bucket)
    assert [*bucket.rglob("*.jsonl")] == []


def test_a_cancelled_job_stops_its_task_once_that_can_be_stopped(cloud: RunningCloud) -> None:
    cloud.tione.faults.add(TaskFault(starting_looks=3))
    cloud.tione.faults.paused = True
    drop(cloud, "cancelled")
    wait_until(lambda: any(key.startswith("running/") for key in cloud.board()), "nothing runs")

    status, told = batchdrop(cloud, "cancel", "cancelled/rows.csv", "--wait", "60")

    assert status == 0, told
    assert {status for _, status, _ in answers_of(cloud, "cancelled/rows")} == {"cancelled"}
    (task,) = tasks_of(cloud, report_of(cloud, "cancelled/rows"))
    assert task.phase == STOPPED


def started(data_dir: Path, api: str) -> LocalCloud:
    """A cloud whose batch tasks are withdrawn."""
    quick = {"ReadyOverdueS": "1", "PollAfterS": "1", "ResultsLateS": "1", "FinishedOverdueS": "3"}
    options = CloudOptions(
        data_dir,
        providers=("bailian", "tione"),
        workers=1,
        timer_interval_s=0.5,
        scan_interval_s=0.3,
        parameters={**quick, "TioneApi": api},
    )
    cloud = LocalCloud(options)
    assert cloud.tencent
    cloud.tencent.tione.habits.add(Habit.BATCH_WITHDRAWN)
    return cloud


def board_of(cloud: RunningCloud) -> bytes:
    path = cloud.path("board.json")
    return path.read_bytes() if path.exists() else b""


def ask_again(cloud: RunningCloud) -> None:
    """As if the minutes had passed after which a refused shard is sent again."""
    (key,) = (key for key in cloud.board() if key.startswith("ready/"))
    ticket = json.loads(cloud.bucket.get_object(key).read())
    assert ticket["not_before"]
    cloud.bucket.put_object(key, json.dumps({**ticket, "not_before": None}))


def test_a_withdrawn_api_is_told_and_training_tasks_do_the_same(tmp_path: Path) -> None:
    with started(tmp_path, "batch") as before:
        cloud = RunningCloud(before)
        drop(cloud, "waits")
        wait_until(lambda: b"api_withdrawn" in board_of(cloud), "the board does not say why")
        _, told = batchdrop(cloud, "status", "waits/rows.csv")

    with started(tmp_path, "training") as after:
        cloud = RunningCloud(after)
        cloud.tione.faults.add(*ODD_IN_TRAINING)
        ask_again(cloud)
        for folder in ("odd/1", "odd/2"):
            drop(cloud, folder)

        check_odd(cloud, ["waits", "odd/1", "odd/2"], ODD_IN_TRAINING)
        families = {task.family for task in tasks_of(cloud, report_of(cloud, "waits/rows"))}

    assert "TIONE_API" in told
    assert families == {"training"}
