"""Has the first rows of a table answered at once, so that a recipe can be tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from scripts.operate.recipes.show_recipe import Tell, planned
from scripts.operate.texts.said import Refusal, said
from shared.bucket.records.plan import Plan
from shared.formats.lines import byte_lines
from shared.formats.tables.typed_cells import shown_cell
from shared.pipeline.preview import PreviewedRow, preview
from shared.ports.providers import Provider, Providers
from shared.ports.store import ObjectStore
from shared.problems.escapes import escaped_line
from shared.problems.exceptions import ProviderTrouble
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.recipes.columns.answers import AnswerColumns
from shared.results.kept_rows import OriginalRow

ProviderOf = Callable[[str], Providers]
_INDENT = "    "
_SHOWN_CHARS = 80


def preview_table(
    file: Path, rows: int, provider_of: ProviderOf, tell: Tell, *, is_made_up: bool = False
) -> list[dict[str, object]]:
    """Tell what the model answers to the first ``rows`` rows that would be sent.

    ``is_made_up``: no model answers, and nothing is paid for.

    Returns:
        The same as facts; ``error`` says why a row has no answer, or what is odd about it.

    Raises:
        Refusal: The table would be refused, its provider has no preview, or somebody must act.
    """
    with planned(file) as (store, plan):
        if plan is None:
            raise Refusal("no_preview_of_recipe", file=file.name)
        sent = list(islice(_sent(store, plan), rows))
    if not sent:
        raise Refusal("no_row_to_preview", file=file.name)
    originals, requests = zip(*sent, strict=True)
    previewed = _previewed(plan, requests, provider_of(plan.provider).of(plan.provider))
    code = "rows_made_up_now" if is_made_up else "rows_answered_now"
    tell(said(code, rows=len(requests), model=plan.model, provider=plan.provider))
    for original, row in zip(originals, previewed, strict=True):
        for line in _lines(original, row):
            tell(line)
    return [
        {"custom_id": original.custom_id, "cells": _texts(original), **vars(row)}
        for original, row in zip(originals, previewed, strict=True)
    ]


def _sent(store: ObjectStore, plan: Plan) -> Iterator[tuple[OriginalRow, bytes]]:
    """Each row that would be sent, with its request."""
    for shard in plan.shards:
        if shard.requests:
            rows = map(OriginalRow.from_line, byte_lines(store.read(shard.rows_key)))
            requests = byte_lines(store.read(shard.requests_key))
            yield from zip((row for row in rows if row.is_sent), requests, strict=True)


def _previewed(plan: Plan, requests: Sequence[bytes], provider: Provider) -> list[PreviewedRow]:
    if provider.real_time is None:
        raise Refusal("provider_without_preview", provider=plan.provider)
    columns = AnswerColumns(plan.answer_columns) if plan.answer_columns else None
    try:
        return preview(provider.real_time, requests, columns)
    except ProviderTrouble as trouble:
        values = {**provider.profile.terms, "said": trouble.facts}
        problem = render_both(Problem(trouble.trouble, values=values))
        raise Refusal("preview_not_possible", *problem.split("\n")) from trouble


def _texts(original: OriginalRow) -> list[str]:
    """The row as people read it, also where the result will keep types."""
    return [*map(shown_cell, original.cells)]


def _lines(original: OriginalRow, row: PreviewedRow) -> Iterator[str]:
    shown = escaped_line(" | ".join(_texts(original)) or original.custom_id)
    yield f"──── {shown[:_SHOWN_CHARS]}{'…' * (len(shown) > _SHOWN_CHARS)}"
    for text in (row.answer, *(f"{column}: {value}" for column, value in row.columns.items()), row.error):
        if text:
            yield from (_INDENT + escaped_line(line) for line in text.split("\n"))
