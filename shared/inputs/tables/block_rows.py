"""Makes the requests of a block of records at once, if there is nothing odd about any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.formats.record import RecordBlock
from shared.inputs.requests.request_encoding import RequestForm
from shared.inputs.rows import RowBlock
from shared.ports.profile import ShardLimits

if TYPE_CHECKING:
    from shared.recipes.prompts import PromptTemplate

_LONGEST_ID = bytes(40)


class BlockRows:
    """Does in a few passes what ``row_for`` does row by row, in half of its time."""

    def __init__(
        self, prompts: PromptTemplate, form: RequestForm | None, columns: int, limits: ShardLimits
    ) -> None:
        self._prompts = prompts
        self._form = form
        self._widths = {columns}
        self._limits = limits

    def find_rows(self, first_number: int, block: RecordBlock) -> RowBlock | None:
        """The rows; ``None`` if one may be bad, or there may be something to say of it."""
        if self._form is None or {*map(len, block.rows)} != self._widths:
            return None
        filled = self._prompts.fill_all(block.rows)
        if filled is None:
            return None
        system, prompts = filled
        longest = self._form.line(_LONGEST_ID, self._form.body(system, max(prompts, key=len)))
        if len(longest) > self._limits.warn_line_bytes:
            return None
        ids, digests, requests = self._form.numbered_lines(first_number, system, prompts)
        return RowBlock(block.lines, ids, block.rows, requests, digests, prompts)
