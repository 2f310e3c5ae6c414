"""What people run today: ``json`` and ``csv`` of the standard library, with no check they can omit.

``python scripts/benchmarks/paths/plain.py <path> <folder> <out>``; it imports nothing of ours.
``flatten``, ``validate`` and ``convert`` do what the scripts in Bailian's documentation do (its
``flatten`` gathers all rows before it writes them):
https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COLUMNS = (
    "custom_id", "model", "request_id", "status_code", "error_code", "error_message", "created", "content", "usage",
)  # fmt: skip


def _get(value: Any, *path: str | int) -> Any:
    try:
        for step in path:
            value = value[step]
    except (TypeError, KeyError, IndexError):
        return None
    return value


def _answer(line: str) -> Any:
    result = json.loads(line)
    message = _get(result, "response", "body", "choices", 0, "message", "content")
    vector = _get(result, "response", "body", "data", 0, "embedding")
    return result, message if vector is None else json.dumps(vector)


def _row(line: str) -> list[Any]:
    result, content = _answer(line)
    return [
        result["custom_id"],
        _get(result, "response", "body", "model"),
        _get(result, "response", "request_id"),
        _get(result, "response", "status_code"),
        _get(result, "error", "code"),
        _get(result, "error", "message"),
        _get(result, "response", "body", "created"),
        content,
        _get(result, "response", "body", "usage"),
    ]


def _result_lines(folder: Path) -> Iterator[str]:
    for path in sorted(folder.glob("results-*.jsonl")):
        with path.open(encoding="utf-8", newline="\n") as file:
            yield from file


def flatten(folder: Path, out: Path) -> None:
    rows: list[Any] = [COLUMNS]
    rows += [_row(line) for line in _result_lines(folder)]
    with out.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)


def validate(folder: Path, out: Path) -> None:
    """Count the good lines; like the script in Bailian's documentation, it writes no copy."""
    ids = set()
    with (folder / "requests.jsonl").open(encoding="utf-8") as file:
        for line in file:
            request = json.loads(line)
            custom_id = request.get("custom_id")
            if not custom_id or custom_id in ids:
                raise SystemExit(f"bad or repeated custom_id {custom_id}")
            ids.add(custom_id)
            if not isinstance(request.get("body"), dict):
                raise SystemExit("body is no object")
    out.write_text(str(len(ids)))


def convert(folder: Path, out: Path, encoding: str) -> None:
    with (
        (folder / "input.csv").open(encoding=encoding, newline="") as file,
        out.open("w", encoding="utf-8") as lines,
    ):
        rows = csv.reader(file)
        next(rows)
        for custom_id, content, *_ in rows:
            messages = [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": content},
            ]
            request = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions"}
            request["body"] = {"model": "qwen-flash", "messages": messages}  # type: ignore[assignment]  # plain
            lines.write(json.dumps(request, separators=(",", ":"), ensure_ascii=False) + "\n")


def join(folder: Path, out: Path) -> None:
    answers = {}
    for line in _result_lines(folder):
        result, content = _answer(line)
        answers[result["custom_id"]] = [
            content,
            _get(result, "error", "code"),
            _get(result, "error", "message"),
        ]
    with (
        (folder / "input.csv").open(encoding="utf-8", newline="") as file,
        out.open("w", encoding="utf-8", newline="") as joined,
    ):
        rows, writer = csv.reader(file), csv.writer(joined)
        writer.writerow([*next(rows), "content", "error_code", "error_message"])
        for row in rows:
            writer.writerow(row + answers.get(row[0], ["", "missing", ""]))


if __name__ == "__main__":
    path, folder, out, *more = sys.argv[1:]
    globals()[path](Path(folder), Path(out), *more)
