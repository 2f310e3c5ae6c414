"""What people drop in a run of chaos, and what they may expect of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import count, cycle, islice

from scripts.localcloud.answers.built_in_answers import TEST_RESULT
from scripts.localcloud.answers.built_in_texts import answer_for
from shared.ports.profile import CHAT
from shared.providers.bailian.profile import TEST_ENDPOINT, TEST_MODEL
from tests.simulation.tables import packed, table

_FLASH = "model: qwen-flash\nprompt: 'Say {{ name }}'\nattempts: 3\n"
RECIPES = {
    "csv": _FLASH,
    "jsonl": _FLASH + "output: {format: jsonl}\n",
    "parquet": _FLASH + "output: {format: parquet}\n",
    "xlsx": _FLASH + "output: {format: xlsx}\n",
    "shards": f"model: {TEST_MODEL}\nprompt: 'Say {{{{ name }}}}'\nattempts: 4\n",
    "skip": _FLASH + "on_bad_rows: skip\n",
}


@dataclass(frozen=True)
class Row:
    """One row: its cells by column, as the result shows them.

    ``prompt`` is what it asks, unlike that of any other row of the run; empty, it is never sent.
    """

    cells: Mapping[str, str]
    prompt: str = ""
    answer: str = ""


@dataclass(frozen=True)
class DroppedFile:
    """A file, and what becomes of it.

    Attributes:
        key: In ``inbox/``.
        content: The bytes.
        result: The suffix of the result.
        rows: What stands in the result.
        attempts: How often a row of it may be sent.
        says: What the report of a wrong file must hold; empty if the file is right.
        then: What a person does later: ``again`` and ``twice`` drop it once more, ``cancel``,
            ``retry`` and ``erase`` are commands.
    """

    key: str
    content: bytes
    result: str = ".csv"
    rows: tuple[Row, ...] = ()
    attempts: int = 3
    says: tuple[str, ...] = ()
    then: tuple[str, ...] = field(default=())

    @property
    def name(self) -> str:
        return self.key.removeprefix("inbox/").split(".")[0]

    @property
    def result_key(self) -> str:
        return f"results/{self.name}{self.result}"

    @property
    def report_key(self) -> str:
        return f"results/{self.name}.report.json"

    @property
    def rejection_key(self) -> str:
        return f"rejected/{self.key.removeprefix('inbox/')}.report.txt"


def files(jobs: int, seed: int) -> list[DroppedFile]:
    """Every kind in turn, then in an order that the seed decides; each recipe lies there before."""
    chance = random.Random(f"files {seed}")
    makers = islice(cycle(KINDS), jobs)
    dropped = [make(f"{number:03d}", chance) for number, make in zip(count(), makers, strict=False)]
    chance.shuffle(dropped)
    return dropped


def _named(number: str, chance: random.Random) -> list[Row]:
    names = [f"n{number}-{row}" for row in range(chance.randint(3, 60))]
    return [_row({"name": name}, f"Say {name}") for name in names]


def _row(cells: Mapping[str, str], prompt: str, *, model: str = "") -> Row:
    return Row(cells, prompt, TEST_RESULT if model == TEST_MODEL else answer_for(prompt))


def _table(folder: str, suffix: str, result: str = ".csv") -> Callable[[str, random.Random], DroppedFile]:
    def make(number: str, chance: random.Random) -> DroppedFile:
        rows = _named(number, chance)
        content = table(suffix, [["name"], *(list(row.cells.values()) for row in rows)])
        return DroppedFile(f"inbox/{folder}/{number}{suffix}", content, result, tuple(rows))

    return make


def _pairs(number: str, chance: random.Random) -> DroppedFile:
    rows = [_row({"id": str(row)}, f"hello {number} {row}") for row in range(chance.randint(3, 60))]
    content = "".join(f"{row.cells['id']},{row.prompt}\n" for row in rows).encode()
    return DroppedFile(f"inbox/{number}.csv", content, rows=tuple(rows), attempts=2)


def _shards(number: str, chance: random.Random) -> DroppedFile:
    """The test model takes 100 rows a batch, and two batches at once."""
    names = [f"n{number}-{row}" for row in range(chance.randint(101, 250))]
    rows = [_row({"name": name}, f"Say {name}", model=TEST_MODEL) for name in names]
    content = table(".csv", [["name"], *([name] for name in names)])
    return DroppedFile(f"inbox/shards/{number}.csv", content, rows=tuple(rows), attempts=4)


def _large(number: str, _chance: random.Random) -> DroppedFile:
    """Some megabytes, so that what is not streamed shows in the workers' memory."""
    names = [f"n{number}-{row} {'x' * 400}" for row in range(8000)]
    rows = [_row({"name": name}, f"Say {name}") for name in names]
    content = table(".csv", [["name"], *([name] for name in names)])
    return DroppedFile(f"inbox/csv/{number}.csv", content, rows=tuple(rows))


