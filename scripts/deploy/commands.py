"""What ``scripts/batchdrop deploy``, ``upgrade``, ``rollback``, ``destroy`` and ``doctor`` do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import wraps
from typing import Concatenate, ParamSpec

from oss2.exceptions import OssError

from scripts.deploy.control import CloudRefused
from scripts.deploy.deployment import Deployment, new_secrets
from scripts.deploy.drop_bucket import DropBucket
from scripts.deploy.note import Note, operators_link
from scripts.deploy.place import Place, given_parameters, pairs
from scripts.deploy.releases import Release, reason_of
from scripts.deploy.ros import Stack
from scripts.deploy.show import agrees, done, is_healthy, tell_done, tell_event
from scripts.deploy.smoke import SmokeFailed
from scripts.deploy.upgrade import Upgrade
from scripts.operate.door.parameters import Door
from scripts.operate.door.reply import NOT_POSSIBLE
from scripts.operate.texts.said import Refusal, said

_Given = ParamSpec("_Given")


def _carried_out(
    function: Callable[Concatenate[Door, _Given], int | None],
) -> Callable[Concatenate[Door, _Given], int | None]:
    """With what services answer as a ``Refusal``."""

    @wraps(function)
    def called(door: Door, /, *positional: _Given.args, **named: _Given.kwargs) -> int | None:
        try:
            return function(door, *positional, **named)
        except CloudRefused as refused:
            raise Refusal("deploy_refused", reason=refused) from refused
        except OssError as error:
            raise Refusal("deploy_oss", reason=reason_of(error)) from error

    return called


@_carried_out
def doctor(
    door: Door, place: Place, *, bucket: str, code_bucket: str | None, parameters: tuple[str, ...]
) -> int | None:
    given = given_parameters(place, bucket, code_bucket, parameters)
    return None if is_healthy(door, place, given) else NOT_POSSIBLE


@_carried_out
def deploy(
    door: Door,
    place: Place,
    *,
    stack: str,
    bucket: str,
    code_bucket: str | None,
    parameters: tuple[str, ...],
    patience: float,
) -> int | None:
    given = given_parameters(place, bucket, code_bucket, parameters)
    if not is_healthy(door, place, given):
        return NOT_POSSIBLE
    _deploy(door, place, _deployment(door, place, stack, patience), given)
    return None


def _deploy(door: Door, place: Place, deployment: Deployment, given: Mapping[str, str]) -> None:
    deployment.make_room()
    bucket = DropBucket(place, given["BucketName"])
    if bucket.is_kept():
        bucket.keep()
        given = {**given, "KeptBucket": "true"}
    package = deployment.package()
    release = deployment.next_release(package, "", given)
    deployment.upload(package, release, given["CodeBucket"])
    note = Note(place, given["BucketName"])
    given = {**given, **note.with_known(new_secrets(package.template, given))}
    note.add(given, {})  # first: a stack does not tell its secrets, whatever comes in between
    made = deployment.create(package, {**given, "CodePrefix": release.prefix})
    if made.status != "CREATE_COMPLETE":
        raise Refusal("deploy_failed", reason=made.reason)
    door.reply.show(outputs=made.outputs, release=asdict(release))
    deployment.admit_page(made)
    told = note.add(given, made.outputs)
    seconds = _smoked(deployment, made, release)
    # It opens everything for a month: nothing for the log of a program.
    link = operators_link(place, told) if door.reply.is_watched else None
    door.reply.show(environment=str(note.path))
    tell_done(door, made, said("deploy_done", **done(made, release, seconds)), link)
    door.reply.tell(said("deploy_written", path=note.path))


def _smoked(deployment: Deployment, stack: Stack, release: Release) -> float | None:
    """The seconds until the release answered. Raises ``Refusal`` if it does not."""
    try:
        return deployment.smoke(stack, release)
    except SmokeFailed as failed:
        raise Refusal("deploy_smoke_failed", version=release.version, reason=failed) from failed


@_carried_out
def upgrade(
    door: Door, place: Place, *, stack: str, parameters: tuple[str, ...], patience: float, yes: bool
) -> int | None:
    asked = pairs(parameters)
    return Upgrade(door, place, _deployment(door, place, stack, patience))(asked, is_sure=yes)


@_carried_out
def rollback(door: Door, place: Place, *, stack: str, patience: float, yes: bool) -> int | None:
    deployment = _deployment(door, place, stack, patience)
    found = deployment.updatable()
    earlier = deployment.earlier(found, deployment.release_of(found))
    if earlier is None:
        raise Refusal("rollback_none", stack=stack, prefix=found.parameters["CodePrefix"])
    door.reply.tell(said("rollback_about", stack=stack, version=earlier.version, prefix=earlier.prefix))
    if not (yes or agrees(door)):
        return NOT_POSSIBLE
    now = deployment.go_back(found, earlier)
    if now.status != "UPDATE_COMPLETE":
        raise Refusal("upgrade_failed", reason=now.reason)
    door.reply.show(outputs=now.outputs, release=asdict(earlier))
    seconds = _smoked(deployment, now, earlier)
    door.reply.tell(said("rollback_done", prefix=earlier.prefix, **done(now, earlier, seconds)))
    return None


@_carried_out
def destroy(door: Door, place: Place, *, stack: str, erase_bucket: str | None, yes: bool) -> int | None:
    deployment = _deployment(door, place, stack)
    found = deployment.find_if_any() if erase_bucket else deployment.find()
    bucket = found.parameters["BucketName"] if found else str(erase_bucket)
    if erase_bucket not in (None, bucket):
        raise Refusal("destroy_wrong_bucket", bucket=bucket, given=erase_bucket)
    erased = DropBucket(place, bucket) if erase_bucket else None
    if erased:
        # It may be that of another stack, which is alive.
        if not found and not erased.is_to_go():
            raise Refusal("destroy_not_begun", stack=stack, region=place.region, bucket=bucket)
        erased.check_erasable()
    about = "destroy_about" if not erased else "destroy_about_bucket" if found else "destroy_about_rest"
    door.reply.tell(said(about, stack=stack, bucket=bucket))
    if not (yes or agrees(door)):
        return NOT_POSSIBLE
    if erased:
        erased.give_up()
    if found:
        _delete(deployment, found, erased)
    if erased:
        erased.erase()
        Note(place, bucket).forget()
    door.reply.tell(said("destroy_done_bucket" if erased else "destroy_done", stack=stack, bucket=bucket))
    return None


def _delete(deployment: Deployment, found: Stack, erased: DropBucket | None) -> None:
    gone = deployment.delete(found)
    if gone.status != "DELETE_COMPLETE":
        if erased:
            erased.keep()
        raise Refusal("destroy_failed", reason=gone.reason)


def _deployment(door: Door, place: Place, stack: str, patience_s: float = 0.0) -> Deployment:
    return Deployment(place, stack, door.reply.tell, lambda event: tell_event(door, event), patience_s)
