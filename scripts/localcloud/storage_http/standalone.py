"""A local store for the command line, alone or with a provider: its folder, buckets and keys."""

from __future__ import annotations

import argparse
import signal
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scripts.localcloud.access.own_keys import own_keys
from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.data_lock import LOOK_S, DataDirGone, DataDirInUse, DataLock, locked
from scripts.localcloud.servers.local_server import PortTaken
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.terminal import Parser, say, shown

Open = Callable[[argparse.Namespace, Mapping[str, str]], LocalStore]


@dataclass(frozen=True)
class Beside:
    """A provider that reads and writes what the store keeps.

    Attributes:
        open: From the arguments, the secrets by access key id, and the store.
        address: What a client must know of it, once it is started.
    """

    open: Callable[[argparse.Namespace, Mapping[str, str], LocalStore], BatchService[Any]]
    address: Callable[[Any], str]


def parser_for(program: str, description: str | None) -> Parser:
    """What every store takes."""
    parser = Parser(prog=program, description=description)
    parser.add_argument("data_dir", type=Path)
    parser.add_argument("--bucket", action="append", default=[], help="create this bucket; may be repeated")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--region", default="cn-beijing")
    return parser


def add_tls(parser: Parser) -> None:
    """What ``tls_of`` reads, and the port of every door that speaks it."""
    parser.add_argument("--certificate", type=Path, help="chain and private key, in one PEM file")
    parser.add_argument("--tls-port", type=int, default=443)


def tls_of(chosen: argparse.Namespace) -> ssl.SSLContext | None:
    if not chosen.certificate:
        return None
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chosen.certificate)
    return tls


def run(
    parser: argparse.ArgumentParser,
    arguments: Sequence[str] | None,
    open_store: Open,
    address: Callable[[LocalStore], str],
    beside: Beside | None = None,
) -> None:
    """Serve until a signal comes.

    Args:
        parser: Knows what is the store's alone.
        arguments: Those of the command line.
        open_store: From the arguments and the secrets by access key id.
        address: What a client must know of the started store.
        beside: What is served, too.
    """
    chosen = parser.parse_args(arguments)
    try:
        with locked(chosen.data_dir) as lock, lock.told_once():
            _serve(chosen, lock, open_store, address, beside)
    except (DataDirInUse, DataDirGone, PortTaken) as error:
        raise SystemExit(shown(f"{parser.prog}: {error}")) from None


def _serve(
    chosen: argparse.Namespace,
    lock: DataLock,
    open_store: Open,
    address: Callable[[LocalStore], str],
    beside: Beside | None,
) -> None:
    keys = own_keys(chosen.data_dir)
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    credentials = {keys.access_key_id: keys.access_key_secret}
    with ExitStack() as running:
        store = running.enter_context(open_store(chosen, credentials))
        for bucket in chosen.bucket:
            store.storage.create_bucket(bucket)
        told = address(store)
        if beside:
            provider = running.enter_context(beside.open(chosen, credentials, store))
            told = f"{told} {beside.address(provider)}"
        say(told)
        say(f"key {keys.access_key_id} secret {keys.access_key_secret} region {chosen.region}")
        while not stopped.wait(LOOK_S):
            lock.check()
