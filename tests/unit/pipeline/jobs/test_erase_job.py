"""What is left of people's data once a job is erased: nothing, and it is never paid twice."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest

from shared.bucket.attempt import Attempt, JobId, retry_job_id_for
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import record_key
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for, report_key_for, superseded_result_key_for
from shared.bucket.tickets import WaitingFor
from shared.events.oss import UploadedObject
from shared.pipeline.jobs.close_job import CloseJob
from shared.pipeline.jobs.erase_job import EraseJob
from shared.pipeline.jobs.resume_job import ResumeResult
from shared.pipeline.jobs.retries import latest_retry, with_retries
from shared.pipeline.jobs.retry_job import RetryResult
from shared.ports.provider import BatchId, ProviderFile
from shared.problems.exceptions import ObjectMissing, TransientError
from shared.results.tables import xlsx_result
from tests.support.builders import JOB
from tests.support.fake_provider import ScriptedProvider, only
from tests.support.fakes import FixedClock, Killed, MemoryStore
from tests.support.functions import BUCKET_NAME, Functions
from tests.support.pipeline import Cut, Meanwhile, Pipeline
from tests.support.whole_job import run_job, says

SECRET = "张三丰"
RECIPE = "model: qwen-plus\nprompt: '{{ row[\"姓名\"] }}'\non_bad_rows: skip\n"
OTHERS = "编号,姓名\n1,别人\n2,".encode()
TABLE = f"编号,姓名\n1,{SECRET}\n2,{SECRET}二\n3\n".encode()


@pytest.fixture
def small_sheets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one row, and the header."""
    monkeypatch.setattr(xlsx_result, "MAX_ROWS", 2)


def erased(store: MemoryStore, plan: Plan, provider: ScriptedProvider | None = None) -> bool:
    clock = store._clock
    return EraseJob(store, only(provider or ScriptedProvider(FixedClock())), clock)(plan)


def erase(job: Pipeline) -> bool:
    return EraseJob(job.store, job.functions.providers, job.clock)(job.plan)


def objects_with(store: MemoryStore, text: str) -> list[str]:
    forms = (text.encode(), text.encode("utf-16-le"), text.encode("gb18030"), ascii(text)[1:-1].encode())
    return [key for key, content in store.objects.items() if any(form in content for form in forms)]


def put_again(store: MemoryStore, name: str, content: bytes, recipe: str = RECIPE) -> UploadedObject:
    """Drop it five minutes later; the event is still to come."""
    store._clock.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
    store.put("inbox/batch.yaml", recipe.encode())
    store.put(f"inbox/{name}", content)
    head = store.head(f"inbox/{name}")
    assert head is not None
    return UploadedObject(BUCKET_NAME, head.key, head.etag)


def heard(store: MemoryStore, upload: UploadedObject) -> tuple[str, ScriptedProvider]:
    provider = ScriptedProvider(store._clock)  # type: ignore[arg-type]
    return Functions(store, provider, store._clock).validate(upload, "run-2"), provider


@pytest.mark.parametrize("output", ["csv", "jsonl", "parquet", "xlsx"])
def test_no_text_of_the_table_or_of_an_answer_is_left(output: str) -> None:
    recipe = f"{RECIPE}output: {{format: {output}}}\ncolumns: {{像: 像}}\n"
    store, plan = run_job("a.csv", TABLE, recipe, says(f"不是 JSON：{SECRET}"))
    assert objects_with(store, SECRET)

    assert erased(store, plan)

    assert objects_with(store, SECRET) == []
    assert [key for key in store.objects if key.startswith(("work/", "results/", "rejected/"))] == []
    assert [key for key in store.objects if key.startswith("inbox/")] == ["inbox/batch.yaml"]


@pytest.mark.parametrize("output", ["csv", "jsonl", "parquet", "xlsx"])
@pytest.mark.parametrize("name", [f"{SECRET}.csv", f"{SECRET}/a.csv", f"{SECRET}.2026.csv"])
def test_no_name_of_a_file_or_folder_is_left(output: str, name: str) -> None:
    store, plan = run_job(name, TABLE, f"{RECIPE}output: {{format: {output}}}\n")

    assert erased(store, plan)

    assert objects_with(store, SECRET) == []
    assert [key for key in store.objects if SECRET in key] == []


