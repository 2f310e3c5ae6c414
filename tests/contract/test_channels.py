"""Each channel against a server that checks what its vendor checks, and answers as it does."""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.channels.settings import Channels
from shared.ports.channel import CHANNEL_KINDS, Word
from shared.problems.exceptions import ChannelRefused
from tests.support import chat_servers
from tests.support.certificates import server_pem
from tests.support.chat_servers import ChatServer, Reply, said
from tests.support.fakes import START
from tests.support.mail_server import PASSWORD, USER, MailServer

SECRET = "SEC-of-the-chat"
WHSEC = "whsec_" + base64.b64encode(b"k" * 32).decode()
WORD = Word(
    id="evt_1",
    type="job.done",
    title="Batchdrop 已完成 / Done: a.csv",
    lines=("【Batchdrop】已完成：a.csv", "共 3 行", 'Done: a.csv <at user_id="all"></at> & <!channel>'),
    data={"rows": 3, "path": "a.csv"},
    at=START,
)
CHATS: dict[str, Callable[[], ChatServer]] = {
    "dingtalk": lambda: chat_servers.dingtalk(SECRET),
    "feishu": lambda: chat_servers.feishu(SECRET),
    "wecom": chat_servers.wecom,
    "slack": chat_servers.slack,
    "webhook": lambda: chat_servers.webhook(WHSEC),
}
PATHS = {
    "dingtalk": "/robot/send?access_token=a-token",
    "wecom": "/cgi-bin/webhook/send?key=a-key",
    "slack": "/services/T0/B0/X0",
}
SECRETS = {"dingtalk": {"secret": SECRET}, "feishu": {"secret": SECRET}, "webhook": {"secret": WHSEC}}


def opened(kind: str, **setting: object) -> Any:
    return Channels(json.dumps({kind: {"team": setting}})).channel(f"{kind}:team")


def refused_by(kind: str, **setting: object) -> str:
    with pytest.raises(ChannelRefused) as refusal:
        opened(kind, **setting).deliver(WORD, START)
    assert refusal.value.__cause__ is None  # it could show the address
    return str(refusal.value)


@pytest.fixture(params=CHATS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def chat(kind: str) -> Iterator[ChatServer]:
    with CHATS[kind]().serving() as server:
        yield server


def setting_of(kind: str, chat: ChatServer) -> dict[str, str]:
    return {"url": chat.url + PATHS.get(kind, "/hook"), **SECRETS.get(kind, {})}


def port_of_nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return int(closed.getsockname()[1])


def text_of(kind: str, chat: ChatServer) -> str:
    document = chat.taken[-1].document
    texts = {"dingtalk": "text.content", "feishu": "content.text", "wecom": "text.content", "slack": "text"}
    for name in texts[kind].split("."):
        document = document[name]
    return str(document)


def test_there_is_a_channel_of_each_kind() -> None:
    assert {*CHATS, "email"} == set(CHANNEL_KINDS)


def test_a_chat_takes_a_word_that_is_signed_as_its_vendor_says(kind: str, chat: ChatServer) -> None:
    opened(kind, **setting_of(kind, chat)).deliver(WORD, START)

    assert len(chat.taken) == 1
    if kind != "webhook":
        assert "已完成：a.csv\n共 3 行" in text_of(kind, chat)


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "wecom", "slack"])
def test_the_name_of_a_file_calls_nobody(kind: str, chat: ChatServer) -> None:
    opened(kind, **setting_of(kind, chat)).deliver(WORD, START)

    assert "<" not in text_of(kind, chat)


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "webhook"])
def test_a_wrong_secret_is_refused_and_said_without_showing_it(kind: str, chat: ChatServer) -> None:
    wrong = WHSEC.replace("a", "b") if kind == "webhook" else "SEC-wrong"

    reason = refused_by(kind, **{**setting_of(kind, chat), "secret": wrong})

    assert any(code in reason for code in ("310000", "19021", "401"))
    assert wrong not in reason
    assert chat.taken == []


@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "webhook"])
def test_the_signature_has_the_time_of_the_delivery(kind: str, chat: ChatServer) -> None:
    chat.now = START + timedelta(hours=2)
    channel = opened(kind, **setting_of(kind, chat))

    with pytest.raises(ChannelRefused):
        channel.deliver(WORD, START)
    channel.deliver(WORD, chat.now)

    assert len(chat.taken) == 1


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_without_a_secret_nothing_is_signed(kind: str, chat: ChatServer) -> None:
    refused_by(kind, url=setting_of(kind, chat)["url"])

    assert chat.taken == []


