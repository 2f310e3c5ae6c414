"""Units of size: the binary megabyte, and the decimal one in which providers count."""

from __future__ import annotations

MIB = 1024 * 1024
MB = 1_000_000
MAX_LINE_BYTES = 16 * MIB
