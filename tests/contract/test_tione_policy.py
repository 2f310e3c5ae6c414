"""The policy on TI-ONE's page: its rights on COS are enough, and not one too many."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from shared.problems.exceptions import ConfigurationError
from tests.support.local_tione import BUCKET, REGION, SECRET_ID, SECRET_KEY, ended, local_tione, tione_request

PAGE = Path(__file__).parents[2] / "shared/providers/tione/README.md"
Statement = dict[str, Any]


def allows(statement: Statement, action: str, bucket: str, key: str) -> bool:
    """Whether one statement does; the key of a list is its prefix."""
    resource = f"qcs::cos:{REGION}:uid/{BUCKET.rpartition('-')[2]}:{bucket}/{key}"
    prefix = statement.get("condition", {}).get("string_like", {}).get("cos:prefix", "*")
    return (
        action in statement["action"]
        and fnmatchcase(key, prefix)
        and any(fnmatchcase(resource, pattern) for pattern in statement["resource"])
    )


@pytest.fixture
def policy() -> list[Statement]:
    (document,) = re.findall(r"```json\n(\{\"version\".*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    statements: list[Statement] = json.loads(document)["statement"]
    return statements


def test_a_task_needs_every_right_of_the_policy_and_no_other(policy: list[Statement], tmp_path: Path) -> None:
    used: set[str] = set()

    def authorize(key_id: str, action: str, bucket: str, key: str) -> bool:
        used.add(action)
        return key_id == SECRET_ID and any(allows(each, action, bucket, key) for each in policy)

    with local_tione(tmp_path, authorize=authorize) as on:
        provider = on.adapter(secret_id=SECRET_ID, secret_key=SECRET_KEY)
        state = ended(provider, provider.submit(tione_request("job")))
        assert len(list(provider.results(state))) == 1
        provider.clean_up(state)
        for found in list(provider.unused_files()):
            provider.delete_file(found.file_id)
        with on.store.open_writer("batchdrop/in/large") as writer:  # as the input of a large shard
            writer.write(bytes(5_000_000))
            writer.commit()
        with on.store.open_writer("batchdrop/in/large") as writer:
            writer.write(bytes(5_000_000))
        outside: list[Callable[[], object]] = [
            lambda: on.store.put("elsewhere", b""),
            lambda: on.store.get("elsewhere"),
            lambda: list(on.store.list("")),
        ]
        for call in outside:
            with pytest.raises(ConfigurationError, match="AccessDenied"):
                call()

    rights = {action for each in policy for action in each["action"] if action.startswith("name/cos:")}
    assert used == rights