def test_no_name_of_a_recipe_is_left_either() -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    named = plan.model_copy(update={"source": plan.source.model_copy(update={"recipe_key": SECRET})})
    store.put(record_key(JobId(plan.job_id), "plan.json"), named.to_bytes())

    assert erased(store, named)

    assert objects_with(store, SECRET) == []


def test_the_job_that_was_refused_before_its_recipe_was_right_names_nothing_either() -> None:
    store = MemoryStore(FixedClock())
    wrong = put_again(store, f"{SECRET}.csv", TABLE, RECIPE.replace("姓名", "名"))
    assert heard(store, wrong)[0] == "rejected"
    _, plan = run_job(f"{SECRET}.csv", TABLE, RECIPE, store=store)

    assert erased(store, plan)

    assert objects_with(store, SECRET) == []


def test_what_an_older_version_wrote_of_a_refusal_goes_too() -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    key = record_key(JobId(plan.job_id), "rejection.json")
    store.put(key, f'{{"source": {{"key": "inbox/{SECRET}.csv"}}}}'.encode())

    assert erased(store, plan)

    assert store.head(key) is None


def test_ids_counts_and_money_are_kept() -> None:
    store, plan = run_job(
        "a.csv", TABLE, RECIPE, says("好", prompt_tokens=2, completion_tokens=3, total_tokens=5)
    )
    before = BucketRecords(store).find_ledger(JobId(plan.job_id))

    erased(store, plan)

    after = BucketRecords(store).find_ledger(JobId(plan.job_id))
    assert before is not None
    assert after is not None
    assert after.erased_at is not None
    assert after.tokens == before.tokens
    assert after.tokens.total > 0
    assert (after.by_status, after.batches, after.rows_in) == (
        before.by_status,
        before.batches,
        before.rows_in,
    )


def test_the_same_file_dropped_again_is_not_paid_and_told(caplog: pytest.LogCaptureFixture) -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    erased(store, plan)

    said, provider = heard(store, put_again(store, "a.csv", TABLE))

    assert said is ResumeResult.ERASED
    assert provider.submissions == []
    notice = store.get(rejection_keys_for("inbox/a.csv")[0]).decode("utf-8-sig")
    assert "[job_erased]" in notice
    assert "a.csv" in notice
    told = {each.message: each.levelname for each in caplog.records}
    assert "job.stranded" not in told
    assert "ERROR" not in told.values()  # somebody wished it
    assert [key for key in store.objects if key.startswith(("ready/", "results/"))] == []


EDITED = RECIPE.replace("qwen-plus", "qwen-max")


@pytest.mark.parametrize(("recipe", "said"), [(EDITED, "planned"), (RECIPE, ResumeResult.ERASED)])
def test_a_file_dropped_again_of_which_nobody_has_heard_yet_stays(recipe: str, said: str) -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    upload = put_again(store, "a.csv", TABLE, recipe)

    assert erased(store, plan)

    assert store.get("inbox/a.csv") == TABLE
    assert heard(store, upload)[0] == said


def test_a_file_dropped_again_stays_with_the_job_that_it_became_then() -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    assert heard(store, put_again(store, "a.csv", TABLE, EDITED))[0] == "planned"

    assert erased(store, plan)

    assert store.get("inbox/a.csv") == TABLE


def test_a_file_dropped_again_goes_with_the_job_that_it_resumed() -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    assert heard(store, put_again(store, "a.csv", TABLE))[0] is ResumeResult.RESUMED

    assert erased(store, plan)

    assert objects_with(store, SECRET) == []


def validate_and_die(
    store: MemoryStore, name: str, content: bytes, recipe: str, error: type[BaseException] = Killed
) -> None:
    """The rows are drafted; which job the upload is, is not decided."""

    def kills(_what: str, key: str) -> None:
        if key.endswith("/draft.json"):
            raise error("503")

    upload = put_again(store, name, content, recipe)
    store.before = kills
    with pytest.raises(error):
        heard(store, upload)
    store.before = None


