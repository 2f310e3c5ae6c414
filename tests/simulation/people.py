"""What people drop into the bucket in one run, and what they may expect of it."""

from __future__ import annotations

import json
import random
from collections.abc import Container
from dataclasses import dataclass, replace
from functools import cached_property, partial

from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.ports.profile import CHAT, ShardLimits
from shared.providers.bailian.profile import BAILIAN_LIMITS, TEST_ENDPOINT, TEST_MODEL
from tests.simulation import answers as columns
from tests.simulation import ceilings
from tests.simulation.approvals import Approvals
from tests.simulation.boards import prefix_of
from tests.simulation.bucket import Bucket
from tests.simulation.ceilings import spending_of
from tests.simulation.installations import ARK_MODEL, MODELS, provider_of
from tests.simulation.pipeline import Pipeline
from tests.simulation.reuse import reuse_of
from tests.simulation.samples import sample_of
from tests.simulation.tables import LINES, OUTPUTS, TABLES, packed, table
from tests.simulation.words import NOTIFY
from tests.support.fakes import etag_of

_DAY_S = 24 * 3600.0
_TWICE = 0.3
_EDITED_WITHIN_S = 7200
_SOONER = 60  # then both versions may close at once
_TABLE = ("id", "text")
# The nearest to a table counts.
_RECIPES = ("inbox/batch.yaml", "inbox/files/batch.yaml")
_RECIPE = """model: {model}
prompt: '{{{{ text }}}}'
attempts: {attempts}
on_empty: skip
on_bad_rows: skip
output: {{format: {output}}}
"""
# Where request lines lie, whose recipe must have none of a table's keys.
_LINES_OF = {"ark": "lines", "tione": "lines-of-tione"}
_WITH_AN_EMPTY_ROW = 0.2
_MOVES_IN_S = 2.0
_SPOILT_FOR_S = 5.0
_BROKEN = b"atempts: 2\n"
# Once every look at the broken recipe has ended, what was refused is dropped again.
_REFUSED_BY_S = 900.0
_OPERATED = ("cancel", "retry", "retry", "erase")
_OPERATIONS = {"cancel": "job_cancelled", "retry": "job_retried", "erase": "job_erased"}
# A row of one cell too many, as it stands in the result; of request lines, one that asks nothing.
BAD = "never asked,too many"
_HAVE_BAD_ROWS = (".csv", ".csv.gz", ".tsv", ".jsonl", ".jsonl.gz")
_WITH_A_BAD_ROW = 0.25
_WITH_A_REPEAT = 0.25
_WITH_COLUMNS = 0.4
_UNTIL_FITS = 0.3
# Request lines lie there where tables are asked again: beside them such a recipe is refused.
_OF_LINES = "inbox/requests/"
_ODD = ("plain", "with, comma", 'with "quotes"', "two\nlines", "中文 内容", "=1+1")


@dataclass(frozen=True)
class DroppedFile:
    """A file as a person drops it: its rows, and the text that each row asks about."""

    key: str
    rows: tuple[tuple[str, str], ...]
    model: str
    has_columns: bool = False
    max_tokens: int | None = None

    @property
    def is_table(self) -> bool:
        return ".jsonl" not in self.key

    @cached_property
    def etag(self) -> str:
        return etag_of(self.content())

    def content(self) -> bytes:
        suffix = self.key[self.key.index(".") :]
        if self.is_table:
            rows = [_ragged(*row) if row[1] == BAD else row for row in self.rows]
            return table(suffix, [_TABLE, *rows])
        return packed(suffix, b"".join(_request(*row, self.model, self.max_tokens) for row in self.rows))


