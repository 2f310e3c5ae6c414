from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.formats.heads import without_bom
from shared.formats.lines import numbered_lines
from shared.inputs.rows import InputFacts, InputRow
from shared.pipeline.jobs.report import render_report_csv, render_report_text
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.parse import parse_recipe
from shared.recipes.recipe import Recipe
from tests.support.reading import assert_told, prompt_of, read_rows

QUICK = settings(max_examples=60)

# Everything that a table may hold but NUL, with more of the characters that mean something on the
# way. Of the control characters only those of texts: a small table of others counts as binary.
CHARACTERS = st.one_of(
    st.sampled_from("\",;\t\n\r |'{}%#=你好，。\u2028\u2029\u0085\x0b\x0c\x1c\x7f\ufeff😀"),
    st.characters(exclude_categories=["Cs", "Cc"]),
)
CELLS = st.text(CHARACTERS, max_size=12)
ENCODINGS = {
    "utf-8": (b"", "utf-8"),
    "utf-8-sig": (b"\xef\xbb\xbf", "utf-8"),
    "gb18030": (b"", "gb18030"),
    "utf-16-le": (b"\xff\xfe", "utf-16-le"),
    "utf-16-be": (b"\xfe\xff", "utf-16-be"),
}
ALL_CELLS = Recipe(model="qwen-plus", prompt="[{% for name in row %}{{ row[name] }}{% endfor %}]")
KINDS = [("a.jsonl", None), ("a.csv", ALL_CELLS), ("a.csv", None)]


def read(
    name: str, content: bytes, chunk_bytes: int = 256 * 1024, with_recipe: Recipe | None = ALL_CELLS
) -> tuple[list[InputRow], InputFacts, Any]:
    rows, reader = read_rows(name, content, with_recipe, chunk_bytes=chunk_bytes)
    return rows, reader.facts, reader.all_problems


def as_csv(
    table: list[list[str]], delimiter: str = ",", line_end: str = "\n", *, quote_all: bool = True
) -> str:
    """RFC 4180. Python's writer does not quote a carriage return if lines end in a line feed."""

    def cell(text: str) -> str:
        plain = text and not quote_all and not set(text) & {delimiter, '"', "\r", "\n"}
        return text if plain else '"' + text.replace('"', '""') + '"'

    return "".join(delimiter.join(map(cell, row)) + line_end for row in table)


@st.composite
def tables(draw: st.DrawFn) -> list[list[str]]:
    width = draw(st.integers(1, 4))
    rows = draw(st.lists(st.lists(CELLS, min_size=width, max_size=width), max_size=6))
    return [["甲", "列2", "c", "d"][:width], *rows]


@QUICK
@given(
    table=tables(),
    encoding=st.sampled_from(sorted(ENCODINGS)),
    form=st.tuples(
        st.sampled_from(",;\t"),
        st.sampled_from(["\n", "\r\n"]),
        st.booleans(),
    ),
    chunk_bytes=st.integers(1, 50),
)
def test_every_cell_of_a_table_is_kept_exactly(
    table: list[list[str]], encoding: str, form: tuple[str, str, bool], chunk_bytes: int
) -> None:
    delimiter, line_end, quote_all = form
    header, *rows = table
    # With a single column the header has no delimiter in it, and only a comma is then assumed.
    text = as_csv(table, delimiter if len(header) > 1 else ",", line_end, quote_all=quote_all)
    bom, codec = ENCODINGS[encoding]
    content = bom + text.encode(codec)

    # Whether GB18030 is found depends on the text, and these are no words.
    named = ALL_CELLS.model_copy(update={"encoding": codec}) if codec == "gb18030" else ALL_CELLS
    made, facts, _ = read("a.csv", content, chunk_bytes, named)

    rows = [cells for cells in rows if any(cell.strip() for cell in cells)]
    assert [list(row.cells) for row in made] == rows
    assert facts.columns == tuple(header)
    assert facts.encoding == codec
    for row, cells in zip(made, rows, strict=True):
        assert prompt_of(row) == f"[{''.join(cells)}]"


@QUICK
@given(content=st.binary(max_size=300), kind=st.sampled_from(KINDS), chunk_bytes=st.integers(1, 300))
@example(content=b'"' * 5, kind=("a.csv", None), chunk_bytes=1)
@example(content=b"\xff\xfe\x00", kind=("a.csv", ALL_CELLS), chunk_bytes=1)
@example(content=b"\xff\xfe\x00\xd8,\x00", kind=("a.csv", ALL_CELLS), chunk_bytes=2)
def test_any_bytes_end_in_rows_or_in_problems(
    content: bytes, kind: tuple[str, Recipe | None], chunk_bytes: int
) -> None:
    name, with_recipe = kind
    rows, facts, problems = read(name, content, chunk_bytes, with_recipe)

    assert any(row.request for row in rows) or problems.total
    assert all((row.request is None) == bool(row.problems) for row in rows)
    assert_told(problems.first)
    render_report_text("x", problems, facts)
    render_report_csv(problems)


NEAR_CSV = st.lists(
    st.sampled_from([b'"', b",", b"\n", b"\r", b"a", b";", "你".encode(), "好".encode("gbk")])
)


