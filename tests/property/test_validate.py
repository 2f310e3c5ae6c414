from __future__ import annotations

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from shared.domain.events import UploadedObject
from shared.domain.limits import bailian_limits_for
from shared.services.validate_file import ValidateFile
from tests.builders import request_line
from tests.fakes import FixedClock, MemoryStore

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
def test_any_file_becomes_a_plan_or_a_report(pieces: list[bytes], name: str) -> None:
    store = MemoryStore()
    store.put("inbox/recipe/batch.yaml", b"model: qwen-flash\nprompt: '{{ row[0] }}'\n")
    store.put(f"inbox/{name}", b"".join(pieces))
    validate = ValidateFile(store, FixedClock(), bailian_limits_for, "qwen-flash", "run-1")

    said = validate(UploadedObject("drop", f"inbox/{name}", "ignored", "upload-1"))

    plans = [key for key in store.objects if key.endswith("/plan.json")]
    reports = [key for key in store.objects if key.endswith(".report.txt")]
    drafts = [key for key in store.objects if "/run-1/" in key]
    expected = {"planned": (1, 0), "rejected": (0, 1), "recipe": (0, 0)}
    assert (len(plans), len(reports)) == expected[said]
    assert said == "planned" or not drafts
