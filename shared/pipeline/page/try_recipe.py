"""Has a few rows answered at once, before a file is dropped; a link may do so now and then."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from shared.pipeline.deadlines import PREVIEWS_WITHIN
from shared.pipeline.page.check_recipe import CheckRecipe
from shared.pipeline.page.gate import PageRefusal
from shared.pipeline.preview import PreviewedRow, preview
from shared.ports.clock import Clock
from shared.ports.real_time import MAX_REQUESTS, RealTime
from shared.problems.exceptions import ConfigurationError, UserInputError
from shared.problems.problem import Problem
from shared.recipes.columns.answers import AnswerColumns

# In ``PREVIEWS_WITHIN``. Each costs as much as five rows at the full price; somebody who writes
# a recipe needs no more.
_MOST = 10


@dataclass(frozen=True)
class Tried:
    """One answer for each row, as the recipe's provider and model gave it."""

    answers: list[PreviewedRow]
    provider: str
    model: str


@dataclass(frozen=True)
class Allowance:
    """How often each link may try recipes, as far as this instance knows."""

    clock: Clock
    _taken: dict[str, deque[datetime]] = field(default_factory=dict)

    def take(self, link_id: str) -> None:
        """Count one more.

        Raises:
            PageRefusal: There were too many.
        """
        now = self.clock.now()
        for known, times in list(self._taken.items()):
            while times and times[0] <= now - PREVIEWS_WITHIN:
                times.popleft()
            if not times:
                del self._taken[known]
        taken = self._taken.setdefault(link_id, deque())
        if len(taken) >= _MOST:
            raise PageRefusal(Problem("too_many_previews"))
        taken.append(now)


@dataclass(frozen=True)
class TryRecipe:
    """Answers the first rows of a table by the real-time endpoint of the recipe's provider."""

    check_recipe: CheckRecipe
    real_times: Mapping[str, RealTime]

    def __call__(self, text: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Tried:
        """Ask about each row that would be sent.

        Raises:
            UserInputError: The recipe is wrong, or does not fit the columns.
            PageRefusal: There is no such endpoint, or somebody must act first.
        """
        checked = self.check_recipe(text, columns, rows)
        if checked.problems and not any(checked.requests):
            raise UserInputError(checked.problems)
        if checked.recipe is None or checked.profile is None or not checked.requests:
            raise PageRefusal(Problem("bad_request"))  # no rows
        terms = checked.profile.terms
        real_time = self.real_times.get(checked.profile.name)
        if real_time is None:
            values = {"provider": terms["provider"]}
            raise PageRefusal(Problem("no_preview", values=values))
        wanted = checked.recipe.columns
        try:
            columns_of = AnswerColumns(wanted) if wanted else None
            answers = preview(real_time, checked.requests[:MAX_REQUESTS], checked.recipe.model, columns_of)
        except ConfigurationError as error:
            said = {**terms, **checked.profile.real_time_terms, "said": error.facts}
            raise PageRefusal(Problem(error.trouble, values=said)) from error
        return Tried(answers, checked.profile.name, checked.recipe.model)
