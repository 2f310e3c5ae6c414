"""Serves a function out of its unpacked zip, as Function Compute's own Python runtime does.

Run by path as ``zip_runtime.py FOLDER PLATFORM LIBRARIES HANDLER [option …]`` by the Python that
the template names, without site-packages. Modules come from the zip's folder. Only what the
platform itself brings, the HTTP server around the handler, comes from PLATFORM, and what that
imports of others from LIBRARIES, which is out of sight again before the handler is loaded.
"""

from __future__ import annotations

import sys


def main() -> int:
    folder, platform, libraries, *arguments = sys.argv[1:]
    sys.path[:0] = [folder]
    sys.path.append(libraries)
    import shared.runtime  # noqa: PLC0415 - not before the path is right

    shared.runtime.__path__.append(platform)
    from shared.runtime.custom.server import main as serve  # noqa: PLC0415

    sys.path.remove(libraries)
    return serve(arguments)


if __name__ == "__main__":
    sys.exit(main())
