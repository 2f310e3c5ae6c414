"""No web page and no stranger commands the local cloud, on whichever port it listens."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import stat
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import oss2
import pytest
import requests

from scripts.localcloud.access.own_keys import FORMER_KEYS, callback_secret, keys_of_running, own_keys
from scripts.localcloud.cloud import LocalCloud
from scripts.localcloud.options import REGION, CloudOptions
from scripts.operate.__main__ import main as batchdrop
from tests.support.waiting import PATIENCE_S, wait_until

SIGNED_WITH = "0123456789abcdef" * 4
REFUSED = "takes no requests from web pages"


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    with LocalCloud(CloudOptions(tmp_path_factory.mktemp("cloud"), timer_interval_s=2.0)) as running:
        yield running


def ports(cloud: LocalCloud) -> dict[str, int]:
    assert cloud.bailian is not None
    urls = {"oss": cloud.oss.url, "gateway": cloud.gateway.url, "bailian": cloud.bailian.base_url}
    return {name: int(re.findall(r":(\d+)", url)[0]) for name, url in urls.items()}


def ask(
    port: int, headers: dict[str, str], method: str = "POST", target: str = "/", body: bytes = b"{}"
) -> tuple[int, str, dict[str, str]]:
    """One request with exactly these headers, as a browser may send it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    try:
        connection.putrequest(method, target, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        answer = connection.getresponse()
        return answer.status, answer.read().decode(), {k.lower(): v for k, v in answer.getheaders()}
    finally:
        connection.close()


FOREIGN = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"origin": "http://evil.example", "Content-Type": "text/plain"},
    {"Host": "evil.example"},
    {"Host": "evil.example:{port}"},
    {"Host": "0.0.0.0:{port}"},
    {"Host": "192.168.1.5:{port}"},
    {"Host": "127.0.0.1.nip.io:{port}"},
    {"Host": "localhost.evil.example:{port}"},
    {"Host": "evil-localhost:{port}"},
    {"Host": "evil.example:{port}@localhost"},
    {"Host": ""},
]


@pytest.mark.parametrize("server", ["oss", "gateway", "bailian"])
@pytest.mark.parametrize("headers", FOREIGN, ids=lambda headers: " ".join(headers.values()))
@pytest.mark.parametrize("method", ["POST", "OPTIONS"])
def test_a_request_that_a_web_page_may_send_is_refused(
    cloud: LocalCloud, server: str, headers: dict[str, str], method: str
) -> None:
    port = ports(cloud)[server]
    sent = {name: value.format(port=port) for name, value in headers.items()}

    status, said, answered = ask(port, sent, method, "/faults", b'{"kind":"drop"}')

    assert (status, REFUSED in said, "本地云" in said) == (403, True, True)
    assert not [name for name in answered if name.startswith("access-control-")]
    assert answered["connection"] == "close"


@pytest.mark.parametrize("server", ["oss", "gateway", "bailian"])
@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:{port}",
        "localhost:{port}",
        "LocalHost:{port}",
        "[::1]:{port}",
        "oss.localhost:{port}",
        "my-bucket.oss.localhost:{port}",
        "my-bucket.localhost",
        None,
    ],
)
def test_every_name_of_this_machine_is_served(cloud: LocalCloud, server: str, host: str | None) -> None:
    port = ports(cloud)[server]

    _, said, _ = ask(port, {"Host": host.format(port=port)} if host else {}, "GET")

    assert REFUSED not in said


def test_even_who_knows_the_key_uploads_nothing_from_a_web_page(cloud: LocalCloud) -> None:
    auth = oss2.AuthV4(cloud.keys.access_key_id, cloud.keys.access_key_secret)
    bucket = oss2.Bucket(auth, cloud.oss.url, cloud.options.bucket, region=REGION)

    with pytest.raises(oss2.exceptions.ServerError) as refused:
        bucket.append_object("inbox/evil.csv", 0, b"x" * 100_000, headers={"Origin": "http://evil.example"})

    assert (refused.value.status, bucket.object_exists("inbox/evil.csv")) == (403, False)
    assert bucket.put_object("k", b"mine").status == 200


def test_the_status_is_read_by_a_person_and_commands_are_taken_from_who_knows_the_key(
    cloud: LocalCloud,
) -> None:
    headers = {"Authorization": f"Bearer {cloud.keys.api_key}"}
    requests.post(cloud.gateway.url_of("Callback"), timeout=PATIENCE_S)

    status = requests.get(f"{cloud.gateway.url}/status.json", timeout=PATIENCE_S).json()
    callback = next(each for each in status["functions"] if each["name"] == "Callback")
    assert callback["succeeded"] > 0
    assert requests.delete(f"{cloud.gateway.url}/faults", timeout=PATIENCE_S).status_code == 401
    assert requests.delete(f"{cloud.gateway.url}/faults", headers=headers, timeout=PATIENCE_S).json() == {
        "added": 0
    }


