"""A sample over HTTP: asked in real time by ``validate``, under its own role, before the batch."""

from __future__ import annotations

import json

import pytest

from tests.e2e.conftest import RunningCloud

BAILIAN = "model: qwen-flash\nparameters: {max_tokens: 50}\n"
# Its thinking is bounded by another limit.
ARK = "provider: ark\nmodel: doubao-seed-1-6@250615\nparameters: {max_completion_tokens: 50}\n"
RECIPE = """
prompt: '{{ text }}'
price: {at_most: 1 CNY, sample: 6, expect: text}
output: {format: csv}
"""


@pytest.mark.parametrize(("name", "chosen"), [("bailian", BAILIAN), ("ark", ARK)], ids=["bailian", "ark"])
def test_a_sample_is_asked_before_the_batch_and_both_stand_in_the_result(
    cloud: RunningCloud, name: str, chosen: str
) -> None:
    folder = f"sampled/{name}"
    cloud.drop(f"{folder}/batch.yaml", f"{chosen}{RECIPE}".encode())
    table = "text\n" + "".join(f"review {number}\n" for number in range(20))
    cloud.drop(f"{folder}/reviews.csv", table.encode())

    rows = cloud.wait_for_rows(f"results/{folder}/reviews.csv")

    assert [row["status"] for row in rows] == ["answered"] * 20
    report = json.loads(cloud.wait_for(f"results/{folder}/reviews.report.json"))
    sample, batch = report["attempts"]
    assert (sample["in_real_time"], batch["in_real_time"]) == (True, False)
    assert sample["cost"] == sample["real_time"]
    quote = json.loads(cloud.wait_for(f"quotes/{folder}/reviews.csv.quote.json"))["sample"]
    assert (quote["asked"], quote["answered"], quote["compared"], quote["why"]) == (6, 6, 6, "")
    assert quote["cost"] == sample["cost"]
