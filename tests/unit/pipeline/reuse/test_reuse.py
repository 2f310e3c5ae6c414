"""A row that an earlier job of its folder was answered has that answer, and is not sent."""

from __future__ import annotations

import csv
import gc
import io
import json
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from shared.bucket.attempt import JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import REUSE, Stage
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from shared.pipeline.reuse.known_answers import FindAnswers
from shared.ports.profile import ShardLimits
from shared.ports.provider import BatchStatus
from shared.problems.exceptions import TransientError
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import request_line
from tests.support.fake_provider import result_line
from tests.support.functions import BUCKET_NAME, LATE
from tests.support.pipeline import Harness
from tests.support.roles import DELETES
from tests.support.said import Said, refused, told

RECIPE = "model: qwen-plus\nprompt: '{{ text }}'\nreuse: 30d\n"


class Folder(Harness):
    """A folder in which files are dropped one after the other."""

    def __init__(self, recipe: str = RECIPE, max_requests: int = 50_000) -> None:
        super().__init__()

        def limits_for(model: str) -> ShardLimits:
            return replace(BAILIAN.limits_for(model), max_requests=max_requests)

        self.functions.profile = replace(BAILIAN, limits_for=limits_for)
        self.store.put("inbox/batch.yaml", recipe.encode())

    def drop(self, texts: str, name: str = "t.csv", recipe: str | None = None) -> Plan:
        """A row for each letter; the plan of its job."""
        if recipe is not None:
            self.store.put("inbox/batch.yaml", recipe.encode())
        rows = "".join(f"{number},{text}\n" for number, text in enumerate(texts, 1))
        return self.drop_file(name, f"id,text\n{rows}".encode())

    def drop_file(self, name: str, content: bytes) -> Plan:
        self.clock.advance(timedelta(minutes=1))
        before = set(self._plans())
        self.store.put(f"inbox/{name}", content)
        said = self.functions.validate(UploadedObject(BUCKET_NAME, f"inbox/{name}", ""), self.run_id())
        assert said == "planned", [self.store.get(key) for key in self.store.keys("rejected/")]
        (key,) = set(self._plans()) - before
        plan = BucketRecords(self.store).find_plan(JobId(key.split("/")[1]))
        assert plan is not None
        return plan

    def run(self, texts: str, said: Said | None = None, **how: Any) -> Plan:
        """Drop them and let every batch end; of what nothing is said, the answer is the text."""
        plan = self.drop(texts, **how)
        self.answer(said or {})
        return plan

    def answer(self, said: Said) -> None:
        def of(line: dict[str, Any]) -> dict[str, Any] | None:
            text = _text(line)
            return said.get(text, told(f"on {text}"))(line["custom_id"])

        while self.tickets():
            self.deliver()
            for batch in self.provider.unfinished():
                self.provider.answer_all(batch, BatchStatus.COMPLETED, of)
            for running in self.attempts(Stage.RUNNING):
                self.records.put_finished(running, "test")
            self.clock.advance(LATE)

    def asked(self) -> str:
        return "".join(_text(line) for each in self.provider.submissions for line in each.lines)

    def rows(self, plan: Plan) -> list[dict[str, str]]:
        text = self.store.get(plan.result_key).decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))

    def contents(self, plan: Plan) -> list[str]:
        return [row["content"] for row in self.rows(plan)]

    def ledger(self, plan: Plan) -> Ledger:
        ledger = BucketRecords(self.store).find_ledger(JobId(plan.job_id))
        assert ledger is not None
        return ledger

    def erase(self, plan: Plan) -> None:
        assert self.functions.erase(plan)

    def _plans(self) -> list[str]:
        # What forbids the retry of an erased job is empty.
        plans = [key for key in self.store.keys("jobs/") if key.endswith("/plan.json")]
        return [key for key in plans if self.store.objects[key]]


def _text(line: dict[str, Any]) -> str:
    body = line["body"]
    return str(body["messages"][-1]["content"] if "messages" in body else body["input"])


