from __future__ import annotations

import pytest

from shared.inputs.reading import RowReader
from tests.support.reading import prompt_of, read_csv, read_two_columns, recipe

ASKED = recipe("model: qwen-plus\nprompt: '{{ text }}'\n")


def told(reader: RowReader) -> list[tuple[str, int | None, object]]:
    return [(each.code, each.line, each.values.get("cells")) for each in reader.facts.warnings]


@pytest.mark.parametrize(
    ("content", "prompts"),
    [
        ('id,text\n1, "good"\n2, "so so"\n', ["good", "so so"]),
        ('id, text\n"1", "good, bad"\n', ["good, bad"]),
        ('id, "text"\r\n1,   "say ""hi"""\r\n', ['say "hi"']),
        ('id; text; x\n1; "a; b"; "c"\n2; plain; "d"\n', ["a; b", "plain"]),
        ('id, text\n1, "two\nlines"\n2, ""\n3, "x"\n', ["two\nlines", "", "x"]),
        ('sep=;\nid; text\n1; "a, b"\n', ["a, b"]),
        ('id,text\n1, "评论，好"\n', ["评论，好"]),
    ],
)
def test_quotes_behind_blanks_are_quotes_if_all_are(content: str, prompts: list[str]) -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ text }}'\non_empty: skip\n")

    rows, reader = read_csv(content.encode(), with_recipe=asked)

    assert [prompt_of(row) if row.request else "" for row in rows] == prompts
    first = content[: content.index(' "')].count("\n") + 1
    assert ("blanks_before_quotes", first, None) in told(reader)
    assert all(row.problems == () or row.is_left_out for row in rows)


def test_they_are_so_in_two_columns_too() -> None:
    rows, reader = read_two_columns(b'q1, "good; bad"\nq2, "so, so"\n')

    assert [prompt_of(row) for row in rows] == ["good; bad", "so, so"]
    assert told(reader) == [("blanks_before_quotes", 1, None)]


def test_they_are_so_beyond_the_sample() -> None:
    content = "id, text\n" + '1, "a, b"\n' * 20_000

    rows, _ = read_csv(content.encode(), with_recipe=ASKED)

    assert len(rows) == 20_000
    assert {prompt_of(row) for row in rows} == {"a, b"}


@pytest.mark.parametrize(
    ("content", "prompts", "line", "cells"),
    [
        ('id,text\n"1","good"\n2, "so so"\n', ["good", ' "so so"'], 3, 1),
        ('text,x\n "a",b\nc, "d"\ne,"f"\n', [' "a"', "c", "e"], 2, 2),
        ('id,text\n1, "a" \n2, "b"\n', [' "a" ', ' "b"'], 2, 2),
    ],
)
def test_they_are_text_if_not_all_are_and_that_is_told(
    content: str, prompts: list[str], line: int, cells: int
) -> None:
    rows, reader = read_csv(content.encode(), with_recipe=ASKED)

    assert [prompt_of(row) for row in rows] == prompts
    assert told(reader) == [("quotes_kept", line, cells)]


@pytest.mark.parametrize(
    ("row", "prompt"),
    [
        ('1;He said, "yes"', 'He said, "yes"'),
        ('1; "yes" and no', ' "yes" and no'),
        ('1;"He said, ""yes"", twice"', 'He said, "yes", twice'),
        ('1; "', ' "'),
    ],
)
def test_quotes_in_a_sentence_are_of_it(row: str, prompt: str) -> None:
    rows, reader = read_csv(f"id;text\n{row}\n".encode(), with_recipe=ASKED)

    assert ([prompt_of(each) for each in rows], told(reader)) == ([prompt], [])


@pytest.mark.parametrize(
    ("content", "cells"),
    [
        ('id,text\n="0012",="good"\n', ("0012", "good")),
        ('id,text\n"=""0012""","=""say """"hi"""""""\n', ("0012", 'say "hi"')),
        ('id\ttext\n="0012"\t="good"\n', ("0012", "good")),
        ('id;text\n="12";="a,b"\n', ("12", "a,b")),
        ('id,text\n="",="后天"\n', ("", "后天")),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_a_text_written_as_a_formula_is_the_text(content: str, cells: tuple[str, ...], encoding: str) -> None:
    rows, reader = read_csv(content.encode(encoding), with_recipe=ASKED)

    assert [tuple(row.cells) for row in rows] == [cells]
    assert ("formula_texts", 2, 2) in told(reader)


def test_a_column_may_be_named_so() -> None:
    rows, reader = read_csv(b'="id",="text"\n="0012",good\n', with_recipe=ASKED)

    assert [tuple(row.cells) for row in rows] == [("0012", "good")]
    assert reader.facts.columns == ("id", "text")


@pytest.mark.parametrize(
    "cell", ['=A1&"x"', '="a"&"b"', "=0012", '<a href="x">', '="open', '==""', ' ="12"', '="12" ']
)
def test_other_formulas_stay_as_they_are(cell: str) -> None:
    rows, reader = read_csv(f"id,text\n1,{cell}\n".encode(), with_recipe=ASKED)

    assert ([prompt_of(row) for row in rows], told(reader)) == ([cell], [])
