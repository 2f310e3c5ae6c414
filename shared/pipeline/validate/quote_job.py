"""Says what a job is to cost, before anything of it is sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import islice
from statistics import median

from shared.bucket.history import histories_prefix, output_tokens_in
from shared.bucket.money import Price, Quote
from shared.bucket.records import PlannedShard, Source
from shared.inputs.inbox_keys import InputKind
from shared.inputs.rows import InputFacts
from shared.money.line_parameters import LineParameters, widest
from shared.money.quote import Counted, Experience, make_quote
from shared.money.token_meter import TokenMeter
from shared.pipeline.validate.find_prices import find_prices
from shared.ports.output_bound import NO_OUTPUT, OutputBound
from shared.ports.profile import EMBEDDINGS, ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.render import render_both
from shared.recipes.recipe import Recipe

# Of earlier jobs the newest count: prompts change.
_JOBS = 10
_LISTED = 1000


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
    ) -> Quote:
        """``lines`` is what request lines say; without it, nothing bounds their answers."""
        prices = find_prices(self.store, self.profile, self.providers)
        price = prices.price_of(facts.model)
        counted = Counted(
            requests=sum(each.requests for each in shards),
            input_tokens=sum(each.input_tokens for each in shards),
            input_bytes=sum(each.size_bytes for each in shards),
            longest_bytes=meter.longest_bytes,
            shared_tokens=meter.shared_tokens,
            same=sum(each.same for each in shards),
        )
        version = f"{source.etag}\n{source.recipe_etag or ''}"
        bound = self._bound(facts, options, price, lines)
        quote = make_quote(counted, price, bound, self._experience(source, facts.model), version)
        return quote.model_copy(update={"warnings": tuple(map(render_both, prices.problems))})

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
