"""The local Bailian in a process of its own.

``python -m scripts.benchmarks.stages.bailian <data folder> <API key> [<upstream> <at once>]``; it
says where it listens, and ends with the first signal.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.bailian.local_bailian import LocalBailian


def main(data_dir: str, api_key: str, upstream: str = "", concurrency: str = "2") -> None:
    ends = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # in every thread; sigwait takes them
    answerer = Upstream(upstream) if upstream else None
    with LocalBailian(Path(data_dir), api_key, upstream=answerer, concurrency=int(concurrency)) as bailian:
        print(f"endpoint {bailian.base_url}", flush=True)
        signal.sigwait(ends)


if __name__ == "__main__":
    main(*sys.argv[1:])
