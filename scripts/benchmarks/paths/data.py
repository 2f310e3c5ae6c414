"""Makes the benchmark's files from a seed.

``python -m scripts.benchmarks.paths.data <case> <folder> [<seed>]``.

About 60 % of the text is Chinese, contents have 200 to 2,000 characters, one answer in ten starts
with its reasoning, and 3 % of the rows are errors. The same case and seed give the same bytes.
"""

from __future__ import annotations

import csv
import json
import random
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

MB = 1_000_000
SHARD_LINES = 50_000
JOIN_ROWS = 50_000
_WORDS = re.split(
    " ",
    "批量 推理 结果 模型 回答 问题 客户 评价 物流 很快 质量 不错 退货 价格 便宜 包装 破损 建议 继续 观察 数据 表格 分类 翻译 "
    "总结 因此 我们 认为 这个 产品 满意 但是 颜色 尺寸 偏小 需要 联系 客服 处理 已经 收到 谢谢",
)
_ENGLISH = re.split(
    " ",
    "the quick batch answer model says that delivery was fast and quality fine, however the price is high; please "
    "check this order again, refund it if needed and then reply with one label. https://example.com/a?b=c&d=1 3.14159",
)
# Answers are prose with a line break every few sentences, sometimes a quotation or a little JSON.
_RARE = ("\n", "\n\n", "\n- ", '"好评"', '{"label": "good"}')
_POOL = 3000
_QUOTED_COLUMNS = 18


@dataclass(frozen=True)
class Case:
    """One set of files; ``size_mb`` is the measured file's, ``variant`` says what is in it."""

    path: str
    size_mb: int
    variant: str = ""

    def __str__(self) -> str:
        return "-".join(filter(None, (self.path, str(self.size_mb), self.variant)))

    @property
    def encoding(self) -> str:
        """Of the table of a ``convert`` case: the first word of its variant."""
        return self.variant.partition("-")[0]

    @property
    def is_quoted(self) -> bool:
        return self.variant.endswith("-quoted")

    @property
    def is_short(self) -> bool:
        return self.variant.endswith("-short")

    @classmethod
    def parse(cls, name: str) -> Case:
        path, size_mb, *variant = name.split("-")
        return cls(path, int(size_mb), "-".join(variant))


class Texts:
    """A pool of texts as JSON: to make each row's text would take longer than all measuring."""

    def __init__(self, rng: random.Random, least: int, most: int, *, escaped: bool = False) -> None:
        self._rng = rng
        self.plain = [_text(rng, rng.randint(least, most)) for _ in range(_POOL)]
        self.json = [json.dumps(text, ensure_ascii=escaped) for text in self.plain]

    def pick(self) -> str:
        return self._rng.choice(self.json)


def _text(rng: random.Random, chars: int) -> str:
    words: list[str] = []
    size = 0
    while size < chars:
        chinese = rng.random() < 0.6
        word = (
            "".join(rng.choices(_WORDS, k=4)) + "，"
            if chinese
            else " ".join(rng.choices(_ENGLISH, k=3)) + " "
        )
        if rng.random() < 0.05:
            word += rng.choice(_RARE)
        words.append(word)
        size += len(word)
    return "".join(words)[:chars]


def _error(custom_id: str, number: int) -> str:
    error = '{"code":"InvalidParameter","message":"Input data may contain inappropriate content."}'
    return f'{{"id":"r-{number}","custom_id":"{custom_id}","response":null,"error":{error}}}\n'


def _answer(rng: random.Random, custom_id: str, content: str, thinking: str, number: int) -> str:
    if rng.random() < 0.03:
        return _error(custom_id, number)
    thought = f',"reasoning_content":{thinking}' if thinking else ""
    return (
        f'{{"id":"r-{number}","custom_id":"{custom_id}","response":{{"status_code":200,"request_id":"r-{number}",'
        f'"body":{{"created":1776432582,"usage":{{"completion_tokens":{number % 900},"prompt_tokens":26,'
        f'"total_tokens":{number % 900 + 26}}},"model":"qwen-flash","id":"chatcmpl-{number}","choices":[{{'
        f'"finish_reason":"stop","index":0,"message":{{"role":"assistant","content":{content}{thought}}}}}],'
        f'"object":"chat.completion"}}}},"error":null}}\n'
    )


def _vector(rng: random.Random, custom_id: str, vector: str, number: int) -> str:
    if rng.random() < 0.03:
        return _error(custom_id, number)
    return (
        f'{{"id":"r-{number}","custom_id":"{custom_id}","response":{{"status_code":200,"request_id":"r-{number}",'
        f'"body":{{"data":[{{"embedding":{vector},"index":0,"object":"embedding"}}],"model":"text-embedding-v4",'
        f'"object":"list","usage":{{"prompt_tokens":26,"total_tokens":26}},"id":"e-{number}"}}}},"error":null}}\n'
    )


