"""The page of a folder of many files, beside a bare listing of the folder.

Run by ``scripts/bench --page``. The page's function and the local OSS each run in a process of
their own.
"""

from __future__ import annotations

import argparse
import base64
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scripts.benchmarks.page.many_files import ClosedJob, fill
from scripts.benchmarks.stages.cloud import BUCKET, REGION, Measured, StageCloud
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import CloudOptions
from scripts.localcloud.oss.local_oss import LocalOss
from shared.bucket.records.ledger import Ledger
from shared.bucket.records.plan import Plan

FILES = (1_000, 10_000)
# Of a further look: of the page's function and of the local OSS together.
GOAL_CPU_S = 1.0
# So many further looks in one process, since a single one is hardly longer than the clock's tick.
_FURTHER = 10
_RECIPE = 'model: batch-test-model\nprompt: "{{ a }}"\n'
_PATIENCE_S = 60.0


@dataclass(frozen=True)
class Looks:
    """Medians over all rounds, for a bucket of so many files.

    Attributes:
        first: With all that the function loads for it.
        further: Each of those after it, in the same process.
        listing: Every name below ``inbox/``, by the SDK alone.
    """

    files: int
    first: Measured
    further: Measured
    listing: Measured


def closed_job(folder: Path) -> ClosedJob:
    """Have a small table answered by a whole local cloud.

    Raises:
        SystemExit: It takes too long.
    """
    with LocalCloud(CloudOptions(folder)) as cloud:
        inbox, jobs = cloud.bucket_dir / "inbox", cloud.bucket_dir / "jobs"
        inbox.mkdir(exist_ok=True)
        (inbox / "batch.yaml").write_text(_RECIPE)
        (inbox / "rows.csv").write_text("a,b\n1,x\n2,y\n")
        until_s = time.monotonic() + _PATIENCE_S
        while not (ledgers := list(jobs.glob("*/ledger.json"))):
            if time.monotonic() > until_s:
                raise SystemExit(f"The job did not end within {_PATIENCE_S:.0f} s; see {cloud.logs_dir}")
            time.sleep(0.1)
        plan = Plan.model_validate_json(ledgers[0].with_name("plan.json").read_bytes())
        return plan, Ledger.model_validate_json(ledgers[0].read_bytes())


def look(folder: Path, files: int, job: ClosedJob, rounds: int) -> Looks:
    oss = LocalOss(folder / "oss", {}, REGION, lambda _: None)
    fill(oss, BUCKET, files, [job])
    oss.storage.close()
    with StageCloud(folder) as cloud:
        found = [_round(cloud) for _ in range(rounds)]
    first, further, listing = (_middle(each) for each in zip(*found, strict=True))
    for shown in (_shown(further), listing.said):
        if shown != files:
            raise SystemExit(f"{files} files lie there, and {shown} were seen")
    return Looks(files, first, further, listing)


def _shown(seen: Measured) -> object:
    """How many files the page says there are; whatever it says if that is none of its lists."""
    if not (isinstance(seen.said, dict) and seen.said["statusCode"] == 200):
        return seen.said
    body = seen.said["body"]
    return json.loads(base64.b64decode(body) if seen.said["isBase64Encoded"] else body)["total"]


def _round(cloud: StageCloud) -> tuple[Measured, Measured, Measured]:
    first = cloud.run("page", "1")
    more = cloud.run("page", str(1 + _FURTHER))
    further = Measured(
        wall_s=(more.wall_s - first.wall_s) / _FURTHER,
        cpu_s=(more.cpu_s - first.cpu_s) / _FURTHER,
        peak_bytes=more.peak_bytes,
        said=more.said,
        services_cpu_s=(more.services_cpu_s - first.services_cpu_s) / _FURTHER,
    )
    return first, further, cloud.run("list", "inbox/")


def _middle(runs: Sequence[Measured]) -> Measured:
    return Measured(
        statistics.median(run.wall_s for run in runs),
        statistics.median(run.cpu_s for run in runs),
        max(run.peak_bytes for run in runs),
        runs[0].said,
        statistics.median(run.services_cpu_s for run in runs),
    )


def table(found: Sequence[Looks]) -> str:
    """Markdown."""
    lines = [
        "| files | | s | CPU s | local OSS's CPU s | both, to the listing | peak MB | goal |",
        "|--:|---|--:|--:|--:|--:|--:|---|",
    ]
    for each in found:
        listing_s = _both_s(each.listing)
        named = {"first look": each.first, "a further look": each.further, "listing": each.listing}
        for name, run in named.items():
            goal = _verdict(run) if run is each.further else ""
            lines.append(
                f"| {each.files:,} | {name} | {run.wall_s:.2f} | {run.cpu_s:.2f} "
                f"| {run.services_cpu_s:.2f} | {_both_s(run) / listing_s:.2f} "
                f"| {run.peak_bytes / 1e6:.0f} | {goal} |"
            )
    return "\n".join(lines)


def _both_s(run: Measured) -> float:
    return run.cpu_s + run.services_cpu_s


def _verdict(run: Measured) -> str:
    return f"≤ {GOAL_CPU_S:.0f} CPU s: {'met' if _both_s(run) <= GOAL_CPU_S else 'MISSED'}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench --page", description=__doc__)
    parser.add_argument("files", nargs="*", type=int, default=FILES)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args(arguments)
    found = []
    with tempfile.TemporaryDirectory() as name:
        job = closed_job(Path(name) / "cloud")
        for files in options.files:
            folder = Path(name) / str(files)
            found.append(look(folder, files, job, options.rounds))
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
