"""Actions under one address as a Flask app, with the faults that strike their calls."""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod

from flask import Flask, Response, request
from pydantic import ValidationError
from werkzeug.exceptions import HTTPException

from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.answers.faults import CallFault, FaultOrder, Faults, Struck
from scripts.localcloud.servers.wsgi_server import cut_short


class Wire(ABC):
    """How calls and answers look; each method is about the request at hand."""

    methods: tuple[str, ...] = ("POST",)

    @abstractmethod
    def action(self) -> str:
        """The action's name; ``""`` if none is given."""

    @abstractmethod
    def verify(self) -> None:
        """Raise ``Refusal`` if the signature is not good."""

    @abstractmethod
    def answered(self, action: str) -> Response:
        """Carry the action out; it may raise ``Refusal``."""

    @abstractmethod
    def refused(self, action: str, refusal: Refusal) -> Response: ...

    @abstractmethod
    def unrouted(self, error: HTTPException) -> tuple[str, Refusal]:
        """Of what reached no action: another path or method, or a body that ends too early.

        With it comes the action's name as far as it can be read without the body.
        """


def create_app(wire: Wire, faults: Faults[Struck], order: type[FaultOrder[Struck]]) -> Flask:
    """The actions under ``/``, and ``/_faults``; every request is signed."""
    app = Flask(__name__)

    @app.route("/", methods=wire.methods)
    def act() -> Response:
        action = wire.action()
        fault = faults.take_for_call(action) or CallFault(route="", status=None)
        time.sleep(fault.delay_s if not fault.after else 0)
        try:
            wire.verify()
            if fault.status and not fault.after and not fault.cut:
                raise _refusal_of(fault)
            response = wire.answered(action)
        except Refusal as refusal:
            response = wire.refused(action, refusal)
        return _spoilt(wire, response, action, fault)

    @app.errorhandler(HTTPException)
    def refuse(error: HTTPException) -> Response:
        return wire.refused(*wire.unrouted(error))

    @app.post("/_faults")
    def set_faults() -> Response:
        try:
            wire.verify()
            order.model_validate(request.get_json(silent=True)).give_to(faults)
        except (Refusal, ValidationError) as error:
            return Response(str(error), status=400)
        return Response(json.dumps({"paused": faults.paused}), mimetype="application/json")

    return app


def _spoilt(wire: Wire, response: Response, action: str, fault: CallFault) -> Response:
    if fault.after:
        time.sleep(fault.delay_s)
        return wire.refused(action, _refusal_of(fault)) if fault.status else response
    return cut_short(response) if fault.cut else response


def _refusal_of(fault: CallFault) -> Refusal:
    return Refusal(fault.status or 500, fault.code, fault.message)
