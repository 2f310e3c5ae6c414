"""The build backend for ``pip install .``, which says that Batchdrop is run from a checkout."""

from __future__ import annotations

from typing import NoReturn

REASON = (
    "Batchdrop is not installed, it is run from a checkout: scripts/batchdrop demo tries it, "
    "scripts/build makes the zips for Function Compute."
)


def build_wheel(*_: object, **__: object) -> NoReturn:
    """What PEP 517 asks for; so are the others.

    Raises:
        SystemExit: Always, with the reason.
    """
    raise SystemExit(REASON)


build_sdist = build_editable = build_wheel
