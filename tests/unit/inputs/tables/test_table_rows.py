from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

import pytest

from shared.formats.charsets.decoding import EncodingMismatch, encoding_for
from shared.formats.sizes import MB
from shared.inputs.inbox_keys import InputKind
from shared.problems.render import render_problem
from tests.support.reading import RECIPE, codes, opened, prompt_of, read_csv, read_two_columns, recipe


def test_a_row_becomes_a_request_with_system_prompt_and_parameters() -> None:
    asked = recipe("""
model: qwen-plus
system: 你是分类员。
prompt: "评论：{{ 评论 }}"
parameters: {temperature: 0.1, enable_thinking: false}
""")

    (row,), reader = read_csv("编号,评论\n1,很好\n".encode(), with_recipe=asked)

    assert row.request is not None
    body = (
        b'{"model":"qwen-plus","messages":[{"role":"system","content":"\xe4\xbd\xa0\xe6\x98\xaf\xe5\x88\x86\xe7\xb1\xbb'
        b'\xe5\x91\x98\xe3\x80\x82"},{"role":"user","content":"\xe8\xaf\x84\xe8\xae\xba\xef\xbc\x9a\xe5\xbe\x88\xe5\xa5'
        b'\xbd"}],"temperature":0.1,"enable_thinking":false}'
    )
    custom_id = f"1-{hashlib.sha256(body).hexdigest()[:8]}"
    assert row.request == (
        b'{"custom_id":"%s","method":"POST","url":"/v1/chat/completions","body":%s}\n'
        % (custom_id.encode(), body)
    )
    assert (row.line, row.custom_id, row.cells) == (2, custom_id, ("1", "很好"))
    facts = reader.facts
    assert (facts.kind, facts.encoding, facts.delimiter, facts.columns) == (
        InputKind.RECIPE_CSV,
        "utf-8",
        ",",
        ("编号", "评论"),
    )
    assert (facts.model, facts.endpoint, facts.thinking, facts.rows) == (
        "qwen-plus",
        "/v1/chat/completions",
        False,
        1,
    )


def test_embeddings_get_the_prompt_as_input() -> None:
    asked = recipe("model: text-embedding-v4\nprompt: '{{ a }}'\nparameters: {dimensions: 1024}\n")

    (row,), _ = read_csv(b"a\nhello\n", with_recipe=asked)

    assert row.request is not None
    request = json.loads(row.request)
    assert request["url"] == "/v1/embeddings"
    assert request["body"] == {"model": "text-embedding-v4", "input": "hello", "dimensions": 1024}


def test_a_two_column_file_needs_no_recipe() -> None:
    rows, reader = read_two_columns('q-1,你好\n你-2,"a,\nb"\n'.encode())

    assert [row.custom_id for row in rows] == ["q-1", "你-2"]
    assert json.loads(rows[1].request or b"") == {
        "custom_id": "你-2",
        "method": "POST",
        "url": "/v1/chat/completions",
        "body": {
            "model": "qwen-plus",
            "messages": [
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": "a,\nb"},
            ],
        },
    }
    assert reader.facts.columns == ("id", "prompt")


@pytest.mark.parametrize(
    ("model", "url"), [("batch-test-model", "/v1/chat/ds-test"), ("text-embedding-v4", "/v1/embeddings")]
)
def test_a_two_column_file_uses_the_endpoint_of_the_default_model(model: str, url: str) -> None:
    (row,), _ = read_two_columns(b"1,hello\n", model=model)

    assert json.loads(row.request or b"")["url"] == url


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"1,a\n1,b\n", ["duplicate_custom_id"]),
        (b" ,a\n", ["empty_custom_id"]),
        (b"x" * 257 + b",a\n", ["custom_id_too_long"]),
        (b"1, \n", ["empty_prompt"]),
        (b"1,a\n2\n", ["ragged_row"]),
        (b"1,a,b\n", ["two_columns_expected"]),
        (b"a\n", ["two_columns_expected"]),
        (b",\n,\n", ["empty_file"]),
    ],
)
def test_what_is_wrong_in_a_two_column_file_is_told(content: bytes, found: list[str]) -> None:
    _, reader = read_two_columns(content)

    assert codes(reader) == found


