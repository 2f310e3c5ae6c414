from __future__ import annotations

import codecs
import json

import pytest

from shared.problems.render import render_problem
from tests.support.reading import codes, jsonl, read_jsonl, request_line

REQUESTS = [request_line(custom_id=f"a-{number}") for number in range(3)]
LINES = [json.dumps(each) for each in REQUESTS]

DOCUMENTS = {
    "array": json.dumps(REQUESTS),
    "array, a request a line": "[\n" + ",\n".join(LINES) + "\n]\n",
    "array, bracket on the first line": "[" + ",\n".join(LINES) + "]",
    "array, indented": json.dumps(REQUESTS, indent=4),
    "array, blank lines first": "\n\n  " + json.dumps(REQUESTS, indent=1),
    "array, old line ends": json.dumps(REQUESTS, indent=1).replace("\n", "\r"),
    "empty array": "[]",
    "indented object": json.dumps(REQUESTS[0], indent=2),
    "indented objects": "\n".join(json.dumps(each, indent=2) for each in REQUESTS),
    "indented with tabs": json.dumps(REQUESTS[0], indent="\t"),
    "indented, CRLF": json.dumps(REQUESTS[0], indent=2).replace("\n", "\r\n"),
    "broken after the body": LINES[0].replace('"body"', '\n"body"'),
    "object around a list": json.dumps({"requests": REQUESTS}),
    "object around a list, indented": json.dumps({"requests": REQUESTS}, indent=2),
    "lines with commas": ",\n".join(LINES) + "\n",
    "one line with a comma": LINES[0] + ",\n",
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be"])
@pytest.mark.parametrize("form", DOCUMENTS)
def test_a_json_document_is_one_problem(form: str, encoding: str) -> None:
    bom = codecs.BOM_UTF16_BE if encoding == "utf-16-be" else b""

    rows, reader = read_jsonl(bom + DOCUMENTS[form].encode(encoding))

    assert (codes(reader), rows) == (["json_document"], [])


def test_a_document_longer_than_what_is_looked_at_is_one_problem_too() -> None:
    many = [request_line(custom_id=f"a-{number}") for number in range(2000)]

    assert codes(read_jsonl(json.dumps(many).encode())[1]) == ["json_document"]
    assert codes(read_jsonl(json.dumps(many, indent=2).encode())[1]) == ["json_document"]


def test_the_sentence_names_the_form_in_both_languages() -> None:
    _, reader = read_jsonl(DOCUMENTS["array"].encode())

    (problem,) = reader.problems.first
    assert "数组" in render_problem(problem, "zh")
    assert "all requests stand in one list" in render_problem(problem, "en")


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("\n".join(LINES), []),
        ("\n".join(LINES) + "\n", []),
        (LINES[0][:60] + "\n" + LINES[1] + "\n", ["bad_json"]),
        (LINES[0][:60], ["bad_json"]),
        ('["a"]\n' + LINES[1] + "\n", ["not_an_object"]),
        ('["a", "b"]\n["c", "d"]\n', ["not_an_object", "not_an_object"]),
        ("[INFO] started\n" + LINES[0] + "\n", ["bad_json"]),
        ("{'custom_id': 1}\n" + LINES[0] + "\n", ["bad_json"]),
        (LINES[0] + "\n" + LINES[1] + ",\n", ["bad_json"]),
    ],
)
def test_lines_stay_judged_one_by_one(content: str, found: list[str]) -> None:
    _, reader = read_jsonl(content.encode())

    assert codes(reader) == found


@pytest.mark.parametrize("end", ["\r", ""])
@pytest.mark.parametrize("chunk_bytes", [1, 1000])
def test_requests_whose_lines_end_with_a_carriage_return_alone_are_read(end: str, chunk_bytes: int) -> None:
    rows, reader = read_jsonl(("\r".join(LINES) + end).encode(), chunk_bytes=chunk_bytes)

    assert [row.request for row in rows] == [line.encode() + b"\n" for line in LINES]
    assert reader.all_problems.total == 0


def test_a_byte_order_mark_where_files_were_joined_is_dropped() -> None:
    content = b"\xef\xbb\xbf" + jsonl(*REQUESTS[:2]) + b"\xef\xbb\xbf" + jsonl(REQUESTS[2])

    rows, reader = read_jsonl(content)

    assert reader.all_problems.total == 0
    assert [row.request for row in rows] == [jsonl(each) for each in REQUESTS]


@pytest.mark.parametrize("stream", [True, "true", 1, 0, {}, "false"])
def test_a_stream_is_refused(stream: object) -> None:
    good = request_line(custom_id="good")

    rows, reader = read_jsonl(jsonl(good, request_line(body={"stream": stream})))

    assert codes(reader) == ["stream_in_batch"]
    assert rows[0].request is not None


@pytest.mark.parametrize("body", [{"stream": False}, {"stream": None}, {"n": 3}, {"stream_options": None}])
def test_what_does_no_harm_stays_accepted(body: dict[str, object]) -> None:
    good = request_line(custom_id="good")

    _, reader = read_jsonl(jsonl(good, request_line(custom_id="2", body=body)))

    assert reader.all_problems.total == 0
