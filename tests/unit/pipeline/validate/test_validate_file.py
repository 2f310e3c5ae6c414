from __future__ import annotations

import gzip
import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import Stage, name_claim_key, settled_key, version_key
from shared.bucket.records.outcome import SettledShard
from shared.bucket.records.plan import Plan
from shared.bucket.records.usage import Tokens
from shared.bucket.uploads import AgainTicket, Upload, start_prefix, upload_key
from shared.events.oss import UploadedObject
from shared.pipeline.reconcile.repairs.lost_uploads import AskAgain
from shared.pipeline.validate.validate_file import MAX_STARTS
from shared.ports.profile import ShardLimits
from shared.problems.exceptions import OutcomeUnknown, TransientError
from shared.providers.bailian.profile import BAILIAN, BAILIAN_LIMITS
from shared.results.columns import REQUEST_COLUMNS, TABLE_COLUMNS
from tests.support.builders import request_line
from tests.support.fake_provider import ScriptedProvider
from tests.support.fakes import FixedClock, Killed, MemoryStore, etag_of
from tests.support.functions import Functions
from tests.support.pipeline import Harness

RECIPE = b"model: qwen-flash\nprompt: 'Say {{ name }}'\n"


class Bench:
    """A bucket with a clock, and validations whose run ids differ as they do in life."""

    def __init__(self) -> None:
        self.clock = FixedClock()
        self.store = MemoryStore(self.clock)
        self.runs = 0

    def drop(self, key: str, content: bytes, **limits: int) -> str:
        self.store.put(key, content)
        return self.deliver(key, **limits)

    def deliver(self, key: str, **limits: int) -> str:
        self.runs += 1

        def limits_for(model: str) -> ShardLimits:
            return replace(BAILIAN.limits_for(model), **limits)  # type: ignore[arg-type]

        functions = Functions(
            self.store, ScriptedProvider(), self.clock, replace(BAILIAN, limits_for=limits_for)
        )
        return functions.validate(UploadedObject("drop", key, "ignored"), f"run-{self.runs}")

    def keys(self, prefix: str) -> list[str]:
        return [head.key for head in self.store.list(prefix)]

    def plan(self) -> Plan:
        (key,) = [key for key in self.keys("jobs/") if key.endswith("/plan.json")]
        return Plan.model_validate_json(self.store.get(key))

    def report(self, name: str) -> str:
        return self.store.get(f"rejected/{name}.report.txt").decode("utf-8-sig")


def test_a_table_with_a_recipe_becomes_a_plan_shards_and_one_ticket_each() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)

    said = bench.drop("inbox/a/names.csv", b"name,age\nAda,1\nBo,2\nCy,3\n", max_requests=2)

    plan = bench.plan()
    assert said == "planned"
    assert [(shard.rows, shard.requests) for shard in plan.shards] == [(2, 2), (1, 1)]
    assert (plan.columns, plan.rows, plan.result_key) == (("name", "age"), 3, "results/a/names.csv")
    assert bench.keys("ready/") == [f"ready/{plan.job_id}/1-00001", f"ready/{plan.job_id}/1-00002"]
    first = json.loads(bench.store.get(plan.shards[0].requests_key).split(b"\n")[0])
    assert first["body"]["messages"] == [{"role": "user", "content": "Say Ada"}]


def test_a_file_is_split_by_size_as_well_as_by_rows() -> None:
    bench = Bench()
    line = request_line("a", "x" * 1000)

    bench.drop(
        "inbox/q.jsonl", b"".join(request_line(each, "x" * 1000) for each in "abcde"), max_bytes=2 * len(line)
    )

    shards = bench.plan().shards
    assert [shard.requests for shard in shards] == [2, 2, 1]
    assert all(shard.size_bytes <= 2 * len(line) for shard in shards)


def test_request_lines_pass_through_unchanged() -> None:
    bench = Bench()
    lines = request_line("a", "x\u2028y") + request_line("b")

    bench.drop("inbox/q.jsonl", lines)

    assert bench.store.get(bench.plan().shards[0].requests_key) == lines


def test_the_same_upload_delivered_again_starts_nothing_new() -> None:
    bench = Bench()
    bench.drop("inbox/q.jsonl", request_line("a"))
    before = bench.keys("")

    said = bench.deliver("inbox/q.jsonl")

    assert said == "resumed"
    assert bench.keys("") == before


def test_a_repeated_upload_of_the_same_bytes_after_the_submission_pays_nothing() -> None:
    bench = Bench()
    bench.drop("inbox/q.jsonl", request_line("a"))
    attempt = Attempt(JobId(bench.plan().job_id), 1, 1)
    bench.store.put(f"jobs/{attempt}/submission.json", _submission(bench))
    bench.store.delete(f"ready/{attempt}")

    bench.drop("inbox/q.jsonl", request_line("a"))

    assert bench.keys("ready/") == []


