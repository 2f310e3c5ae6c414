"""The local OSS on its own: ``python -m scripts.localcloud.oss DATA_DIR --bucket NAME``.

Events go to stdout.
"""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.storage.object_events import ObjectEvent, render_oss_event

# No secrets: they open nothing but a folder on this machine, over its loopback interface.
ACCESS_KEY_ID = "LocalCloudKeyId"
ACCESS_KEY_SECRET = "LocalCloudKeySecret"  # noqa: S105


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.localcloud.oss", description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--bucket", action="append", default=[], help="create this bucket; may be repeated")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--region", default="cn-beijing")
    chosen = parser.parse_args(arguments)
    credentials = {ACCESS_KEY_ID: ACCESS_KEY_SECRET}
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with LocalOss(chosen.data_dir, credentials, chosen.region, _print_event, port=chosen.port) as oss:
        for bucket in chosen.bucket:
            oss.storage.create_bucket(bucket)
        print(f"endpoint {oss.url}", flush=True)
        print(f"key {ACCESS_KEY_ID} secret {ACCESS_KEY_SECRET} region {chosen.region}", flush=True)
        stopped.wait()


def _print_event(event: ObjectEvent) -> None:
    print(render_oss_event(event).decode(), flush=True)


if __name__ == "__main__":
    main()
