"""One stack and its releases: made, changed, taken back and deleted."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, timezone

from scripts.bundle.imports import BuildError
from scripts.deploy.control import Control
from scripts.deploy.drop_bucket import DropBucket
from scripts.deploy.health.reading import reading_findings
from scripts.deploy.place import Place
from scripts.deploy.releases import CodeBucket, Package, Release, built, release_of
from scripts.deploy.ros import FAILED_CREATES, UPDATABLE, Change, Event, Ros, Stack
from scripts.deploy.smoke import smoke_test
from scripts.operate.texts.said import Refusal, said

# Signs callbacks and links; made here, known to nobody else.
_OWN_SECRETS = ("CallbackSecret", "PageSecret")
Tell = Callable[[str], object]
TellEvent = Callable[[Event], object]


class Deployment:
    """The stack of one name at one place.

    Every method raises ``CloudRefused`` where a service refuses.

    Args:
        tell: What goes on, in sentences.
        tell_event: Each step that ROS takes.
        patience_s: How long a smoke test may take.
    """

    def __init__(self, place: Place, name: str, tell: Tell, tell_event: TellEvent, patience_s: float) -> None:
        self._patience_s = patience_s
        self._place = place
        self._name = name
        self._tell = tell
        self._tell_event = tell_event
        self._ros = Ros(Control(place), place.region)

    def find_if_any(self) -> Stack | None:
        """The stack as it is."""
        return self._ros.find(self._name)

    def find(self) -> Stack:
        """The stack as it is. Raises ``Refusal`` if there is none."""
        stack = self.find_if_any()
        if stack is None:
            raise Refusal("deploy_no_stack", stack=self._name, region=self._place.region)
        return stack

    def updatable(self) -> Stack:
        """The stack, if it can be changed now."""
        stack = self.find()
        if stack.status not in UPDATABLE:
            raise Refusal("deploy_busy", stack=self._name, status=stack.status, reason=stack.reason)
        return stack

    def package(self) -> Package:
        """The zips of this checkout. Raises ``Refusal`` if one cannot be built."""
        self._tell(said("deploy_building"))
        try:
            return built(self._tell)
        except BuildError as error:
            raise Refusal("deploy_build", reason=error) from error

    def make_room(self) -> None:
        """See to it that no stack has the name; one whose creation failed is removed."""
        stack = self._ros.find(self._name)
        if stack is None:
            return
        if stack.status not in FAILED_CREATES:
            raise Refusal("deploy_exists", stack=self._name, status=stack.status)
        self._tell(said("deploy_cleaning", stack=self._name))
        gone = self.delete(stack)
        if gone.status != "DELETE_COMPLETE":
            raise Refusal("destroy_failed", reason=gone.reason)

    def admit_page(self, stack: Stack) -> None:
        """Let the page upload into a bucket that was kept; into others the template lets it."""
        if stack.parameters.get("KeptBucket") == "true" and (url := stack.outputs.get("PageUrl")):
            DropBucket(self._place, stack.parameters["BucketName"]).admit(url)

    def check_reading(self, parameters: Mapping[str, str]) -> None:
        """Raise ``Refusal`` if Bailian is to read the bucket and may not: all jobs would wait.

        A stack gives the tag to its own bucket, but not to one that was kept.
        """
        if parameters.get("InputFrom") != "oss":
            return
        kept = parameters["BucketName"] if parameters.get("KeptBucket") == "true" else None
        for finding in reading_findings(self._place, Control(self._place), kept):
            if finding.problem and finding.is_fatal:
                raise Refusal(finding.problem.code, f"→ {finding.fix}")

    def next_release(self, package: Package, previous: str, parameters: Mapping[str, str]) -> Release:
        return release_of(package, self._name, previous, parameters, datetime.now(timezone.utc))

    def upload(self, package: Package, release: Release, bucket: str) -> None:
        """Put the zips where Function Compute takes them from."""
        code = CodeBucket(self._place, bucket)
        code.make()
        self._tell(said("deploy_uploading", bucket=bucket, prefix=release.prefix))
        code.upload(package, release, self._tell)

    def create(self, package: Package, parameters: Mapping[str, str]) -> Stack:
        """Make the stack and wait for its end."""
        self._tell(said("deploy_creating", stack=self._name))
        stack_id = self._ros.create(self._name, package.template, parameters)
        return self._ros.followed(stack_id, self._tell_event, set())

    def changes(self, stack: Stack, package: Package, parameters: Mapping[str, str]) -> list[Change]:
        return self._ros.preview(stack.stack_id, package.template, parameters)

    def update(self, stack: Stack, template: str, parameters: Mapping[str, str]) -> Stack:
        """Change the stack and wait for its end."""
        self._tell(said("deploy_updating", stack=self._name))
        told = self._ros.told_events(stack.stack_id)
        self._ros.update(stack.stack_id, template, parameters)
        return self._ros.followed(stack.stack_id, self._tell_event, told)

    def go_back(self, stack: Stack, release: Release) -> Stack:
        """Change the stack to an earlier release, with its own template and parameters.

        Secrets stay as they are: nobody but the stack knows what they were.
        """
        template = CodeBucket(self._place, stack.parameters["CodeBucket"]).template_of(release)
        back = self.update(stack, template, {**release.parameters, "CodePrefix": release.prefix})
        self.admit_page(back)
        return back

    def delete(self, stack: Stack) -> Stack:
        """Delete the stack, but not its bucket, and wait for the end."""
        self._tell(said("deploy_deleting", stack=self._name))
        told = self._ros.told_events(stack.stack_id)
        # A release's template may be older than its ``DeletionPolicy``.
        is_own = stack.parameters.get("KeptBucket") != "true"
        self._ros.delete(stack.stack_id, retained=["Bucket"] if is_own else [])
        return self._ros.followed(stack.stack_id, self._tell_event, told)

    def release_of(self, stack: Stack) -> Release | None:
        """What the stack runs, if this program uploaded it."""
        parameters = stack.parameters
        return CodeBucket(self._place, parameters["CodeBucket"]).find(parameters["CodePrefix"])

    def is_tested(self, stack: Stack, release: Release) -> bool:
        """Whether it has answered once; an interrupted upgrade leaves one that has not."""
        return CodeBucket(self._place, stack.parameters["CodeBucket"]).is_tested(release)

    def earlier(self, stack: Stack, release: Release | None) -> Release | None:
        """The release before this one, if it is still in the code bucket."""
        if release is None or not release.previous:
            return None
        return CodeBucket(self._place, stack.parameters["CodeBucket"]).find(release.previous)

    def smoke(self, stack: Stack, release: Release) -> float | None:
        """Have a row answered, and write down that it was.

        Returns:
            After how many seconds; None if no row is free.

        Raises:
            SmokeFailed: It was not.
        """
        seconds = self._smoke(stack)
        CodeBucket(self._place, stack.parameters["CodeBucket"]).note_tested(release)
        return seconds

    def _smoke(self, stack: Stack) -> float | None:
        if stack.parameters.get("DefaultProvider") != "bailian":
            self._tell(said("deploy_smoke_left_out"))
            return None
        self._tell(said("deploy_smoke"))
        now = datetime.now(timezone.utc)
        return smoke_test(self._place, stack.parameters["BucketName"], now, self._patience_s)


def new_secrets(template: str, has: Mapping[str, str]) -> dict[str, str]:
    """Values for secrets of this template that nobody has given yet."""
    names = (name for name in _OWN_SECRETS if f"\n  {name}:\n" in template and not has.get(name))
    return {name: secrets.token_hex(32) for name in names}