TABLE = 'a,b\n你好,1\n"换\r\n行",2\n'
ENCODED = [
    (TABLE.encode(), "utf-8"),
    (TABLE.encode("utf-8-sig"), "utf-8"),
    (TABLE.encode("gb18030"), "gb18030"),
    (b"\x84\x31\x95\x33" + TABLE.encode("gb18030"), "gb18030"),
    (b"\xff\xfe" + TABLE.encode("utf-16-le"), "utf-16-le"),
    (b"\xfe\xff" + TABLE.encode("utf-16-be"), "utf-16-be"),
]


@pytest.mark.parametrize(("content", "encoding"), ENCODED)
@pytest.mark.parametrize("chunk_bytes", [1, 2, 3, 7, 1000])
def test_every_encoding_is_recognised_wherever_the_chunks_end(
    content: bytes, encoding: str, chunk_bytes: int
) -> None:
    rows, reader = read_csv(content, chunk_bytes=chunk_bytes)

    assert [row.cells for row in rows] == [("你好", "1"), ("换\r\n行", "2")]
    assert reader.facts.encoding == encoding


def test_the_encoding_of_the_recipe_is_not_questioned() -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ a }}'\nencoding: gb18030\n")

    rows, reader = read_csv("a\n联通\n".encode("gb18030"), with_recipe=asked)

    assert [row.cells for row in rows] == [("联通",)]
    assert reader.facts.encoding == "gb18030"


def test_utf16_without_a_bom_needs_the_recipe() -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ a }}'\nencoding: utf-16\n")

    rows, _ = read_csv(TABLE.encode("utf-16-le"), with_recipe=asked)

    assert [row.cells[0] for row in rows] == ["你好", "换\r\n行"]


def test_a_late_sign_of_gb18030_starts_over_before_any_row_is_out() -> None:
    row = '"' + "x" * 100_000 + '你好"\n'

    rows, reader = read_csv(b"a\n" + row.encode("gb18030"))

    assert rows[0].cells[0].endswith("x你好")
    assert reader.facts.encoding == "gb18030"
    assert len(rows) == reader.facts.rows == 1


def test_once_rows_are_out_the_caller_starts_over() -> None:
    content = b"a\n" + b"plain\n" * 20_000 + "你好\n".encode("gb18030")

    def chunks() -> Iterator[bytes]:
        return iter([content[:70_000], content[70_000:]])

    reader = opened("a.csv", chunks, RECIPE)
    with pytest.raises(EncodingMismatch) as mismatch:
        list(reader.rows())
    again = opened("a.csv", chunks, RECIPE, encoding=mismatch.value.next_encoding)
    rows = list(again.rows())

    assert len(rows) == 20_001
    assert rows[-1].cells == ("你好",)


def test_a_damaged_utf8_file_is_never_read_as_gb18030() -> None:
    content = "a\n" + "这是一条很长的评论，足够说明编码。\n" * 3
    damaged = content.encode() + b"\xe4\xbd!\n" + "完好\n".encode()

    rows, reader = read_csv(damaged)

    assert reader.facts.encoding == "utf-8"
    assert [row.request is None for row in rows] == [False, False, False, True, False]
    (problem,) = rows[3].problems
    assert (problem.code, problem.line, problem.found, problem.values) == (
        "invalid_encoding",
        5,
        "e4 bd 21",
        {"encoding": "utf-8", "position": 1},
    )


def test_bytes_of_no_encoding_are_told_for_both() -> None:
    _, reader = read_csv(b"a\nplain\n\x81\xff\xff\n")

    (problem,) = reader.problems.first
    assert (problem.code, problem.line) == ("unknown_encoding", 3)
    assert problem.values["utf8_bytes"] == "81 ff ff"
    assert set(problem.found or "") == {"\ufffd"}


def test_the_encoding_that_got_further_gives_the_line() -> None:
    _, reader = read_csv("a\né,x\n\n".encode() + b"\xff\n")

    assert reader.problems.first[0].line == 4


def test_damaged_utf16_is_one_problem_with_its_line() -> None:
    _, reader = read_csv(b"\xff\xfe" + "a\n你\n".encode("utf-16-le") + b"\x00\xd8\n\x00", chunk_bytes=3)

    assert [(problem.code, problem.line) for problem in reader.problems.first] == [("damaged_utf16", 3)]


