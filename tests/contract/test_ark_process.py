"""The local Ark and TOS as a program of their own, by both doors."""

from __future__ import annotations

import json
import re
import signal
import sys
from pathlib import Path

import pytest

from shared.ports.provider import BatchStatus
from shared.providers.ark.client import open_ark
from shared.stores.tos.store import open_tos_store
from tests.support.ark import ark_line, ark_request
from tests.support.bailian_requests import wait_for
from tests.support.certificates import server_pem
from tests.support.processes import started
from tests.support.waiting import PATIENCE_S


@pytest.mark.parametrize("with_tls", [False, True])
def test_both_can_be_started_from_the_command_line(tmp_path: Path, *, with_tls: bool) -> None:
    (tmp_path / "ark.pem").write_bytes(server_pem("open.volcengineapi.com"))
    tls = ["--certificate", str(tmp_path / "ark.pem"), "--tls-port", "0"] if with_tls else []
    command = [
        sys.executable,
        "-m",
        "scripts.localcloud.ark",
        str(tmp_path / "data"),
        "--bucket",
        "acme-batch",
    ]
    with started([*command, *tls]) as program:
        told = program.stdout.readline() + program.stdout.readline()
        found = re.search(r"endpoint (\S+) proxy (\S+) ark (\S+)\nkey (\S+) secret (\S+) region (\S+)", told)
        assert found, told
        endpoint, proxy, ark, key_id, secret, region = found.groups()
        keys = {"access_key_id": key_id, "secret_access_key": secret}
        proxy = proxy.removeprefix("http://")
        store = open_tos_store(endpoint, region, "acme-batch", **keys, proxy=proxy)
        provider = open_ark(ark, region, "default", **keys, staging=store, bucket="acme-batch", prefix="b")

        batch_id = provider.submit(ark_request("job", ark_line("a")))
        state = wait_for(lambda: (seen := provider.status(batch_id)) and seen.status.is_terminal and seen)

        assert state.status is BatchStatus.COMPLETED
        assert [json.loads(line)["custom_id"] for line in provider.results(state)] == ["a"]
        program.send_signal(signal.SIGTERM)
        assert program.wait(PATIENCE_S) == 0