@pytest.mark.parametrize("error", [Killed, TransientError])
def test_what_a_dead_validation_left_under_a_recipe_of_no_job_goes_too(error: type[BaseException]) -> None:
    store = MemoryStore(FixedClock())
    validate_and_die(store, "a.csv", TABLE, EDITED, error)
    _, plan = run_job("a.csv", TABLE, RECIPE, store=store)
    store._clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]

    assert erased(store, plan)

    assert objects_with(store, SECRET) == []


def test_what_a_validation_writes_that_may_be_alive_stays() -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    validate_and_die(store, "a.csv", TABLE, EDITED)
    drafts = store.keys("work/")

    assert erased(store, plan)

    left = store.keys("work/")
    assert left
    assert left == [key for key in drafts if not key.startswith(f"work/{plan.job_id}/")]


def test_what_a_validation_left_goes_too_if_its_job_was_decided_and_the_file_was_dropped_again() -> None:
    store = MemoryStore(FixedClock())
    upload = put_again(store, "a.csv", TABLE, EDITED)

    def kills(_what: str, key: str) -> None:
        if key.startswith("open/"):
            raise Killed

    store.before = kills
    with pytest.raises(Killed):
        heard(store, upload)
    store.before = None
    store._clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    _, plan = run_job("a.csv", TABLE, RECIPE, store=store)

    assert erased(store, plan)

    assert objects_with(store, SECRET) == []


@pytest.mark.parametrize("killed_at", ["open/", "ready/"])  # before the plan, and after it
def test_what_a_validation_left_that_was_killed_once_its_job_was_decided_is_that_jobs(killed_at: str) -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    upload = put_again(store, "a.csv", TABLE, EDITED)

    def kills(_what: str, key: str) -> None:
        if key.startswith(killed_at):
            raise Killed

    store.before = kills
    with pytest.raises(Killed):
        heard(store, upload)
    store.before = None
    store._clock.advance(timedelta(hours=1))  # type: ignore[attr-defined]
    drafts = [key for key in store.keys("work/") if not key.startswith(f"work/{plan.job_id}/")]
    assert drafts

    assert erased(store, plan)

    assert store.keys("work/") == drafts
    assert heard(store, upload)[0] is ResumeResult.RESUMED


@pytest.mark.parametrize("stage", ["ready", "finished"])
def test_a_late_event_of_an_erased_job_sends_and_writes_nothing(stage: str) -> None:
    job = Pipeline()
    job.run_until_done()
    erase(job)
    sent, records = list(job.sent()), job.store.keys("jobs/")
    attempt = Attempt(JobId(JOB), 1, 1)

    getattr(job.records, f"put_{stage}")(attempt, *([] if stage == "ready" else ["late"]))
    job.run_until_done()

    assert job.sent() == sent
    assert job.store.keys("jobs/") == records
    assert [key for key in job.store.objects if key.startswith(("work/", "results/"))] == []


@pytest.mark.parametrize("is_retried", [False, True])
def test_a_job_that_is_open_or_whose_retry_is_is_left_alone(*, is_retried: bool) -> None:
    job = Pipeline()
    if is_retried:
        job.cancel()
        job.drain()
        assert job.retry() is RetryResult.STARTED
    before = dict(job.store.objects)

    assert not erase(job)
    assert job.store.objects == before


@pytest.mark.parametrize("asked_for", [0, 1, 2])
def test_all_retries_are_erased_with_the_job(asked_for: int) -> None:
    job = Pipeline()
    job.cancel()
    job.drain()
    assert job.retry() is RetryResult.STARTED
    job.cancel(JobId(latest_retry(job.records, job.plan).job_id))
    job.drain()
    assert job.retry() is RetryResult.STARTED
    job.run_until_done()
    plans = list(with_retries(job.records, job.plan))

    assert EraseJob(job.store, job.functions.providers, job.clock)(plans[asked_for])

    ledgers = [job.records.find_ledger(JobId(each.job_id)) for each in plans]
    assert [ledger is not None and ledger.erased_at is not None for ledger in ledgers] == [True] * 3
    assert job.store.keys("work/") == []


def test_what_a_retry_copied_that_was_killed_before_its_plan_goes_too() -> None:
    for calls in itertools.count():
        job = Pipeline()
        job.cancel()
        job.drain()
        with pytest.raises(Killed):
            job.retry(cut=Cut(calls))
        if latest_retry(job.records, job.plan) != job.plan:
            break

        assert erase(job)

        assert job.store.keys("work/") == []
    assert calls > 10


