"""Reads equal bytes once: runs read the same few records and prompts thousands of times."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any
from unittest.mock import patch

import yaml
from jinja2 import Environment

from shared.bucket.base import Record

_read_record = Record.model_validate_json.__func__  # type: ignore[attr-defined]
_compose = yaml.compose
_compile = Environment.compile


@lru_cache(maxsize=1000)
def _record(model: type[Record], content: bytes) -> Any:
    """Records are frozen, so that all may have the same one."""
    return _read_record(model, content)


@lru_cache(maxsize=100)
def _tree(text: str, Loader: Any) -> Any:  # noqa: N803 - as PyYAML calls it
    """What YAML says is only read, too."""
    return _compose(text, Loader=Loader)


@lru_cache(maxsize=100)
def _code(sandbox: type[Environment], source: str) -> Any:
    """Of environments that are set up alike; what each one's meter counts is counted as it runs."""
    return _compile(sandbox(), source)


@contextmanager
def remembering() -> Iterator[None]:
    with (
        patch.object(Record, "model_validate_json", classmethod(_record)),
        patch.object(yaml, "compose", _tree),
        patch.object(Environment, "compile", lambda self, source: _code(type(self), source)),
    ):
        yield
