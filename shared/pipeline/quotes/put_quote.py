"""Writes a job's quote beside the results, as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import quote_keys_for
from shared.money.quotes.approval import approval_line
from shared.money.quotes.quote_text import ToldSample, quote_lines, quote_text
from shared.money.quotes.sample_text import earlier_sample_line, quote_by
from shared.pipeline.replaced.earlier_sample import earlier_sample_costs
from shared.pipeline.sample.sample_results import find_sample
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.problem import Bilingual


@dataclass(frozen=True)
class PutQuote:
    """Made of the plan and its sample alone, so whoever comes to it may put it again.

    Attributes:
        profiles: By which the provider is called as people call it; without its own there is no
            quote of a job.
    """

    store: ObjectStore
    profiles: Sequence[ProviderProfile]

    def __call__(self, plan: Plan) -> None:
        profile = next((each for each in self.profiles if each.name == plan.provider), None)
        if plan.quote is None or profile is None:
            return
        text_key, json_key = quote_keys_for(plan.source.key)
        path, records = plan.source.key.removeprefix(INBOX), BucketRecords(self.store)
        until, sample = plan.approve_until, find_sample(records, plan)
        quote = quote_by(plan.quote, sample.figures if sample else None)
        waits = [approval_line(plan.approval, quote, until, path)] if plan.approval and until else []
        key = str(profile.real_time_terms.get("key_variable", ""))
        told = ToldSample(sample.figures, sample.said or key, _expect_of(plan)) if sample else None
        text = quote_text(
            plan.quote,
            path,
            plan.model,
            profile.called,
            plan.created_at.date(),
            more=[*_earlier(records, plan), _version(plan), *waits],
            sample=told,
        )
        facts = {"job_id": plan.job_id, "file": path, "provider": plan.provider, "model": plan.model}
        facts["dropped_at"] = plan.source.dropped_at.isoformat()
        document = {**facts, "rows": plan.rows, **plan.quote.model_dump(mode="json")}
        if sample:
            document["sample"] = sample.figures.model_dump(mode="json")
        if until:
            document["approve_until"] = until.isoformat()
        self.store.put(json_key, json.dumps(document, ensure_ascii=False, indent=1).encode())
        self.store.put(text_key, text)


def lines_of(records: BucketRecords, plan: Plan, provider: Bilingual, today: date) -> list[Bilingual]:
    """What the quote says of the job's cost, line by line, by the price's age ``today``."""
    if plan.quote is None:
        return []
    sample = find_sample(records, plan)
    told = ToldSample(sample.figures, sample.said, _expect_of(plan)) if sample else None
    path = plan.source.key.removeprefix(INBOX)
    lines = quote_lines(plan.quote, path, plan.model, provider, today, sample=told)
    return [*lines, *_earlier(records, plan)]


def _earlier(records: BucketRecords, plan: Plan) -> Iterator[Bilingual]:
    """What was spent before for the file, and is in no other figure of the quote."""
    yield from map(earlier_sample_line, earlier_sample_costs(records, plan))


def _version(plan: Plan) -> Bilingual:
    """Of which version of the file it is: it stays beside a later one that is refused."""
    at = f"{plan.source.dropped_at:%Y-%m-%d %H:%M:%S} UTC"
    return Bilingual(
        f"版本：{at} 放入的文件。之后放入的版本如果被退回，那一版没有报价",
        f"Version: the file dropped at {at}. A later version that is refused gets no quote",
    )


def _expect_of(plan: Plan) -> str:
    return plan.sample.expect if plan.sample else ""
