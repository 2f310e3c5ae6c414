"""``scripts/batchdrop preview``: a table's first rows, answered at once by the local Bailian."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.localcloud.answers.built_in_texts import answer_for
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.operate.__main__ import main
from scripts.operate.access import open_provider_to_ask
from scripts.operate.recipes.preview_table import preview_table
from tests.support.bailian_wire import KEY
from tests.support.workbooks import sheet_of

TABLE = "编号,评论\n" + "".join(f"A{number},评论 {number}\n" for number in range(9))
RECIPE = "model: qwen-flash\nprompt: 好评还是差评？{{ 评论 }}\n"
ARK = "provider: ark\nmodel: doubao-seed-1-6-250615\nprompt: '{{ 评论 }}'\n"


@pytest.fixture(scope="module")
def env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of functions, whose bucket is not asked."""
    with LocalBailian(tmp_path_factory.mktemp("bailian"), KEY) as bailian:
        yield {
            "BUCKET_NAME": "bucket",
            "OSS_ENDPOINT": "http://127.0.0.1:1",
            "OSS_REGION": "cn-beijing",
            "ALIBABA_CLOUD_ACCESS_KEY_ID": "id",
            "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "secret",
            "DASHSCOPE_BASE_URL": bailian.base_url,
            "DASHSCOPE_API_KEY": KEY,
        }


@pytest.fixture
def table(tmp_path: Path) -> Path:
    (tmp_path / "batch.yaml").write_text(RECIPE, encoding="utf-8")
    path = tmp_path / "reviews.csv"
    path.write_text(TABLE, encoding="utf-8")
    return path


def test_the_first_rows_are_answered_as_a_job_would(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["preview", str(table), "--rows", "2"], env)

    said = capsys.readouterr().out
    answers = [answer_for(f"好评还是差评？评论 {number}") for number in range(2)]
    assert status == 0
    places = [said.find(part) for part in ("[rows_answered_now]", "── A0 | 评论 0", "── A1 | 评论 1")]
    assert -1 < places[0] < places[1] < places[2]
    assert all(answer in said for answer in answers)
    assert "── A2" not in said


@pytest.mark.parametrize("output", ["xlsx", "parquet"])
def test_cells_that_keep_their_types_are_shown_as_texts(
    env: dict[str, str], table: Path, output: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (table.parent / "batch.yaml").write_text(f"{RECIPE}output: {{format: {output}}}\n", encoding="utf-8")
    typed = {"评论": ["好"], "日期": [date(2026, 1, 2)], "价格": [2.5], "空": [None]}
    if output == "xlsx":
        path = table.with_suffix(".xlsx")
        path.write_bytes(sheet_of([*typed], *zip(*typed.values(), strict=True)))
    else:
        path = table.with_suffix(".parquet")
        pq.write_table(pa.table(typed), path)

    assert main(["preview", str(path)], env) == 0
    assert "── 好 | 2026-01-02 | 2.5 | \n" in capsys.readouterr().out
    assert main(["preview", str(path), "--json"], env) == 0
    [row] = json.loads(capsys.readouterr().out)["rows"]
    assert row["cells"] == ["好", "2026-01-02", "2.5", ""]


def test_programs_read_answers_columns_and_errors(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = 'model: qwen-flash\nprompt: "[[say]]{{ 评论 }}"\ncolumns: {label: label, why: why}\n'
    (table.parent / "batch.yaml").write_text(recipe, encoding="utf-8")
    rows = ['{""label"": ""好评"", ""why"": null}', "no JSON", "[[fail:DataInspectionFailed]]"]
    table.write_text(
        "编号,评论\n" + "".join(f'A{n},"{row}"\n' for n, row in enumerate(rows)), encoding="utf-8"
    )

    status = main(["preview", str(table), "--json"], env)

    told = json.loads(capsys.readouterr().out)
    read, plain, refused = told["rows"]
    assert (status, told["exit_code"]) == (3, 3)
    assert read == {
        "custom_id": read["custom_id"],
        "cells": ["A0", '{"label": "好评", "why": null}'],
        "answer": '{"label": "好评", "why": null}',
        "columns": {"label": "好评", "why": ""},
        "error": "",
    }
    assert "[answer_not_json]" in plain["error"]
    assert (refused["answer"], "DataInspectionFailed" in refused["error"]) == ("", True)


def test_what_stands_in_the_way_is_said(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ark = {"ARK_ACCESS_KEY_ID": "AKLT", "ARK_SECRET_ACCESS_KEY": "s", "TOS_BUCKET": "acme-batch"}
    recipe = table.parent / "batch.yaml"

    def refused(settings: dict[str, str], text: str = RECIPE, name: str = "reviews.csv") -> str:
        recipe.write_text(text, encoding="utf-8")
        assert main(["preview", str(table.parent / name)], settings) == 1
        return capsys.readouterr().err

    without_key = {name: value for name, value in env.items() if name != "DASHSCOPE_API_KEY"}
    assert "[no_preview_key]" in refused(without_key)
    assert "[api_key_refused]" in refused({**env, "DASHSCOPE_API_KEY": "sk-wrong"})
    assert "[provider_without_preview]" in refused({**env, **ark}, ARK)
    assert "[would_be_refused]" in refused(env, "model: qwen-flash\nprompt: '{{ 没有 }}'\n")
    assert "[no_preview_of_recipe]" in refused(env, name="batch.yaml")
    assert main(["preview", str(table), "--rows", "6"], env) == 2


def test_where_no_model_answers_no_price_is_named(env: dict[str, str], table: Path) -> None:
    told: list[str] = []

    preview_table(table, 1, partial(open_provider_to_ask, env, None), told.append, is_made_up=True)

    assert "[rows_made_up_now]" in told[0]
    assert not any("price" in line for line in told)
