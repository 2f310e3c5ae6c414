"""A table by hand: what the scripts in Bailian's documentation do, one after the other.

``python scripts/benchmarks/by_hand.py <table> <folder>``; it imports nothing of ours, and takes the
service from the SDK's own variables. Prints as JSON its CPU seconds and its peak memory.
https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
"""

from __future__ import annotations

import csv
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path

from openai import OpenAI

ROWS_A_FILE = 50_000
LOOK_EVERY_S = 0.5
COLUMNS = (
    "custom_id", "model", "request_id", "status_code", "error_code", "error_message", "created", "content", "usage",
)  # fmt: skip


def request_files(table: Path, folder: Path) -> Iterator[Path]:
    """Files of as many requests as a batch may hold."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file)
        next(rows)
        for number in count():
            path = folder / f"requests-{number}.jsonl"
            with path.open("w", encoding="utf-8") as lines:
                for custom_id, text in islice(rows, ROWS_A_FILE):
                    body = {"model": "qwen-flash", "messages": [{"role": "user", "content": text}]}
                    request = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions"}
                    line = {**request, "body": body}
                    lines.write(json.dumps(line, separators=(",", ":"), ensure_ascii=False) + "\n")
            if not path.stat().st_size:
                return
            yield path


def start(client: OpenAI, path: Path) -> str:
    uploaded = client.files.create(file=path, purpose="batch")
    return client.batches.create(
        input_file_id=uploaded.id, endpoint="/v1/chat/completions", completion_window="24h"
    ).id


def download(client: OpenAI, batch_id: str, path: Path) -> None:
    while (batch := client.batches.retrieve(batch_id)).status not in {"completed", "failed", "expired"}:
        time.sleep(LOOK_EVERY_S)
    if batch.output_file_id is None or batch.error_file_id is not None:
        raise SystemExit(f"batch {batch_id} ended as {batch.status}")
    client.files.content(batch.output_file_id).write_to_file(path)


def result_rows(path: Path) -> list[list[object]]:
    rows = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            result = json.loads(line)
            response, error = result["response"], result["error"] or {}
            body = response["body"]
            content = body["choices"][0]["message"]["content"]
            told = [body["model"], response["request_id"], response["status_code"]]
            told += [error.get("code"), error.get("message"), body["created"], content, body["usage"]]
            rows.append([result["custom_id"], *told])
    return rows


def main(table: Path, folder: Path) -> None:
    client = OpenAI()
    batch_ids = [start(client, path) for path in request_files(table, folder)]
    with (folder / "results.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for batch_id in batch_ids:
            path = folder / f"{batch_id}.jsonl"
            download(client, batch_id, path)
            writer.writerows(result_rows(path))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
    used, peak = os.times(), re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())
    measured = {"cpu_s": used.user + used.system, "peak_bytes": int(peak[1]) * 1024 if peak else 0}
    sys.stdout.write(json.dumps(measured) + "\n")
