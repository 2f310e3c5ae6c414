import json
import logging
import sys

import pytest
from pydantic import SecretStr

from shared.bucket.attempt import Attempt, JobId
from shared.events.callbacks import callback_path_for
from shared.runtime.logs import MAX_LINE_BYTES, JsonFormatter, bind, configure_logging, redact


def line_for(event: str = "shard.submitted", **extra: object) -> str:
    record = logging.makeLogRecord({"name": "shared.x", "levelname": "INFO", "msg": event, **extra})
    return JsonFormatter().format(record)


@pytest.fixture
def root():
    """The root logger and ours, restored afterwards."""
    root = logging.getLogger()
    before = (
        list(root.handlers),
        root.level,
        logging.getLogger("shared").level,
        logging.getLogger("functions").level,
    )
    yield root
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    logging.getLogger("shared").setLevel(before[2])
    logging.getLogger("functions").setLevel(before[3])


def test_a_line_is_one_json_object_with_the_bound_ids_and_the_extra_fields():
    with bind(request_id="r-1"), bind(job_id="j-1"):
        line = line_for(created=0.5, lines=3, key="收件箱/问题.csv")

    assert "\n" not in line
    assert json.loads(line) == {
        "time": "1970-01-01T00:00:00.500Z",
        "level": "INFO",
        "event": "shard.submitted",
        "logger": "shared.x",
        "request_id": "r-1",
        "job_id": "j-1",
        "lines": 3,
        "key": "收件箱/问题.csv",
    }
    assert "收件箱" in line


def test_bound_fields_end_with_their_block():
    with bind(job_id="j-1"):
        pass

    assert "job_id" not in json.loads(line_for())


def test_a_record_keeps_its_own_fields_whatever_the_extra_fields_are_called():
    line = json.loads(line_for(level="mine", time="mine", logger="mine"))

    assert (line["level"], line["logger"]) == ("INFO", "shared.x")


def test_an_exception_is_part_of_the_line():
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        line = line_for(exc_info=sys.exc_info())

    fields = json.loads(line)
    assert (fields["error_type"], fields["error"]) == ("ZeroDivisionError", "division by zero")
    assert "test_logs.py" in fields["traceback"]


@pytest.mark.parametrize(
    "extra",
    [
        {"text": "x" * 100_000},
        {"text": "批" * 50_000},
        {"text": "\x00" * 50_000},
        {"many": list(range(50_000))},
        {f"field_{number}": "x" * 1000 for number in range(200)},
    ],
)
def test_a_line_never_exceeds_what_function_compute_keeps(extra: dict[str, object]):
    line = line_for(**extra)

    assert len(line.encode()) <= MAX_LINE_BYTES
    assert json.loads(line)["truncated"] is True
    assert json.loads(line)["event"] == "shard.submitted"


def test_secrets_never_reach_a_line():
    with bind(secrets=('tok"en',)):
        line = line_for(
            key=SecretStr("s3cret"),
            url="https://oss/x?Signature=abc%2Fdef&Expires=1",
            header="Bearer abc.def",
            message_text="Incorrect API key provided: sk-0123456789abcdef.",
            own='has tok"en inside',
        )

    for secret in ("s3cret", "abc%2Fdef", "abc.def", "0123456789abcdef", "tok"):
        assert secret not in line
    assert json.loads(line)["key"] == "**********"
    assert "Expires=1" in line


def test_a_secret_on_the_cut_of_a_long_value_is_masked_before_it_is_cut():
    with bind(secrets=("TOPSECRET",)):
        line = line_for(text="x" * 1995 + "TOPSECRET" + "x" * 50_000)

    assert "TOPSE" not in line


def test_the_signature_of_a_callback_is_masked_wherever_its_url_stands():
    path = callback_path_for(Attempt(JobId("0123456789abcdef"), 2, 17), b"secret")

    assert redact(f"no answer from https://cb.example{path}?x=1") == (
        "no answer from https://cb.example/finished/0123456789abcdef/2-00017/**********?x=1"
    )
    assert (
        redact("jobs/0123456789abcdef/2-00017/requests.jsonl")
        == "jobs/0123456789abcdef/2-00017/requests.jsonl"
    )


def test_text_without_secrets_is_left_alone():
    assert (
        redact("the task-oriented disk-space-message is fine")
        == "the task-oriented disk-space-message is fine"
    )


@pytest.mark.parametrize("odd", ["\ud800", float("nan"), b"\xff", object(), {(1, 2): {3}}])
def test_no_value_breaks_a_line(odd: object):
    assert json.loads(line_for(odd=odd))["event"] == "shard.submitted"


def test_a_circular_value_and_a_message_that_does_not_fit_its_arguments_are_logged():
    circle: list[object] = []
    circle.append(circle)

    assert json.loads(line_for(circle=circle))["circle"] == "<list>"
    assert json.loads(line_for("%d items", args=("many",)))["event"] == "%d items"


def test_configuring_twice_writes_every_record_once(root, capsys):
    configure_logging("WARNING")
    configure_logging("INFO")

    logging.getLogger("shared.x").info("shard.submitted")
    logging.getLogger("shared.x").debug("shard.seen")
    logging.getLogger("httpx").info("a library talks")

    lines = capsys.readouterr().err.splitlines()
    assert [json.loads(line)["event"] for line in lines] == ["shard.submitted"]


class FcLoggerHandler(logging.Handler):
    """As in Function Compute's own bootstrap: no stream, its own sink."""

    def emit(self, record: logging.LogRecord) -> None:
        sys.stdout.write(record.getMessage())


def test_the_platforms_own_handlers_write_nothing_twice(root, capsys):
    root.addHandler(FcLoggerHandler())
    root.addHandler(logging.StreamHandler(sys.stdout))

    configure_logging()
    logging.getLogger("functions.x").warning("ticket.found")

    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