def test_a_file_that_grew_sends_its_new_rows_only() -> None:
    folder = Folder()
    folder.run("xyx")

    plan = folder.run("zxyxwx")

    assert folder.asked() == "xyzw"
    assert folder.contents(plan) == ["on z", "on x", "on y", "on x", "on w", "on x"]
    ledger = folder.ledger(plan)
    counts = (ledger.rows_in, ledger.rows_sent, ledger.rows_same, ledger.rows_reused, ledger.rows_not_sent)
    assert counts == (6, 2, 0, 4, 0)
    assert (ledger.adds_up, ledger.by_status) == (True, {"answered": 6})
    assert any("4 row(s) ask what an earlier job" in each for each in ledger.warnings)


def test_the_quote_is_for_the_new_rows_and_says_what_is_not_sent() -> None:
    folder = Folder()
    folder.run("xy")

    plan = folder.drop("xyzz")

    text = folder.store.get("quotes/t.csv.quote.txt").decode()
    assert plan.quote is not None
    assert (plan.quote.requests, plan.quote.same, plan.quote.reused) == (1, 1, 2)
    assert "Sent: 1 row (1 more asks the same and is not sent; 2 were answered before" in text
    assert "另有 1 行提问相同，不重复发送；2 行以前问过" in text


def test_where_every_row_is_answered_nothing_is_sent_and_nothing_is_charged() -> None:
    folder = Folder(max_requests=2)
    folder.run("abc")

    plan = folder.run("cba")

    assert folder.asked() == "abc"
    assert folder.contents(plan) == ["on c", "on b", "on a"]
    assert [(each.requests, each.reused) for each in plan.shards] == [(0, 2), (0, 1)]
    ledger = folder.ledger(plan)
    assert (ledger.adds_up, ledger.rows_reused, ledger.tokens.total, ledger.batches) == (True, 3, 0, ())
    assert "none (nothing is sent)" in folder.store.get("quotes/t.csv.quote.txt").decode()


def test_a_job_that_only_has_earlier_answers_does_not_hand_them_on() -> None:
    folder = Folder()
    folder.run("x")
    folder.clock.advance(timedelta(days=20))
    folder.run("xx")
    folder.clock.advance(timedelta(days=20))

    folder.run("xxx")

    assert folder.asked() == "xx"


@pytest.mark.parametrize("kind", ["csv", "jsonl", "xlsx", "parquet"])
@pytest.mark.parametrize("lent_as", ["csv", "jsonl"])
def test_the_answer_is_the_same_in_whatever_format_it_was_given(lent_as: str, kind: str) -> None:
    folder = Folder()
    said = {"x": told('=1+1, "two"\nlines\''), "y": told("'=3"), "z": told("-5")}
    folder.run("xyz", said, recipe=f"{RECIPE}output: {{format: {lent_as}}}\n")

    plan = folder.run("zyx", recipe=f"{RECIPE}output: {{format: {kind}}}\n")

    assert folder.asked() == "xyz"
    shown = _contents_of(folder.store.get(plan.result_key), kind)
    guard = "'" if kind == "csv" else ""
    assert shown == ["-5", f"{guard}'=3", f'{guard}=1+1, "two"\nlines\'']


def _contents_of(content: bytes, kind: str) -> list[str]:
    if kind == "parquet":
        return [row["content"] for row in pq.read_table(io.BytesIO(content)).to_pylist()]
    if kind == "jsonl":
        return [json.loads(line)["content"] for line in content.split(b"\n") if line]
    if kind == "csv":
        return [
            row["content"] for row in csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""))
        ]
    names, *lines = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    return [str(dict(zip(names, line, strict=True))["content"]) for line in lines]


def test_only_answers_that_are_whole_and_fit_are_lent() -> None:
    recipe = f"{RECIPE}columns: {{said: said}}\n"
    folder = Folder(recipe)
    good = told('{"said": 1}')
    said = {
        "x": refused,
        "y": told('{"said": 1}', "length"),
        "z": told("no JSON"),
        "w": good,
        "v": told("{}"),
    }
    folder.run("xyzwv", said)

    folder.run("xyzwvu", dict.fromkeys("xyzvu", good))

    assert folder.asked() == "xyzwv" + "xyzvu"


def test_an_answer_that_fits_but_for_words_around_it_is_lent_with_what_is_said_of_that() -> None:
    folder = Folder(f"{RECIPE}columns: {{said: said}}\n")
    (given,) = folder.rows(folder.run("x", {"x": told('Here it is: {"said": 1}. Done.')}))

    plan = folder.run("xx")

    assert folder.asked() == "x"
    assert folder.rows(plan) == [given, {**given, "id": "2"}]
    assert (given["said"], given["error_code"]) == ("1", "answer_had_prose")
    assert given["error_message"]