def people_of(seed: int, pipeline: Pipeline) -> list[DroppedFile]:
    """Let people drop their files; return what they dropped, in that order, as it grows."""
    choose = random.Random(f"people {seed}")
    # Of the test model only two batches may be unfinished at once.
    model = choose.choice(("qwen-flash", "qwen-flash", TEST_MODEL))
    model = MODELS.get(pipeline.installation.default, model)
    spending = spending_of(seed, pipeline, shard_limits(seed).max_requests)
    model = model if spending is None else ceilings.MODEL
    has_columns = random.Random(f"columns {seed}").random() < _WITH_COLUMNS
    told_by = pipeline.words.told_by(random.Random(f"words {seed}"))
    if told_by == "folder":
        pipeline.bucket.drop("inbox/notify.yaml", NOTIFY.encode())
    more = (columns.RECIPE if has_columns else "") + (NOTIFY if told_by == "recipe" else "")
    # So that a ceiling can be kept.
    more += f"parameters: {{max_tokens: {columns.MAX_TOKENS}}}\n" if spending else ""
    sample = sample_of(seed, pipeline)
    terms = (*(spending.terms if spending else ()), *Approvals.of(seed, pipeline).terms)
    terms += () if sample is None else (f"sample: {sample}",)
    more += f"price: {{{', '.join(terms)}}}\n" if terms else ""
    more += _reuse(seed, pipeline)
    max_tokens = columns.MAX_TOKENS if spending else None
    times = _times(random.Random(f"until fits {seed}"), pipeline, has_columns=has_columns)
    _write_recipe(choose, pipeline, model, more, times)
    files: list[DroppedFile] = []
    pipeline.replace = partial(_replace, pipeline, files)
    pipeline.break_recipe = partial(_break_recipe, pipeline, files)
    dropped: set[str] = set()
    for number in range(choose.choice((1, 1, 1, 2, 3))):
        are_alike = pipeline.kernel.faults.strikes("names_alike", "inbox/files/", 0, likely=3)
        file = _file(choose, number, model, "file" if are_alike else f"file{number}")
        file = _with_bad_rows(random.Random(f"bad rows {seed} {number}"), file)
        file = _with_repeats(random.Random(f"repeats {seed} {number}"), file)
        file = replace(file, has_columns=has_columns and file.is_table, max_tokens=max_tokens)
        if times and not file.is_table:
            file = replace(file, key=file.key.replace("inbox/files/", _OF_LINES))
        if file.key not in dropped:
            dropped.add(file.key)
            _let_drop(choose, pipeline, files, file)
            _let_ask_again(random.Random(f"asked again {seed} {number}"), pipeline, files, file)
    for first, name in enumerate(pipeline.installation.others, 1):  # no two files have the same rows
        for number in range(10 * first, 10 * first + choose.choice((1, 2))):
            _let_drop(choose, pipeline, files, _file(choose, number, MODELS[name], f"{name}{number}"))
    _let_some_be_earlier(random.Random(f"earlier {seed}"), pipeline, model)
    _let_lose_a_result(random.Random(f"losses {seed}"), pipeline, files)
    for what in _OPERATED:
        _let_operate(choose, pipeline, what)
    return files


def _let_some_be_earlier(choose: random.Random, pipeline: Pipeline, model: str) -> None:
    """The folder has a history, perhaps too short to tell anything."""
    prefix = prefix_of("inbox/files/a.csv", provider_of(model), model, rows=1)
    numbers = range(choose.choice((0, 2, 2, 3, 5)))
    pipeline.earlier = [f"{prefix}{9_000_000_000 + at}-{choose.randint(0, 9999)}-{at:016x}" for at in numbers]
    for key in pipeline.earlier:
        pipeline.bucket.drop(key, b"")


def _times(choose: random.Random, pipeline: Pipeline, *, has_columns: bool) -> int:
    """How often rows are asked again whose answers do not fit."""
    if choose.random() >= _UNTIL_FITS:
        return 0
    for member in pipeline.members:
        member.service.cuts_off, member.service.has_columns = True, has_columns
    return choose.choice((1, 1, 2, 3))


def _write_recipe(choose: random.Random, pipeline: Pipeline, model: str, more: str, times: int) -> None:
    """The recipe of the run, which somebody may edit or move later."""
    for name in pipeline.installation.value:
        for own_key, own_recipe in _recipes_of(name).items():
            pipeline.bucket.drop(own_key, own_recipe.encode())
    faults, bucket, key = pipeline.kernel.faults, pipeline.bucket, _RECIPES[0]
    attempts = choose.choice((1, 2, 2, 3))
    recipe = _RECIPE.format(model=model, attempts=attempts, output=choose.choice(OUTPUTS)) + more
    if times:
        bucket.drop(f"{_OF_LINES}batch.yaml", recipe.encode())
        recipe += f"until_fits: {{times: {times}}}\n"
    bucket.drop(key, recipe.encode())
    if faults.strikes("recipe_edited", key, 0, likely=3):
        edited = f"# edited\n{recipe}"
        pipeline.later(choose.uniform(0, _EDITED_WITHIN_S), partial(bucket.drop, key, edited.encode()))
    if faults.strikes("recipe_moved", key, 0, likely=3):
        pipeline.later(choose.uniform(0, _EDITED_WITHIN_S), partial(_move_recipe, pipeline))


def _recipes_of(provider: str) -> dict[str, str]:
    """Of a provider that its recipes must name: of tables, and of request lines."""
    if provider not in MODELS:
        return {}
    named = f"provider: {provider}\n"
    # The lines of Ark have no model of their own.
    lines = named + (f"model: {ARK_MODEL}\n" if provider == "ark" else "") + "on_bad_rows: skip\n"
    tables = named + _RECIPE.format(model=MODELS[provider], attempts=2, output="csv")
    return {
        f"inbox/{provider}/batch.yaml": tables,
        f"inbox/{_LINES_OF[provider]}/batch.yaml": lines,
    }


