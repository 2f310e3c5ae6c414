"""``scripts/batchdrop preview``: a few rows of a table, answered at once by the local Bailian."""

from __future__ import annotations

import contextlib
import json
import re
import signal
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from scripts.localcloud.answers.built_in_texts import answer_for
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.local_bailian import LocalBailian
from scripts.operate.__main__ import main
from scripts.operate.access import open_provider_to_ask
from scripts.operate.recipes.preview_table import preview_table
from scripts.operate.recipes.preview_view import preview_lines
from scripts.terminal import width_of
from shared.ports.providers import Providers
from shared.ports.real_time import RealTime, Reply
from tests.support import upstream_server
from tests.support.ark import API_KEY, local_ark
from tests.support.bailian_wire import KEY
from tests.support.workbooks import sheet_of

TABLE = "编号,评论\n" + "".join(f"A{number},评论 {number}\n" for number in range(9))
RECIPE = "model: qwen-flash\nprompt: 好评还是差评？{{ 评论 }}\n"
ARK = "provider: ark\nmodel: doubao-seed-1-6-250615\nprompt: '{{ 评论 }}'\n"

ARK_SETTINGS = {"ARK_ACCESS_KEY_ID": "AKLT", "ARK_SECRET_ACCESS_KEY": "s", "TOS_BUCKET": "acme-batch"}
TIONE = "provider: tione\nmodel: Qwen3-8B\nprompt: '{{ 评论 }}'\n"
TIONE_SETTINGS = {
    "TENCENT_SECRET_ID": "AKID",
    "TENCENT_SECRET_KEY": "s",
    "TIONE_REGION": "ap-shanghai",
    "TIONE_IMAGE": "ccr.ccs.tencentyun.com/acme/vllm:1",
    "TIONE_RESOURCE": '{"InstanceType": "TI.GN10.2XLARGE40.POST"}',
    "COS_BUCKET": "acme-1250000000",
}


@pytest.fixture(scope="module")
def bailian(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalBailian]:
    with LocalBailian(tmp_path_factory.mktemp("bailian"), KEY) as local:
        yield local


@pytest.fixture(scope="module")
def env(bailian: LocalBailian) -> dict[str, str]:
    """The settings of functions, whose bucket is not asked."""
    return {
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


@pytest.mark.parametrize("rows", [2, 7, 100])
def test_rows_are_answered_as_a_job_would_in_a_table(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str], rows: int
) -> None:
    status = main(["preview", str(table), "--rows", str(rows)], env)

    said = capsys.readouterr().out
    shown = re.findall(r"^    (\d+) +A(\d) +评论 (\d) +(answer.*)$", said, re.MULTILINE)
    assert status == 0
    assert "[rows_answered_now]" in said.split("\n")[1]
    assert said.split("\n")[2].split() == ["编号", "评论", "答案", "answer"]
    assert [row[0] for row in shown] == [*map(str, range(1, min(rows, 9) + 1))]
    for _, name, number, answer in shown:
        assert name == number
        assert answer_for(f"好评还是差评？评论 {name}").startswith(answer)
    assert f"{min(rows, 9)} answered, for " in said
    assert "\nquote: less than" in said or "\nquote: about" in said


def test_they_are_those_that_a_sample_would_ask(env: dict[str, str], table: Path) -> None:
    """Of rows of very different lengths each length has its share."""
    lengths = [1, 1, 1, 1, 1, 1, 40, 40, 40, 900]
    lines = [f"A{number},{'好' * (length + number)}\n" for number, length in enumerate(lengths)]
    table.write_text("编号,评论\n" + "".join(lines), encoding="utf-8")

    shown = preview_table(table, 5, partial(open_provider_to_ask, env, None), lambda _: None)

    sizes = sorted(len(row.cells[1]) for row in shown.rows)
    assert len([size for size in sizes if size < 20]) == 3
    assert sizes[-1] >= 40
    assert (shown.sample.figures.asked, shown.sample.figures.answered) == (5, 5)


