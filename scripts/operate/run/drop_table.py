"""Puts a table of this machine, and its recipe, into the inbox, unless they lie there already."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fastcrc import crc64

from scripts.operate.access import OpenBucket
from scripts.operate.jobs.find_jobs import dropped_key
from scripts.operate.recipes.local_folder import require_file
from scripts.operate.texts.said import Refusal
from scripts.terminal import named
from shared.bucket.keys import INBOX
from shared.bucket.result_names import RECIPE_NAMES
from shared.formats.sizes import MB
from shared.inputs.inbox_keys import KeyRole, key_role_for
from shared.ports.store import ObjectHead
from shared.problems.exceptions import ObjectMissing

_CHUNK_BYTES = MB
_NO_RECIPE = b""


@dataclass(frozen=True)
class DropTable:
    """Each table has a folder of its own in the inbox, since each may have a recipe of its own."""

    bucket: OpenBucket

    def __call__(self, table: Path, recipe: Path | None) -> ObjectHead:
        """The table as it lies in the inbox.

        Raises:
            Refusal: The table or its recipe is no file that could be dropped, or a recipe would be
                used that somebody else wrote.
        """
        require_file(table)
        key = dropped_key(table)
        if key_role_for(key) is not KeyRole.INPUT:
            raise Refusal("starts_nothing", file=named(table.name))
        is_new_recipe = self._drop_recipe(key, table, recipe)
        head = self.bucket.store.head(key)
        if head is None or is_new_recipe or not _is_same(table, head):
            self._require_recipe(key)
            self._upload(table, key)
        found = self.bucket.store.head(key)
        if found is None:
            raise ObjectMissing(key)
        return found

    def _drop_recipe(self, key: str, table: Path, recipe: Path | None) -> bool:
        """Whether it is another than before; validate reads it once the table is there."""
        store = self.bucket.store
        recipe_key = f"{key.rpartition('/')[0]}/{RECIPE_NAMES[0]}"
        wanted = _recipe_of(table, recipe)
        found = store.get(recipe_key) if store.head(recipe_key) else _NO_RECIPE
        if found == wanted:
            return False
        # If this is cut off here, no table lies beside a recipe that it was not answered with.
        store.delete(key)
        if wanted:
            store.put(recipe_key, wanted)
        else:
            store.delete(recipe_key)
        return True

    def _require_recipe(self, key: str) -> None:
        """Not the one of the whole inbox, which is about other tables, and costs money as well."""
        store = self.bucket.store
        if store.head(f"{key.rpartition('/')[0]}/{RECIPE_NAMES[0]}") is None:
            for name in RECIPE_NAMES:
                if store.head(INBOX + name):
                    raise Refusal("run_other_recipe", file=named(key.rpartition("/")[2]), recipe=INBOX + name)

    def _upload(self, table: Path, key: str) -> None:
        with self.bucket.store.open_writer(key) as writer:
            for chunk in _chunks(table):
                writer.write(chunk)
            writer.commit()


def _recipe_of(table: Path, recipe: Path | None) -> bytes:
    """The one that is named, or the one beside the table, if there is one."""
    beside = next((path for name in RECIPE_NAMES if (path := table.parent / name).is_file()), None)
    chosen = recipe or beside
    if chosen is None:
        return _NO_RECIPE
    require_file(chosen)
    return chosen.read_bytes()


def _is_same(table: Path, head: ObjectHead) -> bool:
    """By size and checksum, which OSS tells of every object, however it was uploaded.

    https://help.aliyun.com/zh/oss/developer-reference/common-response-headers
    """
    checksum = 0
    for chunk in _chunks(table):
        checksum = crc64.xz(chunk, checksum)
    return (head.size_bytes, head.crc64) == (table.stat().st_size, checksum)


def _chunks(table: Path) -> Iterator[bytes]:
    with table.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
