"""What the page shows of one file's job beside how far it is: quote, sample, answers, refusal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan
from shared.money.quotes.approval import why_approval
from shared.money.quotes.quote_text import quote_in_short
from shared.money.quotes.sample import SampleFigures
from shared.money.quotes.sample_text import quote_by, sample_lines
from shared.pipeline.page.files.file_job import FileJob
from shared.pipeline.page.first_rows import FirstRows
from shared.pipeline.page.refusal import Refusal
from shared.pipeline.quotes.put_quote import lines_of
from shared.pipeline.sample.sample_results import find_sample
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.problem import Bilingual


@dataclass(frozen=True)
class Awaiting:
    """What is to be approved: the quote of that number, and why anybody must."""

    digest: str
    why: Bilingual


@dataclass(frozen=True)
class JobDetails:
    """A file's job, what it is to cost, why it was refused, or what its answers look like.

    Attributes:
        lines: Of the whole quote, as it lies in the bucket, by the price's age today.
    """

    job: FileJob
    refusal: Refusal | None
    first_results: FirstRows | None
    quote: Bilingual | None = None
    sample: Sequence[Bilingual] = ()
    lines: Sequence[Bilingual] = ()
    approval: Awaiting | None = None


def with_quote(
    details: JobDetails, store: ObjectStore, plan: Plan, profiles: Sequence[ProviderProfile], today: date
) -> JobDetails:
    """With what the job of this plan is to cost, and whether that waits for an approval."""
    if plan.quote is None:
        return details
    sample = find_sample(BucketRecords(store), plan)
    figures = sample.figures if sample else None
    profile = next((each for each in profiles if each.name == plan.provider), None)
    provider = profile.called if profile else Bilingual(plan.provider, plan.provider)
    expect = plan.sample.expect if plan.sample else ""
    lines = sample_lines(sample.figures, sample.said, expect, provider) if sample else ()
    return replace(
        details,
        quote=quote_in_short(plan.quote, figures),
        sample=tuple(lines),
        lines=lines_of(BucketRecords(store), plan, provider, today),
        approval=_awaiting(plan, figures) if details.job.approve_until else None,
    )


def _awaiting(plan: Plan, figures: SampleFigures | None) -> Awaiting | None:
    if plan.approval is None or plan.quote is None:
        return None
    return Awaiting(plan.quote.digest, why_approval(plan.approval, quote_by(plan.quote, figures)))