def test_the_quote_is_of_the_whole_file_whatever_was_previewed(env: dict[str, str], table: Path) -> None:
    """Nothing of a preview is kept, so a drop pays for each row, and by batch."""
    few, all_of_them = (
        preview_table(table, rows, partial(open_provider_to_ask, env, None), lambda _: None).sample.figures
        for rows in (3, 9)
    )

    assert few.cost is not None
    assert all_of_them.cost is not None
    assert all_of_them.cost.micros > 2 * few.cost.micros
    assert few.expected is not None
    assert all_of_them.expected is not None
    assert abs(few.expected.micros - all_of_them.expected.micros) <= 3
    assert all_of_them.expected.micros < all_of_them.cost.micros
    assert all_of_them.real_time is not None
    assert abs(all_of_them.real_time.micros - all_of_them.cost.micros) <= 3


def test_answers_are_compared_with_what_the_file_says_is_right(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = 'model: qwen-flash\nprompt: "[[say]]{{ 评论 }}"\nprice: {sample: 20, expect: 标签}\n'
    (table.parent / "batch.yaml").write_text(recipe, encoding="utf-8")
    table.write_text("评论,标签\n好评,好评 \n差评,好评\n中评,\n", encoding="utf-8")

    assert main(["preview", str(table)], env) == 0

    said = capsys.readouterr().out
    marks = [line.split()[-1] for line in said.split("\n") if re.match("    [123] ", line)]
    assert marks == ["✓", "✗", "中评"]
    assert 'Right in the sample: 1 of 2 (50%), compared with the column "标签"' in said
    main(["preview", str(table), "--json"], env)
    told = json.loads(capsys.readouterr().out)
    assert [row.get("is_right") for row in told["rows"]] == [True, False, None]
    assert (told["sample"]["compared"], told["sample"]["right"]) == (2, 1)
    assert told["quote"]["expected"]["micros"] > 0


@pytest.mark.parametrize("width", [40, 60, 200])
def test_a_table_is_no_wider_than_the_terminal_where_answers_have_room(
    env: dict[str, str], table: Path, width: int
) -> None:
    header = ",".join(f"列{number}" for number in range(12))
    table.write_text(f"评论,{header}\n好,{','.join(['一二三四五'] * 12)}\n", encoding="utf-8")
    shown = preview_table(table, 5, partial(open_provider_to_ask, env, None), lambda _: None)

    lines = [*preview_lines(shown, width)]

    sheet = lines[: next(n for n, line in enumerate(lines) if not line.startswith("    "))]
    assert max(map(width_of, sheet)) <= max(width, 50)
    said = "\n".join(lines)
    assert all(f"列{number}" in said for number in range(12))
    assert ("[columns_left_out]" in said) == (width < 200)


@pytest.mark.parametrize("width", [34, 40, 50])
def test_on_a_narrow_terminal_what_is_asked_about_is_not_what_is_left_out(
    env: dict[str, str], table: Path, width: int
) -> None:
    text = "这个电饭煲很好用，买给父母的，" * 3
    table.write_text(f"编号,评论,店铺,日期\nA1,{text},一二三四,2026-11-28\n", encoding="utf-8")
    shown = preview_table(table, 5, partial(open_provider_to_ask, env, None), lambda _: None)

    header, *lines = preview_lines(shown, width)

    sheet = [header, *(line for line in lines if line.startswith("    "))]
    assert "评论" in header
    assert max(map(width_of, sheet)) <= width


def test_what_was_paid_is_shown_if_no_more_can_be_asked(
    bailian: LocalBailian, env: dict[str, str], table: Path
) -> None:
    class Spent:
        """The real one, whose account is empty after the first rows."""

        def __init__(self, real: RealTime) -> None:
            self._real = real

        def answers(self, requests: Sequence[bytes], model: str) -> list[Reply]:
            answers = self._real.answers(requests, model)
            bailian.faults.add(CallFault(route="real_time.chat", status=400, code="Arrearage", times=5))
            return answers

    def provider_of(name: str) -> Providers:
        real = open_provider_to_ask(env, None, name).of(name)
        assert real.real_time is not None
        return Providers(replace(real, real_time=Spent(real.real_time)))

    shown = preview_table(table, 9, provider_of, lambda _: None)
    bailian.faults.clear()

    lines = [*preview_lines(shown, None)]
    assert [bool(row.answered.answer) for row in shown.rows] == [True] * 5
    assert (shown.sample.figures.asked, shown.sample.figures.answered) == (5, 5)
    assert any("[account_without_money]" in line for line in lines)
    assert any("asked 5 row(s), 5 answered" in line for line in lines)


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
    assert re.search(r"^    1  +好  +2026-01-02  2.5  +answer\(", capsys.readouterr().out, re.MULTILINE)
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


def test_what_is_odd_about_several_rows_is_said_once(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = "model: qwen-flash\nprompt: '[[say]]{{ 评论 }}'\ncolumns: {label: label}\n"
    (table.parent / "batch.yaml").write_text(recipe, encoding="utf-8")

    assert main(["preview", str(table), "--rows", "4"], env) == 0

    (told,) = [line for line in capsys.readouterr().out.split("\n") if "[answer_not_json]" in line]
    assert told.startswith("    1, 2, 3, 4  ")


def test_ark_answers_rows_too_with_a_key_of_its_own(
    env: dict[str, str], table: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (table.parent / "batch.yaml").write_text(ARK, encoding="utf-8")
    with local_ark(tmp_path / "ark") as on:
        own = {**ARK_SETTINGS, "ARK_API_KEY": API_KEY, "ARK_BASE_URL": on.ark.base_url}
        status = main(["preview", str(table), "--rows", "2", "--json"], env | own)
        told = json.loads(capsys.readouterr().out)
        refused = main(["preview", str(table)], env | own | {"ARK_API_KEY": "no-key"})

    assert (status, refused) == (0, 1)
    assert [row["answer"] for row in told["rows"]] == [answer_for(row["cells"][1]) for row in told["rows"]]
    said = capsys.readouterr().err
    assert "set ARK_API_KEY to a valid key of the region of ARK_BASE_URL" in said
    assert "no-key" not in said


def test_what_stands_in_the_way_is_said(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = table.parent / "batch.yaml"

    def refused(settings: dict[str, str], text: str = RECIPE, name: str = "reviews.csv") -> str:
        recipe.write_text(text, encoding="utf-8")
        assert main(["preview", str(table.parent / name)], settings) == 1
        return capsys.readouterr().err

    without_key = {name: value for name, value in env.items() if name != "DASHSCOPE_API_KEY"}
    assert "[no_preview_key]" in refused(without_key)
    assert "[api_key_refused]" in refused({**env, "DASHSCOPE_API_KEY": "sk-wrong"})
    assert "ark: ARK_API_KEY" in refused({**env, **ARK_SETTINGS}, ARK)
    assert "[provider_without_preview]" in refused({**env, **TIONE_SETTINGS}, TIONE)
    assert "[would_be_refused]" in refused(env, "model: qwen-flash\nprompt: '{{ 没有 }}'\n")
    assert "[no_preview_of_recipe]" in refused(env, name="batch.yaml")
    assert main(["preview", str(table), "--rows", "101"], env) == 2


def test_another_recipe_can_be_named(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = table.parent / "other.yaml"
    other.write_text(f"{RECIPE}parameters: {{max_tokens: 7}}\n", encoding="utf-8")

    assert main(["preview", str(table), "--rows", "1", "--recipe", str(other)], env) == 0

    assert "at most" in capsys.readouterr().out


def test_who_interrupts_it_learns_that_rows_may_be_charged(
    env: dict[str, str], table: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(content: str) -> upstream_server.Reply:
        if len(upstream.seen) == 1:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        return upstream_server.answer_to(content)

    upstream = upstream_server.UpstreamServer()
    upstream.reply = interrupt
    with contextlib.closing(upstream):
        status = main(["preview", str(table), "--rows", "9"], {**env, "DASHSCOPE_BASE_URL": upstream.url})

    said = capsys.readouterr().err
    assert (status, "[interrupted]" in said) == (130, True)
    assert "Rows that had been asked by then may be charged" in said


def test_where_no_model_answers_no_price_is_named(env: dict[str, str], table: Path) -> None:
    told: list[str] = []

    preview_table(table, 1, partial(open_provider_to_ask, env, None), told.append, is_made_up=True)

    assert "[rows_made_up_now]" in told[0]
    assert not any("price" in line for line in told)
