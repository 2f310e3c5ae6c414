"""EventBridge's signature over its requests to an HTTP target: what passes, and each way not to."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.events.check_event import CheckEvent
from shared.events.signed_events import (
    CERTIFICATE_URL,
    HASH_METHOD,
    SIGNATURE,
    TIMESTAMP,
    TOKEN,
    VERSION,
    SignedEvent,
    possible_urls,
    strings_to_sign,
)
from shared.pipeline.deadlines import EVENT_VALID
from shared.problems.exceptions import TransientError
from tests.support.fakes import START, FixedClock

OURS = "a token of 16 characters or more"
REGION = "cn-beijing"
ORIGIN = f"https://{REGION}-eventbridge.oss-accelerate.aliyuncs.com"
URL = f"{ORIGIN}/x509_public_certificate_2021012501.pem"
NOW_MS = round(START.timestamp() * 1000)

EVENT = SignedEvent(
    urls=possible_urls("cb.example", "/events"),
    headers={
        TIMESTAMP: str(NOW_MS),
        HASH_METHOD: "SHA256",
        VERSION: "1.0",
        CERTIFICATE_URL: URL,
        TOKEN: OURS,
        SIGNATURE: base64.b64encode(b"signed").decode(),
    },
    body=b'{"id":"1"}',
)
DOCUMENTED = (
    b"https://cb.example/events\n"
    b"x-eventbridge-signature-timestamp: %d\n"
    b"x-eventbridge-hash-method: SHA256\n"
    b"x-eventbridge-signature-version: 1.0\n"
    b"x-eventbridge-signature-url: %s\n"
    b"x-eventbridge-signature-token: %s\n"
    b'{"id":"1"}' % (NOW_MS, URL.encode(), OURS.encode())
)


class Verifier:
    """Says yes to the documented text, and notes what it was asked."""

    def __init__(self, *, is_reachable: bool = True) -> None:
        self.urls: list[str] = []
        self._is_reachable = is_reachable

    def has_signed(self, certificate_url: str, signature: bytes, texts: Iterable[bytes]) -> bool:
        self.urls.append(certificate_url)
        if not self._is_reachable:
            raise TransientError("no network")
        return signature == b"signed" and DOCUMENTED in set(texts)


def check(event: SignedEvent, verifier: Verifier | None = None, now: datetime = START) -> str | None:
    return CheckEvent(OURS, REGION, FixedClock(now), verifier or Verifier(), EVENT_VALID)(event)


def with_header(name: str, value: str) -> SignedEvent:
    return replace(EVENT, headers={**EVENT.headers, name: value})


def without_header(name: str) -> SignedEvent:
    return replace(EVENT, headers={key: value for key, value in EVENT.headers.items() if key != name})


def test_the_text_is_put_together_as_the_page_says() -> None:
    texts = list(strings_to_sign(EVENT))

    assert texts[0] == DOCUMENTED
    # Alibaba's own example ends it with one more line end.
    assert DOCUMENTED + b"\n" in texts
    assert check(EVENT) is None


def test_a_signature_by_somebody_else_is_refused() -> None:
    assert check(with_header(SIGNATURE, base64.b64encode(b"forged").decode())) == "signature"
    assert check(replace(EVENT, body=b'{"id":"2"}')) == "signature"
    assert check(replace(EVENT, urls=possible_urls("cb.example", "/events?x=1"))) == "signature"
    assert check(with_header(VERSION, "2.0")) == "signature"


@pytest.mark.parametrize("name", [TIMESTAMP, HASH_METHOD, CERTIFICATE_URL, TOKEN, SIGNATURE])
def test_each_header_is_needed(name: str) -> None:
    verifier = Verifier()

    assert check(without_header(name), verifier) is not None
    assert verifier.urls == []


@pytest.mark.parametrize(
    "token", ["", OURS[:-1], OURS + "x", OURS.upper(), f" {OURS}", "☃", "\ud800", OURS * 100_000]
)
def test_another_token_is_refused_before_anything_is_fetched(token: str) -> None:
    verifier = Verifier()

    assert check(with_header(TOKEN, token), verifier) == "token"
    assert verifier.urls == []


@pytest.mark.parametrize(
    ("age_s", "refusal"), [(-61, "timestamp"), (-60, None), (0, None), (60, None), (61, "timestamp")]
)
def test_an_event_counts_for_a_minute(age_s: int, refusal: str | None) -> None:
    assert check(EVENT, now=START + timedelta(seconds=age_s)) == refusal


@pytest.mark.parametrize(
    "timestamp",
    [
        "",
        "now",
        "-1",
        str(NOW_MS // 1000),
        f"{NOW_MS}.0",
        f"{NOW_MS}e0",
        f" {NOW_MS}",
        "９" * 13,
        "1" * 400,
        "nan",
        "0x1",
    ],
)
def test_a_time_of_another_form_is_refused(timestamp: str) -> None:
    assert check(with_header(TIMESTAMP, timestamp)) == "timestamp"


@pytest.mark.parametrize("method", ["SHA1", "HMAC-SHA1", "none", "", "SHA256withRSA-but-not-really"])
def test_another_hash_method_is_refused(method: str) -> None:
    assert check(with_header(HASH_METHOD, method)) == "hash_method"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x509_public_certificate_1.pem",
        URL.replace("https", "http"),
        URL.replace("https", "HTTPS"),
        URL.replace("https:", ""),
        URL.replace("cn-beijing", "cn-hangzhou"),
        URL.replace("cn-beijing", "evil"),
        URL.replace("aliyuncs.com", "aliyuncs.com.evil.example"),
        URL.replace("aliyuncs.com", "aliyuncs.com@evil.example"),
        URL.replace("aliyuncs.com", "aliyuncs.com:8443"),
        URL.replace("aliyuncs.com", "aliyuncs.com:443"),
        URL.replace("aliyuncs.com", "aliyuncs.com."),
        URL.replace("https://", "https://user@"),
        URL.replace("https://", "https://evil.example\\@"),
        URL.replace("https://", "https://evil.example#@"),
        URL.replace("oss-accelerate", "oss-cn-beijing"),
        f"{ORIGIN}/other.pem",
        f"{ORIGIN}//x509_public_certificate_1.pem",
        f"{ORIGIN}/x509_public_certificate_/../x.pem",
        f"{ORIGIN}/x509_public_certificate_..%2fx.pem",
        f"{ORIGIN}/x509_public_certificate_..",
        f"{ORIGIN}/a/x509_public_certificate_1.pem",
        f"{URL}?x=1",
        f"{URL}#x",
        f"{URL}\n",
        f"{URL}\r\nHost: evil.example",
        f"{URL} ",
        f"{URL}１",
        ORIGIN + "/x509_public_certificate_" + "1" * 1000,
    ],
)
def test_a_certificate_from_anywhere_else_is_not_fetched(url: str) -> None:
    verifier = Verifier()

    assert check(with_header(CERTIFICATE_URL, url), verifier) == "certificate_url"
    assert verifier.urls == []


@pytest.mark.parametrize("signature", ["", "###", "é", "QQ", "QQ==\n", "Q" * 100_000, "\ud800"])
def test_what_is_no_signature_is_refused_before_anything_is_fetched(signature: str) -> None:
    verifier = Verifier()

    assert check(with_header(SIGNATURE, signature), verifier) == "signature_form"
    assert verifier.urls == []


def test_a_certificate_that_cannot_be_had_refuses_the_event() -> None:
    assert check(EVENT, Verifier(is_reachable=False)) == "certificate_unavailable"


@pytest.mark.parametrize(
    ("host", "urls"),
    [
        (
            "cb.example",
            {
                "https://cb.example/e",
                "http://cb.example/e",
                "https://cb.example:443/e",
                "http://cb.example:80/e",
            },
        ),
        ("cb.example:443", {"https://cb.example/e", "https://cb.example:443/e", "http://cb.example:443/e"}),
        ("cb.example:8443", {"https://cb.example:8443/e", "http://cb.example:8443/e"}),
    ],
)
def test_a_target_may_have_been_written_in_several_ways(host: str, urls: set[str]) -> None:
    assert set(possible_urls(host, "/e")) == urls


text = st.text(max_size=80)


@given(st.dictionaries(st.sampled_from(sorted(EVENT.headers)), text), st.binary(max_size=80), text)
def test_no_request_of_a_stranger_passes_or_breaks_it(
    headers: dict[str, str], body: bytes, host: str
) -> None:
    verifier = Verifier()
    event = SignedEvent(possible_urls(host, "/events"), headers, body)

    assert check(event, verifier, datetime.fromtimestamp(0, timezone.utc)) is not None
    assert verifier.urls == []
    assert all(isinstance(each, bytes) for each in strings_to_sign(event))


def test_the_token_is_shown_by_nothing() -> None:
    assert OURS not in repr(CheckEvent(OURS, REGION, FixedClock(), Verifier(), EVENT_VALID))
