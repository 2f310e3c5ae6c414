"""The answers of one attempt on local disk, found again by ``custom_id``: providers keep no order."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Callable, Collection, Iterable
from types import TracebackType

from shared.domain.answers import Answer, RowStatus, parse_result_line
from shared.domain.records import Tokens
from shared.domain.result_formats import SettledAnswer

_WRITE_BYTES = 256 * 1024
_NOTHING, _ANSWERED, _REASON = range(3)


class AnswerSpool:
    """Holds a few numbers a row in memory and everything else in a temporary file.

    An answer is kept as it stands in the result, so that nothing but its place is looked at again; a reason why there
    is none is kept as it was read, since what the batch as a whole says may change it.

    An id that was not asked for is counted and dropped: it may be another shard's. Of a repeated id the first
    answer wins, but an answer wins over a refusal.
    """

    def __init__(self, asked: Iterable[str], render: Callable[[Answer], SettledAnswer]) -> None:
        self._render = render
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # closed by __exit__
        self._waiting: list[bytes] = []
        self._waiting_bytes = self._size_bytes = 0
        self._index = {custom_id: index for index, custom_id in enumerate(asked)}
        rows = len(self._index)
        self._kinds = bytearray(rows)
        self._starts = array("Q", bytes(8 * rows))
        self._lengths = array("Q", bytes(8 * rows))
        self._unread: dict[int, str] = {}
        self._prompt = self._completion = self._total = 0
        self.unknown_ids = 0
        self.repeated_ids = 0
        self.unreadable_lines = 0

    def __enter__(self) -> AnswerSpool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    @property
    def asked(self) -> Collection[str]:
        return self._index.keys()

    @property
    def found(self) -> int:
        """How many of the asked ids have a line, whatever it says."""
        return len(self._kinds) - self._kinds.count(_NOTHING)

    @property
    def tokens(self) -> Tokens:
        return Tokens(prompt=self._prompt, completion=self._completion, total=self._total)

    def add_lines(self, lines: Iterable[bytes]) -> None:
        find = self._index.get
        for line in lines:
            answer = parse_result_line(line)
            if answer is None:
                self.unreadable_lines += 1
                continue
            index = find(answer.custom_id)
            if index is None:
                self.unknown_ids += 1
            else:
                self._add(index, answer)

    def _add(self, index: int, answer: Answer) -> None:
        is_answered = answer.status is RowStatus.ANSWERED
        if self._kinds[index]:
            self.repeated_ids += 1
            if self._kinds[index] == _ANSWERED or not is_answered:
                return
        self._prompt += answer.prompt_tokens or 0
        self._completion += answer.completion_tokens or 0
        self._total += answer.total_tokens or 0
        if is_answered:
            settled = self._render(answer)
            if settled.unread:
                self._unread[index] = settled.unread
            self._keep(index, _ANSWERED, settled.rendered)
        else:
            self._keep(index, _REASON, answer.to_line())

    def _keep(self, index: int, kind: int, content: bytes) -> None:
        self._kinds[index] = kind
        self._starts[index] = self._size_bytes
        self._lengths[index] = len(content)
        self._size_bytes += len(content)
        self._waiting.append(content)
        self._waiting_bytes += len(content)
        if self._waiting_bytes >= _WRITE_BYTES:
            self._flush()

    def _flush(self) -> None:
        content = memoryview(b"".join(self._waiting))
        while content:  # without a buffer a write may take less than it is given
            content = content[self._file.write(content) :]
        self._waiting.clear()
        self._waiting_bytes = 0

    def find(self, custom_id: str) -> Answer | SettledAnswer | None:
        """The row's answer as it stands in the result, the reason why there is none, or ``None`` without a line."""
        index = self._index[custom_id]
        kind = self._kinds[index]
        if kind == _NOTHING:
            return None
        if self._waiting:
            self._flush()
        content = os.pread(self._file.fileno(), self._lengths[index], self._starts[index])
        if kind == _REASON:
            return Answer.from_line(content)
        return SettledAnswer(custom_id, RowStatus.ANSWERED.value, self._unread.get(index, ""), content)

    def is_answered(self, custom_id: str) -> bool:
        return self._kinds[self._index[custom_id]] == _ANSWERED
