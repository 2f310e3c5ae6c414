from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.bucket.attempt import JobId
from shared.pipeline.sample.choose_rows import ChooseRows, SampledRow
from shared.pipeline.validate.shards.write_shards import ShardWriter
from shared.providers.bailian.profile import BAILIAN
from shared.results.kept_rows import OriginalRow
from tests.support.builders import request_line
from tests.support.fakes import MemoryStore
from tests.support.reading import in_chunks, opened, read_jsonl, recipe

ALL_SENT = "model: m\nprompt: 'Say {{ a }}'\non_empty: send\n"


@settings(max_examples=100)
@given(
    ids=st.lists(st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=3), max_size=30),
    damages=st.sets(st.integers(0, 30)),
    max_requests=st.integers(1, 5),
    max_bytes=st.integers(1, 600),
    chunk_bytes=st.integers(1, 700),
)
def test_sharding_never_loses_repeats_or_reorders(
    ids: list[str], damages: set[int], max_requests: int, max_bytes: int, chunk_bytes: int
) -> None:
    lines = [request_line(each) for each in ids]
    for number in damages:
        if number < len(lines):
            lines[number] = b'{"custom_id":1,"method":"POST"}\n'
    limits = replace(BAILIAN.limits_for("m"), max_requests=max_requests, max_bytes=max_bytes)
    rows, _ = read_jsonl(b"".join(lines), chunk_bytes=chunk_bytes)
    store = MemoryStore()

    with ShardWriter(store, JobId("0" * 16), "run") as writer:
        for row in rows:
            writer.add(row, limits)
        shards = writer.finish()

    written_rows = [line for shard in shards for line in store.get(shard.rows_key).split(b"\n")[:-1]]
    assert b"".join(store.get(shard.requests_key) for shard in shards) == b"".join(
        line for row, line in zip(rows, lines, strict=True) if row.request is not None
    )
    assert len(written_rows) == len(lines) == sum(shard.rows for shard in shards)
    assert [json.loads(line)[0] for line in written_rows] == [row.custom_id for row in rows]
    for shard in shards:
        content = store.get(shard.requests_key)
        assert shard.requests == content.count(b"\n") <= max_requests
        assert shard.size_bytes == len(content)
        assert len(content) <= max_bytes or shard.requests == 1


@pytest.mark.parametrize("max_requests", [40, 100, 50_000])
def test_a_sample_of_blocks_is_that_of_their_rows(max_requests: int) -> None:
    # The first 32 KiB, by which the format is guessed, are read row by row.
    texts = [*("long " * 700 for _ in range(30)), *("w" * (number * number % 70) for number in range(300))]
    texts = [f"{number % 150} {text}" for number, text in enumerate(texts)]
    content = "a,b\n" + "".join(f'"{text}",{number}\n' for number, text in enumerate(texts))
    limits = replace(BAILIAN.limits_for("m"), max_requests=max_requests)

    def chosen(*, are_blocks: bool) -> tuple[list[SampledRow], list[bytes]]:
        reader = opened("a.csv", lambda: in_chunks(content.encode(), 500), recipe(ALL_SENT))
        store, sample = MemoryStore(), ChooseRows(90)
        sample.expect_at = 1
        with ShardWriter(store, JobId("0" * 16), "run", asks_once=True, sample=sample) as writer:
            for item in reader.blocks() if are_blocks else reader.rows():
                writer.add(item, limits)
            shards = writer.finish()
        return sample.chosen(), [store.get(shard.requests_key) for shard in shards]

    (rows, requests), by_row = chosen(are_blocks=True), chosen(are_blocks=False)
    assert (rows, requests) == by_row
    for row in rows:
        assert requests[row.shard - 1].split(b"\n")[row.place] == row.request.encode()
        asked = json.loads(row.request)["body"]["messages"][0]["content"]
        assert asked == f"Say {texts[int(row.expected)]}"


@settings(max_examples=100)
@given(
    texts=st.lists(st.sampled_from(["x", "y", "z", "\u2028", "", "long " * 9]), min_size=1, max_size=40),
    max_requests=st.integers(1, 30),
    are_blocks=st.booleans(),
)
def test_of_rows_that_ask_the_same_the_first_is_sent_and_the_others_name_it(
    texts: list[str], max_requests: int, are_blocks: bool
) -> None:
    content = "a,b\n" + "".join(f'"{text}",{number}\n' for number, text in enumerate(texts))
    reader = opened("a.csv", lambda: iter([content.encode()]), recipe(ALL_SENT))
    limits = replace(BAILIAN.limits_for("m"), max_requests=max_requests)
    store = MemoryStore()

    with ShardWriter(store, JobId("0" * 16), "run", asks_once=True) as writer:
        for item in reader.blocks() if are_blocks else reader.rows():
            writer.add(item, limits)
        shards = writer.finish()

    left, sent_before, borrowers = iter(texts), [], Counter[tuple[int, int]]()
    for shard in shards:
        rows = [OriginalRow.from_line(line) for line in store.get(shard.rows_key).split(b"\n")[:-1]]
        asked = [json.loads(line) for line in store.get(shard.requests_key).split(b"\n")[:-1]]
        sent = [row for row in rows if row.is_sent]
        assert [row.custom_id for row in sent] == [each["custom_id"] for each in asked]
        sent_before.append(sent)
        borrowed = 0
        for row in rows:
            lender = row
            if isinstance(row.lender, int):
                lender = sent[row.lender]
                assert rows.index(lender) <= rows.index(row)
            elif row.lender is not None:
                number, place = row.lender
                assert number < shard.shard
                lender = sent_before[number - 1][place]
                borrowers[number, shard.shard] += 1
                borrowed += 1
            assert row.cells[0] == lender.cells[0] == next(left)
        assert (shard.rows, shard.requests, shard.same) == (len(rows), len(sent), len(rows) - len(sent))
        assert shard.borrowed == borrowed
        assert len(rows) <= max_requests
    assert next(left, None) is None
    asked = [row.cells[0] for sent in sent_before for row in sent]
    assert len({*asked}) == len(asked)
    lent = {
        (shard.shard, borrower)
        for shard in shards
        if shard.loans_key
        for borrower, places in map(json.loads, store.get(shard.loans_key).splitlines())
        if places == sorted({*places})
    }
    assert lent == {*borrowers}
