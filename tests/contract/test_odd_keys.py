"""Odd file names, also an attacker's: each works like any other, or is refused with a report."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.oss_events import render_oss_event
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage.object_files import Layout
from shared.bucket.attempt import JobId
from shared.bucket.records.plan import Plan
from shared.bucket.result_names import rejection_keys_for, report_key_for, superseded_result_key_for
from shared.events.oss import parse_oss_events
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ConfigurationError
from shared.runtime.context import Credentials, FcContext
from shared.runtime.wiring.validate import validate_file
from shared.stores.oss.store import open_oss_store
from tests.support.waiting import PATIENCE_S

GOOD, BAD = b"1,hello\n", b"not,even\nragged\n"
FULL = 1023 - len("inbox/")
FOLDERS = "d" * 19 + "/"  # a recipe is looked for in each, so the deepest path of all is only stored
CONTEXT = FcContext(given_credentials=Credentials("key", SecretStr("word")))


def filled(text: str, size_bytes: int = FULL) -> str:
    """A path of exactly this many bytes: folders of 200 bytes, then what fits."""
    folders = "/".join(["d" * 200] * ((size_bytes - 60) // 201)) + "/"
    room = size_bytes - len(folders) - len(".csv")
    name = text * (room // len(text.encode()))
    return folders + name + "x" * (room - len(name.encode())) + ".csv"


WORKING = {
    "percents": "100%/a%2Fb%41%.csv",
    "percent-encoded dots": "%2e%2e/%2e/b.csv",
    "plus and spaces": "a+b  c/ x .csv",
    "emoji and Chinese": "😀/👩‍👩‍👧/客户/名单（一）.csv",
    "controls": "a\x01\x02\x1f\x7f\tb.csv",
    "nul": "a\x00b/c\x00d.csv",
    "line ends": "a\nb\r\nc\u2028d\u0085e.csv",
    "quotes and a URL's marks": "a'\"`<>&b?c#d&e=f;g:h@i.csv",
    "backslash": "\\..\\..\\x.csv",
    "two slashes": "a//b.csv",
    "a slash first": "/b.csv",
    "dots": "a../..b/c...csv",
    "right to left": "\u202excsv.csv",
    "composed and decomposed": "é/e\u0301.csv",
    "no character and private use": "a\ufffe\uffffb\ufeff/\ue000\U0010ffff.csv",
    "formula": "=cmd|' /C calc'!A0.csv",
    "a template": "{{ 7*7 }}${x}%(y)s{0}.csv",
    "a file and a folder": "x.csv/x.csv",
    "1,023 bytes of Chinese": filled("文"),
    "1,023 bytes of emoji": filled("😀"),
    "1,023 bytes of folders": FOLDERS * ((FULL - 5) // 20) + "x" * ((FULL - 5) % 20) + "y.csv",
    "a name of 300 bytes": "x" * 300 + ".csv",
}
REFUSED = {
    "up": "../x.csv",
    "far up": "../../../../../../../../tmp/x.csv",
    "into results": "../results/x.csv",
    "up inside": "a/../b.csv",
    "here": "./x.csv",
    "up in 1,023 bytes": "../" + filled("x", FULL - 3),
}


@dataclass(frozen=True)
class Bucket:
    """A local OSS, reached through oss2, and the events that it sent."""

    store: ObjectStore
    events: queue.Queue[ObjectEvent]
    data_dir: Path

    def drop(self, key: str, content: bytes) -> str:
        """Upload a file, and have it validated as its event names it."""
        self.store.put(key, content)
        event = self.events.get(timeout=PATIENCE_S)
        (upload,) = parse_oss_events(render_oss_event(event))
        assert upload.key == key
        said = validate_file(CONTEXT)(upload)
        while not self.events.empty():
            self.events.get()
        return said

    def names(self, prefix: str = "") -> set[str]:
        return {each.key for each in self.store.list(prefix)}

    def plan(self) -> Plan:
        (key,) = (key for key in self.names("jobs/") if key.endswith("/plan.json"))
        return Plan.model_validate_json(self.store.get(key))


@pytest.fixture
def bucket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bucket]:
    events: queue.Queue[ObjectEvent] = queue.Queue()
    data_dir = tmp_path / "down" / "data"
    with LocalOss(data_dir, {"key": "word"}, "cn-beijing", events.put) as oss:
        oss.storage.create_bucket("drop")
        store = open_oss_store(
            oss.url, "cn-beijing", "drop", access_key_id="key", access_key_secret="word", security_token=None
        )
        monkeypatch.setenv("BUCKET_NAME", "drop")
        monkeypatch.setenv("OSS_ENDPOINT", oss.url)
        monkeypatch.setenv("OSS_REGION", "cn-beijing")
        yield Bucket(store, events, data_dir)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.relative_to(data_dir).parts[0] for path in files} <= {"drop", ".localcloud"}


def assert_is_a_name_like_any_other(store: ObjectStore, key: str) -> None:
    assert 1 <= len(key.encode()) <= 1023
    store.put(key, b"content")
    head = store.head(key)
    assert head is not None
    assert (store.get(key), head.size_bytes) == (b"content", 7)
    assert key in {each.key for each in store.list(key[: len(key) // 2])}
    store.delete(key)
    assert store.head(key) is None


@pytest.mark.parametrize("name", WORKING.values(), ids=WORKING)
def test_an_odd_name_is_refused_with_a_report_and_planned_once_its_file_is_mended(
    bucket: Bucket, name: str
) -> None:
    key = f"inbox/{name}"

    refused = bucket.drop(key, BAD)

    reports = bucket.names("rejected/")
    assert refused == "rejected"
    assert reports == set(rejection_keys_for(key))
    for report in reports:
        lines = bucket.store.get(report).decode("utf-8-sig").split("\r\n")
        assert not [line for line in lines if "\n" in line or "\r" in line or "\0" in line]

    said = bucket.drop(key, GOOD)

    plan = bucket.plan()
    assert said == "planned"
    assert plan.source.key == key
    assert len(bucket.names("ready/")) == 1
    assert bucket.names("rejected/") == set()
    superseded = superseded_result_key_for(plan.result_key, JobId(plan.job_id))
    for place in (plan.result_key, report_key_for(plan.result_key), superseded):
        assert place.startswith("results/")
        assert_is_a_name_like_any_other(bucket.store, place)


def test_the_deepest_path_is_a_name_like_any_other(bucket: Bucket) -> None:
    assert_is_a_name_like_any_other(bucket.store, "results/" + "d/" * 505 + "y.csv")


@pytest.mark.parametrize("name", REFUSED.values(), ids=REFUSED)
def test_a_path_that_could_lead_elsewhere_is_refused_with_a_report_in_plain_sight(
    bucket: Bucket, name: str
) -> None:
    key = f"inbox/{name}"

    said = [bucket.drop(key, GOOD) for _ in range(2)]

    text_key, csv_key = rejection_keys_for(key)
    others = {each for each in bucket.names() if not each.startswith("jobs/uploads/")}
    assert said == ["rejected"] * 2
    assert others == {key, text_key, csv_key}
    assert not {".", ".."} & set(text_key.split("/"))
    assert "[dot_segment]" in bucket.store.get(text_key).decode("utf-8-sig")


@pytest.mark.parametrize("key", ["inbox/" + "x" * (FULL + 1), "inbox/" + "文" * 340])
def test_a_name_that_is_longer_than_any_cannot_be_dropped(bucket: Bucket, key: str) -> None:
    with pytest.raises(ConfigurationError, match="InvalidObjectName"):
        bucket.store.put(key, GOOD)
    assert bucket.names() == set()


def test_two_refused_paths_never_share_a_report() -> None:
    keys = ["inbox/a/../b.csv", "inbox/a/__/b.csv", "inbox/a/./../b.csv", "inbox/../a/b.csv", "inbox/a/b.csv"]

    assert len({rejection_keys_for(key)[0] for key in keys}) == len(keys)


segments = st.one_of(
    st.sampled_from(
        ["", ".", "..", "...", "~", "%2e%2e", "..\\..", ".localcloud", "C:", "\0", "bucket", "a"]
    ),
    st.text(max_size=8),
)


@given(
    st.lists(segments, min_size=1, max_size=8).map("/".join).filter(lambda key: key.encode(errors="ignore"))
)
def test_no_key_has_its_file_outside_its_bucket(tmp_path_factory: pytest.TempPathFactory, key: str) -> None:
    layout = Layout(tmp_path_factory.getbasetemp() / "layout" / "data")
    own = (layout.bucket_dir("drop"), layout.hashed_dir("drop"))
    for folder in own:
        folder.mkdir(parents=True, exist_ok=True)
    try:
        place = layout.place_for("drop", key)
    except (UnicodeEncodeError, OSError):
        return

    assert any(folder.resolve() in place.resolve().parents for folder in own)
