"""What the page is told of who answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.localcloud.options import CloudOptions

HERE = Path("data")
MY_SERVER = "http://me:a-password@127.0.0.1:8000/v1"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (CloudOptions(HERE), "test"),
        (CloudOptions(HERE, real="bailian"), ""),
        (CloudOptions(HERE, real="bailian", providers=("bailian", "ark", "tione")), "test:ark,tione"),
        (CloudOptions(HERE, upstream=MY_SERVER), "server:127.0.0.1:8000"),
        (CloudOptions(HERE, upstream=MY_SERVER, upstream_model="qwen3"), "server:qwen3 (127.0.0.1:8000)"),
    ],
    ids=["nobody", "Bailian", "Bailian alone", "a server", "a model of a server"],
)
def test_made_up_answers_are_not_taken_for_those_of_a_model(options: CloudOptions, told: str) -> None:
    assert options.template_parameters()["AnsweredBy"] == told
