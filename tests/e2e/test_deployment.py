"""From an empty account to answers, to the next release in the middle of a job, back, and away.

Functions run out of the zips that were uploaded, under Python 3.10, with the template's roles.
Needs the package index for libraries that are not yet under build/libraries.
"""

from __future__ import annotations

import csv
import io
import platform
import sys
from collections.abc import Iterator

import pytest
from openai import OpenAI

from scripts.bundle.bytecode import find_interpreter
from scripts.deploy import note
from scripts.localcloud.ros.account import LocalAccount
from tests.e2e.conftest import wait_until
from tests.support.local_account import batchdrop, bucket_of, running_account

pytestmark = pytest.mark.skipif(
    find_interpreter("3.10") is None or (sys.platform, platform.machine()) != ("linux", "x86_64"),
    reason="zips hold what Python 3.10 on Linux x86-64 loads, and no such Python is here",
)

BUCKET, CODE = "deployed-drop", "deployed-drop-code"
RECIPE = b"model: qwen-flash\nprompt: |\n  {{ text }}\n"
ROWS = 40


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    patch = pytest.MonkeyPatch()
    patch.setattr(note, "FOLDER", tmp_path_factory.mktemp("deployed"))
    # A batch takes long enough for an upgrade to come in between.
    with patch.context(), running_account(tmp_path_factory.mktemp("account"), batch_delay_s=6.0) as account:
        yield account
    patch.undo()


def answers(account: LocalAccount, name: str) -> list[dict[str, str]]:
    bucket = bucket_of(account, BUCKET)
    report = f"results/{name}.report.json"
    wait_until(lambda: bucket.object_exists(report), f"{report} does not appear")
    text = bucket.get_object(f"results/{name}.csv").read().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def ended(status: int, printed: list[dict[str, object]]) -> dict[str, object]:
    assert status == 0, printed
    return printed[-1]


def test_a_deployment_lives_and_ends(account: LocalAccount) -> None:
    made = ended(*batchdrop(account, "deploy", "--bucket", BUCKET, "--patience", "120"))

    assert made["outputs"]["Bucket"] == BUCKET
    first = made["release"]["prefix"]
    bucket = bucket_of(account, BUCKET)
    table = "id,text\n" + "".join(f"{row},问题 {row}\n" for row in range(ROWS))
    bucket.put_object("inbox/a/batch.yaml", RECIPE)
    bucket.put_object("inbox/a/rows.csv", table.encode())
    running = f"running/{'bailian'}"
    wait_until(lambda: any(bucket.list_objects("running/").object_list), f"nothing lies under {running}")

    changed = ended(
        *batchdrop(account, "upgrade", "--yes", "--parameter", "LogLevel=DEBUG", "--patience", "120")
    )

    assert {each["action"] for each in changed["changes"]} == {"Modify"}
    assert changed["release"]["prefix"] != first
    rows = answers(account, "a/rows")
    assert [row["id"] for row in rows] == [str(row) for row in range(ROWS)]
    assert {row["status"] for row in rows} == {"answered"}
    client = OpenAI(base_url=account.bailian.base_url, api_key=account.own_keys.api_key)
    ours = [each for each in client.batches.list(limit=100).data if each.request_counts.total == ROWS]
    assert len(ours) == 1, "the rows were sent again after the upgrade"

    back = ended(*batchdrop(account, "rollback"))

    assert back["release"]["prefix"] == first
    (log,) = [account.host.pools["batchdrop-validate"].spec.environment["LOG_LEVEL"]]
    assert log == "INFO", "a release goes back with its parameters"

    ended(*batchdrop(account, "destroy", "--yes"))

    assert bucket.object_exists("results/a/rows.csv"), "the bucket stays"
    assert account.host.pools == {}
