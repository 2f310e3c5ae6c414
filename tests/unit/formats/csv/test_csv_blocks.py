from __future__ import annotations

import csv
import io
import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.formats import line_blocks
from shared.formats.charsets.decoding import Encoding, LineDecoder
from shared.formats.csv import records as csv_records
from shared.formats.csv.blocks import CsvBlock
from shared.formats.csv.quirks import Quirks
from shared.formats.csv.records import TextLines, _read_one_by_one, read_records
from shared.formats.json.cells import JsonCells, escape, unescape
from shared.formats.line_blocks import LineSource
from shared.formats.record import Record, each_record
from shared.formats.sizes import MAX_LINE_BYTES
from shared.inputs.requests.request_encoding import RequestForm
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.recipes.parameters import RESERVED_PARAMETERS
from shared.recipes.prompts import compile_prompt
from shared.recipes.recipe import Recipe
from shared.recipes.templates.plain_prompts import PlainPrompt
from tests.support.reading import in_chunks

QUICK = settings(max_examples=100)
PIECES = [
    '"',
    '""',
    '"""',
    ",",
    ";",
    "\t",
    "\n",
    "\r",
    "\r\n",
    ' "',
    '","',
    '"\n"',
    '="',
    '"=""',
    "a",
    "你",
    "\\",
    "\\n",
    "\0",
]
NEAR_TABLES = st.lists(st.sampled_from([*PIECES, "\x01", "\x1b", "\u2028", "\u0085", "😀"]), max_size=40)
CELLS = st.text(st.sampled_from('",;\t\n\r \\a你\u2028\u0085\x01😀'), max_size=6)


def near(*pieces: str) -> example:
    """A table that was once read wrong."""
    return example(
        pieces=list(pieces), encoding="utf-8", delimiter=",", chunk_bytes=99, block_bytes=100, most_quotes=99
    )


def lines_of(content: bytes, encoding: str, chunk_bytes: int) -> TextLines:
    source = LineSource(in_chunks(content, chunk_bytes), MAX_LINE_BYTES)
    return TextLines(source, LineDecoder(Encoding(encoding, is_certain=True)))


def all_of(
    content: bytes,
    encoding: str,
    delimiter: str,
    *,
    chunk_bytes: int,
    in_blocks: bool,
    block_bytes: int = 32 * 1024,
    most_quotes: int = 1 << 40,
) -> tuple[list[Record], tuple[Problem, ...]]:
    lines = lines_of(content, encoding, chunk_bytes)
    read = (
        read_records(lines, Quirks(delimiter))
        if in_blocks
        else _read_one_by_one(lines, Quirks(delimiter), 1 << 40)
    )
    records = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_records, "_is_for_csv", lambda block: block.count(b'"') > most_quotes)
        patch.setattr(line_blocks, "_LEAST_BLOCK_BYTES", block_bytes)
        patch.setattr(line_blocks, "BLOCK_BYTES", 4 * block_bytes)
        try:
            records.extend(each_record(read))
        except UserInputError as error:
            return records, error.problems
    return records, ()


@QUICK
@given(
    pieces=NEAR_TABLES,
    encoding=st.sampled_from(["utf-8", "gb18030"]),
    delimiter=st.sampled_from(",;\t"),
    chunk_bytes=st.integers(1, 60),
    block_bytes=st.sampled_from([1, 10, 100]),
    most_quotes=st.integers(0, 10) | st.just(1000),
)
@near("a\n", '"""', "a", '""', '"', ',"', '""', '"\n')
@near("a\n", '""""', ",", '""', ",", '"""a"""', "\n")
@near("a\n", '"', "\n\n", '"', "\n", "b\n")
@near("a\n", '"x"', '""', "\n")
@near("a\n", "b\\r", "\r\n", "c\r", "d\n")
@near("a\n", "a,", "\\", '"""', "b", '"', "\n")
def test_reading_in_blocks_gives_the_records_lines_and_problems_that_csv_gives(
    *, pieces: list[str], encoding: str, delimiter: str, chunk_bytes: int, block_bytes: int, most_quotes: int
) -> None:
    content = "".join(pieces).encode(encoding)

    in_blocks = all_of(
        content,
        encoding,
        delimiter,
        chunk_bytes=chunk_bytes,
        in_blocks=True,
        block_bytes=block_bytes,
        most_quotes=most_quotes,
    )
    by_csv = all_of(content, encoding, delimiter, chunk_bytes=chunk_bytes, in_blocks=False)

    assert in_blocks == by_csv


@QUICK
@given(rows=st.lists(st.lists(CELLS, min_size=2, max_size=3), min_size=1, max_size=8), quoting=st.booleans())
def test_what_csv_writes_is_read_as_csv_reads_it_and_mostly_in_blocks(
    rows: list[list[str]], quoting: bool
) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, quoting=csv.QUOTE_ALL if quoting else csv.QUOTE_MINIMAL).writerows(
        [["a", "b"], *rows]
    )

    records, problems = all_of(written.getvalue().encode(), "utf-8", ",", chunk_bytes=1 << 20, in_blocks=True)

    assert problems == ()
    assert [list(record.cells) for record in records] == [["a", "b"], *rows]
    # The header is always read by csv itself; control characters send a block there too.
    if "\x01" not in written.getvalue():
        assert all(isinstance(record.cells, JsonCells) for record in records[1:])


