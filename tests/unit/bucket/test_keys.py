from __future__ import annotations

import pytest

from shared.bucket.attempt import Attempt, JobId, job_id_for, parse_attempt, parse_batch_name
from shared.bucket.keys import Stage, ticket_in, ticket_key
from shared.bucket.result_names import (
    has_dot_segment,
    own_result_key_for,
    recipe_candidates,
    rejection_keys_for,
    report_key_for,
    result_key_for,
    superseded_result_key_for,
)

ATTEMPT = Attempt(JobId("0123456789abcdef"), 2, 7)


def test_a_ticket_key_can_be_read_back() -> None:
    key = ticket_key(Stage.RUNNING, ATTEMPT)

    assert key == "running/0123456789abcdef/2-00007"
    assert ticket_in(key) == (Stage.RUNNING, ATTEMPT)


@pytest.mark.parametrize(
    "text",
    ["", "notes.txt", "0123456789abcdef", "0123456789abcdef/1-1", "0123456789abcdef/0-00001", "../../jobs/1-00001",
     "0123456789ABCDEF/1-00001", "0123456789abcdef/1-00001/x", "0123456789abcdef/1-٠٠٠٠١"],
)  # fmt: skip
def test_what_is_no_ticket_is_nobodys(text: str) -> None:
    assert parse_attempt(text) is None
    assert ticket_in("ready/" + text) is None


@pytest.mark.parametrize("attempt", [ATTEMPT, Attempt(ATTEMPT.job_id, 1, 123456)])
def test_a_batch_name_can_be_read_back(attempt: Attempt) -> None:
    assert parse_batch_name(attempt.batch_name) == attempt


@pytest.mark.parametrize(
    "text",
    ["", "batchdrop-", "mine-0123456789abcdef-2-00007", "batchdrop-0123456789abcdef-2-00007.jsonl",
     "batchdrop-0123456789abcdef-2-7", "batchdrop-0123456789abcdef-2-000007", "batchdrop-0123456789abcdef-0-00007",
     "a batchdrop-0123456789abcdef-2-00007", "batchdrop-0123456789abcdef-2-00007\n"],
)  # fmt: skip
def test_what_is_no_batch_name_is_nobodys(text: str) -> None:
    assert parse_batch_name(text) is None


def test_a_job_is_its_bytes_its_name_and_its_recipe() -> None:
    same = [job_id_for("b", "inbox/a.csv", etag, "R") for etag in ("abc", '"ABC"')]
    others = [
        job_id_for("c", "inbox/a.csv", "ABC", "R"),
        job_id_for("b", "inbox/b.csv", "ABC", "R"),
        job_id_for("b", "inbox/a.csv", "ABD", "R"),
        job_id_for("b", "inbox/a.csv", "ABC", None),
    ]

    assert same[0] == same[1]
    assert len({same[0], *others}) == 5


def test_no_recipe_is_looked_for_under_a_name_that_no_object_can_have() -> None:
    folder = "inbox/" + "d" * 1010

    assert recipe_candidates(f"{folder}/x.csv") == ["inbox/batch.yaml", "inbox/batch.yml"]


@pytest.mark.parametrize(
    ("key", "has"),
    [
        ("inbox/a/../b", True),
        ("inbox/./b", True),
        ("inbox/..", True),
        ("inbox/...", False),
        ("inbox/a..b/.c", False),
    ],
)
def test_a_dot_segment_is_a_whole_part_of_the_path(key: str, has: bool) -> None:
    assert has_dot_segment(key) is has


def test_the_nearest_recipe_is_looked_for_first() -> None:
    assert recipe_candidates("inbox/a/b/c.csv") == [
        "inbox/a/b/batch.yaml", "inbox/a/b/batch.yml",
        "inbox/a/batch.yaml", "inbox/a/batch.yml",
        "inbox/batch.yaml", "inbox/batch.yml",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "result"),
    [
        ("inbox/a/b.csv", "results/a/b.csv"),
        ("inbox/b.jsonl", "results/b.csv"),
        ("inbox/客户 名单+1%.csv", "results/客户 名单+1%.csv"),
        ("inbox/v1.2/b", "results/v1.2/b.csv"),
        ("inbox/.csv", "results/.csv.csv"),
    ],
)
def test_a_result_lies_where_its_file_lay(source: str, result: str) -> None:
    assert result_key_for(source) == result


def test_a_result_in_another_format_keeps_its_report_and_its_suffix() -> None:
    plain = result_key_for("inbox/v1.2/b.csv", ".jsonl")

    assert plain == "results/v1.2/b.jsonl"
    assert own_result_key_for("inbox/v1.2/b.csv", ".jsonl") == "results/v1.2/b.csv.jsonl"
    assert report_key_for(plain) == "results/v1.2/b.report.json"
    assert superseded_result_key_for(plain, JobId("0123")) == "results/v1.2/b.0123.jsonl"


@pytest.mark.parametrize("length", [200, 240, 250, 255, 900, 1017])
@pytest.mark.parametrize("folder", ["", "文件夹/", "x/" * 380])
def test_every_name_that_we_make_fits_and_stays_distinct(length: int, folder: str) -> None:
    sources = [f"inbox/{folder}{'名' * ((length - 10) // 3)}{n}.csv" for n in range(2)]

    made = [
        [
            result_key_for(source),
            own_result_key_for(source),
            report_key_for(result_key_for(source)),
            *list(rejection_keys_for(source)),
        ]
        for source in sources
    ]

    for keys in made:
        assert all(len(key.encode()) <= 1023 for key in keys)
        assert all(len(part.encode()) <= 255 for key in keys for part in key.split("/"))
    assert not set(made[0]) & set(made[1])
