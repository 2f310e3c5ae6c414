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
        ValueError: It is an inference endpoint, ``ep-…``, which a job cannot name, or a fine-tuned
            model with a version.
    """
    if is_endpoint(model):
        raise ValueError(f"A job of Ark names a model, no inference endpoint: {model}")
    if model.casefold().startswith(_CUSTOM):
        if "@" in model:
            raise ValueError(f"A fine-tuned model of Ark has no version: {model}")
        return {"CustomModelId": model}
    name, at, version = model.rpartition("@")
    if not at:
        joined = _JOINED.fullmatch(model)
        name, version = (joined[1], joined[2]) if joined else (model, "")
    return {"FoundationModel": {"Name": name} | ({"ModelVersion": version} if version else {})}


def model_id(model: str) -> str:
    """What a single request calls that model: name and version are joined, as in the console.

    A fine-tuned one is called as it is; without an endpoint of its own, Ark refuses it.
    """
    return model.replace("@", "-")


def is_endpoint(model: str) -> bool:
    """Whether it is an inference endpoint, which stands for a model elsewhere."""
    return model.casefold().startswith(_ENDPOINT)
