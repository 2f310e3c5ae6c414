"""A local Bailian: files, batches and answers over real HTTP, with the recorded oddities of the real service."""

from scripts.localcloud.bailian.answers import TEST_RESULT, answer_for, embedding_for
from scripts.localcloud.bailian.events import FinishedBatch, batch_event, render_batch_event, render_callback
from scripts.localcloud.bailian.faults import BatchFault, CallFault, FaultOrder, Faults
from scripts.localcloud.bailian.limits import DOCUMENTED_RATES, AccountLimits
from scripts.localcloud.bailian.server import LocalBailian

__all__ = [
    "DOCUMENTED_RATES",
    "TEST_RESULT",
    "AccountLimits",
    "BatchFault",
    "CallFault",
    "FaultOrder",
    "Faults",
    "FinishedBatch",
    "LocalBailian",
    "answer_for",
    "batch_event",
    "embedding_for",
    "render_batch_event",
    "render_callback",
]
