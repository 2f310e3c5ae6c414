"""What the local cloud tells the page of itself: what ran, what failed, where the logs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from scripts.localcloud.fc.lanes import InvocationCounts


def status(
    logs: Mapping[str, Path],
    counts: Mapping[str, InvocationCounts],
    *,
    services: Mapping[str, str],
    dead_letters: Path,
    interrupted: Mapping[str, str],
) -> dict[str, object]:
    """The facts, for JSON.

    Args:
        logs: Of every function.
        counts: Without a function that was not invoked yet.
        services: The address of each local service by its name.
        dead_letters: The file.
        interrupted: Why, by the name of the work.
    """
    return {
        "functions": [
            {"name": name, "log": str(log), **asdict(counts.get(name, InvocationCounts()))}
            for name, log in sorted(logs.items())
        ],
        "dead_letters": sum(each.dead_lettered for each in counts.values()),
        "dead_letters_file": str(dead_letters),
        "services": dict(services),
        "interrupted": dict(interrupted),
    }