def test_a_retry_and_an_erasure_at_once_leave_one_of_the_two() -> None:
    ended = set()
    for calls in itertools.count():
        job, seen = Pipeline(shards=(("a", "b"), ("c",))), []
        job.cancel()
        job.drain()
        meanwhile = Meanwhile(calls, lambda job=job, seen=seen: seen.append(erase(job)))

        said = job.retry(cut=meanwhile)

        if not seen:
            break
        assert seen == [said is not RetryResult.STARTED]
        if seen == [True]:
            assert latest_retry(job.records, job.plan).job_id == JOB
            assert job.store.keys("work/") == job.store.keys("open/") == []
        ended.add(said)
    assert ended == {RetryResult.ERASED, RetryResult.STARTED}


def test_a_retry_that_is_killed_at_its_plan_after_an_erasure_is_no_open_job() -> None:
    def kill(_what: str, key: str) -> None:
        if key.endswith("/plan.json"):
            raise Killed

    for calls in itertools.count():
        job, seen = Pipeline(), []
        job.cancel()
        job.drain()

        def erase_first(job: Pipeline = job, seen: list[bool] = seen) -> None:
            seen.append(erase(job))
            job.store.after = kill

        with suppress(Killed):
            job.retry(cut=Meanwhile(calls, erase_first))

        if seen != [True]:
            break
        assert latest_retry(job.records, job.plan).job_id == JOB
    assert calls > 10


def test_an_erasure_that_a_retry_overtakes_leaves_it_its_rows_and_no_mark() -> None:
    ended = set()
    for calls in itertools.count():
        job, seen = Pipeline(), []
        job.cancel()
        job.drain()
        meanwhile = Meanwhile(calls, lambda job=job, seen=seen: seen.append(job.retry()))

        with job._cut_by(meanwhile):
            is_erased = erase(job)

        if not seen:
            break
        assert is_erased is not (seen == [RetryResult.STARTED])
        assert (job.store.keys("work/") == []) is is_erased
        assert (job.ledger().erased_at is not None) is is_erased
        ended.add(is_erased)
    assert ended == {True, False}


def test_no_words_of_the_provider_are_left_in_a_record() -> None:
    job = Pipeline()
    job.run_until_done()
    records, said = job.records, {"rejected_message": SECRET}
    for key, sent in records.submissions(JobId(JOB)):
        job.store.put(key, sent.model_copy(update=said).to_bytes())
    for key, outcome in records.outcomes(JobId(JOB)):
        waiting = WaitingFor(code="arrearage", message=SECRET, since=job.clock.now())
        job.store.put(key, outcome.model_copy(update={"waiting_for": waiting}).to_bytes())
    assert len(objects_with(job.store, SECRET)) > 1

    assert erase(job)

    assert objects_with(job.store, SECRET) == []


def test_a_result_that_gave_way_to_a_later_version_goes_without_its_report_too() -> None:
    store, first = run_job("a.csv", TABLE, RECIPE)
    run_job("a.csv", TABLE.replace(b"1,", b"7,"), RECIPE, store=store)
    gave_way = superseded_result_key_for(first.result_key, JobId(first.job_id))
    store.put(gave_way, SECRET.encode())

    assert erased(store, first)

    assert store.head(gave_way) is None


def test_the_providers_files_of_the_job_go_and_no_others() -> None:
    job = Pipeline()
    job.run_until_done()
    batch = BatchId(job.provider.submissions[0].batch_id)
    now = job.clock.now()
    ours = [
        ProviderFile("input", "in.jsonl", now, 1, input_of=Attempt(JobId(JOB), 1, 1).batch_name),
        ProviderFile("result", "out.jsonl", now, 1, result_of=batch),
        ProviderFile(
            "unheard of", "out.jsonl", now, 1, "", BatchId("b-9"), Attempt(JobId(JOB), 1, 1).batch_name
        ),
    ]
    others = [
        ProviderFile(
            "being read", "in.jsonl", now, 1, Attempt(JobId(JOB), 1, 2).batch_name, is_read=lambda: True
        ),
        ProviderFile("theirs", "in.jsonl", now, 1, input_of=Attempt(JobId("f" * 16), 1, 1).batch_name),
        ProviderFile("somebody's", "x.jsonl", now, 1),
    ]
    job.provider.files = {file.file_id: file for file in (*ours, *others)}

    erase(job)

    assert set(job.provider.files) == {"being read", "theirs", "somebody's"}


