"""The service as a Flask app: key, request ids, rates and faults around the routes."""

from __future__ import annotations

import hmac
import tempfile
import time
import uuid
from collections.abc import Callable
from typing import IO

from flask import Flask, Request, Response, current_app, g, jsonify, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException, NotFound

from scripts.localcloud.answers.answering import Answering
from scripts.localcloud.answers.faults import CallFault
from scripts.localcloud.bailian.api.batches_api import batches_blueprint
from scripts.localcloud.bailian.api.files_api import files_blueprint
from scripts.localcloud.bailian.api.oss_input import OssInput
from scripts.localcloud.bailian.api.queries import check_names
from scripts.localcloud.bailian.api.real_time_api import NAME as REAL_TIME
from scripts.localcloud.bailian.api.real_time_api import real_time_blueprint
from scripts.localcloud.bailian.api.refusals import ApiError, render_error
from scripts.localcloud.bailian.database import Database
from scripts.localcloud.bailian.limits import AccountLimits, RateLimiter
from scripts.localcloud.bailian.service_faults import BailianFaultOrder, BailianFaults
from scripts.localcloud.servers.wsgi_server import cut_short
from shared.ports.clock import Clock

BASE_PATH = "/compatible-mode/v1"


class StreamingRequest(Request):
    """Writes uploads straight into the database's folder; later they are only renamed."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        return tempfile.NamedTemporaryFile(dir=current_app.config["UPLOADS"], delete=False)


def create_app(
    database: Database,
    *,
    api_key: str,
    faults: BailianFaults,
    limits: AccountLimits,
    clock: Clock,
    take: Callable[[str], None],
    answering: Answering,
    oss: OssInput | None,
) -> Flask:
    """The routes under ``/compatible-mode/v1``, and ``/_faults``; see ``batches_blueprint``."""
    app = Flask(__name__)
    app.request_class = StreamingRequest
    app.config["UPLOADS"] = database.uploads
    # The default provider has sort_keys, its base class has not. The wire has an order of its own.
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(files_blueprint(database, limits, clock), url_prefix=f"{BASE_PATH}/files")
    app.register_blueprint(
        batches_blueprint(database, faults, limits, clock, take=take, waits_for=answering.waits_for, oss=oss),
        url_prefix=f"{BASE_PATH}/batches",
    )
    app.register_blueprint(real_time_blueprint(answering), url_prefix=BASE_PATH)
    _add_gate(app, api_key, RateLimiter(limits.rates))
    _add_fault_orders(app, faults)
    _add_call_faults(app, faults)
    _add_answers(app)
    return app


def _add_gate(app: Flask, api_key: str, limiter: RateLimiter) -> None:
    expected = f"Bearer {api_key}".encode()

    @app.before_request
    def check_key() -> None:
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), expected):
            if request.blueprint == REAL_TIME:
                raise ApiError(401, "Incorrect API key provided.", code="invalid_api_key")
            raise ApiError(401, "Invalid API-key provided.", code="InvalidApiKey", dashscope=True)

    app.before_request(check_names)

    @app.before_request
    def check_rate() -> None:
        if not limiter.allows(request.endpoint or ""):
            message = "You exceeded your current requests list."
            raise ApiError(429, message, code="limit_requests", kind="limit_requests")


def _add_fault_orders(app: Flask, faults: BailianFaults) -> None:
    @app.post("/_faults")
    def set_faults() -> Response:
        try:
            BailianFaultOrder.model_validate(request.get_json(silent=True)).give_to(faults)
        except ValidationError as error:
            raise ApiError(400, str(error)) from None
        return jsonify({"paused": faults.paused})


def _add_call_faults(app: Flask, faults: BailianFaults) -> None:
    @app.before_request
    def fail_before() -> None:
        fault = faults.take_for_call(request.endpoint or "")
        if fault is None:
            return
        time.sleep(fault.delay_s)
        if fault.status and not fault.after and not fault.cut:
            raise _error_of(fault)
        g.fault = fault

    @app.after_request
    def fail_after(response: Response) -> Response:
        fault: CallFault | None = g.get("fault")
        if fault and fault.cut:
            return cut_short(response)
        if fault and fault.after and fault.status:
            return render_error(_error_of(fault))
        return response


def _error_of(fault: CallFault) -> ApiError:
    status = fault.status or 500
    return ApiError(status, fault.message, code=fault.code, dashscope=fault.dashscope)


def _add_answers(app: Flask) -> None:
    @app.errorhandler(ApiError)
    def refuse(error: ApiError) -> Response:
        return render_error(error)

    @app.errorhandler(NotFound)
    def refuse_unknown(_: NotFound) -> Response:
        message = f"The local Bailian has no {request.method} {request.path}."
        return render_error(ApiError(501, message, code="not_implemented"))

    @app.errorhandler(HTTPException)
    def refuse_http(error: HTTPException) -> Response:
        return render_error(ApiError(error.code or 500, error.description or error.name))

    @app.after_request
    def name_request(response: Response) -> Response:
        response.headers["x-request-id"] = str(uuid.uuid4())
        return response
