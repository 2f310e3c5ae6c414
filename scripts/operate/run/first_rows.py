"""The first rows of a result, for the terminal."""

from __future__ import annotations

import csv
import io
from itertools import islice

from scripts.terminal import render_table
from shared.bucket.records import Ledger, Plan
from shared.ports.store import ObjectStore

SHOWN_ROWS = 4
_READ_BYTES = 64 * 1024
# Of every row the same, or long.
_HIDDEN = {
    "reasoning_content", "model", "finish_reason", "prompt_tokens", "completion_tokens", "total_tokens",
    "request_id", "created", "error_code", "error_message", "usage",
}  # fmt: skip


def first_rows(store: ObjectStore, plan: Plan, ledger: Ledger) -> tuple[list[str], list[list[str]]]:
    """The header and some rows of a CSV result; nothing of other formats."""
    if plan.output_format != "csv":
        return [], []
    content = next(iter(store.read(ledger.result_key)), b"")[:_READ_BYTES]
    text = content.decode(plan.output_encoding, errors="ignore").removeprefix("\ufeff")
    rows = list(islice(csv.reader(io.StringIO(text, newline="")), SHOWN_ROWS + 1))
    return (rows[0], rows[1:]) if rows else ([], [])


def shown_rows(header: list[str], rows: list[list[str]]) -> str:
    """As a table that fits a terminal: what differs from row to row."""
    shown = [index for index, name in enumerate(header) if name not in _HIDDEN]
    cut = [[row[index] for index in shown if index < len(row)] for row in [header, *rows]]
    return render_table(cut[0], cut[1:]) if shown else ""
