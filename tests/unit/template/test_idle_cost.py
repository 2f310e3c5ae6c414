from __future__ import annotations

from datetime import timedelta

from scripts.template.check import ROOT
from scripts.template.idle_cost import DISK_GB, LULL_CALLS, MEMORY_GB, STORE_CALLS, VCPU, idle_cost
from scripts.template.ros import read_template
from shared.bucket.uploads import upload_done_key
from tests.support.functions import BUCKET_NAME
from tests.support.pipeline import Harness


def test_an_idle_run_of_the_timer_makes_no_more_calls_than_are_reckoned() -> None:
    bench = Harness()
    bench.store.put("inbox/a.csv", b"q\n1\n")
    head = bench.store.head("inbox/a.csv")
    assert head is not None
    bench.store.put(upload_done_key(BUCKET_NAME, head.key, head.etag, head.modified_at), b"")
    bench.functions.write_board(bench.tick(timedelta(hours=1)), timedelta(seconds=1))
    calls: list[str] = []
    bench.store.before = lambda what, key: calls.append(f"{what} {key}")

    bench.functions.write_board(bench.tick(), timedelta(seconds=1))

    assert len(calls) == STORE_CALLS, calls


def test_a_run_of_the_timer_in_a_lull_makes_no_more_calls_than_are_reckoned() -> None:
    bench = Harness()
    minute = timedelta(minutes=1)
    bench.functions.run_timer(minute, minute)
    bench.clock.advance(minute)
    calls: list[str] = []
    bench.store.before = lambda what, key: calls.append(f"{what} {key}")

    bench.functions.run_timer(minute, minute)

    assert len(calls) == LULL_CALLS, calls


def test_the_timer_is_as_large_as_is_reckoned() -> None:
    timer = read_template(ROOT / "template.yaml")["Resources"]["Reconcile"]["Properties"]

    assert (timer["Cpu"], timer["MemorySize"], timer["DiskSize"]) == (
        VCPU,
        MEMORY_GB * 1024,
        DISK_GB * 1024,
    )


def test_a_timer_that_runs_less_often_costs_less() -> None:
    assert idle_cost(timer_every_s=600)[0] < idle_cost()[0] / 3
