"""The local cloud's page for people: what ran, what failed, what waits, and where the logs are."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from scripts.localcloud.fc.lanes import InvocationCounts

COLUMNS = (
    "函数 function",
    "成功 ok",
    "失败 failed",
    "死信 dead-lettered",
    "排队 queued",
    "运行中 running",
    "日志 log",
)


def render_status(
    logs: Mapping[str, Path],
    counts: Mapping[str, InvocationCounts],
    *,
    services: Mapping[str, str],
    dead_letters: Path,
) -> str:
    """The page.

    Args:
        logs: Of every function.
        counts: Without a function that was not invoked yet.
        services: The address of each local service by its name.
        dead_letters: The file.
    """
    head = "".join(f"<th>{escape(column)}</th>" for column in COLUMNS)
    rows = "".join(
        _row(name, counts.get(name, InvocationCounts()), log) for name, log in sorted(logs.items())
    )
    addresses = "".join(
        f"<p>{escape(name)}: <code>{escape(url)}</code></p>" for name, url in services.items()
    )
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><meta http-equiv="refresh" content="5">'
        f"<title>Batchdrop</title><style>body{{font:15px sans-serif;margin:2em}}"
        f"td,th{{padding:.3em 1em;text-align:left}}tr:nth-child(even){{background:#f4f4f4}}</style>"
        f"<h1>Batchdrop · 本地云 local cloud</h1><table><tr>{head}</tr>{rows}</table>"
        f"<p>死信文件 dead letters: <code>{escape(str(dead_letters))}</code></p>{addresses}</html>"
    )


def _row(function: str, counts: InvocationCounts, log: Path) -> str:
    numbers = (counts.succeeded, counts.failed, counts.dead_lettered, counts.queued, counts.running)
    cells = "".join(f"<td>{number}</td>" for number in numbers)
    link = f'<a href="{escape(log.absolute().as_uri())}">{escape(str(log))}</a>'
    return f"<tr><td>{escape(function)}</td>{cells}<td>{link}</td></tr>"