def test_a_late_redelivery_under_a_newer_recipe_stays_the_first_job() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/names.csv", b"name\nAda\n")
    bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")

    bench.deliver("inbox/names.csv")

    assert len([key for key in bench.keys("jobs/") if key.endswith("plan.json")]) == 1


def _plans(bench: Bench) -> list[Plan]:
    keys = [key for key in bench.keys("jobs/") if key.endswith("/plan.json")]
    return [Plan.model_validate_json(bench.store.get(key)) for key in keys]


def test_what_was_read_under_the_newer_recipe_is_its_job_though_it_was_first_seen_under_another() -> None:
    bench = Bench()
    newer = RECIPE + b"system: new\n"
    bench.store.put("inbox/batch.yaml", RECIPE)

    def is_down(what: str, key: str) -> None:
        if what == "read" and key == "inbox/names.csv":
            raise TransientError("503")

    bench.store.before = is_down
    with pytest.raises(TransientError):
        bench.drop("inbox/names.csv", b"name\nAda\n")
    bench.store.before = None
    bench.store.put("inbox/batch.yaml", newer)
    said = [bench.deliver("inbox/names.csv")]

    for recipe in (newer, RECIPE):
        bench.clock.advance(timedelta(minutes=10))
        bench.store.put("inbox/batch.yaml", recipe)
        said.append(bench.drop("inbox/names.csv", b"name\nAda\n"))

    assert said == ["planned", "resumed", "planned"]
    assert {plan.source.recipe_etag for plan in _plans(bench)} == {etag_of(newer), etag_of(RECIPE)}


def test_two_looks_at_one_upload_under_two_recipes_are_one_job() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)

    def meanwhile(what: str, key: str) -> None:
        if what == "read" and key == "inbox/names.csv":
            bench.store.before = None
            bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")
            assert bench.deliver("inbox/names.csv") == "planned"

    bench.store.before = meanwhile

    bench.drop("inbox/names.csv", b"name\nAda\n")

    (plan,) = _plans(bench)
    folder = plan.shards[0].requests_key.rpartition("/")[0]
    assert plan.source.recipe_etag == etag_of(RECIPE + b"system: new\n")
    assert bench.keys("work/") == sorted(
        [f"{folder}/draft.json", plan.shards[0].requests_key, plan.shards[0].rows_key]
    )


def test_what_another_look_planned_and_sent_gets_no_ticket_again() -> None:
    bench = Harness()
    upload = UploadedObject("drop", "inbox/q.jsonl", "ignored")

    def meanwhile(what: str, key: str) -> None:
        if what == "read" and key == upload.key:
            bench.store.before = None
            bench.functions.validate(upload, "run-2")
            bench.submit(bench.attempts(Stage.READY)[0])

    bench.store.put(upload.key, request_line("a"))
    bench.store.before = meanwhile
    said = bench.functions.validate(upload, "run-1")

    assert said == "planned"
    assert (bench.attempts(Stage.READY), len(bench.provider.submissions)) == ([], 1)


@pytest.mark.parametrize("prefix", ["jobs/", "ready/"])
def test_killed_before_the_plan_or_a_ticket_the_timer_finds_the_job(prefix: str) -> None:
    bench = Bench()

    def dies(what: str, key: str) -> None:
        if what in {"create", "put"} and key.startswith(prefix) and key.endswith(("plan.json", "1-00001")):
            raise Killed

    bench.store.before = dies
    with pytest.raises(Killed):
        bench.drop("inbox/q.jsonl", request_line("a"))

    assert len(bench.keys("open/")) == 1


@pytest.mark.parametrize("is_fine", [True, False])
def test_a_file_that_was_replaced_meanwhile_is_not_noted_as_answered(is_fine: bool) -> None:
    bench = Bench()
    older = request_line("a") if is_fine else b"{\n"

    def replaces(what: str, key: str) -> None:
        if what == "read" and key == "inbox/q.jsonl":
            bench.store.before = None
            bench.store.put("inbox/q.jsonl", request_line("b"))

    bench.store.before = replaces

    assert bench.drop("inbox/q.jsonl", older) == "replaced"
    assert [key for key in bench.keys("jobs/") if key.endswith(".done")] == []
    assert bench.deliver("inbox/q.jsonl") == "planned"


def test_what_was_dropped_during_a_slow_look_is_newer_than_what_was_dropped_again_before_it() -> None:
    bench = Bench()
    bench.store.put("inbox/q.jsonl", request_line("again"))
    dropped_at = bench.clock.now() + timedelta(minutes=1)

    def replaces(what: str, key: str) -> None:
        if (what, key) == ("head", "inbox/q.jsonl"):
            bench.store.before = None
            bench.clock.advance(timedelta(minutes=1))
            bench.store.put("inbox/q.jsonl", request_line("newer"))
            bench.clock.advance(timedelta(seconds=0.1))

    bench.store.before = replaces
    bench.deliver("inbox/q.jsonl")

    plan = bench.plan()
    assert plan.source.dropped_at == dropped_at
    newer = version_key(plan.result_key, dropped_at, JobId("0" * 16), plan.source.seen_at)
    assert newer > version_key(plan.result_key, dropped_at, JobId("f" * 16))


