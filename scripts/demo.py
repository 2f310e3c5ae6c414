"""The main job, shown: example files go into the inbox of a local cloud, and their results are read back."""

from __future__ import annotations

import argparse
import csv
import itertools
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from scripts.board import Board, JobProgress
from scripts.localcloud.announce import announced
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import REPOSITORY, CloudOptions
from scripts.real_model import ModelServer
from scripts.terminal import ProgressView, render_table
from shared.domain.keys import INBOX

EXAMPLES = REPOSITORY / "examples"
TEST_ANSWERS = ("reviews/reviews.csv", "sentences/sentences.csv", "requests/test-model.jsonl")
MODEL_ANSWERS = ("tickets/tickets.csv",)
SHOWN_ROWS = 4
DEADLINE_S = {False: 180.0, True: 1800.0}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__)
    parser.add_argument(
        "--real-model", action="store_true", help="let a small language model on this machine answer"
    )
    parser.add_argument(
        "--data", type=Path, help="where the bucket is (default: a new folder in batchdrop-data/)"
    )
    chosen = parser.parse_args(arguments)
    data_dir = chosen.data or _new_folder(REPOSITORY / "batchdrop-data")
    try:
        with ExitStack() as running:
            return _run(running, data_dir, real_model=chosen.real_model)
    except KeyboardInterrupt:  # everything has been stopped on the way here
        print(f"\nStopped. Nothing is left running; the bucket is in {data_dir}", flush=True)
        return 130
    except subprocess.SubprocessError as error:
        print(f"The language model's server did not start: {error}", file=sys.stderr)
        return 1


def _run(running: ExitStack, data_dir: Path, *, real_model: bool) -> int:
    started_s = time.monotonic()
    upstream = None
    if real_model:
        print("Starting the language model (SmolLM2-135M-Instruct) …", flush=True)
        upstream = running.enter_context(ModelServer()).url
    print("Starting the local cloud …", flush=True)
    # A batch takes a moment, as at the real service, so that there is something to see.
    cloud = running.enter_context(LocalCloud(CloudOptions(data_dir, upstream=upstream, batch_delay_s=3.0)))
    running.enter_context(announced(cloud))
    names = MODEL_ANSWERS if real_model else TEST_ANSWERS
    for name in names:
        _drop(cloud, name)
    print(f"Dropped {len(names)} file(s) into {cloud.bucket_dir / 'inbox'}\n", flush=True)
    jobs = _watch(cloud, names, started_s + DEADLINE_S[real_model])
    if jobs is None:
        print(f"\nNot finished in time. See the logs in {cloud.logs_dir}", file=sys.stderr)
        return 1
    for job in jobs:
        _show_result(cloud, job)
    if not real_model:
        print(
            "These are test answers, made from each row's text. Real ones: scripts/demo --real-model",
            flush=True,
        )
    print(
        f"Done in {time.monotonic() - started_s:.0f} s. Everything that was started is being stopped.",
        flush=True,
    )
    return 0


def _new_folder(parent: Path) -> Path:
    return next(path for n in itertools.count(1) if not (path := parent / f"demo-{n}").exists())


def _drop(cloud: LocalCloud, name: str) -> None:
    """Copy an example and its recipe as a person would, the recipe first."""
    target = cloud.bucket_dir / INBOX / name
    target.parent.mkdir(parents=True, exist_ok=True)
    recipe = (EXAMPLES / name).with_name("batch.yaml")
    if recipe.exists():
        shutil.copy(recipe, target.parent)
    shutil.copy(EXAMPLES / name, target)


def _watch(cloud: LocalCloud, names: Sequence[str], deadline_s: float) -> list[JobProgress] | None:
    """Show progress until every file has its result; ``None`` if that takes too long."""
    board = Board(cloud.open_store(), cloud.open_provider())
    view = ProgressView(sys.stdout)
    while time.monotonic() < deadline_s:
        jobs = board.read()
        waiting = [name for name in names if INBOX + name not in {job.source_key for job in jobs}]
        view.show(
            [
                *((job.source_key, job.rows_done, job.rows, job.state) for job in jobs),
                *((INBOX + name, 0, 0, "being validated") for name in waiting),
            ]
        )
        if len(jobs) == len(names) and all(job.ledger for job in jobs):
            print(flush=True)
            return jobs
        time.sleep(0.25)
    return None


def _show_result(cloud: LocalCloud, job: JobProgress) -> None:
    if job.ledger is None:
        return
    path = cloud.bucket_dir / job.ledger.result_key
    counts = ", ".join(f"{count} {status}" for status, count in job.ledger.by_status.items())
    print(f"{path}\n    {job.ledger.rows_out} rows: {counts}; {job.ledger.tokens.total} tokens", flush=True)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(itertools.islice(csv.reader(file), SHOWN_ROWS + 1))
    hidden = {"reasoning_content", "model", "finish_reason", "prompt_tokens", "completion_tokens", "total_tokens",
              "request_id", "created", "error_code", "error_message", "usage"}  # fmt: skip
    shown = [index for index, name in enumerate(rows[0]) if name not in hidden]
    header, *body = [[row[index] for index in shown] for row in rows]
    print(render_table(header, body) + "\n", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
