"""``DescribeBatchTasks`` and ``DescribeTrainingTasks``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from pydantic import Field

from scripts.localcloud.actions.forms import Params
from scripts.localcloud.tione.api.families import Names, Parameters
from scripts.localcloud.tione.api.refusals import invalid
from scripts.localcloud.tione.api.service import TioneService, read, shown_in_lists
from scripts.localcloud.tione.tasks.task import Task


class _Filter(Parameters):
    name: str
    values: tuple[str, ...]
    negative: bool = False
    fuzzy: bool = False


class _TagFilter(Parameters):
    tag_key: str
    tag_values: tuple[str, ...] = ()


class _Listing(Parameters):
    filters: tuple[_Filter, ...] = ()
    tag_filters: tuple[_TagFilter, ...] = ()
    offset: int = Field(default=0, ge=0)
    limit: int = Field(default=20, ge=1, le=100)
    order: Literal["ASC", "DESC"] = "DESC"
    order_field: Literal["CreateTime", "UpdateTime"] = "CreateTime"


def list_tasks(service: TioneService, names: Names, params: Params) -> dict[str, Any]:
    """One page.

    Raises:
        Refusal: A filter or a number is none that can be asked for.
    """
    asked = read(_Listing, params)
    found = list(_matching(service, names, asked))
    if asked.order == "DESC":
        found.reverse()
    page = found[asked.offset : asked.offset + asked.limit]
    return {names.listed(): [shown_in_lists(names, task) for task in page], "TotalCount": len(found)}


def _matching(service: TioneService, names: Names, asked: _Listing) -> Iterator[Task]:
    """Oldest first, those of one second too."""
    for task in service.store.jobs(family=names.family):
        is_unlisted = service.count("list", task) <= service.store.fault_of(task.id).unlisted_lists
        fits = all(_fits(names, task, each) for each in asked.filters)
        if not task.is_deleted and not is_unlisted and fits and _has_tags(task, asked.tag_filters):
            yield task


def _fits(names: Names, task: Task, wanted: _Filter) -> bool:
    values = {
        names.id: task.id,
        names.name: task.name,
        "Status": names.phases.get(task.phase, task.phase),
        "ModelVersionId": "",
    }
    if wanted.name not in values:
        raise invalid("Filters.Name", f"one of {', '.join(values)}")
    value = values[wanted.name]
    is_met = any(each in value if wanted.fuzzy else each == value for each in wanted.values)
    return is_met != wanted.negative


def _has_tags(task: Task, wanted: tuple[_TagFilter, ...]) -> bool:
    tags = {tag.get("TagKey"): tag.get("TagValue", "") for tag in task.tags}
    return all(
        each.tag_key in tags and (not each.tag_values or tags[each.tag_key] in each.tag_values)
        for each in wanted
    )