def test_a_plan_that_was_decided_is_put_by_the_next_look_under_whatever_recipe() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)

    def dies(what: str, key: str) -> None:
        if what == "create" and key.endswith("/plan.json"):
            raise Killed

    bench.store.before = dies
    with pytest.raises(Killed):
        bench.drop("inbox/names.csv", b"name\nAda\n")
    bench.store.before = None
    bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")

    assert bench.deliver("inbox/names.csv") == "resumed"
    assert [plan.source.recipe_etag for plan in _plans(bench)] == [etag_of(RECIPE)]


def test_a_drop_that_resumed_a_job_stays_with_it_when_it_is_told_again() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/names.csv", b"name\nAda\n")
    bench.clock.advance(timedelta(minutes=10))
    bench.drop("inbox/names.csv", b"name\nAda\n")
    bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")

    assert bench.deliver("inbox/names.csv") == "resumed"
    assert len(_plans(bench)) == 1


def test_an_older_version_s_note_of_an_upload_counts() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/names.csv", b"name\nAda\n")
    (pointer,) = [key for key in bench.keys("jobs/uploads/") if key.endswith("Z")]
    bench.store.delete(pointer)
    note = Upload(job_id=bench.plan().job_id).to_bytes()
    bench.store.put(pointer.rpartition("/")[0] + "/0123456789abcdef", note)
    bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")

    assert bench.deliver("inbox/names.csv") == "resumed"
    assert len(_plans(bench)) == 1


def test_a_recipe_that_is_edited_while_it_is_read_is_read_at_one_version() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)

    def edits(what: str, key: str) -> None:
        if what in ("get", "read") and key == "inbox/batch.yaml":
            bench.store.before = None
            bench.store.put("inbox/batch.yaml", RECIPE.replace(b"flash", b"plus"))

    bench.store.before = edits

    bench.drop("inbox/names.csv", b"name\nAda\n")

    assert bench.plan().source.recipe_etag == etag_of(bench.store.get("inbox/batch.yaml"))
    assert bench.plan().model == "qwen-plus"


@pytest.mark.parametrize(
    "moves",
    [
        ("inbox/batch.yaml", "inbox/2026/batch.yaml"),
        ("inbox/batch.yaml", "inbox/2026/nov/batch.yaml"),
        ("inbox/2026/batch.yml", "inbox/2026/nov/batch.yml"),
        ("inbox/2026/nov/batch.yml", "inbox/2026/nov/batch.yaml"),
        ("inbox/batch.yml", "inbox/2026/nov/batch.yaml"),
    ],
)
def test_a_recipe_that_is_moved_while_it_is_looked_for_is_found(moves: tuple[str, str]) -> None:
    bench = Bench()
    old, new = moves
    bench.store.put(old, RECIPE)

    def moves_it(what: str, key: str) -> None:
        if key == old:
            bench.store.before = None
            bench.store.put(new, RECIPE)
            bench.store.delete(old)

    bench.store.before = moves_it

    assert bench.drop("inbox/2026/nov/names.csv", b"name\nAda\n") == "planned"


def test_a_new_upload_under_a_newer_recipe_is_a_new_job() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/names.csv", b"name\nAda\n")
    bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")
    bench.clock.advance(timedelta(seconds=1))

    bench.drop("inbox/names.csv", b"name\nAda\n")

    assert len([key for key in bench.keys("jobs/") if key.endswith("plan.json")]) == 2


def test_the_timer_and_a_late_event_under_a_newer_recipe_mean_the_same_upload() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.store.put("inbox/names.csv", b"name\nAda\n")
    upload = UploadedObject("drop", "inbox/names.csv", "")
    AskAgain(bench.store, bench.clock, timedelta(minutes=10))(upload)
    (ticket,) = bench.keys("again/")

    said = [bench.deliver(ticket)]
    bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")
    bench.clock.advance(timedelta(hours=3))
    said.append(bench.deliver("inbox/names.csv"))

    assert said == ["planned", "resumed"]
    assert len([key for key in bench.keys("jobs/") if key.endswith("plan.json")]) == 1


@pytest.mark.parametrize(("noted_later_s", "jobs"), [(0, 1), (5, 1), (-5, 2)])
def test_an_upload_that_an_older_version_noted_is_known_by_its_time(noted_later_s: int, jobs: int) -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/names.csv", b"name\nAda\n")
    (pointer,) = [key for key in bench.keys("jobs/uploads/") if key.endswith("Z")]
    noted = bench.store.get(pointer)
    bench.store.delete(pointer)
    bench.clock.advance(timedelta(seconds=10))
    bench.store.put("inbox/names.csv", b"name\nAda\n")
    bench.clock.advance(timedelta(seconds=noted_later_s))
    bench.store.put(pointer.rpartition("/")[0] + "/0123456789abcdef", noted)  # its request's id, hashed
    bench.store.put("inbox/batch.yaml", RECIPE + b"system: new\n")

    bench.deliver("inbox/names.csv")

    assert len([key for key in bench.keys("jobs/") if key.endswith("plan.json")]) == jobs


