"""The local Bailian on its own: ``python -m scripts.localcloud.bailian DATA_DIR``, until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import threading
from collections.abc import Sequence
from pathlib import Path

from scripts.localcloud.bailian.server import LocalBailian


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.localcloud.bailian", description=__doc__)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--api-key", default="sk-local")
    parser.add_argument("--port", type=int, default=0)
    chosen = parser.parse_args(arguments)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with LocalBailian(chosen.data_dir, chosen.api_key, port=chosen.port) as bailian:
        print(f"endpoint {bailian.base_url}", flush=True)
        stopped.wait()


if __name__ == "__main__":
    main()
