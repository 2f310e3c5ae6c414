"""``scripts/batchdrop link``: the page's own gate lets in who has a link, until it is withdrawn."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from scripts.operate import access
from scripts.operate.__main__ import main
from scripts.operate.access import OpenBucket
from scripts.operate.links.links import Links
from scripts.operate.texts.said import Refusal
from shared.links.token import Link, token_for
from shared.pipeline.page.gate import Gate, NotLetIn, Visit
from shared.runtime.system_clock import SystemClock
from tests.support.fakes import MemoryStore

SECRET = "a secret of thirty-two characters"
URL = "https://page.example/"


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> OpenBucket:
    """That is meant."""
    opened = OpenBucket(MemoryStore(SystemClock()), "drop", page_url=URL, page_secret=SECRET)
    monkeypatch.setattr(access, "open_bucket", lambda *_: opened)
    return opened


def types(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status = main(["link", *arguments, "--json"], {})
    return status, json.loads(capsys.readouterr().out)


def visit(bucket: OpenBucket, url: str) -> Visit:
    """What the page lets in who opens this URL."""
    page, _, token = url.partition("#")
    assert page == URL
    gate = Gate(secret=SECRET.encode(), is_open=False, clock=SystemClock())
    return gate(f"Bearer {token}", lambda: bucket.store)


@pytest.mark.parametrize("folder", ["reviews/2026", "inbox/reviews/2026/", "./reviews/2026"])
def test_a_link_opens_its_folder_for_so_many_days(
    bucket: OpenBucket, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    status, told = types(capsys, folder, "--days", "2")

    let_in = visit(bucket, told["url"])
    assert (status, let_in.folder, let_in.is_operator) == (0, "reviews/2026/", False)
    assert let_in.expires_at is not None
    ends_in = let_in.expires_at - datetime.now(timezone.utc)
    assert timedelta(days=1, hours=23) < ends_in <= timedelta(days=2)


@pytest.mark.parametrize("folder", ["reviews", "reviews/2026", "revews"])
def test_a_link_to_a_folder_that_is_not_there_says_so(
    bucket: OpenBucket, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    bucket.store.put("inbox/reviews/2026/a.csv", b"")

    status, told = types(capsys, folder)

    codes = [each["code"] for each in told["said"]]
    assert (status, "link_to_nothing" in codes) == (0, folder == "revews")


@pytest.mark.parametrize("folder", ["inbox-hr", "inboxes/a"])
def test_a_folder_whose_name_begins_like_the_inbox_keeps_it(
    bucket: OpenBucket, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    assert visit(bucket, types(capsys, folder)[1]["url"]).folder == f"{folder}/"


def test_the_operators_link_opens_everything(bucket: OpenBucket, capsys: pytest.CaptureFixture[str]) -> None:
    let_in = visit(bucket, types(capsys, "--operator")[1]["url"])

    assert (let_in.folder, let_in.is_operator) == ("", True)


@pytest.mark.parametrize("by", ["url", "id"])
def test_a_withdrawn_link_opens_nothing_and_others_stay(
    bucket: OpenBucket, capsys: pytest.CaptureFixture[str], by: str
) -> None:
    made, other = (types(capsys, folder)[1] for folder in ("one", "two"))

    status, told = types(capsys, "--withdraw", made[by])

    # Of an id nobody can say whether it was mistyped.
    assert (status, told["said"][0]["code"]) == (0, "id_withdrawn" if by == "id" else "link_withdrawn")
    with pytest.raises(NotLetIn):
        visit(bucket, made["url"])
    assert visit(bucket, other["url"]).folder == "two/"


def test_what_is_no_link_of_this_page_is_not_withdrawn(bucket: OpenBucket) -> None:
    link = Link("0" * 16, "a/", is_operator=False, expires_at=datetime.now(timezone.utc))

    with pytest.raises(Refusal) as refusal:
        Links(bucket, SystemClock()).withdraw(f"{URL}#{token_for(link, b'of another page')}")

    assert refusal.value.code == "no_such_link"
    assert list(bucket.store.list("")) == []


@pytest.mark.parametrize("folder", ["a//b", "../a", "a/../b", "a\nb"])
def test_what_is_no_folder_gets_no_link(
    bucket: OpenBucket, capsys: pytest.CaptureFixture[str], folder: str
) -> None:
    status, told = types(capsys, folder)

    assert (status, told["error"]["code"]) == (1, "no_such_folder")


@pytest.mark.parametrize("secret", ["", "short"])
def test_without_the_pages_secret_there_is_no_link(bucket: OpenBucket, secret: str) -> None:
    without = OpenBucket(bucket.store, "drop", page_url=URL, page_secret=secret)

    with pytest.raises(Refusal) as refusal:
        Links(without, SystemClock()).make("a", timedelta(days=1), is_operator=False)

    assert refusal.value.code == "no_page"


@pytest.mark.parametrize(
    "arguments", [[], ["a", "--operator"], ["a", "--withdraw", "x"], ["a", "--days", "0"]]
)
def test_what_a_link_is_for_must_be_clear(
    bucket: OpenBucket, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert types(capsys, *arguments)[0] == 2
    assert list(bucket.store.list("")) == []
