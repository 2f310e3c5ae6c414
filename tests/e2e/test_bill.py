"""``scripts/batchdrop bill`` over HTTP: what the provider counted, by folder and month."""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from scripts.localcloud.options import REGION
from scripts.operate.__main__ import main
from shared.money.months import month_of
from shared.runtime.system_clock import SystemClock
from tests.e2e.conftest import RunningCloud

# Of qwen-flash in a batch, and in real time: millionths for a million tokens in and out.
BATCH, REAL_TIME = (75_000, 750_000), (150_000, 1_500_000)
RECIPE = b"model: qwen-flash\nprompt: '{{ text }}'\noutput: {format: csv}\n"
FILES = {"bill/a/one.csv": 3, "bill/a/two.csv": 2, "bill/b/three.csv": 4}


def bill(cloud: RunningCloud, *arguments: str) -> str:
    """As against a real bucket: with the variables of the functions, and signed requests."""
    env = {
        "BUCKET_NAME": cloud.cloud.options.bucket,
        "OSS_ENDPOINT": cloud.cloud.oss.url,
        "OSS_REGION": REGION,
        "ALIBABA_CLOUD_ACCESS_KEY_ID": cloud.cloud.keys.access_key_id,
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": cloud.cloud.keys.access_key_secret,
    }
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        assert main(["bill", *arguments], env) == 0
    return said.getvalue()


def cost(rows: Sequence[Mapping[str, str]], rates: tuple[int, int]) -> int:
    """By what stands beside each answer, rounded up once for a file."""
    tokens = [sum(int(row[name]) for row in rows) for name in ("prompt_tokens", "completion_tokens")]
    return -(-sum(each * rate for each, rate in zip(tokens, rates, strict=True)) // 1_000_000)


def of_folders(lines: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {line["folder"]: line for line in lines if line["folder"].startswith("inbox/bill/")}


@pytest.fixture
def results(cloud: RunningCloud) -> dict[str, list[dict[str, str]]]:
    """The rows that came back, by the folder of their file, one list a file."""
    cloud.drop("bill/batch.yaml", RECIPE)
    for name, rows in FILES.items():
        table = "id,text\n" + "".join(f"{number},review {name} {number}\n" for number in range(rows))
        cloud.drop(name, table.encode())
    rows = {name: cloud.wait_for_rows(f"results/{name}") for name in FILES}
    cloud.wait_until_quiet()  # the record by which bills go comes after the report
    return rows


def test_a_months_bill_is_what_the_provider_counted_of_each_folder(
    cloud: RunningCloud, results: dict[str, list[dict[str, str]]]
) -> None:
    month = month_of(SystemClock().now())

    facts = json.loads(bill(cloud, "--month", month, "--json").splitlines()[-1])
    table = of_folders([*csv.DictReader(io.StringIO(bill(cloud, "--csv")))])
    other = json.loads(bill(cloud, "--month", "2026-01", "--json").splitlines()[-1])

    folders = of_folders(facts["lines"])
    assert folders.keys() == table.keys() == {"inbox/bill/a/", "inbox/bill/b/"}
    for folder, line in folders.items():
        files = [rows for name, rows in results.items() if f"inbox/{name}".startswith(folder)]
        expected, real_time = (sum(cost(rows, rates) for rows in files) for rates in (BATCH, REAL_TIME))
        assert (line["model"], line["jobs"]) == ("qwen-flash", len(files))
        assert line["tokens"]["total"] == sum(int(row["total_tokens"]) for rows in files for row in rows)
        assert line["cost"] == {"micros": expected, "currency": "CNY"}
        assert (line["real_time"]["micros"], line["saved"]["micros"]) == (real_time, real_time - expected)
        assert table[folder]["cost"] == f"0.{expected:06d}"
        assert table[folder]["input_tokens"] == str(line["tokens"]["prompt"])
    assert (other["month"], other["lines"]) == ("2026-01", [])
    shown = bill(cloud)
    assert all(f"inbox/bill/{each}/" in shown for each in "ab")
    assert "合计 total" in shown
