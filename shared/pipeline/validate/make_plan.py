"""Makes the plan of a job out of what was read of its file and what its recipe says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from shared.bucket.attempt import JobId
from shared.bucket.records.plan import Plan, PlannedShard, Source
from shared.inputs.inbox_keys import InputKind
from shared.inputs.rows import InputFacts
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.recipes.columns.answers import AnswerColumns
from shared.recipes.recipe import Recipe
from shared.results.columns import columns_of, free_names
from shared.results.formats import FORMATS


def make_plan(
    profile: ProviderProfile,
    source: Source,
    job_id: JobId,
    facts: InputFacts,
    options: Recipe,
    *,
    shards: tuple[PlannedShard, ...],
    result_key: str,
    notify: tuple[str, ...],
    now: datetime,
) -> Plan:
    """The plan without its quote and what goes by that."""
    return Plan(
        job_id=job_id,
        source=source,
        **_file(facts),
        provider=profile.name,
        model=facts.model,
        endpoint=facts.endpoint,
        completion_window=_window(profile, facts.model, options),
        attempts=options.attempts,
        **_result(facts, options),
        until_fits=options.until_fits.times if options.until_fits else 0,
        result_key=result_key,
        rows=facts.rows,
        bad_rows=facts.bad_rows,
        shards=shards,
        warnings=tuple(map(render_both, _warnings(profile, facts, options, shards))),
        notify=notify,
        created_at=now,
    )


def _file(facts: InputFacts) -> dict[str, Any]:
    return {
        "kind": facts.kind.value,
        "format": facts.form.format,
        "compression": "gzip" if facts.form.is_gzip else None,
        "sheet": facts.sheet,
        "encoding": facts.encoding,
        "delimiter": facts.delimiter,
        "columns": facts.columns,
    }


def _result(facts: InputFacts, options: Recipe) -> dict[str, Any]:
    return {
        "output_encoding": options.output.encoding,
        "output_format": options.output.format,
        "formula_guard": options.output.formula_guard,
        # Request lines bring their own prompts; nobody asked them for the recipe's columns.
        "answer_columns": {} if facts.kind is InputKind.REQUEST_JSONL else options.columns,
        "result_columns": _columns(facts, options),
        "is_typed": bool(FORMATS[options.output.format].typed_inputs),
        "column_types": facts.column_types,
    }


def _warnings(
    profile: ProviderProfile, facts: InputFacts, options: Recipe, shards: tuple[PlannedShard, ...]
) -> Iterator[Problem]:
    yield from facts.warnings
    if same := sum(shard.same for shard in shards):
        yield Problem("rows_same", values={"rows": same})
    if facts.kind is not InputKind.REQUEST_JSONL:
        prompts = f"{options.system or ''} {options.prompt}"
        yield from profile.parameter_warnings_for(options.parameters, prompts)
    yield from _window_warnings(profile, facts, options)
    yield from _renamed(facts, options)


def _window(profile: ProviderProfile, model: str, options: Recipe) -> timedelta:
    return profile.limits_for(model).rounded_window(options.completion_window)


def _window_warnings(profile: ProviderProfile, facts: InputFacts, options: Recipe) -> Iterator[Problem]:
    asked, given = options.completion_window, _window(profile, facts.model, options)
    if asked != given:
        values = {"provider": profile.terms["provider"], "window": f"{given.days}d"}
        found = f"{24 * asked.days + asked.seconds // 3600}h"
        yield Problem("window_rounded", field="completion_window", found=found, values=values)


def _columns(facts: InputFacts, options: Recipe) -> tuple[str, ...]:
    return columns_of(facts.kind.value, asks_again=options.until_fits is not None)


def _renamed(facts: InputFacts, options: Recipe) -> Iterator[Problem]:
    """Each column of the answers that cannot have its name, since another column has it."""
    if facts.kind is InputKind.REQUEST_JSONL:
        return
    names = AnswerColumns.names_of(options.columns)
    others = _columns(facts, options)
    free = free_names(facts.columns, (*others, *names))[len(others) :]
    for name, given in zip(names, free, strict=True):
        if given != name:
            yield Problem("answer_column_renamed", found=name, values={"given": given})


def check_width(facts: InputFacts, options: Recipe) -> None:
    """Raise ``UserInputError`` if the result has more columns than its format can hold."""
    most = FORMATS[options.output.format].max_columns
    added = (*_columns(facts, options), *AnswerColumns.names_of(options.columns))
    columns = len(facts.columns) + len(added)
    if most is not None and columns > most:
        values = {"columns": columns, "max_columns": most}
        raise UserInputError([Problem("too_many_columns", values=values)])
