"""The files that are dropped into both clouds: odd ones of every kind.

The same for the same seed, but for the workbooks, which say when they were made.
"""

from __future__ import annotations

from random import Random

from scripts.compare.odd_books import odd_books
from scripts.compare.odd_recipes import odd_recipes
from scripts.compare.odd_requests import line, odd_requests
from scripts.compare.odd_tables import RECIPE, odd_tables


def odd_files(seed: int) -> dict[str, bytes]:
    """What is dropped first, by name in ``inbox/``. No two files want the same result name."""
    chance = Random(seed)
    return {
        **odd_tables(chance),
        **odd_requests(chance),
        **odd_recipes(),
        **odd_books(),
        "later/batch.yaml": RECIPE,
        "later/names.csv": b"name,text\nA,first\n",
        "later/replaced.csv": b"name,text\nA,first\n",
        "later/mended.csv": b"name\nA\n",
        ".DS_Store": b"\0\0\0\1Bud1",
        "~$open.xlsx": b"x",
    }


def later_files() -> dict[str, bytes]:
    """What is dropped once the first have ended: newer versions, and names that are taken."""
    return {
        "later/replaced.csv": b"name,text\nA,second\nB,second\n",
        "later/names.jsonl": line("taken"),
        "later/names.csv.gz": b"no gzip",
        "later/mended.csv": b"name,text\nA,mended\n",
    }