def test_a_refused_file_gets_a_report_and_leaves_no_draft_and_no_ticket() -> None:
    bench = Bench()

    said = bench.drop("inbox/a/q.jsonl", request_line("a") + b"{\n" + request_line("a"))

    assert said == "rejected"
    assert "第 2 行" in bench.report("a/q.jsonl")
    assert "Line 3" in bench.report("a/q.jsonl")
    assert bench.keys("ready/") == []
    assert not [key for key in bench.keys("work/") if key.endswith(".jsonl")]


def test_skip_runs_the_good_rows_and_keeps_the_bad_ones_with_their_reason() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE + b"on_bad_rows: skip\n")

    bench.drop("inbox/names.csv", b"name,age\nAda,1\nBo\nCy,3\n")

    shard = bench.plan().shards[0]
    row = json.loads(bench.store.get(shard.rows_key).split(b"\n")[1])
    assert (shard.rows, shard.requests, bench.plan().bad_rows) == (3, 2, 1)
    assert row[1:3] == [["Bo"], "ragged_row"]
    assert "第 3 行" in row[3]
    assert "Line 3" in row[3]


def test_a_file_of_bad_rows_only_is_refused_even_where_bad_rows_are_skipped() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE + b"on_bad_rows: skip\n")

    said = bench.drop("inbox/names.csv", b"name,age\nBo\n")

    assert said == "rejected"
    assert "ragged_row" in bench.report("names.csv")


def test_gb18030_met_after_the_first_shard_is_read_from_the_start_again() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    rows = b"name\nAda\nBo\nCy\n" + "王小明".encode("gb18030") + b"\n"

    bench.drop("inbox/names.csv", rows, max_requests=2)

    plan = bench.plan()
    sent = b"".join(bench.store.get(shard.requests_key) for shard in plan.shards)
    assert plan.encoding == "gb18030"
    assert "Say 王小明" in sent.decode()
    assert sent.count(b"\n") == 4


@pytest.mark.parametrize(
    ("key", "content", "code"),
    [
        ("inbox/empty.csv", b"", "empty_file"),
        ("inbox/photo.png", b"\x89PNG", "unknown_file_type"),
        ("inbox/book.xls", b"PK", "spreadsheet_file"),
        ("inbox/new/", b"", "folder_marker"),
        ("inbox/a/../x.csv", b"1,hello\n", "dot_segment"),
        ("inbox/three.csv", b"a,b,c\n1,2,3\n", "two_columns_expected"),
        ("inbox/batch.yaml", b"model: x\nprompt: y\nmodle: z\n", "recipe_unknown_key"),
    ],
)
def test_whatever_cannot_be_run_is_answered_with_a_report(key: str, content: bytes, code: str) -> None:
    bench = Bench()

    said = bench.drop(key, content)

    (report,) = [each for each in bench.keys("rejected/") if each.endswith(".report.txt")]
    text = bench.store.get(report).decode("utf-8-sig")
    assert said == "rejected"
    assert f"[{code}]" in text
    assert bench.keys("ready/") == []


def test_request_lines_take_a_recipe_that_only_says_how_their_result_is_written() -> None:
    bench = Bench()

    said = [bench.drop("inbox/batch.yaml", b"output: {format: xlsx}\n")]
    said += [bench.drop("inbox/q.jsonl", request_line("a")), bench.drop("inbox/t.csv", b"name,b\nAda,x\n")]

    assert said == ["recipe", "planned", "rejected"]
    assert bench.plan().result_key == "results/q.xlsx"
    assert "[recipe_without_question]" in bench.report("t.csv")


def test_a_broken_recipe_refuses_the_file_and_names_the_key() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", b"model: qwen-flash\nprompt: 'Say {{ nmae }}'\n")

    bench.drop("inbox/names.csv", b"name\nAda\n")

    assert "nmae" in bench.report("names.csv")


def test_a_broken_recipe_and_broken_request_lines_are_told_in_one_report() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE + b"modle: x\n")

    bench.drop("inbox/q.jsonl", request_line("a") + b"{\n" * 150)

    report = bench.report("q.jsonl")
    assert "recipe_unknown_key" in report
    assert "[bad_json]" in report
    assert "151" in report


def test_a_report_is_withdrawn_when_the_corrected_file_is_accepted() -> None:
    bench = Bench()
    bench.drop("inbox/q.jsonl", b"{\n")

    bench.drop("inbox/q.jsonl", request_line("a"))

    assert bench.keys("rejected/") == []


def test_two_files_of_one_stem_get_two_results() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/a.csv", b"name\nAda\n")

    bench.drop("inbox/a.jsonl", request_line("a"))

    plans = [bench.store.get(key) for key in bench.keys("jobs/") if key.endswith("plan.json")]
    assert {json.loads(plan)["result_key"] for plan in plans} == {"results/a.csv", "results/a.jsonl.csv"}


