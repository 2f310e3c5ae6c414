"""Reads a dropped file once, row by row: checks, shards, and the plan that decides what is sent."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterator
from contextlib import ExitStack
from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import lending_prefix
from shared.bucket.money import Ceiling, Money
from shared.bucket.records.plan import Plan, PlannedShard, Source
from shared.bucket.result_names import own_result_key_for, result_key_for
from shared.formats.charsets.decoding import EncodingMismatch
from shared.inputs.formats import has_request_lines
from shared.inputs.inbox_keys import FileForm, InputKind
from shared.inputs.reading import RowReader
from shared.inputs.rows import InputFacts, RowBlock
from shared.money.quotes.approval import approval_for
from shared.money.tokens.line_parameters import LineParameters, names_file, reads_more
from shared.pipeline.quotes.check_ceilings import ceilings_for, problems_under, with_warnings
from shared.pipeline.quotes.quote_job import QuoteJob
from shared.pipeline.reuse.known_answers import AnswersWithdrawn, FindAnswers, KnownAnswers
from shared.pipeline.sample.choose_rows import ChooseRows
from shared.pipeline.sample.plan_sample import at_most_with_sample, drop_sample, expected_at, plan_sample
from shared.pipeline.validate.decide_upload import DecideUpload
from shared.pipeline.validate.dropped_file import DroppedFile
from shared.pipeline.validate.make_plan import check_width, make_plan
from shared.pipeline.validate.refuse_file import Refused
from shared.pipeline.validate.shards.write_shards import ShardWriter
from shared.pipeline.validate.watch import Watch
from shared.pipeline.words.find_channels import channels_for
from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.problems.render import render_both
from shared.recipes.recipe import Recipe
from shared.results.formats import FORMATS

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Planned:
    """The plan that stands; ``is_new`` if this run has created it, so that it has no tickets."""

    plan: Plan
    is_new: bool


@dataclass(frozen=True)
class _Terms:
    """What the recipe says, or would say, what may be spent, and what is answered already."""

    options: Recipe
    ceilings: tuple[Ceiling, ...]
    lends_to: str
    known: KnownAnswers | None


@dataclass(frozen=True)
class PlanJob:
    """Plan one job, or return the problems of a file that must not be sent.

    Attributes:
        providers: The names of all that this version knows.
        has_real_time: The rows of a sample can be asked.
        month_budget: What the stack allows all files in a month.
    """

    store: ObjectStore
    clock: Clock
    profile: ProviderProfile
    default_model: str
    run_id: str
    watch: Watch
    providers: Collection[str] = ()
    has_real_time: bool = False
    month_budget: Money | None = None

    def __call__(self, source: Source, job_id: JobId, recipe: Recipe | None) -> Planned | Refused:
        """Return the plan that stands, which may be that of a run that was faster.

        Raises:
            ObjectMissing: The file was replaced while it was read.
            UserInputError: The recipe does not fit the file's header, the result its format, or the
                file the time or a ceiling.
        """
        # A file that needs no recipe (two columns, request lines) gets its defaults.
        options = recipe or Recipe(model=self.default_model, prompt="-")
        encoding = None
        with ExitStack() as opened:
            file = opened.enter_context(DroppedFile(self.store, source))
            terms = self._terms(source, options, file.form)
            if terms.known is not None:
                opened.enter_context(terms.known)
            while True:
                reader = file.open_rows(recipe, self.profile, self.default_model, encoding)
                try:
                    with self._drafts(job_id, file.form, terms) as writer:
                        refused = self._write(reader, writer, options)
                        if refused:
                            return refused
                        check_width(reader.facts, options)
                        return self._decide(source, job_id, reader.facts, terms, writer)
                except EncodingMismatch as mismatch:
                    encoding = mismatch.next_encoding
                except AnswersWithdrawn as withdrawn:
                    log.info("answers.withdrawn", extra={"job_id": job_id, "key": str(withdrawn)})

    def _terms(self, source: Source, options: Recipe, form: FileForm) -> _Terms:
        ceilings = ceilings_for(self.store, source.key, options.price, self.month_budget)
        if options.reuse is None or has_request_lines(form):
            return _Terms(options, ceilings, "", None)
        # What is in no request of every provider, and what makes an answer fit.
        columns = json.dumps(options.columns, sort_keys=True)
        lends_to = lending_prefix(source.key, self.profile.name, options.model, options.endpoint, columns)
        known = FindAnswers(self.store, self.clock)(lends_to, options.reuse)
        return _Terms(options, ceilings, lends_to, known)

    def _drafts(self, job_id: JobId, form: FileForm, terms: _Terms) -> ShardWriter:
        are_ours = not has_request_lines(form)
        return ShardWriter(
            self.store,
            job_id,
            self.run_id,
            keeps_types=form.format in FORMATS[terms.options.output.format].typed_inputs,
            lines=LineParameters(are_ours=are_ours) if terms.ceilings else None,
            asks_once=terms.options.asks_once,
            known=terms.known,
            sample=ChooseRows(wanted)
            if (wanted := terms.options.price.sample) and self.has_real_time
            else None,
        )

    def _write(self, reader: RowReader, writer: ShardWriter, options: Recipe) -> Refused | None:
        """Write every row. Of a file to refuse, delete the drafts and return all problems."""
        limits, may_skip = None, options.on_bad_rows == "skip"
        for item in self.watch(reader):
            if reader.all_problems.total and not may_skip:
                writer.discard()
                continue
            if limits is None and (isinstance(item, RowBlock) or item.request is not None):
                limits = self.profile.limits_for(reader.facts.model)  # known from the first good row on
                expect_at = expected_at(reader.facts, options)
                if writer.sample is not None:
                    writer.sample.expect_at = expect_at
            writer.add(item, limits or self.profile.limits_for(""))
        is_wrong = reader.problems.total if may_skip else reader.all_problems.total
        if not is_wrong and limits is not None:
            return None
        writer.discard()
        return Refused(reader.all_problems, reader.facts)

    def _decide(
        self, source: Source, job_id: JobId, facts: InputFacts, terms: _Terms, writer: ShardWriter
    ) -> Planned:
        shards, options = writer.finish(), terms.options
        quote_job = QuoteJob(self.store, self.profile, {self.profile.name, *self.providers})
        more = writer.meter.reads_more or (writer.lines is not None and writer.lines.read_more)
        if facts.kind is not InputKind.REQUEST_JSONL:
            more |= reads_more(options.parameters) or names_file(f"{options.system} {options.prompt}")
        quote = quote_job(source, facts, options, shards, writer.meter, lines=writer.lines, reads_more=more)
        mine = self._plan(source, job_id, facts, options, shards)
        warnings = (*mine.warnings, *map(render_both, _about_reuse(shards, terms)), *quote.warnings)
        under: dict[str, object] = {"quote": quote, "warnings": warnings}
        is_free = quote.price is not None and quote.price.is_free
        under |= {"ceilings": () if is_free else terms.ceilings, "lends_to": terms.lends_to}
        mine = with_warnings(mine.model_copy(update=under))
        if problems := problems_under(mine, reads_more=more):
            writer.delete(shards)
            raise UserInputError(problems)
        mine = plan_sample(self.store, mine, self.run_id, options, writer.sample)
        price, most = options.price, at_most_with_sample(mine)
        approval = approval_for(price.approve, price.approve_within, most)
        mine = mine.model_copy(update={"approval": approval})
        plan = DecideUpload(self.store)(mine, self.run_id)
        if plan.shards != shards:
            writer.delete(shards)
            drop_sample(self.store, mine)
        log.info("job.planned", extra={"job_id": plan.job_id, "rows": plan.rows, "shards": len(plan.shards)})
        return Planned(plan, is_new=plan is mine)

    def _plan(
        self,
        source: Source,
        job_id: JobId,
        facts: InputFacts,
        options: Recipe,
        shards: tuple[PlannedShard, ...],
    ) -> Plan:
        return make_plan(
            self.profile,
            source,
            job_id,
            facts,
            options,
            shards=shards,
            result_key=self._result_key(source.key, f".{options.output.format}"),
            notify=channels_for(self.store, source.key, options.notify),
            now=self.clock.now(),
        )

    def _result_key(self, source_key: str, suffix: str) -> str:
        """``results/a.csv``, unless another file of that stem has the name, such as ``a.jsonl``."""
        records = BucketRecords(self.store)
        for name_for in (result_key_for, own_result_key_for):
            if records.claim_name(name_for(source_key), source_key):
                return name_for(source_key, suffix)
        digest = hashlib.sha256(source_key.encode()).hexdigest()[:8]
        return own_result_key_for(f"{source_key}~{digest}", suffix)


def _about_reuse(shards: tuple[PlannedShard, ...], terms: _Terms) -> Iterator[Problem]:
    if reused := sum(shard.reused for shard in shards):
        yield Problem("rows_reused", values={"rows": reused})
    if terms.known and terms.known.left_out:
        yield Problem("answers_left_out", values={"answers": terms.known.left_out})
