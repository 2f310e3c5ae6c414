"""Adds to a plan which of its rows are asked first, and what their answers are compared with."""

from __future__ import annotations

from collections.abc import Sequence

from shared.bucket.attempt import JobId
from shared.bucket.keys import draft_key
from shared.bucket.money import Money
from shared.bucket.records.plan import Plan, PlannedSample
from shared.inputs.inbox_keys import InputKind
from shared.inputs.rows import InputFacts
from shared.money.quotes.sample import real_time_worst
from shared.money.tokens.token_meter import line_tokens
from shared.pipeline.sample.choose_rows import ChooseRows, SampledRow
from shared.ports.store import ObjectStore
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.columns.answers import AnswerColumns
from shared.recipes.recipe import Recipe
from shared.recipes.recipe_text import RECIPE_FILE


def expected_at(facts: InputFacts, options: Recipe) -> int | None:
    """Which column of the file holds the right answers; ``None`` if none does.

    Raises:
        UserInputError: The recipe names one that is not there, or nobody knows what to compare.
    """
    expect = options.price.expect
    if expect is None:
        return None
    values = {"columns": ", ".join(facts.columns)}
    if facts.kind is InputKind.REQUEST_JSONL:
        raise UserInputError([_problem("expect_of_lines", expect)])
    places = _places(facts.columns, expect)
    if not places:
        raise UserInputError([_problem("expect_not_there", expect, **values)])
    if len(places) > 1:
        raise UserInputError([_problem("expect_twice", expect, count=len(places))])
    if _compared(options) is None:
        names = ", ".join(AnswerColumns.names_of(options.columns))
        raise UserInputError([_problem("expect_unclear", expect, columns=names)])
    return places[0]


def plan_sample(
    store: ObjectStore, plan: Plan, run_id: str, options: Recipe, chosen: ChooseRows | None
) -> Plan:
    """The plan with its sample, whose rows are written for whoever asks them.

    Args:
        store: Where they are written.
        plan: With its shards.
        run_id: Of this run.
        options: The recipe.
        chosen: Has seen all rows; ``None`` where nobody can be asked.
    """
    terms = options.price
    if terms.sample is None:
        return plan
    sample = PlannedSample(
        wanted=terms.sample,
        expect=_named(plan.columns, terms.expect),
        column=(_compared(options) or "") if terms.expect else "",
    )
    if chosen is not None and (rows := chosen.chosen()):
        key = draft_key(JobId(plan.job_id), run_id, "sample.jsonl")
        with store.open_writer(key) as writer:
            for row in rows:
                writer.write(row.to_line())
            writer.commit()
        asked: dict[str, object] = {"rows": len(rows), "rows_key": key}
        asked["shards"] = tuple(sorted({row.shard for row in rows}))
        asked["at_most"] = _at_most(plan, rows)
        sample = sample.model_copy(update=asked)
    return plan.model_copy(update={"sample": sample})


def _named(columns: Sequence[str], expect: str | None) -> str:
    """As the file has it."""
    places = _places(columns, expect) if expect else ()
    return columns[places[0]] if places else ""


def _places(columns: Sequence[str], name: str) -> Sequence[int]:
    """Found as a prompt's columns are."""
    from shared.recipes.templates.column_names import ColumnNames  # noqa: PLC0415 - loads Jinja2

    return ColumnNames(columns).find(name)


def _at_most(plan: Plan, rows: Sequence[SampledRow]) -> Money | None:
    if plan.quote is None:
        return None
    requests = [row.request.encode() for row in rows]
    tokens = round(sum(map(line_tokens, requests)))
    return real_time_worst(plan.quote, tokens, sum(map(len, requests)), len(requests))


def at_most_with_sample(plan: Plan) -> Money | None:
    """What the job may cost with its sample, whose rows count as those of a batch, too.

    ``None`` if nobody can know.
    """
    most = plan.quote.at_most if plan.quote else None
    if most is None or plan.sample is None or not plan.sample.rows:
        return most
    return None if plan.sample.at_most is None else most + plan.sample.at_most


def drop_sample(store: ObjectStore, plan: Plan) -> None:
    """Remove what was written for a plan that does not stand."""
    if plan.sample is not None and plan.sample.rows_key:
        store.delete(plan.sample.rows_key)


def _compared(options: Recipe) -> str | None:
    """The column of answers that is compared, ``""`` for the whole answer, ``None`` if unclear."""
    names = AnswerColumns.names_of(options.columns)
    if options.price.expect in names:
        return options.price.expect
    if len(names) > 1:
        return None
    return names[0] if names else ""


def _problem(code: str, found: str, **values: str | int) -> Problem:
    return Problem(code, field="price.expect", found=found, values=values, file=RECIPE_FILE)
