from __future__ import annotations

import pytest
from requests_mock import Mocker

from shared.stores.oss.store import open_oss_store

PAGE = """<ListBucketResult><Prefix/><MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter>
<IsTruncated>{truncated}</IsTruncated><NextContinuationToken>next</NextContinuationToken>
<CommonPrefixes><Prefix>again/</Prefix></CommonPrefixes></ListBucketResult>"""


@pytest.mark.parametrize(("truncated", "folders"), [("false", {"again/"}), ("true", None)])
def test_a_crowded_top_of_a_bucket_costs_one_call_and_tells_nothing(
    requests_mock: Mocker, truncated: str, folders: set[str] | None
) -> None:
    asked = requests_mock.get("http://bucket.oss.test/", text=PAGE.format(truncated=truncated))
    store = open_oss_store(
        "http://oss.test", "r", "bucket", access_key_id="k", access_key_secret="s", security_token=None
    )

    assert store.folders() == folders
    assert asked.call_count == 1
