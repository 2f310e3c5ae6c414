"""Reads answers back out of a finished part, so that they can be rendered for another result."""

from __future__ import annotations

from shared.bucket.records.plan import Plan
from shared.formats.csv.cells import unguarded
from shared.formats.json.compact import compact_json
from shared.results.columns import ATTEMPT, ATTEMPTS, COLUMNS, NUMBERS, Answer, ResultColumns, RowStatus
from shared.results.formats import rendering_for
from shared.results.rendering import SettledAnswer

# At which try it was given matters to its own job only, and what is said of it is said again.
_RENDERED = COLUMNS.keys() - {"custom_id", "status", ATTEMPT, ATTEMPTS, "error_code", "error_message"}


class AnswerReader:
    """Reads good answers of one job."""

    def __init__(self, plan: Plan) -> None:
        self._values = rendering_for(plan).read_answer
        self._names = ResultColumns(plan.kind, plan.result_columns).names
        self._is_guarded = plan.output_format == "csv" and plan.formula_guard

    def __call__(self, custom_id: str, settled: SettledAnswer) -> Answer:
        """The answer as it was before it was rendered, under this id.

        Raises:
            ValueError: The part is damaged.
        """
        values = dict(zip(self._names, self._values(settled.rendered), strict=False))
        known = {name: self._value(name, value) for name, value in values.items() if name in _RENDERED}
        return Answer(custom_id, RowStatus.ANSWERED, **known)  # type: ignore[arg-type]  # by its column

    def _value(self, name: str, value: object) -> object:
        if name in NUMBERS:
            return None if value in ("", None) else int(str(value))
        if not isinstance(value, str):
            return "" if value is None else compact_json(value)
        return unguarded(value) if self._is_guarded else value