def _lines(suffix: str, model: str, url: str) -> Callable[[str, random.Random], DroppedFile]:
    def make(number: str, chance: random.Random) -> DroppedFile:
        ids = [f"q{number}-{row}" for row in range(chance.randint(3, 120))]
        rows = [_row({"custom_id": each}, f"ask {each}", model=model) for each in ids]
        lines = "".join(_line(row, model, url) for row in rows)
        content = packed(suffix, lines.encode())
        return DroppedFile(f"inbox/lines/{number}{suffix}", content, rows=tuple(rows), attempts=2)

    return make


def _line(row: Row, model: str, url: str) -> str:
    body = {"model": model, "messages": [{"role": "user", "content": row.prompt}]}
    line = {"custom_id": row.cells["custom_id"], "method": "POST", "url": url, "body": body}
    return json.dumps(line) + "\n"


def _with_wrong_rows(number: str, chance: random.Random) -> DroppedFile:
    """One row too many cells, three that the model refuses or that lose their answer."""
    rows = _named(number, chance)
    for marker in ("[[refuse:400]]", "[[status:429]]", "[[lost]]"):
        name = f"n{number} {marker}"
        rows.insert(chance.randint(0, len(rows)), Row({"name": name}, f"Say {name}"))
    wrong = Row({"name": f"n{number},surplus"})
    rows.insert(chance.randint(0, len(rows)), wrong)
    content = "".join(f"{row.cells['name']}\n" for row in [Row({"name": "name"}), *rows])
    return DroppedFile(f"inbox/skip/{number}.csv", content.encode(), rows=tuple(rows))


def _wrong(number: str, chance: random.Random) -> DroppedFile:
    """A file to be refused; where its report names a line, that is the wrong one."""
    suffix, content, *says = chance.choice(
        [
            (".csv", f"title\nn{number}\n", "title", "[missing_column]"),
            (".jsonl", f'{{"custom_id": "q{number}"\n', "第 1 行", "Line 1"),
            (".csv", "", "[empty_file]"),
            (".csv", f"name\nn{number}\nn{number},surplus\n", "第 3 行", "Line 3"),
        ]
    )
    return DroppedFile(f"inbox/csv/{number}{suffix}", content.encode(), says=tuple(says))


def _then(
    make: Callable[[str, random.Random], DroppedFile], *steps: str
) -> Callable[[str, random.Random], DroppedFile]:
    return lambda number, chance: replace(make(number, chance), then=steps)


_CSV = _table("csv", ".csv")
KINDS: tuple[Callable[[str, random.Random], DroppedFile], ...] = (
    _pairs,
    _CSV,
    _shards,
    _lines(".jsonl", "qwen-flash", CHAT),
    _wrong,
    _with_wrong_rows,
    _table("xlsx", ".xlsx", ".xlsx"),
    _then(_CSV, "cancel", "retry"),
    _table("jsonl", ".csv.gz", ".jsonl"),
    _then(_CSV, "erase", "again"),
    _then(_pairs, "twice", "again"),
    _then(_with_wrong_rows, "retry"),
    _table("parquet", ".tsv", ".parquet"),
    _lines(".jsonl.gz", TEST_MODEL, TEST_ENDPOINT),
    _then(_shards, "cancel"),
    _large,
    _table("csv", ".parquet"),
)


def recipes() -> Iterator[tuple[str, bytes]]:
    for folder, text in RECIPES.items():
        yield f"inbox/{folder}/batch.yaml", text.encode()
