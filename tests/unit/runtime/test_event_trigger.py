import json
import logging
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from shared.problems.exceptions import ConfigurationError, TransientError
from shared.runtime.context import Credentials, FcContext
from shared.runtime.event_trigger import event_bytes, event_handler
from shared.runtime.invocation import SecretInError
from shared.runtime.logs import JsonFormatter

CONTEXT = FcContext(
    request_id="r-1", given_credentials=Credentials("ID", SecretStr("key-secret"), SecretStr("sts-token"))
)


@event_handler
def echo(event: bytes, context: FcContext) -> object:
    """Say what came."""
    return {"event": event.decode(), "request_id": context.request_id}


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (b"{}", "{}"),
        ("文", "文"),
        ({"a": "文"}, '{"a": "文"}'),
        ([1], "[1]"),
        (bytearray(b"x"), "x"),
        (b"", ""),
    ],
)
def test_every_shape_of_event_reaches_the_function_as_bytes(event: object, text: str):
    assert echo(event, CONTEXT) == {"event": text, "request_id": "r-1"}


def test_an_event_of_another_kind_is_refused():
    with pytest.raises(TypeError, match="not int"):
        event_bytes(1)


def test_a_built_in_context_is_understood():
    assert echo(b"", SimpleNamespace(request_id="r-2")) == {"event": "", "request_id": "r-2"}


@pytest.mark.parametrize(
    ("value", "result"),
    [
        (None, {"status": "ok"}),
        ([1, "a"], [1, "a"]),
        ({"at": SecretStr("x")}, {"at": "**********"}),
        (SimpleNamespace, str(SimpleNamespace)),
        ({1}, [1]),
    ],
)
def test_every_result_can_be_written_as_json(value: object, result: object):
    written = event_handler(lambda _event, _context: value)(b"", CONTEXT)

    assert json.loads(json.dumps(written)) == result


def test_what_asks_for_a_retry_leaves_as_it_is(caplog):
    error = TransientError("OSS answered 503")

    def fail(_event: bytes, _context: FcContext) -> object:
        raise error

    with pytest.raises(TransientError) as caught:
        event_handler(fail)(b"", CONTEXT)

    assert caught.value is error
    (failed,) = [record for record in caplog.records if record.message == "invocation.failed"]
    assert (failed.levelname, failed.code) == ("WARNING", "transient_error")


def test_a_failure_is_logged_once_as_an_error_with_its_traceback(caplog):
    def fail(_event: bytes, _context: FcContext) -> object:
        raise ConfigurationError("no bucket")

    with pytest.raises(ConfigurationError):
        event_handler(fail)(b"", CONTEXT)

    assert [record.message for record in caplog.records] == ["invocation.started", "invocation.failed"]
    line = json.loads(JsonFormatter().format(caplog.records[1]))
    assert (line["level"], line["code"], line["error"]) == ("ERROR", "configuration_error", "no bucket")
    assert "in fail" in line["traceback"]


def test_an_error_that_holds_a_secret_leaves_without_it():
    def fail(_event: bytes, _context: FcContext) -> object:
        raise RuntimeError("signed with key-secret and sk-0123456789abcdef")

    with pytest.raises(SecretInError) as caught:
        event_handler(fail)(b"", CONTEXT)

    assert str(caught.value) == "RuntimeError: signed with ********** and **********"
    assert caught.value.__suppress_context__
    assert "fail" in [entry.name for entry in caught.traceback]


def test_the_log_lines_of_an_invocation_carry_its_request_id(capsys, monkeypatch):
    monkeypatch.setenv("LOG_LEVEL", "INFO")

    def work(_event: bytes, _context: FcContext) -> object:
        logging.getLogger("functions.x").info("shard.submitted")
        return None

    event_handler(work)(b"", CONTEXT)

    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == [
        "invocation.started",
        "shard.submitted",
        "invocation.finished",
    ]
    assert {line["request_id"] for line in lines} == {"r-1"}


def test_the_handler_keeps_the_functions_name_and_docstring():
    assert echo.__name__ == "echo"
    assert echo.__doc__ == "Say what came."


def test_a_setting_that_is_secret_reaches_neither_the_log_nor_the_platform(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    secrets = {
        "DASHSCOPE_API_KEY": "not-of-the-usual-form",
        "CALLBACK_SECRET": 'with "quotes" and \\ more',
        "EVENTBRIDGE_TOKEN": "t" * 16,
    }
    for name, value in secrets.items():
        monkeypatch.setenv(name, value)

    def tell(_event: bytes, _context: FcContext) -> object:
        raise ValueError(" ".join(secrets.values()))

    with pytest.raises(SecretInError) as left:
        event_handler(tell)(b"", CONTEXT)

    written = str(left.value) + capsys.readouterr().err
    assert not [value for value in secrets.values() if value in written or json.dumps(value)[1:-1] in written]
    assert written.count("**********") >= len(secrets)