def test_what_belongs_to_a_later_version_of_the_file_stays() -> None:
    store, first = run_job("a.csv", TABLE, RECIPE)
    _, second = run_job("a.csv", TABLE.replace(b"1,", b"7,"), RECIPE, store=store)
    standing = store.get(second.result_key)

    assert erased(store, first)

    assert store.get(second.result_key) == standing
    assert store.head("inbox/a.csv") is not None
    assert erased(store, second)
    assert objects_with(store, SECRET) == []


def test_a_later_version_of_the_file_keeps_the_name_of_its_result() -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    assert erased(store, plan)

    _, of_another = run_job("a.tsv", TABLE.replace(b",", b"\t"), RECIPE, store=store)
    _, second = run_job("a.csv", TABLE.replace(b"1,", b"7,"), RECIPE, store=store)

    assert of_another.result_key == "results/a.tsv.csv"
    assert second.result_key == plan.result_key
    assert BucketRecords(store).find_plan(JobId(plan.job_id)) is not None


def test_a_result_whose_report_was_deleted_goes_too() -> None:
    store, plan = run_job("a.csv", TABLE, RECIPE)
    store.delete(report_key_for(plan.result_key))

    erased(store, plan)

    assert store.head(plan.result_key) is None


@pytest.mark.parametrize("output", ["csv", "jsonl", "parquet", "xlsx"])
@pytest.mark.parametrize("other", ["a.overflow.csv", "a.2.csv", "a.report.csv"])
def test_the_result_of_a_file_with_such_a_name_stays(other: str, output: str) -> None:
    store, of_another = run_job(other, OTHERS, f"{RECIPE}output: {{format: jsonl}}\n")
    standing = {key: text for key, text in store.objects.items() if key.startswith("results/")}
    assert of_another.result_key in standing
    _, plan = run_job("a.csv", TABLE, f"{RECIPE}output: {{format: {output}}}\n", store=store)

    assert erased(store, plan)

    assert standing.items() <= store.objects.items()


@pytest.mark.parametrize("ending", ["", ".unmatched", ".2", ".overflow"])
def test_so_does_that_of_a_file_named_by_the_job(ending: str) -> None:
    store, plan = run_job("a.csv", TABLE, f"{RECIPE}output: {{format: jsonl}}\n")
    other = f"a.{plan.job_id}{ending}.csv"
    _, of_another = run_job(other, OTHERS, f"{RECIPE}output: {{format: jsonl}}\n", store=store)

    assert erased(store, plan)

    assert store.head(of_another.result_key) is not None
    assert store.head(report_key_for(of_another.result_key)) is not None


LONG = TABLE + f"4,{SECRET * 11_000}\n".encode()
XLSX = f"{RECIPE}output: {{format: xlsx}}\n"


@pytest.mark.usefixtures("small_sheets")
@pytest.mark.parametrize("others", [[], ["a.overflow.csv"], ["a.2.csv"], ["a.2.csv", "a.3.csv"]])
@pytest.mark.parametrize("deleted", ["", "results/a.report.json", "results/a.2.xlsx"])
def test_further_workbooks_and_long_texts_go_whatever_their_names(deleted: str, others: list[str]) -> None:
    store = MemoryStore(FixedClock())
    for other in others:
        run_job(other, OTHERS + other.encode(), RECIPE, store=store)
    _, plan = run_job("a.csv", LONG, XLSX, store=store)
    store.delete(deleted)

    assert erased(store, plan)

    assert objects_with(store, SECRET) == []
    assert {key.split(".")[1] for key in store.keys("results/")} == {name.split(".")[1] for name in others}


