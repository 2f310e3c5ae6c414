"""Every cell of a table comes through every format, and no file crashes or hangs what reads it."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Callable

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from shared.events.oss import UploadedObject
from shared.pipeline.validate.validate_result import Validated
from shared.results.kept_rows import OriginalRow
from tests.support.builders import request_line
from tests.support.fake_provider import ScriptedProvider
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import Functions

QUICK = settings(max_examples=40)
ENDS = ("planned", "rejected")
# Fits any header. Rows that do not fit it are left out, so that plans are not rare.
RECIPE = (
    b"model: qwen-flash\nprompt: 'x{% for name in row %}{{ row[name] }}{% endfor %}'\non_bad_rows: skip\n"
)

# What XML can hold; a carriage return would come back as a line feed.
XML_TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n"),
    max_size=12,
).filter(lambda text: "_x" not in text)  # openpyxl does not escape what looks like an escape
ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)


def tables(cells: st.SearchStrategy[str]) -> st.SearchStrategy[list[list[str]]]:
    def of_width(width: int) -> st.SearchStrategy[list[list[str]]]:
        # The first cell is never empty, so that no row is.
        row = st.tuples(cells.map("r".__add__), *[cells] * (width - 1)).map(list)
        return st.lists(row, min_size=1, max_size=6)

    return st.integers(1, 4).flatmap(of_width)


def workbook(table: list[list[str]]) -> bytes:
    book = openpyxl.Workbook()
    for number, row in enumerate(table, start=1):
        for column, text in enumerate(row, start=1):
            cell = book.active.cell(number, column)
            cell.value, cell.data_type = text or None, "s" if text else "n"  # "=1" stays text
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def parquet(table: list[list[str]]) -> bytes:
    header, *rows = table
    columns = [pa.array([row[index] for row in rows], pa.string()) for index in range(len(header))]
    content = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(columns, names=header), content, row_group_size=2)
    return content.getvalue()


def csv(table: list[list[str]]) -> bytes:
    quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table)
    return "".join(f"{line}\n" for line in quoted).encode()


def dropped(key: str, content: bytes) -> tuple[Validated, MemoryStore]:
    """What is said of a file, and the bucket, in which there is a plan or a report and no more."""
    store = MemoryStore()
    store.put("inbox/recipe/batch.yaml", RECIPE)
    store.put(key, content)
    functions = Functions(store, ScriptedProvider(), FixedClock())

    said = functions.validate(UploadedObject("drop", key, "ignored"), "run-1")

    plans = [key for key in store.objects if key.endswith("/plan.json")]
    reports = [key for key in store.objects if key.endswith(".report.txt")]
    drafts = [key for key in store.objects if "/run-1/" in key]
    expected = {"planned": (1, 0), "rejected": (0, 1), "recipe": (0, 0)}
    assert (len(plans), len(reports)) == expected[said]
    assert said == "planned" or not drafts
    return said, store


def original_cells(store: MemoryStore) -> list[list[str]]:
    lines = [
        line
        for head in store.list("work/")
        if head.key.endswith(".rows.jsonl")
        for line in store.get(head.key).split(b"\n")
    ]
    return [list(OriginalRow.from_line(line).cells) for line in lines if line]


FORMATS: dict[str, tuple[str, Callable[[list[list[str]]], bytes]]] = {
    "xlsx": ("inbox/recipe/a.xlsx", workbook),
    "parquet": ("inbox/recipe/a.parquet", parquet),
    "csv.gz": ("inbox/recipe/a.csv.gz", lambda table: gzip.compress(csv(table))),
    "xlsx.gz": ("inbox/recipe/a.xlsx.gz", lambda table: gzip.compress(workbook(table))),
    "parquet.gz": ("inbox/recipe/a.parquet.gz", lambda table: gzip.compress(parquet(table))),
}


@QUICK
@given(rows=tables(XML_TEXT), name=st.sampled_from(sorted(FORMATS)))
def test_every_cell_of_a_table_is_kept_in_every_format(rows: list[list[str]], name: str) -> None:
    key, render = FORMATS[name]
    header = ["甲", "列2", "c", "d"][: len(rows[0])]

    _, store = dropped(key, render([header, *rows]))

    # calamine takes a text of nothing but XML's white space for none.
    is_sheet = name.startswith("xlsx")
    kept = [[cell if not is_sheet or cell.strip(" \t\r\n") else "" for cell in row] for row in rows]
    assert original_cells(store) == kept


@QUICK
@given(rows=tables(ANY_TEXT))
def test_a_parquet_file_keeps_what_no_spreadsheet_can_hold(rows: list[list[str]]) -> None:
    header = ["a", "b", "c", "d"][: len(rows[0])]

    assert original_cells(dropped("inbox/recipe/a.parquet", parquet([header, *rows]))[1]) == rows


WHOLE = [["a", "b"], *[[f"text {n}", str(n / 7)] for n in range(20)]]
KEYS = [key for key, _ in FORMATS.values()]


@QUICK
@given(
    key=st.sampled_from(KEYS),
    content=st.binary(max_size=300),
    magic=st.sampled_from([b"", b"PK\3\4", b"PAR1", b"\x1f\x8b\x08"]),
)
def test_any_bytes_under_any_name_end_in_a_plan_or_a_report(key: str, content: bytes, magic: bytes) -> None:
    said, _ = dropped(key, magic + content)

    assert said in ENDS


# Made once: a workbook holds the time at which it was made.
WHOLE_FILES = {name: render(WHOLE) for name, (_, render) in FORMATS.items()}


@QUICK
@given(data=st.data(), name=st.sampled_from(sorted(FORMATS)))
def test_a_damaged_file_ends_in_a_plan_or_a_report(data: st.DataObject, name: str) -> None:
    key, _ = FORMATS[name]
    content = bytearray(WHOLE_FILES[name])
    for _ in range(data.draw(st.integers(1, 5))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))

    said, _ = dropped(key, bytes(content))

    assert said in ENDS


@QUICK
@given(data=st.data())
def test_damage_inside_a_workbook_ends_in_a_plan_or_a_report(data: st.DataObject) -> None:
    damaged = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(WHOLE_FILES["xlsx"])) as old, zipfile.ZipFile(damaged, "w") as new:
        part = data.draw(st.sampled_from([name for name in old.namelist() if name.startswith("xl/")]))
        for name in old.namelist():
            content = bytearray(old.read(name))
            if name == part:
                place = data.draw(st.integers(0, len(content) - 1))
                content[place : place + data.draw(st.integers(0, 9))] = data.draw(st.binary(max_size=9))
            new.writestr(name, bytes(content))

    said, _ = dropped("inbox/recipe/a.xlsx", damaged.getvalue())

    assert said in ENDS


PIECES = st.binary(max_size=20) | st.sampled_from(
    [
        *(
            request_line("a"),
            request_line("b"),
            b"\n",
            b"\r\n",
            b",",
            b'"',
            b"\0",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
        ),
        *(
            b"{}",
            "编号,内容\n".encode(),
            "编号,内容\n".encode("gb18030"),
            b"PK\x03\x04",
            b"\x1f\x8b\x08",
            b"PAR1",
        ),
    ]
)


@settings(QUICK, max_examples=40)
@given(
    pieces=st.lists(PIECES, max_size=12),
    name=st.sampled_from(["a.jsonl", "a.ndjson", "a.csv", "a.tsv", "recipe/a.csv", "batch.yaml"]),
)
@example(pieces=[request_line("a"), b"\xff"], name="a.jsonl")
@example(pieces=["编号,内容\n".encode(), b"a,b\n", b'"\0",\xff\n'], name="recipe/a.csv")
def test_pieces_of_text_end_in_a_plan_or_a_report(pieces: list[bytes], name: str) -> None:
    said, _ = dropped(f"inbox/{name}", b"".join(pieces))

    assert said in ENDS


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (request_line("a") + request_line("b"), "a.jsonl"),
        ("甲,乙\n1,2\n".encode(), "a.csv"),
        ("编号,内容\n1,2\n".encode(), "recipe/a.csv"),
        ("编号,内容\n1,2\n".encode("gb18030"), "recipe/a.csv"),
    ],
)
def test_such_pieces_can_become_a_plan_in_each_folder(content: bytes, name: str) -> None:
    assert dropped(f"inbox/{name}", content)[0] == "planned"
