"""A local account that is deployed to, and what people do with it at a terminal."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import oss2

from scripts.localcloud.options import REGION
from scripts.localcloud.ros.__main__ import announce
from scripts.localcloud.ros.account import LocalAccount
from scripts.operate.__main__ import main


@contextmanager
def running_account(data_dir: Path, *, batch_delay_s: float = 0.0) -> Iterator[LocalAccount]:
    """An empty account that commands find by ``--data``; one process a function is enough."""
    with LocalAccount(data_dir, batch_delay_s=batch_delay_s, workers=1, timer_interval_s=5.0) as account:
        announce(account)
        yield account


def batchdrop(account: LocalAccount, *arguments: str) -> tuple[int, list[Mapping[str, Any]]]:
    """Run a command; its exit status, and what it printed for programs."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        status = main([*arguments, "--data", str(account.data_dir), "--json"], {})
    return status, [json.loads(line) for line in printed.getvalue().split("\n") if line]


def bucket_of(account: LocalAccount, name: str) -> oss2.Bucket:
    """A bucket by the account's own key."""
    keys = account.own_keys
    auth = oss2.AuthV4(keys.access_key_id, keys.access_key_secret)
    return oss2.Bucket(auth, account.oss.url, name, region=REGION, enable_crc=False)
