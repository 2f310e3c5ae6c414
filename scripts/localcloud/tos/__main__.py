"""The local TOS on its own: ``python -m scripts.localcloud.tos DATA_DIR --bucket NAME``.

With ``--certificate`` and ``--tls-port`` it also speaks TLS, for programs that know no proxy.
"""

from __future__ import annotations

import argparse
import ssl
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts.localcloud.local_server import HOST
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.standalone import parser_for, run
from scripts.localcloud.tos.local_tos import LocalTos


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_for("python -m scripts.localcloud.tos", __doc__)
    parser.add_argument("--certificate", type=Path, help="chain and private key, in one PEM file")
    parser.add_argument("--tls-host", default=HOST)
    parser.add_argument("--tls-port", type=int, default=443)
    run(parser, arguments, _open, _address)


def _open(chosen: argparse.Namespace, credentials: Mapping[str, str]) -> LocalTos:
    tls = None
    if chosen.certificate:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(chosen.certificate)
    return LocalTos(
        chosen.data_dir,
        credentials,
        chosen.region,
        port=chosen.port,
        tls=tls,
        tls_host=chosen.tls_host,
        tls_port=chosen.tls_port,
    )


def _address(store: LocalStore) -> str:
    return f"endpoint http://tos-{store.storage.region}.volces.com proxy {store.url}"


if __name__ == "__main__":
    main()