@QUICK
@given(text=st.text(st.characters(exclude_categories=["Cs"])))
@example(text="\u2028\u2029\u0085\\u2028\x7f\x00\x1f\"'/")
def test_an_escaped_text_is_what_json_makes_of_it_and_comes_back(text: str) -> None:
    escaped = escape(text)

    plain = json.dumps(text, ensure_ascii=False)
    for character in "\u2028\u2029\u0085":
        plain = plain.replace(character, f"\\u{ord(character):04x}")
    assert escaped == plain[1:-1].encode()
    assert unescape(escaped) == text


PARAMETERS = st.dictionaries(
    st.text(max_size=5).filter(lambda name: name not in RESERVED_PARAMETERS),
    st.floats(allow_nan=False, allow_infinity=False) | CELLS,
    max_size=3,
)


@QUICK
@given(texts=st.tuples(CELLS, CELLS, CELLS), has_system=st.booleans(), parameters=PARAMETERS)
def test_a_request_around_escaped_texts_is_what_json_makes_of_it_whole(
    texts: tuple[str, str, str], has_system: bool, parameters: dict[str, float | str]
) -> None:
    model, system, prompt = texts
    form = RequestForm(model, "/v1/chat/completions", parameters, has_system=has_system)

    body = form.body(escape(system) if has_system else None, escape(prompt))

    messages = [{"role": "system", "content": system}] if has_system else []
    messages.append({"role": "user", "content": prompt})
    whole = json.dumps(
        {"model": model, "messages": messages, **parameters}, ensure_ascii=False, separators=(",", ":")
    )
    for character in "\u2028\u2029\u0085":
        whole = whole.replace(character, f"\\u{ord(character):04x}")
    assert body == whole.encode()


COLUMNS = ["a", "评论", "b c", "items", "self", "名 "]
TEMPLATES = st.lists(
    st.sampled_from(
        """
        {{ a }}|{{评论}}|{{- a -}}|{{ row['b c'] }}|{{ row.评论 }}|{{ row['items'] }}|{{ self }}|{{ row['self'] }}
        {{ row['名'] }}|{{ row['名 '] }}|{{ items }}|{{ 名 }}|{% raw %}{{ a }}{% endraw %}|{# a #}|{{ a | upper }}
        {% if a %}x{% endif %}|{{ 'x' }}|文|"|\\|{|}}
        """.replace("\n        ", "|")
        .strip("|")
        .split("|")
    )
    | st.sampled_from(["\n", "\r\n", "\r", " ", "\u2028", "{{ a | trim }}"]),
    min_size=1,
    max_size=6,
).map("".join)


@QUICK
@given(prompt=TEMPLATES, system=st.none() | TEMPLATES, cells=st.lists(CELLS, min_size=6, max_size=6))
@example(prompt="{{ a }}", system=None, cells=["\x01"] * 6)
@example(prompt="{{ a }}\n{{评论}}", system=None, cells=["\ufeff \u200b", "\t\u2060\ufeff" * 9] * 3)
@example(prompt="{{ a }}{{评论}}", system="{{ a }}", cells=["\u200b", "x"] * 3)
def test_putting_cells_in_without_jinja_gives_what_jinja_gives(
    prompt: str, system: str | None, cells: list[str]
) -> None:
    try:
        template = compile_prompt(Recipe.model_construct(model="m", prompt=prompt, system=system), COLUMNS)
    except UserInputError:
        return

    def rendered() -> object:
        try:
            return template.render(cells)
        except UserInputError as error:
            return error.problems

    def rendered_escaped() -> object:
        try:
            made, text = template.render_escaped(JsonCells([escape(cell) for cell in cells]))
        except UserInputError as error:
            return error.problems
        return (None if made is None else unescape(made)), unescape(text)

    assert rendered_escaped() == rendered()


@pytest.mark.parametrize(
    "prompt", ["{{ row.items }}", "{{ self }}{{ a }}", "{{ row }}", "{{ row[a] }}", "{{ a | trim }}"]
)
def test_what_is_more_than_a_cell_is_left_to_jinja(prompt: str) -> None:
    assert compile_prompt(Recipe(model="m", prompt=prompt), COLUMNS)._plain_prompt is None


def test_a_prompt_of_fixed_text_and_cells_needs_no_jinja() -> None:
    template = compile_prompt(Recipe(model="m", prompt="问：{{ a }}，{{ row['b c'] }}\n"), COLUMNS)

    assert isinstance(template._plain_prompt, PlainPrompt)
    assert template._plain_prompt.fill([b"1", b"", b"2"]) == "问：1，2".encode()


def test_a_block_that_turns_out_uncertain_tells_of_no_quirks() -> None:
    """For ``csv`` reads it again, and tells of them then; and its quoted cells may be mixed up."""
    quirks = Quirks(",")
    quirks.joined.columns = 3
    odd = 'a,"=""007""",b\nx "y" z,k,l\n1,2,"c1\n3,4,c2\n5,6,c3"\n'

    block = CsvBlock(odd.encode(), 1, LineDecoder(Encoding("utf-8", is_certain=True)), quirks)

    assert not block.read().rows
    assert not block.is_certain
    assert list(quirks.warnings()) == []
