"""A dropped file as its format needs it: a stream of bytes, or a local copy where a reader jumps about in it."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO

from shared.domain.csv_blocks import Record
from shared.domain.errors import UserInputError
from shared.domain.file_kinds import FileForm, FileFormat, InputKind, file_form_for
from shared.domain.gzip_chunks import unpack_gzip
from shared.domain.inputs import Observations
from shared.domain.limits import MB
from shared.domain.problems import Problem
from shared.domain.provider_profile import ProviderProfile
from shared.domain.reading import RowReader, open_rows
from shared.domain.recipe import Recipe
from shared.domain.records import Source
from shared.ports import ObjectStore

# A function has 512 MB of local disk; 10 GB would cost extra for every file of any kind
# (https://help.aliyun.com/zh/functioncompute/fc/product-overview/instance-types-and-specifications).
MAX_COPIED_BYTES = 400 * MB

TableReader = Callable[[IO[bytes], str | None, Observations], Iterator[Record]]
TableReaders = Mapping[FileFormat, TableReader]


@dataclass
class DroppedFile:
    """One version of an uploaded file, which may be read more than once. Leaving it removes the local copy.

    Attributes:
        readers: By format, for those that are no text: from a file and the name of a sheet to the records.
    """

    store: ObjectStore
    source: Source
    readers: TableReaders
    _copy: IO[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> DroppedFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._copy is not None:
            self._copy.close()

    def open_rows(
        self,
        kind: InputKind,
        recipe: Recipe | None,
        profile: ProviderProfile,
        default_model: str,
        encoding: str | None = None,
    ) -> RowReader:
        """Prepare to read the rows, see ``shared.domain.reading.open_rows``."""
        form = self._form
        return open_rows(
            kind,
            self._chunks,
            recipe,
            profile,
            default_model,
            encoding=encoding,
            form=form,
            records_factory=None if form.format.is_text else self._records,
        )

    @property
    def _form(self) -> FileForm:
        return file_form_for(self.source.key)

    def _chunks(self) -> Iterator[bytes]:
        chunks = self.store.read(self.source.key, etag=self.source.etag)
        return unpack_gzip(chunks) if self._form.is_gzip else chunks

    def _records(self, sheet: str | None, observed: Observations) -> Iterator[Record]:
        if self._copy is None:
            self._copy = self._copied()
        self._copy.seek(0)
        return self.readers[self._form.format](self._copy, sheet, observed)

    def _copied(self) -> IO[bytes]:
        if not self._form.is_gzip and self.source.size_bytes > MAX_COPIED_BYTES:
            raise _too_large()
        size_bytes = 0
        with ExitStack() as on_failure:
            copy = on_failure.enter_context(tempfile.TemporaryFile())
            for chunk in self._chunks():
                size_bytes += len(chunk)
                if size_bytes > MAX_COPIED_BYTES:
                    raise _too_large()
                copy.write(chunk)
            on_failure.pop_all()
        return copy


def _too_large() -> UserInputError:
    return UserInputError([Problem("table_too_large", values={"max_bytes": MAX_COPIED_BYTES})])
