"""One body of cases for ``ObjectStore``: the fake, the local clouds and, opt-in, the real ones."""

from __future__ import annotations

import dataclasses
import gzip
import os
import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from functools import cache
from pathlib import Path

import pytest

from scripts.localcloud.storage_http.incoming.request_faults import FaultAction
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import ConfigurationError, ObjectMissing, OutcomeUnknown, TransientError
from shared.stores.cos.store import BOUNDS as COS_BOUNDS
from shared.stores.cos.store import CosStore, open_cos_store
from shared.stores.oss.store import BOUNDS as OSS_BOUNDS
from shared.stores.oss.store import OssStore, open_oss_store
from shared.stores.pieces.concatenation import PartBounds, plan_parts
from shared.stores.tos.store import BOUNDS as TOS_BOUNDS
from shared.stores.tos.store import TosStore, open_tos_store
from tests.support.fakes import MemoryStore
from tests.support.local_stores import APPID, CLOUDS, TOKEN, Cloud

ODD_KEYS = [
    "客户 名单+1%.csv",
    "🚀/résumé.jsonl",
    "a/../b",
    "./x//y",
    "folder/",
    "percent%2Fencoded",
    "a?b&c=d#e",
    ".hidden",
    "x.part",
    "control\x01\n",
    "n" * 1023,
    "/".join(["目录"] * 146),
    "<&>\"'",
]
# What TOS's and COS's SDKs cannot send: their HTTP library takes dots out of a path.
UNSENDABLE = {"a/../b", "./x//y"}
MAX_COS_KEY_BYTES = 850
REAL_OSS = (
    "BATCHDROP_TEST_OSS_ENDPOINT",
    "BATCHDROP_TEST_OSS_REGION",
    "BATCHDROP_TEST_OSS_BUCKET",
    "ALIBABA_CLOUD_ACCESS_KEY_ID",
    "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
)
REAL_TOS = (
    "BATCHDROP_TEST_TOS_ENDPOINT",
    "BATCHDROP_TEST_TOS_REGION",
    "BATCHDROP_TEST_TOS_BUCKET",
    "BATCHDROP_TEST_ARK_ACCESS_KEY_ID",
    "BATCHDROP_TEST_ARK_SECRET_ACCESS_KEY",
)
REAL_COS = (
    "BATCHDROP_TEST_COS_REGION",
    "BATCHDROP_TEST_COS_BUCKET",
    "BATCHDROP_TEST_TENCENT_SECRET_ID",
    "BATCHDROP_TEST_TENCENT_SECRET_KEY",
)
REAL = {"real": REAL_OSS, "real-tos": REAL_TOS, "real-cos": REAL_COS}


