"""From one release of a stack to the next, and back if that does not answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass

from scripts.deploy.deployment import Deployment, new_secrets
from scripts.deploy.note import Note
from scripts.deploy.place import Place
from scripts.deploy.releases import Package, Release
from scripts.deploy.ros import Stack
from scripts.deploy.show import agrees, done, show_changes, tell_done
from scripts.deploy.smoke import SmokeFailed
from scripts.operate.door.parameters import Door
from scripts.operate.door.reply import NOT_POSSIBLE
from scripts.operate.texts.said import Refusal, said


@dataclass(frozen=True)
class Upgrade:
    """Of one stack to this checkout."""

    door: Door
    place: Place
    deployment: Deployment

    def __call__(self, asked: Mapping[str, str], *, is_sure: bool) -> int | None:
        """The exit status; with these parameters, others stay as they are."""
        deployment = self.deployment
        stack = deployment.updatable()
        package = deployment.package()
        former = deployment.release_of(stack)
        is_same = all(stack.parameters.get(name) == value for name, value in asked.items())
        if former is None or former.digest != package.digest or not is_same:
            return self._change(stack, package, former, asked, is_sure=is_sure)
        if not deployment.is_tested(stack, former):
            self._note(stack).add({}, stack.outputs)
            self.door.reply.tell(said("upgrade_untested", stack=stack.name))
            self._look_after(stack, former, deployment.earlier(stack, former))
            return None
        self.door.reply.tell(said("upgrade_nothing", stack=stack.name))
        return None

    def _change(
        self,
        stack: Stack,
        package: Package,
        former: Release | None,
        asked: Mapping[str, str],
        *,
        is_sure: bool,
    ) -> int | None:
        deployment, note = self.deployment, self._note(stack)
        given = {**self.place.given, **asked}
        deployment.check_reading({**stack.parameters, **given})
        release = deployment.next_release(
            package, former.prefix if former else "", {**stack.parameters, **given}
        )
        own = note.with_known(new_secrets(package.template, {**stack.parameters, **given}))
        wanted = {**given, **own, "CodePrefix": release.prefix}
        self._tell_about(stack, former, release)
        show_changes(self.door, deployment.changes(stack, package, wanted), stack, release, asked)
        if not (is_sure or agrees(self.door)):
            return NOT_POSSIBLE
        note.add(own, {})
        deployment.upload(package, release, stack.parameters["CodeBucket"])
        now = deployment.update(stack, package.template, wanted)
        if now.status != "UPDATE_COMPLETE":
            raise Refusal("upgrade_failed", reason=now.reason)
        note.add(wanted, now.outputs)
        self._look_after(now, release, former, hidden={*given} - {*release.parameters})
        return None

    def _tell_about(self, stack: Stack, former: Release | None, release: Release) -> None:
        tell = self.door.reply.tell
        old = former.version if former else "?"
        tell(said("upgrade_from", old=old, new=release.version, prefix=release.prefix))
        if former is None:
            tell(said("upgrade_without_way_back", prefix=stack.parameters["CodePrefix"]))

    def _look_after(
        self, now: Stack, release: Release, former: Release | None, *, hidden: Collection[str] = ()
    ) -> None:
        """Try the new version, and go back to the former one if it does not answer.

        ``hidden`` are the secrets that came with it, which stay.
        """
        self.deployment.admit_page(now)
        try:
            seconds = self.deployment.smoke(now, release)
        except SmokeFailed as failed:
            if former is None:
                raise Refusal("deploy_smoke_failed", version=release.version, reason=failed) from failed
            back = self.deployment.go_back(now, former)
            if back.status != "UPDATE_COMPLETE":
                raise Refusal("upgrade_stuck", reason=failed, why=back.reason) from failed
            kept = [said("upgrade_secrets", names=", ".join(sorted(hidden)))] if hidden else []
            raise Refusal("upgrade_taken_back", *kept, reason=failed, old=former.version) from failed
        self.door.reply.show(outputs=now.outputs, release=asdict(release))
        tell_done(self.door, now, said("upgrade_done", **done(now, release, seconds)))

    def _note(self, stack: Stack) -> Note:
        return Note(self.place, stack.parameters["BucketName"])
