"""Full quotas and account problems only make jobs wait; they go on by themselves."""

from __future__ import annotations

import json

import oss2

from scripts.localcloud.answers.faults import CallFault
from tests.e2e.conftest import RunningCloud
from tests.support.waiting import wait_until

FILES = 5


def keys(cloud: RunningCloud, prefix: str) -> list[str]:
    return [each.key for each in oss2.ObjectIterator(cloud.bucket, prefix)]


def test_more_files_than_the_provider_takes_at_once_wait_and_all_come_back(cloud: RunningCloud) -> None:
    line = {"custom_id": "q", "method": "POST", "url": "/v1/chat/ds-test"}
    body = {"model": "batch-test-model", "messages": [{"role": "user", "content": "x"}]}
    cloud.bailian.faults.paused = True
    for number in range(FILES):
        cloud.drop(f"many/{number}.jsonl", json.dumps({**line, "body": body}).encode() + b"\n")
    wait_until(lambda: len(keys(cloud, "waiting/bailian-test/")) == FILES - 2, "they do not wait")
    wait_until(lambda: len(keys(cloud, "running/")) == 2, "two do not run")

    cloud.bailian.faults.paused = False

    for number in range(FILES):
        (row,) = cloud.wait_for_rows(f"results/many/{number}.csv")
        assert row["content"] == "This is a test result."
    cloud.wait_until_quiet()
    wait_until(lambda: not keys(cloud, "waiting/"), "somebody still waits")
    logs = b"".join(path.read_bytes() for path in cloud.cloud.logs_dir.glob("*.log"))
    assert b"Too many unfinished batches" not in logs, "the limit was run into"


def test_a_refused_key_leaves_a_ticket_that_says_who_must_do_what(cloud: RunningCloud) -> None:
    cloud.bailian.faults.add(
        CallFault(route="files.upload", status=401, code="InvalidApiKey", message="No.", dashscope=True)
    )
    before = set(keys(cloud, "ready/"))

    cloud.drop("trouble/two.csv", b"1,hello\n")

    wait_until(lambda: any("waiting_for" in text for text in tickets(cloud)), "no ticket says why")
    (key,) = set(keys(cloud, "ready/")) - before
    ticket = json.loads(cloud.bucket.get_object(key).read())
    assert ticket["waiting_for"]["code"] == "api_key_refused"
    assert "DASHSCOPE_API_KEY" in ticket["waiting_for"]["message"]
    cloud.bucket.put_object(key, b"{}")  # as if its time had come
    assert [row["status"] for row in cloud.wait_for_rows("results/trouble/two.csv")] == ["answered"]


def tickets(cloud: RunningCloud) -> list[str]:
    found = []
    for key in keys(cloud, "ready/"):
        try:
            text = cloud.bucket.get_object(key).read().decode()
        except oss2.exceptions.NoSuchKey:
            continue
        found.append(text if '"code"' in text else "")
    return found
