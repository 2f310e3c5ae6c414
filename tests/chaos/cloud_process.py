"""A local cloud in a process of its own, for runs that kill it.

``python -m tests.chaos.cloud_process DIR SEED`` prints one line of JSON that says where it listens,
and runs until its standard input is closed or it is killed.
"""

from __future__ import annotations

import json
import random
import sys
from pathlib import Path

from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.events.delivery_faults import FaultKind, FaultRule
from scripts.localcloud.options import CloudOptions

# The lease outlasts any submit here, also on a busy machine; the rest is short, to see repairs.
PARAMETERS = {
    "ClaimLeaseS": "30",
    "ReadyOverdueS": "1",
    "PollAfterS": "1",
    "FinishedOverdueS": "2",
    "ResultsLateS": "1",
    "InboxSweepAfterS": "3",
    "FilesSweepS": "1",
}


def fault_rules(seed: int) -> list[FaultRule]:
    """How the deliveries of one life of the cloud go wrong."""
    chance = random.Random(seed)
    return [
        FaultRule(kind=FaultKind.DUPLICATE, probability=0.4, copies=chance.randint(2, 3)),
        FaultRule(kind=FaultKind.DROP, probability=chance.uniform(0.1, 0.3)),
        FaultRule(kind=FaultKind.DELAY, probability=0.2, delay_s=chance.uniform(0.2, 1.0)),
        FaultRule(kind=FaultKind.REORDER, probability=0.5, delay_s=chance.uniform(0.1, 0.5)),
    ]


def main(data_dir: str, seed: str) -> None:
    options = CloudOptions(Path(data_dir), timer_interval_s=0.3, batch_delay_s=0.8, parameters=PARAMETERS)
    # The local Bailian keeps there what it was asked and answered, for the checks.
    (options.data_dir / ".localcloud" / "bailian" / "kept").mkdir(parents=True, exist_ok=True)
    with LocalCloud(options) as cloud:
        for rule in fault_rules(int(seed)):
            cloud.delivery_faults.add(rule)
        assert cloud.bailian is not None
        found = {"oss": cloud.oss.url, "gateway": cloud.gateway.url, "bailian": cloud.bailian.base_url}
        sys.stdout.write(json.dumps(found) + "\n")
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