@pytest.mark.usefixtures("small_sheets")
@pytest.mark.parametrize("others", [[], ["a.overflow.csv", "a.2.csv"]])
@pytest.mark.parametrize("is_first_erased_first", [True, False])
def test_what_an_earlier_version_had_more_of_goes_too(
    others: list[str], *, is_first_erased_first: bool
) -> None:
    store = MemoryStore(FixedClock())
    for other in others:
        run_job(other, OTHERS + other.encode(), RECIPE, store=store)
    _, first = run_job("a.csv", LONG + f"5,{SECRET}\n6,{SECRET}\n".encode(), XLSX, store=store)
    _, second = run_job("a.csv", TABLE, XLSX, store=store)

    for plan in (first, second) if is_first_erased_first else (second, first):
        assert erased(store, plan)

    assert objects_with(store, SECRET) == []
    assert len(store.keys("results/")) == 2 * len(others)


def results_of(store: MemoryStore) -> dict[str, bytes]:
    return {key: content for key, content in store.objects.items() if key.startswith("results/")}


@pytest.mark.usefixtures("small_sheets")
@pytest.mark.parametrize(
    ("mine", "other"), list(itertools.permutations(["csv", "jsonl", "parquet", "xlsx"], 2))
)
@pytest.mark.parametrize("is_mine_the_first", [True, False])
def test_a_version_in_another_format_keeps_all_of_its_result(
    mine: str, other: str, *, is_mine_the_first: bool
) -> None:
    newer = LONG.replace(b"1,", b"7,")
    written, plans = [], []
    store = MemoryStore(FixedClock())
    for table, form in zip((LONG, newer), (mine, other) if is_mine_the_first else (other, mine), strict=True):
        before = results_of(store)
        _, plan = run_job("a.csv", table, f"{RECIPE}output: {{format: {form}}}\n", store=store)
        plans.append(plan)
        written.append({key for key, text in results_of(store).items() if before.get(key) != text})
    plan, of_other = plans if is_mine_the_first else plans[::-1]
    its = written[1] if is_mine_the_first else written[0] - written[1]
    standing = {key: store.get(key) for key in its}

    assert erased(store, plan)
    assert results_of(store) == standing

    assert erased(store, of_other)
    assert store.keys("results/") == []


def test_a_result_that_a_run_writes_again_which_saw_no_mark_does_not_stay() -> None:
    for calls in itertools.count():
        job = Pipeline()
        job.run_until_done()
        key = record_key(JOB, "ledger.json")

        def close_again(job: Pipeline = job, key: str = key, unmarked: bytes = job.store.get(key)) -> None:
            marked = job.store.get(key)
            job.store.put(key, unmarked)
            with job._cut_by(Meanwhile(2, partial(job.store.put, key, marked))), suppress(ObjectMissing):
                CloseJob(job.store, job.clock)(job.plan)

        meanwhile = Meanwhile(calls, close_again)
        with job._cut_by(meanwhile):
            assert erase(job)

        if meanwhile.left is not None:
            break
        assert job.store.keys("results/") == []
    assert calls > 10


def about_to_close(output: str) -> tuple[MemoryStore, Plan, Plan, dict[str, bytes]]:
    """A closed job, the plan of a later version of its file, and the results once it is closed."""
    recipe = f"{RECIPE}output: {{format: {output}}}\n"
    store, plan = run_job("a.csv", LONG, recipe)
    before = results_of(store)
    _, later = run_job("a.csv", LONG.replace(b"1,", b"7,"), recipe, store=store)
    after = results_of(store)
    closing = [key for key in store.keys("jobs/versions/") if later.job_id in key]
    for key in (*after, *closing, record_key(JobId(later.job_id), "ledger.json")):
        store.delete(key)
    for key, content in before.items():
        store.put(key, content)
    return store, plan, later, after


@pytest.mark.usefixtures("small_sheets")
@pytest.mark.parametrize("output", ["csv", "xlsx"])
@pytest.mark.parametrize("is_closed_within", [True, False])
def test_a_later_version_that_is_closed_meanwhile_keeps_its_result(
    output: str, *, is_closed_within: bool
) -> None:
    at_first, plan, later, after = about_to_close(output)
    for calls in itertools.count():
        store = at_first.copied()
        close, erases = partial(CloseJob(store, store._clock), later), partial(erased, store, plan)
        meanwhile = Meanwhile(calls, close if is_closed_within else erases)
        store.before = meanwhile.call
        (erases if is_closed_within else close)()
        if meanwhile.left is not None:
            break
        assert results_of(store) == after
    assert calls > 10