def test_quotes_and_line_ends_inside_cells_are_kept() -> None:
    content = b'\n\na,b\r\n"x ""y"" , \rz","1\r\n2\n3"\r\n\r\n" ",\xe2\x80\xa8 5"6\n\n\r\n'

    rows, _ = read_csv(content)

    assert [(row.line, row.cells) for row in rows] == [
        (4, ('x "y" , \rz', "1\r\n2\n3")),
        (8, (" ", '\u2028 5"6')),
    ]


def test_a_row_of_another_width_is_told_with_both_numbers_and_keeps_its_cells() -> None:
    rows, _ = read_csv(b"a,b\n1\n1,2,3\n1,2\n")

    assert [row.cells for row in rows] == [("1",), ("1", "2", "3"), ("1", "2")]
    assert [[(problem.line, problem.values) for problem in row.problems] for row in rows] == [
        [(2, {"expected": 2, "found_columns": 1})],
        [(3, {"expected": 2, "found_columns": 3})],
        [],
    ]


def test_rows_are_numbered_by_their_place_even_if_others_are_bad() -> None:
    rows, _ = read_csv(b"a,b\n1\n1,2\n")

    assert [row.custom_id.partition("-")[0] for row in rows] == ["1", "2"]


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b'a,b\n1,2\n1,"2\n3,4\n', 3),
        (b'a,b\n"', 2),
        (b'"a,b\n', 1),
    ],
)
def test_a_quote_that_is_never_closed_is_one_problem_where_it_begins(content: bytes, line: int) -> None:
    rows, reader = read_csv(content)

    assert [(problem.code, problem.line) for problem in reader.problems.first] == [("unclosed_quote", line)]
    assert len(rows) <= 1


def test_a_forgotten_quote_that_meets_the_next_one_stops_the_file() -> None:
    _, reader = read_csv(b'a,b\n1,"2\n3,"4"\n5,6\n')

    (problem,) = reader.problems.first
    assert (problem.code, problem.line, problem.values) == ("broken_quotes", 2, {"last_line": 3})


def test_text_after_a_closing_quote_stops_the_file_if_another_cell_may_go_on() -> None:
    rows, reader = read_csv(b'a,b\n"x"y,"1\n2"\n3,4\n')

    assert rows == []
    assert [(problem.code, problem.line) for problem in reader.problems.first] == [("broken_quotes", 2)]


def test_text_after_a_closing_quote_is_the_problem_of_its_row_only() -> None:
    rows, reader = read_csv(b'a,b\n"x"y,1\n2,3\n')

    assert [(row.cells, row.request is None) for row in rows] == [(('"x"y,1',), True), (("2", "3"), False)]
    assert codes(reader) == ["bad_quote"]


def test_a_lone_carriage_return_is_the_problem_of_its_row() -> None:
    rows, reader = read_csv(b"a,b\n1\r2,3\n4,5\n")

    assert codes(reader) == ["lone_carriage_return"]
    assert [row.request is None for row in rows] == [True, False]


def test_an_unclosed_quote_does_not_swallow_memory() -> None:
    read = 0

    def chunks() -> Iterator[bytes]:
        nonlocal read
        yield b'a\n"never closed\n'
        for _ in range(200):
            read += MB
            yield (b"x" * 1023 + b"\n") * 1024

    reader = opened("a.csv", chunks, RECIPE)
    rows = list(reader.rows())

    assert rows == []
    assert [(problem.code, problem.line) for problem in reader.problems.first] == [("unclosed_quote", 2)]
    assert read <= 18 * MB


def test_a_line_that_is_larger_than_any_request_stops_the_file() -> None:
    def chunks() -> Iterator[bytes]:
        yield b"a\n"
        for _ in range(20):
            yield b"x" * MB

    reader = opened("a.csv", chunks, RECIPE)
    rows = list(reader.rows())

    assert rows == []
    assert [(problem.code, problem.line) for problem in reader.problems.first] == [("row_too_large", 2)]


def test_a_cell_over_128_kib_is_read() -> None:
    (row,), _ = read_csv(b"a\n" + b"x" * 200_000 + b"\n")

    assert len(prompt_of(row)) == 200_000


def test_a_nul_is_the_problem_of_its_row() -> None:
    rows, _ = read_csv(b"a\nx\0y\nz\n")

    assert [[(problem.code, problem.values) for problem in row.problems] for row in rows] == [
        [("nul_character", {"position": 2})],
        [],
    ]