class Prefixed:
    """Keeps the keys of one test run apart, in a store that others use too."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self.store = store
        self._prefix = prefix

    def __call__(self, key: str) -> str:
        return (self._prefix + key).encode()[:1023].decode(errors="ignore")


def real_store(name: str) -> ObjectStore:
    wanted = REAL[name]
    values = [os.environ.get(variable, "") for variable in wanted]
    if not all(values):
        missing = [variable for variable, value in zip(wanted, values, strict=True) if not value]
        pytest.skip(f"no credentials for the real cloud: {', '.join(missing)}")
    *endpoints, region, bucket, key_id, secret = values
    if name == "real-cos":
        return open_cos_store(region, bucket, secret_id=key_id, secret_key=secret)
    (endpoint,) = endpoints
    if name == "real-tos":
        return open_tos_store(endpoint, region, bucket, access_key_id=key_id, secret_access_key=secret)
    return open_oss_store(
        endpoint, region, bucket, access_key_id=key_id, access_key_secret=secret, security_token=None
    )


@pytest.fixture(params=CLOUDS)
def cloud(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Cloud]:
    with CLOUDS[request.param](tmp_path) as running:
        yield running


@pytest.fixture(
    params=[
        "memory",
        "local",
        "tos-local",
        "cos-local",
        *(pytest.param(name, marks=pytest.mark.real_cloud) for name in REAL),
    ]
)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Prefixed]:
    if request.param == "memory":
        yield Prefixed(MemoryStore(), "")
    elif request.param.endswith("local"):
        with CLOUDS[request.param.removesuffix("local").removesuffix("-") or "oss"](tmp_path) as running:
            yield Prefixed(running.store(), "")
    else:
        store, prefix = real_store(request.param), f"batchdrop-test-{uuid.uuid4().hex}/"
        yield Prefixed(store, prefix)
        for head in store.list(prefix):
            store.delete(head.key)


@cache
def random_bytes(size_bytes: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size_bytes)


@pytest.mark.parametrize("key", ODD_KEYS, ids=ascii)
def test_an_object_comes_back_under_any_key(at: Prefixed, key: str) -> None:
    is_on_cos = isinstance(at.store, CosStore)
    too_long = is_on_cos and len(at(key).encode()) > MAX_COS_KEY_BYTES
    if too_long or (isinstance(at.store, TosStore | CosStore) and key in UNSENDABLE):
        for call in (lambda: at.store.put(at(key), b""), lambda: at.store.get(at(key))):
            with pytest.raises(ConfigurationError):
                call()
        assert list(at.store.list("")) == []
        return
    at.store.put(at(key), b"content")

    assert at.store.get(at(key)) == b"content"
    assert [head.key for head in at.store.list(at(key))] == [at(key)]


def test_a_put_replaces_the_object(at: Prefixed) -> None:
    at.store.put(at("k"), b"first")
    at.store.put(at("k"), b"second")

    assert at.store.get(at("k")) == b"second"


def test_a_head_tells_size_md5_and_time(at: Prefixed) -> None:
    at.store.put(at("k"), b"hello")

    head = at.store.head(at("k"))

    assert head is not None
    assert (head.key, head.size_bytes, head.etag) == (at("k"), 5, "5D41402ABC4B2A76B9719D911017C592")
    assert head.modified_at.tzinfo is not None
    assert abs(head.modified_at - datetime.now(timezone.utc)) < timedelta(days=3650)


def test_an_empty_object_is_an_object(at: Prefixed) -> None:
    at.store.put(at("empty"), b"")

    assert at.store.get(at("empty")) == b""
    assert list(at.store.read(at("empty"))) == []


@pytest.mark.parametrize("size_bytes", [0, 1000, 2 * 1024 * 1024])
def test_a_packed_object_that_says_how_it_is_encoded_comes_back_as_it_is_stored(
    cloud: Cloud, size_bytes: int
) -> None:
    store = cloud.store()
    packed = gzip.compress(random_bytes(size_bytes))
    cloud.put_packed("a.csv.gz", packed)

    store.concatenate("twice", ["a.csv.gz", "a.csv.gz"])

    assert store.get("a.csv.gz") == packed
    assert store.get("twice") == packed * 2


def test_a_key_and_a_folder_of_the_same_name_live_side_by_side(at: Prefixed) -> None:
    for key in ("x", "x/y", "x/y/z", "p/q", "p"):
        at.store.put(at(key), key.encode())

    assert [at.store.get(at(key)) for key in ("x", "x/y", "x/y/z", "p/q", "p")] == [
        b"x",
        b"x/y",
        b"x/y/z",
        b"p/q",
        b"p",
    ]


def test_what_is_not_there_is_missing(at: Prefixed) -> None:
    assert at.store.head(at("nothing")) is None
    with pytest.raises(ObjectMissing):
        at.store.get(at("nothing"))
    with pytest.raises(ObjectMissing):
        list(at.store.read(at("nothing")))
    with pytest.raises(ObjectMissing):
        at.store.concatenate(at("result"), [at("nothing")])


def test_deleting_twice_is_no_error(at: Prefixed) -> None:
    at.store.put(at("k"), b"x")

    at.store.delete(at("k"))
    at.store.delete(at("k"))

    assert at.store.head(at("k")) is None


def test_put_if_absent_keeps_the_first_content(at: Prefixed) -> None:
    assert at.store.put_if_absent(at("claim"), b"first")
    assert not at.store.put_if_absent(at("claim"), b"second")

    assert at.store.get(at("claim")) == b"first"


def test_of_many_threads_exactly_one_puts_if_absent(at: Prefixed) -> None:
    for number in range(5):
        start = threading.Barrier(8)
        key = at(f"race/{number}")

        def put(content: bytes, start: threading.Barrier = start, key: str = key) -> bool:
            start.wait()
            return at.store.put_if_absent(key, content)

        with ThreadPoolExecutor(8) as threads:
            won = list(threads.map(put, [bytes([i]) for i in range(8)]))

        assert won.count(True) == 1
        assert at.store.get(key) == bytes([won.index(True)])


@pytest.mark.parametrize("cloud", ["oss"], indirect=True)
def test_the_folders_of_a_bucket_are_those_that_hold_something(cloud: Cloud) -> None:
    store, fake = cloud.store(), MemoryStore()
    assert isinstance(store, OssStore)
    assert store.folders() == fake.folders() == frozenset()
    keys = ["a/1", "a/2/3", "a-b/1", "b", "c/", "中文/😀", "中文", "d/1", "%2F/1", "🚀/1"]
    for key in keys:
        store.put(key, b"")
        fake.put(key, b"")

    assert store.folders() == fake.folders() == {"a/", "a-b/", "c/", "中文/", "d/", "%2F/", "🚀/"}


def test_a_listing_is_in_the_order_of_utf8_bytes_and_spans_pages(at: Prefixed) -> None:
    keys = ["l/\uff5e", "l/🚀", "l/a b", "l/a+b", "l/Z", *(f"l/{n:03d}" for n in range(30))]
    for key in [*keys, "other"]:
        at.store.put(at(key), b"")

    listed = [head.key for head in at.store.list(at("l/"))]
    behind = [head.key for head in at.store.list(at("l/"), after=at("l/a b"))]

    assert listed == sorted(map(at, keys), key=str.encode)
    assert behind == listed[listed.index(at("l/a b")) + 1 :]


def test_a_written_object_appears_whole_at_commit(at: Prefixed) -> None:
    content = random_bytes(21 * 1024 * 1024)
    with at.store.open_writer(at("big")) as writer:
        for start in range(0, len(content), 1_000_003):
            writer.write(content[start : start + 1_000_003])
        before = at.store.head(at("big"))
        committed = writer.commit()

    assert before is None
    assert committed
    assert writer.size_bytes == len(content)
    assert b"".join(at.store.read(at("big"))) == content


@pytest.mark.parametrize("size_bytes", [3, 9 * 1024 * 1024])
def test_leaving_a_writer_without_commit_discards_what_was_written(at: Prefixed, size_bytes: int) -> None:
    with at.store.open_writer(at("k")) as writer:
        writer.write(b"x" * size_bytes)

    assert at.store.head(at("k")) is None


@pytest.mark.parametrize("size_bytes", [3, 9 * 1024 * 1024])
def test_a_writer_if_absent_leaves_a_taken_key_alone(at: Prefixed, size_bytes: int) -> None:
    with (
        at.store.open_writer(at("k"), if_absent=True) as first,
        at.store.open_writer(at("k"), if_absent=True) as second,
    ):
        first.write(b"1" * size_bytes)
        second.write(b"2" * size_bytes)
        outcomes = (first.commit(), second.commit())

    assert outcomes == (True, False)
    assert at.store.get(at("k")) == b"1" * size_bytes


def test_a_read_of_another_version_finds_nothing(at: Prefixed) -> None:
    at.store.put(at("k"), b"old")
    old = at.store.head(at("k"))
    at.store.put(at("k"), b"new")
    new = at.store.head(at("k"))

    assert old is not None
    assert new is not None
    assert b"".join(at.store.read(at("k"), etag=new.etag)) == b"new"
    with pytest.raises(ObjectMissing):
        list(at.store.read(at("k"), etag=old.etag))


@pytest.mark.parametrize(
    "sizes",
    [
        [],
        [0, 0],
        [10],
        [10, 0, 20],
        [150_000, 10, 150_000],
        [10, 150_000, 10],
        [102_399, 102_401, 1, 102_400],
        [60_000, 60_000, 500_000, 60_000],
        [1, 9_000_000, 1, 9_000_000],
        [90_000] * 100 + [150_000],
        [10, 6_000_000, 10],
        [5_242_879, 5_242_881, 1, 5_242_880],
    ],
    ids=lambda sizes: "+".join(map(str, sizes[:5])) or "nothing",
)
def test_concatenated_objects_become_one_in_order(at: Prefixed, sizes: list[int]) -> None:
    contents = [random_bytes(size, seed) for seed, size in enumerate(sizes)]
    sources = [at(f"part {n}%") for n in range(len(sizes))]
    for source, content in zip(sources, contents, strict=True):
        at.store.put(source, content)

    at.store.concatenate(at("joined"), sources)

    assert at.store.get(at("joined")) == b"".join(contents)


@pytest.mark.parametrize("bounds", [OSS_BOUNDS, TOS_BOUNDS, COS_BOUNDS], ids=["oss", "tos", "cos"])
@pytest.mark.parametrize("seed", range(20))
def test_a_plan_of_parts_covers_every_byte_and_makes_no_part_too_small(seed: int, bounds: PartBounds) -> None:
    choose = random.Random(seed)
    least = bounds.min_part_bytes
    choices = [0, 1, 99, least - 1, least, least + least // 2, 2**30 + 5, 5 * 2**30]
    sizes = [choose.choice(choices) for _ in range(50)]
    sources = [ObjectHead(str(n), size, "E", datetime.now(timezone.utc)) for n, size in enumerate(sizes)]
    bounds = dataclasses.replace(bounds, buffer_bytes=3 * least)

    plan = list(plan_parts(sources, bounds))

    parts, waiting = [], 0
    for step in plan:
        size = step.last - step.first + 1
        if step.copies:
            parts += [waiting, size] if waiting else [size]
            waiting = 0
        else:
            waiting += size
            if waiting >= bounds.buffer_bytes:
                parts.append(waiting)
                waiting = 0
    assert all(bounds.min_part_bytes <= part <= bounds.max_copy_bytes for part in parts)
    ends: dict[str, int] = {}
    for step in plan:
        assert step.first == ends.get(step.source.key, 0)
        ends[step.source.key] = step.last + 1
    assert ends == {source.key: source.size_bytes for source in sources if source.size_bytes}
    assert list(ends) == sorted(ends, key=int)


# The rest needs a store that can be broken at will, so it runs against the local clouds only.


def test_bytes_that_rot_on_the_disk_are_noticed_when_read(cloud: Cloud) -> None:
    store = cloud.store()
    store.put("k", b"content")
    file = cloud.local.storage.layout.bucket_dir(cloud.bucket) / "k"
    before = file.stat()
    file.write_bytes(b"CONTENT")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(TransientError, match="CRC64"):
        store.get("k")
    with pytest.raises(TransientError, match="CRC64"):
        list(store.read("k"))


def test_one_changed_bit_in_megabytes_is_noticed_when_read(cloud: Cloud) -> None:
    store = cloud.store()
    content = bytearray(random_bytes(5_000_000))
    store.put("k", bytes(content))
    file = cloud.local.storage.layout.bucket_dir(cloud.bucket) / "k"
    before = file.stat()
    content[2_500_000] ^= 1
    file.write_bytes(content)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))

    with pytest.raises(TransientError, match="CRC64"):
        list(store.read("k"))


def test_bytes_that_change_on_their_way_to_the_store_are_noticed(cloud: Cloud) -> None:
    store = cloud.store()
    cloud.local.faults.add(FaultAction.WRONG_CRC, "PUT", "small")
    cloud.local.faults.add(FaultAction.WRONG_CRC, "PUT", "big", "partNumber")

    with pytest.raises(TransientError, match="CRC64"):
        store.put("small", b"x")
    with store.open_writer("big") as writer, pytest.raises(TransientError, match="CRC64"):
        writer.write(bytes(9 * 1024 * 1024))
        writer.commit()
    assert store.head("big") is None


@pytest.mark.parametrize("is_large", [True, False])
def test_a_part_that_cannot_be_sent_leaves_no_object_no_upload_and_no_thread(
    cloud: Cloud, is_large: bool
) -> None:
    store = cloud.store()
    cloud.local.faults.add(FaultAction.CUT_BEFORE, "PUT", "big", "partNumber")

    with pytest.raises(TransientError), store.open_writer("big") as writer:
        for _ in range(50 if is_large else 5):
            writer.write(bytes(1024 * 1024))
        writer.commit()

    assert store.head("big") is None
    assert cloud.local.storage.index.uploads(cloud.bucket) == []
    assert [thread for thread in threading.enumerate() if thread.name.startswith("part-sender")] == []


def test_a_writer_that_lost_a_part_commits_nothing_even_if_it_is_asked_again(cloud: Cloud) -> None:
    store = cloud.store()
    cloud.local.faults.add(FaultAction.CUT_BEFORE, "PUT", "big", "partNumber")

    with store.open_writer("big") as writer:
        writer.write(bytes(5 * 1024 * 1024))
        for _ in range(2):
            with pytest.raises(TransientError):
                writer.commit()

    assert store.head("big") is None


@pytest.mark.parametrize("chunk_bytes", [1, 4 * 1024 * 1024 - 1, 4 * 1024 * 1024, 9 * 1024 * 1024 + 1])
def test_chunks_of_any_size_become_the_object_that_they_are(cloud: Cloud, chunk_bytes: int) -> None:
    store = cloud.store()
    content = random_bytes(min(3 * chunk_bytes, 13 * 1024 * 1024))
    with store.open_writer("k") as writer:
        for start in range(0, len(content), chunk_bytes):
            writer.write(content[start : start + chunk_bytes])
        writer.commit()

    assert store.get("k") == content
    assert writer.size_bytes == len(content)


def test_a_reading_that_is_given_up_leaves_the_store_usable(cloud: Cloud) -> None:
    store = cloud.store()
    content = random_bytes(3_000_000)
    store.put("k", content)

    for _ in range(15):  # more than the ten connections that a pool keeps
        chunks = store.read("k")
        next(chunks)
        chunks.close()  # type: ignore[attr-defined]  # read is a generator

    assert store.get("k") == content
    assert [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")] == []


@pytest.mark.parametrize("action", [FaultAction.ANSWER_500, FaultAction.ANSWER_503])
def test_an_error_of_the_service_may_be_tried_again(cloud: Cloud, action: FaultAction) -> None:
    store = cloud.store()
    cloud.local.faults.add(action, "PUT", "k")
    cloud.local.faults.add(action, "GET", "k")
    cloud.local.faults.add(action, "GET", query_name="max-keys")

    for call in (lambda: store.put("k", b""), lambda: store.get("k"), lambda: list(store.list(""))):
        with pytest.raises(TransientError, match=str(action.value.split()[1])) as raised:
            call()
        assert not isinstance(raised.value, OutcomeUnknown)
    store.put("k", b"")


@pytest.mark.parametrize(
    ("action", "written"), [(FaultAction.CUT_BEFORE, False), (FaultAction.CUT_AFTER, True)]
)
def test_a_cut_connection_leaves_the_outcome_of_a_write_unknown(
    cloud: Cloud, action: FaultAction, written: bool
) -> None:
    store = cloud.store()
    cloud.local.faults.add(action, "PUT", "k")

    with pytest.raises(OutcomeUnknown):
        store.put_if_absent("k", b"mine")

    assert (store.head("k") is not None) is written


def test_a_cut_connection_after_completing_leaves_the_outcome_unknown(cloud: Cloud) -> None:
    store = cloud.store()
    cloud.local.faults.add(FaultAction.CUT_AFTER, "POST", "big", "uploadId")

    with store.open_writer("big") as writer:
        writer.write(bytes(9 * 1024 * 1024))
        with pytest.raises(OutcomeUnknown):
            writer.commit()

    assert store.head("big") is not None


@pytest.mark.parametrize("action", [FaultAction.CUT_BEFORE, FaultAction.TRUNCATE])
def test_a_cut_connection_while_reading_may_be_tried_again(cloud: Cloud, action: FaultAction) -> None:
    store = cloud.store()
    for size_bytes in (1_000_000, 5_000_000):  # read at once, and ahead in a thread
        store.put("k", random_bytes(size_bytes))
        cloud.local.faults.add(action, "GET", "k")

        with pytest.raises(TransientError) as raised:
            list(store.read("k"))

        assert not isinstance(raised.value, OutcomeUnknown)
    assert [thread for thread in threading.enumerate() if thread.name.startswith("read-ahead")] == []


def test_a_store_that_does_not_answer_may_be_tried_again(cloud: Cloud) -> None:
    store = cloud.store()
    store.put("k", b"")
    cloud.local.stop()

    with pytest.raises(TransientError):
        store.get("k")
    with pytest.raises(OutcomeUnknown):
        store.put("k", b"")


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"bucket": "no-such-bucket"}, "NoSuchBucket"),
        ({"secret": "wrong"}, "SignatureDoesNotMatch"),
        ({"region": "cn-shanghai"}, "(InvalidArgument|NoSuchBucket)"),
    ],
)
def test_a_wrong_setting_is_the_operators_business_and_no_secret_is_told(
    cloud: Cloud, wrong: dict[str, str], code: str
) -> None:
    store = cloud.store(**wrong)

    for call in (
        lambda: store.get("k"),
        lambda: store.head("k"),
        lambda: store.put_if_absent("k", b""),
        lambda: list(store.list("")),
        lambda: store.open_writer("k").commit(),
        lambda: store.delete("k"),
    ):
        with pytest.raises(ConfigurationError, match=f"{code} .request [0-9A-F]+") as raised:
            call()
        told = f"{raised.value!r} {raised.value.__cause__!r} {raised.value.__cause__}"
        assert TOKEN not in told


def test_a_malformed_endpoint_is_the_operators_business() -> None:
    bad = "http://bad endpoint"
    with pytest.raises(ConfigurationError):
        open_oss_store(bad, "r", "bucket", access_key_id="a", access_key_secret="b", security_token=None)
    with pytest.raises(ConfigurationError):
        open_tos_store(bad, "r", "bucket", access_key_id="a", secret_access_key="b")
    for wrong in ({"region": "a b"}, {"bucket": "no-appid"}, {"address": "nowhere"}, {"secret_key": " "}):
        given = {"region": "ap-shanghai", "bucket": f"b{APPID}", "secret_id": "a", "secret_key": "b", **wrong}
        with pytest.raises(ConfigurationError):
            open_cos_store(**given)


def test_the_fake_tells_of_each_write() -> None:
    seen: list[str] = []
    store = MemoryStore(on_put=seen.append)

    store.put("a", b"")
    store.put_if_absent("a", b"")
    store.put_if_absent("b", b"")

    assert seen == ["a", "b"]
