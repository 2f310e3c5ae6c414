"""``scripts/batchdrop erase`` where one file became several jobs, and lies in the inbox again."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from scripts.operate.access import OpenBucket
from scripts.operate.jobs.commands import Commands
from scripts.operate.texts.said import Refusal
from scripts.terminal import typed
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for
from shared.events.oss import UploadedObject
from tests.support.fake_provider import ScriptedProvider, only
from tests.support.fakes import FixedClock, Killed, MemoryStore
from tests.support.functions import BUCKET_NAME, Functions
from tests.support.pipeline import Cut
from tests.support.whole_job import run_job

TABLE = "id,text\n1,张三丰\n".encode()
FIRST, SECOND, THIRD = (f"model: qwen-plus\nprompt: '{word}: {{{{ text }}}}'\n" for word in "abc")
WRONG = "model: qwen-plus\nprompt: '{{ no_such_column }}'\n"
NAMES = ["a.csv", "评价/a b.csv", "x/y/a.csv", "-rf.csv", "it's $(x).csv"]


class Operator:
    """Somebody who erases what a file became."""

    def __init__(self, name: str, *recipes: str, table: bytes = TABLE) -> None:
        self.name = name
        self.store: MemoryStore | None = None
        self.plans: list[Plan] = []
        self.heard: list[str] = []
        for recipe in recipes:
            self.run(recipe, table)

    def run(self, recipe: str, table: bytes = TABLE) -> None:
        """Drop the file under the recipe, and have it answered."""
        self.store, plan = run_job(self.name, table, recipe, store=self.store)
        self.plans.append(plan)

    def drop(self, recipe: str, *, is_looked_at: bool = True) -> str:
        """Drop the same bytes again; what validate says."""
        store = self._store
        store._clock.advance(timedelta(minutes=5))  # type: ignore[attr-defined]
        store.put("inbox/batch.yaml", recipe.encode())
        store.put(f"inbox/{self.name}", TABLE)
        if not is_looked_at:
            return ""
        upload = UploadedObject(BUCKET_NAME, f"inbox/{self.name}", "")
        functions = Functions(store, ScriptedProvider(store._clock), store._clock)  # type: ignore[arg-type]
        return functions.validate(upload, "run-again")

    def erase(self, target: str) -> str:
        self.heard.clear()
        provider = only(ScriptedProvider(self._store._clock))  # type: ignore[arg-type]
        self._commands.erase(target, lambda _: provider, lambda _: True)
        return "\n".join(self.heard)

    def erase_all(self) -> None:
        for plan in self.plans:
            self.erase(plan.job_id)

    def refused(self, command: str, *arguments: object) -> str:
        with pytest.raises(Refusal) as refusal:
            getattr(self._commands, command)(*arguments)
        return str(refusal.value)

    @property
    def left(self) -> list[str]:
        """What lies where people look."""
        found = (key for prefix in ("inbox/", "rejected/", "results/") for key in self._store.keys(prefix))
        return [key for key in found if key != "inbox/batch.yaml"]

    @property
    def _store(self) -> MemoryStore:
        assert self.store is not None
        return self.store

    @property
    def _commands(self) -> Commands:
        return Commands(OpenBucket(self._store, BUCKET_NAME), self.heard.append)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("recipe", [FIRST, SECOND])
@pytest.mark.parametrize("by", ["name", "first", "last"])
def test_a_file_that_is_dropped_again_goes_though_all_its_jobs_are_erased(
    name: str, recipe: str, by: str
) -> None:
    operator = Operator(name, FIRST, SECOND)
    operator.erase_all()
    assert operator.drop(recipe) == "erased"
    assert len(operator.left) == 2

    first, last = (plan.job_id for plan in operator.plans)
    said = operator.erase({"name": name, "first": first, "last": last}[by])

    assert operator.left == []
    assert "[erased]" in said
    assert name in said
    assert "[dropped_since]" not in said


@pytest.mark.parametrize("recipes", [(FIRST,), (FIRST, SECOND), (FIRST, SECOND, THIRD)])
@pytest.mark.parametrize("is_by_name", [True, False])
def test_so_does_one_that_was_refused_then(recipes: tuple[str, ...], *, is_by_name: bool) -> None:
    operator = Operator("a.csv", *recipes)
    operator.erase_all()
    assert operator.drop(WRONG) == "rejected"

    operator.erase("a.csv" if is_by_name else operator.plans[0].job_id)

    assert operator.left == []


@pytest.mark.parametrize("is_by_name", [True, False])
def test_one_that_nobody_has_looked_at_stays_and_it_is_said(*, is_by_name: bool) -> None:
    operator = Operator("a.csv", FIRST, SECOND)
    operator.erase_all()
    operator.drop(FIRST, is_looked_at=False)

    said = operator.erase("a.csv" if is_by_name else operator.plans[0].job_id)

    assert operator.left == ["inbox/a.csv"]
    assert "[dropped_since]" in said


@pytest.mark.parametrize("erased", [[0], [1], [0, 1], [1, 2], [0, 2]])
def test_erased_jobs_are_not_meant_by_a_name(erased: list[int]) -> None:
    operator = Operator("a.csv", FIRST, SECOND, THIRD)
    for number in erased:
        operator.erase(operator.plans[number].job_id)
    operator.drop((FIRST, SECOND, THIRD)[erased[0]])
    alive = [plan.job_id for number, plan in enumerate(operator.plans) if number not in erased]

    if len(alive) == 1:
        assert f"Job {alive[0]}" not in operator.erase("a.csv")
        assert alive[0] in "".join(operator.heard)
        assert operator.left == []
        return
    said = operator.refused("erase", "a.csv", lambda _: only(ScriptedProvider()), bool)
    assert "[several_jobs]" in said
    lines = {plan.job_id: line for plan in operator.plans for line in said.split("\n") if plan.job_id in line}
    assert [
        number for number, plan in enumerate(operator.plans) if "抹除 erased" in lines[plan.job_id]
    ] == erased


@pytest.mark.parametrize("command", ["cancel", "retry"])
def test_neither_by_cancel_or_retry(command: str) -> None:
    operator = Operator("a.csv", FIRST, SECOND)
    operator.drop(FIRST)
    operator.erase(operator.plans[1].job_id)

    getattr(operator._commands, command)("a.csv", *((0,) if command == "cancel" else ()))

    assert operator.heard[-1].endswith(("[already_closed]", "[nothing_to_retry]"))


@pytest.mark.parametrize("is_by_name", [True, False])
def test_a_file_of_other_bytes_stays_with_its_job(*, is_by_name: bool) -> None:
    operator = Operator("a.csv", FIRST, SECOND)
    operator.run(FIRST, TABLE + b"2,b\n")
    first, second, newer = operator.plans
    operator.erase(first.job_id)
    operator.erase(second.job_id)

    said = operator.erase(second.job_id)

    assert "inbox/a.csv" in operator.left
    assert newer.result_key in operator.left
    if is_by_name:
        said = operator.erase("a.csv")
        assert newer.job_id in said
        assert operator.left == []


@pytest.mark.parametrize("name", [*NAMES, "a\x1b[2J.csv", "a\nb.csv"])
def test_the_command_that_is_to_be_copied_names_the_file(name: str) -> None:
    operator = Operator(name, FIRST)
    operator.store.put(f"inbox/{name}", TABLE + b"2,b\n")  # type: ignore[union-attr]

    said = operator.erase(operator.plans[0].job_id)

    assert f"scripts/batchdrop erase {typed(f'inbox/{name}')} in a few minutes" in said
    assert f"scripts/batchdrop erase {typed(f'inbox/{name}')}，" in said


@pytest.mark.parametrize("name", ["a\rb.csv", "a\nb.csv", "\x1b[2J.csv", "a b.csv", "'$(x)'.csv"])
def test_of_a_refused_file_all_can_be_deleted_by_their_names(name: str) -> None:
    store = MemoryStore(FixedClock())
    keys = [f"inbox/{name}", *rejection_keys_for(f"inbox/{name}")]
    for key in keys:
        store.put(key, b"x")

    with pytest.raises(Refusal) as refusal:
        Commands(OpenBucket(store, BUCKET_NAME), print).erase(name, only(ScriptedProvider()), bool)

    assert f"delete these files: {', '.join(map(typed, keys))}." in str(refusal.value)


@pytest.mark.parametrize("name", [".a.csv", "..a.csv", "...csv", "x/.a.csv", "~$a.xlsx", "Thumbs.db"])
@pytest.mark.parametrize("command", ["status", "erase"])
def test_of_a_hidden_file_it_is_said_that_no_command_reaches_it(name: str, command: str) -> None:
    store = MemoryStore(FixedClock())
    store.put(f"inbox/{name}", b"x")
    commands = Commands(OpenBucket(store, BUCKET_NAME), print)

    with pytest.raises(Refusal) as refusal:
        getattr(commands, command)(name, *((only(ScriptedProvider()), bool) if command == "erase" else ()))

    assert refusal.value.code == "is_hidden"


@pytest.mark.parametrize("name", ["..x/a.csv", ".x/a.csv", "x/.y/z/a.csv", "a.csv.part", "a.csv~"])
def test_so_is_of_what_only_the_local_cloud_ignores(tmp_path: Path, name: str) -> None:
    store = MemoryStore(FixedClock())
    commands = Commands(OpenBucket(store, BUCKET_NAME, tmp_path), print)
    with pytest.raises(Refusal) as absent:
        commands.status(name)
    file = tmp_path / "inbox" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(TABLE)

    with pytest.raises(Refusal) as there:
        commands.status(name)

    assert (absent.value.code, there.value.code) == ("no_such_job", "is_hidden")


def test_one_that_the_local_cloud_has_not_seen_yet_is_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox" / "a.csv").write_bytes(TABLE)

    with pytest.raises(Refusal) as refusal:
        Commands(OpenBucket(MemoryStore(FixedClock()), BUCKET_NAME, tmp_path), print).status("a.csv")

    assert refusal.value.code == "no_such_job"


@pytest.mark.parametrize("name", ["-rf x.csv", "a.csv", "x/a.csv"])
def test_a_name_may_begin_with_the_folder_that_one_is_in(name: str) -> None:
    operator = Operator(name, FIRST)

    operator.erase(f"./{name}")

    assert operator.left == []


@pytest.mark.parametrize("calls", [12, 14, 16, 18, 20])
def test_of_an_erasure_that_was_killed_every_command_says_what_to_do(calls: int) -> None:
    operator = Operator("a.csv", FIRST, SECOND)
    job_id = operator.plans[0].job_id
    operator._store.before = Cut(calls).call
    with pytest.raises(Killed):
        operator.erase(job_id)
    operator._store.before = None

    operator._commands.status(job_id)
    assert "being erased since 2" in operator.heard[-1]
    assert f"scripts/batchdrop erase {job_id}" in operator.heard[-1]
    assert "结果 result" not in "".join(operator.heard)
    assert "[being_erased]" in operator.refused("retry", job_id)
    assert "[being_erased]" in operator.refused("cancel", job_id, 0)
    assert "being erased" in operator.refused("erase", "a.csv", lambda _: only(ScriptedProvider()), bool)

    operator.erase(job_id)
    operator._commands.status(job_id)
    assert "being erased" not in operator.heard[-1]
