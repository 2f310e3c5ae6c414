"""Compares the estimate of tokens with the vocabulary that Alibaba Cloud's package ships.

It needs packages that no test and no function does, so it runs with an interpreter of its own, in
the folder of the checkout::

    python3 -m venv /tmp/tokens/venv
    /tmp/tokens/venv/bin/pip install dashscope==2.0.2 tiktoken numpy
    pip download --no-deps -d /tmp/tokens django==5.2.19
    unzip -q /tmp/tokens/django-*.whl 'django/*' -d /tmp/tokens
    (cd /tmp/tokens && apt-get download fortunes fortunes-min fortunes-{cs,de,es,it,pl,ru,zh})
    for each in /tmp/tokens/*.deb; do dpkg -x $each /tmp/tokens/debian; done
    ln -s debian/usr/share/games/fortunes /tmp/tokens/fortunes
    /tmp/tokens/venv/bin/python -m scripts.benchmarks.tokens /tmp/tokens

Of each kind of text every second piece is fitted to, and the table is about the others.
"""

from __future__ import annotations

import argparse
import base64
import importlib
import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scripts.benchmarks.tokens.files import FILES, Mixed
from scripts.benchmarks.tokens.texts import all_texts
from shared.formats.write_blocks import Blocks
from shared.money.tokens.characters import estimated_tokens, features
from shared.money.tokens.token_meter import TokenMeter, line_tokens

_PIECE_CHARS = 2000
# How the vocabulary's own code cuts a text: dashscope/tokenizers/qwen_tokenizer.py.
_CUTS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
    r"|\s*[\r\n]+|\s+(?!\S)|\s+"
)
# Of these more than their share, since they lie farthest from all others.
_MORE = {"czech": 2.5, "french": 2.5, "vietnamese": 1.5, "json": 2, "html": 2, "code": 2}

Count = Callable[[str], int]
Pieces = dict[str, list[str]]


def counter() -> Count:
    """Counts the tokens of a text by the vocabulary."""
    found = find_spec("dashscope")
    if found is None or not found.submodule_search_locations:
        raise SystemExit(__doc__)
    path = Path(found.submodule_search_locations[0]) / "resources" / "qwen.tiktoken"
    lines = (line.split() for line in path.read_bytes().split(b"\n") if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    tiktoken = importlib.import_module("tiktoken")
    encoding = tiktoken.Encoding("qwen", pat_str=_CUTS, mergeable_ranks=ranks, special_tokens={})
    return lambda text: len(encoding.encode(text, disallowed_special=()))


def pieces_of(folder: Path) -> Pieces:
    texts = all_texts(folder)
    return {
        kind: [text[at : at + _PIECE_CHARS] for at in range(0, len(text), _PIECE_CHARS)]
        for kind, text in texts.items()
    }


def kind_rows(pieces: Pieces, count: Count) -> Iterator[tuple[str, int, float]]:
    for kind, cuts in sorted(pieces.items()):
        others = cuts[1::2] or cuts
        yield kind, sum(map(count, others)), sum(map(estimated_tokens, others))


def file_row(file: Mixed, pieces: Pieces, count: Count) -> tuple[str, int, float]:
    """What a file's requests have, and what the meter says of them."""
    lines = list(file.lines({kind: cuts[1::2] or cuts for kind, cuts in pieces.items()}))
    meter = TokenMeter()
    blocks = Blocks(lambda block: meter.add(bytes(block)))  # as validate writes them
    counted = 0
    for line in lines:
        blocks.add(line)
        messages = json.loads(line)["body"]["messages"]
        around = line_tokens(line) - estimated_tokens("\n".join(each["content"] for each in messages))
        counted += sum(count(each["content"]) for each in messages) + round(around)
    blocks.flush()
    return file.name, counted, meter.tokens


def fitted(pieces: Pieces, count: Count) -> dict[str, float]:
    """The weights: least squares of relative errors, each kind of text with the same say."""
    numpy: Any = importlib.import_module("numpy")
    seen = [(kind, text) for kind, cuts in pieces.items() for text in cuts[::2]]
    rows = numpy.array([list(features(text).values()) for _, text in seen], float)
    tokens = numpy.array([count(text) for _, text in seen], float)
    say = [_MORE.get(kind, 1) / len(pieces[kind]) ** 0.5 for kind, _ in seen]
    weights = numpy.array(say) / tokens
    scaled = rows * weights[:, None]
    size = numpy.sqrt((scaled**2).sum(0)) + 1e-9
    scaled /= size
    inner = scaled.T @ scaled + 3e-3 * numpy.eye(scaled.shape[1])
    found = numpy.linalg.solve(inner, scaled.T @ (tokens * weights)) / size
    return dict(zip(features(""), (round(float(each), 2) for each in found), strict=True))


def show(title: str, rows: Iterator[tuple[str, int, float]]) -> None:
    print(f"\n| {title} | tokens | estimate | off by |\n|---|---:|---:|---:|")
    for name, tokens, estimate in rows:
        print(f"| {name} | {tokens:,} | {estimate:,.0f} | {100 * (estimate / tokens - 1):+.1f} % |")


def main() -> None:
    parser = argparse.ArgumentParser(
        "scripts.benchmarks.tokens", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="what holds django/ and fortunes/")
    parser.add_argument("--fit", action="store_true", help="print weights fitted to these texts")
    asked = parser.parse_args()
    pieces, count = pieces_of(asked.folder), counter()
    if asked.fit:
        for name, weight in fitted(pieces, count).items():
            print(f'    "{name}": {weight},')
        return
    show("file", (file_row(file, pieces, count) for file in FILES))
    show("kind of text", kind_rows(pieces, count))


if __name__ == "__main__":
    main()