def listening(pids: Iterable[int]) -> set[int]:
    """Every TCP port on which these processes listen, as Linux knows it."""
    inodes = set()
    for pid in pids:
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):  # closed meanwhile
                inodes.add(str(link.readlink()))
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().split("\n")[1:-1]:
            _, address, _, state, *more = line.split()
            if state == "0A" and f"socket:[{more[5]}]" in inodes:
                found.add(int(address.rpartition(":")[2], 16))
    return found


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells who listens where")
def test_no_port_of_the_cloud_and_its_workers_takes_a_strangers_event(cloud: LocalCloud) -> None:
    reconcile = cloud.host.pools["Reconcile"]
    wait_until(lambda: reconcile.pids, "the timer's function to run")
    known = set(ports(cloud).values())
    wait_until(lambda: listening(reconcile.pids), "it to listen")

    workers = listening(reconcile.pids)
    found = listening([os.getpid()]) | workers

    assert known <= found
    assert not known & workers
    for port in found:
        assert ask(port, {"Origin": "http://evil.example"}, "POST", "/invoke")[0] == 403
        assert ask(port, {"Host": "evil.example"}, "POST", "/invoke")[0] == 403
    for port in workers:
        for secret in ({}, {"x-fc-access-key-secret": ""}, {"x-fc-access-key-secret": "wrong"}):
            for path in ("/invoke", "/http-invoke", "/anything", "/initialize"):
                status, said, _ = ask(port, {**secret, "x-fc-control-path": path}, "POST", path)
                assert (status, "only the cloud that started this instance" in said) == (403, True)
        headers = dict(reconcile.spec.invocation_headers("r-1", "/initialize"))
        assert ask(port, headers, "POST", "/initialize")[0] == 200


def test_each_folder_has_random_keys_of_its_own_which_stay_and_nobody_else_can_read(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    with LocalCloud(CloudOptions(first)) as cloud:
        keys = cloud.keys
        secrets = [keys.access_key_secret, keys.api_key]
        assert not any(secret in repr(cloud.options) + repr(keys) for secret in secrets)
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            auth = oss2.AuthV4(FORMER_KEYS.access_key_id, FORMER_KEYS.access_key_secret)
            oss2.Bucket(auth, cloud.oss.url, "batchdrop", region=REGION).put_object("k", b"x")
        assert cloud.bailian is not None
        headers = {"Authorization": f"Bearer {FORMER_KEYS.api_key}"}
        listed = requests.get(f"{cloud.bailian.base_url}/files", headers=headers, timeout=PATIENCE_S)

    assert (refused.value.code, listed.status_code) == ("InvalidAccessKeyId", 401)
    assert own_keys(first) == keys
    others = own_keys(second)
    assert not set(vars(others).values()) & set(vars(keys).values())
    for path in (first / ".localcloud", second / ".localcloud"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for name in ("keys.json", "callback-secret", "lock", "bailian/bailian.sqlite3"):
        assert stat.S_IMODE((first / ".localcloud" / name).stat().st_mode) == 0o600, name


def test_a_folder_of_before_goes_on_with_keys_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / ".localcloud"
    (own / "bailian").mkdir(parents=True)
    own.chmod(0o755)
    (own / "bailian" / "bailian.sqlite3").touch(mode=0o644)
    (own / "callback-secret").write_text(SIGNED_WITH)

    assert keys_of_running(tmp_path) == FORMER_KEYS
    with LocalCloud(CloudOptions(tmp_path)) as cloud:
        address = {
            "data_dir": str(tmp_path),
            "endpoint": cloud.oss.url,
            "region": REGION,
            "bucket": "batchdrop",
        }
        (own / "address.json").write_text(json.dumps(address))
        status = batchdrop(["status", "--data", str(tmp_path)], {})

    assert (status, "[nothing_open]" in capsys.readouterr().out) == (0, True)
    assert keys_of_running(tmp_path) == cloud.keys != FORMER_KEYS
    assert (own / "callback-secret").read_text() == SIGNED_WITH
    assert stat.S_IMODE(own.stat().st_mode) == 0o700
    assert stat.S_IMODE((own / "bailian" / "bailian.sqlite3").stat().st_mode) == 0o600


def test_keys_that_were_half_written_when_the_machine_stopped_are_made_again(tmp_path: Path) -> None:
    own = tmp_path / ".localcloud"
    own.mkdir()
    (own / "keys.draft").write_text('{"access')
    (own / "callback-secret").touch()

    keys = own_keys(tmp_path)
    secret = callback_secret(tmp_path)

    assert own_keys(tmp_path) == keys
    assert callback_secret(tmp_path) == secret != ""
    assert sorted(path.name for path in own.iterdir()) == ["callback-secret", "keys.json"]
