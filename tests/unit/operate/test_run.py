"""``scripts/batchdrop run``: a table from this machine and back, over ports in memory."""

from __future__ import annotations

import io
import itertools
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from scripts.operate.__main__ import main
from scripts.operate.access import OpenBucket
from scripts.operate.door.reply import Reply
from scripts.operate.jobs.commands import Commands
from scripts.operate.jobs.follow_board import follow_board
from scripts.operate.run.drop_table import DropTable
from scripts.operate.run.follow import Follow
from scripts.operate.run.remarks import Remarks
from scripts.operate.run.run_table import RunTable, follow_jobs
from scripts.operate.texts.said import Refusal
from shared.bucket.attempt import Attempt, JobId
from shared.bucket.bucket_records import BucketRecords
from shared.bucket.keys import INBOX, JOBS, Stage, ticket_in, ticket_key
from shared.bucket.money import Quote
from shared.bucket.records.plan import Plan
from shared.bucket.tickets import ReadyTicket, WaitingFor
from shared.events.oss import UploadedObject
from shared.money.quotes.quote_text import quote_in_short
from shared.problems.exceptions import TransientError
from tests.support.fake_provider import Answer, ScriptedProvider, echo, result_line
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import BUCKET_NAME, Functions
from tests.support.scripted_lane import ScriptedLane, answers

UPLOADS = f"{JOBS}uploads/"
"""What a look begins with."""
RECIPE = "model: qwen-plus\nprompt: '{{ review }}'\n"


