"""An address where nobody can answer is told at once; a name server that is down may come back."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NoReturn

import pytest

from shared.pipeline.account_problems import waiting_for
from shared.pipeline.waiting import asked_of_provider
from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import ProviderTrouble, TransientError
from shared.providers.ark.profile import ARK
from shared.providers.bailian.client import open_bailian
from shared.providers.bailian.profile import BAILIAN
from shared.providers.tione.api import open_apis
from shared.providers.tione.profile import TIONE
from shared.stores.cos.store import open_cos_store
from shared.stores.tos.store import open_tos_store
from tests.support.ark import BUCKET, KEY_ID, REGION, SECRET, open_adapter
from tests.support.bailian_requests import batch_request, chat_line
from tests.support.certificates import server_pem
from tests.support.fakes import START


def ask_bailian(host: str) -> None:
    open_bailian(f"https://{host}/v1", "sk-1").submit(batch_request("job", chat_line("a")))


def ask_tos(host: str) -> None:
    store = open_tos_store(
        endpoint=f"https://{host}",
        region=REGION,
        bucket=BUCKET,
        access_key_id=KEY_ID,
        secret_access_key=SECRET,
    )
    store.put("key", b"")


def ask_cos(_host: str) -> None:
    """Its host is that of the region."""
    open_cos_store("ap-nowhere", "bucket-1250000000", secret_id=KEY_ID, secret_key=SECRET).put("key", b"")


def ask_ark(host: str) -> None:
    open_adapter(f"https://{host}", store=None).find("job")


def ask_tione(host: str) -> None:
    apis = open_apis(f"https://{host}", "ap-shanghai", KEY_ID, SECRET)
    next(apis["batch"].named("job"), None)


ASKED = [
    pytest.param(ask_bailian, BAILIAN, "wrong_base_url: ", "DASHSCOPE_BASE_URL", id="bailian"),
    pytest.param(ask_tos, ARK, "bucket_unusable: ", "TOS_ENDPOINT", id="tos"),
    pytest.param(ask_ark, ARK, "wrong_base_url: ", "ARK_HOST", id="ark"),
    pytest.param(ask_tione, TIONE, "wrong_base_url: ", "TIONE_HOST", id="tione"),
]
ASKED_BY_NAME = [
    *ASKED,
    pytest.param(ask_cos, TIONE, "bucket_unusable: ", "COS_REGION", id="cos"),
]
ASKING = ("ask", "profile", "code", "setting")
asked = pytest.mark.parametrize(ASKING, ASKED)
asked_by_name = pytest.mark.parametrize(ASKING, ASKED_BY_NAME)


def told(ask: Callable[[str], None], host: str, profile: ProviderProfile) -> str:
    """What the ticket says of the work that waits."""
    with pytest.raises(ProviderTrouble) as trouble, asked_of_provider():
        ask(host)
    reason = waiting_for(trouble.value, START, profile.terms)
    return f"{reason.code}: {reason.message}"


def name_nothing(monkeypatch: pytest.MonkeyPatch, errno: int) -> None:
    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise socket.gaierror(errno, "no such name, or no answer")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@asked_by_name
def test_a_host_that_no_name_server_knows_is_told(
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[str], None],
    profile: ProviderProfile,
    code: str,
    setting: str,
) -> None:
    name_nothing(monkeypatch, socket.EAI_NONAME)

    message = told(ask, "cloud.example", profile)

    assert message.startswith(code)
    assert message.count(setting) >= 2  # in both languages


@asked_by_name
def test_a_name_server_that_is_down_is_worth_another_try(
    monkeypatch: pytest.MonkeyPatch,
    ask: Callable[[str], None],
    profile: ProviderProfile,
    code: str,
    setting: str,
) -> None:
    name_nothing(monkeypatch, socket.EAI_AGAIN)

    with pytest.raises(TransientError), asked_of_provider():
        ask("cloud.example")


@pytest.fixture
def stranger(tmp_path: Path) -> Iterator[str]:
    """The address of a server whose certificate nobody here trusts."""
    pem = tmp_path / "server.pem"
    pem.write_bytes(server_pem("cloud.example"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serving = Thread(target=partial(server.serve_forever, poll_interval=0.01))
        serving.start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()
        serving.join()


@asked
def test_a_server_that_is_not_who_the_address_says_is_told(
    stranger: str, ask: Callable[[str], None], profile: ProviderProfile, code: str, setting: str
) -> None:
    message = told(ask, stranger, profile)

    assert message.startswith(code)
    assert message.count(setting) >= 2
