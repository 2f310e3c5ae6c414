import base64
import json
from collections.abc import Callable

import pytest
from flask import Flask, Response, request

from shared.runtime.context import FcContext
from shared.runtime.custom.http_shapes import parse_http_response
from shared.runtime.http_events import MAX_EVENT_BYTES
from shared.runtime.http_trigger import context_of, http_handler


def http_event(**changes: object) -> dict[str, object]:
    """An event as in Function Compute's page on HTTP triggers."""
    http = {
        "method": "POST",
        "path": "/echo",
        "protocol": "HTTP/1.1",
        "sourceIp": "11.11.11.1",
        "userAgent": "t",
    }
    event: dict[str, object] = {
        "version": "v1",
        "rawPath": "/echo",
        "body": "Hello FC!",
        "isBase64Encoded": False,
        "headers": {"Content-Type": "text/plain", "Host": "x.cn-hangzhou.fcapp.run", "Content-Length": "999"},
        "queryParameters": {},
        "requestContext": {"accountId": "1", "http": http, "requestId": "1-64f6cd87"},
    }
    return {**event, **changes}


def create_app() -> Flask:
    app = Flask(__name__)

    @app.route("/echo", methods=["GET", "POST"])
    @app.route("/echo/<path:rest>", methods=["GET", "POST"])
    def echo(rest: str = "") -> dict[str, object]:
        return {
            "rest": rest,
            "path": request.path,
            "args": request.args,
            "body": request.get_data().hex(),
            "header": request.headers.get("x-mixed-case"),
            "host": request.host,
            "from": request.remote_addr,
            "request_id": context_of(request.environ).request_id,
        }

    @app.get("/binary")
    def binary() -> Response:
        return Response(
            b"\xff\x00", mimetype="application/octet-stream", headers=[("X-A", "1"), ("X-A", "2")]
        )

    @app.get("/fail")
    def fail() -> str:
        raise RuntimeError("do not show this")

    return app


@pytest.fixture
def handler() -> Callable[[object, object], dict[str, object]]:
    return http_handler(create_app)


def answer(handler: Callable[[object, object], dict[str, object]], **changes: object) -> dict[str, object]:
    struct = handler(json.dumps(http_event(**changes)).encode(), FcContext(request_id="r-1"))
    assert struct["statusCode"] == 200
    return json.loads(str(struct["body"]))


def test_the_response_is_always_the_full_struct(handler):
    struct = handler(json.dumps(http_event()).encode(), FcContext())

    assert set(struct) == {"statusCode", "headers", "isBase64Encoded", "body"}
    assert struct["headers"] == {"Content-Type": "application/json"}
    assert isinstance(struct["body"], str)


def test_a_utf8_path_arrives_decoded_once(handler):
    got = answer(handler, rawPath="/echo/%E6%94%B6%20a%252Fb%3Fc")

    assert got["rest"] == "收 a%2Fb?c"


def test_query_values_arrive_as_the_platform_joins_them(handler):
    got = answer(handler, queryParameters={"a": "1,2", "名": "值 &=+", "empty": ""})

    assert got["args"] == {"a": "1,2", "名": "值 &=+", "empty": ""}


@pytest.mark.parametrize(
    ("changes", "body"),
    [
        ({"body": "文"}, "文".encode()),
        ({"body": base64.b64encode(b"\xff\x00").decode(), "isBase64Encoded": True}, b"\xff\x00"),
        ({"body": None}, b""),
        ({"body": ""}, b""),
    ],
)
def test_the_body_arrives_whole_whatever_content_length_says(
    handler, changes: dict[str, object], body: bytes
):
    assert answer(handler, **changes)["body"] == body.hex()


def test_parts_that_the_platform_may_leave_out_are_not_needed(handler):
    event = {"requestContext": {"http": {"method": "get", "path": "/echo/文"}}}

    struct = handler(event, FcContext())

    assert json.loads(struct["body"])["rest"] == "文"


