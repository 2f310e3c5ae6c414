"""Erases what a closed job keeps of people's data; what keeps it from being paid twice stays."""

from __future__ import annotations

import itertools
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from shared.bucket.attempt import JobId, parse_batch_name, retry_job_id_for
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import (
    INBOX,
    OUTBOX,
    WORK,
    job_of_version,
    lent_prefix,
    record_key,
    sample_key,
    versions_prefix,
)
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan, Source
from shared.bucket.result_names import (
    approval_keys_for,
    numbered_result_key_for,
    overflow_key_for,
    quote_keys_for,
    rejection_keys_for,
    report_key_for,
    superseded_result_key_for,
    unmatched_key_for,
)
from shared.bucket.uploads import upload_done_key
from shared.pipeline.deadlines import INBOX_SWEEP_AFTER
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.jobs.retries import forbid_retry, with_retries
from shared.pipeline.sample.sample_results import find_sample
from shared.ports.clock import Clock
from shared.ports.provider import BatchId
from shared.ports.providers import Providers
from shared.ports.store import ObjectStore
from shared.results.tables.side_keys import SideKeys
from shared.words.event import Event, EventKind, WordTicket

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EraseJob:
    """Erases a file's job with all its retries. May be repeated, and killed anywhere.

    Gone afterwards are the dropped file, if it is still this version, its result and reports, the
    working data, and the provider's files. What names them is changed last. Of the names there are
    digests afterwards, by which the file dropped again is known. That it is being erased is said
    first: a file dropped again meanwhile does not bring the result back.
    """

    store: ObjectStore
    providers: Providers
    clock: Clock

    def __call__(self, plan: Plan) -> bool:
        """Erase the job; false, and nothing is changed, if it or a retry of it is open."""
        records = BucketRecords(self.store)
        plans = list(with_retries(records, records.find_plan(plan.origin_id) or plan))
        ledgers = [(each, records.find_ledger(JobId(each.job_id))) for each in plans]
        closed = [(each, ledger) for each, ledger in ledgers if ledger is not None]
        if len(closed) < len(plans) or not forbid_retry(self.store, plans[-1]):
            return False
        ids = {JobId(each.job_id) for each in plans}
        closed = [(each, self._mark(ledger)) for each, ledger in closed]
        for each in plans:
            if each.lends_to:
                self._delete_all(lent_prefix(each.lends_to, JobId(each.job_id)))
        self._erase_at_provider(plan.provider, ids)
        unplanned = retry_job_id_for(JobId(plans[-1].job_id))  # a retry that died before its plan
        for job_id in (*sorted(ids), unplanned):
            self._delete_all(f"{WORK}{job_id}/")
        # Behind the parts: without them no run that saw no mark can write a result again.
        for each, ledger in closed:
            self._erase_results(each, ledger, ids)
        self._erase_drafts(plan.source)
        self._erase_upload(plan.source, ids)
        self._erase_words(plan.source.key, ids)
        for each, ledger in closed:
            self._reduce(each, ledger)
        log.info("job.erased", extra={"job_id": plan.job_id, "jobs": len(plans)})
        return True

    def _mark(self, ledger: Ledger) -> Ledger:
        if ledger.erased_at:
            return ledger
        marked = ledger.model_copy(update={"erased_at": self.clock.now()})
        self.store.put(record_key(JobId(ledger.job_id), "ledger.json"), marked.to_bytes())
        return marked

    def _erase_at_provider(self, provider: str, ids: Collection[JobId]) -> None:
        batches = self.providers.of(provider).batches
        records = BucketRecords(self.store)
        submissions = [each for job_id in sorted(ids) for _, each in records.submissions(job_id)]
        sent = {BatchId(each.batch_id) for each in submissions if each.batch_id}
        for batch_id in sorted(sent):
            state = batches.status(batch_id)
            if state is not None:
                batches.clean_up(state)
        for file in list(batches.unused_files()):
            attempt = parse_batch_name(file.input_of or file.batch_name)
            is_theirs = (attempt and attempt.job_id in ids) or file.result_of in sent
            if is_theirs and not file.is_read():
                batches.delete_file(file.file_id)

    def _erase_results(self, plan: Plan, ledger: Ledger, ids: Collection[JobId]) -> None:
        if not plan.result_key:
            return  # it was erased before
        unmatched = unmatched_key_for(plan.result_key, plan.origin_id)  # no version before 26.11 claimed it
        self.store.delete(SideKeys(self.store, plan).claimed(unmatched) or unmatched)
        superseded = superseded_result_key_for(plan.result_key, plan.origin_id)
        for key in sorted({plan.result_key, ledger.result_key, superseded}):
            report = BucketRecords(self.store).find(report_key_for(key), Ledger)
            is_about_it = report is None or report.result_key == key  # not a version's in another format
            is_mine = self._is_mine(plan, key, report if is_about_it else None, ids)
            if plan.output_format == "xlsx":  # their names do not say so
                numbered = (numbered_result_key_for(key, number) for number in itertools.count(2))
                self._erase_beside(plan, [overflow_key_for(key)], is_mine=is_mine)
                self._erase_beside(plan, numbered, is_mine=is_mine)
            if is_mine:
                self.store.delete(key)
            if is_mine and is_about_it:
                self.store.delete(report_key_for(key))  # last: it says whose the others are
        # A newer version may have written its result just after this one's was found there.
        if not all(map(self.store.head, (plan.result_key, report_key_for(plan.result_key)))):
            CloseJob(self.store, self.clock).bring_back(plan)

    def _erase_beside(self, plan: Plan, names: Iterable[str], *, is_mine: bool) -> None:
        """Delete the result's further files, up to a name that nobody has claimed.

        Even beside another version's result, those go whose names have the job's id in them.
        """
        for name in names:
            key = SideKeys(self.store, plan).claimed(name)
            if key is None:
                return
            if is_mine or key != name:
                self.store.delete(key)

    def _is_mine(self, plan: Plan, key: str, report: Ledger | None, ids: Collection[JobId]) -> bool:
        """Whether the result is these jobs', by its report, or as that of the newest version."""
        if report:
            return JobId(report.job_id) in ids
        versions = [head.key for head in self.store.list(versions_prefix(key))]
        return key != plan.result_key or (bool(versions) and job_of_version(versions[-1]) in ids)

    def _erase_drafts(self, source: Source) -> None:
        """Delete what validations of these bytes wrote that died under a recipe of no job."""
        dead_at = self.clock.now() - INBOX_SWEEP_AFTER
        for drafts, started_at in BucketRecords(self.store).stray_drafts(
            source.bucket, source.key, source.etag
        ):
            if started_at < dead_at:
                self._delete_all(drafts)

    def _erase_upload(self, source: Source, ids: Collection[JobId]) -> None:
        if not source.key:
            return  # as above
        if head := self.store.head(source.key):
            dropped_last = source.model_copy(update={"etag": head.etag, "dropped_at": head.modified_at})
            if not self._is_in_no_use(dropped_last, ids, is_same=head.etag == source.etag):
                return
        for key in (source.key, *rejection_keys_for(source.key), *quote_keys_for(source.key)):
            self.store.delete(key)
        for key in approval_keys_for(source.key):
            if self.store.head(key):
                self.store.delete(key)
                self.store.delete(rejection_keys_for(key)[0])

    def _erase_words(self, key: str, ids: Collection[JobId]) -> None:
        """Delete what is still to be told of these jobs, or of a refused file or approval of it.

        What is to be told of a version that became another job stays.
        """
        refused = {each.removeprefix(INBOX) for each in (key, *approval_keys_for(key))} if key else set()
        for head in list(self.store.list(OUTBOX)):
            ticket = BucketRecords(self.store).find(head.key, WordTicket)
            if ticket and (ticket.event.job_id in ids or _refuses(ticket.event, refused)):
                self.store.delete(head.key)

    def _is_in_no_use(self, dropped: Source, ids: Collection[JobId], *, is_same: bool) -> bool:
        """Whether the dropped file is these jobs', or has their bytes and no job that needs it.

        One that nobody has looked at yet may still become a job.
        """
        records = BucketRecords(self.store)
        upload = records.find_upload(dropped)
        if upload is None:
            done = upload_done_key(dropped.bucket, dropped.key, dropped.etag, dropped.dropped_at)
            return is_same and self.store.head(done) is not None  # it was refused
        ledger = records.find_ledger(JobId(upload.job_id))
        is_erased = ledger is not None and ledger.erased_at is not None
        return JobId(upload.job_id) in ids or (is_same and is_erased)

    def _delete_all(self, prefix: str) -> None:
        for head in list(self.store.list(prefix)):
            self.store.delete(head.key)

    def _reduce(self, plan: Plan, ledger: Ledger) -> None:
        """Keep ids, counts and money, and nothing that names or quotes a file or quotes a reply."""
        records, job_id = BucketRecords(self.store), JobId(plan.job_id)
        self.store.delete(record_key(job_id, "rejection.json"))  # of a version before 26.11
        for key, sent in records.submissions(job_id):
            self.store.put(key, sent.model_copy(update={"rejected_message": ""}).to_bytes())
        for key, outcome in records.outcomes(job_id):
            self.store.put(key, outcome.model_copy(update={"waiting_for": None}).to_bytes())
        source = plan.source.model_copy(update={"key": "", "recipe_key": None})
        unsaid: dict[str, object] = {"source": source, "result_key": "", "warnings": (), "sheet": None}
        of_plan: dict[str, object] = {"columns": (), "answer_columns": {}, "column_types": ()}
        if plan.sample is not None:
            of_plan["sample"] = plan.sample.model_copy(update={"expect": "", "column": ""})
        if sample := find_sample(records, plan):
            self.store.put(sample_key(job_id), sample.model_copy(update={"said": ""}).to_bytes())
        of_plan["ceilings"] = tuple(each for each in plan.ceilings if not each.folder)
        self.store.put(record_key(job_id, "plan.json"), plan.model_copy(update=unsaid | of_plan).to_bytes())
        self.store.put(record_key(job_id, "ledger.json"), ledger.model_copy(update=unsaid).to_bytes())


def _refuses(event: Event, paths: Collection[str]) -> bool:
    return event.kind is EventKind.REFUSED and event.path in paths
