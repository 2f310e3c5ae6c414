"""A dropped file as its format needs it: a stream of bytes, or a local copy.

Readers that jump about in the file need the copy.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO
from urllib.parse import unquote

from shared.bucket.records.plan import Source
from shared.formats.blank_bytes import without_endless_blanks
from shared.formats.gzip_chunks import unpack_gzip
from shared.formats.sizes import MB
from shared.inputs.formats import file_form_for, row_source_for
from shared.inputs.inbox_keys import FileForm
from shared.inputs.reading import RowReader
from shared.pipeline.validate.recipe.find_recipe import FoundRecipe
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectHead, ObjectStore
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem, ProblemList
from shared.recipes.recipe import Recipe

# A function has 512 MB of local disk; 10 GB would cost extra for every file of any kind
# (https://help.aliyun.com/zh/functioncompute/fc/product-overview/instance-types-and-specifications).
MAX_COPIED_BYTES = 400 * MB


@dataclass
class DroppedFile:
    """One version of an uploaded file, which may be read more than once.

    Leaving it removes the local copy.

    Raises:
        UserInputError: It is in no format that can be read, or empty.
    """

    store: ObjectStore
    source: Source
    form: FileForm = field(init=False)
    _copy: IO[bytes] | None = field(default=None, init=False)
    _warnings: ProblemList = field(default_factory=ProblemList, init=False)

    def __post_init__(self) -> None:
        self.form = file_form_for(self.source.key, self.source.size_bytes)

    def __enter__(self) -> DroppedFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._copy is not None:
            self._copy.close()

    def open_rows(
        self,
        recipe: Recipe | None,
        profile: ProviderProfile,
        default_model: str,
        encoding: str | None = None,
    ) -> RowReader:
        """Prepare to read the rows; nothing is opened yet."""
        source = row_source_for(self.form, self, recipe, profile, default_model)
        return RowReader(source, self.form, encoding, self._warnings)

    def chunks(self) -> Iterator[bytes]:
        """The file as it streams by, from its start."""
        chunks = self.store.read(self.source.key, etag=self.source.etag)
        return without_endless_blanks(unpack_gzip(chunks, self._ignore) if self.form.is_gzip else chunks)

    def _ignore(self, ignored_bytes: int) -> None:
        # The file may be read several times.
        if not self._warnings.total:
            self._warnings.add(Problem("bytes_behind_gzip", values={"ignored_bytes": ignored_bytes}))

    def local_copy(self) -> IO[bytes]:
        """The file on the disk, at its start; the same one each time.

        Raises:
            UserInputError: It is larger than the disk.
        """
        if self._copy is None:
            self._copy = self._copied()
        self._copy.seek(0)
        return self._copy

    def _copied(self) -> IO[bytes]:
        if not self.form.is_gzip and self.source.size_bytes > MAX_COPIED_BYTES:
            raise _too_large()
        size_bytes = 0
        with ExitStack() as on_failure:
            copy = on_failure.enter_context(tempfile.TemporaryFile())
            for chunk in self.chunks():
                size_bytes += len(chunk)
                if size_bytes > MAX_COPIED_BYTES:
                    raise _too_large()
                copy.write(chunk)
            on_failure.pop_all()
        return copy


def _too_large() -> UserInputError:
    return UserInputError([Problem("table_too_large", values={"max_bytes": MAX_COPIED_BYTES})])


def find_dropped(store: ObjectStore, key: str) -> ObjectHead | None:
    """The object as it is now.

    Keys arrive raw. No page promises that, so the decoded key is tried, too.
    """
    head = store.head(key)
    if head is None and "%" in key:
        head = store.head(unquote(key))
    return head


def source_of(bucket: str, head: ObjectHead, recipe: FoundRecipe | None) -> Source:
    """The file as it lies there, under the recipe that was found for it."""
    return Source(
        bucket=bucket,
        key=head.key,
        etag=head.etag,
        size_bytes=head.size_bytes,
        dropped_at=head.modified_at,
        recipe_key=recipe.key if recipe else None,
        recipe_etag=recipe.etag if recipe else None,
    )
