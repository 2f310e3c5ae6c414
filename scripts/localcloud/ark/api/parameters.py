"""What an action is told, read by its form: nothing of a wrong type reaches the jobs."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from scripts.localcloud.ark.api.refusals import invalid, missing
from scripts.localcloud.ark.jobs.job import Frozen

Params = dict[str, Any]
Form = TypeVar("Form", bound=BaseModel)


class Parameters(Frozen):
    """Unknown ones are ignored: the sample sends its action and account among them, too."""

    model_config = ConfigDict(strict=True, extra="ignore")


def read_parameters(form: type[Form], params: Params) -> Form:
    """The parameters as the form has them.

    Raises:
        Refusal: One is missing or of another type.
    """
    try:
        return form.model_validate_json(json.dumps(params))
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(step) for step in first["loc"])
        raise (missing(field) if first["type"] == "missing" else invalid(field, first["msg"])) from None
