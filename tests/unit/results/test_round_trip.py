from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.records.plan import Plan, Source
from shared.inputs.tables.table_shapes import is_blank
from shared.pipeline.validate.plan_job import PlanJob, Planned
from shared.pipeline.validate.watch import Watch
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.recipe import Recipe
from tests.support.builders import JOB
from tests.support.fake_provider import ScriptedProvider
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import Functions

CODECS = ["utf-8", "utf-8-sig", "gb18030", "utf-16"]
CHARACTERS = st.one_of(
    st.sampled_from("\",;\t\n\r |'{}%你好，。\u2028\u2029\u0085\x0b\x0c\x1c\x7f\ufeff😀\0"),
    # Not Cc: a small table of control characters is taken for a binary file.
    st.characters(exclude_categories=["Cs", "Cc"]),
)
# A cell that a spreadsheet would run is made safe in the result; another test is about that.
CELLS = st.text(CHARACTERS, max_size=10).map(
    lambda cell: f"格{cell}" if cell[:1] in set("=+-@＝＋－＠' \t\r\n") else cell
)


def planned(store: MemoryStore, clock: FixedClock, content: bytes, recipe: Recipe) -> object:
    store.put("inbox/a.csv", content)
    head = store.head("inbox/a.csv")
    assert head is not None
    source = Source(bucket="b", key=head.key, etag=head.etag, size_bytes=len(content), dropped_at=clock.now())
    planner = PlanJob(store, clock, BAILIAN, "qwen-plus", "run", Watch(clock, bool))
    said = planner(source, JobId(JOB), recipe)
    return said.plan if isinstance(said, Planned) else said


def result_of(store: MemoryStore, clock: FixedClock, plan: Plan) -> list[list[str]]:
    attempt = Attempt(JobId(JOB), 1, 1)
    provider = ScriptedProvider(clock)
    functions = Functions(store, provider, clock)
    records = BucketRecords(store)
    records.put_ready(attempt)
    functions.submit(attempt)
    provider.answer_all(provider.last.batch_id)
    records.put_finished(attempt, "test")
    functions.collect(attempt, "run")
    text = store.get(plan.result_key).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text, newline="")))


@settings(max_examples=100)
@given(
    rows=st.lists(st.lists(CELLS, min_size=2, max_size=2), min_size=1, max_size=6),
    codec=st.sampled_from(CODECS),
    line_end=st.sampled_from(["\n", "\r\n"]),
)
def test_every_cell_of_a_dropped_table_is_in_the_result(
    rows: list[list[str]], codec: str, line_end: str
) -> None:
    table = [["甲", "内容"], *rows, ["最后", "行"]]
    text = "".join(",".join('"' + cell.replace('"', '""') + '"' for cell in row) + line_end for row in table)
    clock = FixedClock()
    store = MemoryStore(clock)
    recipe = Recipe(model="qwen-plus", prompt="{{ 内容 }}", on_bad_rows="skip", on_empty="send")

    plan = planned(store, clock, text.encode(codec), recipe)
    assert isinstance(plan, Plan)
    header, *results = result_of(store, clock, plan)

    assert header[:2] == table[0]
    assert [row[:2] for row in results] == [row for row in table[1:] if not is_blank(row)]


@pytest.mark.parametrize("codec", CODECS)
def test_a_row_with_a_nul_is_skipped_and_keeps_it(codec: str) -> None:
    clock = FixedClock()
    store = MemoryStore(clock)
    recipe = Recipe(model="qwen-plus", prompt="{{ a }}", on_bad_rows="skip", on_empty="send")

    plan = planned(store, clock, "a,b\nx\0y,你\nfine,1\n".encode(codec), recipe)
    assert isinstance(plan, Plan)

    assert (plan.rows, plan.bad_rows) == (2, 1)
    rows = store.get(plan.shards[0].rows_key).split(b"\n")
    assert json.loads(rows[0])[1] == ["x\0y", "你"]
