"""Makes of the replies to sampled rows what the sample says of the whole job."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import starmap

from shared.bucket.records.plan import Plan
from shared.formats.json.compact import compact_json
from shared.money.invoice import cost_of, price_of
from shared.money.quotes.sample import RowCount, SampleFigures, Spent, make_figures, real_time_worst
from shared.money.tokens.token_meter import line_tokens
from shared.pipeline.sample.choose_rows import SampledRow
from shared.pipeline.sample.records import KeptReply, Sample, SampleGroup
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.recipes.columns.answers import AnswerColumns, cell_text
from shared.results.again.misfits import Misfits
from shared.results.columns import Answer, RowStatus
from shared.results.rendering import AnswerRenderer
from shared.results.replies.result_lines import parse_result_line
from shared.results.spool.usage_count import UsageCount

_UNKNOWN = "perhaps_asked"
# What begins with a nought, such as 007, is no number.
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,30})?", re.ASCII)


def unknown_reply(row: SampledRow) -> KeptReply:
    """What a row gets that may have been run and charged, and whose answer nobody has."""
    request = row.request.encode()
    error = {"code": _UNKNOWN, "message": render_both(Problem(_UNKNOWN))}
    line = compact_json({"custom_id": _id_of(row), "response": None, "error": error})
    return KeptReply(
        shard=row.shard,
        line=line,
        estimate=round(line_tokens(request)),
        size_bytes=len(request),
        is_unknown=True,
    )


def make_sample(
    plan: Plan, rows: Sequence[SampledRow], groups: Sequence[SampleGroup], *, is_kept: bool = True
) -> Sample:
    """The same from the same groups, whoever makes it; ``is_kept`` as of ``make_figures``."""
    replies = [reply for group in groups for reply in group.replies]
    answers = [parse_result_line(reply.line.encode()) for reply in replies]
    answered = [
        (reply, answer)
        for reply, answer in zip(replies, answers, strict=True)
        if answer and answer.status is RowStatus.ANSWERED
    ]
    misfits = _misfits(plan, [answer for _, answer in answered])
    stopped = next((group for group in groups if group.why), None)
    has_none = plan.sample is not None and not plan.sample.rows
    told = SampleFigures(
        wanted=plan.sample.wanted if plan.sample else 0,
        asked=sum(group.asked for group in groups),
        answered=len(answered),
        unknown=sum(reply.is_unknown for reply in replies),
        misfits=sum(misfits),
        why="sample_no_lane" if has_none else stopped.why if stopped else "",
        **_compared(plan, rows, [answer for _, answer in answered]),
    )
    usage = UsageCount([tier.up_to for tier in price.tiers] if (price := price_of(plan)) else ())
    for _, answer in answered:
        usage.add_answer(answer)
    spent = _spent(plan, usage, replies, told.unknown)
    counts = [
        RowCount(each.estimate, each.prompt, each.output, is_misfit)
        for (each, _), is_misfit in zip(answered, misfits, strict=True)
        if each.prompt
    ]
    return Sample(
        figures=make_figures(plan.quote, told, counts, spent, is_kept=is_kept) if plan.quote else told,
        groups=tuple(tuple(sorted(group.shards)) for group in groups),
        said=stopped.said if stopped else "",
        known=spent.known.micros if spent.known else 0,
        perhaps=spent.perhaps,
    )


def _misfits(plan: Plan, answers: Sequence[Answer]) -> list[bool]:
    """Of each answer whether its row would be asked again, if the recipe says so."""
    render, misfits = AnswerRenderer(plan), Misfits.of(plan)
    settled = map(render.settled, answers)
    return [misfits.is_one(each.status, each.unread, each.cut_off) for each in settled]


def _spent(plan: Plan, usage: UsageCount, replies: Sequence[KeptReply], unknown: int) -> Spent:
    """Of an answer without a count, too, nobody knows what it cost."""
    price, known, perhaps = price_of(plan), None, 0
    if price is not None:
        _, known = cost_of(usage.tokens, usage.charged, price)
    untold = [each for each in replies if each.is_unknown or not (each.prompt or each.output)]
    if plan.quote and untold:
        tokens = sum(each.estimate for each in untold)
        size_bytes = sum(each.size_bytes for each in untold)
        most = real_time_worst(plan.quote, tokens, size_bytes, len(untold))
        perhaps = most.micros if most else 0
    return Spent(usage.charged, known, perhaps)


def _compared(plan: Plan, rows: Sequence[SampledRow], answers: Sequence[Answer]) -> dict[str, int]:
    """How many answers there are to compare, and how many are right."""
    pairs = compared(plan, rows, answers).values()
    return {"compared": len(pairs), "right": sum(starmap(is_right, pairs))} if pairs else {}


def is_right(expected: str, found: str) -> bool:
    """Whether both are the same text or number: a table may say ``5``, a model ``5.0``."""
    if expected == found:
        return True
    return all(map(_NUMBER.fullmatch, (expected, found))) and Decimal(expected) == Decimal(found)


def compared(plan: Plan, rows: Sequence[SampledRow], answers: Sequence[Answer]) -> dict[str, tuple[str, str]]:
    """By id of a row whose right answer the file knows: that and its own, without outer blanks."""
    if plan.sample is None or not plan.sample.expect:
        return {}
    expected = {_id_of(row): row.expected.strip() for row in rows if row.expected.strip()}
    return {
        answer.custom_id: (expected[answer.custom_id], _text_of(plan, answer).strip())
        for answer in answers
        if answer.custom_id in expected
    }


def _text_of(plan: Plan, answer: Answer) -> str:
    """The column that is compared, or the whole answer."""
    column = plan.sample.column if plan.sample else ""
    if not column:
        return answer.content
    columns = AnswerColumns(plan.answer_columns)
    values = dict(zip(columns.names, columns.read(answer.content).values, strict=True))
    return cell_text(values.get(column))


def _id_of(row: SampledRow) -> str:
    return str(json.loads(row.request)["custom_id"])
