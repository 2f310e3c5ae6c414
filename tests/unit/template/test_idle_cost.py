from __future__ import annotations

from datetime import timedelta

import pytest

from scripts.template.check import ROOT
from scripts.template.idle_cost import DISK_GB, MEMORY_GB, STORE_CALLS, VCPU, idle_cost, idle_costs
from scripts.template.ros import read_template
from tests.support.pipeline import Harness


def test_an_idle_run_of_the_timer_makes_no_more_calls_than_are_reckoned() -> None:
    bench = Harness()
    bench.tick()
    bench.functions.write_board({}, timedelta(seconds=1))
    calls: list[str] = []
    bench.store.before = lambda what, key: calls.append(f"{what} {key}")

    bench.functions.write_board(bench.tick(), timedelta(seconds=1))

    assert STORE_CALLS - 3 <= len(calls) <= STORE_CALLS, calls


def test_the_timer_is_as_large_as_is_reckoned() -> None:
    timer = read_template(ROOT / "template.yaml")["Resources"]["Reconcile"]["Properties"]

    assert (timer["Cpu"], timer["MemorySize"], timer["DiskSize"]) == (
        VCPU,
        MEMORY_GB * 1024,
        DISK_GB * 1024,
    )


def test_the_cost_is_the_sum_of_its_items_and_falls_with_the_timer() -> None:
    low, high = idle_cost()

    assert low == pytest.approx(1.15, abs=0.01)
    assert high == pytest.approx(8.0, abs=0.1)
    assert (low, high) == (sum(i.low for i in idle_costs()), sum(i.high for i in idle_costs()))
    assert idle_cost(timer_every_s=600)[1] < high / 3
