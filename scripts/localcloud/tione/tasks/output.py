"""The copy of a container's output to COS, with what a fault leaves of it."""

from __future__ import annotations

from pathlib import Path

from scripts.localcloud.actions.objects import Objects
from scripts.localcloud.tione.tasks.task import CosPath
from scripts.localcloud.tione.tasks.task_faults import TaskFault

_MANIFEST, _RESULTS = "manifest.json", "results.jsonl"


def publish(output: Path, place: CosPath, objects: Objects, fault: TaskFault) -> None:
    """Every file under ``output``; what lies in the folder already stays. Again is no harm."""
    _spoil(output, fault)
    bucket, prefix = place.folder
    for file in sorted(output.rglob("*")):
        if file.is_file() and not fault.lose_output:
            objects.write(bucket, prefix + file.relative_to(output).as_posix(), file)


def _spoil(output: Path, fault: TaskFault) -> None:
    manifest, results = output / _MANIFEST, output / _RESULTS
    if fault.lose_manifest:
        manifest.unlink(missing_ok=True)
    if fault.tear_manifest and manifest.exists():
        content = manifest.read_bytes()
        manifest.write_bytes(content[: len(content) // 2])
    if (fault.lose_lines or fault.tear_line) and results.exists():
        lines = results.read_bytes().split(b"\n")[:-1]
        kept = lines[: len(lines) - fault.lose_lines]
        torn = kept.pop() if fault.tear_line and kept else b""
        results.write_bytes(b"".join(line + b"\n" for line in kept) + torn[: len(torn) // 2])
