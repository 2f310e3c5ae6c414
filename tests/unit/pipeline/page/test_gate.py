"""Who is let in, and that the bucket is not asked about links that are not ours."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.bucket.keys import withdrawn_key
from shared.links.token import Link, token_for
from shared.pipeline.page.gate import EVERYTHING, Gate, NotLetIn
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ConfigurationError
from shared.runtime.settings import Settings
from tests.support.fakes import START, FixedClock, MemoryStore

SECRET = b"a-secret-that-signs-links-in-tests-only"
LINK = Link("0" * 16, "a/", is_operator=False, expires_at=START + timedelta(hours=1))
BEARER = f"Bearer {token_for(LINK, SECRET)}"
PLACE = {"BUCKET_NAME": "drop", "OSS_REGION": "cn-beijing"}


def gate(secret: bytes | None = SECRET, *, is_open: bool = False) -> tuple[Gate, FixedClock]:
    clock = FixedClock()
    return Gate(secret, is_open, clock), clock


def no_store() -> ObjectStore:
    raise AssertionError("the bucket is asked")


def test_a_link_lets_in_to_its_folder_until_it_is_over() -> None:
    let_in, clock = gate()

    visit = let_in(BEARER, MemoryStore)
    clock.advance(timedelta(hours=1))

    assert (visit.folder, visit.is_operator, visit.expires_at) == ("a/", False, LINK.expires_at)
    with pytest.raises(NotLetIn, match="link_expired"):
        let_in(BEARER, no_store)


def test_a_withdrawn_one_lets_nobody_in() -> None:
    store = MemoryStore()
    store.put(withdrawn_key(LINK.id), b"")

    with pytest.raises(NotLetIn, match="link_withdrawn"):
        gate()[0](BEARER, lambda: store)


@pytest.mark.parametrize(
    ("secret", "given", "why"),
    [
        (None, BEARER, "page_closed"),
        (None, "", "page_closed"),
        (SECRET, "", "link_missing"),
        (SECRET, BEARER[:-1], "link_invalid"),
        (SECRET, BEARER.removeprefix("Bearer "), "link_invalid"),
        (SECRET, "Basic YTpi", "link_invalid"),
        (b"another-secret-of-thirty-two-bytes", BEARER, "link_invalid"),
    ],
)
def test_anybody_else_is_not_let_in_and_costs_no_request(secret: bytes | None, given: str, why: str) -> None:
    with pytest.raises(NotLetIn, match=why):
        gate(secret)[0](given, no_store)


def test_where_no_link_is_needed_one_that_is_given_still_counts() -> None:
    let_in, _ = gate(is_open=True)

    assert let_in("", no_store) == EVERYTHING
    assert let_in(BEARER, MemoryStore).folder == "a/"
    with pytest.raises(NotLetIn, match="link_invalid"):
        let_in("Bearer forged", no_store)


@pytest.mark.parametrize(
    "endpoint", ["https://oss-cn-beijing.aliyuncs.com", "http://127.0.0.1.evil.example", "http://oss"]
)
def test_only_the_local_cloud_needs_no_link(endpoint: str) -> None:
    here = Settings.from_env(PLACE | {"OSS_ENDPOINT": "http://127.0.0.1:9", "PAGE_OPEN": "local"})

    assert here.page_open == "local"
    with pytest.raises(ConfigurationError, match="PAGE_OPEN is only for the local cloud"):
        Settings.from_env(PLACE | {"OSS_ENDPOINT": endpoint, "PAGE_OPEN": "local"})
