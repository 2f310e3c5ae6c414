"""From an empty account to answers, to the next release in the middle of a job, back, and away.

Functions run out of the zips that were uploaded, under Python 3.10, with the template's roles.
Needs the package index for libraries that are not yet under build/libraries.
"""

from __future__ import annotations

import csv
import io
import json
import platform
import stat
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from openai import OpenAI
from openai.types import Batch

from scripts.bundle.bytecode import find_interpreter
from scripts.localcloud.options import REGION
from scripts.localcloud.ros.account import LocalAccount
from tests.support.local_account import batchdrop, bucket_of, running_account
from tests.support.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.skipif(
    find_interpreter("3.10") is None or (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="zips hold what Python 3.10 on Linux x86-64 loads, and no such Python is here",
)

BUCKET, CODE = "deployed-drop", "deployed-drop-code"
RECIPE = b"model: qwen-flash\nprompt: |\n  {{ text }}\n"
# The free model of the smoke test needs no bound under it.
UNDER_A_BUDGET = ("--parameter", "MonthBudget=5 CNY")
ROWS = 40
WAIT_S = "600"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    # A batch takes long enough for an upgrade to come in between.
    with running_account(tmp_path_factory.mktemp("account"), batch_delay_s=6.0) as account:
        yield account


def answers(account: LocalAccount, name: str) -> list[dict[str, str]]:
    bucket = bucket_of(account, BUCKET)
    report = f"results/{name}.report.json"
    wait_until(lambda: bucket.object_exists(report), f"{report} does not appear")
    text = bucket.get_object(f"results/{name}.csv").read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ended(status: int, printed: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    assert status == 0, printed
    return printed[-1]


def session(link: str) -> requests.Response:
    url, _, token = link.partition("#")
    headers = {"X-Batchdrop": "page", "Authorization": f"Bearer {token}"}
    return requests.get(f"{url}api/session", headers=headers, timeout=PATIENCE_S)


def check_first_release(account: LocalAccount, made: Mapping[str, Any]) -> None:
    """The bucket, the link to the page and the note for other commands are there."""
    assert made["outputs"]["Bucket"] == BUCKET
    assert "#" not in json.dumps(made), "a link for everything stays out of a program's log"
    link = ended(*batchdrop(account, "link", "--operator"))["url"]
    assert session(link).json()["operator"] is True
    assert session(link + "x").status_code == 401
    noted = Path(made["environment"])
    assert stat.S_IMODE(noted.stat().st_mode) == 0o600
    assert noted.is_relative_to(account.data_dir), "a trial never touches the note of a real deployment"
    status, printed = batchdrop(account, "status")
    assert status == 0, printed


def batches(account: LocalAccount) -> list[Batch]:
    """Of the account's Bailian, the newest first."""
    client = OpenAI(base_url=account.bailian.base_url, api_key=account.own_keys.api_key)
    return client.batches.list(limit=100).data or []


def inputs(account: LocalAccount) -> list[str]:
    return [each.input_file_id for each in batches(account)]


def check_sent_once(account: LocalAccount) -> None:
    counts = [each.request_counts for each in batches(account)]
    ours = [each for each in counts if each and each.total == ROWS]
    assert len(ours) == 1, "the rows were sent again after the upgrade"


def log_level(account: LocalAccount) -> str:
    return account.host.pools["batchdrop-validate"].spec.environment["LOG_LEVEL"]


def test_a_deployment_lives_and_ends(account: LocalAccount) -> None:
    made = ended(*batchdrop(account, "deploy", "--bucket", BUCKET, "--patience", WAIT_S))

    check_first_release(account, made)
    first = made["release"]["prefix"]
    bucket = bucket_of(account, BUCKET)
    table = "id,text\n" + "".join(f"{row},问题 {row}\n" for row in range(ROWS))
    bucket.put_object("inbox/a/batch.yaml", RECIPE)
    bucket.put_object("inbox/a/rows.csv", table.encode())
    wait_until(lambda: bool(bucket.list_objects("running/").object_list), "no batch is running")

    asked = ("--parameter", "LogLevel=DEBUG", "--parameter", "InputFrom=oss", *UNDER_A_BUDGET)
    changed = ended(*batchdrop(account, "upgrade", "--yes", *asked, "--patience", WAIT_S))

    assert {each["action"] for each in changed["changes"]} == {"Modify"}
    assert changed["release"]["prefix"] != first
    rows = answers(account, "a/rows")
    assert [row["id"] for row in rows] == [str(row) for row in range(ROWS)]
    assert {row["status"] for row in rows} == {"answered"}
    check_sent_once(account)
    smoke, *earlier = inputs(account)
    assert smoke.startswith(f"oss:{REGION}:{BUCKET}/work/"), "the new release names what the old one uploads"
    assert all(each.startswith("file-batch") for each in earlier)

    nowhere = "OssEndpoint=http://127.0.0.1:9"
    status, printed = batchdrop(account, "upgrade", "--yes", "--parameter", nowhere, "--patience", "3")

    assert (status, printed[-1]["error"]["code"]) == (1, "upgrade_taken_back")
    assert log_level(account) == "DEBUG", "it goes back to the release before, not to the first"

    back = ended(*batchdrop(account, "rollback", "--yes"))

    assert back["release"]["prefix"] == first
    assert log_level(account) == "INFO", "a release goes back with its parameters"

    ended(*batchdrop(account, "destroy", "--yes"))

    assert bucket.object_exists("results/a/rows.csv"), "the bucket stays"
    assert account.host.pools == {}
