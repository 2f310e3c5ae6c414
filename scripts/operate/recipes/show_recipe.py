"""Checks a table and its recipe as the cloud would, and shows what it would send."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from scripts.operate.jobs.facts import quote_facts
from scripts.operate.jobs.show import quote_lines
from scripts.operate.recipes.local_folder import LocalFolder, require_file
from scripts.operate.texts.said import Refusal, said
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX, JOBS
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.events.oss import UploadedObject
from shared.formats.lines import byte_lines
from shared.pipeline.validate.validate_file import ValidateFile
from shared.pipeline.validate.validate_result import ValidateResult
from shared.ports.choice import ProviderChoice
from shared.ports.store import ObjectStore
from shared.problems.escapes import escaped_line
from shared.recipes.columns.answers import AnswerColumns
from shared.results.kept_rows import OriginalRow
from shared.runtime.settings import Settings
from shared.runtime.system_clock import SystemClock, new_run_id
from shared.runtime.wiring.providers.profiles import PROFILES

Tell = Callable[[str], None]

DEFAULT_MODEL = str(Settings.model_fields["default_model"].default)
_BUCKET = "local"
# Which of them a cloud is set up for is not known here.
_ANY = ProviderChoice(PROFILES, PROFILES[0].name, [profile.name for profile in PROFILES])
_SHOWN_BAD_ROWS = 20


def show_recipe(file: Path, tell: Tell, recipe: Path | None = None) -> dict[str, object]:
    """Tell what would be sent for the first row, or raise ``Refusal`` with the report.

    Returns:
        The same as facts; none of a recipe that is checked alone.
    """
    with planned(file, recipe) as (store, plan):
        if plan is None:
            tell(said("recipe_is_right", file=file.name))
            return {}
        for line in _plan_lines(store, plan, recipe):
            tell(line)
        return _facts(store, plan)


@contextlib.contextmanager
def planned(file: Path, recipe: Path | None = None) -> Iterator[tuple[ObjectStore, Plan | None]]:
    """What would come of a file, and where it lies for as long; no plan of a recipe alone.

    Args:
        file: The table, or a recipe.
        recipe: Instead of the one beside the table.

    Raises:
        Refusal: Nothing would, or a report.
    """
    for path in filter(None, (file, recipe)):
        require_file(path)
    with tempfile.TemporaryDirectory() as scratch:
        store = LocalFolder(file, Path(scratch), recipe)
        result = _validated(store)
        if result is ValidateResult.REJECTED:
            report = store.get(rejection_keys_for(store.key)[0]).decode("utf-8-sig")
            raise Refusal("would_be_refused", report.replace("\r\n", "\n").rstrip(), file=file.name)
        if result not in {ValidateResult.RECIPE, ValidateResult.PLANNED}:
            raise Refusal("starts_nothing", file=file.name)
        yield store, _plan_in(store) if result is ValidateResult.PLANNED else None


def _validated(store: LocalFolder) -> object:
    head = store.head(store.key)
    upload = UploadedObject(_BUCKET, store.key, head.etag if head else "")
    return ValidateFile(store, SystemClock(), _ANY, DEFAULT_MODEL, new_run_id())(upload)


def _plan_in(store: LocalFolder) -> Plan:
    records = BucketRecords(store)
    keys = (head.key for head in store.list(JOBS) if head.key.endswith("/plan.json"))
    return next(filter(None, (records.find(key, Plan) for key in keys)))


def _plan_lines(store: ObjectStore, plan: Plan, recipe: Path | None) -> Iterator[str]:
    yield from map(escaped_line, _head_lines(plan, recipe))
    if plan.bad_rows:
        yield said("bad_rows_skipped", rows=plan.bad_rows)
        yield from map(escaped_line, islice(_bad_rows(store, plan), _SHOWN_BAD_ROWS))
    yield said("first_row")
    yield from _request_lines(store, plan)


def _facts(store: ObjectStore, plan: Plan) -> dict[str, object]:
    return {
        "rows": plan.rows,
        "bad_rows": plan.bad_rows,
        "provider": plan.provider,
        "model": plan.model,
        "endpoint": plan.endpoint,
        "columns": AnswerColumns.names_of(plan.answer_columns),
        "quote": quote_facts(plan),
        "warnings": plan.warnings,
        "body": _first_body(store, plan),
    }


def _head_lines(plan: Plan, instead: Path | None) -> Iterator[str]:
    recipe = instead.name if instead else (plan.source.recipe_key or "").removeprefix(INBOX)
    yield f"表格 table    {plan.source.key.removeprefix(INBOX)}: {_form(plan)}, {plan.rows} 行 rows"
    yield f"配方 recipe   {recipe or '没有 none'}"
    yield f"模型 model    {plan.provider} {plan.model} {plan.endpoint}"
    if names := AnswerColumns.names_of(plan.answer_columns):
        yield f"答案 columns  {', '.join(names)}"
    yield from quote_lines(plan)
    for warning in plan.warnings:
        yield f"提醒 warning  {warning}"


def _form(plan: Plan) -> str:
    delimiter = {None: None, "\t": "tab"}.get(plan.delimiter, f'"{plan.delimiter}"')
    text = (plan.encoding, delimiter) if plan.format in {"csv", "jsonl"} else (plan.sheet,)
    return ", ".join(filter(None, (plan.format, plan.compression, *text)))


def _bad_rows(store: ObjectStore, plan: Plan) -> Iterator[str]:
    for shard in plan.shards:
        for row in map(OriginalRow.from_line, byte_lines(store.read(shard.rows_key))):
            if not row.is_good:
                yield f"    {row.error_message}"


def _request_lines(store: ObjectStore, plan: Plan) -> Iterator[str]:
    """The texts as the model reads them, and everything else as it is sent."""
    body = _first_body(store, plan)
    messages = body.pop("messages", None)
    for message in messages if isinstance(messages, list) else ():
        yield f"──── {message.get('role')}"
        yield _text(message.get("content"))
    if "input" in body:
        yield "──── input"
        yield _text(body.pop("input"))
    yield "──── 参数 parameters"
    yield _text(body)


def _first_body(store: ObjectStore, plan: Plan) -> dict[str, Any]:
    requests = (shard.requests_key for shard in plan.shards if shard.requests)
    body: dict[str, Any] = json.loads(next(byte_lines(store.read(next(requests)))))["body"]
    return body


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=2)