@pytest.fixture(autouse=True)
def _without_logs() -> Iterator[None]:
    """As the program is started: what the services log is for operators of functions."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@dataclass
class Place:
    """A folder with a table, and a bucket in whose functions every look makes something happen."""

    folder: Path
    answer: Answer = echo
    patience_s: float = 60.0
    waits: int = 0
    interrupted: Callable[[], dict[str, str]] = dict
    """At so many looks the first shard waits for somebody."""
    clock: FixedClock = field(default_factory=FixedClock)

    def __post_init__(self) -> None:
        self.store = MemoryStore(self.clock)
        self.provider = ScriptedProvider(self.clock)
        self.functions = Functions(self.store, self.provider, self.clock)
        self.is_looked_at = False
        self._steps = self._work()

    def file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path

    def run(
        self, table: Path, recipe: Path | None = None, out: Path | None = None, *, is_json: bool = False
    ) -> tuple[int, str]:
        """The exit status and what is said."""
        self.clock.advance(timedelta(minutes=1))
        said = io.StringIO()
        with redirect_stdout(said), redirect_stderr(said):
            reply = Reply(is_json=is_json)
            bucket = OpenBucket(self.store, BUCKET_NAME)
            follow = Follow(
                reply, 0, check=self._step, patience_s=self.patience_s, interrupted=self.interrupted
            )
            run = RunTable(bucket, reply, follow)
            status = reply.end(run(table, recipe, out))
        return status, said.getvalue()

    @property
    def sent(self) -> list[str]:
        return [
            line["body"]["messages"][-1]["content"]
            for each in self.provider.batches.values()
            for line in each.lines
        ]

    def plans(self) -> list[Plan]:
        keys = (key for key in self.store.objects if key.endswith("/plan.json"))
        return [Plan.model_validate_json(self.store.get(key)) for key in keys]

    def _step(self) -> None:
        self.is_looked_at = False
        next(self._steps)
        self.is_looked_at = True

    def _work(self) -> Iterator[None]:
        """What the events of a bucket would start, one thing at a look."""
        looked: set[tuple[str, str, object]] = set()
        while True:
            for head in list(self.store.list(INBOX)):
                upload = (head.key, head.etag, head.modified_at)
                if not head.key.endswith(".yaml") and upload not in looked:
                    looked.add(upload)
                    yield
                    self.functions.validate(UploadedObject(BUCKET_NAME, head.key, head.etag), "run")
            for head in list(self.store.list(Stage.READY.value)):
                yield
                job, attempt = head.key.split("/")[-2:]
                number, shard = map(int, attempt.split("-"))
                self._answer(Attempt(JobId(job), number, shard))
            for head in list(self.store.list(Stage.FINISHED.value)):  # what a sample settles
                found = ticket_in(head.key)
                assert found is not None
                self.functions.collect(found[1], "run")
            yield

    def _answer(self, attempt: Attempt) -> None:
        if self.waits:
            self.waits -= 1
            reason = WaitingFor(
                code="account_without_money", message="请充值。\nPay.", since=self.clock.now()
            )
            self.store.put(ticket_key(Stage.READY, attempt), ReadyTicket(waiting_for=reason).to_bytes())
            return
        self.functions.submit(attempt)
        if BucketRecords(self.store).find_running(attempt) is None:
            return  # it waits
        self.provider.answer_all(self.provider.last.batch_id, answer=self.answer)
        BucketRecords(self.store).put_finished(attempt, "test")
        self.functions.collect(attempt, "run")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.file("batch.yaml", RECIPE)
    return place


def table(place: Place, *reviews: str) -> Path:
    rows = "".join(f"{number},{review}\n" for number, review in enumerate(reviews, start=1))
    return place.file("reviews.csv", f"id,review\n{rows}")


def test_a_table_comes_back_with_its_first_rows_and_where_the_result_is(place: Place) -> None:
    status, said = place.run(table(place, "very good", "too small"))

    assert status == 0
    assert "2 rows: 2 answered" in said
    assert f"\n    oss://{BUCKET_NAME}/results/reviews-" in said
    assert "answer: very good" in said
    assert "reviews.csv: 2/2 行 rows, 完成 done" in said
    # Once, however often it is looked at.
    quoted = [line for line in said.splitlines() if "报价" in line or "quote" in line]
    assert [line[:28] for line in quoted] == [
        "    reviews.csv 报价：不到 ¥0.0001"[:28],
        "    reviews.csv quote: less than ¥0.0001"[:28],
    ]


def test_the_result_is_saved_where_somebody_wants_it(place: Place) -> None:
    out = place.folder / "answers.csv"
    out.write_text("of last time", encoding="utf-8")
    file = table(place, "very good")
    place.run(file)
    place.store.before = cut_reading_of_results
    with pytest.raises(KeyboardInterrupt):
        place.run(file, out=out)
    assert out.read_text(encoding="utf-8") == "of last time"
    place.store.before = None

    _, said = place.run(file, out=out)

    [result] = (key for key in place.store.objects if key.startswith("results/") and key.endswith(".csv"))
    assert out.read_bytes() == place.store.get(result)
    assert str(out) in said
    assert sorted(path.name for path in place.folder.iterdir()) == [
        "answers.csv",
        "batch.yaml",
        "reviews.csv",
    ]


@pytest.mark.parametrize(
    ("name", "code"), [("", "out_is_a_folder"), ("no/such/answers.csv", "out_without_folder")]
)
def test_a_place_where_nothing_can_be_saved_is_refused_before_anything_is_sent(
    place: Place, name: str, code: str
) -> None:
    with pytest.raises(Refusal) as refusal:
        place.run(table(place, "very good"), out=place.folder / name)

    assert refusal.value.code == code
    assert place.store.objects == {}


@pytest.mark.parametrize(("name", "is_told"), [("answers.xlsx", True), ("answers.CSV", False)])
def test_a_name_that_promises_another_format_is_told(place: Place, name: str, is_told: bool) -> None:
    _, said = place.run(table(place, "very good"), out=place.folder / name)

    assert ("[run_saved_other]" in said) is is_told
    assert "output: {format: …}" in said or not is_told


def test_the_table_itself_is_not_overwritten(place: Place) -> None:
    file = table(place, "very good")
    before = file.read_bytes()

    assert main(["run", str(file), "--out", str(file)], {}) == 2
    assert file.read_bytes() == before


def test_the_job_of_a_table_is_found_by_the_path_that_run_was_given(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = table(place, "good")
    place.run(path)
    commands = Commands(OpenBucket(place.store, BUCKET_NAME), lambda _: None)
    monkeypatch.chdir(path.parent)

    [job] = commands.status(str(path))
    assert commands.status(path.name) == [job]
    # What lies in the inbox under this name is meant before a file of this machine.
    place.store.put(f"{INBOX}{path.name}", b"id,review\n1,other\n")
    with pytest.raises(Refusal) as refusal:
        commands.status(path.name)
    assert refusal.value.code == "not_planned"


def test_the_same_command_shows_the_result_again_and_sends_nothing(place: Place) -> None:
    file = table(place, "very good")
    _, first = place.run(file)

    status, again = place.run(file)

    assert (status, place.sent) == (0, ["very good"])
    assert again.splitlines()[-4:] == first.splitlines()[-4:]


def test_a_table_that_changed_is_another_job(place: Place) -> None:
    place.run(table(place, "very good"))
    status, said = place.run(table(place, "not good"))

    assert (status, place.sent) == (0, ["very good", "not good"])
    assert "answer: not good" in said


def test_another_recipe_asks_again(place: Place) -> None:
    file = table(place, "good")
    place.run(file)
    other = place.file("other.yaml", "model: qwen-plus\nprompt: 'Translate {{ review }}'\n")

    place.run(file, other)

    assert place.sent == ["good", "Translate good"]


def test_what_was_cut_off_between_recipe_and_table_is_not_taken_for_done(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = table(place, "good")
    place.run(file)
    other = place.file("other.yaml", "model: qwen-plus\nprompt: 'Translate {{ review }}'\n")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(place.store, "open_writer", interrupted)
        place.run(file, other)

    place.run(file, other)

    assert place.sent == ["good", "Translate good"]


def cut_reading_of_results(what: str, key: str) -> None:
    if what == "read" and key.startswith("results/"):
        raise KeyboardInterrupt


def interrupted(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_a_recipe_of_the_whole_inbox_is_not_taken_for_a_table_without_one(place: Place) -> None:
    place.store.put(f"{INBOX}batch.yaml", RECIPE.encode())
    (place.folder / "batch.yaml").unlink()

    with pytest.raises(Refusal) as refusal:
        place.run(table(place, "good"))

    assert (refusal.value.code, place.sent) == ("run_other_recipe", [])


def test_two_tables_of_one_folder_each_have_their_own_recipe(place: Place) -> None:
    one, two = table(place, "good"), place.file("two.csv", "id,review\n1,bad\n")
    other = place.file("other.yaml", "model: qwen-plus\nprompt: 'Translate {{ review }}'\n")
    place.run(one)
    place.run(two, other)

    assert place.run(one)[0] == 0
    assert place.sent == ["good", "Translate bad"]


def test_rows_without_an_answer_are_told_by_the_exit_status(place: Place) -> None:
    place.answer = lambda line: result_line(line["custom_id"], status=400)

    status, said = place.run(table(place, "very good"))

    assert status == 3
    assert "scripts/batchdrop retry" in said
    assert place.run(place.folder / "reviews.csv")[0] == 3  # and what it says stays true


def test_a_refused_table_shows_its_report_and_sends_nothing(place: Place) -> None:
    place.file("batch.yaml", "model: qwen-plus\nprompt: '{{ rewiev }}'\n")

    with pytest.raises(Refusal) as refusal:
        place.run(table(place, "very good"))

    assert refusal.value.code == "run_refused"
    assert "rewiev" in str(refusal.value)
    assert "inbox/" not in str(refusal.value)  # that is for those who upload by hand
    assert place.sent == []
    place.file("batch.yaml", RECIPE)
    assert place.run(place.folder / "reviews.csv")[0] == 0


def test_what_somebody_must_mend_is_said_once(place: Place) -> None:
    place.waits = 3

    status, said = place.run(table(place, "very good"))

    assert (status, said.count("[account_without_money]")) == (0, 1)
    assert "Pay." in said


def sampled(place: Place) -> Path:
    place.functions.real_time = ScriptedLane(answers("good", completion=30))
    terms = "parameters: {max_tokens: 100}\nprice: {sample: 2}\n"
    place.file("batch.yaml", RECIPE.replace("qwen-plus", "qwen-flash") + terms)
    return table(place, *("very good" + "!" * number for number in range(9)))


def test_the_quote_is_told_once_as_the_sample_has_it(place: Place) -> None:
    _, said = place.run(sampled(place))
    quotes = [line for line in said.splitlines() if "报价：" in line]

    _, shown = place.run(place.folder / "reviews.csv", is_json=True)
    quote = json.loads(shown.splitlines()[-1])["quote"]
    assert quote["output_tokens"] == 9 * 30
    assert quotes == [f"    reviews.csv 报价：{quote_in_short(Quote.model_validate(quote)).zh}"]


def test_before_the_sample_has_ended_no_quote_is_told(place: Place) -> None:
    told: list[str] = []
    remarks = Remarks(cast("Reply", SimpleNamespace(tell=told.append)), 60.0)

    def look() -> None:
        for plan in place.plans():
            remarks.quoted(plan, None)

    file = sampled(place)
    place.functions.real_time = ScriptedLane(answers("good"), before=look)
    place.run(file)

    assert (len(place.plans()), told) == (1, [])


@pytest.mark.parametrize(("patience_s", "times"), [(0, 1), (60, 0)])
def test_a_network_that_fails_is_not_the_end_and_said_once_if_it_lasts(
    place: Place, patience_s: float, times: int
) -> None:
    place.patience_s = patience_s
    fails = itertools.cycle([True, True, False])

    def broken(what: str, key: str) -> None:
        if what == "list" and key.startswith(UPLOADS) and place.is_looked_at and next(fails):
            raise TransientError("503")

    place.store.before = broken

    status, said = place.run(table(place, "very good"))

    assert (status, said.count("[run_not_reached]")) == (0, times)


def test_a_local_cloud_that_cannot_go_on_is_told_once(place: Place) -> None:
    full = {"timers": "disk full", "submit": "disk full"}
    looks = itertools.chain([full, full], itertools.repeat({}))
    place.interrupted = lambda: next(looks)

    status, said = place.run(table(place, "very good", "too small"))

    assert (status, said.count("(disk full)"), said.count("[run_interrupted]")) == (0, 1, 1)


def test_who_waits_for_nothing_is_told(place: Place) -> None:
    """As on a bucket on which nothing was deployed."""
    place.patience_s = 0

    _, said = place.run(table(place, "very good"))

    assert said.count("[run_not_validated]") == 1


@pytest.mark.parametrize("by", ["another", "nobody"])
def test_a_table_that_is_replaced_before_it_is_seen_is_not_waited_for(place: Place, by: str) -> None:
    """As by a machine on which a table has the same path."""

    def replaced(what: str, key: str) -> None:
        if what == "list" and key.startswith(UPLOADS) and place.is_looked_at:
            place.store.before = None
            [table] = (head.key for head in place.store.list(INBOX) if head.key.endswith(".csv"))
            place.store.put(table, b"id,review\n1,other\n") if by == "another" else place.store.delete(table)

    place.store.before = replaced

    with pytest.raises(Refusal) as refusal:
        place.run(table(place, "very good"))

    assert refusal.value.code == "run_replaced"


def test_programs_read_events_and_at_last_the_result(place: Place) -> None:
    status, said = place.run(table(place, "very good"), is_json=True)

    dropped, *progress, end = map(json.loads, said.splitlines())
    assert dropped["key"].startswith("inbox/reviews-")
    assert {each["event"] for each in progress} == {"progress"}
    assert progress[-1]["job"]["rows"] == 1
    assert (end["exit_code"], end["job"]["by_status"]) == (status, {"answered": 1})
    assert end["rows"][0][:2] == ["1", "very good"]
    assert end["result"].startswith(f"oss://{BUCKET_NAME}/results/")
    assert end["quote"]["requests"] == 1
    assert end["quote"]["expected"]["currency"] == "CNY"


@pytest.mark.parametrize("name", ["batch.yaml", ".hidden.csv", "~$open.xlsx"])
def test_what_starts_no_job_is_not_waited_for(place: Place, name: str) -> None:
    with pytest.raises(Refusal) as refusal:
        place.run(place.file(name, RECIPE))

    assert refusal.value.code == "starts_nothing"
    assert not list(place.store.list(INBOX))


def test_a_job_is_followed_to_its_end_and_shown(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    place.run(table(place, "very good"))
    bucket = OpenBucket(place.store, BUCKET_NAME)
    [dropped] = (head.key for head in place.store.list(INBOX) if head.key.endswith(".csv"))
    plans = Commands(bucket, lambda _: None).find(dropped)

    assert follow_jobs(bucket, Reply(is_json=False), plans) == 0

    assert "1 rows: 1 answered" in capsys.readouterr().out


def test_the_board_is_followed_until_nothing_is_open(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    DropTable(bucket := OpenBucket(place.store, BUCKET_NAME))(table(place, "very good"), None)
    for _ in range(2):
        next(place._steps)  # planned, and not sent

    breaks = itertools.cycle([True, False])

    def lost(*_: str) -> None:
        raise TransientError("503")

    def pause(_: float) -> None:
        place.store.before = None
        next(place._steps)
        place.store.before = lost if next(breaks) else None

    monkeypatch.setattr("scripts.operate.jobs.follow_board.time.sleep", pause)

    follow_board(bucket, Reply(is_json=False))

    said = capsys.readouterr().out
    assert "1 待发送 ready" in said
    assert said.endswith("[nothing_open]\n")
    assert said.count("1 待发送 ready") == 1
