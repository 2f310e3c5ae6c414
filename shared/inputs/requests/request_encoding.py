"""Request lines as bytes: made for table rows, and measured for every input format."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence

from pydantic import JsonValue

from shared.formats.json.cells import escape, escape_line_ends
from shared.ports.profile import EMBEDDINGS, OPENAI_LINES, LineForm, ShardLimits
from shared.problems.problem import Problem, ProblemList

_LINE_START, _LINE_END = b'{"custom_id":"', b"}\n"
_BODY = b',"body":'
_BYTES_IN_ID = 4


class RequestForm:
    """What all request lines of a file have in common, encoded once.

    Raises:
        UnicodeEncodeError: The model or a parameter holds half of a surrogate pair.
    """

    def __init__(
        self,
        model: str,
        endpoint: str,
        parameters: Mapping[str, JsonValue],
        *,
        has_system: bool,
        form: LineForm = OPENAI_LINES,
    ) -> None:
        start = b'{"model":' + _encode_json(model) + b"," if form.is_addressed else b"{"
        end = b"," + _encode_json(dict(parameters))[1:-1] + b"}" if parameters else b"}"
        if endpoint == EMBEDDINGS:
            # Embeddings take no system prompt.
            before, after = (b'["', b'"]') if form.lists_input else (b'"', b'"')
            self._start, self._between = start + b'"input":' + before, None
            self._end = after + end
        else:
            start += b'"messages":[{"role":'
            user = b'"user","content":"'
            self._start = start + (b'"system","content":"' if has_system else user)
            self._between = b'"},{"role":' + user if has_system else None
            self._end = b'"}]' + end
        address = b',"method":"POST","url":"%b"' % escape(endpoint) if form.is_addressed else b""
        self._after_id = b'"' + address + _BODY

    def body(self, system: bytes | None, prompt: bytes) -> bytes:
        """The body of a request around escaped texts."""
        if system is None or self._between is None:
            return b"".join((self._start, prompt, self._end))
        return b"".join((self._start, system, self._between, prompt, self._end))

    def line(self, custom_id: bytes, body: bytes) -> bytes:
        r"""The request line with its ``\n``, around an escaped id."""
        return b"".join((_LINE_START, custom_id, self._after_id, body, _LINE_END))

    def numbered_lines(
        self, first_number: int, system: bytes | None, prompts: Iterable[bytes]
    ) -> tuple[Sequence[bytes], Sequence[bytes], bytes]:
        """Id and digest of each prompt's ``body``, and the ``line`` of all, in one.

        What all bodies begin with is put together, and digested, once.
        """
        begin = self.body(system, b"").removesuffix(self._end)
        begun = hashlib.sha256(begin)
        after_id, end = self._after_id + begin, self._end + _LINE_END
        ids: list[bytes] = []
        digests: list[bytes] = []
        pieces: list[bytes] = []
        for number, prompt in enumerate(prompts, first_number):
            hashed = begun.copy()
            hashed.update(prompt)
            hashed.update(self._end)
            digest = hashed.digest()
            # As ``numbered_id`` has it: to call it takes longer, and this is for every row.
            custom_id = f"{number}-{digest[:_BYTES_IN_ID].hex()}".encode()
            ids.append(custom_id)
            digests.append(digest)
            pieces += (_LINE_START, custom_id, after_id, prompt, end)
        return ids, digests, b"".join(pieces)


def body_digest(body: bytes) -> bytes:
    """Two bodies of one file ask the same if they have the same digest."""
    return hashlib.sha256(body).digest()


def body_in(line: bytes) -> bytes:
    """The body in one of our numbered lines, without its line end: before it stands no text."""
    return line[line.index(_BODY) + len(_BODY) : -1]


def numbered_id(number: int, digest: bytes) -> str:
    """The id of a row that brings none, whose body has that digest.

    Answers of two uploads may have the same number; the digest tells them apart.
    """
    return f"{number}-{digest[:_BYTES_IN_ID].hex()}"


def _encode_json(value: JsonValue) -> bytes:
    """Compact JSON on one line, whatever readers take for a line end; numbers as in Python."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return escape_line_ends(text, text.encode())


def size_problems(size_bytes: int, line: int, limits: ShardLimits, warnings: ProblemList) -> list[Problem]:
    """Whether a request line, without its line end, is too large; warn if it may be."""
    if size_bytes <= limits.warn_line_bytes:
        return []
    if size_bytes > limits.max_line_bytes:
        values = {"size_bytes": size_bytes, "max_bytes": limits.max_line_bytes}
        return [Problem("line_too_large", line, values=values)]
    values = {"size_bytes": size_bytes, "warn_bytes": limits.warn_line_bytes}
    warnings.add(Problem("line_large", line, values=values))
    return []
