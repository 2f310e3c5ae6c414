"""A link opens one folder until it is over, to whoever holds it and to nobody else."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.links.folders import checked_folder, is_shown_in, key_in, path_in
from shared.links.token import MAX_TOKEN_CHARS, Link, token_for, verified_link

SECRET = b"a secret of the tests"
LINK = Link(
    "0123456789abcdef", "评论/2026/", is_operator=False, expires_at=datetime(2027, 1, 2, tzinfo=timezone.utc)
)
TOKEN = token_for(LINK, SECRET)


def signed(claims: object, secret: bytes = SECRET) -> str:
    """A token whose claims only somebody with the secret could have signed."""
    from shared.links.token import _encoded, _signature

    payload = _encoded(claims if isinstance(claims, bytes) else json.dumps(claims).encode())
    return f"{payload}.{_signature(payload, secret)}"


# Of links that people have been sent.
KNOWN = (
    "eyJ2IjoxLCJpZCI6IjAxMjM0NTY3ODlhYmNkZWYiLCJmb2xkZXIiOiLor4TorrovMjAyNi8iLCJvcGVyYXRvciI6ZmFsc2UsImV4cGlyZXMi"
    "OjE3OTg4NDgwMDB9.N7EdqHmeNYCYz5-llG-rXLwfz089LpHO8pdkC8ESqLQ"
)
CLAIMS = {"v": 1, "id": LINK.id, "folder": LINK.folder, "operator": False, "expires": 1_800_000_000}


def test_a_token_says_what_its_link_opens() -> None:
    assert KNOWN == TOKEN
    assert verified_link(KNOWN, SECRET) == LINK
    assert verified_link(KNOWN.replace("N7Ed", "N7EE"), SECRET) is None
    assert verified_link(signed(CLAIMS), SECRET) is not None


def test_its_characters_need_no_quoting_in_a_url() -> None:
    assert set(TOKEN) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(st.integers(0, len(TOKEN) - 1), st.characters())
def test_no_changed_token_opens_anything(place: int, character: str) -> None:
    changed = TOKEN[:place] + character + TOKEN[place + 1 :]

    assert verified_link(changed, SECRET) == (LINK if changed == TOKEN else None)


@given(st.text())
def test_no_text_breaks_the_check(text: str) -> None:
    assert verified_link(text, SECRET) is None
    assert verified_link(f"{TOKEN}{text}", SECRET) == (None if text else LINK)


@pytest.mark.parametrize(
    "token",
    [
        token_for(LINK, b"another secret"),
        TOKEN.partition(".")[0],
        TOKEN.partition(".")[0] + ".",
        f"{TOKEN}.{TOKEN}",
        "\ud800.\ud800",
        "x" * (MAX_TOKEN_CHARS + 1),
        signed(b"\xff not json"),
        signed([]),
        signed({**CLAIMS, "v": 2}),
        signed({**CLAIMS, "operator": "yes"}),
        signed({**CLAIMS, "expires": "never"}),
        signed({**CLAIMS, "expires": 10**15}),
        signed({**CLAIMS, "id": "../ledger.json"}),
        signed({**CLAIMS, "folder": "../"}),
        signed({**CLAIMS, "also": 1}),
        signed({name: value for name, value in CLAIMS.items() if name != "expires"}),
    ],
)
def test_what_we_did_not_sign_as_it_is_opens_nothing(token: str) -> None:
    assert verified_link(token, SECRET) is None


def test_the_operators_right_is_signed_too() -> None:
    payload = (
        base64.urlsafe_b64encode(json.dumps({**CLAIMS, "operator": True}).encode()).rstrip(b"=").decode()
    )

    assert verified_link(f"{payload}.{TOKEN.partition('.')[2]}", SECRET) is None


@pytest.mark.parametrize("folder", ["", "a/", "a/b c/", "评论/", ".hidden/", "..a/"])
def test_a_folder_below_the_inbox_is_one(folder: str) -> None:
    assert checked_folder(folder) == folder


NO_PATHS = ["/", "/a/", "a//", "a//b/", "../", "a/../", "./", "a/./b/", "a\n/", "a\x00/", "\ud800/"]


@pytest.mark.parametrize("folder", [*NO_PATHS, "a"])
def test_anything_else_is_none(folder: str) -> None:
    with pytest.raises(ValueError, match="must be a folder"):
        checked_folder(folder)


@pytest.mark.parametrize(
    "path", [*NO_PATHS, "", "..", ".", "a/..", "../b.csv", "/etc/passwd", "a/", "x" * 1024]
)
def test_no_path_leads_out_of_a_folder(path: str) -> None:
    assert key_in("a/", path) is None


@given(st.text(), st.sampled_from(["", "a/", "a/b/"]))
def test_a_path_is_in_its_folder_or_nowhere(path: str, folder: str) -> None:
    key = key_in(folder, path)

    if key is not None:
        assert key.startswith(f"inbox/{folder}")
        assert path_in(folder, key) == path
        assert path_in("other/", key) is None


@pytest.mark.parametrize(
    ("key", "is_shown"),
    [
        ("results/a/x.csv", True),
        ("rejected/a/x.csv.report.txt", True),
        ("results/ab/x.csv", False),
        ("results/a/../b/x.csv", False),
        ("jobs/a/plan.json", False),
        ("inbox/a/x.csv", False),
    ],
)
def test_only_results_and_reports_of_a_folder_are_handed_out(key: str, is_shown: bool) -> None:
    assert is_shown_in("a/", key) is is_shown
