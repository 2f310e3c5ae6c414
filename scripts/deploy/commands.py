"""``scripts/batchdrop deploy``, ``upgrade``, ``rollback``, ``destroy`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from typing import Any, TypeVar

import click
from oss2.exceptions import OssError

from scripts.deploy.control import CloudRefused
from scripts.deploy.deployment import Deployment, new_secrets
from scripts.deploy.note import Note, operators_link
from scripts.deploy.place import Place, given_parameters, pairs, place_for
from scripts.deploy.releases import Release, open_bucket, reason_of
from scripts.deploy.ros import Stack
from scripts.deploy.show import agrees, done, is_healthy, show_changes, tell_done, tell_event
from scripts.deploy.smoke import SmokeFailed
from scripts.operate.door.parameters import Door, command
from scripts.operate.door.reply import NOT_POSSIBLE
from scripts.operate.texts.said import Refusal, said

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _stack_options(function: _Command) -> _Command:
    region = click.option("--region", default="cn-beijing", show_default=True, help="Of the stack.")
    stack = click.option("--stack", default="batchdrop", show_default=True, metavar="NAME", help="Its name.")
    return region(stack(function))


_bucket = click.option("--bucket", required=True, metavar="NAME", help="The bucket to drop files into.")
_code_bucket = click.option(
    "--code-bucket",
    metavar="NAME",
    help="Where the functions' zips go; made if need be. [default: NAME-code]",
)
_parameters = click.option(
    "--parameter",
    "parameters",
    multiple=True,
    metavar="NAME=VALUE",
    help="A parameter of template.yaml, such as DefaultModel=qwen-plus; may be repeated.",
)
_patience = click.option(
    "--patience",
    type=float,
    # The test model's batches take a minute or two; Bailian promises no time.
    default=900.0,
    show_default=True,
    metavar="S",
    help="Seconds within which the smoke test must be answered.",
)
_yes = click.option("--yes", is_flag=True, help="Do not ask.")


@command("doctor", "Look for what would stop a deployment: rights and services, one by one.")
@_bucket
@_code_bucket
@_parameters
@_stack_options
def doctor(door: Door, region: str, stack: str, **given: Any) -> int | None:
    del stack
    place = place_for(door.env, door.data, region)
    parameters = given_parameters(place, **given)
    return _carried_out(lambda: None if is_healthy(door, place, parameters) else NOT_POSSIBLE)


@command("deploy", "Make everything on Alibaba Cloud, from nothing to the inbox.")
@_bucket
@_code_bucket
@_parameters
@_patience
@_stack_options
def deploy(door: Door, region: str, stack: str, patience: float, **given: Any) -> int | None:
    place = place_for(door.env, door.data, region)
    parameters = given_parameters(place, **given)
    deployment = _deployment(door, place, stack, patience)
    return _carried_out(lambda: _deploy(door, place, deployment, parameters))


def _deploy(door: Door, place: Place, deployment: Deployment, parameters: Mapping[str, str]) -> int | None:
    if not is_healthy(door, place, parameters):
        return NOT_POSSIBLE
    deployment.make_room()
    if deployment.keeps_bucket(parameters["BucketName"]):
        parameters = {**parameters, "KeptBucket": "true"}
    package = deployment.package()
    release = deployment.next_release(package, "", parameters)
    deployment.upload(package, release, parameters["CodeBucket"])
    note = Note(place, parameters["BucketName"])
    parameters = {**parameters, **note.with_known(new_secrets(package.template, parameters))}
    note.add(parameters, {})  # first: a stack does not tell its secrets, whatever comes in between
    made = deployment.create(package, {**parameters, "CodePrefix": release.prefix})
    if made.status != "CREATE_COMPLETE":
        raise Refusal("deploy_failed", reason=made.reason.rstrip(". "))
    door.reply.show(outputs=made.outputs, release=asdict(release))
    deployment.admit_page(made)
    told = note.add(parameters, made.outputs)
    try:
        seconds = deployment.smoke(made)
    except SmokeFailed as failed:
        raise Refusal("deploy_smoke_failed", reason=failed) from failed
    deployment.note_tested(made, release)
    link = operators_link(place, told)
    door.reply.show(link=link, environment=str(note.path))
    tell_done(door, made, said("deploy_done", **done(made, release, seconds)), link)
    door.reply.tell(said("deploy_written", path=note.path))
    return None


@command("upgrade", "Show what this version changes, change it, and go back if it does not answer.")
@_parameters
@_patience
@_yes
@_stack_options
def upgrade(
    door: Door, region: str, stack: str, patience: float, *, parameters: tuple[str, ...], yes: bool
) -> int | None:
    place = place_for(door.env, door.data, region)
    asked = pairs(parameters)
    deployment = _deployment(door, place, stack, patience)
    return _carried_out(lambda: _upgrade(door, place, deployment, asked, is_sure=yes))


def _upgrade(
    door: Door, place: Place, deployment: Deployment, asked: Mapping[str, str], *, is_sure: bool
) -> int | None:
    stack = deployment.updatable()
    package = deployment.package()
    former = deployment.release_of(stack)
    note = Note(place, stack.parameters["BucketName"])
    is_same = all(stack.parameters.get(name) == value for name, value in asked.items())
    if former and former.digest == package.digest and is_same:
        if not deployment.is_tested(stack, former):
            note.add({}, stack.outputs)
            door.reply.tell(said("upgrade_untested", stack=stack.name))
            return _looked_after(door, deployment, stack, former, deployment.earlier(stack, former))
        door.reply.tell(said("upgrade_nothing", stack=stack.name))
        return None
    given = {**place.given, **asked}
    release = deployment.next_release(package, former.prefix if former else "", {**stack.parameters, **given})
    own = note.with_known(new_secrets(package.template, {**stack.parameters, **given}))
    wanted = {**given, **own, "CodePrefix": release.prefix}
    versions = {"old": former.version if former else "?", "new": release.version}
    door.reply.tell(said("upgrade_from", **versions, prefix=release.prefix))
    show_changes(door, deployment.changes(stack, package, wanted), stack, release, asked)
    if not (is_sure or agrees(door)):
        return NOT_POSSIBLE
    note.add(own, {})
    deployment.upload(package, release, stack.parameters["CodeBucket"])
    now = deployment.update(stack, package.template, wanted)
    if now.status != "UPDATE_COMPLETE":
        raise Refusal("upgrade_failed", reason=now.reason)
    note.add(wanted, now.outputs)
    return _looked_after(door, deployment, now, release, former, hidden={*given} - {*release.parameters})


def _looked_after(
    door: Door,
    deployment: Deployment,
    now: Stack,
    release: Release,
    former: Release | None,
    *,
    hidden: Collection[str] = (),
) -> int | None:
    """Try the new version, and go back to the former one if it does not answer."""
    try:
        seconds = deployment.smoke(now)
    except SmokeFailed as failed:
        if former is None:
            raise Refusal("deploy_smoke_failed", reason=failed) from failed
        back = deployment.go_back(now, former)
        if back.status != "UPDATE_COMPLETE":
            raise Refusal("upgrade_stuck", reason=failed, why=back.reason) from failed
        kept = [said("upgrade_secrets", names=", ".join(sorted(hidden)))] if hidden else []
        raise Refusal("upgrade_taken_back", *kept, reason=failed, old=former.version) from failed
    deployment.note_tested(now, release)
    door.reply.show(outputs=now.outputs, release=asdict(release))
    tell_done(door, now, said("upgrade_done", **done(now, release, seconds)))
    return None


@command("rollback", "Go back to the release before this one.")
@_yes
@_stack_options
def rollback(door: Door, region: str, stack: str, *, yes: bool) -> int | None:
    deployment = _deployment(door, place_for(door.env, door.data, region), stack)
    return _carried_out(lambda: _rollback(door, deployment, stack, is_sure=yes))


def _rollback(door: Door, deployment: Deployment, name: str, *, is_sure: bool) -> int | None:
    stack = deployment.updatable()
    earlier = deployment.earlier(stack, deployment.release_of(stack))
    if earlier is None:
        raise Refusal("rollback_none", stack=name, prefix=stack.parameters["CodePrefix"])
    door.reply.tell(said("rollback_about", stack=name, version=earlier.version, prefix=earlier.prefix))
    if not (is_sure or agrees(door)):
        return NOT_POSSIBLE
    now = deployment.go_back(stack, earlier)
    if now.status != "UPDATE_COMPLETE":
        raise Refusal("upgrade_failed", reason=now.reason)
    door.reply.show(outputs=now.outputs, release=asdict(earlier))
    door.reply.tell(said("rollback_done", version=earlier.version, prefix=earlier.prefix))
    return None


@command("destroy", "Delete the stack; the bucket stays, unless it is named.")
@click.option("--erase-bucket", metavar="BUCKET", help="Delete this bucket, too, with all that is in it.")
@_yes
@_stack_options
def destroy(door: Door, region: str, stack: str, *, erase_bucket: str | None, yes: bool) -> int | None:
    place = place_for(door.env, door.data, region)
    deployment = _deployment(door, place, stack)
    return _carried_out(lambda: _destroy(door, place, deployment, stack, erase_bucket, is_sure=yes))


def _destroy(
    door: Door, place: Place, deployment: Deployment, name: str, erase: str | None, *, is_sure: bool
) -> int | None:
    stack = deployment.find()
    bucket = stack.parameters["BucketName"]
    if erase is not None and erase != bucket:
        raise Refusal("destroy_wrong_bucket", bucket=bucket, given=erase)
    door.reply.tell(said("destroy_about_bucket" if erase else "destroy_about", stack=name, bucket=bucket))
    if not (is_sure or agrees(door)):
        return NOT_POSSIBLE
    gone = deployment.delete(stack)
    if gone.status != "DELETE_COMPLETE":
        raise Refusal("destroy_failed", reason=gone.reason)
    if erase:
        deployment.erase(open_bucket(place, bucket))
        Note(place, bucket).forget()
    door.reply.tell(said("destroy_done_bucket" if erase else "destroy_done", stack=name, bucket=bucket))
    return None


def _deployment(door: Door, place: Place, stack: str, patience_s: float = 0.0) -> Deployment:
    return Deployment(place, stack, door.reply.tell, lambda event: tell_event(door, event), patience_s)


def _carried_out(operation: Callable[[], int | None]) -> int | None:
    try:
        return operation()
    except CloudRefused as refused:
        raise Refusal("deploy_refused", reason=refused) from refused
    except OssError as error:
        raise Refusal("deploy_oss", reason=reason_of(error)) from error
