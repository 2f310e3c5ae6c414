"""What is COS's alone in the store over it: late lists, late failures, redirections, its SDK."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import pytest

from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.cos.oddities import Oddity
from shared.problems.exceptions import ConfigurationError, OutcomeUnknown, TransientError
from shared.stores.cos.store import CosStore, open_cos_store
from tests.support.local_stores import COS_BUCKET, REGION, SECRET, TOKEN, cos_cloud

ROOT = Path(__file__).parents[2]


@pytest.fixture
def cos(tmp_path: Path) -> Iterator[LocalCos]:
    with cos_cloud(tmp_path) as cloud:
        assert isinstance(cloud.local, LocalCos)
        yield cloud.local


def store_at(address: str) -> CosStore:
    return open_cos_store(
        REGION, COS_BUCKET, secret_id="key", secret_key=SECRET, token=TOKEN, address=address
    )


def test_an_object_is_found_by_its_key_before_a_list_shows_it(cos: LocalCos) -> None:
    cos.oddities.add(Oddity.LATE_LISTS)
    store = store_at(cos.address)

    assert store.put_if_absent("k", b"content")

    assert list(store.list("")) == []
    assert store.head("k") is not None
    assert store.get("k") == b"content"
    assert not store.put_if_absent("k", b"other")


def test_a_completion_that_fails_after_its_answer_began_leaves_the_outcome_unknown(cos: LocalCos) -> None:
    store = store_at(cos.address)

    with store.open_writer("k") as writer:
        writer.write(bytes(9 * 1024 * 1024))
        cos.oddities.add(Oddity.FAILS_WITH_200)
        with pytest.raises(OutcomeUnknown):
            writer.commit()

    assert store.head("k") is None


def test_a_copy_that_fails_after_its_answer_began_may_be_tried_again(cos: LocalCos) -> None:
    store = store_at(cos.address)
    store.put("k", bytes(2 * 1024 * 1024))
    cos.oddities.add(Oddity.FAILS_WITH_200)

    with pytest.raises(TransientError) as raised:
        store.concatenate("twice", ["k", "k"])
    cos.oddities.clear()
    store.concatenate("twice", ["k", "k"])

    assert not isinstance(raised.value, OutcomeUnknown)
    assert store.get("twice") == bytes(4 * 1024 * 1024)


class Elsewhere(BaseHTTPRequestHandler):
    """Names another address, whatever it is asked."""

    def answer(self) -> None:
        self.send_response(301)
        self.send_header("Location", "http://elsewhere.example/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD = do_PUT = do_DELETE = answer  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def test_a_redirection_is_no_success() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        store = store_at(f"127.0.0.1:{server.server_port}")
        for call in (
            lambda: store.put("k", b""),
            lambda: store.get("k"),
            lambda: store.head("k"),
            lambda: store.delete("k"),
            lambda: list(store.list("")),
        ):
            with pytest.raises(ConfigurationError, match="301") as raised:
                call()
            assert raised.value.trouble == "bucket_missing"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("answer", [{}, {"ETag": ""}, {"x-cos-request-id": "1"}], ids=str)
def test_an_answer_that_confirms_nothing_leaves_the_outcome_of_a_write_unknown(
    answer: dict[str, str],
) -> None:
    client = SimpleNamespace(get_bucket_versioning=lambda _: {}, put_object=lambda *_, **__: answer)

    with pytest.raises(OutcomeUnknown):
        CosStore(client, COS_BUCKET, REGION).put("k", b"")


def test_a_list_goes_on_behind_its_last_key_if_no_marker_is_told() -> None:
    def page(_bucket: str, *, Marker: str, **_: object) -> dict[str, object]:  # noqa: N803 - the SDK's name
        asked.append(Marker)
        at = "2026-11-27T01:02:03.000Z"
        entries = [{"Key": f"{Marker}{key}", "Size": "1", "ETag": '"e"', "LastModified": at} for key in "ab"]
        return {"Contents": entries, "IsTruncated": "false" if Marker else "true"}

    asked: list[str] = []
    heads = list(CosStore(SimpleNamespace(list_objects=page), COS_BUCKET, REGION).list(""))

    assert [head.key for head in heads] == ["a", "b", "ba", "bb"]
    assert asked == ["", "b"]


@pytest.mark.parametrize("key", ["/k", "//k", "a/.", "..", "./k"])
def test_a_key_that_would_mean_another_object_is_refused(cos: LocalCos, key: str) -> None:
    store = store_at(cos.address)

    for call in (lambda: store.put(key, b""), lambda: store.get(key), lambda: store.delete(key)):
        with pytest.raises(ConfigurationError):
            call()

    assert list(store.list("")) == []
