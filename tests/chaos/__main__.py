"""``python -m tests.chaos``: kills processes, checks every promise; ``scripts/chaos`` calls it."""

from __future__ import annotations

import argparse
import logging
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from shared.formats.sizes import MIB
from tests.chaos.run import Bounds, Chaos


def main(arguments: Sequence[str]) -> int:
    if sys.platform != "linux":
        print("It needs Linux: elsewhere the workers outlive a killed local cloud.", file=sys.stderr)
        return 2
    bounds = _bounds(arguments)
    print(f"seed {bounds.seed}", flush=True)
    with _folder() as data_dir:
        started_s = time.monotonic()
        chaos = Chaos(data_dir, bounds)
        broken = chaos.run()
        _tell(chaos, time.monotonic() - started_s)
        for said in broken:
            print(f"BROKEN {said}")
        if broken:
            raise SystemExit(1)
    print("every promise kept")
    return 0


@contextmanager
def _folder() -> Iterator[Path]:
    """A data folder, which is kept if something failed, and not if somebody stopped the run."""
    data_dir = Path(tempfile.mkdtemp(prefix="batchdrop-chaos-"))
    try:
        yield data_dir
    except BaseException as error:
        if not isinstance(error, KeyboardInterrupt):
            print(f"All that is there is in {data_dir}")
            raise
        shutil.rmtree(data_dir)
        sys.exit(130)
    shutil.rmtree(data_dir)


def _tell(chaos: Chaos, elapsed_s: float) -> None:
    counts = ", ".join(f"{count} {name}" for name, count in sorted(chaos.counts.items()))
    print(f"{counts}, in {elapsed_s:.0f} s")
    memory = chaos.evidence.memory.values()
    peaks = (f"{each.function} {each.peak_bytes // MIB} of {each.limit_bytes // MIB} MiB" for each in memory)
    print(f"memory: {', '.join(sorted(peaks))}")


def _bounds(arguments: Sequence[str]) -> Bounds:
    parser = argparse.ArgumentParser(
        prog="scripts/chaos",
        description="Drop files into a local cloud, kill its processes, and check every promise at the end.",
    )
    parser.add_argument("--jobs", type=_positive, default=34, help="how many files are dropped (34)")
    parser.add_argument("--kills", type=_positive, default=100, help="how many processes are killed (100)")
    parser.add_argument("--seconds", type=float, default=300, help="then nothing more is killed (300)")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="(a new one each time)")
    given = parser.parse_args(arguments)
    return Bounds(given.jobs, given.kills, given.seconds, given.seed, settle_s=120 + given.jobs)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # what goes wrong on purpose would fill the screen
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends what was started, as Ctrl-C does
    sys.exit(main(sys.argv[1:]))
