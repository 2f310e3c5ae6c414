"""What goes wrong at the provider in a run; each keeps its word about what was answered."""

from __future__ import annotations

import random

from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.service_faults import BatchFault

# Not among them is what only time tells apart from a loss: output that comes late or never, batches
# that no list shows. On a busy machine a row would rightly be paid for twice.
_BATCHES = (
    BatchFault(outcome="expire"),
    BatchFault(outcome="expire", report_unprocessed=True, events=0),
    BatchFault(outcome="cancel", callbacks=0),
    BatchFault(outcome="half_fail", callbacks=3),
    BatchFault(outcome="fail", events=2),
    BatchFault(lose_lines=2, unknown_lines=2),
    BatchFault(repeat_lines=3, callbacks=0, events=0),
    BatchFault(unseen_gets=2),
    BatchFault(odd_status="resting", odd_status_gets=3),
    BatchFault(cut_connection=True),
    BatchFault(cut_connection=True, outcome="expire"),
)
_ROUTES = ("upload", "list", "retrieve", "delete", "content")


def fault(chance: random.Random) -> BatchFault | CallFault:
    """One fault for the next batch or call that it fits."""
    if chance.random() < 0.5:
        return chance.choice(_BATCHES)
    route = chance.choice(
        ("batches.create", "batches.retrieve", "batches.list", *map("files.{}".format, _ROUTES))
    )
    shape = chance.choice(
        ({"cut": True}, {"status": 500}, {"status": 503, "after": True}, {"status": None, "delay_s": 1.0})
    )
    return CallFault(route=route, **shape)
