"""Each check passes what is right, and can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from scripts.localcloud.answers.built_in_texts import answer_for
from tests.chaos.books import BookedBatch
from tests.chaos.checks import CHECKS, MAX_TICKS, broken_promises
from tests.chaos.cloud import Memory
from tests.chaos.dropped import DroppedFile, Row
from tests.chaos.evidence import Attack, Evidence, Told

ADA, BOB = answer_for("Say Ada"), answer_for("Say Bob")
TABLE = DroppedFile(
    "inbox/a.csv",
    b"name\nAda\nBob\nEve,surplus\n",
    rows=(
        Row({"name": "Ada"}, "Say Ada", ADA),
        Row({"name": "Bob"}, "Say Bob", BOB),
        Row({"name": "Eve,surplus"}),
    ),
    attempts=2,
)
LINES = DroppedFile("inbox/b.jsonl", b"{}", rows=(Row({"custom_id": "q"}, "ask", answer_for("ask")),))
WRONG = DroppedFile("inbox/c.csv", b"", says=("[empty_file]",))
HEADER = "name,status,content,error_code\n"
BAD = '"Eve,surplus",refused,,too_many_cells\n'


def table(*rows: str) -> bytes:
    return (HEADER + "".join(rows)).encode()


def row(name: str, answer: str) -> str:
    return f"{name},answered,{answer},\n"


def batch(name: str, *asked: str, answered: tuple[str, ...] | None = None) -> BookedBatch:
    answers = {prompt: answer_for(prompt) for prompt in (asked if answered is None else answered)}
    return BookedBatch(f"batch_{name}", f"batchdrop-{name}", True, asked, answers)


FIRST, SECOND = "0000000000000001-1-00001", "0000000000000001-2-00001"
RUN = Evidence(
    files=[TABLE, LINES, WRONG],
    batches=[
        batch(FIRST, "Say Ada", "Say Bob", answered=("Say Ada",)),
        batch(SECOND, "Say Bob"),
        batch("0000000000000002-1-00001", "ask"),
        replace(batch("x", "not ours"), name="somebody-elses"),
    ],
    results={
        TABLE.result_key: table(row("Ada", ADA), row("Bob", BOB), BAD),
        LINES.result_key: f"custom_id,status_code,content,error_code\nq,200,{answer_for('ask')},\n".encode(),
    },
    ledgers={
        TABLE.report_key: {"adds_up": True, "rows_in": 3},
        LINES.report_key: {"adds_up": True, "rows_in": 1},
    },
    told={WRONG.key: Told("文件是空的。 The file is empty. [empty_file]", 3)},
    sources={"0000000000000001": TABLE.key, "0000000000000002": LINES.key},
    attacks=[Attack("a guessed signature", "x", 404)],
    memory={"Validate": Memory("Validate", 100, 200)},
)
Change = Callable[[Evidence], Evidence]


def results(content: bytes) -> Change:
    return lambda run: replace(run, results={**run.results, TABLE.result_key: content})


def batches(*more: BookedBatch) -> Change:
    return lambda run: replace(run, batches=[*run.batches, *more])


def told(file: DroppedFile, text: str, ticks: int = 0) -> Change:
    return lambda run: replace(run, told={**run.told, file.key: Told(text, ticks)})


BROKEN: list[tuple[str, str, Change]] = [
    ("P1", "in another order", results(table(row("Bob", BOB), row("Ada", ADA), BAD))),
    ("P1", "came back as 2", results(table(row("Ada", ADA), row("Bob", BOB)))),
    ("P1", "came back as 4", results(table(row("Ada", ADA), row("Bob", BOB), BAD, BAD))),
    ("P1", "came back as 0", results(b"\xff")),
    ("P1", "came back as 3", results(b"x\n1\n2\n3\n")),
    ("P1", "has the answer", results(table(row("Ada", BOB), row("Bob", ADA), BAD))),
    ("P1", "nor a reason", results(table(row("Ada", ADA), row("Bob", BOB), '"Eve,surplus",refused,,\n'))),
    ("P1", "add up", lambda run: replace(run, ledgers={**run.ledgers, TABLE.report_key: {"rows_in": 3}})),
    ("P2", "sent again", batches(batch(SECOND.replace("-2-", "-3-"), "Say Ada"))),
    ("P2", "2 batches are named", batches(batch(SECOND))),
    ("P2", "more than 2 times", lambda run: replace(run, batches=[run.batches[1], *run.batches[:3]])),
    ("P2", "which nobody dropped", batches(batch(SECOND.replace("-2-", "-3-"), "Say Eve,surplus"))),
    ("P2", "asks nothing", batches(batch(SECOND.replace("-2-", "-3-")))),
    ("P3", "was answered, but", results(table(row("Ada", ADA), "Bob,missing,,missing\n", BAD))),
    ("P3", "never was", lambda run: replace(run, batches=run.batches[:1] + run.batches[2:])),
    ("P4", "has no end", lambda run: replace(run, results={})),
    ("P4", "has no end", lambda run: replace(run, told={})),
    ("P4", "has not ended", batches(replace(batch(SECOND), has_ended=False))),
    ("P4", "ready/x is left", lambda run: replace(run, left=["ready/x"])),
    ("P5", "was refused", told(TABLE, "refused")),
    ("P5", "lacks", told(WRONG, "something is wrong")),
    ("P5", "ticks", told(WRONG, "[empty_file]", MAX_TICKS + 1)),
    ("P6", "answered 200", lambda run: replace(run, attacks=[Attack("a guessed signature", "x", 200)])),
    ("P7", "bytes", lambda run: replace(run, memory={"Validate": Memory("Validate", 201, 200)})),
    ("P8", "nobody dropped", lambda run: replace(run, sources={"1": "inbox/a.report.txt"})),
    ("P8", "not ours", lambda run: replace(run, missing=["a file"])),
]


def test_a_run_that_keeps_every_promise_passes() -> None:
    assert broken_promises(RUN) == []


@pytest.mark.parametrize(("promise", "said", "change"), BROKEN)
def test_a_broken_promise_is_found_by_its_check(promise: str, said: str, change: Change) -> None:
    found = list(CHECKS[promise](change(RUN)))

    assert any(said in each for each in found), found


def test_every_check_is_shown_able_to_fail() -> None:
    assert {promise for promise, _, _ in BROKEN} == set(CHECKS)