@pytest.mark.parametrize(
    ("kind", "reply", "shown"),
    [
        ("dingtalk", said(errcode=130101, errmsg="send too fast, exceed 20 times per minute"), "130101"),
        ("dingtalk", said(errcode=310000, errmsg="keywords not in content"), "keywords"),
        ("dingtalk", said(errcode=-1, errmsg="系统繁忙"), "errcode"),
        ("feishu", said(code=19024, msg="Key Words Not Found"), "19024"),
        ("feishu", said(code=19022, msg="Ip Not Allowed"), "19022"),
        ("feishu", said(code=9499, msg="too many request"), "9499"),
        ("feishu", said(code=11232, msg="frequency limited psm"), "11232"),
        ("wecom", said(errcode=93000, errmsg="invalid webhook url"), "93000"),
        ("wecom", said(errcode=45009, errmsg="api freq out of limit"), "45009"),
        ("slack", Reply(b"invalid_payload", 400), "invalid_payload"),
        ("slack", Reply(b"action_prohibited", 403), "action_prohibited"),
        ("slack", Reply(b"no_service", 404), "no_service"),
        ("slack", Reply(b"rollup_error", 500), "rollup_error"),
        ("slack", Reply(b"rate_limited", 429, {"Retry-After": "30"}), "429"),
        ("webhook", Reply(b"", 302, {"Location": "/elsewhere"}), "302"),
        ("webhook", Reply(b"x" * 100_000, 500), "500"),
    ],
)
def test_what_the_vendor_says_is_told_and_the_word_is_taken_the_next_time(
    kind: str, chat: ChatServer, reply: Reply, shown: str
) -> None:
    chat.refusals = [reply]
    setting = setting_of(kind, chat)

    reason = refused_by(kind, **setting)
    opened(kind, **setting).deliver(WORD, START)

    assert shown in reason
    assert len(reason) < 300
    assert len(chat.taken) == 1


@pytest.mark.parametrize(
    "reply", [Reply(status=None), Reply(b"<html>502</html>", 502), Reply(b"[]"), Reply(b"")]
)
@pytest.mark.parametrize("kind", ["dingtalk", "feishu", "wecom"])
def test_what_is_no_answer_of_a_chat_is_a_refusal(kind: str, chat: ChatServer, reply: Reply) -> None:
    chat.refusals = [reply]

    refused_by(kind, **setting_of(kind, chat))


def test_where_nobody_listens_the_address_is_not_told(kind: str, chat: ChatServer) -> None:
    setting = setting_of(kind, chat) | {"url": f"http://127.0.0.1:{port_of_nobody()}/a-secret-path"}

    assert refused_by(kind, **setting) == "no answer: ConnectionError"


@pytest.mark.parametrize("kind", ["slack", "webhook"])
def test_410_says_that_nothing_more_is_wanted(kind: str, chat: ChatServer) -> None:
    chat.refusals = [Reply(b"channel_is_archived", 410)]

    with pytest.raises(ChannelRefused) as refusal:
        opened(kind, **setting_of(kind, chat)).deliver(WORD, START)

    assert refusal.value.is_gone


@pytest.mark.parametrize("kind", ["webhook"])
def test_a_webhook_has_the_events_id_each_time_and_its_facts(kind: str, chat: ChatServer) -> None:
    channel = opened(kind, **setting_of(kind, chat))

    channel.deliver(WORD, START)
    channel.deliver(WORD, START + timedelta(minutes=4))

    first, second = chat.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == "evt_1"
    assert first.document == second.document
    assert first.document == {
        "type": "job.done",
        "timestamp": "2026-11-21T09:00:00+00:00",
        "data": {"rows": 3, "path": "a.csv"},
    }


@pytest.mark.parametrize("kind", ["wecom"])
def test_a_text_is_cut_to_what_wecom_takes(kind: str, chat: ChatServer) -> None:
    long = Word("evt_2", "job.done", "t", ("长" * 3000,), {}, START)

    opened(kind, **setting_of(kind, chat)).deliver(long, START)

    assert len(text_of(kind, chat)) == 682


# E-mail.


@pytest.fixture
def mail() -> MailServer:
    return MailServer()


