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
from tests.e2e.conftest import RunningCloud
from tests.e2e.test_batchdrop_command import batchdrop
from tests.support.waiting import PATIENCE_S, wait_until

ROWS = 5
TABLE = "".join(f"{line}\n" for line in ("name", *range(ROWS))).encode()
ANSWERS = [(str(row), "answered", answer_for(f"Say {row}")) for row in range(ROWS)]
HEARD = {"code": 0, "message": "success"}
KILLED = TaskFault(outcome="kill", after_rows=2, forged_callbacks=2)
OUTPUT_LOST = TaskFault(lose_output=True, callbacks=2)
STOPPED_HERE = TaskFault(outcome="stop", after_rows=2, output_after_stop=True, callbacks=0)
HASH_WRONG = TaskFault(lose_lines=1, callback_delay_s=1.0)
MANIFEST_TORN = TaskFault(tear_manifest=True)


def recipe(provider: str = "tione", model: str = "Qwen3-8B") -> bytes:
    return f"provider: {provider}\nmodel: {model}\nprompt: 'Say {{{{ name }}}}'\nattempts: 5\n".encode()


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


def strike(cloud: RunningCloud, *odd: TaskFault) -> None:
    """The first strikes the first attempt at the only file, and so on."""
    named = (fault.model_copy(update={"match": f"-{number}-0"}) for number, fault in enumerate(odd, 1))
    cloud.tione.faults.add(*named)


def test_rows_of_a_task_that_goes_wrong_are_sent_again_and_none_comes_twice(cloud: RunningCloud) -> None:
    """While the other two providers answer files of the same bucket."""
    strike(cloud, KILLED, OUTPUT_LOST, STOPPED_HERE, HASH_WRONG, MANIFEST_TORN)

    cloud.drop("odd/tione/batch.yaml", recipe())
    cloud.drop("odd/bailian/batch.yaml", recipe("bailian", "qwen-flash"))
    cloud.drop("odd/ark/batch.yaml", recipe("ark", "doubao-seed-2-1-pro-260628"))
    for provider in ("tione", "bailian", "ark"):
        cloud.drop(f"odd/{provider}/rows.csv", TABLE)

    for provider in ("bailian", "ark", "tione"):
        assert answers_of(cloud, f"odd/{provider}/rows") == ANSWERS
    report = report_of(cloud, "odd/tione/rows")
    tasks = tasks_of(cloud, report)
    assert [task.phase for task in tasks] == ["FAILED", "SUCCEED", "STOPPED", "SUCCEED", "SUCCEED"]
    assert (report["adds_up"], sorted(report["batches"])) == (True, sorted(task.id for task in tasks))
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
    cloud.drop("cancelled/batch.yaml", recipe())
    cloud.drop("cancelled/rows.csv", TABLE)
    wait_until(lambda: any(key.startswith("running/") for key in cloud.board()), "nothing runs")

    status, told = batchdrop(cloud, "cancel", "cancelled/rows.csv", "--wait", f"{PATIENCE_S:.0f}")

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
        timer_interval_s=1.0,
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
        cloud.drop("waits/batch.yaml", recipe())
        cloud.drop("waits/rows.csv", TABLE)
        wait_until(lambda: b"api_withdrawn" in board_of(cloud), "the board does not say why")
        _, told = batchdrop(cloud, "status", "waits/rows.csv")

    with started(tmp_path, "training") as after:
        cloud = RunningCloud(after)
        strike(cloud, OUTPUT_LOST, KILLED, STOPPED_HERE)
        ask_again(cloud)

        assert answers_of(cloud, "waits/rows") == ANSWERS
        tasks = tasks_of(cloud, report_of(cloud, "waits/rows"))

    assert "TIONE_API" in told
    assert {task.family for task in tasks} == {"training"}
    assert [task.phase for task in tasks] == ["SUCCEED", "FAILED", "STOPPED", "SUCCEED"]