def test_an_earlier_answer_came_at_no_try_of_this_job() -> None:
    folder = Folder(f"{RECIPE}columns: {{said: said}}\nuntil_fits: {{times: 1}}\n")
    good = told('{"said": 1}')
    folder.run("x", {"x": good})

    plan = folder.run("xy", {"y": good})

    assert [row["attempt"] for row in folder.rows(plan)] == ["", "1"]
    assert folder.ledger(plan).fitted == {"1": 1}


@pytest.mark.parametrize(
    ("recipe", "name"),
    [
        (RECIPE, "other/t.csv"),
        (RECIPE.replace("qwen-plus", "qwen-flash"), "t.csv"),
        (RECIPE.replace("{{ text }}", "Say {{ text }}"), "t.csv"),
        (f"{RECIPE}system: Be kind.\n", "t.csv"),
        (f"{RECIPE}parameters: {{temperature: 0}}\n", "t.csv"),
        (f"{RECIPE}columns: {{said: said}}\n", "t.csv"),
        (RECIPE.replace("reuse: 30d\n", ""), "t.csv"),
    ],
)
def test_what_is_another_question_is_sent(recipe: str, name: str) -> None:
    folder = Folder()
    folder.run("x")

    folder.run("xx", name=name, recipe=recipe)

    assert len(folder.provider.submissions) == 2


@pytest.mark.parametrize(("days", "is_sent"), [(29, False), (31, True)])
def test_an_answer_is_lent_for_as_long_as_the_recipe_says(days: int, is_sent: bool) -> None:
    folder = Folder()
    folder.run("x")
    folder.clock.advance(timedelta(days=days))

    folder.run("xx")

    assert folder.asked() == "x" + "x" * is_sent


def test_what_an_erased_job_lent_is_gone_and_nobody_has_it_any_more() -> None:
    folder = Folder()
    first = folder.run("xy")
    assert folder.store.keys(REUSE)

    folder.erase(first)
    folder.run("xyz", name="other.csv")

    assert folder.asked() == "xy" + "xyz"


def test_no_question_stands_in_what_is_lent() -> None:
    folder = Folder()
    folder.run("x", {"a secret": told("fine")}, name="t.csv")
    folder.drop_file("s.csv", b"id,text\n1,a secret\n")
    folder.answer({"a secret": told("fine")})

    lent = [folder.store.get(key) for key in folder.store.keys(REUSE)]

    assert len(lent) == 4
    assert not any(b"secret" in each for each in lent)


def test_rows_are_read_again_if_what_they_were_to_have_is_withdrawn_meanwhile() -> None:
    folder = Folder()
    first = folder.run("xy")
    folder.run("z", name="more.csv")

    def meanwhile(what: str, key: str) -> None:
        if what == "read" and key.startswith(REUSE):
            folder.store.before = None
            folder.erase(first)

    folder.store.before = meanwhile
    plan = folder.run("xyzx", name="other.csv")

    assert folder.asked() == "xyz" + "xy"
    assert folder.contents(plan) == ["on x", "on y", "on z", "on x"]
    assert (plan.shards[0].requests, plan.shards[0].same, plan.shards[0].reused) == (2, 1, 1)
    assert folder.ledger(plan).adds_up


def test_a_retry_keeps_the_earlier_answers_and_lends_what_it_was_answered() -> None:
    folder = Folder()
    folder.run("x")
    plan = folder.run("xyz", {"y": refused})

    said = folder.functions.retry(plan, folder.run_id())
    folder.answer({})
    folder.run("yx", name="after.csv")

    assert (said.said, said.rows) == ("started", 1)
    assert folder.asked() == "x" + "yz" + "y"
    assert folder.contents(plan) == ["on x", "on y", "on z"]
    assert folder.ledger(said.plan).adds_up


@pytest.mark.parametrize("sizes", [50_000, 2, 1])
def test_a_retry_makes_no_answer_younger(sizes: int) -> None:
    folder = Folder(max_requests=sizes)
    plan = folder.run("xyzw", {"y": refused})
    folder.clock.advance(timedelta(days=20))
    folder.functions.retry(plan, folder.run_id())
    folder.answer({})
    folder.clock.advance(timedelta(days=20))

    folder.run("xyzw", name="after.csv")

    assert folder.asked() == "xyzw" + "y" + "xzw"