@pytest.mark.parametrize(("name", "result"), [("a.csv", "results/a.csv"), ("a.tsv", "results/a.tsv.csv")])
def test_a_name_that_an_older_version_claimed_stays_that_files(name: str, result: str) -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.store.put(name_claim_key("results/a.csv"), b"inbox/a.csv")

    bench.drop(f"inbox/{name}", b"name\nAda\n")

    (plan,) = [bench.store.get(key) for key in bench.keys("jobs/") if key.endswith("plan.json")]
    assert json.loads(plan)["result_key"] == result


def test_a_file_whose_check_never_ends_is_refused_at_last() -> None:
    bench = Bench()
    bench.store.put("inbox/q.jsonl", request_line("a"))

    def kills(what: str, key: str) -> None:
        if what == "read" and key == "inbox/q.jsonl":
            raise Killed

    bench.store.before = kills
    for _ in range(MAX_STARTS):
        with pytest.raises(Killed):
            bench.deliver("inbox/q.jsonl")

    said = bench.deliver("inbox/q.jsonl")
    bench.store.before = None

    assert said == "rejected"
    assert "validation_unfinished" in bench.report("q.jsonl")
    assert bench.deliver("inbox/q.jsonl") == "rejected"
    bench.clock.advance(timedelta(seconds=1))
    assert bench.drop("inbox/q.jsonl", request_line("a")) == "planned"


def begin_starts_of(bench: Bench, content: bytes) -> None:
    """Drop a file; so many starts look at it that the next one gives it up."""
    bench.store.put("inbox/q.jsonl", content)
    head = bench.store.head("inbox/q.jsonl")
    assert head is not None
    for number in range(MAX_STARTS):
        starts = start_prefix(upload_key("drop", head.key, head.etag, head.modified_at))
        bench.store.put(f"{starts}alive-{number}", b"{}")


def ends_before_the(bench: Bench, nth: int, said: str) -> Callable[[str, str], None]:
    """A start that is alive ends with that before the nth of the other's writes of reports."""
    writes = itertools.count(1)

    def ends_now(what: str, key: str) -> None:
        if what in {"put", "create"} and key.startswith("rejected/") and next(writes) == nth:
            bench.store.before = None
            for start in bench.store.keys("jobs/uploads/"):
                bench.store.delete(start)  # a start does not count its own
            assert bench.deliver("inbox/q.jsonl") == said

    return ends_now


@pytest.mark.parametrize("nth", [1, 2])
def test_a_report_does_not_stay_beside_the_job_of_starts_that_were_alive(nth: int) -> None:
    bench = Bench()
    begin_starts_of(bench, request_line("a"))
    bench.store.before = ends_before_the(bench, nth, "planned")

    said = bench.deliver("inbox/q.jsonl")

    assert (said, bench.keys("rejected/")) == ("resumed", [])


@pytest.mark.parametrize("nth", [1, 2])
def test_the_report_of_a_start_that_was_alive_stays(nth: int) -> None:
    bench = Bench()
    begin_starts_of(bench, b"{\n")
    bench.store.before = ends_before_the(bench, nth, "rejected")

    said = bench.deliver("inbox/q.jsonl")

    assert said == "rejected"
    assert "validation_unfinished" not in bench.report("q.jsonl")
    assert b"validation_unfinished" not in bench.store.get("rejected/q.jsonl.report.csv")


def test_the_report_of_an_earlier_version_does_not() -> None:
    bench = Bench()
    bench.drop("inbox/q.jsonl", b"{\n")
    bench.clock.advance(timedelta(seconds=1))
    begin_starts_of(bench, request_line("a"))

    bench.deliver("inbox/q.jsonl")

    assert "validation_unfinished" in bench.report("q.jsonl")
    assert b"validation_unfinished" in bench.store.get("rejected/q.jsonl.report.csv")


def test_an_outage_is_not_held_against_the_file() -> None:
    bench = Bench()

    def is_down(what: str, _key: str) -> None:
        if what == "read":
            raise TransientError("503")

    bench.store.before = is_down
    for _ in range(MAX_STARTS + 1):
        with pytest.raises(TransientError):
            bench.drop("inbox/q.jsonl", request_line("a"))
    bench.store.before = None

    assert bench.deliver("inbox/q.jsonl") == "planned"


def test_a_refused_file_is_answered_again_when_it_comes_back_after_a_good_one() -> None:
    bench = Bench()
    bench.drop("inbox/q.jsonl", b"{\n")
    bench.drop("inbox/q.jsonl", request_line("a"))

    again = bench.drop("inbox/q.jsonl", b"{\n")
    reported = bench.keys("rejected/")
    bench.drop("inbox/q.jsonl", request_line("a"))

    assert (again, len(reported)) == ("rejected", 2)
    assert bench.keys("rejected/") == []


