"""The local TOS on its own: ``python -m scripts.localcloud.tos DATA_DIR --bucket NAME``.

With ``--certificate`` and ``--tls-port`` it also speaks TLS, for programs that know no proxy.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.standalone import add_tls, parser_for, run, tls_of
from scripts.localcloud.tos.local_tos import LocalTos


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_for("python -m scripts.localcloud.tos", __doc__)
    add_tls(parser)
    parser.add_argument("--tls-host", default=HOST)
    run(parser, arguments, _open, _address)


def _open(chosen: argparse.Namespace, credentials: Mapping[str, str]) -> LocalTos:
    return LocalTos(
        chosen.data_dir,
        credentials,
        chosen.region,
        port=chosen.port,
        tls=tls_of(chosen),
        tls_host=chosen.tls_host,
        tls_port=chosen.tls_port,
    )


def _address(store: LocalStore) -> str:
    return f"endpoint http://tos-{store.storage.region}.volces.com proxy {store.url}"


if __name__ == "__main__":
    main()
