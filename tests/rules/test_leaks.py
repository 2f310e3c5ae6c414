"""The search for secrets finds what is planted; what looks like one and is none does not alarm."""

from __future__ import annotations

import base64
import json
from html import escape
from urllib.parse import quote, quote_plus

import pytest

from tests.support.leaks import leaks_in

SECRET = 'se+cret/with=every&thing "<%>" 文'
PLANTED = {
    "plain": SECRET,
    "JSON": json.dumps({"a": SECRET}),
    "JSON as it is": json.dumps({"a": SECRET}, ensure_ascii=False),
    "a log line about JSON": json.dumps({"message": json.dumps({"a": SECRET})}),
    "a traceback": f"ValueError({SECRET!r})",
    "XML": f"<Key>{escape(SECRET)}</Key>",
    "a query": f"https://x.example/?key={quote(SECRET, safe='')}&y=1",
    "a path": f"/callback/{quote(SECRET)}",
    "a form": f"a=b&key={quote_plus(SECRET)}",
    "hex": SECRET.encode().hex(),
    **{
        f"base64 behind {before} bytes": base64.b64encode(b"x" * before + SECRET.encode() + b"yz").decode()
        for before in range(7)
    },
    "URL-safe base64": base64.urlsafe_b64encode(f"user:{SECRET}".encode()).decode(),
}


@pytest.mark.parametrize("planted", PLANTED.values(), ids=PLANTED)
def test_a_secret_is_found_in_each_form(planted: str) -> None:
    assert leaks_in(f"before {planted} after".encode(), {"it": SECRET})


def test_nothing_is_found_where_nothing_is() -> None:
    assert leaks_in(f"{SECRET[:-1]} {SECRET.upper()}".encode(), {"it": SECRET}) == []
    assert leaks_in(b"", {"it": SECRET}) == []
