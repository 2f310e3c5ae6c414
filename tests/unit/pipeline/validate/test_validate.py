from __future__ import annotations

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.events.oss import UploadedObject
from tests.support.builders import request_line
from tests.support.fake_provider import ScriptedProvider
from tests.support.fakes import FixedClock, MemoryStore
from tests.support.functions import Functions

# Fits any header; rows that do not fit it are left out, or a plan would be a rare chance.
RECIPE = (
    b"model: qwen-flash\nprompt: 'x{% for name in row %}{{ row[name] }}{% endfor %}'\non_bad_rows: skip\n"
)
PIECES = st.lists(
    st.binary(max_size=20)
    | st.sampled_from(
        [
            request_line("a"),
            request_line("b"),
            b"\n",
            b"\r\n",
            b",",
            b'"',
            b"\0",
            b"\xff\xfe",
            b"\xef\xbb\xbf",
            b"{}",
        ]
    )
    | st.sampled_from(
        ["编号,内容\n".encode(), "编号,内容\n".encode("gb18030"), b"PK\x03\x04", b"\x1f\x8b\x08", b"PAR1"]
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(
    pieces=PIECES,
    name=st.sampled_from(["a.jsonl", "a.ndjson", "a.csv", "a.tsv", "recipe/a.csv", "batch.yaml"]),
)
@example(pieces=[request_line("a"), b"\xff"], name="a.jsonl")
@example(pieces=["编号,内容\n".encode(), b"a,b\n", b'"\0",\xff\n'], name="recipe/a.csv")
def test_any_file_becomes_a_plan_or_a_report(pieces: list[bytes], name: str) -> None:
    said_and_written(pieces, name)


@pytest.mark.parametrize(
    ("pieces", "name"),
    [
        ([request_line("a"), request_line("b")], "a.jsonl"),
        (["编号,内容\n".encode(), b"1,2\n"], "a.csv"),
        (["编号,内容\n".encode(), b"1,2\n"], "recipe/a.csv"),
        (["编号,内容\n".encode("gb18030"), b"1,2\n"], "recipe/a.csv"),
    ],
)
def test_the_pieces_of_any_file_can_become_a_plan_in_each_folder(pieces: list[bytes], name: str) -> None:
    assert said_and_written(pieces, name) == "planned"


def said_and_written(pieces: list[bytes], name: str) -> str:
    """What validating such a file says, after what it wrote was found to be just that."""
    store = MemoryStore()
    store.put("inbox/recipe/batch.yaml", RECIPE)
    store.put(f"inbox/{name}", b"".join(pieces))
    functions = Functions(store, ScriptedProvider(), FixedClock())

    said = functions.validate(UploadedObject("drop", f"inbox/{name}", "ignored", "upload-1"), "run-1")

    plans = [key for key in store.objects if key.endswith("/plan.json")]
    reports = [key for key in store.objects if key.endswith(".report.txt")]
    drafts = [key for key in store.objects if "/run-1/" in key]
    expected = {"planned": (1, 0), "rejected": (0, 1), "recipe": (0, 0)}
    assert (len(plans), len(reports)) == expected[said]
    assert said == "planned" or not drafts
    return said
