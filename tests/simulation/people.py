"""What people drop into the bucket in one run, and what they may expect of it."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import dataclass, replace

from shared.domain.limits import BAILIAN_LIMITS
from tests.simulation.pipeline import Pipeline

_DAY_S = 24 * 3600.0
_RECIPE = "model: qwen-flash\nprompt: '{{ text }}'\n"
_TABLE = ("id", "text")
_ODD = ("plain", "with, comma", 'with "quotes"', "two\nlines", "中文 内容", "=1+1")


@dataclass(frozen=True)
class DroppedFile:
    """A file as a person drops it: its rows, and the text that each row asks about."""

    key: str
    rows: tuple[tuple[str, str], ...]

    @property
    def is_table(self) -> bool:
        return self.key.endswith(".csv")

    def content(self) -> bytes:
        if self.is_table:
            text = io.StringIO()
            csv.writer(text).writerows([_TABLE, *self.rows])
            return text.getvalue().encode()
        return b"".join(_request(*row) for row in self.rows)


def people_of(seed: int, pipeline: Pipeline) -> list[DroppedFile]:
    """Let people drop their files; return each version of each, in the order of the drops."""
    choose = random.Random(f"people {seed}")
    kernel, bucket = pipeline.kernel, pipeline.bucket
    bucket.drop("inbox/batch.yaml", f"{_RECIPE}attempts: {choose.choice((1, 2, 2, 3))}\n".encode())
    files = []
    for number in range(choose.choice((1, 1, 1, 2, 3))):
        file = _file(choose, number)
        files.append(file)
        at_s = choose.uniform(0, 600)
        kernel.at(at_s, lambda file=file: bucket.drop(file.key, file.content()))  # type: ignore[misc]
        if kernel.faults.strikes("dropped_again", file.key, 0, likely=3):
            again_s = at_s + choose.uniform(0, 2 * _DAY_S if choose.random() < 0.3 else 7200)
            kernel.at(again_s, lambda file=file: bucket.drop(file.key, file.content()))  # type: ignore[misc]
        elif kernel.faults.strikes("new_version", file.key, 0, likely=3):
            newer = replace(file, rows=(*file.rows, ("new", f"new row of {file.key}")))
            files.append(newer)
            kernel.at(
                at_s + choose.uniform(1, 7200), lambda file=newer: bucket.drop(file.key, file.content())
            )  # type: ignore[misc]
    return files


def shard_limits(seed: int) -> object:
    """So small that a few rows make several shards."""
    return replace(BAILIAN_LIMITS, max_requests=random.Random(f"limits {seed}").choice((2, 3, 5)))


def _file(choose: random.Random, number: int) -> DroppedFile:
    name = f"inbox/file{number}" + choose.choice((".csv", ".csv", ".jsonl"))
    rows = [(f"r{row}", f"{choose.choice(_ODD)} {number}.{row}") for row in range(choose.randint(1, 7))]
    return DroppedFile(name, tuple(rows))


def _request(custom_id: str, text: str) -> bytes:
    body = {"model": "qwen-flash", "messages": [{"role": "user", "content": text}]}
    line = {"custom_id": custom_id, "method": "POST", "url": "/v1/chat/completions", "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
