from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.chaos.run import Bounds, Chaos
from tests.support.waiting import PATIENCE_S


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the workers outlive a killed local cloud")
def test_killed_workers_and_a_killed_cloud_cost_time_and_nothing_else(tmp_path: Path) -> None:
    chaos = Chaos(
        tmp_path, Bounds(jobs=10, kills=12, seconds=2 * PATIENCE_S, seed=4, settle_s=2 * PATIENCE_S)
    )

    assert chaos.run() == []
    assert chaos.counts["cloud kills"] == 1
    assert chaos.counts["worker kills"] > 4
    assert chaos.counts["batches"] > 0
    assert chaos.counts["attacks"] > 0
