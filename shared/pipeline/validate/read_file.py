"""Reads a dropped file under its recipe: a plan comes of it, or what is wrong with the two."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass

from shared.bucket.attempt import JobId
from shared.bucket.money import Money
from shared.bucket.records.plan import Source
from shared.inputs.formats import file_form_for, has_request_lines
from shared.inputs.inbox_keys import FileForm
from shared.pipeline.validate.dropped_file import DroppedFile
from shared.pipeline.validate.plan_job import PlanJob, Planned
from shared.pipeline.validate.recipe.find_recipe import FoundRecipe, find_misnamed_recipe
from shared.pipeline.validate.recipe.read_recipe import chosen_profile, recipe_for, refused_under
from shared.pipeline.validate.refuse_file import Refused
from shared.pipeline.validate.watch import Watch
from shared.ports.choice import ProviderChoice
from shared.ports.clock import Clock
from shared.ports.profile import ProviderProfile
from shared.ports.store import ObjectStore
from shared.problems.exceptions import ObjectMissing, UserInputError
from shared.problems.problem import Problem, ProblemList


@dataclass(frozen=True)
class ReadFile:
    """Plan the job of a file, or say why there is none.

    Attributes:
        has_real_time: The providers that can be asked the rows of a sample.
    """

    store: ObjectStore
    clock: Clock
    providers: ProviderChoice
    default_model: str
    run_id: str
    has_real_time: Container[str] = ()
    month_budget: Money | None = None

    def __call__(
        self, source: Source, job_id: JobId, found: FoundRecipe | None, watch: Watch
    ) -> Planned | Refused | None:
        """``None`` if the file was replaced or removed meanwhile: a newer one has its own event."""
        try:
            planned = self._read(source, job_id, found, watch)
        except UserInputError as error:
            return Refused.because(*error.problems)
        except ObjectMissing:
            return None
        return planned

    def _read(
        self, source: Source, job_id: JobId, found: FoundRecipe | None, watch: Watch
    ) -> Planned | Refused:
        form = file_form_for(source.key, source.size_bytes)
        if misnamed := self._misnamed_recipe(source, form):
            return Refused.because(Problem("recipe_name_beside", found=misnamed))
        profile = chosen_profile(found, self.providers)
        try:
            recipe = recipe_for(form, found, profile) if found else None
        except UserInputError as error:
            return refused_under(found, self._all_problems(source, form, error, profile, watch))
        planner = PlanJob(
            self.store,
            self.clock,
            profile,
            self.default_model,
            self.run_id,
            watch,
            [each.name for each in self.providers.profiles],
            has_real_time=profile.name in self.has_real_time,
            month_budget=self.month_budget,
        )
        planned = planner(source, job_id, recipe)
        return refused_under(found, planned) if isinstance(planned, Refused) else planned

    def _misnamed_recipe(self, source: Source, form: FileForm) -> str | None:
        if has_request_lines(form):
            return None
        return find_misnamed_recipe(self.store, source.key, source.recipe_key)

    def _all_problems(
        self,
        source: Source,
        form: FileForm,
        error: UserInputError,
        profile: ProviderProfile,
        watch: Watch,
    ) -> Refused:
        """The recipe's problems, and those of a file that can be read without it."""
        problems = ProblemList(error.problems)
        if not (has_request_lines(form) and profile.rules.form.is_addressed):
            return Refused(problems)
        with DroppedFile(self.store, source) as file:
            reader = file.open_rows(None, profile, self.default_model)
            for _ in watch(reader):
                pass  # reading is what finds them
        problems.absorb(reader.all_problems)
        return Refused(problems, reader.facts)