def _let_drop(choose: random.Random, pipeline: Pipeline, files: list[DroppedFile], file: DroppedFile) -> None:
    """Somebody drops a file, perhaps the same again or others under its name."""
    faults = pipeline.kernel.faults
    drop = partial(_drop, pipeline, files)
    if faults.strikes("poison", file.key, 0, likely=0.5):
        pipeline.bucket.poison.add(file.key)
    at_s = choose.uniform(0, 600)
    again_s = at_s + choose.uniform(0, 2 * _DAY_S if choose.random() < 0.3 else 7200)
    pipeline.later(at_s, partial(drop, file))
    if faults.strikes("dropped_again", file.key, 0, likely=3):
        pipeline.later(again_s, partial(drop, file))
    elif faults.strikes("new_version", file.key, 0, likely=3):
        newer = replace(file, rows=(*file.rows, ("new", f"new row of {file.key}")))
        is_soon = faults.strikes("new_version_soon", file.key, 0, likely=3)
        newer_s = at_s + choose.uniform(1, 7200) / (_SOONER if is_soon else 1)
        pipeline.later(newer_s, partial(drop, newer))
        if faults.strikes("old_version", file.key, 0, likely=3):
            pipeline.later(newer_s + choose.uniform(1, 7200), partial(drop, file))
    if faults.strikes("bad_version", file.key, 0, likely=3):
        odd = random.Random(f"bad version {file.etag}")
        pipeline.later(at_s + odd.uniform(1, 600), partial(_spoil, pipeline, files, file.key, odd))


def _reuse(seed: int, pipeline: Pipeline) -> str:
    """What the recipe says of earlier answers."""
    pipeline.reuse = reuse_of(seed)
    return f"reuse: {pipeline.reuse}\n" if pipeline.reuse else ""


def _let_ask_again(
    choose: random.Random, pipeline: Pipeline, files: list[DroppedFile], file: DroppedFile
) -> None:
    """If answers are reused, somebody drops another table with some of the questions, or all."""
    asked = [(f"again-{name}", text) for name, text in file.rows if text not in ("", BAD)]
    if not (asked and pipeline.reuse and file.is_table):
        return
    rows = choose.sample(asked, choose.randint(1, len(asked)))
    folder, _, name = file.key.rpartition("/")
    key = f"{folder}/again-{name.partition('.')[0]}{choose.choice(TABLES)}"
    for number in range(choose.choice((0, 1, 1, 3))):
        rows.insert(choose.randint(0, len(rows)), (f"new{number}", f"{number}. new row of {key}"))
    again = replace(file, key=key, rows=tuple(rows))
    latest_s = choose.choice((3600, 8 * 3600, 3 * _DAY_S))
    pipeline.later(choose.uniform(600, latest_s), partial(_drop, pipeline, files, again))


def _spoil(pipeline: Pipeline, files: list[DroppedFile], key: str, odd: random.Random) -> None:
    """Somebody saves the file with nothing in it, and soon puts it right."""
    pipeline.bucket.drop(key, b"")
    pipeline.later(odd.uniform(0, _SPOILT_FOR_S), partial(_drop_again, pipeline, files, key))


def _drop_again(pipeline: Pipeline, files: list[DroppedFile], key: str) -> None:
    _drop(pipeline, files, [file for file in files if file.key == key][-1])


def _let_lose_a_result(choose: random.Random, pipeline: Pipeline, files: list[DroppedFile]) -> None:
    """Somebody deletes a result, misses it, and drops its file again."""
    at_s, again_s, which = choose.uniform(0, 12 * 3600), choose.uniform(1, 7200), choose.random()
    if pipeline.kernel.faults.strikes("result_deleted", "results/", 0, likely=3):
        pipeline.later(at_s, partial(_lose_a_result, pipeline, files, again_s, which))


def _lose_a_result(pipeline: Pipeline, files: list[DroppedFile], again_s: float, which: float) -> None:
    bucket = pipeline.bucket
    newest = {file.key: file for file in files if file.key not in bucket.poison}
    results = [(plan.result_key, newest[plan.source.key]) for plan in _closed(bucket, newest)]
    if results:
        key, file = results[int(which * len(results))]
        pipeline.kernel.say(f"somebody deletes {key}")
        bucket.remove(key)
        pipeline.later(again_s, partial(_drop, pipeline, files, file))


def _closed(bucket: Bucket, files: Container[str]) -> list[Plan]:
    """The jobs of these files that have a result under the planned name."""
    closed = [key for key in bucket.keys("jobs/") if key.endswith("/ledger.json")]
    records = [bucket.objects.get(key.replace("/ledger.json", "/plan.json")) for key in closed]
    # Not through the port, which fails and takes its time: this is the model's own look.
    plans = [Plan.model_validate_json(record) for record in records if record]
    return [plan for plan in plans if plan.source.key in files and plan.result_key in bucket.objects]


