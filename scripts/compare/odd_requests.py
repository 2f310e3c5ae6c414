"""Request lines that people drop: every endpoint, odd JSON, and what must not be sent."""

from __future__ import annotations

import gzip
import json
from random import Random

from scripts.compare.odd_tables import mutated

CHAT = "/v1/chat/completions"
_HELLO = [{"role": "user", "content": "hello"}]


def odd_requests(chance: Random) -> dict[str, bytes]:
    """By name, in folders with and without a recipe."""
    files = {**_sent(chance), **_refused()}
    many = b"".join(line(f"q-{number}", text=chance.choice(("a", "b", "[[lost]]"))) for number in range(40))
    output = {
        f"lines-{name}/batch.yaml": f"output: {{format: {name}}}\nmodel: qwen-flash\nprompt: x\n".encode()
        for name in ("jsonl", "parquet")
    }
    return {
        **{f"lines/{name}": content for name, content in files.items()},
        **{f"lines/mutated-{number}.jsonl": mutated(many, chance) for number in range(8)},
        **output,
        "lines-jsonl/many.jsonl": many,
        "lines-parquet/many.jsonl": many,
        "lines-skip/batch.yaml": b"model: qwen-flash\nprompt: x\non_bad_rows: skip\n",
        "lines-skip/bad.jsonl": many + b"".join(_bad_lines().values()) + line("q-1"),
        **{f"lines-skip/mutated-{number}.jsonl": mutated(many, chance) for number in range(8)},
    }


def line(custom_id: object, url: str = CHAT, text: str = "hello", **body: object) -> bytes:
    """One request line of Bailian's form; ``body`` replaces its usual fields or adds to them."""
    own: dict[str, object] = {"model": "qwen-flash"}
    if url == "/v1/embeddings":
        own = {"model": "text-embedding-v4", "input": text}
    elif url == "/v1/chat/ds-test":
        own["model"] = "batch-test-model"
    if url != "/v1/embeddings":
        own["messages"] = [{"role": "user", "content": text}]
    request = {"custom_id": custom_id, "method": "POST", "url": url, "body": own | body}
    return json.dumps(request, ensure_ascii=False).encode("utf-8", "surrogatepass") + b"\n"


def _sent(chance: Random) -> dict[str, bytes]:
    words = [
        "[[fail:DataInspectionFailed]]",
        "[[refuse:400]]",
        "[[status:429]]",
        "[[status:500]]",
        "[[lost]]",
        "ok",
    ]
    chance.shuffle(words)
    parts: list[object] = [{"role": "user", "content": [{"type": "text", "text": "part"}]}]
    return {
        "chat.jsonl": line("q-1")
        + line("q-2", text="two\nlines")
        + line("q-3", temperature=0, enable_thinking=False),
        "embeddings.jsonl": line("e", "/v1/embeddings")
        + line("f", "/v1/embeddings", dimensions=64, input=["a", "b"]),
        "test-model.ndjson": b"".join(line(f"t-{number}", "/v1/chat/ds-test") for number in range(205)),
        "separators.jsonl": line("a", text="x\u2028y\u2029z\u0085") + line("\u2028"),
        "bom-crlf-blank.jsonl": b"\xef\xbb\xbf" + line("a").replace(b"\n", b"\r\n") + b"\r\n\n" + line("b"),
        "outcomes.jsonl": b"".join(line(f"o-{number}", text=word) for number, word in enumerate(words)),
        "numbers.jsonl": line("a").replace(b'"model"', b'"n": 1e999, "m": ' + b"9" * 400 + b', "model"'),
        "nested.jsonl": line("a").replace(b'"model"', b'"n": ' + b"[" * 90 + b"]" * 90 + b', "model"'),
        "escapes.jsonl": line("a").replace(b"hello", rb"\u0000 \ud83d\ude00 \u2028 \n"),
        "parts.jsonl": line("a", messages=parts) + line("b", messages=[*_HELLO, *parts]),
        "large.jsonl": line("a", text="x" * 1_100_000) + line("b"),
        "unknown-model.jsonl": line("a", model="qwen-unheard-of"),
        "formula-ids.jsonl": line("=1+1") + line("-5") + line("@x"),
        "packed.jsonl.gz": gzip.compress(line("a") + line("b"), mtime=0),
        "no-line-end.jsonl": (line("a") + line("b"))[:-1],
    }


def _bad_lines() -> dict[str, bytes]:
    """Lines any of which keeps a file from being sent."""
    return {
        "bad-json": b'{"custom_id": "x", \n',
        "single-quotes": b"{'custom_id': 'x'}\n",
        "two-objects": line("x")[:-1] + line("y"),
        "nan": line("x", temperature=float("nan")),
        "duplicate-key": b'{"custom_id": "x", ' + line("y")[1:],
        "too-deep": line("x").replace(b'"model"', b'"n": ' + b"[" * 120 + b"]" * 120 + b', "model"'),
        "lone-surrogate": line("x").replace(b"hello", rb"\ud83d"),
        "surrogate-bytes": line("x", text="\ud83d"),
        "no-utf8": line("x").replace(b"hello", b"\xff\xfe"),
        "control-character": line("x").replace(b"hello", b"a\x01b"),
        "array": b"[1, 2]\n",
        "number-as-id": line(7),
        "empty-id": line(""),
        "long-id": line("x" * 257),
        "get": line("x").replace(b"POST", b"GET"),
        "other-url": line("x", "/v1/completions"),
        "another-url": line("x", "/v1/embeddings"),
        "another-model": line("x", model="qwen-max"),
        "no-body": b'{"custom_id": "x", "method": "POST", "url": "/v1/chat/completions", "body": []}\n',
        "model-not-text": line("x", model=None),
        "test-endpoint": line("x", "/v1/chat/ds-test", model="qwen-flash"),
        "thinking": line("x", enable_thinking=True),
        "thinking-as-text": line("x", enable_thinking="yes"),
        "extra-body": line("x", extra_body={"enable_thinking": True}),
        "no-messages": line("x", messages=[]),
        "no-input": line("x", "/v1/embeddings", input=""),
    }


def _refused() -> dict[str, bytes]:
    first, rest = line("q-1"), line("q-2")
    return {
        **{f"{name}.jsonl": first + bad + rest for name, bad in _bad_lines().items()},
        "duplicate-ids.jsonl": first + rest + first + line("q-1", text="other"),
        "empty.jsonl": b"",
        "blank.jsonl": b"\n \n\n",
        "too-large.jsonl": line("a", "/v1/chat/ds-test", text="x" * 1_100_000),
        "utf16.jsonl": first.decode().encode("utf-16"),
        "whole-array.jsonl": b"[" + first.strip() + b"," + rest.strip() + b"]\n",
        "pretty.jsonl": json.dumps(json.loads(first), indent=2).encode() + b"\n",
        "lone-returns.jsonl": (first + rest).replace(b"\n", b"\r"),
        "many-problems.jsonl": b"".join(_bad_lines().values()) * 6,
    }
