"""Reads the lines of a result's JSONL parts as values, for the formats that are made of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from operator import itemgetter

import orjson

from shared.bucket.records.plan import Plan
from shared.formats.json.policies import LENIENT
from shared.formats.lines import byte_lines
from shared.ports.profile import EMBEDDINGS
from shared.ports.store import ObjectStore
from shared.recipes.columns.answers import AnswerColumns
from shared.results.columns import ResultColumns

_TEXTS = {str, type(None)}
# As ``LENIENT``, because the job has to end; but a NaN is a number at the place of one.
_DECODER = json.JSONDecoder(strict=False, parse_int=LENIENT.parse_int)


def part_lines(store: ObjectStore, parts: Sequence[str]) -> Iterator[bytes]:
    return (line for part in parts for line in byte_lines(store.read(part)))


class Places:
    """Where the columns of a job's result are, from 0. Names say nothing: the file has its own.

    Attributes:
        own: How many columns the file itself has; they come first.
        names: Ours, in their order.
        numbers: Where our counts and times are.
        vector: Where the vectors of an embedding are, if anywhere.
        answers: By place, the JSON type of each answer column that the recipe's schema gives one.
    """

    def __init__(self, plan: Plan) -> None:
        result = ResultColumns(plan.kind, plan.result_columns)
        self.own = len(plan.columns) if result.is_table else 0
        self.names = result.names
        self.numbers = frozenset(self.own + index for index in result.numbers())
        self.vector = None
        if plan.endpoint == EMBEDDINGS and "content" in result.names:
            self.vector = self.own + result.names.index("content")
        first = self.own + len(result.names)
        types = AnswerColumns.types_of(plan.answer_columns) if result.is_table else ()
        self.answers = {first + index: each for index, each in enumerate(types) if each}


def values_reader(typed: Collection[int]) -> Callable[[bytes], list[object]]:
    """What reads a line as values: at ``typed`` as JSON has them, elsewhere a text or null.

    There, whatever is neither is its JSON as it stands, digit for digit.
    """
    texts: list[int] = []
    take: Callable[[Sequence[object]], Sequence[object]] = tuple

    def read(line: bytes) -> list[object]:
        try:
            values = list(orjson.loads(line).values())
        except orjson.JSONDecodeError:
            return read_exactly(line, typed)
        nonlocal take
        if not texts:
            texts.extend(sorted({*range(len(values))} - {*typed}))
            take = _taker(texts)
        return values if _TEXTS.issuperset(map(type, take(values))) else read_exactly(line, typed)

    return read


def _taker(places: Sequence[int]) -> Callable[[Sequence[object]], Sequence[object]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: [values[place] for place in places]


def read_exactly(line: bytes, typed: Collection[int]) -> list[object]:
    """The same, several times slower, with every digit of whole numbers at ``typed``."""
    return [
        value if place in typed or value is None or isinstance(value, str) else raw
        for place, (_, value, raw) in enumerate(members(line))
    ]


def members(line: bytes) -> Iterator[tuple[str, object, str]]:
    """Name, value and the value's text of each member. There are no spaces between them."""
    text = line.decode().rstrip("\n")
    end = 0
    # orjson does not tell where a value ends.
    while end < len(text) - 2:
        name, colon = _DECODER.raw_decode(text, end + 1)
        value, end = _DECODER.raw_decode(text, colon + 1)
        yield name, value, text[colon + 1 : end]
