"""Rows that are asked again over HTTP, with test answers that do not fit or are cut off."""

from __future__ import annotations

from tests.e2e.conftest import RunningCloud


def test_rows_are_asked_again_until_their_answer_fits(cloud: RunningCloud) -> None:
    recipe = (
        "classify: {column: text, labels: [good, bad]}\nparameters: {max_tokens: 3}\nuntil_fits: {times: 2}\n"
    )
    cloud.drop("fitting/batch.yaml", f"model: qwen-flash\n{recipe}".encode())
    cloud.drop("fitting/reviews.csv", b"text\nplain\n[[misfit]]\n[[say]]no\n")

    rows = cloud.wait_for_rows("results/fitting/reviews.csv")

    told = [(row["attempt"], row["attempts"], row["error_code"], row["finish_reason"]) for row in rows]
    assert told == [
        ("2", "2", "", "stop"),
        ("2", "2", "", "stop"),
        ("1", "3", "answer_not_json", "stop"),
    ]
