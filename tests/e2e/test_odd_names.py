"""Files with odd names, all the way to their results, through every service and every function."""

from __future__ import annotations

import csv
import io
import json

import oss2

from scripts.localcloud.answers.built_in_texts import answer_for
from shared.bucket.result_names import rejection_keys_for, report_key_for, result_key_for
from tests.e2e.conftest import RunningCloud
from tests.support.waiting import wait_until

LONG = "/".join(["d" * 200] * 4) + "/"
NAMES = {
    "control": "a\x01\x1f\x7fb\nc.csv",
    "percent": "%2e%2e/100%41%.csv",
    "plus": "a+b  c&d=e?f#g.csv",
    "emoji": "😀/👩‍👩‍👧.csv",
    "backslash": "\\..\\x.csv",
    "full": LONG + "文" * ((1023 - len("inbox/names/") - len(LONG) - len(".csv")) // 3) + ".csv",
}


def content_of(cloud: RunningCloud, key: str) -> bytes:
    """The object as anybody gets it who asks OSS; a disk cannot hold every name."""
    wait_until(lambda: cloud.bucket.object_exists(key), f"{key!r} does not appear; {cloud.board()}")
    content = cloud.bucket.get_object(key).read()
    assert isinstance(content, bytes)
    return content


def test_odd_names_come_back_under_their_own(cloud: RunningCloud) -> None:
    for number, name in enumerate(NAMES.values()):
        cloud.drop(f"names/{name}", f"{number},hello {number}\n".encode())

    for number, name in enumerate(NAMES.values()):
        result_key = result_key_for(f"inbox/names/{name}")
        report = json.loads(content_of(cloud, report_key_for(result_key)))
        rows = list(
            csv.DictReader(io.StringIO(content_of(cloud, result_key).decode("utf-8-sig"), newline=""))
        )
        assert [row["content"] for row in rows] == [answer_for(f"hello {number}")]
        assert (report["source"]["key"], report["adds_up"]) == (f"inbox/names/{name}", True)


def test_a_path_that_leads_out_of_its_folder_is_refused_and_stays_inside_the_disk(
    cloud: RunningCloud,
) -> None:
    key = "inbox/names/../../../../out.csv"
    cloud.bucket.put_object(key, b"1,hello\n")

    report = content_of(cloud, rejection_keys_for(key)[0]).decode("utf-8-sig")

    outside = cloud.cloud.options.data_dir.parent
    assert "[dot_segment]" in report
    assert not [
        path for path in outside.rglob("out.csv*") if cloud.cloud.options.data_dir not in path.parents
    ]
    assert not [each.key for each in oss2.ObjectIterator(cloud.bucket, "results/names/..")]
