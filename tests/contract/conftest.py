from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.ark import ArkOnThisMachine, local_ark
from tests.support.local_tione import TioneOnThisMachine, local_tione
from tests.support.upstream_server import UpstreamServer


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
