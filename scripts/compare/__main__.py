"""Drops the same files into the local clouds of two checkouts, and compares what comes back.

Both are driven from outside: by ``python -m scripts.localcloud``, run with this Python, and by
their folders. Exit status 1 means that something differs, 2 that a cloud did not finish.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from scripts.compare.checkout import NotFinished, Side, run_checkout, starts_a_job
from scripts.compare.differences import Comparison, OnPurpose, Verdict, compare
from scripts.compare.odd_files import later_files, odd_files


def main(arguments: Sequence[str]) -> int:
    chosen = _parser().parse_args(arguments)
    rounds = [{**examples_of(chosen.old), **odd_files(chosen.seed)}, later_files()]
    dropped = sum(starts_a_job(name) for files in rounds for name in files)
    print(f"Dropping {dropped} files into the local cloud of each checkout …", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        try:
            old, new = _run_both(chosen, chosen.data or Path(temporary), rounds)
        except NotFinished as error:
            print(error, file=sys.stderr)
            return 2
        return _show(list(compare(old, new, OnPurpose(chosen.reworded, chosen.added))))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scripts.compare", description=__doc__)
    parser.add_argument("old", type=Path, metavar="OLD_CHECKOUT")
    parser.add_argument("new", type=Path, metavar="NEW_CHECKOUT")
    parser.add_argument("--seed", type=int, default=1, help="of the odd files (default: %(default)s)")
    parser.add_argument(
        "--reworded",
        action="append",
        default=[],
        metavar="PATTERN",
        help="reports whose wording was changed on purpose, such as 'rejected/books/*'; may be repeated",
    )
    parser.add_argument(
        "--added",
        action="append",
        default=[],
        metavar="FIELD",
        help="a field that only the newer *.report.json has, on purpose; may be repeated",
    )
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="keep both clouds' folders in this empty one"
    )
    parser.add_argument(
        "--deadline", type=float, default=1800.0, metavar="S", help="for each round (default: %(default)s)"
    )
    return parser


def examples_of(checkout: Path) -> dict[str, bytes]:
    """The examples of one checkout: both get the same files, wherever the other keeps its own."""
    folder = checkout / "examples"
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.glob("*/*"))
        if path.is_file()
    }


def _run_both(
    chosen: argparse.Namespace, data_dir: Path, rounds: Sequence[Mapping[str, bytes]]
) -> tuple[Side, Side]:
    run = partial(run_checkout, rounds=rounds, deadline_s=chosen.deadline)
    with ThreadPoolExecutor(2) as side_by_side:
        old = side_by_side.submit(run, chosen.old.resolve(), data_dir / "old")
        new = side_by_side.submit(run, chosen.new.resolve(), data_dir / "new")
        return old.result(), new.result()


def _show(comparisons: Sequence[Comparison]) -> int:
    """Print the table and its sum; 1 if anything differs, or if nothing was there to compare."""
    for each in comparisons:
        print(f"{each.verdict.value:<9}  {each.size:>9,}  {each.name}  {each.first_difference}".rstrip())
    counts = Counter(each.verdict for each in comparisons)
    print(", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict))
    return 1 if counts[Verdict.DIFFERENT] or not comparisons else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