def test_a_row_with_wrong_bytes_keeps_what_can_be_read_and_its_nul() -> None:
    rows, _ = read_csv(b"\xef\xbb\xbfa,b\nx\0\xff,y\n")

    assert rows[0].cells == ("x\0\ufffd", "y")
    assert [problem.code for problem in rows[0].problems] == ["invalid_encoding"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "empty_file"),
        (b"\xef\xbb\xbf", "empty_file"),
        (b"\n\r\n  \n", "empty_file"),
        (b"a\n", "no_rows"),
        (b"a", "no_rows"),
        (b"a,b\n,\n , \n", "no_rows"),
        (b"PK\x03\x04\x14\x00", "not_a_text_file"),
        (b"\xd0\xcf\x11\xe0", "not_a_text_file"),
        (b"\x1f\x8b\x08", "not_a_text_file"),
        (b"\x89PNG\r\n\x1a\n", "not_a_text_file"),
        (bytes(range(256)) * 4, "not_a_text_file"),
        (b"\x00\x01\x02\x03" * 4, "not_a_text_file"),
        ("编号,内容\n1,good\n2,bad\n".encode("utf-16-le"), "not_a_text_file"),
        (b"b\n1\n", "missing_column"),
        (b"a,a\n1,2\n", "duplicate_column"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_as_a_whole(content: bytes, code: str) -> None:
    rows, reader = read_csv(content)

    assert rows == []
    assert [problem.code for problem in reader.problems.first] == [code]


def test_utf16_without_its_mark_is_called_by_its_name() -> None:
    _, reader = read_csv("编号,a\n1,good\n2,bad\n".encode("utf-16-be"))

    assert reader.problems.first[0].values == {"reason": "UTF-16 without BOM"}


@pytest.mark.parametrize("content", [b"a\n" + b"\x1b[31mred\x1b[0m\n" * 9, b"a\n" + b"x\0y\n" * 15])
def test_a_few_control_characters_make_no_binary_file(content: bytes) -> None:
    rows, reader = read_csv(content)

    assert len(rows) in {9, 15}
    assert not reader.problems.total


def test_whatever_is_gbk_is_the_same_text_in_gb18030() -> None:
    def text_of(pair: bytes, encoding: str) -> str | None:
        try:
            return pair.decode(encoding)
        except UnicodeDecodeError:
            return None

    pairs = [bytes((first, second)) for first in range(0x100) for second in range(0x100)]
    in_gbk = {pair: text for pair in pairs if (text := text_of(pair, "gbk")) is not None}

    assert {pair: text_of(pair, "gb18030") for pair in in_gbk} == in_gbk


def test_a_cell_larger_than_a_block_and_the_rows_after_it_keep_their_lines() -> None:
    large = ('字,""\n' * 200_000).encode()

    rows, _ = read_csv(b'a,b\n"' + large + b'",1\nx,y\n"p\nq",2\n3\n')

    assert [row.line for row in rows] == [2, 200_003, 200_004, 200_006]
    assert len(rows[0].cells[0]) == 4 * 200_000
    assert rows[3].problems[0].line == 200_006


def test_after_an_uncertain_row_every_row_keeps_its_line() -> None:
    content = b"a,b\n" + b'1,"x\ny"\n5"6,7\n' * 30_000

    rows, reader = read_csv(content)

    assert reader.all_problems.total == 0
    assert [row.line for row in rows] == [line for n in range(30_000) for line in (2 + 3 * n, 4 + 3 * n)]
    assert rows[-1].cells == ('5"6', "7")


def test_a_missing_column_is_told_with_the_line_of_the_header() -> None:
    _, reader = read_csv(b"\n\nb\n1\n")

    (problem,) = reader.problems.first
    assert render_problem(problem, "zh").startswith(
        "prompt：要用到“a”列，但表头（第 3 行）中没有。表头有：b。"
    )
    assert "the header (line 3) does not have it. The header has: b." in render_problem(problem, "en")


def test_a_failing_template_is_the_problem_of_its_row() -> None:
    asked = recipe('model: qwen-plus\nprompt: "{{ 6 / (a | int) }}"\n')

    rows, _ = read_csv(b"a\n2\n0\n", with_recipe=asked)

    assert prompt_of(rows[0]) == "3.0"
    assert [(problem.code, problem.line, problem.field) for problem in rows[1].problems] == [
        ("template_failed", 3, "prompt")
    ]


def test_half_a_surrogate_pair_made_by_a_template_is_the_problem_of_its_row() -> None:
    asked = recipe("model: qwen-plus\nprompt: '{{ a }}{{ \"\\ud83d\" }}'\n")

    (row,), _ = read_csv(b"a\nx\n", with_recipe=asked)

    assert [(problem.code, problem.line) for problem in row.problems] == [("lone_surrogate", 2)]


def test_what_some_readers_take_for_line_ends_is_escaped_in_requests() -> None:
    (row,), _ = read_csv("a\nx\u2028\u2029\u0085\x1f\x0c\x7fy\n".encode())

    assert row.request is not None
    assert rb"x\u2028\u2029\u0085\u001f\f" + b"\x7fy" in row.request
    assert prompt_of(row) == "x\u2028\u2029\u0085\x1f\x0c\x7fy"


def test_a_request_over_the_limit_is_refused_and_a_large_one_is_warned_of() -> None:
    rows, reader = read_csv(b"a\n" + b"x" * (MB + 1) + b"\n" + b"y" * (6 * MB) + b"\n")

    assert [[problem.code for problem in row.problems] for row in rows] == [[], ["line_too_large"]]
    assert [(warning.code, warning.line) for warning in reader.facts.warnings] == [("line_large", 2)]


def test_a_prompt_over_the_limit_is_refused() -> None:
    _, reader = read_csv(b"a\n" + b"y" * (6 * MB + 1) + b"\n")

    assert codes(reader) == ["prompt_too_long"]


def test_rows_can_be_read_twice() -> None:
    reader = opened("a.csv", lambda: iter([b"a\n1\n2,3\n"]), RECIPE)

    first, second = list(reader.rows()), list(reader.rows())

    assert first == second
    assert (reader.facts.rows, reader.facts.bad_rows, reader.all_problems.total) == (2, 1, 1)


def test_the_proof_of_utf8_needs_characters_that_gb18030_hardly_makes() -> None:
    assert encoding_for("一".encode() * 15 + b"\xff", None, None).name == "gb18030"
    assert encoding_for("一".encode() * 16 + b"\xff", None, None).name == "utf-8"


ANY_CELLS = recipe("model: qwen-plus\nprompt: '{% for name in row %}{{ row[name] }}{% endfor %}'\n")
GOOD_FRENCH = "".join(f"{n},été à Besançon n° {n}\n" for n in range(2000)).encode()
GOOD_CHINESE = "".join(f"{n},质量很好的电饭煲\n" for n in range(2000)).encode()


@pytest.mark.parametrize(
    ("content", "bad_line"),
    [
        (b"id,text\n" + GOOD_FRENCH + b"x,pr\xe9parer\n", 2002),
        (b"id,text\n" + "Прайс,ночь\n".encode() * 2000 + "x,ночь\n".encode("cp1251"), 2002),
        ("编号,内容\n1,很好\n2,不错\n".encode() + "3,退货了\n".encode("gbk"), 4),
        ("编号,内容\n".encode() + "1,退货了\n".encode("gbk") + GOOD_CHINESE, 2),
        (b"id,text\n" + b"1,plain\n" * 20_000 + "2,é\n3,è\n".encode() + b"4,\xe9 \xe8\n", 20_004),
    ],
)
def test_a_wrong_byte_in_utf8_is_its_rows_problem_and_makes_no_other_encoding(
    content: bytes, bad_line: int
) -> None:
    rows, reader = read_csv(content, with_recipe=ANY_CELLS)

    assert reader.facts.encoding == "utf-8"
    assert [row.line for row in rows if row.problems] == [bad_line]
    assert rows[-1].problems == () or bad_line == rows[-1].line


@pytest.mark.parametrize(
    "text", ["编号,内容\n1,联通\n2,质量很好\n", "编号,内容\n" + "1,退货\n2,联通\n3,很好\n" * 9000]
)
def test_a_word_of_gb18030_that_is_utf8_by_chance_changes_nothing(text: str) -> None:
    rows, reader = read_csv(text.encode("gbk"), with_recipe=ANY_CELLS)

    assert reader.facts.encoding == "gb18030"
    assert not any(row.problems for row in rows)
