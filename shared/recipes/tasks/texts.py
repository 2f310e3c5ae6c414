"""The texts in recipes that must not be empty."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError


def _written(text: object) -> object:
    # An empty value would be sent, and paid for, as an empty message.
    if isinstance(text, str) and not text.strip():
        raise PydanticCustomError("recipe_empty_text", "empty")
    return text


Text = Annotated[str, AfterValidator(_written)]
