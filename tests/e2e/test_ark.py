"""Files that Volcengine Ark answers, beside those that Bailian does, over real HTTP."""

from __future__ import annotations

import gzip
import io
import json
import re
from collections.abc import Iterator

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.localcloud.answers.built_in_texts import answer_for
from scripts.localcloud.ark.jobs.job import Job
from scripts.localcloud.ark.local_ark import LocalArk
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import REPOSITORY, CloudOptions
from scripts.localcloud.terminal.command import welcome
from tests.e2e.conftest import RunningCloud
from tests.support.waiting import wait_until

MODEL = "doubao-seed-2-1-pro-260628"
LINES_RECIPE = f"provider: ark\nmodel: {MODEL}\n".encode()
ARK_RECIPE = LINES_RECIPE + b"prompt: 'Say {{ name }}'\n"
BAILIAN_RECIPE = b"model: qwen-flash\nprompt: 'Say {{ name }}'\n"
TABLE = "name\n王\nAda\n".encode()
ANSWERS = [("王", answer_for("Say 王")), ("Ada", answer_for("Say Ada"))]


def workbook() -> bytes:
    book = openpyxl.Workbook()
    assert book.active
    for row in (["name"], ["王"], ["Ada"]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def parquet() -> bytes:
    content = io.BytesIO()
    pq.write_table(pa.table({"name": ["王", "Ada"]}), content)
    return content.getvalue()


def ark_lines() -> bytes:
    lines = [
        {"custom_id": name, "body": {"messages": [{"role": "user", "content": f"Say {name}"}]}}
        for name, _ in ANSWERS
    ]
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()


def jobs_of(cloud: RunningCloud, folder: str) -> list[Job]:
    """Ark's jobs of the files of a folder."""
    assert cloud.ark.store
    ids = {plan.parent.name for plan in cloud.path("jobs").glob("*/plan.json") if folder in plan.read_text()}
    return [job for job in cloud.ark.store.jobs() if any(each in job.name for each in ids)]


def answers_of(cloud: RunningCloud, name: str) -> list[tuple[str, str]]:
    return [(row["name"], row["content"]) for row in cloud.wait_for_rows(f"results/{name}.csv")]


def test_every_format_comes_back_from_ark(cloud: RunningCloud) -> None:
    files = {
        "ark/one.csv": TABLE,
        "ark/two.xlsx": workbook(),
        "ark/three.parquet": parquet(),
        "ark/four.csv.gz": gzip.compress(TABLE),
    }
    cloud.drop("ark/batch.yaml", ARK_RECIPE)
    cloud.drop("ark-lines/batch.yaml", LINES_RECIPE)

    for name, content in files.items():
        cloud.drop(name, content)
    cloud.drop("ark-lines/five.jsonl", ark_lines())

    for name in files:
        assert answers_of(cloud, name.split(".")[0]) == ANSWERS
    lines = cloud.wait_for_rows("results/ark-lines/five.csv")
    assert [(line["custom_id"], line["content"]) for line in lines] == ANSWERS
    assert len(jobs_of(cloud, "inbox/ark")) == len(files) + 1


def test_both_providers_answer_files_of_one_bucket_at_a_time(cloud: RunningCloud) -> None:
    cloud.drop("both/ark/batch.yaml", ARK_RECIPE)
    cloud.drop("both/bailian/batch.yaml", BAILIAN_RECIPE)
    cloud.ark.faults.paused = cloud.bailian.faults.paused = True

    for provider in ("ark", "bailian"):
        cloud.drop(f"both/{provider}/names.csv", TABLE)
    wait_until(lambda: sum(key.startswith("running/") for key in cloud.board()) == 2, "both do not run")
    cloud.ark.faults.paused = cloud.bailian.faults.paused = False

    for provider in ("ark", "bailian"):
        assert answers_of(cloud, f"both/{provider}/names") == ANSWERS
    assert len(jobs_of(cloud, "inbox/both")) == 1


@pytest.fixture(scope="module")
def lasting_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    """One in which an event may be given up, as each is that meets an outage for long enough."""
    options = CloudOptions(
        tmp_path_factory.mktemp("lasting"),
        providers=("bailian", "ark"),
        timer_interval_s=0.5,
        scan_interval_s=0.3,
        parameters={"ReadyOverdueS": "1", "PollAfterS": "1", "ResultsLateS": "1"},
    )
    with LocalCloud(options) as cloud:
        yield RunningCloud(cloud)


@pytest.mark.parametrize("down", ["ark", "bailian"])
def test_a_provider_that_is_down_holds_up_nothing_of_the_other(
    lasting_cloud: RunningCloud, down: str
) -> None:
    cloud = lasting_cloud
    services: dict[str, LocalArk | LocalBailian] = {"ark": cloud.ark, "bailian": cloud.bailian}
    (up,) = services.keys() - {down}
    cloud.drop(f"{down}-down/ark/batch.yaml", ARK_RECIPE)
    cloud.drop(f"{down}-down/bailian/batch.yaml", BAILIAN_RECIPE)
    services[down].stop()
    try:
        cloud.drop(f"{down}-down/{down}/names.csv", TABLE)
        wait_until(lambda: any(key.startswith("ready/") for key in cloud.board()), "nothing waits")
        cloud.drop(f"{down}-down/{up}/names.csv", TABLE)

        assert answers_of(cloud, f"{down}-down/{up}/names") == ANSWERS
        assert not cloud.path(f"results/{down}-down/{down}/names.csv").exists()
    finally:
        services[down].start()

    assert answers_of(cloud, f"{down}-down/{down}/names") == ANSWERS


def test_the_page_shows_what_is_printed_at_the_start(cloud: RunningCloud) -> None:
    page = (REPOSITORY / "scripts" / "localcloud" / "README.md").read_text(encoding="utf-8")

    printed = welcome(cloud.cloud).split("\n")

    shown = {without_values(line) for line in page.split("\n")}
    assert [line for line in printed if without_values(line) not in shown] == []


def without_values(line: str) -> str:
    """A line of the start with neither addresses nor keys."""
    return re.sub(r"(\S*[\d/…]\S*\s?)+", "… ", line).rstrip()
