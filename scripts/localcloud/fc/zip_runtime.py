"""Serves a function out of its unpacked zip, as Function Compute's own Python runtime does.

Run by path as ``zip_runtime.py FOLDER PLATFORM LIBRARIES HANDLER [option …]`` by the Python that
the template names, without site-packages. Modules come from the zip's folder. Only what the
platform itself brings, the HTTP server around the handler, comes from PLATFORM, and what that
imports of others from LIBRARIES, which is out of sight again before the handler is loaded.
"""

from __future__ import annotations

import importlib
import sys


def main() -> int:
    folder, platform, libraries, *arguments = sys.argv[1:]
    sys.path[:0] = [folder]
    sys.path.append(libraries)
    runtime = importlib.import_module("shared.runtime")
    runtime.__path__.append(platform)
    server = importlib.import_module("shared.runtime.custom.server")
    sys.path.remove(libraries)
    sys.argv[1:] = arguments
    status: int = server.main()
    return status


if __name__ == "__main__":
    sys.exit(main())
