"""``ListBatchInferenceJobs`` (https://www.volcengine.com/docs/82379/1339606)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Annotated, Any, Literal

from pydantic import Field

from scripts.localcloud.actions.forms import Params
from scripts.localcloud.ark.api.parameters import Parameters, read_parameters
from scripts.localcloud.ark.api.service import ArkService
from scripts.localcloud.ark.jobs.job import Job

# Initializing is answered, but cannot be asked for.
_Phase = Literal["Queued", "Running", "Terminating", "Completed", "Failed", "Terminated"]


class _Model(Parameters):
    name: str = ""


class _Filter(Parameters):
    name: str | None = None
    ids: tuple[str, ...] | None = None
    phases: tuple[_Phase, ...] | None = None
    custom_model_ids: tuple[str, ...] | None = None
    foundation_models: tuple[_Model, ...] | None = None


class _TagFilter(Parameters):
    key: str
    values: tuple[str, ...] | None = None


class _Listing(Parameters):
    project_name: str = "default"
    filter: _Filter | None = None
    tag_filters: tuple[_TagFilter, ...] | None = None
    page_number: Annotated[int, Field(ge=1, le=1_000_000)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 10
    sort_by: str = "CreateTime"
    sort_order: str = "Desc"


def list_jobs(service: ArkService, params: Params) -> dict[str, Any]:
    """One page.

    Raises:
        Refusal: A filter or a number is none that can be asked for.
    """
    asked = read_parameters(_Listing, params)
    found = sorted(_matching(service, asked), key=_order(asked), reverse=asked.sort_order != "Asc")
    page = found[(asked.page_number - 1) * asked.page_size : asked.page_number * asked.page_size]
    return {
        "TotalCount": len(found),
        "PageNumber": asked.page_number,
        "PageSize": asked.page_size,
        "Items": [job.shown(is_alone=False) for job in page],
    }


def _matching(service: ArkService, asked: _Listing) -> Iterator[Job]:
    wanted = asked.filter or _Filter()
    for each in service.store.jobs(project=asked.project_name):
        job = service.in_time(each)
        is_unlisted = service.count("list", job) <= service.store.fault_of(job.id).unlisted_lists
        if not job.is_deleted and not is_unlisted and _fits(job, wanted, asked.tag_filters or ()):
            yield job


def _fits(job: Job, wanted: _Filter, tags: Collection[_TagFilter]) -> bool:
    reference = job.model_reference
    foundation = reference.get("FoundationModel") or {}
    return (
        # Fuzzy: any job whose name holds this text.
        (wanted.name or "") in job.name
        and _is_among(job.id, wanted.ids)
        and _is_among(job.phase, wanted.phases)
        and _is_among(reference.get("CustomModelId"), wanted.custom_model_ids)
        and _is_among(foundation.get("Name"), [each.name for each in wanted.foundation_models or ()])
        and all(_has_tag(job, tag) for tag in tags)
    )


def _is_among(value: object, wanted: Collection[object] | None) -> bool:
    return not wanted or value in wanted


def _has_tag(job: Job, wanted: _TagFilter) -> bool:
    return any(tag.key == wanted.key and _is_among(tag.value, wanted.values) for tag in job.tags)


def _order(asked: _Listing) -> Any:
    # Jobs of one second keep the order of their creation, which their place in the list has.
    by_update = asked.sort_by == "UpdateTime"
    places: dict[str, int] = {}

    def key(job: Job) -> tuple[int, int]:
        place = places.setdefault(job.id, len(places))
        return (job.updated_at if by_update else job.created_at), place

    return key
