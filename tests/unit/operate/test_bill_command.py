"""``scripts/batchdrop bill``: what a month used and cost, by folder and model."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from scripts.operate import access
from scripts.operate.__main__ import main
from scripts.operate.access import OpenBucket
from scripts.operate.jobs.show import cost_text, job_lines
from shared.bucket.attempt import JobId
from shared.bucket.keys import open_job_key, record_key
from shared.bucket.money import Money
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Source
from shared.bucket.records.usage import AttemptBill, Bill, Tokens
from shared.pipeline.page.files.file_job import closed_job
from shared.ports.store import ObjectHead
from tests.support.fakes import FixedClock, MemoryStore
from tests.unit.money.test_invoice import LONG, PLUS, THOUGHT, USAGE, Answers, quoted

NOVEMBER = datetime(2026, 11, 15, tzinfo=timezone.utc)
OCTOBER = datetime(2026, 10, 15, tzinfo=timezone.utc)
TOKENS = Tokens(prompt=1_000, completion=100, total=1_100, thinking=60, cached=5)


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """The bucket that is meant, in November."""
    clock = FixedClock()
    clock.advance(NOVEMBER - clock.now())
    made = MemoryStore(clock)
    monkeypatch.setattr(access, "open_bucket", lambda *_: OpenBucket(made, "drop"))
    return made


def cny(micros: int) -> Money:
    return Money(micros=micros, currency="CNY")


def attempt(micros: int | None, retries: int = 0) -> AttemptBill:
    money = {} if micros is None else {"cost": cny(micros), "real_time": cny(2 * micros)}
    return AttemptBill(retries=retries, attempt=1, tokens=TOKENS, **money)


def close(
    store: MemoryStore,
    job_id: str,
    key: str = "inbox/reviews/a.csv",
    *attempts: AttemptBill,
    closed_at: datetime = NOVEMBER,
    **more: Any,
) -> Ledger:
    bill = None
    if attempts and attempts[-1].cost:
        costs = [each.cost for each in attempts if each.cost]
        cost = sum(costs, cny(0))
        bill = Bill(
            cost=cost,
            real_time=cost + cost,
            saved=cost,
            model="qwen-flash",
            source="p",
            read_on=closed_at.date(),
        )
    facts: dict[str, Any] = {
        "job_id": job_id,
        "source": Source(bucket="drop", key=key, etag="E", size_bytes=9, dropped_at=closed_at),
        "result_key": "results/a.csv", "kind": "recipe_csv", "encoding": "utf-8", "delimiter": ",",
        "model": "qwen-flash", "endpoint": "/v1/chat/completions", "rows_in": 3, "rows_out": 3,
        "by_status": {"answered": 3}, "adds_up": True, "batches": (), "shards": 1, "warnings": (),
        "tokens": sum((each.tokens for each in attempts), Tokens()), "dropped_at": closed_at,
        "planned_at": closed_at, "closed_at": closed_at, "duration_s": 1.0, "bill": bill, "attempts": attempts,
    }  # fmt: skip
    ledger = Ledger(**facts | more)
    store.put(record_key(JobId(job_id), "ledger.json"), ledger.to_bytes())
    return ledger


def billed(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    assert main(["bill", "--month", "2026-11", *arguments, "--json"], {}) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def costs(told: dict[str, Any]) -> dict[str, int | None]:
    return {line["folder"]: line["cost"] and line["cost"]["micros"] for line in told["lines"]}


def test_jobs_are_added_up_by_folder_and_model(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    close(store, "a" * 16, "inbox/reviews/a.csv", attempt(500), attempt(200))
    close(store, "b" * 16, "inbox/reviews/b.csv", attempt(300))
    close(store, "c" * 16, "inbox/reviews/c.csv", attempt(40), model="qwen-plus")
    close(store, "d" * 16, "inbox/d.csv", attempt(7))

    told = billed(capsys)

    lines = [(each["folder"], each["model"], each["jobs"], each["cost"]["micros"]) for each in told["lines"]]
    assert lines == [
        ("inbox/", "qwen-flash", 1, 7),
        ("inbox/reviews/", "qwen-flash", 2, 1_000),
        ("inbox/reviews/", "qwen-plus", 1, 40),
    ]
    assert told["lines"][1]["tokens"] == {name: 3 * count for name, count in TOKENS.model_dump().items()}
    (total,) = told["totals"]
    assert (total["jobs"], total["cost"]["micros"], total["saved"]["micros"]) == (4, 1_047, 1_047)


def test_a_month_has_the_jobs_that_ended_in_it(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    close(store, "a" * 16, "inbox/a/a.csv", attempt(1))
    close(store, "b" * 16, "inbox/b/b.csv", attempt(2), closed_at=OCTOBER)
    store.put(open_job_key(JobId("c" * 16)), b"")

    told = billed(capsys)

    assert costs(told) == {"inbox/a/": 1}
    assert told["open_jobs"] == 1
    assert [each["code"] for each in told["said"]] == ["bill_of", "bill_open"]


@pytest.mark.parametrize(("minutes", "counts"), [(-1, True), (0, False)])
def test_months_are_those_of_beijing(
    store: MemoryStore, capsys: pytest.CaptureFixture[str], minutes: int, *, counts: bool
) -> None:
    december = datetime(2026, 11, 30, 16, tzinfo=timezone.utc)
    close(store, "a" * 16, "inbox/a/a.csv", attempt(1), closed_at=december + timedelta(minutes=minutes))

    assert bool(billed(capsys)["lines"]) == counts


def test_a_retry_is_billed_for_what_it_sent_itself(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    close(store, "a" * 16, "inbox/a/a.csv", attempt(500), closed_at=OCTOBER)
    close(
        store, "b" * 16, "inbox/a/a.csv", attempt(500), attempt(70, retries=1), retries=1, retry_of="a" * 16
    )

    told = billed(capsys)

    assert costs(told) == {"inbox/a/": 70}
    assert told["lines"][0]["tokens"]["total"] == TOKENS.total


def test_what_has_no_price_has_tokens_and_says_so(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    close(store, "a" * 16, "inbox/a/a.csv", attempt(None))
    close(store, "b" * 16, "inbox/b/b.csv", attempt(5))

    told = billed(capsys)

    assert costs(told) == {"inbox/a/": None, "inbox/b/": 5}
    assert [total["cost"] for total in told["totals"]] == [None, {"micros": 5, "currency": "CNY"}]
    assert [each["code"] for each in told["said"]] == ["bill_of", "bill_without_price"]


def test_ledgers_of_older_versions_count_with_their_tokens(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    first = close(store, "a" * 16, tokens=Tokens(prompt=10, total=10))
    close(store, "b" * 16, tokens=Tokens(prompt=25, total=25), retries=1, retry_of=first.job_id)

    told = billed(capsys)

    assert [(line["jobs"], line["tokens"]["prompt"], line["cost"]) for line in told["lines"]] == [
        (2, 25, None)
    ]


def test_an_erased_job_keeps_its_money_and_not_its_folder(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    close(store, "a" * 16, "", attempt(5), erased_at=NOVEMBER, result_key="")

    assert costs(billed(capsys)) == {"": 5}

    assert main(["bill", "--month", "2026-11"], {}) == 0
    assert "name erased" in capsys.readouterr().out


def test_the_table_ends_with_its_sums(store: MemoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    close(store, "a" * 16, "inbox/a/a.csv", attempt(1_230_000))
    close(store, "b" * 16, "inbox/b/b.csv", attempt(20_000))

    assert main(["bill", "--month", "2026-11"], {}) == 0

    *_, last = capsys.readouterr().out.rstrip().split("\n")
    assert last.split() == ["合计", "total", "2", "2,000", "10", "200", "120", "¥1.25", "¥2.50", "¥1.25"]


@pytest.mark.parametrize(("micros", "is_told"), [(1_723, True), (20_000, False)])
def test_that_lines_are_rounded_is_said_where_it_can_be_seen(
    store: MemoryStore, capsys: pytest.CaptureFixture[str], micros: int, *, is_told: bool
) -> None:
    close(store, "a" * 16, "inbox/a/a.csv", attempt(micros))
    close(store, "b" * 16, "inbox/b/b.csv", attempt(micros))

    assert ("bill_rounded" in [each["code"] for each in billed(capsys)["said"]]) is is_told


@pytest.mark.parametrize(("is_local", "said"), [(True, "nothing is charged"), (False, "own bill says")])
def test_what_was_answered_on_this_machine_is_said_to_cost_nothing(
    store: MemoryStore,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    said: str,
    *,
    is_local: bool,
) -> None:
    close(store, "a" * 16, "inbox/a/a.csv", attempt(1_230_000))
    bucket = OpenBucket(store, "drop", local=tmp_path if is_local else None)
    monkeypatch.setattr(access, "open_bucket", lambda *_: bucket)

    assert main(["bill", "--month", "2026-11"], {}) == 0

    shown = capsys.readouterr().out
    assert said in shown
    assert ("nothing is charged" in shown) == is_local


def test_the_csv_has_every_millionth_and_no_formula(
    store: MemoryStore, capsys: pytest.CaptureFixture[str]
) -> None:
    close(store, "a" * 16, "inbox/a/a.csv", attempt(1_234_567))
    close(store, "b" * 16, "inbox/b/b.csv", attempt(None), model="=1+1")

    assert main(["bill", "--month", "2026-11", "--csv"], {}) == 0

    first, second = csv.DictReader(io.StringIO(capsys.readouterr().out))
    assert (first["currency"], first["cost"], first["saved"]) == ("CNY", "1.234567", "1.234567")
    assert (second["currency"], second["cost"], second["input_tokens"]) == ("", "", "1000")
    assert second["model"] == "'=1+1"


def test_a_month_without_jobs_says_so(store: MemoryStore, capsys: pytest.CaptureFixture[str]) -> None:
    told = billed(capsys)

    assert (told["lines"], told["month"]) == ([], "2026-11")
    assert [each["code"] for each in told["said"]] == ["bill_of_nothing"]


@pytest.mark.parametrize("month", ["november", "2026-13", "2026"])
def test_a_month_is_a_year_and_a_number(
    store: MemoryStore, capsys: pytest.CaptureFixture[str], month: str
) -> None:
    assert main(["bill", "--month", month], {}) == 2
    assert "--month" in capsys.readouterr().err


def test_a_job_says_what_it_cost_in_its_status_and_on_the_page() -> None:
    job = quoted(PLUS)
    job.drain(Answers(job, a=[USAGE], b=[THOUGHT], c=[LONG]))
    head = ObjectHead("inbox/a/names.csv", 9, "E", NOVEMBER)

    status = list(job_lines(job.records, job.plan))
    shown = closed_job(job.ledger(), head, 0)

    assert any("tokens (思考 thinking 60), 1 batch(es)" in each for each in status)
    (cost,) = [each for each in status if "费用 cost" in each]
    assert (
        "¥0.2423 at the price of qwen-plus on 2026-06-08, ¥0.4846 in real time, ¥0.2413 above the quote"
        in cost
    )
    assert (shown.cost, shown.real_time) == ("¥0.2423", "¥0.4846")


def test_what_the_provider_did_not_count_is_not_said_to_cost_nothing() -> None:
    job = quoted(PLUS)
    job.drain(Answers(job, a=[{}], b=[{}], c=[{}]))

    assert not [each for each in job_lines(job.records, job.plan) if "费用 cost" in each]
    assert job.ledger().bill is None
    assert any("what they cost is not known" in each for each in job.ledger().warnings)
    assert closed_job(job.ledger(), ObjectHead("inbox/a/names.csv", 9, "E", NOVEMBER), 0).cost is None


@pytest.mark.parametrize(
    ("answerer", "provider", "is_charged"),
    [
        ("test answers", "bailian", False),
        ("http://localhost:8000/v1 qwen", "bailian", False),
        ("Bailian (https://dashscope.aliyuncs.com)", "bailian", True),
        ("Bailian (https://dashscope.aliyuncs.com)", "ark", False),
    ],
)
def test_only_what_is_asked_of_the_provider_itself_is_said_to_cost_money(
    tmp_path: Path, answerer: str, provider: str, *, is_charged: bool
) -> None:
    (tmp_path / ".localcloud").mkdir()
    (tmp_path / ".localcloud" / "answered-by.txt").write_text(answerer)
    ledger = close(MemoryStore(FixedClock()), "a" * 16, "inbox/a.csv", attempt(500))
    bucket = OpenBucket(MemoryStore(FixedClock()), "drop", local=tmp_path)

    assert bucket.is_charged(provider) == is_charged
    assert OpenBucket(bucket.store, "drop").is_charged(provider)
    assert ledger.bill
    assert ("nothing" in cost_text(ledger.bill, is_charged=is_charged).en) == (not is_charged)
