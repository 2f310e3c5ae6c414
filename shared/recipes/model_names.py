"""What may be the name of a model, in a recipe or a request line."""

from __future__ import annotations

import re
import unicodedata

from shared.formats.visible_text import visible

_NOT_IN_A_NAME = re.compile(
    r"[\s\"'`“”‘’„«»「」『』?#%&\\<>|*;,$^=!~(){}\[\]，；、。？]|(?:^|/)\.{1,2}(?:/|$)|//|/$"
)
_MAX_CHARS = 200


def is_model_name(name: str) -> bool:
    """Whether a provider can have it; with any other, each row would be sent, and refused."""
    is_plain = visible(name) == name == unicodedata.normalize("NFKC", name)
    return is_plain and _NOT_IN_A_NAME.search(name) is None and len(name) <= _MAX_CHARS