def test_what_comes_late_lends_nothing_of_an_erased_job() -> None:
    folder = Folder()
    plan = folder.drop("xy")
    late: list[str] = []
    deleted: list[str] = []

    def meanwhile(what: str, key: str) -> None:
        if what == "delete":
            deleted.append(key)
        if what == "write" and key.startswith(REUSE) and not late:
            late.append(key)
            folder.answer({})
            folder.erase(plan)
            deleted.clear()

    folder.store.before = meanwhile
    folder.answer({})

    assert late
    assert folder.store.keys(REUSE) == []
    assert {key.partition("/")[0] + "/" for key in deleted} <= DELETES["collect"]


def test_rows_that_wait_for_a_second_attempt_stand_beside_earlier_answers() -> None:
    folder = Folder(max_requests=3)
    folder.run("x")
    plan = folder.drop("xyxzyx")
    folder.deliver()
    for batch in folder.provider.unfinished():
        folder.provider.answer_all(
            batch, BatchStatus.COMPLETED, lambda line: result_line(line["custom_id"], status=429)
        )

    folder.answer({})

    assert folder.contents(plan) == ["on x", "on y", "on x", "on z", "on y", "on x"]
    assert folder.ledger(plan).by_status == {"answered": 6}


def test_vectors_are_lent_as_they_are() -> None:
    recipe = "model: text-embedding-v4\nembed: {column: text}\nreuse: 7d\n"
    folder = Folder(recipe)

    def vector(custom_id: str) -> dict[str, Any]:
        said = result_line(custom_id)
        said["response"]["body"] = {"data": [{"embedding": [0.1, -2.5e-7], "index": 0}], "model": "m"}
        return said

    first = folder.contents(folder.run("x", {"x": vector}))
    plan = folder.run("xx")

    assert len(folder.provider.submissions) == 1
    assert folder.contents(plan) == first * 2


def test_request_lines_beside_such_a_recipe_are_all_sent() -> None:
    folder = Folder()
    folder.drop_file("a.jsonl", request_line("a", "x"))
    folder.answer({})
    folder.drop_file("b.jsonl", request_line("b", "x"))
    folder.answer({})

    assert folder.asked() == "xx"
    assert not folder.store.keys(REUSE)


def test_a_job_that_is_cancelled_still_has_its_earlier_answers() -> None:
    folder = Folder()
    folder.run("x")
    plan = folder.drop("xy")

    folder.functions.cancel(JobId(plan.job_id))
    folder.answer({})

    assert folder.contents(plan) == ["on x", ""]
    assert folder.ledger(plan).by_status == {"answered": 1, "cancelled": 1}


def test_the_newest_answers_are_looked_through_and_the_rest_is_told() -> None:
    folder = Folder()
    prefix = folder.run("ab").lends_to
    folder.run("cd", name="more.csv")
    find = FindAnswers(folder.store, folder.clock, max_answers=3)
    few = FindAnswers(folder.store, folder.clock, max_shards=1)

    known, of_one = (each(prefix, timedelta(days=30)) for each in (find, few))

    digests = [folder.store.get(key) for key in folder.store.keys(REUSE) if key.endswith("digests")]
    found = [len(known.find_all([each[:16], each[16:]])) for each in digests]
    assert sorted(found) == [0, 2]
    assert (known.left_out, of_one.left_out) == (2, 2)


@pytest.mark.filterwarnings("error::ResourceWarning")
def test_what_lay_on_the_disk_is_gone_if_the_bucket_fails_midway() -> None:
    folder, enough_for_a_file = Folder(), bytes(5000 * 16)
    for number in (1, 2):
        folder.store.put(f"lent/0000000000000000-0000{number}.digests", enough_for_a_file)
    reads = count(1)

    def fail(what: str, _key: str) -> None:
        if what == "get" and next(reads) == 2:
            raise TransientError("down")

    folder.store.before = fail

    with pytest.raises(TransientError):
        FindAnswers(folder.store, folder.clock)("lent/", timedelta(days=30))

    gc.collect()