@QUICK
@given(
    parts=NEAR_CSV,
    with_recipe=st.sampled_from([ALL_CELLS, None]),
    size=st.integers(1, 9),
)
def test_where_chunks_end_makes_no_difference(
    parts: list[bytes], with_recipe: Recipe | None, size: int
) -> None:
    content = b"".join(parts)

    whole = read("a.csv", content, with_recipe=with_recipe)
    pieces = read("a.csv", content, size, with_recipe)

    assert whole[:2] == pieces[:2]
    assert whole[2].first == pieces[2].first


@QUICK
@given(
    texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=8),
    line_end=st.sampled_from(["\n", "\r\n", "\n\n"]),
    escaped=st.booleans(),
    chunk_bytes=st.integers(1, 300),
)
def test_good_request_lines_pass_unchanged_and_in_order(
    texts: list[str], line_end: str, escaped: bool, chunk_bytes: int
) -> None:
    lines = [
        json.dumps(
            {
                "custom_id": f"{number}-{text}",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"model": "qwen-plus", "messages": [{"role": "user", "content": text}]},
            },
            ensure_ascii=escaped,
        )
        for number, text in enumerate(texts)
    ]

    rows, _, _ = read("a.jsonl", line_end.join(lines).encode(), chunk_bytes)

    assert [row.request for row in rows] == [line.encode() + b"\n" for line in lines]
    assert [row.custom_id for row in rows] == [f"{number}-{text}" for number, text in enumerate(texts)]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.sampled_from(
    ["custom_id", "method", "url", "body", "model", "messages", "enable_thinking", "extra_body"]
)


@QUICK
@given(requests=st.lists(st.dictionaries(FIELDS, JSON | st.dictionaries(FIELDS, JSON)), max_size=5))
def test_any_json_in_any_field_is_accepted_or_refused_on_purpose(requests: list[dict[str, Any]]) -> None:
    content = "\n".join(json.dumps(request) for request in requests).encode()

    rows, _, problems = read("a.jsonl", content)

    told = {each.code for each in problems.first}
    assert len(rows) == len(requests) or told <= {"foreign_lines", "bare_lines", "table_as_jsonl"}
    assert_told(problems.first)


BYTES_WITH_LINES = st.lists(st.sampled_from([b"\n", b"\r", b"ab", b"abc", b"\xef", b"\xbb", b"\xbf"])).map(
    b"".join
)


@QUICK
@given(chunks=st.lists(BYTES_WITH_LINES), max_line_bytes=st.integers(0, 6))
def test_lines_are_what_split_at_line_feeds_gives(chunks: list[bytes], max_line_bytes: int) -> None:
    expected = b"".join(chunks).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    if not expected[-1]:
        expected.pop()

    lines = list(numbered_lines(without_bom(chunks), max_line_bytes))

    assert [line.size_bytes for line in lines] == [len(content) for content in expected]
    assert [line.content and line.content.removesuffix(b"\n") for line in lines] == [
        content if len(content) <= max_line_bytes else None for content in expected
    ]


YAML_PIECES = st.lists(
    st.sampled_from(
        [
            *"[]{}'|>~%-\t你1\n",
            *["model", "prompt", "parameters", "output", "attempts", "&x", "*x", "!!int", "1e999", "---"],
        ]
    )
    | st.sampled_from([": ", "  ", "- ", '"', "{{ a }}", "{%", "# c", "\\ud800"]),
    max_size=25,
)


@QUICK
@example(parts=['"', "\\ud800", '"', ": ", "~", "["])
@given(parts=YAML_PIECES)
def test_any_recipe_is_understood_or_refused_with_reasons(parts: list[str]) -> None:
    refused: tuple[Problem, ...] = ()

    try:
        parse_recipe("".join(parts).encode(), BAILIAN)
    except UserInputError as refusal:
        refused = refusal.problems

    assert_told(refused)


@QUICK
@given(content=st.binary(max_size=60))
def test_any_bytes_are_a_recipe_or_refused_with_reasons(content: bytes) -> None:
    refused: tuple[Problem, ...] = ()

    try:
        parse_recipe(content, BAILIAN)
    except UserInputError as refusal:
        refused = refusal.problems

    assert_told(refused)


TEMPLATE_PIECES = st.lists(
    st.sampled_from(
        [
            *".|()+*1-='[] \n",
            *[
                "{{",
                "}}",
                "{%",
                "%}",
                "{#",
                "#}",
                "a",
                "row",
                "['a']",
                "upper",
                "if",
                "for",
                "in",
                "set",
                "macro",
                "call",
                "raw",
            ],
        ]
    )
    | st.sampled_from(["endif", "endfor", "filter", '"']),
    max_size=15,
)


@QUICK
@given(parts=TEMPLATE_PIECES.filter(lambda parts: "".join(parts).strip()), cell=CELLS)
def test_any_template_over_any_cell_ends_in_a_prompt_or_in_problems(parts: list[str], cell: str) -> None:
    made = Recipe(model="qwen-plus", prompt="".join(parts))
    content = as_csv([["a"], [cell or "x"]]).encode()

    rows, reader = read_rows("a.csv", content, made)

    assert rows or reader.problems.total