def test_so_it_does_if_the_erasure_is_killed_behind_that_and_repeated() -> None:
    at_first, plan, later, after = about_to_close("csv")
    for calls in itertools.count():
        store = at_first.copied()
        close = partial(CloseJob(store, store._clock), later)

        def closes(
            what: str,
            key: str,
            store: MemoryStore = store,
            close: Callable[[], Ledger] = close,
            cut: Cut = Cut(calls),  # noqa: B008
        ) -> None:
            if (what, key) == ("delete", "results/a.csv"):
                store.before = None
                close()
                store.before = cut.call
                cut.call(what, key)

        store.before = closes
        try:
            erased(store, plan)
        except Killed:
            store.before = None
            assert erased(store, plan)
        else:
            break
        assert results_of(store) == after
    assert calls > 10


def test_killed_anywhere_and_repeated_it_ends_the_same() -> None:
    at_first, plan = run_job(f"{SECRET}.csv", TABLE, RECIPE)
    for calls in itertools.count():
        store, cut = at_first.copied(), Cut(calls)
        store.before = cut.call
        try:
            erased(store, plan)
        except Killed:
            store.before = None
            assert erased(store, plan)
            assert objects_with(store, SECRET) == []
            assert b'"erased_at": null' not in store.get(record_key(JobId(plan.job_id), "ledger.json"))
        else:
            break
    assert calls > 10


@pytest.mark.parametrize("output", ["csv", "jsonl", "xlsx"])
def test_killed_anywhere_it_is_known_that_it_began(output: str) -> None:
    recipe = f"{RECIPE}output: {{format: {output}}}\n"
    at_first, plan = run_job("a.csv", TABLE, recipe)
    for calls in itertools.count():
        store, before, cut = at_first.copied(), set(at_first.objects), Cut(calls)
        store.before = cut.call
        try:
            erased(store, plan)
        except Killed:
            store.before = None
            ledger = BucketRecords(store).find_ledger(JobId(plan.job_id))
            assert ledger is not None
            if ledger.erased_at is None:
                assert set(store.objects) - before <= {
                    f"jobs/{retry_job_id_for(JobId(plan.job_id))}/plan.json"
                }
                continue
            results = store.keys("results/")
            assert ledger.is_being_erased
            assert heard(store, put_again(store, "a.csv", TABLE, recipe))[0] == ResumeResult.ERASED
            assert store.keys("results/") == results
            assert erased(store, plan)
            assert [key for key in store.objects if key.startswith(("work/", "results/", "rejected/"))] == []
            assert store.head("inbox/a.csv") is None
        else:
            break
    assert calls > 10


@pytest.mark.parametrize("output", ["csv", "jsonl", "parquet", "xlsx"])
def test_an_earlier_version_that_closes_does_not_bring_back_what_is_being_erased(output: str) -> None:
    recipe = f"{RECIPE}output: {{format: {output}}}\n"
    store, earlier = run_job("a.csv", OTHERS, recipe)
    _, plan = run_job("a.csv", TABLE, recipe, store=store)

    def kills(_what: str, key: str) -> None:
        if key.startswith("work/"):
            raise Killed

    store.before = kills
    with pytest.raises(Killed):
        erased(store, plan)
    store.before = None
    store.delete(plan.result_key)

    CloseJob(store, store._clock)(earlier)

    assert store.head(plan.result_key) is None


@pytest.mark.parametrize("step", ["work/", "results/", "inbox/", "jobs/"])
def test_a_job_that_is_being_erased_is_not_retried(step: str) -> None:
    job = Pipeline()
    job.cancel()
    job.drain()

    def kills(what: str, key: str) -> None:
        ledger = job.records.find_ledger(JOB) if what in ("put", "delete") and key.startswith(step) else None
        if ledger and ledger.erased_at:
            raise Killed

    job.store.before = kills
    with pytest.raises(Killed):
        erase(job)
    job.store.before = None

    assert job.retry() is RetryResult.ERASED

    assert erase(job)
    assert job.sent() == []
