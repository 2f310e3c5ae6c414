"""The local Bailian as a process that is killed: what an upstream was paid for outlives it."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.bailian.local_bailian import LocalBailian
from tests.support.bailian_requests import wait_for
from tests.support.bailian_wire import KEY, Wire, ids_of, rows
from tests.support.processes import started
from tests.support.upstream_server import Reply, UpstreamServer, answer_to

ROOT = Path(__file__).parents[2]
ROWS, PAID = 100, 30


def bailian(directory: Path, upstream: str, batch_delay_s: float = 0) -> LocalBailian:
    if upstream:
        return LocalBailian(directory, KEY, upstream=Upstream(upstream), concurrency=1)
    return LocalBailian(directory, KEY, batch_delay_s=batch_delay_s)


@contextmanager
def killed(directory: Path, upstream: str = "") -> Iterator[Wire]:
    """It runs until the block ends, and is killed then."""
    command = [sys.executable, "-m", "tests.contract.test_local_bailian_killed", str(directory), upstream]
    with started(command) as process:
        yield Wire(SimpleNamespace(base_url=process.stdout.readline().strip()))


def written_in(directory: Path) -> list[str]:
    (file,) = directory.glob(".localcloud/bailian/work/*.output")
    return [json.loads(line)["custom_id"] for line in file.read_bytes().split(b"\n")[:-1]]


def test_no_answer_that_an_upstream_was_paid_for_is_paid_for_again(
    tmp_path: Path, upstream: UpstreamServer
) -> None:
    def reply(content: str) -> Reply:
        if len(upstream.seen) == PAID:
            upstream.gate.clear()
        return answer_to(content)

    upstream.reply = reply
    with killed(tmp_path, upstream.url) as wire:
        batch = wire.create(*rows(ROWS))
        wait_for(lambda: len(upstream.seen) > PAID and len(written_in(tmp_path)) == PAID)
    upstream.gate.set()

    with bailian(tmp_path, upstream.url) as local:
        ended = Wire(local).ended(batch)
        answered = ids_of(Wire(local).lines(ended["output_file_id"]))

    assert sorted(answered) == sorted(f"row-{number}" for number in range(ROWS))
    assert len(upstream.seen) == ROWS + 1  # that one was on its way


def test_answers_of_its_own_come_once_and_a_count_that_was_shown_stays(tmp_path: Path) -> None:
    with killed(tmp_path) as wire:
        batch = wire.create(*rows(ROWS))
        shown = wait_for(lambda: wire.batch(batch)["request_counts"]["completed"])
    kept = written_in(tmp_path)

    with bailian(tmp_path, "") as local:
        ended = Wire(local).ended(batch)
        answered = ids_of(Wire(local).lines(ended["output_file_id"]))

    assert shown <= len(kept) < ROWS
    assert answered[: len(kept)] == kept
    assert sorted(answered) == sorted(f"row-{number}" for number in range(ROWS))


if __name__ == "__main__":
    # Slow where it answers by itself, so that it can be killed half way.
    with bailian(Path(sys.argv[1]), sys.argv[2], batch_delay_s=20) as service:
        sys.stdout.write(f"{service.base_url}\n")
        sys.stdout.flush()
        threading.Event().wait()
