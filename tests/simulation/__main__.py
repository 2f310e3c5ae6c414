"""``python -m tests.simulation``: as many runs as you like; ``scripts/simulate`` calls it."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, count, islice

from tests.simulation.installations import Installation, installation_of
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.run import Run, simulate
from tests.simulation.shrinking import shrink

# What a mutant that never ends may do, rather than the bound of right code: a minute each.
CALLS_OF_MUTANTS = 100_000
_PIECE = 50
_SHOWN = 5
# What Python says of a mistake whose names and arguments are no longer those of the code.
_MISFIT = re.compile(r"\b(?:AttributeError|NameError|TypeError)\b")


@dataclass
class Totals:
    """What many runs came to."""

    runs: int = 0
    batches: int = 0
    invocations: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    failed: list[int] = field(default_factory=list)

    def add(self, other: Totals) -> None:
        self.runs += other.runs
        self.batches += other.batches
        self.invocations.update(other.invocations)
        self.faults.update(other.faults)
        self.failed += other.failed


def main(arguments: Sequence[str]) -> int:
    options = _options(arguments)
    if options.replay is not None:
        return _replay(options.replay)
    if options.mutants:
        return _try_mutants(options.runs, options.jobs)
    return _run_many(_seeds(options), options.jobs, options.seconds)


def _seeds(options: argparse.Namespace) -> Sequence[int]:
    """Those in a row, or of them those that have this provider."""
    every: Iterable[int] = count(options.first)
    if options.provider:
        every = filter(lambda seed: options.provider in installation_of(seed).value, every)
    return list(islice(every, options.runs))


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="scripts/simulate",
        description="Run the pipeline under every fault that we know of, on a virtual clock; each run is named by its seed.",
    )
    parser.add_argument("--runs", type=_positive, default=2000, help="how many seeds (2,000)")
    parser.add_argument("--first", type=int, default=0, help="the first seed (0)")
    parser.add_argument(
        "--jobs", type=_positive, default=os.cpu_count() or 1, help="processes at once (one a core)"
    )
    parser.add_argument(
        "--seconds", type=float, default=None, help="stop after so long, whatever --runs says"
    )
    parser.add_argument(
        "--replay", type=int, metavar="SEED", help="show one seed, with as few faults as break it"
    )
    parser.add_argument(
        "--provider", choices=Installation.ALL.value, help="only seeds with this one, alone or beside others"
    )
    parser.add_argument("--mutants", action="store_true", help="break the code on purpose and see it found")
    return parser.parse_args(arguments)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _run_many(seeds: Sequence[int], jobs: int, seconds: float | None) -> int:
    started_s = time.monotonic()
    totals = Totals()
    pieces = [seeds[start : start + _PIECE] for start in range(0, len(seeds), _PIECE)]
    with ProcessPoolExecutor(jobs, initializer=_collect_seldom) as processes:
        for piece in _results(processes, pieces, jobs):
            totals.add(piece)
            if seconds is not None and time.monotonic() - started_s > seconds:
                break
        processes.shutdown(cancel_futures=True)
    elapsed_s = time.monotonic() - started_s
    print(f"{totals.runs} runs in {elapsed_s:.1f} s: {totals.runs / elapsed_s:.1f} runs/s, {jobs} processes")
    print(f"{totals.batches} batches; invocations: {_counts(totals.invocations)}")
    print(f"{totals.faults.total()} faults: {_counts(totals.faults)}")
    print(f"{len(totals.failed)} failures of invariants")
    for seed in sorted(totals.failed)[:_SHOWN]:
        _replay(seed)
    return 1 if totals.failed else 0


def _collect_seldom() -> None:
    """A run leaves few cycles, and all that is imported stays."""
    gc.freeze()
    gc.set_threshold(50_000)


def _results(processes: ProcessPoolExecutor, pieces: Sequence[Sequence[int]], jobs: int) -> Iterator[Totals]:
    """The pieces' totals as they come; only a few pieces wait, so that it can stop early."""
    waiting = [processes.submit(_piece, piece) for piece in pieces[: 2 * jobs]]
    for piece in chain(pieces[2 * jobs :], [None] * len(waiting)):
        yield waiting.pop(0).result()
        if piece is not None:
            waiting.append(processes.submit(_piece, piece))


