"""The buckets of a deployment: zips that are put once, a page that is let in, all of it erased."""

from __future__ import annotations

import json
from datetime import datetime, timezone
from pathlib import Path

import oss2
import pytest

from scripts.bundle.zips import Built
from scripts.deploy.control import Control
from scripts.deploy.deployment import Deployment
from scripts.deploy.drop_bucket import DropBucket
from scripts.deploy.place import Place, pairs
from scripts.deploy.releases import CodeBucket, Package, release_of
from scripts.deploy.ros import Ros, Stack
from scripts.localcloud.options import REGION
from scripts.localcloud.ros.account import LocalAccount
from scripts.operate.texts.said import Refusal
from tests.support.local_account import batchdrop, bucket_of

BOARD = "board.json"
TEMPLATE = {
    "ROSTemplateFormatVersion": "2015-09-01",
    "Parameters": {"BucketName": {"Type": "String"}},
    "Resources": {
        "Bucket": {"Type": "ALIYUN::OSS::Bucket", "Properties": {"BucketName": {"Ref": "BucketName"}}}
    },
}


def bucket_with(account: LocalAccount, name: str, *keys: str) -> oss2.Bucket:
    bucket = bucket_of(account, name)
    bucket.create_bucket()
    for key in keys:
        bucket.put_object(key, b"{}")
    return bucket


def destroyed(account: LocalAccount, *arguments: str) -> tuple[int, str]:
    status, printed = batchdrop(account, "destroy", "--yes", *arguments)
    return status, printed[-1].get("error", {}).get("code", "")


def zipped(folder: Path, name: str, content: bytes) -> Built:
    path = folder / f"{name}.zip"
    path.write_bytes(content)
    return Built(name, path, (), len(content), len(content), None)


def test_a_zip_that_did_not_change_is_not_uploaded_again(
    place: Place, account: LocalAccount, tmp_path: Path
) -> None:
    code = CodeBucket(place, "code")
    code.make()
    told: list[str] = []
    previous = ""
    for number, (page, notify) in enumerate([(b"page", b"old"), (b"page", b"new"), (b"page", b"new")]):
        zips = (zipped(tmp_path, "page", page), zipped(tmp_path, "notify", notify))
        package = Package("Parameters: {}\n", zips, f"digest-{number}")
        release = release_of(package, "s", previous, {}, datetime.now(timezone.utc))
        code.upload(package, release, told.append)
        previous = release.prefix
        for each in zips:
            found = bucket_of(account, "code").get_object(f"{previous}{each.path.name}").read()
            assert found == each.path.read_bytes()

    assert ["unchanged" in line for line in told] == [False, False, True, False, True, True]


def test_a_release_that_a_later_version_noted_is_read(place: Place) -> None:
    code = CodeBucket(place, "code")
    code.make()
    release = release_of(Package("Parameters: {}\n", (), "d"), "s", "", {}, datetime.now(timezone.utc))
    noted = {**vars(release), "of_a_later_version": 1}
    code._bucket.put_object(f"{release.prefix}release.json", json.dumps(noted))

    assert code.find(release.prefix) == release


def test_only_the_page_as_it_is_now_may_upload_into_a_kept_bucket(
    place: Place, account: LocalAccount
) -> None:
    kept = bucket_with(account, "kept", BOARD)
    deployment = Deployment(place, "kept", print, print, 0.0)
    for url in ("https://one.example/", "https://two.example/page"):
        parameters = {"KeptBucket": "true", "BucketName": "kept"}
        deployment.admit_page(Stack("id", "kept", "CREATE_COMPLETE", "", parameters, {"PageUrl": url}))

    origins = [rule.allowed_origins for rule in kept.get_bucket_cors().rules]
    assert origins == [["https://two.example"]]


def test_a_bucket_is_erased_with_its_stack(place: Place, account: LocalAccount) -> None:
    ros = Ros(Control(place), REGION)
    stack_id = ros.create("erased", json.dumps(TEMPLATE), {"BucketName": "erased"})
    ros.followed(stack_id, print, set())
    bucket = bucket_of(account, "erased")
    bucket.put_object("results/a.csv", b"")
    bucket.init_multipart_upload("results/half.csv")

    assert destroyed(account, "--stack", "erased", "--erase-bucket", "other") == (1, "destroy_wrong_bucket")
    assert bucket.object_exists("results/a.csv")
    assert destroyed(account, "--stack", "erased", "--erase-bucket", "erased") == (0, "")
    assert "erased" not in account.oss.storage.buckets()


def test_the_bucket_of_a_stack_that_could_not_be_deleted_is_not_to_go(
    place: Place, account: LocalAccount
) -> None:
    ros = Ros(Control(place), REGION)
    template = {**TEMPLATE, "Parameters": {key: {"Type": "String"} for key in ("BucketName", "KeptBucket")}}
    given = {"BucketName": "held", "KeptBucket": "true"}  # a stack that has a bucket all the same
    ros.followed(ros.create("held", json.dumps(template), given), print, set())
    bucket_of(account, "held").put_object("results/a.csv", b"")  # it cannot be deleted with the stack

    assert destroyed(account, "--stack", "held", "--erase-bucket", "held") == (1, "destroy_failed")
    assert destroyed(account, "--stack", "mistyped", "--erase-bucket", "held") == (1, "destroy_not_begun")


@pytest.mark.parametrize("left", [["being-erased", BOARD, "jobs/a", "results/a.csv"], ["being-erased"]])
def test_an_erasure_that_was_interrupted_goes_on(account: LocalAccount, left: list[str]) -> None:
    bucket_with(account, "rest", *left)

    assert destroyed(account, "--erase-bucket", "rest") == (0, "")
    assert "rest" not in account.oss.storage.buckets()


@pytest.mark.parametrize("keys", [[BOARD, "results/a.csv"], ["holiday.jpg"]])
def test_no_bucket_is_erased_under_the_name_of_another_stack(account: LocalAccount, keys: list[str]) -> None:
    """A living deployment's, or none of a deployment."""
    other = bucket_with(account, "living", *keys)

    assert destroyed(account, "--erase-bucket", "living") == (1, "destroy_not_begun")
    assert destroyed(account, "--erase-bucket", "no-such") == (1, "destroy_not_begun")
    assert all(other.object_exists(key) for key in keys)
    other.batch_delete_objects(keys)


def test_what_is_deployed_again_is_not_to_go_any_more(account: LocalAccount, place: Place) -> None:
    bucket_with(account, "again", BOARD, "being-erased")

    DropBucket(place, "again").keep()

    assert destroyed(account, "--erase-bucket", "again") == (1, "destroy_not_begun")


def test_a_parameter_that_a_file_holds(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    file.write_text("-----BEGIN\na=b\n-----END\n")
    assert pairs((f"Key=@{file}", "Word=a=b")) == {"Key": "-----BEGIN\na=b\n-----END", "Word": "a=b"}

    file.write_bytes(b"\xff")
    with pytest.raises(Refusal) as refusal:
        pairs((f"Key=@{file}",))
    assert refusal.value.code == "deploy_no_text"