def test_a_skipped_row_with_half_a_surrogate_stands_in_the_result() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE + b"on_bad_rows: skip\n")
    bad = b'{"custom_id":"\\ud800","method":"POST"}\n'

    said = bench.drop("inbox/q.jsonl", request_line("a") + bad)

    rows = bench.store.get(bench.plan().shards[0].rows_key).decode().split("\n")
    assert said == "planned"
    assert json.loads(rows[1])[0] == "\ufffd"


def test_three_files_that_want_one_name_get_three() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/a.csv", b"name\nAda\n")
    bench.drop("inbox/a.jsonl", request_line("a"))

    bench.drop("inbox/a.jsonl.csv", b"name\nAda\n")

    plans = [bench.store.get(key) for key in bench.keys("jobs/") if key.endswith("plan.json")]
    assert len({json.loads(plan)["result_key"] for plan in plans}) == 3


def test_an_encoded_key_finds_its_object_and_a_plus_stays_a_plus() -> None:
    bench = Bench()
    bench.store.put("inbox/客户 名单+1%.jsonl", request_line("a"))

    raw = bench.deliver("inbox/客户 名单+1%.jsonl")
    encoded = bench.deliver("inbox/%E5%AE%A2%E6%88%B7%20%E5%90%8D%E5%8D%95+1%25.jsonl")

    assert (raw, encoded) == ("planned", "resumed")


def test_a_plan_whose_write_was_not_confirmed_keeps_its_shards() -> None:
    bench = Bench()

    def says_that_it_does_not_know(_what: str, key: str) -> None:
        if key.endswith("/plan.json"):
            bench.store.after = None
            raise OutcomeUnknown("the connection was cut")

    bench.store.after = says_that_it_does_not_know
    with pytest.raises(OutcomeUnknown):
        bench.drop("inbox/q.jsonl", request_line("a"))

    said = bench.deliver("inbox/q.jsonl")

    assert said == "resumed"
    assert bench.store.get(bench.plan().shards[0].requests_key) == request_line("a")
    assert len(bench.keys("ready/")) == 1


def test_a_deleted_result_is_written_again_when_the_file_is_dropped_again() -> None:
    bench = Bench()
    bench.drop("inbox/q.jsonl", request_line("a"))
    plan = bench.plan()
    bench.store.put(f"jobs/{plan.job_id}/ledger.json", _ledger(plan))
    settled = SettledShard(
        shard=1, attempt=1, part_key="work/part", rows=1, by_status={}, tokens=Tokens(), batches=()
    )
    bench.store.put(settled_key(JobId(plan.job_id), 1), settled.to_bytes())
    bench.store.put("work/part", b"x")

    said = bench.drop("inbox/q.jsonl", request_line("a"))

    assert said == "result_again"
    assert bench.keys("finished/") == [f"finished/{plan.job_id}/1-00001"]
    assert BucketRecords(bench.store).find_ledger(JobId(plan.job_id)) is not None


def test_limits_of_the_provider_are_the_documented_ones() -> None:
    assert (BAILIAN_LIMITS.max_requests, BAILIAN_LIMITS.max_bytes) == (50_000, 500_000_000)
    assert (BAILIAN_LIMITS.min_window, BAILIAN_LIMITS.max_window) == (
        timedelta(hours=24),
        timedelta(hours=336),
    )
    assert BAILIAN.limits_for("batch-test-model").max_requests == 100


def test_an_upload_that_the_timer_found_is_validated_under_its_own_identity() -> None:
    bench = Bench()
    bench.store.put("inbox/two.csv", b"1,hello\n")
    upload = UploadedObject("drop", "inbox/two.csv", "")
    AskAgain(bench.store, bench.clock, timedelta(minutes=10))(upload)
    (ticket,) = bench.keys("again/")

    said = bench.deliver(ticket)
    again = bench.deliver(ticket)

    assert (said, again) == ("planned", "gone")
    assert bench.keys("again/") == []
    assert bench.deliver("inbox/two.csv") == "resumed"


def test_an_upload_is_asked_for_again_only_when_its_ticket_is_old() -> None:
    bench = Bench()
    put: list[str] = []
    bench.store.on_put = put.append
    ask = AskAgain(bench.store, bench.clock, timedelta(minutes=10))
    upload = UploadedObject("drop", "inbox/two.csv", "E")

    said = [ask(upload)]
    bench.clock.advance(timedelta(minutes=9))
    said.append(ask(upload))
    bench.clock.advance(timedelta(minutes=1))
    said.append(ask(upload))

    assert said == ["asked", "waiting", "asked"]
    assert len(put) == 2


def test_a_ticket_can_name_nothing_but_a_file_in_the_inbox() -> None:
    bench = Bench()
    for key in ("jobs/x/plan.json", "again/loop"):
        ticket = AgainTicket(bucket="drop", key=key, etag="")
        bench.store.put("again/loop", ticket.to_bytes())

        assert bench.deliver("again/loop") == "gone"
        assert bench.keys("rejected/") == []


def _submission(bench: Bench) -> bytes:
    now = bench.clock.now().isoformat()
    return json.dumps({"batch_id": "b", "batch_name": "n", "submitted_at": now, "deadline_at": now}).encode()


