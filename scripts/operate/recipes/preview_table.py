"""Has a few rows of a table answered at once, as a sample would, so that a recipe can be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scripts.operate.recipes.show_recipe import Tell, planned
from scripts.operate.texts.said import Refusal, said
from shared.bucket.records.plan import Plan, PlannedSample
from shared.formats.lines import byte_lines
from shared.formats.tables.typed_cells import shown_cell
from shared.pipeline.preview import PreviewedRow, previewed
from shared.pipeline.sample.ask_sample import group_of
from shared.pipeline.sample.choose_rows import ChooseRows, SampledRow
from shared.pipeline.sample.make_sample import compared, is_right, make_sample
from shared.pipeline.sample.records import Sample, SampleGroup
from shared.ports.providers import Provider, Providers
from shared.ports.real_time import MAX_REQUESTS, RealTime, Reply
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ProviderTrouble
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import RowStatus
from shared.results.kept_rows import OriginalRow
from shared.results.replies.result_lines import parse_result_line

ProviderOf = Callable[[str], Providers]


@dataclass(frozen=True)
class ShownRow:
    """One row and what it was answered.

    Attributes:
        expected: What the file says is right; ``""`` if nothing, and ``is_right`` is ``None`` then.
    """

    custom_id: str
    cells: list[str]
    answered: PreviewedRow
    expected: str = ""
    is_right: bool | None = None


@dataclass(frozen=True)
class Preview:
    """Rows spread over the lengths of a table, and what they tell of the cost of all others.

    Attributes:
        is_made_up: No model answered, and nothing is paid for.
        trouble: Why the rows behind these were not asked.
    """

    plan: Plan
    rows: Sequence[ShownRow]
    sample: Sample
    is_made_up: bool = False
    trouble: str = ""


def preview_table(
    file: Path,
    rows: int,
    provider_of: ProviderOf,
    tell: Tell,
    *,
    recipe: Path | None = None,
    is_made_up: bool = False,
) -> Preview:
    """Ask the model about rows of a table: those that a sample of as many ``rows`` would ask.

    Nothing is kept, so a sample asks them again. ``recipe`` counts instead of the one beside the
    table. ``is_made_up``: no model answers, and nothing is
    paid for.

    Raises:
        Refusal: The table would be refused, its provider has no preview, or somebody must act.
    """
    with planned(file, recipe) as (store, found):
        if found is None:
            raise Refusal("no_preview_of_recipe", file=file.name)
        plan, chosen = _with_sample(store, found, rows)
        if not chosen:
            raise Refusal("no_row_to_preview", file=file.name)
        originals = _originals(store, plan, chosen)
    provider = provider_of(plan.provider).of(plan.provider)
    real_time = _real_time(provider)
    code = "rows_made_up_now" if is_made_up else "rows_answered_now"
    tell(said(code, rows=len(chosen), model=plan.model, provider=plan.provider))
    replies: list[Reply] = []
    groups: list[SampleGroup] = []
    trouble = ""
    try:
        for group in _groups(chosen):
            answered = real_time.answers([row.request.encode() for row in group], plan.model)
            replies += answered
            groups.append(group_of(group, answered))
    except ProviderTrouble as error:
        trouble = _words(provider, error)
        if not replies:
            raise Refusal("preview_not_possible", *trouble.split("\n")) from error
    shown = _shown(plan, chosen, originals, replies)
    sample = make_sample(plan, chosen, groups, is_kept=False)
    return Preview(plan, shown, sample, is_made_up, trouble)


def _real_time(provider: Provider) -> RealTime:
    """What answers single requests, or raise ``Refusal``."""
    if provider.real_time is not None:
        return provider.real_time
    name = provider.profile.name
    if key := provider.profile.real_time_terms.get("key_variable"):
        raise Refusal("no_preview_key", reason=f"{name}: {key}")
    raise Refusal("provider_without_preview", provider=name)


def _with_sample(store: ObjectStore, plan: Plan, rows: int) -> tuple[Plan, list[SampledRow]]:
    planned_sample = plan.sample or PlannedSample(wanted=rows)
    choose = ChooseRows(rows)
    if planned_sample.expect:
        choose.expect_at = plan.columns.index(planned_sample.expect)
    for shard, place, original, request in _sent(store, plan):
        choose.see_row(shard, place, request + b"\n", [*map(shown_cell, original.cells)])
    chosen = choose.chosen()
    asked = {"wanted": rows, "rows": len(chosen)}
    return plan.model_copy(update={"sample": planned_sample.model_copy(update=asked)}), chosen


def _sent(store: ObjectStore, plan: Plan) -> Iterator[tuple[int, int, OriginalRow, bytes]]:
    """Each row that would be sent: its shard, its place there, and its request."""
    for shard in plan.shards:
        if shard.requests:
            rows = map(OriginalRow.from_line, byte_lines(store.read(shard.rows_key)))
            requests = byte_lines(store.read(shard.requests_key))
            sent = zip((row for row in rows if row.is_sent), requests, strict=True)
            yield from ((shard.shard, place, *each) for place, each in enumerate(sent))


def _originals(store: ObjectStore, plan: Plan, chosen: Sequence[SampledRow]) -> list[OriginalRow]:
    """In the order of what was chosen, which is that of the file."""
    wanted = {(row.shard, row.place) for row in chosen}
    return [original for *where, original, _ in _sent(store, plan) if tuple(where) in wanted]


def _groups(chosen: Sequence[SampledRow]) -> Iterator[list[SampledRow]]:
    rows = iter(chosen)
    while group := [*islice(rows, MAX_REQUESTS)]:
        yield group


def _words(provider: Provider, trouble: ProviderTrouble) -> str:
    values = {**provider.profile.terms, **provider.profile.real_time_terms, "said": trouble.facts}
    return render_both(Problem(trouble.trouble, values=values))


def _shown(
    plan: Plan, chosen: Sequence[SampledRow], originals: Sequence[OriginalRow], replies: Sequence[Reply]
) -> list[ShownRow]:
    """Those that were asked."""
    columns = AnswerColumns(plan.answer_columns) if plan.answer_columns else None
    answers = [answer for reply in replies if (answer := parse_result_line(reply.line))]
    pairs = compared(plan, chosen, [each for each in answers if each.status is RowStatus.ANSWERED])
    shown = []
    for original, reply in zip(originals, replies, strict=False):
        expected, found = pairs.get(original.custom_id, ("", None))
        cells = [*map(shown_cell, original.cells)]
        right = None if found is None else is_right(expected, found)
        shown.append(ShownRow(original.custom_id, cells, previewed(reply.line, columns), expected, right))
    return shown
