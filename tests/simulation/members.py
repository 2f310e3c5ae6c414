"""The providers of a run: what the pipeline is handed of each, and what is behind it."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from shared.ports.profile import ShardLimits
from shared.ports.providers import Provider
from shared.providers.ark.profile import ARK_LIMITS, ark_profile
from shared.providers.bailian.profile import BAILIAN
from shared.providers.tione.profile import TIONE_LIMITS, tione_profile
from tests.simulation.ark import ArkService
from tests.simulation.installations import Installation, reads_bucket
from tests.simulation.kernel import Kernel
from tests.simulation.reading_bucket import ReadingService
from tests.simulation.service import Batch, Service
from tests.simulation.tione import TioneService

Notify = Callable[[Batch], object]


@dataclass(frozen=True)
class Surroundings:
    """How the end of a batch is told, by callback alone or by a message too, and the bucket.

    ``objects`` is what lies in the bucket, for a service that reads there by itself.
    """

    by_callback: Notify
    by_all: Notify
    objects: Mapping[str, bytes]


@dataclass(frozen=True)
class Member:
    """One provider of a run."""

    provider: Provider
    service: Service

    @property
    def name(self) -> str:
        return self.provider.profile.name


def members_of(
    installation: Installation, kernel: Kernel, seed: int, limits: ShardLimits, around: Surroundings
) -> list[Member]:
    """The first is the default one."""
    return [_MEMBERS[name](kernel, seed, limits, around) for name in installation.value]


def _bailian(kernel: Kernel, seed: int, limits: ShardLimits, around: Surroundings) -> Member:
    told = (kernel, seed, around.by_all)
    service = ReadingService(*told, around.objects) if reads_bucket(seed) else Service(*told)
    profile = replace(BAILIAN, limits_for=lambda _: limits)
    return Member(Provider(profile, service), service)


def _ark(kernel: Kernel, seed: int, limits: ShardLimits, _around: Surroundings) -> Member:
    running_jobs = random.Random(f"running jobs {seed}").choice((1, 1, 2, 3))
    service = ArkService(kernel, seed, running_jobs)
    small = replace(ARK_LIMITS, max_requests=limits.max_requests)
    profile = replace(ark_profile(running_jobs), limits_for=lambda _: small)
    return Member(Provider(profile, service.adapter), service)


def _tione(kernel: Kernel, seed: int, limits: ShardLimits, around: Surroundings) -> Member:
    running_tasks = random.Random(f"running tasks {seed}").choice((1, 2, 2, 3))
    service = TioneService(kernel, seed, around.by_callback)
    small = replace(TIONE_LIMITS, max_requests=limits.max_requests)
    profile = replace(tione_profile(running_tasks), limits_for=lambda _: small)
    return Member(Provider(profile, service.adapter), service)


_MEMBERS = {"bailian": _bailian, "ark": _ark, "tione": _tione}
