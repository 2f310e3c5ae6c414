"""Reads the ``prices.yaml`` that stands beside a provider's modules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path


def price_file_beside(module: str) -> Callable[[], str]:
    """Its text when it is asked for, since most invocations plan no job.

    Args:
        module: The ``__file__`` of a module of the provider.
    """
    return lambda: Path(module).with_name("prices.yaml").read_text(encoding="utf-8")