def test_headers_are_found_in_any_case_and_the_client_is_known(handler):
    got = answer(handler, headers={"X-MIXED-Case": "v", "host": "h.example"})

    assert (got["header"], got["host"], got["from"]) == ("v", "h.example", "11.11.11.1")


def test_each_request_sees_the_context_of_its_own_invocation(handler):
    event = json.dumps(http_event()).encode()

    seen = [
        json.loads(handler(event, FcContext(request_id=name))["body"])["request_id"]
        for name in ("r-1", "r-2")
    ]

    assert seen == ["r-1", "r-2"]


def test_the_application_is_built_once_and_on_first_use():
    built = []
    handler = http_handler(lambda: built.append(1) or create_app())
    assert built == []

    answer(handler)
    answer(handler)

    assert built == [1]


def test_a_binary_answer_is_base64_and_repeated_headers_are_joined(handler):
    http = {"method": "GET", "path": "/binary"}

    struct = handler(http_event(rawPath="/binary", requestContext={"http": http}), FcContext())

    assert struct["isBase64Encoded"] is True
    assert base64.b64decode(struct["body"]) == b"\xff\x00"
    assert struct["headers"]["X-A"] == "1, 2"


@pytest.mark.parametrize(
    "event",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b"\xff\xfe",
        {"requestContext": {"http": "GET"}},
        http_event(body="###", isBase64Encoded=True),
        http_event(body={"a": 1}),
        http_event(headers={"X": "a\r\nSet-Cookie: b"}),
        1,
        "\ud800",
    ],
    ids=lambda event: str(event)[:40],
)
def test_garbage_answers_400_without_a_word_about_our_insides(handler, event: object):
    struct = handler(event, FcContext())

    assert struct["statusCode"] == 400
    assert struct["body"] == '{"error":"bad_request"}'


def test_an_event_that_is_too_large_is_not_parsed():
    small = http_handler(create_app, max_event_bytes=1000)
    event = json.dumps(http_event()).encode()

    assert small(event, FcContext())["statusCode"] == 200
    assert small(event + b" " * 1000, FcContext())["body"] == '{"error":"too_large"}'
    assert http_handler(create_app)(b" " * (MAX_EVENT_BYTES + 1), FcContext())["statusCode"] == 413


def test_the_host_is_the_triggers_where_no_header_names_one(handler):
    http = {"method": "POST", "path": "/echo"}

    got = answer(handler, headers={}, requestContext={"http": http, "domainName": "x.cn-beijing.fcapp.run"})

    assert got["host"] == "x.cn-beijing.fcapp.run"


def test_a_failing_view_answers_500(handler, caplog):
    http = {"method": "GET", "path": "/fail"}

    struct = handler(http_event(rawPath="/fail", requestContext={"http": http}), FcContext())

    assert struct["statusCode"] == 500
    assert "do not show" not in str(struct)
    assert "do not show" in caplog.text


def test_a_failing_factory_answers_500_and_is_logged(caplog):
    def broken() -> Flask:
        raise RuntimeError("do not show this")

    struct = http_handler(broken)(http_event(), FcContext())

    assert (struct["statusCode"], struct["body"]) == (500, '{"error":"internal_error"}')
    assert [record.message for record in caplog.records] == ["invocation.started", "invocation.failed"]


@pytest.mark.parametrize(
    "struct",
    [
        None,
        "text",
        {"body": "x"},
        {"statusCode": 99},
        {"statusCode": 200, "body": b"x" * 2 + b"\xff"},
        {"statusCode": 200, "headers": {"X": "a\nb"}},
        {"statusCode": 200, "body": "###", "isBase64Encoded": True},
    ],
)
def test_what_is_no_response_struct_is_refused(struct: object):
    with pytest.raises(ValueError):  # noqa: PT011 (pydantic's and base64's alike)
        parse_http_response(struct)