def mailbox(mail: MailServer, **more: object) -> dict[str, object]:
    return {
        "host": "localhost",
        "port": mail.port,
        "sender": USER.decode(),
        "recipients": ["boss@example.com", "team@example.com"],
        "user": USER.decode(),
        "password": PASSWORD.decode(),
        "encryption": "none",
        **more,
    }


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    pem = tmp_path / "localhost.pem"
    pem.write_bytes(server_pem("localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


@pytest.mark.parametrize("encryption", ["tls", "starttls", "none"])
def test_a_mail_comes_with_its_id_to_all_recipients(
    mail: MailServer, tls: ssl.SSLContext, encryption: str
) -> None:
    offered = {"tls": {"tls": tls}, "starttls": {"starttls": tls}, "none": {}}[encryption]
    with mail.serving(**offered):
        opened("email", **mailbox(mail, encryption=encryption)).deliver(WORD, START)

    ((recipients, message),) = mail.taken
    assert recipients == ["boss@example.com", "team@example.com"]
    assert message["Subject"] == WORD.title
    assert message["Message-ID"] == "<evt_1@example.com>"
    assert message["Date"] == "Sat, 21 Nov 2026 09:00:00 +0000"
    assert message.get_content().replace("\r\n", "\n") == f"{WORD.text}\n"


def test_a_server_without_starttls_is_told_neither_password_nor_word(mail: MailServer) -> None:
    with mail.serving():
        reason = refused_by("email", **mailbox(mail, encryption="starttls"))

    assert reason == "SMTPNotSupportedError"
    assert (mail.logins, mail.taken) == (0, [])


def test_a_server_that_nobody_vouches_for_is_told_nothing(mail: MailServer, tls: ssl.SSLContext) -> None:
    with pytest.MonkeyPatch.context() as patch, mail.serving(tls=tls):
        patch.delenv("SSL_CERT_FILE")
        reason = refused_by("email", **mailbox(mail, encryption="tls"))

    assert reason == "SSLCertVerificationError"
    assert mail.logins == 0


def test_a_wrong_password_is_said_by_its_code_alone(mail: MailServer) -> None:
    with mail.serving():
        assert refused_by("email", **mailbox(mail, password="wrong")) == "SMTPAuthenticationError, code 535"


def test_a_full_mailbox_is_tried_again(mail: MailServer) -> None:
    mail.refusals = ["452 mailbox full"]
    with mail.serving():
        assert refused_by("email", **mailbox(mail)) == "SMTPDataError, code 452"
        opened("email", **mailbox(mail)).deliver(WORD, START)

    assert len(mail.taken) == 1


def test_a_mail_is_taken_if_one_recipient_is_known(mail: MailServer) -> None:
    mail.unknown = {"boss@example.com"}
    with mail.serving():
        opened("email", **mailbox(mail)).deliver(WORD, START)

    assert [recipients for recipients, _ in mail.taken] == [["team@example.com"]]


def test_where_all_recipients_are_unknown_it_is_refused(mail: MailServer) -> None:
    mail.unknown = {"boss@example.com", "team@example.com"}
    with mail.serving():
        assert refused_by("email", **mailbox(mail)) == "SMTPRecipientsRefused"


def test_a_server_without_users_needs_no_password(mail: MailServer) -> None:
    with mail.serving(has_users=False):
        opened("email", **mailbox(mail, user="", password="")).deliver(WORD, START)

    assert len(mail.taken) == 1


# Settings.


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "NOTIFY_CHANNELS is no JSON object"),
        ("[1]", "NOTIFY_CHANNELS is no JSON object"),
        ("{}", "NOTIFY_CHANNELS has no slack:team"),
        ('{"slack": {"team": {"url": "https://x", "link_days": "s3cret"}}}', "link_days Input should be"),
        ('{"slack": {}}', "NOTIFY_CHANNELS has no slack:team"),
        ('{"slack": {"team": {}}}', "NOTIFY_CHANNELS, slack:team: url Field required"),
        ('{"slack": {"team": "https://x"}}', "NOTIFY_CHANNELS, slack:team: "),
        ('{"slack": {"team": {"url": "http://hooks.slack.com/s3cret"}}}', "must begin with https://"),
        ('{"slack": {"team": {"url": "https:///s3cret"}}}', "must begin with https://"),
        ('{"slack": {"team": {"url": "https://x", "s3cret": 1}}}', "NOTIFY_CHANNELS, slack:team: "),
    ],
)
def test_a_wrong_setting_is_a_refusal_that_does_not_show_it(given: str, said: str) -> None:
    with pytest.raises(ChannelRefused) as refusal:
        Channels(given).channel("slack:team")

    assert said in str(refusal.value)
    assert "hooks.slack.com" not in str(refusal.value)


@pytest.mark.parametrize("secret", ["", "abc", "whsec_", "whsec_YWJj", "whsec_%%%", "whsk_" + "YWJj" * 10])
def test_the_secret_of_a_webhook_has_the_form_of_the_standard(secret: str) -> None:
    with pytest.raises(ChannelRefused, match="24 to 64 bytes in base64"):
        opened("webhook", url="https://erp.example.com", secret=secret)


def test_mail_is_unencrypted_on_this_machine_only(mail: MailServer) -> None:
    with pytest.raises(ChannelRefused, match="only for a server on this machine"):
        opened("email", **mailbox(mail, host="smtp.example.com"))


def test_a_kind_that_there_is_not_is_a_refusal() -> None:
    with pytest.raises(ChannelRefused, match="NOTIFY_CHANNELS has no pager:team"):
        Channels('{"pager": {"team": {}}}').channel("pager:team")


def test_how_long_its_links_open_is_said_with_a_channel() -> None:
    given = Channels('{"slack": {"a": {"url": "https://x"}, "b": {"url": "https://x", "link_days": 7}}}')

    assert given.channel("slack:b")
    assert (given.link_days("slack:a"), given.link_days("slack:b")) == (0, 7)


def test_one_channel_that_is_set_up_wrongly_hinders_no_other() -> None:
    given = Channels('{"slack": {"a": {}, "b": {"url": "https://x"}}, "wecom": 7}')

    assert given.channel("slack:b")
