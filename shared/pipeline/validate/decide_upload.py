"""Makes an upload one job, and the same bytes under the same recipe one, whoever else looks."""

from __future__ import annotations

from dataclasses import dataclass

from shared.bucket.attempt import JobId, job_id_for
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import WITH_SAMPLE, draft_key, open_job_key, record_key
from shared.bucket.records.plan import Plan, Source
from shared.bucket.uploads import Upload, upload_key
from shared.pipeline.replaced.earlier_versions import mark_version
from shared.ports.store import ObjectStore


@dataclass(frozen=True)
class DecideUpload:
    """Decides which job an upload became: the first plan that was drafted for it.

    A job's id comes of the recipe that its plan was made with. So two looks at one upload, between
    which the recipe changed, are two drafts, one of which counts; and two uploads under one recipe
    are one job.
    """

    store: ObjectStore

    def find_plan(self, source: Source) -> Plan | None:
        """The plan of this upload's job, even if the recipe has changed since it was decided."""
        decided = BucketRecords(self.store).find_upload(source)
        if decided:
            return self._plan(decided)
        job_id = _job_of(source)
        plan = BucketRecords(self.store).find_plan(job_id)
        return plan and (self._plan(self._decide(source, Upload(job_id=job_id))) or plan)

    def __call__(self, mine: Plan, run_id: str) -> Plan:
        """The plan that stands: that of another look or of an earlier upload, or this one.

        It is ``mine`` itself, and no equal of it, if this call has created it.
        """
        draft = draft_key(JobId(mine.job_id), run_id, "draft.json")
        self.store.put(draft, mine.to_bytes())
        decided = self._decide(mine.source, Upload(job_id=mine.job_id, plan_key=draft))
        if decided.plan_key == draft:
            return BucketRecords(self.store).find_plan(JobId(mine.job_id)) or self._create(mine)
        self.store.delete(draft)  # it names the file, and an erasure would not find it
        return self._plan(decided) or self._create(mine)

    def _decide(self, source: Source, mine: Upload) -> Upload:
        return BucketRecords(self.store).create(_name_of(source), mine)

    def _plan(self, decided: Upload) -> Plan | None:
        """The job's plan. If the run that drafted it died, it is put now."""
        records = BucketRecords(self.store)
        plan = records.find_plan(JobId(decided.job_id))
        draft = records.find(decided.plan_key, Plan) if plan is None and decided.plan_key else None
        return self._create(draft) if draft else plan

    def _create(self, plan: Plan) -> Plan:
        job_id = JobId(plan.job_id)
        mark_version(self.store, plan)
        # Before the plan: if this run dies before the last ticket, only this mark shows the job.
        self.store.put(open_job_key(job_id), WITH_SAMPLE if plan.sample else b"")
        return BucketRecords(self.store).create(record_key(job_id, "plan.json"), plan)


def _job_of(source: Source) -> JobId:
    return job_id_for(source.bucket, source.key, source.etag, source.recipe_etag)


def _name_of(source: Source) -> str:
    return upload_key(source.bucket, source.key, source.etag, source.dropped_at)
