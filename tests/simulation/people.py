"""What people drop into the bucket in one run, and what they may expect of it."""

from __future__ import annotations

import csv
import io
import json
import random
from dataclasses import dataclass, replace
from functools import partial

from shared.ports.profile import CHAT, ShardLimits
from shared.providers.bailian.profile import BAILIAN_LIMITS, TEST_ENDPOINT, TEST_MODEL
from tests.simulation.pipeline import Pipeline

_DAY_S = 24 * 3600.0
_TWICE = 0.3
_SOONER = 60  # then both versions may close at once
_URLS = {"qwen-flash": CHAT, TEST_MODEL: TEST_ENDPOINT}
_TABLE = ("id", "text")
_ODD = ("plain", "with, comma", 'with "quotes"', "two\nlines", "中文 内容", "=1+1")


@dataclass(frozen=True)
class DroppedFile:
    """A file as a person drops it: its rows, and the text that each row asks about."""

    key: str
    rows: tuple[tuple[str, str], ...]
    model: str

    @property
    def is_table(self) -> bool:
        return self.key.endswith(".csv")

    def content(self) -> bytes:
        if self.is_table:
            text = io.StringIO()
            csv.writer(text).writerows([_TABLE, *self.rows])
            return text.getvalue().encode()
        return b"".join(_request(*row, self.model) for row in self.rows)


def people_of(seed: int, pipeline: Pipeline) -> list[DroppedFile]:
    """Let people drop their files; return each version of each, in the order of the drops."""
    choose = random.Random(f"people {seed}")
    kernel, bucket = pipeline.kernel, pipeline.bucket
    # Of the test model only two batches may be unfinished at once.
    model = choose.choice(("qwen-flash", "qwen-flash", TEST_MODEL))
    attempts = choose.choice((1, 2, 2, 3))
    recipe = f"model: {model}\nprompt: '{{{{ text }}}}'\nattempts: {attempts}\n"
    bucket.drop("inbox/batch.yaml", recipe.encode())
    files = []
    for number in range(choose.choice((1, 1, 1, 2, 3))):
        file = _file(choose, number, model)
        files.append(file)
        at_s = choose.uniform(0, 600)
        again_s = at_s + choose.uniform(0, 2 * _DAY_S if choose.random() < 0.3 else 7200)
        pipeline.later(at_s, partial(bucket.drop, file.key, file.content()))
        if kernel.faults.strikes("dropped_again", file.key, 0, likely=3):
            pipeline.later(again_s, partial(bucket.drop, file.key, file.content()))
        elif kernel.faults.strikes("new_version", file.key, 0, likely=3):
            newer = replace(file, rows=(*file.rows, ("new", f"new row of {file.key}")))
            files.append(newer)
            is_soon = kernel.faults.strikes("new_version_soon", file.key, 0, likely=3)
            newer_s = at_s + choose.uniform(1, 7200) / (_SOONER if is_soon else 1)
            pipeline.later(newer_s, partial(bucket.drop, newer.key, newer.content()))
            if kernel.faults.strikes("old_version", file.key, 0, likely=3):
                files.append(file)
                old_s = newer_s + choose.uniform(1, 7200)
                pipeline.later(old_s, partial(bucket.drop, file.key, file.content()))
    for what in ("cancel", "retry", "retry"):
        _let_operate(choose, pipeline, what)
    return files


def _let_operate(choose: random.Random, pipeline: Pipeline, command: str) -> None:
    """Somebody cancels or retries a job that is there by then, perhaps twice at once."""
    faults, at_s, which = pipeline.kernel.faults, choose.uniform(0, 12 * 3600), choose.random()
    is_twice = choose.random() < _TWICE
    if faults.strikes("job_cancelled" if command == "cancel" else "job_retried", command, 0, likely=3):
        for _ in range(2 if is_twice else 1):
            pipeline.kernel.at(at_s, partial(pipeline.operate, command, which))


def shard_limits(seed: int) -> ShardLimits:
    """So small that a few rows make several shards."""
    return replace(BAILIAN_LIMITS, max_requests=random.Random(f"limits {seed}").choice((2, 3, 5)))


def _file(choose: random.Random, number: int, model: str) -> DroppedFile:
    name = f"inbox/file{number}" + choose.choice((".csv", ".csv", ".jsonl"))
    rows = [(f"r{row}", f"{choose.choice(_ODD)} {number}.{row}") for row in range(choose.randint(1, 7))]
    return DroppedFile(name, tuple(rows), model)


def _request(custom_id: str, text: str, model: str) -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    line = {"custom_id": custom_id, "method": "POST", "url": _URLS[model], "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
