"""Writes JSON on one line, without spaces and with every character as it is."""

from __future__ import annotations

import json

# One encoder for all: ``json.dumps`` makes a new one each time that it is told how to write.
compact_json = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
