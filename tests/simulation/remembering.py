"""Reads equal bytes once: a run reads the same few records and recipes thousands of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

import yaml

from shared.bucket.base import Record

_read_record = Record.model_validate_json.__func__  # type: ignore[attr-defined]
_compose = yaml.compose


@lru_cache(maxsize=1000)
def _record(model: type[Record], content: bytes) -> Any:
    """Records are frozen, so that all may have the same one."""
    return _read_record(model, content)


@lru_cache(maxsize=100)
def _tree(text: str, Loader: Any) -> Any:  # noqa: N803 - as PyYAML calls it
    """What YAML says is only read, too."""
    return _compose(text, Loader=Loader)


@contextmanager
def remembering() -> Iterator[None]:
    with (
        patch.object(Record, "model_validate_json", classmethod(_record)),
        patch.object(yaml, "compose", _tree),
    ):
        yield
