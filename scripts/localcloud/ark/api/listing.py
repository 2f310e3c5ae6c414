"""``ListBatchInferenceJobs`` (https://www.volcengine.com/docs/82379/1339606)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from scripts.localcloud.ark.api.refusals import invalid
from scripts.localcloud.ark.api.service import ArkService, Params
from scripts.localcloud.ark.jobs.job import Job

# Initializing is answered, but cannot be asked for.
_PHASES = frozenset({"Queued", "Running", "Terminating", "Completed", "Failed", "Terminated"})
_MAX_PAGE_SIZE = 100


def list_jobs(service: ArkService, params: Params) -> dict[str, Any]:
    """One page.

    Raises:
        Refusal: A filter or a number is none that can be asked for.
    """
    number = _number(params, "PageNumber", 1, 1_000_000)
    size = _number(params, "PageSize", 10, _MAX_PAGE_SIZE)
    found = sorted(_matching(service, params), key=_order(params), reverse=params.get("SortOrder") != "Asc")
    page = found[(number - 1) * size : number * size]
    return {
        "TotalCount": len(found),
        "PageNumber": number,
        "PageSize": size,
        "Items": [job.shown(is_alone=False) for job in page],
    }


def _matching(service: ArkService, params: Params) -> Iterator[Job]:
    wanted = params.get("Filter") or {}
    if unknown := set(wanted.get("Phases") or ()) - _PHASES:
        raise invalid("Filter.Phases", ", ".join(sorted(unknown)))
    for each in service.store.jobs(params.get("ProjectName", "default")):
        job = service.in_time(each)
        is_unlisted = service.count("list", job) <= service.store.fault_of(job.id).unlisted_lists
        if not job.is_deleted and not is_unlisted and _fits(job, wanted, params.get("TagFilters") or ()):
            yield job


def _fits(job: Job, wanted: Params, tags: Any) -> bool:
    reference = job.model_reference
    foundation = reference.get("FoundationModel") or {}
    return (
        # Fuzzy: any job whose name holds this text.
        (wanted.get("Name") or "") in job.name
        and _is_among(job.id, wanted.get("Ids"))
        and _is_among(job.phase, wanted.get("Phases"))
        and _is_among(reference.get("CustomModelId"), wanted.get("CustomModelIds"))
        and _is_among(
            foundation.get("Name"), [each.get("Name") for each in wanted.get("FoundationModels") or ()]
        )
        and all(_has_tag(job, tag) for tag in tags)
    )


def _is_among(value: object, wanted: Any) -> bool:
    return not wanted or value in wanted


def _has_tag(job: Job, wanted: Params) -> bool:
    values = wanted.get("Values")
    return any(tag.key == wanted.get("Key") and (not values or tag.value in values) for tag in job.tags)


def _order(params: Params) -> Any:
    # Jobs of one second keep the order of their creation, which their place in the list has.
    by_update = params.get("SortBy") == "UpdateTime"
    places: dict[str, int] = {}

    def key(job: Job) -> tuple[int, int]:
        place = places.setdefault(job.id, len(places))
        return (job.updated_at if by_update else job.created_at), place

    return key


def _number(params: Params, name: str, default: int, most: int) -> int:
    value = params.get(name, default)
    if not isinstance(value, int) or not 1 <= value <= most:
        raise invalid(name, f"1 to {most}")
    return value
