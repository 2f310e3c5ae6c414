"""Each function's keys open what its role names and nothing else, also on rarely taken ways."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

import oss2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.events.delivery_faults import FaultKind, FaultRule
from scripts.localcloud.options import REGION, CloudOptions
from tests.e2e.conftest import RunningCloud
from tests.support.chat_servers import ChatServer, webhook
from tests.support.waiting import PATIENCE_S, wait_until

FUNCTIONS = ("Validate", "Submit", "Callback", "Message", "Collect", "Reconcile", "Notify")
WHSEC = "whsec_" + "c2VjcmV0" * 5
OWN_PRICES = b"""
bailian:
  currency: CNY
  models:
    qwen-flash: {source: contract 17, read_on: 2026-11-01, batch: 0.5, tiers: [{in: 0.1, out: 1}]}
"""
# A whole shard, ten rows of a megabyte, which are written in parts, and a row that is refused.
LARGE_BUT_BAD = b"name,age\n" + b"x,1\n" * 50_000 + (b"x" * 1_000_000 + b",1\n") * 10 + b"ragged\n"


@pytest.fixture(scope="module")
def listener() -> Iterator[ChatServer]:
    """A webhook of the team, which checks the signature of each word."""
    with webhook(WHSEC, datetime.now(timezone.utc)).serving() as server:
        yield server


@pytest.fixture(scope="module")
def impatient_cloud(tmp_path_factory: pytest.TempPathFactory, listener: ChatServer) -> Iterator[RunningCloud]:
    """A local cloud whose timer acts after a second, but for files that may just be read."""
    overdue = ("ReadyOverdueS", "PollAfterS", "FinishedOverdueS")
    channels = {"webhook": {"team": {"url": listener.url, "secret": WHSEC, "link_days": 1}}}
    options = CloudOptions(
        tmp_path_factory.mktemp("impatient cloud"),
        workers=1,
        timer_interval_s=0.6,
        parameters={
            **dict.fromkeys(overdue, "1"),
            "InboxSweepAfterS": "3",
            "ClaimLeaseS": "30",
            "NotifyChannels": json.dumps(channels),
        },
    )
    with LocalCloud(options) as cloud:
        yield RunningCloud(cloud)


@pytest.fixture
def cloud(impatient_cloud: RunningCloud) -> Iterator[RunningCloud]:
    yield impatient_cloud
    impatient_cloud.bailian.faults.clear()
    impatient_cloud.cloud.delivery_faults.clear()
    impatient_cloud.wait_until_quiet()
    assert impatient_cloud.cloud.invoker.dead_letters == ()
    assert impatient_cloud.refused_functions() == []


def bucket_of(cloud: RunningCloud, function: str) -> oss2.Bucket:
    """The bucket in the hands of one function."""
    spec = cloud.cloud.host.pools[function].spec
    auth = oss2.StsAuth(spec.access_key_id, spec.access_key_secret, spec.security_token, auth_version="v4")
    return oss2.Bucket(auth, cloud.cloud.oss.url, cloud.cloud.options.bucket, region=REGION)


def is_refused(call: Callable[..., object], *arguments: object) -> bool:
    try:
        call(*arguments)
    except oss2.exceptions.AccessDenied:
        return True
    return False


def lose_events_of(cloud: RunningCloud, function: str, contains: str = "", times: int | None = None) -> None:
    rule = FaultRule(kind=FaultKind.DROP, function=function, contains=contains or None, times=times)
    cloud.cloud.delivery_faults.add(rule)


def only_ticket(cloud: RunningCloud, prefix: str) -> str:
    """The name behind ``prefix`` of the one ticket there, as soon as there is one."""
    wait_until(lambda: list(oss2.ObjectIterator(cloud.bucket, prefix)), f"nothing appears in {prefix}")
    (found,) = oss2.ObjectIterator(cloud.bucket, prefix)
    return str(found.key.removeprefix(prefix))


def test_a_thief_of_the_callbacks_keys_can_only_give_hints(cloud: RunningCloud) -> None:
    cloud.drop("stolen/two.csv", b"1,hello\n")
    cloud.wait_for("results/stolen/two.report.json")
    cloud.wait_until_quiet()
    (plan,) = (each.key for each in oss2.ObjectIterator(cloud.bucket, "jobs/") if "plan.json" in each.key)

    stolen = bucket_of(cloud, "Callback")

    assert is_refused(stolen.get_object, plan)
    assert is_refused(stolen.get_object, "inbox/stolen/two.csv")
    assert is_refused(stolen.put_object, "results/stolen/two.csv", b"forged")
    assert is_refused(stolen.put_object, plan, b"forged")
    assert is_refused(stolen.delete_object, "results/stolen/two.csv")
    for prefix in ("finished/", "inbox/", "jobs/", "results/", "rejected/"):
        assert is_refused(stolen.list_objects_v2, prefix)
    assert is_refused(stolen.list_objects_v2)
    # Begun only, since the whole object would be a ticket.
    upload = stolen.init_multipart_upload("finished/hint").upload_id
    cloud.bucket.abort_multipart_upload("finished/hint", upload)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_no_function_can_drop_a_file_or_see_the_whole_bucket(cloud: RunningCloud, function: str) -> None:
    bucket = bucket_of(cloud, function)

    assert is_refused(bucket.put_object, "inbox/loop.csv", b"1,hello\n")
    assert is_refused(bucket.delete_object, "inbox/loop.csv")
    assert is_refused(bucket.delete_object, "results/two.csv")
    assert is_refused(bucket.list_objects_v2)
    assert is_refused(bucket.get_object, "elsewhere")
    assert is_refused(bucket.get_bucket_info)


def test_validate_quotes_each_file_by_the_operators_own_prices(cloud: RunningCloud) -> None:
    cloud.bucket.put_object("prices.yaml", OWN_PRICES)
    cloud.bucket.put_object("inbox/quoted/batch.yaml", b"model: qwen-flash\nprompt: '{{ text }}'\n")

    cloud.drop("quoted/two.csv", b"text\nhello\nworld\n")

    text = cloud.wait_for("quotes/quoted/two.csv.quote.txt").decode()
    cloud.bucket.delete_object("prices.yaml")
    assert "\nSent: 2 rows\n" in text
    assert "\nPrice: your own price of qwen-flash on 2026-11-01 (contract 17)\n" in text
    assert json.loads(cloud.path("quotes/quoted/two.csv.quote.json").read_bytes())["price"]["is_own"]
    assert len(cloud.wait_for_rows("results/quoted/two.csv")) == 2
    assert is_refused(bucket_of(cloud, "Validate").put_object, "prices.yaml", b"forged")


def test_the_timer_may_validate_a_file_whose_event_was_lost(cloud: RunningCloud) -> None:
    lose_events_of(cloud, "Validate", "lost/two.csv")
    cloud.drop("lost/two.csv", b"not,even\nragged\n")
    cloud.wait_for("rejected/lost/two.csv.report.txt")

    cloud.drop("lost/two.csv", b"1,hello\n")

    assert [row["status"] for row in cloud.wait_for_rows("results/lost/two.csv")] == ["answered"]
    assert not cloud.path("rejected/lost/two.csv.report.txt").exists()


def test_the_timer_has_a_file_validated_that_it_could_not_read_itself(cloud: RunningCloud) -> None:
    content = io.BytesIO()
    pq.write_table(pa.table({"id": ["7"], "text": ["hello"]}), content)
    lose_events_of(cloud, "Validate", "lost/two.parquet")

    cloud.drop("lost/two.parquet", content.getvalue())

    assert [row["status"] for row in cloud.wait_for_rows("results/lost/two.parquet.csv")] == ["answered"]
    wait_until(lambda: not list(oss2.ObjectIterator(cloud.bucket, "again/")), "a ticket is left")


@pytest.mark.parametrize("event_is_lost", [False, True])
def test_what_was_written_of_a_refused_file_is_taken_back(cloud: RunningCloud, event_is_lost: bool) -> None:
    name = f"large/{event_is_lost}.csv"
    if event_is_lost:
        lose_events_of(cloud, "Validate", name)
    cloud.drop("large/batch.yaml", b"model: qwen-flash\nprompt: 'Say {{ name }}'\n")
    cloud.drop(name, LARGE_BUT_BAD)

    cloud.wait_for(f"rejected/{name}.report.txt")
    cloud.wait_until_quiet()

    assert not cloud.bucket.list_multipart_uploads().upload_list
    records, drafts = (
        [each.key for each in oss2.ObjectIterator(cloud.bucket, prefix)] for prefix in ("jobs/", "work/")
    )
    planned = {key.split("/")[1] for key in records if key.endswith("/plan.json")}
    assert drafts
    assert not [key for key in drafts if key.split("/")[1] not in planned]


def test_the_timer_may_note_that_it_asked_in_vain(cloud: RunningCloud) -> None:
    cloud.bailian.faults.paused = True
    cloud.drop("slow/two.csv", b"1,hello\n")
    attempt = only_ticket(cloud, "running/")

    def polls() -> int:
        return int(json.loads(cloud.path(f"running/{attempt}").read_bytes())["polls"])

    wait_until(polls, "nobody polls")

    cloud.bailian.faults.paused = False
    assert [row["status"] for row in cloud.wait_for_rows("results/slow/two.csv")] == ["answered"]


def test_collect_may_bring_a_ticket_back_that_a_person_removed(cloud: RunningCloud) -> None:
    lose_events_of(cloud, "Submit")
    cloud.drop("removed/two.csv", b"1,hello\n")
    attempt = only_ticket(cloud, "ready/")
    cloud.bucket.delete_object(f"ready/{attempt}")

    cloud.bucket.put_object(f"finished/{attempt}", b"{}")
    wait_until(cloud.path(f"ready/{attempt}").exists, "collect does not bring the ready ticket back")

    cloud.bailian.faults.paused = True
    cloud.cloud.delivery_faults.clear()
    assert only_ticket(cloud, "running/") == attempt
    wait_until(lambda: cloud.cloud.invoker.idle, "events are under way")
    cloud.bucket.delete_object(f"running/{attempt}")

    cloud.bucket.put_object(f"finished/{attempt}", b"{}")
    wait_until(cloud.path(f"running/{attempt}").exists, "collect does not bring the running ticket back")

    cloud.bailian.faults.paused = False
    assert [row["status"] for row in cloud.wait_for_rows("results/removed/two.csv")] == ["answered"]


def test_a_word_of_a_refused_file_of_one_that_is_done_and_of_one_that_waits_arrives_once(
    cloud: RunningCloud, listener: ChatServer
) -> None:
    cloud.drop("told/notify.yaml", b"notify: [{webhook: team}]\n")
    cloud.drop("told/two.csv", b"not,even\nragged\n")
    wait_until(lambda: listener.taken, "nobody is told of the refusal")

    cloud.bailian.faults.add(
        CallFault(route="batches.create", status=401, code="invalid_api_key", times=10_000)
    )
    cloud.drop("told/two.csv", b"1,hello\n")
    wait_until(lambda: len(listener.taken) > 1, "nobody is told that it waits")
    cloud.bailian.faults.clear()
    attempt = only_ticket(cloud, "ready/")
    cloud.bucket.put_object(f"ready/{attempt}", b"{}")  # somebody has mended it
    wait_until(lambda: len(listener.taken) > 2, "nobody is told of the end")
    cloud.wait_until_quiet()

    words = [posted.document for posted in listener.taken]
    assert [word["type"] for word in words] == ["file.refused", "job.waiting", "job.done"]
    assert {word["data"]["path"] for word in words} == {"told/two.csv"}
    assert not list(oss2.ObjectIterator(cloud.bucket, "outbox/"))
    page, _, token = words[0]["data"]["link"].partition("#")
    headers = {"X-Batchdrop": "page", "Authorization": f"Bearer {token}"}
    session = requests.get(f"{page}api/session", headers=headers, timeout=PATIENCE_S).json()
    assert (session["folder"], session["operator"]) == ("told/", False)