@contextmanager
def _in_silence() -> Iterator[None]:
    """Millions of log lines would take longer than the runs."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _piece(seeds: Iterable[int]) -> Totals:
    totals = Totals()
    for seed in seeds:
        with _in_silence():
            run = simulate(seed)
        totals.runs += 1
        totals.batches += run.batches
        totals.invocations.update(run.invocations)
        totals.faults.update(run.counted_faults())
        if run.failures:
            totals.failed.append(seed)
            print(f"seed {seed}: {run.failures[0]}", file=sys.stderr, flush=True)
    return totals


def _replay(seed: int) -> int:
    """Show the shortest schedule that breaks this seed, or say that it holds."""
    with _in_silence():
        return _show(seed)


def _show(seed: int) -> int:
    run = simulate(seed)
    if not run.failures:
        print(
            f"seed {seed}: every promise kept, {len(run.faults)} faults, {run.virtual_s / 3600:.1f} virtual hours"
        )
        return 0
    shortest = shrink(run, lambda kept: simulate(seed, kept))
    shown = simulate(seed, [fault.index for fault in shortest.faults], traced=True)
    print(f"\nseed {seed}: {len(run.faults)} faults, of which {len(shown.faults)} suffice")
    for fault in shown.faults:
        print(f"  fault {fault.kind} at {fault.at_s:.1f} s: {fault.where}")
    print("\n".join(_without_idling(shown)))
    for failure in shown.failures:
        print(f"  BROKEN: {failure}")
    return 1


def _without_idling(run: Run) -> Iterator[str]:
    """The schedule without the timer's runs that found nothing."""
    quiet = ("list ", "head ", "get jobs/")
    for line in run.trace:
        if " reconcile " not in line or not line[48:].lstrip().startswith(quiet):
            yield line


def _try_mutants(runs: int, jobs: int) -> int:
    started_s = time.monotonic()
    with ProcessPoolExecutor(jobs, initializer=_collect_seldom) as processes:
        found = list(processes.map(_find_nth, range(len(MUTANTS)), [runs] * len(MUTANTS)))
    print("| what was broken | found by seed | which said |\n|---|---|---|")
    for mutant, (seed, said) in zip(MUTANTS, found, strict=True):
        print(f"| {mutant.name} | {'NOT FOUND' if seed is None else seed} | {said} |")
    missed = [mutant for mutant, (seed, _) in zip(MUTANTS, found, strict=True) if seed is None]
    print(f"{len(MUTANTS) - len(missed)} of {len(MUTANTS)} found in {time.monotonic() - started_s:.1f} s")
    return 1 if missed else 0


def _find_nth(number: int, runs: int) -> tuple[int | None, str]:
    """By its number: what makes a mutant cannot be sent to another process."""
    return find_mutant(MUTANTS[number], runs)


def find_mutant(mutant: Mutant, runs: int) -> tuple[int | None, str]:
    """The first seed with which it breaks a promise, and which one; an exception does not count.

    Raises:
        TypeError: The mistake itself does not fit the code any more.
    """
    with _in_silence(), mutant.applied():
        for seed in mutant.seeds(runs):
            run = simulate(seed, most_calls=CALLS_OF_MUTANTS)
            if misfits := [each for each in run.surprises if _MISFIT.search(each)]:
                raise TypeError(f"{mutant.name}, with seed {seed}: {misfits[0]}")
            broken = [failure for failure in run.failures if failure not in run.surprises]
            if broken:
                return seed, broken[0]
    return None, ""


def _counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counter.most_common())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
