"""What an action is told, read by its form: nothing of a wrong type reaches what is kept."""

from __future__ import annotations

import json
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_pascal

Params = dict[str, Any]
Form = TypeVar("Form", bound=BaseModel)


class Frozen(BaseModel):
    """A value whose names on the wire begin with capitals."""

    model_config = ConfigDict(frozen=True, alias_generator=to_pascal, populate_by_name=True)


class WrongParameter(Exception):
    """The first that does not fit.

    Attributes:
        field: Its name, with those around it.
        kind: ``missing``, ``extra_forbidden`` or another of pydantic's words.
    """

    def __init__(self, field: str, kind: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.kind = kind


def read_form(form: type[Form], params: Params) -> Form:
    """The parameters as the form has them.

    Raises:
        WrongParameter: One is missing, too many or of another type.
    """
    try:
        return form.model_validate_json(json.dumps(params))
    except ValidationError as error:
        first = error.errors()[0]
        raise WrongParameter(
            ".".join(str(step) for step in first["loc"]), first["type"], first["msg"]
        ) from None
