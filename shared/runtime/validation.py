"""Wires the validation of one upload."""

from __future__ import annotations

from shared.domain.file_kinds import FileFormat
from shared.domain.limits import bailian_limits_for
from shared.ports import ObjectStore
from shared.runtime.clock import SystemClock
from shared.runtime.identity import new_run_id
from shared.runtime.settings import Settings
from shared.services.parquet_records import parquet_records
from shared.services.validate_file import ValidateFile
from shared.services.workbook_records import workbook_records

TABLE_READERS = {FileFormat.XLSX: workbook_records, FileFormat.PARQUET: parquet_records}


def file_validation(settings: Settings, store: ObjectStore) -> ValidateFile:
    return ValidateFile(
        store=store,
        clock=SystemClock(),
        limits_for=bailian_limits_for,
        default_model=settings.default_model,
        run_id=new_run_id(),
        readers=TABLE_READERS,
    )
