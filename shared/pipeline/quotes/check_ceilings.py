"""Finds the ceilings that hold for a file, and refuses a file for which they could not be kept."""

from __future__ import annotations

from collections.abc import Iterator

from shared.bucket.keys import BUDGET
from shared.bucket.money import Ceiling, Money
from shared.bucket.records.plan import Plan
from shared.money.amounts import money_text
from shared.money.worst_case import worst_case
from shared.pipeline.quota.ceilings import read_budget
from shared.ports.store import ObjectStore
from shared.problems.problem import Bilingual, Problem, Values
from shared.problems.render import render_both
from shared.recipes.recipe import PriceTerms
from shared.recipes.recipe_text import RECIPE_FILE


def ceilings_for(
    store: ObjectStore, source_key: str, terms: PriceTerms, of_stack: Money | None
) -> tuple[Ceiling, ...]:
    """The job's own, its folders' and that of all files.

    Raises:
        UserInputError: The file of budgets is wrong. Nothing is sent while nobody knows what may
            be spent.
    """
    own = () if terms.at_most is None else (Ceiling(scope="job", at_most=terms.at_most),)
    return (*own, *read_budget(store, of_stack).ceilings_of(source_key))


def problems_under(plan: Plan, *, reads_more: bool) -> list[Problem]:
    """Why a planned job could not be kept under its ceilings, if so.

    Args:
        plan: With its quote and its ceilings.
        reads_more: Its service reads more than the texts that were counted.
    """
    if reads_more:
        values = [{"limit": money_text(ceiling.at_most)} for ceiling in plan.ceilings]
        pairs = zip(plan.ceilings, values, strict=True)
        return [_problem("ceiling_beyond_text", ceiling, each) for ceiling, each in pairs]
    return [problem for ceiling in plan.ceilings for problem in _problems(plan, ceiling)]


def _problems(plan: Plan, ceiling: Ceiling) -> Iterator[Problem]:
    quote, values = plan.quote, {"limit": money_text(ceiling.at_most), "model": plan.model}
    if quote is None or quote.price is None:
        yield _problem("ceiling_without_price", ceiling, values)
    elif quote.price.currency != ceiling.at_most.currency:
        yield _problem("ceiling_currency", ceiling, {**values, "currency": quote.price.currency})
    elif quote.at_most is None:
        write = ", ".join(quote.bounded_by) or "max_tokens: 500"
        yield _problem("ceiling_without_bound", ceiling, {**values, "write": write})
    else:
        worst = {
            shard.shard: worst_case(quote, shard, shard.requests, shard.size_bytes) for shard in plan.shards
        }
        amounts = {shard: amount for shard, amount in worst.items() if amount is not None}
        most = max(amounts, key=lambda shard: amounts[shard].micros)
        if amounts[most].micros > ceiling.at_most.micros:
            rows, needed = plan.shards[most - 1].requests, amounts[most]
            fitting = rows * ceiling.at_most.micros // needed.micros
            more: Values = {"needed": money_text(needed), "rows": rows, "lower": _lower(fitting)}
            yield _problem("ceiling_too_low", ceiling, {**values, **more})


def _lower(fitting: int) -> Bilingual:
    """How to need less at once. Where not one row would fit, a smaller file is no way."""
    if fitting == 0:
        return Bilingual("减小 max_tokens", "Lower max_tokens")
    each = "1 row" if fitting == 1 else f"about {fitting:,} rows at most"
    return Bilingual(
        f"把文件拆成几个（每个最多约 {fitting:,} 行），减小 max_tokens",
        f"Split the file into several ({each} in each), lower max_tokens",
    )


def with_warnings(plan: Plan) -> Plan:
    """The plan, which says so if not all of it may be sent."""
    return plan.model_copy(update={"warnings": (*plan.warnings, *map(render_both, _warnings(plan)))})


def _warnings(plan: Plan) -> Iterator[Problem]:
    quote = plan.quote
    for ceiling in plan.ceilings:
        is_own = ceiling.scope == "job"
        if is_own and quote and quote.at_most and quote.at_most.micros > ceiling.at_most.micros:
            again = _KEEPS_ITS_ANSWER if quote.until_fits else Bilingual("", "")
            values = {"limit": money_text(ceiling.at_most), "needed": money_text(quote.at_most)}
            yield _problem("ceiling_below_quote", ceiling, {**values, "again": again})


def _problem(code: str, ceiling: Ceiling, values: Values) -> Problem:
    if ceiling.scope == "job":
        return Problem(code, field="price.at_most", values={**values, **_OF_JOB}, file=RECIPE_FILE)
    values = {**values, **_OF_OPERATOR}
    if ceiling.is_of_stack:
        return Problem(code, field="MonthBudget", values=values)
    field = f"folders.{ceiling.folder}" if ceiling.folder else "month"
    return Problem(code, field=field, values=values, file=BUDGET)


_KEEPS_ITS_ANSWER = Bilingual(
    "；要再问的行如果放不下，就保留上一次的答案",
    "; rows that would be asked again may keep their last answer",
)
# What whoever drops files can do about a ceiling beside keeping below it.
_OF_JOB: Values = {
    "remove": Bilingual("去掉上限", "remove the ceiling"),
    "increase": Bilingual("提高上限", "raise the ceiling"),
}
_OF_OPERATOR: Values = {
    "remove": Bilingual("请管理员去掉上限", "ask the operator to remove the ceiling"),
    "increase": Bilingual("请管理员提高上限", "ask the operator to raise the ceiling"),
}
