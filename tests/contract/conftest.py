from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from scripts.deploy.place import Place, place_for
from scripts.localcloud.fc.workers.fork_server import SHARED
from scripts.localcloud.options import REGION
from scripts.localcloud.ros.account import LocalAccount
from tests.support.ark import ArkOnThisMachine, local_ark
from tests.support.local_account import running_account
from tests.support.local_tione import TioneOnThisMachine, local_tione
from tests.support.upstream_server import UpstreamServer


@pytest.fixture(scope="session", autouse=True)
def _forks() -> Iterator[None]:
    """The functions of all clouds come from one process, which loads their modules once."""
    with SHARED.borrowed():
        yield


@pytest.fixture
def on(tmp_path: Path) -> Iterator[ArkOnThisMachine]:
    with local_ark(tmp_path) as on:
        yield on


@pytest.fixture
def upstream() -> Iterator[UpstreamServer]:
    upstream = UpstreamServer()
    yield upstream
    upstream.close()


@pytest.fixture
def tione(tmp_path: Path) -> Iterator[TioneOnThisMachine]:
    with local_tione(tmp_path) as tione:
        yield tione


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalAccount]:
    with running_account(tmp_path_factory.mktemp("account")) as account:
        yield account


@pytest.fixture(scope="module")
def place(account: LocalAccount) -> Place:
    return place_for({}, account.data_dir, REGION)
