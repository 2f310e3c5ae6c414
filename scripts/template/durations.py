"""How long each function takes for the largest job, beside its time-out.

Run as ``python -m scripts.template.durations``. Nobody has paid for 20,000,000 rows, so this is
arithmetic: what is called for 400 shards is counted by a test, speeds are measured or assumed as
they stand here, and nothing is taken to happen at once but what ``shared/stores`` copies.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from scripts.template.check import ROOT
from scripts.template.ros import read_template
from shared.pipeline.deadlines import SHARE_TO_CLOSE, SHARE_TO_REPAIR

ROWS, SHARDS = 20_000_000, 400
NETWORKS = (10e6, 100e6)  # bytes a second, both ways together

# Of a row of ``scripts/bench convert``: in the dropped file, as a request, kept as it was dropped,
# the provider's line with an answer of two sentences, and in the result.
FILE, REQUEST, KEPT, ANSWER, RESULT = 480, 700, 500, 1_000, 1_200
LARGEST_SHARD = 500e6  # https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai

# Rows a second of one core: ``scripts/bench``, on the slower of the machines that it ran on.
_CHECKED, _SETTLED, _PARQUET, _XLSX, _KEPT_AGAIN = 85_000, 30_000, 98_000, 60_000, 48_000
# Of a job of 1,000,000 rows in 20 shards, 40 % of which ask what any earlier row asks.
_SHARED = 40_000

# Seconds of one call within the region, of one to a provider, and of one copy of a part of 60 MB.
_CALL_S, _PROVIDER_S, _COPY_S = 0.02, 0.2, 0.5
_AT_ONCE = 8

# Calls of the store, as the test counts them: for one shard, or for all.
SUBMIT_CALLS, COLLECT_CALLS, TICKET_CALLS, CLOSE_CALLS, POLL_CALLS, RETRY_CALLS = 22, 20, 402, 420, 1_240, 25
# For a shard that borrows and lends, beside those for each that lends to it or borrows from it.
SHARE_CALLS, LENDER_CALLS, BORROWER_CALLS = 14, 1, 2
# So many lend to one at most where 60 % of the rows are sent: a million questions are remembered.
LENDERS = 75


@dataclass(frozen=True)
class Step:
    """What one invocation does at most.

    Attributes:
        does: What it is, for people.
        function: Whose time-out counts, by its name in the template.
        fixed_s: Seconds that no network changes, calls included.
        size_bytes: What is read and written.
        of_job: It grows with the job's rows: then a smaller job may fit where this one does not.
        share: Cut short, it is gone on with by the next invocation. So long does one work, as a
            part of its time-out; 0 for what has to be done in one.
    """

    does: str
    function: str
    fixed_s: float
    size_bytes: float = 0.0
    of_job: bool = False
    share: float = 0.0

    def seconds(self, network: float) -> float:
        return self.fixed_s + self.size_bytes / network

    def rows_within(self, timeout_s: float, network: float) -> int:
        """The largest job that is through in time, by the thousand."""
        return int(ROWS * timeout_s / self.seconds(network) // 1000 * 1000)


def _calls(store: int, provider: int = 0) -> float:
    return store * _CALL_S + provider * _PROVIDER_S


def steps() -> list[Step]:
    rows = ROWS // SHARDS
    closing = _calls(CLOSE_CALLS)
    copies = SHARDS * (_CALL_S + _COPY_S) / _AT_ONCE  # and a look at each before
    pieces = _calls(SHARDS) + copies
    sharing = rows / _SHARED + _calls(SHARE_CALLS + LENDERS * (LENDER_CALLS + BORROWER_CALLS))
    # The kept rows three times, the part twice; what was answered, is lent and is borrowed.
    shared_bytes = rows * (3 * KEPT + (2 + 0.6 + 2 * 0.4) * RESULT)
    return [
        Step("check a file of 9.6 GB, cut it into 400 shards, put their tickets", "Validate",
             ROWS / _CHECKED + _calls(TICKET_CALLS), ROWS * (FILE + REQUEST + KEPT), of_job=True),
        Step("send the largest shard, 500 MB", "Submit", _calls(SUBMIT_CALLS, 3), 2 * LARGEST_SHARD),
        Step("hear of a batch", "Callback", _calls(5)),
        Step("hear of ten batches", "Message", _calls(50)),
        Step("settle a shard of 50,000 rows", "Collect", rows / _SETTLED + _calls(COLLECT_CALLS, 6),
             rows * (ANSWER + KEPT + RESULT)),
        Step("the same with its row groups of Parquet", "Collect",
             rows / _SETTLED + rows / _PARQUET + _calls(COLLECT_CALLS + 3, 6),
             rows * (ANSWER + KEPT + 2.2 * RESULT)),
        Step("close: CSV or JSONL of 400 parts", "Collect", closing + copies),
        Step("close: Parquet of 400 pieces", "Collect", closing + pieces),
        Step("close: Parquet, where a value does not fit its column", "Collect",
             closing + 2 * pieces + ROWS / _PARQUET, ROWS * 1.2 * RESULT, share=SHARE_TO_CLOSE),
        Step("close: 20 workbooks", "Collect", closing + ROWS / _XLSX, ROWS * 1.2 * RESULT,
             share=SHARE_TO_CLOSE),
        Step("share answers of a shard with 75 others, whose rows ask the same", "Collect",
             sharing, shared_bytes),
        Step("fill 75 shards that waited for its answers", "Collect",
             LENDERS * sharing, LENDERS * shared_bytes, share=SHARE_TO_CLOSE),
        Step("look after 400 batches", "Reconcile", _calls(POLL_CALLS, SHARDS), share=SHARE_TO_REPAIR),
        Step("tell a channel that does not answer", "Notify", 10 + _calls(6)),
        Step("show the folder of such a job", "Page", _calls(60)),
        Step("retry it, if every shard has open rows", "Page",
             ROWS / _KEPT_AGAIN + SHARDS * _calls(RETRY_CALLS), ROWS * (KEPT + 2 * RESULT), share=1),
    ]  # fmt: skip


def timeouts() -> Mapping[str, float]:
    """By function, in seconds."""
    resources = read_template(ROOT / "template.yaml")["Resources"]
    return {step.function: resources[step.function]["Properties"]["Timeout"] for step in steps()}


def table() -> str:
    """In Markdown; what is over its time-out names the largest job that is not."""
    allowed = timeouts()
    heads = [f"{network / 1e6:.0f} MB/s" for network in NETWORKS]
    lines = [f"| what | function | time-out | {' | '.join(heads)} |", "|---|---|--:|--:|--:|"]
    for step in steps():
        timeout_s = allowed[step.function]
        cells = " | ".join(_cell(step, timeout_s, network) for network in NETWORKS)
        lines.append(f"| {step.does} | `{step.function.lower()}` | {timeout_s:,.0f} s | {cells} |")
    return "\n".join(lines)


def _cell(step: Step, timeout_s: float, network: float) -> str:
    seconds = step.seconds(network)
    shown = f"{seconds:,.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    turns = math.ceil(seconds / timeout_s / step.share) if step.share else 1
    if turns > 1:
        return f"{shown} in {turns} turns"
    if seconds <= timeout_s or not step.of_job:
        return shown
    return f"**{shown}**: {step.rows_within(timeout_s, network):,} rows fit"


if __name__ == "__main__":
    print(table())
