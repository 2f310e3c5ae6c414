"""A month's bill as a table for people, as CSV and as facts for programs."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from scripts.operate.bills.bill import BillLine, FoundBill
from scripts.operate.texts.said import ERASED_NAME
from scripts.terminal import render_table
from shared.bucket.money import Money
from shared.formats.csv.cells import guard_formula
from shared.money.amounts import exact_digits, money_text

_HEADER = (
    "文件夹 folder", "服务 provider", "模型 model", "任务 jobs", "输入 in", "缓存 cached", "输出 out", "思考 thinking",
    "费用 cost", "实时 real time", "节省 saved",
)  # fmt: skip
_COLUMNS = (
    "folder", "provider", "model", "jobs", "input_tokens", "cached_tokens", "output_tokens", "thinking_tokens",
    "currency", "cost", "real_time", "saved",
)  # fmt: skip


def as_table(bill: FoundBill) -> str:
    """Its last lines are the sums."""
    lines = [_row(each.folder or " ".join(ERASED_NAME), each) for each in bill.lines]
    return render_table(_HEADER, [*lines, *(_row("合计 total", each) for each in bill.totals)], cell_width=36)


def is_rounded(bill: FoundBill) -> bool:
    """Whether lines that are shown may not add up to what is shown as their sum."""
    priced = [line for line in bill.lines if line.cost]
    amounts = [each for line in priced for each in (line.cost, line.real_time, line.saved) if each]
    return len(priced) > 1 and any(money_text(each) != money_text(each, is_gain=True) for each in amounts)


def _row(name: str, line: BillLine) -> Sequence[str]:
    amounts = [each and money_text(each) for each in (line.cost, line.real_time)]
    amounts.append(line.saved and money_text(line.saved, is_gain=True))
    return (
        name, line.provider, line.model, f"{line.jobs:,}", *(f"{each:,}" for each in _counts(line)),
        *(each or "?" for each in amounts),
    )  # fmt: skip


def _counts(line: BillLine) -> Sequence[int]:
    tokens = line.tokens
    return tokens.prompt, tokens.cached, tokens.completion, tokens.thinking


def as_csv(bill: FoundBill) -> str:
    """Without sums, which whoever reads it makes; empty where nobody said what a model costs."""
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for line in bill.lines:
        money = [line.cost, line.real_time, line.saved]
        names = [guard_formula(each) for each in (line.folder, line.provider, line.model)]
        writer.writerow(
            [
                *names,
                line.jobs,
                *_counts(line),
                line.cost.currency if line.cost else "",
                *(exact_digits(each) if each else "" for each in money),
            ]
        )
    return table.getvalue().rstrip("\n")


def as_facts(bill: FoundBill) -> dict[str, object]:
    """Amounts in millionths of their currency."""
    return {
        "month": bill.month,
        "lines": [_facts(each) for each in bill.lines],
        "totals": [_facts(each) for each in bill.totals],
        "open_jobs": bill.open_jobs,
    }


def _facts(line: BillLine) -> dict[str, object]:
    return {
        "folder": line.folder,
        "provider": line.provider,
        "model": line.model,
        "jobs": line.jobs,
        "tokens": line.tokens.model_dump(),
        "cost": _amount(line.cost),
        "real_time": _amount(line.real_time),
        "saved": _amount(line.saved),
    }


def _amount(amount: Money | None) -> dict[str, object] | None:
    return amount.model_dump() if amount else None
