from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.bucket.attempt import JobId
from shared.pipeline.validate.write_shards import ShardWriter
from shared.providers.bailian.profile import BAILIAN
from tests.support.builders import request_line
from tests.support.fakes import MemoryStore
from tests.support.reading import read_jsonl


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
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