def _move_recipe(pipeline: Pipeline) -> None:
    """Somebody moves it nearer to the tables; for a moment it is there twice."""
    bucket, (old, new) = pipeline.bucket, _RECIPES
    bucket.drop(new, bucket.objects[old])
    pipeline.later(_MOVES_IN_S, partial(bucket.remove, old))


def _break_recipe(pipeline: Pipeline, files: list[DroppedFile], for_s: float) -> None:
    """Somebody saves the recipe with a mistake, and puts it right; once in a run."""
    bucket = pipeline.bucket
    key = next(key for key in reversed(_RECIPES) if key in bucket.objects)
    right = bucket.objects[key]
    pipeline.break_recipe = lambda _for_s: None
    bucket.drop(key, right + _BROKEN)

    def mend() -> None:
        for each in _RECIPES:
            if bucket.objects.get(each, b"").endswith(_BROKEN):
                bucket.drop(each, right)

    def drop_again() -> None:
        for key in dict.fromkeys(file.key for file in files):
            if rejection_keys_for(key)[1] in bucket.objects and not bucket.became_a_job(key):
                _drop_again(pipeline, files, key)

    pipeline.later(for_s, mend)
    pipeline.later(for_s + _REFUSED_BY_S, drop_again)


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
    """Somebody cancels, retries or erases a job that is there by then, perhaps twice at once."""
    faults, at_s, which = pipeline.kernel.faults, choose.uniform(0, 12 * 3600), choose.random()
    is_twice = choose.random() < _TWICE
    if faults.strikes(_OPERATIONS[command], command, 0, likely=3):
        for _ in range(2 if is_twice else 1):
            pipeline.kernel.at(at_s, partial(pipeline.operate, command, which))


def shard_limits(seed: int) -> ShardLimits:
    """So small that a few rows make several shards."""
    return replace(BAILIAN_LIMITS, max_requests=random.Random(f"limits {seed}").choice((2, 3, 5)))


def _file(choose: random.Random, number: int, model: str, stem: str) -> DroppedFile:
    suffix = choose.choice(choose.choice((TABLES, TABLES, LINES)))
    rows = [(f"r{row}", f"{choose.choice(_ODD)} {number}.{row}") for row in range(choose.randint(1, 7))]
    if suffix in TABLES and choose.random() < _WITH_AN_EMPTY_ROW:
        rows.insert(choose.randrange(len(rows)), ("empty", ""))
    return DroppedFile(f"inbox/{_folder(stem, suffix, model)}/{stem}{suffix}", tuple(rows), model)


def _folder(stem: str, suffix: str, model: str) -> str:
    name = provider_of(model)
    if name in MODELS and suffix in LINES:
        return _LINES_OF[name]
    return name if stem.startswith(name) else "files"


def _with_bad_rows(choose: random.Random, file: DroppedFile) -> DroppedFile:
    """Perhaps with a row that cannot be sent."""
    if not file.key.endswith(_HAVE_BAD_ROWS) or choose.random() >= _WITH_A_BAD_ROW:
        return file
    rows = list(file.rows)
    rows.insert(choose.randint(0, len(rows)), ("bad", BAD))
    return replace(file, rows=tuple(rows))


def _with_repeats(choose: random.Random, file: DroppedFile) -> DroppedFile:
    """Perhaps with rows of a table that ask the same as others, in their shard or in another."""
    if not file.is_table or choose.random() >= _WITH_A_REPEAT:
        return file
    rows = list(file.rows)
    for number in range(choose.choice((1, 1, 2, 4))):
        rows.insert(choose.randint(0, len(rows)), (f"same{number}", choose.choice(file.rows)[1]))
    return replace(file, rows=tuple(rows))


def _ragged(row_id: str, text: str) -> tuple[str, ...]:
    return (row_id, *text.split(","))


def _request(custom_id: str, text: str, model: str, max_tokens: int | None) -> bytes:
    messages = [] if text == BAD else [{"role": "user", "content": text}]
    body: dict[str, object] = {"model": model, "messages": messages}
    if max_tokens is not None:
        body["max_tokens"] = max_tokens
    if model == ARK_MODEL:
        del body["model"]
        return json.dumps({"custom_id": custom_id, "body": body}, ensure_ascii=False).encode() + b"\n"
    url = TEST_ENDPOINT if model == TEST_MODEL else CHAT
    line = {"custom_id": custom_id, "method": "POST", "url": url, "body": body}
    return json.dumps(line, ensure_ascii=False).encode() + b"\n"
