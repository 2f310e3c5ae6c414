"""Whether somebody must approve a quote before anything is sent, and the words that ask for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from shared.bucket.money import Money, Quote
from shared.bucket.tickets import ApprovalTerms
from shared.money.amounts import money_text, most_text
from shared.problems.problem import Bilingual


def approval_for(
    approve: Money | Literal["always"] | None, within: timedelta, most: Money | None
) -> ApprovalTerms | None:
    """The terms, or ``None`` if it is certain that the job costs no more than it may by itself.

    Args:
        approve: Of the recipe.
        within: Of the recipe.
        most: What the job may cost, its sample included; ``None`` if nobody can know.
    """
    if approve is None:
        return None
    if approve == "always":
        return ApprovalTerms(within=within)
    is_less = most is not None and most.currency == approve.currency and most.micros <= approve.micros
    return None if is_less else ApprovalTerms(above=approve, within=within)


def why_approval(terms: ApprovalTerms, quote: Quote) -> Bilingual:
    """Why the job waits, in a few words."""
    if terms.above is None:
        return Bilingual("配方要求每次都要批准", "the recipe wants an approval each time")
    above = money_text(terms.above)
    # By less, if the sample has cost less than it might have.
    if quote.at_most is None or quote.at_most.micros <= terms.above.micros:
        return Bilingual(f"不能确定不超过 {above}", f"it is not certain to cost no more than {above}")
    return Bilingual(
        f"最多 {most_text(quote.at_most)}，可能超过 {above}",
        f"it may cost up to {most_text(quote.at_most)}, which is more than {above}",
    )


def approval_line(terms: ApprovalTerms, quote: Quote, until: datetime, path: str) -> Bilingual:
    """What to do, behind the quote itself. ``path`` is the dropped file's, below ``inbox/``."""
    name, day, why = path.rpartition("/")[2], f"{until:%Y-%m-%d %H:%M} UTC", why_approval(terms, quote)
    return Bilingual(
        f"需要批准（{why.zh}）。还没有批准的话，最晚 {day}：把报价编号写进文件 {name}.approve，放到这个文件旁边；"
        f"或执行 scripts/batchdrop approve {path}；或在网页上批准。批准以后才会发送（样本除外）",
        f"Needs approval ({why.en}). If it is not approved yet, approve it by {day}: put the quote number into"
        f" a file {name}.approve beside it, run scripts/batchdrop approve {path}, or approve it on the page."
        " Except for the sample, nothing is sent before that",
    )
