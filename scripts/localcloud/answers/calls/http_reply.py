"""Reads one HTTP/1.1 reply piece by piece, as it comes.

https://www.rfc-editor.org/rfc/rfc9112: one reply to a POST; of its headers only what says where it
ends.
"""

from __future__ import annotations

import re
import zlib
from http.client import BadStatusLine, HTTPException, IncompleteRead, LineTooLong, RemoteDisconnected

_MOST_HEAD_BYTES, _MOST_SIZE_BYTES = 1024 * 1024, 4 * 1024
# A line may end without a carriage return (section 2.2), and who asks for no encoding may get one.
_HEAD_END, _BLANK = re.compile(rb"\r?\n\r?\n"), re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"HTTP/1\.(\d+) +([1-9]\d\d)(?: [^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*(\d{1,18})[ \t]*\r?\n", re.IGNORECASE)
_CHUNKED = re.compile(rb"\ntransfer-encoding:[ \t]*chunked[ \t]*\r?\n", re.IGNORECASE)
_ZIPPED = re.compile(rb"\ncontent-encoding:[ \t]*(x-)?(gzip|deflate)[ \t]*\r?\n", re.IGNORECASE)
_CLOSES = re.compile(rb"\nconnection:[^\r\n]*\bclose\b", re.IGNORECASE)
_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,15})[ \t]*(?:;.*)?\r?", re.DOTALL)
_GZIP_OR_ZLIB = 32 + 15  # https://docs.python.org/3/library/zlib.html#zlib.decompressobj
_CONTINUE = range(100, 200)
_WITHOUT_CONTENT = frozenset({204, 304})


class WrongEncoding(HTTPException):
    """The content is not what the head says."""


class HttpReply:
    """One reply; errors are those of ``http.client``.

    Attributes:
        status: 0 until the head has come.
        is_whole: Nothing of it is missing.
        keeps_open: Whether its connection may be used again; known once it is whole.
    """

    def __init__(self) -> None:
        self._read = bytearray()
        self._chunks: list[bytes] = []
        self._at = 0
        self._length: int | None = None
        self._is_chunked = self._had_last_chunk = self._is_zipped = False
        self.status = 0
        self.is_whole = self.keeps_open = False

    @property
    def content(self) -> bytes:
        """Raises: WrongEncoding."""
        content = b"".join(self._chunks)
        if not self._is_zipped or not content:
            return content
        decoder = zlib.decompressobj(_GZIP_OR_ZLIB)
        try:
            content = decoder.decompress(content)
        except zlib.error as error:
            raise WrongEncoding(str(error)) from error
        if not decoder.eof:
            raise WrongEncoding("the end is missing")
        return content

    def feed(self, data: bytes) -> bool:
        """Take what has come; returns whether the reply is whole.

        Raises:
            HTTPException: This is no HTTP/1.1.
        """
        self._read += data
        while not self.status:
            end = _HEAD_END.search(self._read)
            if end is None:
                if len(self._read) > _MOST_HEAD_BYTES:
                    raise LineTooLong("header line")
                return False
            self._take_head(bytes(self._read[: end.end()]))
        if self._is_chunked:
            self._take_chunks()
        elif self._length is not None and len(self._read) >= self._at + self._length:
            self._take_last(self._length)
        return self.is_whole

    def end(self) -> bool:
        """Nothing comes any more; returns whether the reply is whole.

        Raises:
            HTTPException: Something is missing.
        """
        if not self.status:
            raise RemoteDisconnected if not self._read else BadStatusLine(self._shown())
        if self._had_last_chunk:  # only a blank line is missing
            self._take_last(0)
        elif self._is_chunked or self._length is not None:
            raise IncompleteRead(bytes(self._read[self._at :]))
        else:
            self._take_last(len(self._read) - self._at)
        return self.is_whole

    def _take_head(self, head: bytes) -> None:
        status = _STATUS.match(head)
        if status is None:
            raise BadStatusLine(self._shown())
        if int(status[2]) in _CONTINUE:
            del self._read[: len(head)]
            return
        self._at, self.status = len(head), int(status[2])
        self.keeps_open = status[1] != b"0" and not _CLOSES.search(head)
        length = _LENGTH.search(head)
        self._is_chunked = _CHUNKED.search(head) is not None
        self._is_zipped = _ZIPPED.search(head) is not None
        if self.status in _WITHOUT_CONTENT:
            self._is_chunked, self._length = False, 0
        elif length and not self._is_chunked:
            self._length = int(length[1])
        elif not self._is_chunked:
            self.keeps_open = False

    def _take_chunks(self) -> None:
        while (line_end := self._read.find(b"\n", self._at)) >= 0:
            size = _SIZE.fullmatch(self._read, self._at, line_end)
            if size is None:
                raise IncompleteRead(b"")
            size_bytes, start = int(size[1], 16), line_end + 1
            if not size_bytes:
                self._take_trailers(line_end)
                return
            if len(self._read) < start + size_bytes + 2:
                return
            self._chunks.append(bytes(self._read[start : start + size_bytes]))
            self._at = start + size_bytes + 2
        if len(self._read) - self._at > _MOST_SIZE_BYTES:
            raise LineTooLong("chunk size")

    def _take_trailers(self, line_end: int) -> None:
        self._had_last_chunk = True
        if end := _BLANK.search(self._read, line_end):
            self._at = end.end()
            self._take_last(0)

    def _take_last(self, length: int) -> None:
        """What comes after the end was not asked for, and whoever sends it is not asked again."""
        end = self._at + length
        if length:
            self._chunks.append(bytes(self._read[self._at : end]))
        self.keeps_open = self.keeps_open and len(self._read) == end
        self.is_whole = True

    def _shown(self) -> str:
        return bytes(self._read[:80]).decode("latin-1")
