"""What a stack costs in a month in which nobody drops a file: only the timer runs then.

It was never deployed, so this is arithmetic: what a run of the timer calls is counted by a test,
how long it takes is a guess between two bounds.
"""

from __future__ import annotations

from dataclasses import dataclass

from shared.pipeline.deadlines import LULL

_MONTH_S = 30 * 24 * 3600.0

# Calls of OSS by a run that looks through everything and finds nothing, and by one in between.
STORE_CALLS = 6
LULL_CALLS = 1
# Of a call within the region: at the quick and at the slow end.
_CALL_S = (0.01, 0.05)
# Of Reconcile in template.yaml.
VCPU, MEMORY_GB, DISK_GB = 0.5, 0.5, 0.5

# Compute units and their price in yuan, the first 200 million a month; Beijing, without discount:
# https://help.aliyun.com/en/functioncompute/fc/product-overview/pay-as-you-go-billing-methods
_YUAN_PER_CU = 0.00011
_CU_PER_INVOCATION = 75 / 10_000
_CU_PER_VCPU_S, _CU_PER_MEMORY_GB_S, _CU_PER_DISK_GB_S = 1.0, 0.15, 0.05

# A listing is billed as a put, others as a get; refused calls are not billed. Some accounts have
# millions a month for nothing: that is the lower bound. The price is of the common price list:
# https://www.alibabacloud.com/help/en/oss/product-overview/api-operation-calling-fees
_YUAN_PER_CALL = 0.01 / 10_000

# A few hundred megabytes of log lines, and one shard, of which 31 shard-days a month are free:
# https://help.aliyun.com/document_detail/200737.html
_LOG_YUAN = (0.0, 1.5)


@dataclass(frozen=True)
class CostItem:
    """One service; both bounds in yuan a month."""

    service: str
    low: float
    high: float
    why: str


def idle_costs(timer_every_s: float = 60.0) -> list[CostItem]:
    """By service, with the timer at this interval."""
    runs = _MONTH_S / timer_every_s
    whole_runs = min(_MONTH_S / LULL.total_seconds(), runs)
    calls = whole_runs * STORE_CALLS + (runs - whole_runs) * LULL_CALLS
    low, high = (
        _YUAN_PER_CU * (runs * _CU_PER_INVOCATION + calls * call_s * _cu_per_s()) for call_s in _CALL_S
    )
    seconds = " to ".join(f"{calls / runs * call_s:g}" for call_s in _CALL_S)
    return [
        CostItem("Function Compute", low, high, f"{runs:,.0f} runs of {seconds} s"),
        CostItem("OSS", 0.0, calls * _YUAN_PER_CALL, f"{calls:,.0f} calls, and what lies in the bucket"),
        CostItem("Log Service", *_LOG_YUAN, "the timer's log lines, one shard"),
        CostItem("the rest", 0.0, 0.0, "queue, triggers, roles, alarms by e-mail: paid by use, if at all"),
    ]


def idle_cost(timer_every_s: float = 60.0) -> tuple[float, float]:
    """The bounds of the sum, in yuan a month."""
    items = idle_costs(timer_every_s)
    return sum(item.low for item in items), sum(item.high for item in items)


def _cu_per_s() -> float:
    return VCPU * _CU_PER_VCPU_S + MEMORY_GB * _CU_PER_MEMORY_GB_S + DISK_GB * _CU_PER_DISK_GB_S
