from __future__ import annotations

import os
import subprocess
import sys
from itertools import chain, count

import pytest

from tests.simulation.__main__ import CALLS_OF_MUTANTS, find_mutant
from tests.simulation.installations import Installation, installation_of, reads_bucket
from tests.simulation.mutants import MUTANTS, Mutant
from tests.simulation.run import Run, simulate
from tests.simulation.shrinking import shrink

# Enough to find every mutant; scripts/check runs thousands more beside these tests.
SEEDS = 1000
# Tried first, where few are wanted: any change of the calls may change which.
HAS_FEW_FAULTS = 107


def _first_of(installation: Installation) -> int:
    return next(seed for seed in count() if installation_of(seed) is installation)


@pytest.mark.parametrize("installation", Installation)
def test_a_run_without_faults_answers_every_row(installation: Installation) -> None:
    run = simulate(_first_of(installation), allowed=())

    assert run.failures == ()
    assert run.faults == ()
    assert run.batches > 0


def test_a_run_whose_provider_reads_the_bucket_uploads_nothing() -> None:
    run = simulate(next(filter(reads_bucket, count())), allowed=(), traced=True)

    assert run.failures == ()
    assert run.batches > 0
    assert not [call for call in run.trace if "submit batchdrop-" in call]


@pytest.mark.parametrize("hash_seed", ["0", "1"])
def test_a_seed_is_the_same_run_in_every_process(hash_seed: str) -> None:
    code = "from tests.simulation.run import simulate; print('\\n'.join(simulate(7, traced=True).trace))"
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed}

    elsewhere = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert tuple(elsewhere.stdout.rstrip("\n").split("\n")) == simulate(7, traced=True).trace


def test_a_run_replays_with_the_faults_that_struck() -> None:
    run = simulate(7)

    again = simulate(7, [fault.index for fault in run.faults])

    assert run.faults
    assert again == run


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_broken_code_is_found(mutant: Mutant) -> None:
    seed, said = find_mutant(mutant, SEEDS)

    assert seed is not None
    assert said
    assert simulate(seed, most_calls=CALLS_OF_MUTANTS).failures == ()


def test_a_failing_seed_is_shown_with_the_fewest_faults_that_break_it() -> None:
    mutant = next(each for each in MUTANTS if each.name == "take over without looking for a batch")
    with mutant.applied():
        # Each fault is left out once at least: with hundreds that takes ten times longer.
        runs = ((seed, simulate(seed)) for seed in chain([HAS_FEW_FAULTS], mutant.seeds(SEEDS)))
        seed, failing = next(
            (seed, run) for seed, run in runs if has_two_batches(run) and len(run.faults) < 20
        )
        shortest = shrink(failing, lambda kept: simulate(seed, kept))

        assert has_two_batches(shortest)
        assert len(shortest.faults) < len(failing.faults)
        for left_out in shortest.faults:
            kept = [fault.index for fault in shortest.faults if fault is not left_out]
            assert not has_two_batches(simulate(seed, kept))


def has_two_batches(run: Run) -> bool:
    return any("has 2 batches" in each for each in run.failures)
