"""The parameters of an action by their form, and how Ark refuses others."""

from __future__ import annotations

from pydantic import ConfigDict

from scripts.localcloud.actions.forms import Form, Frozen, Params, WrongParameter, read_form
from scripts.localcloud.ark.api.refusals import invalid, missing


class Parameters(Frozen):
    """Unknown ones are ignored: the sample sends its action and account among them, too."""

    model_config = ConfigDict(strict=True, extra="ignore")


def read_parameters(form: type[Form], params: Params) -> Form:
    """The parameters as the form has them.

    Raises:
        Refusal: One is missing or of another type.
    """
    try:
        return read_form(form, params)
    except WrongParameter as wrong:
        is_missing = wrong.kind == "missing"
        raise (missing(wrong.field) if is_missing else invalid(wrong.field, str(wrong))) from None
