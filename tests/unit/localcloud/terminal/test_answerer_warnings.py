from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scripts.localcloud.terminal.answerer_warnings import answerer_warnings
from scripts.localcloud.terminal.command import main
from scripts.localcloud.terminal.command_line import parse_options


def test_a_change_of_who_answers_is_told_once_and_then_remembered(tmp_path: Path) -> None:
    free = parse_options(["--data", str(tmp_path)], {})
    paid = replace(free, real="bailian")

    first, changed, again = (list(answerer_warnings(options)) for options in (free, paid, paid))

    assert "编造" in first[0]
    assert "made up from each row's text" in first[0]
    assert (len(first), again) == (1, [])
    assert "test answers" in changed[0]
    assert paid.base_url in changed[0]


@pytest.mark.parametrize(
    ("first", "then", "missing"),
    [("bailian,ark", "bailian", "ark"), ("bailian", "ark", "bailian"), ("ark", "bailian,ark", "")],
)
def test_a_provider_that_is_not_started_any_more_is_told_once(
    tmp_path: Path, first: str, then: str, missing: str
) -> None:
    options = [
        parse_options(["--data", str(tmp_path), "--providers", names], {}) for names in (first, then, then)
    ]

    heard = ["".join(answerer_warnings(each)) for each in options]

    told = [f"start with --providers {first}" in each for each in heard]
    assert told == [False, bool(missing), False]
    assert f"This folder used {missing}," in heard[1] or not missing


def test_a_server_that_is_not_there_yet_is_told(tmp_path: Path) -> None:
    options = parse_options(["--data", str(tmp_path), "--upstream", "http://127.0.0.1:1/v1"], {})

    (warning,) = answerer_warnings(options)

    assert "http://127.0.0.1:1/v1" in warning


def test_a_bad_bucket_name_is_told_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"--bucket 'BAD_Name' is refused.*3 to 63 lower-case letters"):
        main(["--data", str(tmp_path), "--bucket", "BAD_Name"], {})
