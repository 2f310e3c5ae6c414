"""``python -m scripts.localcloud.ros --data DIR``: an empty account until Ctrl-C."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from scripts.deploy.place import account_file
from scripts.localcloud.ros.account import LocalAccount
from scripts.localcloud.terminal.answerer_warnings import remember_test_answers
from scripts.terminal import Parser, say
from shared.runtime.logs import configure_logging


def announce(account: LocalAccount) -> Path:
    """Write down where the account is, for ``scripts/batchdrop deploy --data``."""
    path = account_file(account.data_dir)
    told = {"control": account.url, "oss": account.oss.url, "bailian": account.bailian.base_url}
    path.write_text(json.dumps(told, indent=1), encoding="utf-8")
    remember_test_answers(account.data_dir)
    return path


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="python -m scripts.localcloud.ros",
        description="An Alibaba Cloud account without anything in it, on this machine. Deploy into it with "
        "scripts/batchdrop deploy --data DIR --bucket NAME.",
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="where its buckets are")
    return parser


def main() -> None:
    data_dir = _parser().parse_args().data.expanduser().resolve()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    with LocalAccount(data_dir) as account:
        announce(account)
        say(
            "本地账号已启动，按 Ctrl-C 停止。An empty account is up. Ctrl-C stops it.\n"
            f"  scripts/batchdrop deploy --data {data_dir} --bucket my-drop"
        )
        stopped.wait()


if __name__ == "__main__":
    configure_logging("WARNING")  # the functions log to their own files
    main()
