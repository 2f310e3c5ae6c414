"""The providers among which a recipe chooses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from shared.ports.profile import ProviderProfile
from shared.problems.exceptions import UserInputError
from shared.problems.problem import Problem


@dataclass(frozen=True)
class ProviderChoice:
    """What may be chosen here.

    Attributes:
        profiles: Of all providers that this version knows.
        default: The name of the one for files whose recipe names none.
        set_up: The names of those that can be called.
    """

    profiles: Sequence[ProviderProfile]
    default: str
    set_up: Collection[str]

    def profile_of(self, name: str | None = None) -> ProviderProfile:
        """The profile of the provider of that name, or of the default one.

        Raises:
            UserInputError: There is none, or it is not set up; the problem names the settings.
        """
        wanted = self.default if name is None else name
        profile = next((each for each in self.profiles if each.name == wanted), None)
        if profile is None:
            choices = ", ".join(each.name for each in self.profiles)
            raise UserInputError([Problem("recipe_choice", found=wanted, values={"choices": choices})])
        if wanted not in self.set_up:
            values = {**profile.terms, "variables": ", ".join(profile.needs)}
            raise UserInputError([Problem("provider_not_set_up", found=wanted, values=values)])
        return profile