def _result_lines(rng: random.Random, case: Case) -> Iterator[str]:
    if case.variant == "embeddings":
        vectors = [json.dumps([rng.uniform(-0.2, 0.2) for _ in range(1024)]) for _ in range(50)]
        number = 0
        while True:
            number += 1
            yield _vector(rng, f"q-{number}", rng.choice(vectors), number)
    escaped = case.variant == "escaped"
    contents, thoughts = Texts(rng, 200, 2000, escaped=escaped), Texts(rng, 2000, 6000, escaped=escaped)
    number = 0
    while True:
        number += 1
        thinking = thoughts.pick() if rng.random() < 0.1 else ""
        yield _answer(rng, f"q-{number}", contents.pick(), thinking, number)


def make_flatten(case: Case, folder: Path, rng: random.Random) -> None:
    """``results-1.jsonl`` and so on, at most 50,000 lines each, shuffled as a provider's are."""
    size, shard = 0, 0
    lines = _result_lines(rng, case)
    while size < case.size_mb * MB:
        shard += 1
        block: list[str] = []
        while len(block) < SHARD_LINES and size < case.size_mb * MB:
            block.append(next(lines))
            size += len(block[-1].encode())
        rng.shuffle(block)
        (folder / f"results-{shard}.jsonl").write_text("".join(block), encoding="utf-8", newline="")


def make_validate(case: Case, folder: Path, rng: random.Random) -> None:
    """50,000 request lines with 50,000 ids; in a large file, twenty have almost 6 MB."""
    rows = min(50_000, case.size_mb * 100)
    large = min(20, case.size_mb // 25)
    texts = Texts(rng, 200, 2000)
    filler = json.dumps("长" * 1_950_000, ensure_ascii=False)
    each = (case.size_mb * MB - large * len(filler.encode())) // rows
    large_at = set(rng.sample(range(rows), large))
    head = '"method":"POST","url":"/v1/chat/completions","body":{"model":"qwen-flash","messages":[{"role":"user","content":'
    with (folder / "requests.jsonl").open("w", encoding="utf-8", newline="") as file:
        for number in range(rows):
            content = filler if number in large_at else _of_size(texts, each - 180)
            file.write(f'{{"custom_id":"request-{number}",{head}{content}}}],"enable_thinking":false}}}}\n')


def _of_size(texts: Texts, size_bytes: int) -> str:
    pieces, size = [texts.pick()[1:-1]], 0
    while (size := size + len(pieces[-1].encode())) < size_bytes:
        pieces.append(texts.pick()[1:-1])
    return '"' + "".join(pieces) + '"'


def make_convert(case: Case, folder: Path, rng: random.Random) -> None:
    """``input.csv`` with id and content; if quoted, with eighteen more short quoted columns.

    Short contents make rows of about 480 bytes: 500,000 in 241 MB.
    """
    chars = (5, 20) if case.is_quoted else (60, 440) if case.is_short else (200, 2000)
    texts = Texts(rng, *chars)
    more = _QUOTED_COLUMNS if case.is_quoted else 0
    size, number = 0, 0
    with (folder / "input.csv").open("w", encoding=case.encoding, newline="") as file:
        writer = csv.writer(file, quoting=csv.QUOTE_ALL if case.is_quoted else csv.QUOTE_MINIMAL)
        writer.writerow(["编号", "内容", *(f"列{column}" for column in range(more))])
        while size < case.size_mb * MB:
            number += 1
            writer.writerow([f"q-{number}", rng.choice(texts.plain), *rng.choices(texts.plain, k=more)])
            if number % 1000 == 0:
                size = file.tell()


def make_join(case: Case, folder: Path, rng: random.Random) -> None:
    """``input.csv`` with 50,000 rows and ``results-1.jsonl``, shuffled, of the size asked for."""
    with (folder / "input.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "name", "text"])
        originals = Texts(rng, 50, 300).plain
        writer.writerows([f"q-{n}", f"客户 {n}", rng.choice(originals)] for n in range(1, JOIN_ROWS + 1))
    chars = case.size_mb * MB // JOIN_ROWS // 2
    contents = Texts(rng, chars // 3, chars * 5 // 4)
    lines = [_answer(rng, f"q-{n}", contents.pick(), "", n) for n in range(1, JOIN_ROWS + 1)]
    rng.shuffle(lines)
    (folder / "results-1.jsonl").write_text("".join(lines), encoding="utf-8", newline="")


_MAKERS = {"flatten": make_flatten, "validate": make_validate, "convert": make_convert, "join": make_join}


def make(case: Case, folder: Path, seed: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    _MAKERS[case.path](case, folder, random.Random(f"{seed}-{case}"))


if __name__ == "__main__":
    make(Case.parse(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
