"""Says what a job is to cost, before anything of it is sent."""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

from shared.bucket.history import histories_prefix, output_tokens_in
from shared.bucket.money import Price, Quote
from shared.bucket.records.plan import PlannedShard, Source
from shared.inputs.inbox_keys import InputKind
from shared.inputs.rows import InputFacts
from shared.money.quotes.quote import Counted, Experience, make_quote
from shared.money.tokens.characters import estimated_tokens
from shared.money.tokens.line_parameters import LineParameters, widest
from shared.money.tokens.token_meter import TokenMeter
from shared.pipeline.quotes.find_prices import find_prices
from shared.ports.output_bound import NO_OUTPUT, OutputBound
from shared.ports.profile import EMBEDDINGS, ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.render import render_both
from shared.recipes.recipe import Recipe
from shared.recipes.tasks.task import LABEL

# Of earlier jobs the newest count: prompts change.
_JOBS = 10
_LISTED = 1000
# Every answer ends in a token of its own.
_END_TOKENS = 1


@dataclass(frozen=True)
class QuoteJob:
    """Makes the quote of one file under its recipe.

    Attributes:
        providers: The names of all.
    """

    store: ObjectStore
    profile: ProviderProfile
    providers: Collection[str]

    def __call__(
        self,
        source: Source,
        facts: InputFacts,
        options: Recipe,
        shards: tuple[PlannedShard, ...],
        meter: TokenMeter,
        *,
        lines: LineParameters | None = None,
        reads_more: bool = False,
    ) -> Quote:
        """Make it.

        ``lines`` is what request lines say; without it, nothing bounds their answers. What
        ``reads_more`` than texts has no bound.
        """
        prices = find_prices(self.store, self.profile, self.providers)
        price = prices.price_of(facts.model)
        counted = Counted(
            requests=sum(each.requests for each in shards),
            input_tokens=sum(each.input_tokens for each in shards),
            input_bytes=sum(each.size_bytes for each in shards),
            longest_bytes=meter.longest_bytes,
            shared_tokens=meter.shared_tokens,
            same=sum(each.same for each in shards),
            reused=sum(each.reused for each in shards),
        )
        version = f"{source.etag}\n{source.recipe_etag or ''}"
        bound = self._bound(facts, options, price, lines)
        experience = self._experience(source, facts.model)
        if experience is None and facts.kind is not InputKind.REQUEST_JSONL and bound.thinking == 0:
            experience = _as_asked(options, counted)
        times = options.until_fits.times if options.until_fits else 0
        quote = make_quote(counted, price, bound, experience, version, until_fits=times)
        told = tuple(map(render_both, prices.problems))
        at_most = None if reads_more else quote.at_most
        return quote.model_copy(update={"warnings": told, "reads_more": reads_more, "at_most": at_most})

    def _bound(
        self, facts: InputFacts, options: Recipe, price: Price | None, lines: LineParameters | None
    ) -> OutputBound:
        if facts.endpoint == EMBEDDINGS:
            return NO_OUTPUT
        thinks = price.thinks if price else "unknown"
        if facts.kind is InputKind.REQUEST_JSONL and lines is not None and not lines.are_too_many:
            return widest(self.profile.output_bound_for(each, thinks) for each in lines)
        bound = self.profile.output_bound_for(options.parameters, thinks)
        if facts.kind is InputKind.REQUEST_JSONL:  # each line may say something else
            return replace(bound, answer=None)
        return bound

    def _experience(self, source: Source, model: str) -> Experience | None:
        prefix = histories_prefix(source.key, self.profile.name, model)
        found = (output_tokens_in(head.key) for head in islice(self.store.list(prefix), _LISTED))
        newest = sorted(each for each in found if each)[:_JOBS]
        if not newest:
            return None
        return Experience(round(median(tokens for _, tokens in newest)), len(newest))


def _as_asked(options: Recipe, counted: Counted) -> Experience | None:
    """Where a task says how long answers are: a label, or about as much as is to be translated."""
    if options.classify:
        answers = [json.dumps({LABEL: label}, ensure_ascii=False) for label in options.classify.labels]
        return Experience(round(1000 * (estimated_tokens(*answers) / len(answers) + _END_TOKENS)))
    if options.translate:
        texts = counted.input_tokens - counted.shared_tokens * counted.requests
        return Experience(max(1000 * texts // max(counted.requests, 1), 0) + 1000 * _END_TOKENS)
    return None
