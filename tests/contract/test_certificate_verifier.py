"""Certificates from a URL: real RSA, real HTTP, and what can be wrong with what lies there."""

from __future__ import annotations

import contextlib
import gzip
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests_mock as requests_mocks

from shared.problems.exceptions import TransientError
from shared.runtime import certificates
from shared.runtime.certificates import MAX_CERTIFICATE_BYTES, CertificateVerifier
from tests.support.certificates import certificate, private_pem, public_pem, sign
from tests.support.waiting import PATIENCE_S

TEXT = b"what was signed"
URL = "https://cn-beijing-eventbridge.oss-accelerate.aliyuncs.com/x509_public_certificate_1.pem"


class Published:
    """A web server that publishes one thing, and counts who asked."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
        self.asked: list[str] = []
        published = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                published.asked.append(self.path)
                answer(self)

            def log_message(self, *_values: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/certificate"

    @contextmanager
    def serving(self) -> Iterator[Published]:
        self._thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()


def answering(content: bytes, status: int = 200, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


@pytest.mark.parametrize(
    "content", [certificate(), certificate(as_pem=False), public_pem()], ids=["pem", "der", "key"]
)
def test_a_signature_is_verified_with_what_is_published(content: bytes) -> None:
    verifier = CertificateVerifier()
    with Published(answering(content)).serving() as published:
        assert verifier.has_signed(published.url, sign(TEXT), [b"other", TEXT])
        assert not verifier.has_signed(published.url, sign(TEXT), [b"other"])
        assert not verifier.has_signed(published.url, sign(TEXT, "somebody else"), [TEXT])
        assert not verifier.has_signed(published.url, sign(TEXT)[:-1], [TEXT])
        assert not verifier.has_signed(published.url, b"", [TEXT])

        assert published.asked == ["/certificate"]


@pytest.mark.parametrize(
    "answer",
    [
        answering(b""),
        answering(b"<html>not found</html>"),
        answering(certificate(), status=404),
        answering(certificate(), status=302, Location="/certificate"),
        answering(certificate(), status=206),
        answering(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
        answering(certificate()[:200]),
        answering(certificate() + b" " * MAX_CERTIFICATE_BYTES),
        answering(gzip.compress(certificate()), Content_Encoding="gzip"),
        answering(private_pem()),
        answering(b"\x30\x82"),
        answering(certificate(), Content_Length="999999"),
    ],
    ids=range(12),
)
def test_what_is_no_certificate_counts_as_none(answer: Callable[[BaseHTTPRequestHandler], None]) -> None:
    with Published(answer).serving() as published:
        for _ in range(2):
            with pytest.raises(TransientError):
                CertificateVerifier().has_signed(published.url, sign(TEXT), [TEXT])

    assert len(published.asked) == 2  # no redirect was followed


def test_a_certificate_that_drips_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificates, "TOTAL_TIMEOUT_S", 0.2)
    all_dripped = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        with contextlib.suppress(OSError):  # nobody listens any more
            for _ in range(int(PATIENCE_S / 0.01)):
                handler.wfile.write(b" ")
                time.sleep(0.01)
            all_dripped.set()

    with Published(drip).serving() as published, pytest.raises(TransientError):
        CertificateVerifier().has_signed(published.url, sign(TEXT), [TEXT])

    assert not all_dripped.is_set()


def test_nobody_there_is_no_certificate() -> None:
    published = Published(answering(b""))
    with published.serving():
        pass

    with pytest.raises(TransientError):
        CertificateVerifier().has_signed(published.url, sign(TEXT), [TEXT])


def test_a_key_is_kept_for_an_hour_and_only_a_few_are(
    requests_mock: requests_mocks.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [1000.0]
    monkeypatch.setattr(certificates.time, "monotonic", lambda: now_s[0])
    requests_mock.get(requests_mocks.ANY, content=certificate())
    verifier = CertificateVerifier()

    for moment_s in (1000.0, 1000.0, 4599.0, 4601.0):
        now_s[0] = moment_s
        assert verifier.has_signed(URL, sign(TEXT), [TEXT])
    asked = requests_mock.call_count
    for number in range(100):
        verifier.has_signed(f"{URL}{number}", sign(TEXT), [TEXT])

    assert asked == 2
    assert len(verifier._kept) <= certificates.MAX_KEPT


def test_the_fetch_uses_nothing_of_the_environment(
    requests_mock: requests_mocks.Mocker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:1")
    requests_mock.get(URL, content=certificate())

    CertificateVerifier().has_signed(URL, sign(TEXT), [TEXT])

    (request,) = requests_mock.request_history
    assert (request.proxies, request.timeout) == ({}, (2.0, 2.0))
