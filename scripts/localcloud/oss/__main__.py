"""The local OSS on its own: ``python -m scripts.localcloud.oss DATA_DIR --bucket NAME``.

Events go to stdout.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from scripts.localcloud.oss.local_oss import LocalOss
from scripts.localcloud.oss.oss_events import render_oss_event
from scripts.localcloud.storage.object_events import ObjectEvent
from scripts.localcloud.storage_http.standalone import parser_for, run
from scripts.terminal import say


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_for("python -m scripts.localcloud.oss", __doc__)
    run(parser, arguments, _open, lambda oss: f"endpoint {oss.url}")


def _open(chosen: argparse.Namespace, credentials: Mapping[str, str]) -> LocalOss:
    return LocalOss(chosen.data_dir, credentials, chosen.region, _print_event, port=chosen.port)


def _print_event(event: ObjectEvent) -> None:
    say(render_oss_event(event).decode())


if __name__ == "__main__":
    main()
