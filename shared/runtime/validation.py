"""Wires the validation of one upload."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from shared.domain.csv_blocks import Record
from shared.domain.file_kinds import FileFormat
from shared.domain.inputs import Observations
from shared.ports import ObjectStore
from shared.runtime.clock import SystemClock
from shared.runtime.identity import new_run_id
from shared.runtime.profiles import DEFAULT_PROFILE
from shared.runtime.settings import Settings
from shared.services.validate_file import ValidateFile


def _workbook_records(file: IO[bytes], sheet: str | None, observed: Observations) -> Iterator[Record]:
    from shared.services.workbook_records import workbook_records  # noqa: PLC0415  # most files are no workbooks

    return workbook_records(file, sheet, observed)


def _parquet_records(file: IO[bytes], sheet: str | None, observed: Observations) -> Iterator[Record]:
    from shared.services.parquet_records import parquet_records  # noqa: PLC0415  # most files are not Parquet

    return parquet_records(file, sheet, observed)


TABLE_READERS = {FileFormat.XLSX: _workbook_records, FileFormat.PARQUET: _parquet_records}


def file_validation(settings: Settings, store: ObjectStore) -> ValidateFile:
    return ValidateFile(
        store=store,
        clock=SystemClock(),
        profile=DEFAULT_PROFILE,
        default_model=settings.default_model,
        run_id=new_run_id(),
        readers=TABLE_READERS,
    )
