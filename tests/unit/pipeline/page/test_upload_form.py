"""How long what the page signs is good for: no longer than it takes, and than its link."""

from __future__ import annotations

import base64
import json
from datetime import datetime, timedelta, timezone

import pytest

from shared.pipeline.page.check_recipe import CheckRecipe
from shared.pipeline.page.files.list_side_by_side import SideBySide
from shared.pipeline.page.folder_page import MAX_UPLOAD_BYTES, FolderPage
from shared.ports.choice import ProviderChoice
from shared.providers.bailian.profile import BAILIAN
from shared.stores.oss.signed_access import OssSignedAccess
from shared.stores.oss.store import open_oss_bucket
from tests.support.fakes import FixedClock, MemoryStore

KEYS = {"access_key_id": "i", "access_key_secret": "s", "security_token": None}


@pytest.mark.parametrize(
    ("size_bytes", "link_lasts", "lasts"),
    [
        (1, None, timedelta(minutes=5)),
        (64_000_000, None, timedelta(minutes=5, seconds=1000)),
        (MAX_UPLOAD_BYTES, None, timedelta(hours=1)),
        (1, timedelta(minutes=2), timedelta(minutes=2)),
    ],
)
def test_a_form_is_good_for_as_long_as_its_file_may_take(
    size_bytes: int, link_lasts: timedelta | None, lasts: timedelta
) -> None:
    clock = FixedClock()
    page = FolderPage(
        folder="",
        store=MemoryStore(clock),
        access=OssSignedAccess(
            open_oss_bucket("http://127.0.0.1:1", "cn-beijing", "drop", **KEYS), "cn-beijing"
        ),
        clock=clock,
        check_recipe=CheckRecipe(ProviderChoice([BAILIAN], "bailian", ["bailian"])),
        bucket="drop",
        run_id="run",
        side_by_side=SideBySide(),
        until=clock.now() + link_lasts if link_lasts else None,
    )

    form = page.upload_form("a.csv", size_bytes)

    policy = json.loads(base64.b64decode(form.fields["policy"]))
    ends_at = datetime.strptime(policy["expiration"], "%Y-%m-%dT%H:%M:%S.000Z").replace(tzinfo=timezone.utc)
    assert abs(clock.now() + lasts - ends_at) < timedelta(seconds=1)
    assert ["content-length-range", 1, size_bytes] in policy["conditions"]
