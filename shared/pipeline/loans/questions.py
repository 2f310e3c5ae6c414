"""Finds a question among millions by its digest, with few bytes of memory for each."""

from __future__ import annotations

import tempfile
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import IO

from shared.results.kept_rows import DIGEST_BYTES

_SLOT_BITS = 4
_SLOTS = 1 << _SLOT_BITS
_FEWEST_BUCKETS = 1 << 12
# So many use 11 MB of memory, and hold 1.3 million questions, or two if the oldest are forgotten.
MOST_BUCKETS = 1 << 17
# With ten in sixteen slots, chance leaves none of 160 questions without one.
_FULL = 10
_WRITTEN_AT_ONCE = 4096
# After so many the file begins anew, on the digests of questions that are forgotten.
_IN_FILE = 512 * _WRITTEN_AT_ONCE
MOST_BYTES_ON_DISK = _IN_FILE * DIGEST_BYTES
_READ_AT_ONCE = 64


class Questions:
    """Numbers questions from 0 in their order.

    A digest's first eight bytes say in which bucket the question has its slot, and with which mark.
    Its 128 bits are in a file on local disk, and are read before a question counts as found.
    Python's own dictionary would take 130 bytes for each.

    Attributes:
        count: How many there are, forgotten ones included.
    """

    def __init__(self) -> None:
        self.count = 0
        # Those whose slot a newer one has taken: one in 160 or so.
        self._beside: dict[bytes, list[int]] = defaultdict(list)
        self._file: IO[bytes] | None = None
        self._unwritten: list[bytes] = []
        self._written = 0
        self._read_from, self._read = 0, b""
        self._clear(_FEWEST_BUCKETS)

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def find(self, digest: bytes) -> Sequence[int]:
        """The numbers of those with this digest, in no order."""
        (head,) = _heads_of((digest,))
        return self._same(head, digest)

    def find_all(self, digests: Sequence[bytes]) -> Iterator[tuple[int, Sequence[int]]]:
        """Of these, which are known, by their index, with the numbers of each."""
        find, mask, numbers, beside = self._marks.find, self._mask, self._numbers, self._beside
        for index, (head, digest) in enumerate(zip(_heads_of(digests), digests, strict=True)):
            mark, start = head >> 56 or 1, (head & mask) << _SLOT_BITS
            end = start + _SLOTS
            at = find(mark, start, end)
            if at < 0 and not beside:
                continue
            is_only = at >= 0 and not beside and find(mark, at + 1, end) < 0
            if is_only and self.digest(numbers[at]) == digest[:DIGEST_BYTES]:
                yield index, (numbers[at],)
            elif not is_only and (found := self._same(head, digest)):
                yield index, found

    def add(self, digests: Sequence[bytes]) -> None:
        """Number all of them, also those that are known. None is forgotten."""
        self._make_room(len(digests))
        first = self.count
        self._unwritten += digests
        self.count += len(digests)
        self._insert(_heads_of(digests), first)
        self._write()

    def take(self, digests: Sequence[bytes], oldest: int = 0) -> list[int]:
        """The number of each; those that are not known from ``oldest`` on get the next ones.

        Of more than 1.3 million questions the oldest are forgotten.
        """
        self._make_room(len(digests))
        mask, marks, numbers, ages = self._mask, self._marks, self._numbers, self._ages
        find, count, unwritten, beside = marks.find, self.count, self._unwritten, self._beside
        # Where the digest of a forgotten one stood, that of a newer one stands.
        oldest, taken = max(oldest, self._written - _IN_FILE), list[int]()
        for head, digest in zip(_heads_of(digests), digests, strict=True):
            bucket, mark = head & mask, head >> 56 or 1
            start = bucket << _SLOT_BITS
            at = find(mark, start, start + _SLOTS)
            if at >= 0 or (beside and digest[:DIGEST_BYTES] in beside):
                known = numbers[at] if at >= 0 else -1
                if known < oldest or self.digest(known) != digest[:DIGEST_BYTES]:
                    known = max(self._same(head, digest), default=-1)
                if known >= oldest:
                    taken.append(known)
                    continue
            # As in ``_insert``: to call it for each would take longer than all else.
            slot = start + ages[bucket]
            ages[bucket] = slot + 1 & _SLOTS - 1
            if marks[slot] and count < _FULL * MOST_BUCKETS:
                beside[self.digest(numbers[slot])].append(numbers[slot])
            marks[slot], numbers[slot] = mark, count
            unwritten.append(digest)
            taken.append(count)
            count += 1
            self.count = count
        self._write()
        return taken

    def _same(self, head: int, digest: bytes) -> Sequence[int]:
        found: list[int] = []
        start, mark, digest = (head & self._mask) << _SLOT_BITS, head >> 56 or 1, digest[:DIGEST_BYTES]
        at = self._marks.find(mark, start, start + _SLOTS)
        while at >= 0:
            number = self._numbers[at]
            if number >= self._written - _IN_FILE and self.digest(number) == digest:
                found.append(number)
            at = self._marks.find(mark, at + 1, start + _SLOTS)
        return [*found, *self._beside.get(digest, ())] if self._beside else found

    def _clear(self, buckets: int) -> None:
        self._mask = buckets - 1
        self._marks = bytearray(buckets << _SLOT_BITS)  # a slot without a question has 0
        self._numbers = array("I", bytes(len(self._marks) * array("I").itemsize))
        # Of each bucket the slot that is written next.
        self._ages = bytearray(buckets)

    def _insert(self, heads: Iterable[int], first: int) -> None:
        mask, marks, numbers, ages, beside = self._mask, self._marks, self._numbers, self._ages, self._beside
        for number, head in enumerate(heads, first):
            bucket = head & mask
            slot = (bucket << _SLOT_BITS) + ages[bucket]
            ages[bucket] = slot + 1 & _SLOTS - 1
            if marks[slot]:
                beside[self.digest(numbers[slot])].append(numbers[slot])
            marks[slot], numbers[slot] = head >> 56 or 1, number

    def _make_room(self, more: int) -> None:
        """Part the buckets before they are full."""
        buckets = self._mask + 1
        while self.count + more > _FULL * buckets and buckets < MOST_BUCKETS:
            buckets *= 2
        if buckets > self._mask + 1:
            self._clear(buckets)
            self._beside.clear()
            self._insert(chain.from_iterable(self._all_heads()), 0)

    def _all_heads(self) -> Iterator[Sequence[int]]:
        for number in range(0, self._written, _WRITTEN_AT_ONCE):
            yield _heads_in(self._in_file(number, _WRITTEN_AT_ONCE), DIGEST_BYTES)
        yield _heads_of(self._unwritten)

    def _write(self) -> None:
        while len(self._unwritten) >= _WRITTEN_AT_ONCE:
            if self._file is None:
                self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by close
            content = memoryview(
                b"".join([each[:DIGEST_BYTES] for each in self._unwritten[:_WRITTEN_AT_ONCE]])
            )
            self._file.seek(self._written % _IN_FILE * DIGEST_BYTES)
            while content:  # without a buffer a write may take less than it is given
                content = content[self._file.write(content) :]
            self._written += _WRITTEN_AT_ONCE
            del self._unwritten[:_WRITTEN_AT_ONCE]
            self._read = b""

    def digest(self, number: int) -> bytes:
        """Of one that is not forgotten, its 128 bits."""
        if number >= self._written:
            return self._unwritten[number - self._written][:DIGEST_BYTES]
        start = (number - self._read_from) * DIGEST_BYTES
        if not 0 <= start < len(self._read):
            self._read_from = number - number % _READ_AT_ONCE
            self._read = self._in_file(self._read_from, _READ_AT_ONCE)
            start = (number - self._read_from) * DIGEST_BYTES
        return self._read[start : start + DIGEST_BYTES]

    def digests(self, first: int, count: int) -> bytes:
        """Those of so many, in one, if none is forgotten."""
        in_file = max(0, min(count, self._written - first))
        begun = first + in_file - self._written
        unwritten = self._unwritten[begun : begun + count - in_file] if in_file < count else ()
        return self._in_file(first, in_file) + b"".join([each[:DIGEST_BYTES] for each in unwritten])

    def _in_file(self, number: int, count: int) -> bytes:
        if self._file is None:
            return b""
        self._file.seek(number % _IN_FILE * DIGEST_BYTES)
        return self._file.read(count * DIGEST_BYTES)


def _heads_of(digests: Sequence[bytes]) -> Sequence[int]:
    return _heads_in(b"".join(digests), len(digests[0])) if digests else ()


def _heads_in(digests: bytes, digest_bytes: int) -> Sequence[int]:
    """The first eight bytes of each, as numbers of this machine."""
    return memoryview(digests).cast("Q")[:: digest_bytes // 8].tolist()
