"""Cells that a spreadsheet would run as a formula, made into plain text.

https://owasp.org/www-community/attacks/CSV_Injection
"""

from __future__ import annotations

_STARTS = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")


def guard_formula(cell: str) -> str:
    """Put an apostrophe before a cell that Excel, WPS or LibreOffice might run; removing one restores the cell."""
    # Apostrophes that were there already get one more, or removing one would change such a cell.
    return f"'{cell}" if cell.lstrip("'").startswith(_STARTS) else cell
