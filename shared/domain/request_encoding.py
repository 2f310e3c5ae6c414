"""Request lines as bytes: made for CSV rows, and within the provider's bounds for every input format."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pydantic import JsonValue

from shared.domain.limits import ShardLimits
from shared.domain.problems import Problem, ProblemList

# Valid in JSON as they are, but many a reader takes them for line ends (and loses the row).
_LINE_ENDS = (("\u2028", "\\u2028"), ("\u2029", "\\u2029"), ("\u0085", "\\u0085"))


def chat_body(
    model: str, system: str | None, prompt: str, parameters: Mapping[str, JsonValue]
) -> dict[str, JsonValue]:
    messages: list[JsonValue] = [{"role": "user", "content": prompt}]
    if system is not None:
        messages.insert(0, {"role": "system", "content": system})
    return {"model": model, "messages": messages, **parameters}


def embeddings_body(model: str, text: str, parameters: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    return {"model": model, "input": text, **parameters}


def encode_json(value: JsonValue) -> bytes:
    """Compact JSON on one line, whatever the reader takes for a line end.

    Raises:
        UnicodeEncodeError: A text holds half of a surrogate pair.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character, escape in _LINE_ENDS:
        if character in text:
            text = text.replace(character, escape)
    return text.encode()


def encode_request(custom_id: str, url: str, body: bytes) -> bytes:
    r"""One request line with its ``\n``, around an encoded body."""
    head = encode_json({"custom_id": custom_id, "method": "POST", "url": url})
    return b"".join((head[:-1], b',"body":', body, b"}\n"))


def size_problems(size_bytes: int, line: int, limits: ShardLimits, warnings: ProblemList) -> list[Problem]:
    """Whether a request line, without its line end, is too large; add a warning if it may be."""
    values = {"size_bytes": size_bytes, "max_bytes": limits.max_line_bytes}
    if size_bytes > limits.max_line_bytes:
        return [Problem("line_too_large", line, values=values)]
    if size_bytes > limits.warn_line_bytes:
        warnings.add(
            Problem(
                "line_large", line, values={"size_bytes": size_bytes, "warn_bytes": limits.warn_line_bytes}
            )
        )
    return []