def _ledger(plan: Plan) -> bytes:
    fields = plan.model_dump(mode="json", exclude={"attempts"})  # which a ledger has, too
    closing = {
        "rows_in": 1, "rows_out": 1, "by_status": {"answered": 1}, "adds_up": True, "tokens": {}, "batches": ["b"],
        "shards": 1, "dropped_at": fields["created_at"], "planned_at": fields["created_at"],
        "closed_at": fields["created_at"], "duration_s": 1.0,
    }  # fmt: skip
    return json.dumps({**fields, **closing}).encode()


OUTPUTS = (
    RECIPE
    + b"""columns: {properties: {mood: {type: string}}}
output: {format: jsonl}
"""
)


def test_a_plan_says_how_the_result_is_written_and_what_becomes_of_the_answers() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", OUTPUTS)

    bench.drop("inbox/a/names.csv", b"name\nAda\n")

    plan = bench.plan()
    request = json.loads(bench.store.get(plan.shards[0].requests_key))
    assert (plan.output_format, plan.formula_guard, plan.result_key) == (
        "jsonl",
        True,
        "results/a/names.jsonl",
    )
    assert plan.result_columns == TABLE_COLUMNS
    assert plan.answer_columns == {"properties": {"mood": {"type": "string"}}}
    assert request["body"]["response_format"]["json_schema"]["schema"] == plan.answer_columns
    assert ["prompt_without_json" in warning for warning in plan.warnings] == [True]


def test_request_lines_bring_their_own_prompts_and_get_no_columns() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", OUTPUTS)

    bench.drop("inbox/a/q.jsonl", request_line("1"))

    plan = bench.plan()
    assert (plan.output_format, plan.answer_columns, plan.warnings) == ("jsonl", {}, ())
    assert plan.result_columns == REQUEST_COLUMNS


@pytest.mark.parametrize(
    ("asked", "columns", "renamed"),
    [
        ("classify: {column: text, labels: [good, bad]}", "text", []),
        ("classify: {column: text, labels: [good, bad]}", "text,label", [("label", "result_label")]),
        (
            "extract: {column: text, fields: {city: a town, model: its model, day: }}",
            "city,text",
            [("city", "result_city"), ("model", "result_model")],
        ),
        ("prompt: '{{ text }} as JSON'\ncolumns: {b: b, text: a}", "text", [("text", "result_text")]),
        (
            "prompt: '{{ text }} as JSON'\ncolumns: {text: a}",
            "text,result_text",
            [("text", "result_result_text")],
        ),
        ("prompt: '{{ text }}'", "text,content", []),
    ],
)
def test_a_column_of_the_answers_whose_name_is_taken_is_told(
    asked: str, columns: str, renamed: list[tuple[str, str]]
) -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", f"model: qwen-flash\n{asked}\n".encode())

    assert bench.drop("inbox/a.csv", f"{columns}\n{','.join('xyz'[: columns.count(',') + 1])}\n".encode())

    told = [each for each in bench.plan().warnings if "answer_column_renamed" in each]
    assert len(told) == len(renamed)
    for warning, (name, given) in zip(told, renamed, strict=True):
        assert f"“{name}”列改名为“{given}”" in warning


def test_files_of_one_stem_share_no_name_whatever_the_format_of_their_results() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.drop("inbox/a.csv", b"name\nAda\n")
    first = bench.plan().result_key
    bench.store.put("inbox/batch.yaml", OUTPUTS)

    for name, content in (("a.jsonl", request_line("1")), ("a.csv", b"name\nBo\n")):
        bench.drop(f"inbox/{name}", content)

    plans = [json.loads(bench.store.get(key)) for key in bench.keys("jobs/") if key.endswith("/plan.json")]
    keys = {plan["result_key"] for plan in plans}
    assert first == "results/a.csv"
    assert keys == {"results/a.csv", "results/a.jsonl.jsonl", "results/a.jsonl"}


@pytest.mark.parametrize(
    "name", ["Batch.yaml", "batch.yaml.txt", "batch - 副本.yaml", "BATCH.YML", "batch (1).yml"]
)
@pytest.mark.parametrize("table", [b"1,good\n2,bad\n", b"id,text,more\n1,good,x\n"])
def test_a_table_beside_a_misnamed_recipe_waits_for_its_name(name: str, table: bytes) -> None:
    bench = Bench()

    assert bench.drop(f"inbox/a/{name}", RECIPE) == "rejected"
    assert f"“{name}”像是配方" in bench.report(f"a/{name}")
    assert bench.drop("inbox/a/b/names.csv", table) == "rejected"
    assert f'Beside it is "{name}"' in bench.report("a/b/names.csv")

    bench.store.delete(f"inbox/a/{name}")
    bench.store.put("inbox/a/batch.yaml", b"model: qwen-flash\nprompt: '{% if row %}x{% endif %}'\n")
    assert bench.deliver("inbox/a/b/names.csv") == "planned"


