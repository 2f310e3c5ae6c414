"""The local OSS on its own: ``python -m scripts.localcloud.oss DATA_DIR --bucket NAME``.

Events go to stdout.
"""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.data_lock import LOOK_S, DataDirGone, DataDirInUse, DataLock, locked
from scripts.localcloud.local_server import PortTaken
from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.oss_events import render_oss_event
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.terminal import Parser, say, shown

PROGRAM = "python -m scripts.localcloud.oss"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = Parser(prog=PROGRAM, description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--bucket", action="append", default=[], help="create this bucket; may be repeated")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--region", default="cn-beijing")
    chosen = parser.parse_args(arguments)
    try:
        with locked(chosen.data_dir) as lock, lock.told_once():
            _serve(chosen, lock)
    except (DataDirInUse, DataDirGone, PortTaken) as error:
        raise SystemExit(shown(f"{PROGRAM}: {error}")) from None


def _serve(chosen: argparse.Namespace, lock: DataLock) -> None:
    """Until a signal comes."""
    keys = own_keys(chosen.data_dir)
    credentials = {keys.access_key_id: keys.access_key_secret}
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with LocalOss(chosen.data_dir, credentials, chosen.region, _print_event, port=chosen.port) as oss:
        for bucket in chosen.bucket:
            oss.storage.create_bucket(bucket)
        say(f"endpoint {oss.url}")
        say(f"key {keys.access_key_id} secret {keys.access_key_secret} region {chosen.region}")
        while not stopped.wait(LOOK_S):
            lock.check()


def _print_event(event: ObjectEvent) -> None:
    say(render_oss_event(event).decode())


if __name__ == "__main__":
    main()
