r"""What JSON allows and parsers disagree about: accepted or refused, the same on every path.

Request lines: the uploader can still mend them, and the provider's parser is unknown. What two
parsers could read in two ways is refused. Results: they are paid for, so all that can be read is
kept. Recipes: they are YAML, whose flow style reads nearly all JSON; what is no JSON stays the text
that was typed.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple

import pytest

from shared.inputs.requests.quick_requests import QuickRequests, RequestMode
from shared.problems.exceptions import UserInputError
from shared.providers.bailian.profile import BAILIAN
from shared.recipes.parse import parse_recipe
from shared.results.columns import RowStatus
from shared.results.replies.result_lines import parse_result_line
from tests.support.reading import codes, jsonl, read_jsonl, request_line

DEEP = b"[" * 97 + b"]" * 97
TOO_DEEP = b"[" * 99 + b"]" * 99
FAR_TOO_DEEP = b"[" * 100_000 + b"]" * 100_000
# What may make a result line unreadable; its text is kept in its row.
UNREADABLE = {"bad_json", "nul_character", "invalid_utf8"}


class Oddity(NamedTuple):
    """One odd value of a parameter, or of the first text in it.

    Attributes:
        value: As it is written in the line.
        refused: The problem in request lines; ``""`` if it is accepted.
        quick: Whether the fast parser is sure of it, so that the slow one is not asked.
        answer: What is kept of a result whose content is this, with one U+FFFD for any number of
            them; ``None`` if its line cannot be read.
        recipe: The problem in a recipe, or ``""`` and what it is read as in ``parameter``.
    """

    value: bytes
    refused: str
    quick: bool
    answer: str | None
    recipe: str
    parameter: Any = None


ODDITIES = {
    "U+2028, U+2029": Oddity(
        '"a\u2028b\u2029c"'.encode(), "", True, "a\u2028b\u2029c", "", "a\u2028b\u2029c"
    ),
    # YAML takes it for a line end, which a space stands for within quotes: https://yaml.org/spec/1.1/#b-next-line
    "U+0085": Oddity('"a\u0085b"'.encode(), "", True, "a\u0085b", "", "a b"),
    "escaped line ends": Oddity(
        rb'"a\r\n\u2028\u0085b"', "", True, "a\r\n\u2028\u0085b", "", "a\r\n\u2028\u0085b"
    ),
    "a carriage return within a text": Oddity(b'"a\rb"', "bad_json", False, "a\rb", "", "a b"),
    "escaped NUL": Oddity(rb'"a\u0000b"', "", True, "a\0b", "", "a\0b"),
    "NUL": Oddity(b'"a\0b"', "nul_character", False, "a\0b", "recipe_not_yaml"),
    "whole surrogate pair": Oddity(rb'"\ud83d\ude00"', "", True, "😀", "", "😀"),
    "lone high surrogate": Oddity(
        rb'"a\ud83db"', "lone_surrogate", False, "a\ufffdb", "recipe_lone_surrogate"
    ),
    "lone low surrogate": Oddity(
        rb'"a\ude00b"', "lone_surrogate", False, "a\ufffdb", "recipe_lone_surrogate"
    ),
    "invalid UTF-8": Oddity(b'"a\xffb"', "invalid_utf8", False, "a\ufffdb", "recipe_encoding"),
    # A recipe may be saved by an old editor on Windows.
    "GBK": Oddity('"你好"'.encode("gbk"), "invalid_utf8", False, "\ufffd", "", "你好"),
    "surrogate in UTF-8": Oddity(b'"\xed\xa0\x80"', "invalid_utf8", False, "\ufffd", "recipe_encoding"),
    "BOM within a text": Oddity('"a\ufeffb"'.encode(), "", True, "a\ufeffb", "", "a\ufeffb"),
    "NaN": Oddity(b"NaN", "json_constant", False, "NaN", "", "NaN"),
    "Infinity": Oddity(b"Infinity", "json_constant", False, "Infinity", "", "Infinity"),
    "integer of 40 digits": Oddity(b"9" * 40, "", False, "9" * 40, "", int("9" * 40)),
    "integer of 64 bits": Oddity(b"18446744073709551615", "", True, "18446744073709551615", "", 2**64 - 1),
    "integer of 308 digits": Oddity(b"9" * 308, "", False, "9" * 308, "recipe_number"),
    "number beyond 1e308": Oddity(b"1e999", "json_number", False, "Infinity", "recipe_number"),
    "number below -1e308": Oddity(b"-2e308", "json_number", False, "-Infinity", "recipe_number"),
    "integer of 309 digits": Oddity(b"9" * 309, "json_number", False, "9" * 309, "recipe_number"),
    "integer of 5,000 digits": Oddity(b"9" * 5000, "json_number", False, "9" * 5000, "recipe_number"),
    "number near 0": Oddity(b"1e-999", "", True, "0.0", "", 0.0),
    "leading zero": Oddity(b"01", "bad_json", False, None, "", "01"),
    "number without digits behind the point": Oddity(b"1.", "bad_json", False, None, "", "1."),
    "single quotes": Oddity(b"'a'", "bad_json", False, None, "", "a"),
    "comma behind the last": Oddity(b"[1,]", "bad_json", False, None, "", [1]),
    "comment": Oddity(b"1 // one", "bad_json", False, None, "", "1 // one"),
    "key twice": Oddity(b'{"b":1,"b":2}', "duplicate_key", False, '{"b":2}', "recipe_duplicate_key"),
    "key twice, once escaped": Oddity(
        b'{"b":1,"\\u0062":2}', "duplicate_key", False, '{"b":2}', "recipe_duplicate_key"
    ),
    "key twice, deep down": Oddity(
        b'[[{"x":{"b":1,"b":2}}]]', "duplicate_key", False, '[[{"x":{"b":2}}]]', "recipe_duplicate_key"
    ),
    "the same key in two objects": Oddity(
        b'[{"b":1},{"b":2}]', "", True, '[{"b":1},{"b":2}]', "", [{"b": 1}, {"b": 2}]
    ),
    "empty key": Oddity(b'{"":1}', "", True, '{"":1}', "", {"": 1}),
    "ninety-nine levels": Oddity(DEEP, "", True, DEEP.decode(), "recipe_too_deep"),
    "101 levels": Oddity(TOO_DEEP, "json_too_deep", False, TOO_DEEP.decode(), "recipe_too_deep"),
    "100,000 levels": Oddity(FAR_TOO_DEEP, "json_too_deep", False, None, "recipe_too_large"),
    "many brackets within a text": Oddity(b'"' + b"{[" * 200 + b'"', "", True, "{[" * 200, "", "{[" * 200),
}
PARAMETRIZED = pytest.mark.parametrize("oddity", ODDITIES.values(), ids=ODDITIES.keys())
MODE = RequestMode("/v1/chat/completions", "qwen-plus", None)


def odd_request(oddity: Oddity) -> bytes:
    return jsonl(request_line(custom_id="odd", body={"x": "HERE"})).replace(b'"HERE"', oddity.value)


@PARAMETRIZED
@pytest.mark.parametrize("before", [b"", jsonl(request_line())], ids=["first line", "later line"])
def test_request_lines_accept_it_unchanged_or_refuse_it(oddity: Oddity, before: bytes) -> None:
    line = odd_request(oddity)

    rows, reader = read_jsonl(before + line + jsonl(request_line(custom_id="next")))

    odd, following = rows[-2:]
    assert codes(reader) == ([oddity.refused] if oddity.refused else [])
    assert odd.request == (None if oddity.refused else line)
    assert following.request is not None


@PARAMETRIZED
def test_the_fast_parser_is_sure_of_what_is_common_and_never_of_what_is_refused(oddity: Oddity) -> None:
    found = QuickRequests(BAILIAN.rules).find_custom_id(odd_request(oddity), MODE)

    assert found == ("odd" if oddity.quick else None)


@PARAMETRIZED
def test_a_result_is_kept_as_far_as_it_can_be_read(oddity: Oddity) -> None:
    message = {"role": "assistant", "content": "HERE"}
    body = {"choices": [{"index": 0, "message": message}]}
    line = {
        "custom_id": "a",
        "response": {"status_code": 200, "request_id": "r", "body": body},
        "error": None,
    }

    answer = parse_result_line(json.dumps(line).encode().replace(b'"HERE"', oddity.value))

    if answer is None:
        assert oddity.answer is None or oddity.refused in UNREADABLE
    else:
        kept = re.sub("\ufffd+", "\ufffd", answer.content)
        assert (answer.status, kept) == (RowStatus.ANSWERED, oddity.answer)


@PARAMETRIZED
def test_a_recipe_takes_it_as_a_parameter_or_refuses_it(oddity: Oddity) -> None:
    recipe = b"model: qwen-plus\nprompt: '{{ a }}'\nparameters: {\"x\": " + oddity.value + b"}\n"
    found, parameter = "", None

    try:
        parameter = parse_recipe(recipe, BAILIAN).parameters["x"]
    except UserInputError as refusal:
        found = refusal.problems[0].code

    assert (found, parameter) == (oddity.recipe, oddity.parameter)


BOM = b"\xef\xbb\xbf"
FRAMES = {
    "CRLF": (b"", b"\r\n"),
    "no line end": (b"", b""),
    "blanks around": (b" \t", b" \t \n"),
    "blank lines before": (b"\n \t\r\n\n", b"\n"),
}


@pytest.mark.parametrize(("before", "after"), FRAMES.values(), ids=FRAMES.keys())
@pytest.mark.parametrize("good_lines", [0, 1])
def test_line_ends_blank_lines_and_a_bom_are_no_part_of_a_request(
    before: bytes, after: bytes, good_lines: int
) -> None:
    content = jsonl(request_line(custom_id="odd")).removesuffix(b"\n")

    rows, reader = read_jsonl(BOM + jsonl(request_line()) * good_lines + before + content + after)

    assert codes(reader) == []
    assert rows[-1].line == good_lines + before.count(b"\n") + 1
    assert rows[-1].request is not None
    assert rows[-1].request.endswith(b"\n")
    assert rows[-1].request.strip() == content


@pytest.mark.parametrize("good_lines", [0, 1])
def test_a_bom_is_dropped_where_files_were_joined(good_lines: int) -> None:
    second = jsonl(request_line(custom_id="odd"))

    rows, reader = read_jsonl(jsonl(request_line()) * good_lines + b"\n" + BOM + second)

    assert codes(reader) == []
    assert rows[-1].request == second


def test_a_line_of_6_mb_is_accepted_and_one_byte_more_is_not() -> None:
    line = jsonl(request_line(custom_id="odd", body={"user": "HERE"})).removesuffix(b"\n")
    filler = 6_000_000 - len(line) + len(b"HERE")
    longest, longer = (line.replace(b"HERE", b"x" * size) for size in (filler, filler + 1))

    for before in (b"", jsonl(request_line())):
        assert codes(read_jsonl(before + longest + b"\n")[1]) == []
        assert codes(read_jsonl(before + longer + b"\n")[1]) == ["line_too_large"]
        assert codes(read_jsonl(before + longer)[1]) == ["line_too_large"]
