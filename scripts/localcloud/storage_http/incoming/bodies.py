"""Request bodies in pieces: with a length or chunked, and never more or less than was announced."""

from __future__ import annotations

import base64
import hashlib
import io
import re
from collections.abc import Callable, Iterator, Mapping

from scripts.localcloud.storage import refusals
from scripts.localcloud.storage.content import PIECE_BYTES

_MAX_LINE_BYTES = 8 * 1024


class RequestBody:
    """A body that is read at most once; once ``finished``, its connection can be used again.

    What a ``Content-MD5`` header announces is compared with what came.
    """

    def __init__(
        self, stream: io.BufferedIOBase, headers: Mapping[str, str], send_continue: Callable[[], None]
    ) -> None:
        self._stream = stream
        self._chunked = "chunked" in headers.get("transfer-encoding", "").lower()
        self._is_announced = self._chunked or "content-length" in headers
        length = headers.get("content-length", "0")
        if not re.fullmatch("[0-9]{1,15}", length):
            raise refusals.invalid_argument("Content-Length is not a number.")
        self._left = 0 if self._chunked else int(length)
        self._waits_for_continue = headers.get("expect", "").lower() == "100-continue"
        self._send_continue = send_continue
        self._announced = headers.get("content-md5", "")
        self._is_broken = False
        self.finished = not self._chunked and self._left == 0

    def pieces(self) -> Iterator[bytes]:
        """The content of an object in pieces of at most 256 KB.

        Raises:
            Refusal: 411 MissingContentLength, when nobody can know where it ends; 400
                IncompleteBody, when the client stopped before the announced end; 400 InvalidDigest,
                when other bytes came than were announced.
        """
        if not self._is_announced:
            raise refusals.missing_content_length()
        yield from self._pieces()

    def _pieces(self) -> Iterator[bytes]:
        if self._waits_for_continue and not self.finished:
            self._waits_for_continue = False
            self._send_continue()
        pieces = self._unread_pieces()
        yield from self._compared(pieces) if self._announced else pieces

    def read_document(self, limit_bytes: int = 4 * 1024 * 1024) -> bytes:
        """A small body whole."""
        document = bytearray()
        for piece in self._pieces():
            document += piece
            if len(document) > limit_bytes:
                raise refusals.malformed_document()
        return bytes(document)

    def drain(self) -> None:
        """Read what a refused request still sends, so that the client gets to read the answer.

        A client that waits for ``100 Continue`` sends nothing, and nobody knows where a broken body
        ends; the connection is closed instead.
        """
        if not self._waits_for_continue and not self._is_broken:
            for _ in self._pieces():
                pass

    def _unread_pieces(self) -> Iterator[bytes]:
        if not self.finished:
            yield from self._chunked_pieces() if self._chunked else self._sized_pieces()
            self.finished = True

    def _compared(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        md5 = hashlib.md5(usedforsecurity=False)
        for piece in pieces:
            md5.update(piece)
            yield piece
        if self._announced.encode("latin-1") != base64.b64encode(md5.digest()):
            raise refusals.invalid_digest()

    def _sized_pieces(self) -> Iterator[bytes]:
        while self._left:
            piece = self._stream.read(min(self._left, PIECE_BYTES))
            if not piece:
                raise self._broken()
            self._left -= len(piece)
            yield piece

    def _chunked_pieces(self) -> Iterator[bytes]:
        while size_bytes := self._chunk_size():
            self._left = size_bytes
            yield from self._sized_pieces()
            if self._line():
                raise self._broken()
        while self._line():  # trailers
            pass

    def _chunk_size(self) -> int:
        digits = self._line().partition(b";")[0].strip()
        if not re.fullmatch(b"[0-9a-fA-F]{1,12}", digits):
            raise self._broken()
        return int(digits, 16)

    def _line(self) -> bytes:
        line = self._stream.readline(_MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise self._broken()
        return line.rstrip(b"\r\n")

    def _broken(self) -> refusals.Refusal:
        self._is_broken = True
        return refusals.incomplete_body()
