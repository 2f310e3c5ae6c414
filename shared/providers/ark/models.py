"""How a job of Ark names its model: by name and version, or as one that was fine-tuned."""

from __future__ import annotations

import re
from typing import Any

# The console joins name and version: doubao-seed-2-1-pro-260628.
# https://www.volcengine.com/docs/82379/1339603
_JOINED = re.compile(r"(.+)-([0-9]{6})", re.ASCII)
_CUSTOM, _ENDPOINT = "cm-", "ep-"


def model_reference(model: str) -> dict[str, Any]:
    """The ``ModelReference`` of a recipe's ``name``, ``name@version``, ``name-YYMMDD`` or ``cm-…``.

    Raises:
        ValueError: It is an inference endpoint, ``ep-…``, which a job cannot name.
    """
    if model.startswith(_ENDPOINT):
        raise ValueError(f"A job of Ark names a model, no inference endpoint: {model}")
    if model.startswith(_CUSTOM):
        return {"CustomModelId": model}
    name, at, version = model.rpartition("@")
    if not at:
        joined = _JOINED.fullmatch(model)
        name, version = (joined[1], joined[2]) if joined else (model, "")
    return {"FoundationModel": {"Name": name} | ({"ModelVersion": version} if version else {})}
