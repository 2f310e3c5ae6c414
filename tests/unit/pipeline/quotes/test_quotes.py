"""What people are told a file will cost, before anything of it is sent."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from shared.bucket.attempt import retry_job_id_for
from shared.bucket.keys import PRICES
from shared.bucket.records.plan import Plan
from shared.events.oss import UploadedObject
from shared.pipeline.jobs.erase_job import EraseJob
from shared.pipeline.jobs.retry_job import RetryJob
from tests.support.builders import request_line
from tests.support.fake_provider import ScriptedProvider, only, result_line
from tests.support.fakes import Killed, MemoryStore
from tests.support.pipeline import Harness
from tests.support.whole_job import run_job, says

RECIPE = "model: qwen-flash\nprompt: '{{ text }}'\nparameters: {max_tokens: 50}\n"
TABLE = b"id,text\n1,good\n2,bad\n"
OWN = """\
bailian:
  currency: CNY
  models:
    qwen-flash:
      source: contract 17
      read_on: 2026-11-01
      batch: 0.5
      tiers: [{in: 0.1, out: 1}]
"""


def planned(name: str = "a/t.csv", own: str | None = None, content: bytes = TABLE) -> Harness:
    """A file that was dropped, and validated once."""
    bench = Harness()
    bench.store.put("inbox/batch.yaml", RECIPE.encode())
    if own is not None:
        bench.store.put(PRICES, own.encode())
    bench.store.put(f"inbox/{name}", content)
    assert bench.functions.validate(UploadedObject("drop", f"inbox/{name}", ""), "run-1") == "planned"
    return bench


def quoted(store: MemoryStore, name: str = "a/t.csv") -> dict[str, Any]:
    found: dict[str, Any] = json.loads(store.get(f"quotes/{name}.quote.json"))
    return found


def plan_in(store: MemoryStore) -> Plan:
    (key,) = (key for key in store.objects if key.endswith("/plan.json"))
    return Plan.model_validate_json(store.get(key))


def test_a_quote_lies_beside_each_file_that_is_sent() -> None:
    bench = planned()

    text = bench.store.get("quotes/a/t.csv.quote.txt").decode()
    plan = plan_in(bench.store)
    assert plan.quote is not None
    assert quoted(bench.store)["digest"] == plan.quote.digest
    assert text.startswith("报价：a/t.csv（百炼 qwen-flash）\n发送：2 行\n")
    assert f"\nQuote number: {plan.quote.digest} " in text
    assert plan.quote.output_at_most == 100
    assert plan.shards[0].input_tokens == plan.quote.input_tokens > 0


def test_what_is_more_than_text_has_no_at_most() -> None:
    bench = Harness()
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    body = {"model": "qwen3-vl-plus", "max_tokens": 9, "messages": [{"role": "user", "content": [image]}]}
    line = {"custom_id": "a", "method": "POST", "url": "/v1/chat/completions", "body": body}
    bench.store.put("inbox/q.jsonl", json.dumps(line).encode() + b"\n")

    bench.functions.validate(UploadedObject("drop", "inbox/q.jsonl", ""), "run-1")

    found = quoted(bench.store, "q.jsonl")
    assert (found["reads_more"], found["at_most"]) == (True, None)
    text = bench.store.get("quotes/q.jsonl.quote.txt").decode()
    assert "没有上限：图片、语音、视频、文件和联网搜索不算在内" in text
    assert "No ceiling: images, sounds, films, files and what is searched are not counted" in text


def test_a_refused_file_has_none() -> None:
    bench = Harness()
    bench.store.put("inbox/t.csv", b"a,b,c\n1\n")

    assert bench.functions.validate(UploadedObject("drop", "inbox/t.csv", ""), "run-1") == "rejected"
    assert bench.store.keys("quotes/") == []


def test_beside_a_later_version_that_is_refused_it_says_of_which_it_is() -> None:
    bench = planned()
    dropped_at = plan_in(bench.store).source.dropped_at
    bench.clock.advance(timedelta(hours=1))

    bench.store.put("inbox/a/t.csv", b"id,text\n1\n")
    assert bench.functions.validate(UploadedObject("drop", "inbox/a/t.csv", ""), "run-2") == "rejected"

    text = bench.store.get("quotes/a/t.csv.quote.txt").decode()
    assert text.count(f"{dropped_at:%Y-%m-%d %H:%M:%S} UTC") == 2
    assert quoted(bench.store)["dropped_at"] == dropped_at.isoformat()


def test_own_prices_go_before_the_list() -> None:
    price = quoted(planned(own=OWN).store)["price"]

    assert (price["source"], price["is_own"]) == ("contract 17", True)
    assert price["tiers"][0]["batch"]["input"] == 50_000


@pytest.mark.parametrize("own", [OWN.replace("qwen-flash", "qwen-plus"), "# none yet\n"])
def test_a_model_without_an_own_price_has_the_list_price(own: str) -> None:
    found = quoted(planned(own=own).store)

    assert (found["price"]["is_own"], found["warnings"]) == (False, [])


@pytest.mark.parametrize("own", ["", "\n \r\n", "\ufeff"])
def test_an_empty_file_of_own_prices_is_told(own: str) -> None:
    found = quoted(planned(own=own).store)

    assert found["price"]["is_own"] is False
    assert "prices.yaml：是空的" in found["warnings"][0]
    assert "list prices are taken" in found["warnings"][0]


@pytest.mark.parametrize(
    ("own", "told"),
    [
        (OWN.replace("0.1", "cheap"), "prices.yaml 第 8 行 bailian.models.qwen-flash.tiers.0.in：“cheap”不是价格"),
        ("- 1\n", "prices.yaml：读不出内容"),
        ("#" * 70_000, "prices.yaml：读不出内容"),
    ],
)  # fmt: skip
def test_of_wrong_own_prices_none_is_used_and_everybody_is_told(own: str, told: str) -> None:
    bench = planned(own=own)

    found = quoted(bench.store)
    assert found["price"]["is_own"] is False
    assert "list prices are taken instead" in found["warnings"][0]
    assert found["warnings"][1].startswith(told)
    assert list(plan_in(bench.store).warnings[-2:]) == found["warnings"][-2:]
    assert "提示 Warning: prices.yaml" in bench.store.get("quotes/a/t.csv.quote.txt").decode()


def test_a_quote_that_was_not_put_comes_with_the_event_that_is_repeated() -> None:
    bench = Harness()
    bench.store.put("inbox/q.jsonl", request_line("a"))

    def dies(what: str, key: str) -> None:
        if key.startswith("quotes/"):
            raise Killed

    bench.store.before = dies
    with pytest.raises(Killed):
        bench.functions.validate(UploadedObject("drop", "inbox/q.jsonl", ""), "run-1")
    bench.store.before = None

    assert bench.functions.validate(UploadedObject("drop", "inbox/q.jsonl", ""), "run-2") == "resumed"
    assert len(bench.store.keys("quotes/")) == 2


def test_what_answers_of_a_folder_cost_is_expected_of_its_next_file() -> None:
    answer = says("ok", prompt_tokens=5, completion_tokens=7, total_tokens=12)
    store, _ = run_job("a/t.csv", TABLE, RECIPE, answer)
    assert quoted(store)["output_tokens"] is None

    run_job("a/next.csv", TABLE + b"3,so so\n", RECIPE, answer, store)
    run_job("b/other.csv", TABLE, RECIPE, answer, store)

    assert (quoted(store, "a/next.csv")["output_tokens"], quoted(store, "a/next.csv")["known_from"]) == (
        21,
        1,
    )
    assert quoted(store, "b/other.csv")["output_tokens"] is None


@pytest.mark.parametrize(
    ("recipe", "least", "most"),
    [
        ("model: qwen-flash\nclassify: {column: text, labels: [good, bad]}\n", 10, 16),
        ("model: qwen-flash\ntranslate: {column: text, to: French}\n", 2, 30),
        ("model: qwen3.5-plus\nclassify: {column: text, labels: [good, bad]}\nparameters: {enable_thinking: true}\n", None, None),
        ("model: qwen-flash\nprompt: '{{ text }}'\n", None, None),
    ],
)  # fmt: skip
def test_a_task_says_how_long_its_answers_are(recipe: str, least: int | None, most: int | None) -> None:
    bench = Harness()
    bench.store.put("inbox/batch.yaml", recipe.encode())
    bench.store.put("inbox/t.csv", TABLE)

    bench.functions.validate(UploadedObject("drop", "inbox/t.csv", ""), "run-1")

    expected = quoted(bench.store, "t.csv")["output_tokens"]
    assert expected is None if least is None or most is None else least <= expected <= most
    text = bench.store.get("quotes/t.csv.quote.txt").decode()
    assert (
        ("by the length of the labels or texts" in text)
        == ("按标签或原文的长度估算" in text)
        == bool(expected)
    )


def test_a_provider_that_counts_no_tokens_teaches_nothing() -> None:
    store, _ = run_job("a/t.csv", TABLE, RECIPE, says("ok"))

    run_job("a/next.csv", TABLE + b"3,so so\n", RECIPE, says("ok"), store)

    assert quoted(store, "a/next.csv")["output_tokens"] is None


def test_a_retry_costs_what_its_rows_do() -> None:
    def answer(line: dict[str, Any]) -> dict[str, Any]:
        is_good = line["body"]["messages"][-1]["content"] == "good"
        return result_line(line["custom_id"], status=200 if is_good else 400)

    store, plan = run_job("a/t.csv", TABLE, RECIPE, answer)
    RetryJob(store, store._clock, "run-9")(plan)

    retry = Plan.model_validate_json(store.get(f"jobs/{retry_job_id_for(plan.job_id)}/plan.json"))
    assert plan.quote is not None
    assert retry.quote is not None
    assert (plan.quote.output_at_most, retry.quote.output_at_most) == (100, 50)
    assert retry.quote.price == plan.quote.price


def test_an_erased_job_leaves_no_quote() -> None:
    store, plan = run_job("a/t.csv", TABLE, RECIPE)
    assert len(store.keys("quotes/")) == 2

    assert EraseJob(store, only(ScriptedProvider(store._clock)), store._clock)(plan)

    assert store.keys("quotes/") == []
