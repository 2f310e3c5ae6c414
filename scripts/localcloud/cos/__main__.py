"""The local COS on its own: ``python -m scripts.localcloud.cos DATA_DIR --bucket NAME-APPID``."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.standalone import parser_for, run


def main(arguments: Sequence[str] | None = None) -> None:
    run(parser_for("python -m scripts.localcloud.cos", __doc__), arguments, open_cos, address_of)


def open_cos(chosen: argparse.Namespace, credentials: Mapping[str, str]) -> LocalCos:
    return LocalCos(chosen.data_dir, credentials, chosen.region, port=chosen.port)


def address_of(store: LocalStore) -> str:
    return f"host <bucket>.cos.{store.storage.region}.myqcloud.com address {store.url}"


if __name__ == "__main__":
    main()
