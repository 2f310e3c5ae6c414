"""What people and programs are shown of a deployment: findings, steps, changes, the end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict

from scripts.bundle.zips import ROOT
from scripts.deploy.control import Control
from scripts.deploy.deployment import new_secrets
from scripts.deploy.health.doctor import Doctor
from scripts.deploy.place import Place
from scripts.deploy.releases import Release
from scripts.deploy.ros import Change, Event, Stack
from scripts.operate.door.parameters import Door
from scripts.operate.texts.said import said
from scripts.operate.texts.text import Text
from scripts.template.idle_cost import idle_cost


def is_healthy(door: Door, place: Place, parameters: Mapping[str, str]) -> bool:
    """Look at everything and say what is missing."""
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    stops = 0
    findings = []
    # Secrets that a deployment makes; a template is not read without.
    whole = {**new_secrets(template, parameters), **parameters}
    for finding in Doctor(place, Control(place), template, whole).findings():
        findings.append({**asdict(finding), "stops": finding.stops})
        stops += finding.stops
        mark = (
            "通过 ok     "
            if finding.problem is None
            else "缺少 missing"
            if finding.is_fatal
            else "注意 note   "
        )
        door.reply.tell(f"{mark}  {finding.name}")
        if finding.problem:
            door.reply.tell(f"         {finding.problem.zh} {finding.problem.en}")
            door.reply.tell(f"         → {finding.fix}")
    door.reply.show(findings=findings)
    door.reply.tell(said("doctor_found", count=stops) if stops else said("doctor_fine"))
    return not stops


def tell_event(door: Door, event: Event) -> None:
    door.reply.event(event="step", **asdict(event))
    if event.has_failed or event.status.endswith("_COMPLETE"):
        door.reply.tell(
            f"  {event.status:<18} {event.logical_id}  {event.reason if event.has_failed else ''}".rstrip()
        )


def show_changes(
    door: Door, changes: Sequence[Change], stack: Stack, release: Release, asked: Iterable[str]
) -> None:
    """What an update to the release would do, and which parameters it was asked to change."""
    for name in asked:
        now = release.parameters.get(name, "******")
        door.reply.tell(f"  {name}: {stack.parameters.get(name, '–')} → {now}")
    for change in changes:
        replaced = "  (replaced)" if change.replaces else ""
        door.reply.tell(f"  {change.action:<7} {change.logical_id}  {change.kind}{replaced}")
    door.reply.show(changes=[asdict(change) for change in changes])


def done(stack: Stack, release: Release, seconds: float | None) -> dict[str, object]:
    smoke = (
        Text("没有试运行", "no smoke test")
        if seconds is None
        else Text(f"试运行 {seconds:.0f} 秒", f"smoke test {seconds:.0f} s")
    )
    return {"version": release.version, "smoke": smoke, "bucket": stack.parameters["BucketName"]}


def tell_done(door: Door, stack: Stack, ended: str, link: str | None = None) -> None:
    door.reply.tell(ended)
    low, high = idle_cost()
    door.reply.tell(said("deploy_idle", low=f"{low:.0f}", high=f"{high:.0f}"))
    if url := stack.outputs.get("PageUrl"):
        door.reply.tell(said("deploy_link", url=link) if link else said("deploy_page", url=url))
        if not stack.parameters.get("PageDomain"):
            door.reply.tell(said("deploy_page_without_domain"))


def agrees(door: Door) -> bool:
    """Ask; says that nothing was changed if the answer is not yes."""
    is_sure = door.reply.agrees()
    if not is_sure:
        door.reply.tell(said("deploy_not_sure" if is_sure is None else "deploy_left"))
    return bool(is_sure)