@pytest.mark.parametrize(
    "name",
    ["recipe.yaml", "reviews.yml", "配方.yaml", "config.YAML", "batches.yaml", "batch.yaml.gz", "bath.yaml"],
)
def test_a_table_without_a_recipe_waits_beside_any_yaml(name: str) -> None:
    bench = Bench()

    assert bench.drop(f"inbox/a/{name}", RECIPE) == "rejected"
    assert f"“{name}”像是配方" in bench.report(f"a/{name}")
    assert bench.drop("inbox/a/names.csv", b"1,good\n2,bad\n") == "rejected"
    assert f'Beside it is "{name}"' in bench.report("a/names.csv")

    bench.store.put("inbox/a/batch.yaml", b"model: qwen-flash\nprompt: '{% if row %}x{% endif %}'\n")
    assert bench.deliver("inbox/a/names.csv") == "planned"


def test_a_table_runs_without_a_recipe_once_what_looks_like_one_is_gone() -> None:
    bench = Bench()
    bench.store.put("inbox/Batch.yaml", RECIPE)
    assert bench.drop("inbox/a.csv", b"1,good\n") == "rejected"

    bench.store.delete("inbox/Batch.yaml")

    assert bench.deliver("inbox/a.csv") == "planned"


def test_a_misnamed_recipe_nearer_than_the_recipe_is_not_passed_over() -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.store.put("inbox/a/Batch.yaml", RECIPE)

    assert bench.drop("inbox/a/names.csv", b"name\nAda\n") == "rejected"


@pytest.mark.parametrize(
    "other",
    [
        "inbox/batch (1).yaml",
        "inbox/a/b/Batch.yaml",
        "inbox/Batch.csv",
        "inbox/bill.yaml",
        "inbox/a/batch1.txt",
        "inbox/a/Batch 2",
        "inbox/a/batch.txt",
        "inbox/a/Bath.yaml",
    ],
)
def test_a_recipe_is_used_whatever_else_lies_there(other: str) -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    bench.store.put(other, b"x")

    assert bench.drop("inbox/a/names.csv", b"name\nAda\n") == "planned"


@pytest.mark.parametrize("other", ["batch1.txt", "batch_1.txt", "Batch 2", "below/recipe.yaml", ".b.yaml"])
def test_a_table_without_a_recipe_runs_beside_what_is_none(other: str) -> None:
    bench = Bench()
    bench.store.put(f"inbox/{other}", b"x")

    assert bench.drop("inbox/a.csv", b"1,good\n") == "planned"


def test_request_lines_do_not_wait_for_a_recipe() -> None:
    bench = Bench()
    bench.store.put("inbox/Batch.yaml", RECIPE)

    assert bench.drop("inbox/a.jsonl", request_line("a")) == "planned"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("batch.yaml", b"model: a\n"),
        ("Batch.yaml", RECIPE),
        ("a.csv", b"x,y,z\n1,2,3\n"),
    ],
)
def test_every_report_says_that_the_table_must_be_dropped_again(name: str, content: bytes) -> None:
    bench = Bench()

    assert bench.drop(f"inbox/{name}", content) == "rejected"

    assert "再把表格重新上传一次" in bench.report(name)
    assert "then the table again" in bench.report(name)


@pytest.mark.parametrize("name", ["names.csv.gz", "names.jsonl.gz"])
def test_bytes_behind_the_end_of_gzip_are_a_warning_of_the_job(name: str) -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE)
    content = b"name,age\nAda,1\n" if ".csv" in name else request_line("a")

    said = bench.drop(f"inbox/{name}", gzip.compress(content) + b"behind")

    assert said == "planned"
    (warning,) = bench.plan().warnings
    assert "[bytes_behind_gzip]" in warning
    assert "6 bytes" in warning


@pytest.mark.parametrize(
    ("content", "kept"),
    [
        (b"name,age\nAda,1\nBo,2,lost,found\n", ["Bo", "2", "lost", "found"]),
        (b"name;age\nAda;1\nBo;2;a,b;c\n", ["Bo", "2", "a,b", "c"]),
        (b'name,age\nAda,1\n"Bo",2,"x ""y"""\n', ["Bo", "2", 'x "y"']),
        (b"name,age\nAda,1,\nBo,2,x\nCy,3,\n", ["Bo", "2", "x"]),
        (b"name\tage\nAda\t1\nBo\t2\t\xe5\xa5\xbd\n", ["Bo", "2", "好"]),
        (b"name|age\nAda|1\nBo|2||x\n", ["Bo", "2", "", "x"]),
    ],
)
def test_a_skipped_row_with_more_cells_keeps_them_all(content: bytes, kept: list[str]) -> None:
    bench = Bench()
    bench.store.put("inbox/batch.yaml", RECIPE + b"on_bad_rows: skip\n")

    bench.drop("inbox/names.csv", content)

    (shard,) = bench.plan().shards
    rows = [json.loads(line) for line in bench.store.get(shard.rows_key).split(b"\n") if line]
    assert rows[1][1:3] == [kept, "ragged_row"]
