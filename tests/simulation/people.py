"""What people drop into the bucket in one run, and what they may expect of it."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace
from functools import cached_property, partial

from shared.ports.profile import CHAT, ShardLimits
from shared.providers.bailian.profile import BAILIAN_LIMITS, TEST_ENDPOINT, TEST_MODEL
from tests.simulation.pipeline import Pipeline
from tests.simulation.tables import LINES, OUTPUTS, TABLES, packed, table
from tests.support.fakes import etag_of

_DAY_S = 24 * 3600.0
_TWICE = 0.3
_EDITED_WITHIN_S = 7200
_SOONER = 60  # then both versions may close at once
_URLS = {"qwen-flash": CHAT, TEST_MODEL: TEST_ENDPOINT}
_TABLE = ("id", "text")
_RECIPE = """model: {model}
prompt: '{{{{ text }}}}'
attempts: {attempts}
on_empty: skip
on_bad_rows: skip
output: {{format: {output}}}
"""
_WITH_AN_EMPTY_ROW = 0.2
_ODD = ("plain", "with, comma", 'with "quotes"', "two\nlines", "中文 内容", "=1+1")


@dataclass(frozen=True)
class DroppedFile:
    """A file as a person drops it: its rows, and the text that each row asks about."""

    key: str
    rows: tuple[tuple[str, str], ...]
    model: str

    @property
    def is_table(self) -> bool:
        return ".jsonl" not in self.key

    @cached_property
    def etag(self) -> str:
        return etag_of(self.content())

    def content(self) -> bytes:
        suffix = self.key[self.key.index(".") :]
        if self.is_table:
            return table(suffix, [_TABLE, *self.rows])
        return packed(suffix, b"".join(_request(*row, self.model) for row in self.rows))


def people_of(seed: int, pipeline: Pipeline) -> list[DroppedFile]:
    """Let people drop their files; return what they dropped, in that order, as it grows."""
    choose = random.Random(f"people {seed}")
    kernel, bucket = pipeline.kernel, pipeline.bucket
    # Of the test model only two batches may be unfinished at once.
    model = choose.choice(("qwen-flash", "qwen-flash", TEST_MODEL))
    attempts = choose.choice((1, 2, 2, 3))
    recipe = _RECIPE.format(model=model, attempts=attempts, output=choose.choice(OUTPUTS))
    bucket.drop("inbox/batch.yaml", recipe.encode())
    if kernel.faults.strikes("recipe_edited", "inbox/batch.yaml", 0, likely=3):
        edited = f"# edited\n{recipe}"
        pipeline.later(
            choose.uniform(0, _EDITED_WITHIN_S), partial(bucket.drop, "inbox/batch.yaml", edited.encode())
        )
    files: list[DroppedFile] = []
    pipeline.replace = partial(_replace, pipeline, files)
    for number in range(choose.choice((1, 1, 1, 2, 3))):
        file = _file(choose, number, model)
        drop = partial(_drop, pipeline, files)
        if kernel.faults.strikes("poison", file.key, 0, likely=0.5):
            bucket.poison.add(file.key)
        at_s = choose.uniform(0, 600)
        again_s = at_s + choose.uniform(0, 2 * _DAY_S if choose.random() < 0.3 else 7200)
        pipeline.later(at_s, partial(drop, file))
        if kernel.faults.strikes("dropped_again", file.key, 0, likely=3):
            pipeline.later(again_s, partial(drop, file))
        elif kernel.faults.strikes("new_version", file.key, 0, likely=3):
            newer = replace(file, rows=(*file.rows, ("new", f"new row of {file.key}")))
            is_soon = kernel.faults.strikes("new_version_soon", file.key, 0, likely=3)
            newer_s = at_s + choose.uniform(1, 7200) / (_SOONER if is_soon else 1)
            pipeline.later(newer_s, partial(drop, newer))
            if kernel.faults.strikes("old_version", file.key, 0, likely=3):
                pipeline.later(newer_s + choose.uniform(1, 7200), partial(drop, file))
    for what in ("cancel", "retry", "retry"):
        _let_operate(choose, pipeline, what)
    return files


def _replace(pipeline: Pipeline, files: list[DroppedFile], key: str) -> None:
    """Somebody overwrites a file that is just being looked at; once for each file."""
    mine = [file for file in files if file.key == key]
    if mine and not any(row[0] == "meanwhile" for file in mine for row in file.rows):
        newer = replace(mine[-1], rows=(*mine[-1].rows, ("meanwhile", f"row of {key} come meanwhile")))
        _drop(pipeline, files, newer)


def _drop(pipeline: Pipeline, files: list[DroppedFile], file: DroppedFile) -> None:
    files.append(file)
    pipeline.bucket.drop(file.key, file.content())


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
    suffix = choose.choice(choose.choice((TABLES, TABLES, LINES)))
    rows = [(f"r{row}", f"{choose.choice(_ODD)} {number}.{row}") for row in range(choose.randint(1, 7))]
    if suffix in TABLES and choose.random() < _WITH_AN_EMPTY_ROW:
        rows.insert(choose.randrange(len(rows)), ("empty", ""))
    return DroppedFile(f"inbox/file{number}{suffix}", tuple(rows), model)


def _request(custom_id: str, text: str, model: str) -> bytes:
    body = {"model": model, "messages": [{"role": "user", "content": text}]}
    line = {"custom_id": custom_id, "method": "POST", "url": _URLS[model], "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
