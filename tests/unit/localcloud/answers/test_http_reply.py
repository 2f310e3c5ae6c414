"""Replies that come in pieces are read as ``http.client`` reads them when they come as a whole."""

from __future__ import annotations

import gzip
import io
import zlib
from http.client import BadStatusLine, HTTPException, HTTPResponse, LineTooLong
from itertools import pairwise
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.localcloud.answers.calls.http_reply import HttpReply, WrongEncoding

Read = tuple[int, bytes, bool]
PIECES = st.lists(st.binary(max_size=300), max_size=4)
STATUS_LINES = [
    b"HTTP/1.1 200 OK", b"HTTP/1.1 200", b"HTTP/1.1 404 Not  Found", b"HTTP/1.0 200 OK", b"HTTP/1.1 204 No",
    b"HTTP/1.1 304 Not Modified", b"HTTP/1.1 520 \xe4\xb8\x8d\xe8\xa1\x8c", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK",
]  # fmt: skip
HEADERS = [
    b"Content-Type: application/json", b"connection: close", b"Connection: Keep-Alive", b"CONNECTION:  close ",
    b"X-Content-Length: 3", b"Connection: upgrade, close", b"X-Empty:", b"Via: content-length: 4",
    b"Transfer-Encoding: gzip, chunked", b"Content-Length: none", b"Content-Length: -1",
    b"Content-Length: " + b"1" * 5000,
]  # fmt: skip


def in_chunks(pieces: list[bytes]) -> bytes:
    sized = (b"%X;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces if piece)
    return b"".join(sized) + b"0\r\n\r\n"


@st.composite
def replies(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """The head and what follows it."""
    status = draw(st.sampled_from(STATUS_LINES))
    framings = ["none"] if b" 204 " in status or b" 304 " in status else ["length", "chunks", "connection"]
    framing, pieces = draw(st.sampled_from(framings)), draw(PIECES)
    body = in_chunks(pieces) if framing == "chunks" else b"" if framing == "none" else b"".join(pieces)
    framed = {"length": b"content-LENGTH: %d" % len(body), "chunks": b"Transfer-encoding:Chunked"}
    others = draw(st.lists(st.sampled_from(HEADERS), max_size=3))
    lines = [status, *filter(None, [framed.get(framing)]), *others]
    line_end = draw(st.sampled_from([b"\r\n", b"\n"]))
    return line_end.join([*lines, b"", b""]), body


def by_http_client(whole: bytes) -> Read | None:
    class Socket:
        def makefile(self, _: str) -> io.BytesIO:
            return io.BytesIO(whole)

    response = HTTPResponse(cast("Any", Socket()), method="POST")
    try:
        response.begin()
        return response.status, response.read(), not response.will_close
    except HTTPException:
        return None


def by_pieces(whole: bytes, cuts: list[int]) -> Read | None:
    reply, places = HttpReply(), sorted({0, *cuts, len(whole)})
    try:
        for start, end in pairwise(places):
            reply.feed(whole[start:end])
        if not reply.is_whole:
            reply.end()
    except HTTPException:
        return None
    return reply.status, reply.content, reply.keeps_open


# Of a last size of which a part is missing, ``http.client`` makes an end.
@given(reply=replies(), data=st.data(), missing=st.sampled_from([0, 1, 2, *range(5, 20)]))
def test_a_reply_in_pieces_is_what_it_is_as_a_whole(
    reply: tuple[bytes, bytes], data: st.DataObject, missing: int
) -> None:
    head, body = reply
    sent = head + body[: max(len(body) - missing, 0)]
    cuts = data.draw(st.lists(st.integers(0, len(sent)), max_size=6))

    expected, read = by_http_client(sent), by_pieces(sent, cuts)

    assert (read and read[:2]) == (expected and expected[:2])
    if read and expected:
        assert expected[2] or not read[2]


def test_bytes_that_nobody_asked_for_close_the_connection() -> None:
    reply = HttpReply()

    assert reply.feed(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1")

    assert (reply.content, reply.keeps_open) == (b"ok", False)


def test_early_hints_are_not_the_reply() -> None:
    reply = HttpReply()

    reply.feed(b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    assert (reply.status, reply.content, reply.keeps_open) == (200, b"ok", True)


@pytest.mark.parametrize("packed", [gzip.compress(b"content"), zlib.compress(b"content")])
def test_what_comes_packed_without_being_asked_for_is_unpacked(packed: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(packed)
    whole, damaged = HttpReply(), HttpReply()

    whole.feed(head + packed)
    damaged.feed(head + packed[:-1] + b"?")

    assert whole.content == b"content"
    with pytest.raises(WrongEncoding):
        _ = damaged.content


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"SSH-2.0-OpenSSH\r\n\r\n", BadStatusLine),
        (b"HTTP/2 200\r\n\r\n", BadStatusLine),
        (b"x" * 2_000_000, LineTooLong),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 10_000, LineTooLong),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nabc", HTTPException),
    ],
)
def test_what_is_no_reply_is_refused(sent: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        HttpReply().feed(sent)
