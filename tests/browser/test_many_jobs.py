"""A folder of ten thousand jobs: the page shows the newest of them, and older ones when asked."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from werkzeug.serving import make_server

from functions.page.app import create_app
from scripts.localcloud.oss.local_oss import LocalOss
from shared.pipeline.page.check_recipe import CheckRecipe
from shared.pipeline.page.files.list_side_by_side import SideBySide
from shared.pipeline.page.folder_page import FolderPage
from shared.pipeline.page.gate import EVERYTHING
from shared.pipeline.page.try_recipe import Allowance, TryRecipe
from shared.ports.choice import ProviderChoice
from shared.providers.bailian.profile import BAILIAN
from shared.runtime.wiring.page import PageDoor
from shared.stores.oss.signed_access import OssSignedAccess
from shared.stores.oss.store import open_oss_bucket, open_oss_store
from tests.browser.conftest import OpenPage
from tests.browser.many_jobs import BUCKET, fill
from tests.support.fakes import FixedClock

REGION = "cn-beijing"
KEYS = {"access_key_id": "key", "access_key_secret": "secret", "security_token": None}


@pytest.fixture
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page over a local OSS, both in this process."""
    keys = {"key": "secret"}
    oss = LocalOss(tmp_path_factory.mktemp("oss"), keys, REGION, lambda _: None, scan_interval_s=3600)
    fill(oss)
    with oss:
        server = make_server("127.0.0.1", 0, create_app(door(oss.url)), threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.port}/"
        server.shutdown()
        thread.join()
        server.server_close()


def door(endpoint: str) -> PageDoor:
    clock, check = FixedClock(), CheckRecipe(ProviderChoice([BAILIAN], "bailian", ["bailian"]))
    folder = FolderPage(
        folder="",
        store=open_oss_store(endpoint, REGION, BUCKET, **KEYS),
        access=OssSignedAccess(open_oss_bucket(endpoint, REGION, BUCKET, **KEYS), REGION),
        clock=clock,
        check_recipe=check,
        bucket=BUCKET,
        run_id="run",
        side_by_side=SideBySide(),
    )
    return PageDoor(
        let_in=lambda *_: EVERYTHING,
        open_folder=lambda *_: folder,
        bucket_origin="",
        is_local=False,
        try_recipe=TryRecipe(check, {}),
        allowance=Allowance(clock),
    )


def test_ten_thousand_jobs_are_listed(address: str, open_page: OpenPage) -> None:
    page = open_page("en-GB")

    page.goto(address)
    page.get_by_text("1–30 of 10,000").wait_for()

    assert page.get_by_text("all 2 rows answered").count() == 20
    assert page.get_by_role("button", name="Send open rows again").count() == 10

    page.get_by_role("button", name="Older").click()
    page.get_by_text("31–60 of 10,000").wait_for()
