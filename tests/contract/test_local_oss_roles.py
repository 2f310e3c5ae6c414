"""The local OSS asks the caller's role before each operation: two roles, one bucket, oss2."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import oss2
import pytest
import requests

from scripts.localcloud.access.access_keys import AccessKeys
from scripts.localcloud.access.ram import parse_statement
from scripts.localcloud.oss.local_oss import LocalOss
from shared.stores.oss.store import OssStore
from tests.support.waiting import PATIENCE_S

REGION = "cn-beijing"
PART = bytes(100 * 1024)
# Reads and lists in/; keeps nothing.
READER: list[dict[str, Any]] = [
    {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:drop/in/*"]},
    {
        "Effect": "Allow",
        "Action": ["oss:ListObjects"],
        "Resource": ["acs:oss:*:*:drop"],
        "Condition": {"StringLike": {"oss:Prefix": ["in/*"]}},
    },
]
# Writes and deletes in out/, may copy in/ there, but may not list anything.
WRITER: list[dict[str, Any]] = [
    {
        "Effect": "Allow",
        "Action": ["oss:PutObject", "oss:DeleteObject", "oss:AbortMultipartUpload", "oss:ListParts"],
        "Resource": ["acs:oss:*:*:drop/out/*"],
    },
    {"Effect": "Allow", "Action": ["oss:GetObject"], "Resource": ["acs:oss:*:*:drop/in/*"]},
]


class Buckets:
    """The same bucket in three people's hands."""

    def __init__(self, oss: LocalOss, keys: AccessKeys) -> None:
        self.oss = oss
        self.keys = keys
        self.owner = self._bucket(oss2.AuthV4("owner", "secret"))
        self.reader = self.issued("Reader", READER)
        self.writer = self.issued("Writer", WRITER)

    def issued(self, name: str, documents: list[dict[str, Any]]) -> oss2.Bucket:
        key = self.keys.issue(name, map(parse_statement, documents))
        return self._bucket(
            oss2.StsAuth(key.access_key_id, key.secret, key.security_token, auth_version="v4")
        )

    def _bucket(self, auth: object) -> oss2.Bucket:
        return oss2.Bucket(auth, self.oss.url, "drop", region=REGION, enable_crc=False)


@pytest.fixture
def at(tmp_path: Path) -> Iterator[Buckets]:
    keys = AccessKeys({"owner": "secret"}, REGION)
    with LocalOss(
        tmp_path,
        keys.secrets,
        REGION,
        lambda _: None,
        security_tokens=keys.security_tokens,
        authorize=keys.authorize,
    ) as oss:
        oss.storage.create_bucket("drop")
        oss.storage.create_bucket("other")
        buckets = Buckets(oss, keys)
        for key in ("in/a", "in/b", "out/a", "secret/a"):
            buckets.owner.put_object(key, PART)
        yield buckets


def assert_refused(call: Callable[[], object], action: str) -> None:
    with pytest.raises(oss2.exceptions.ServerError) as refused:
        call()

    error = refused.value
    assert (error.status, error.code, error.ec) == (403, "AccessDenied", "0003-00000001")
    assert action in error.message


def test_a_role_may_do_what_it_says(at: Buckets) -> None:
    at.writer.put_object("out/b", b"1")
    at.writer.append_object("out/log", 0, b"1")
    at.writer.copy_object("drop", "in/a", "out/copy")
    at.writer.delete_object("out/b")
    at.writer.batch_delete_objects(["out/log", "out/copy"])

    assert at.reader.get_object("in/a").read() == PART
    assert at.reader.head_object("in/a").content_length == len(PART)
    assert at.reader.get_object_meta("in/a").content_length == len(PART)
    assert [each.key for each in oss2.ObjectIterator(at.reader, "in/")] == ["in/a", "in/b"]
    assert [each.key for each in oss2.ObjectIteratorV2(at.reader, "in/b")] == ["in/b"]
    assert [each.key for each in oss2.ObjectIterator(at.owner, "out/")] == ["out/a"]


def test_a_role_that_may_see_the_folders_sees_nothing_that_lies_in_them(at: Buckets) -> None:
    top = {"StringEquals": {"oss:Prefix": [""], "oss:Delimiter": ["/"]}}
    looker = at.issued("Looker", [{**READER[1], "Condition": top}])

    assert OssStore(looker).folders() == {"in/", "out/", "secret/"}
    for others in ({}, {"prefix": "in/", "delimiter": "/"}, {"delimiter": "//"}):
        assert_refused(partial(looker.list_objects_v2, **others), "oss:ListObjects")
    assert_refused(partial(at.reader.list_objects_v2, delimiter="/"), "oss:ListObjects")


def test_who_may_not_ask_for_versioning_hears_nothing_of_it(at: Buckets) -> None:
    assert_refused(at.reader.get_bucket_versioning, "oss:GetBucketVersioning")

    assert [OssStore(each).is_versioned() for each in (at.reader, at.owner)] == [False, False]


def test_an_upload_in_parts_takes_only_the_permission_to_write_its_object(at: Buckets) -> None:
    upload = at.writer.init_multipart_upload("out/multi").upload_id
    parts = [
        oss2.models.PartInfo(1, at.writer.upload_part("out/multi", upload, 1, PART).etag),
        oss2.models.PartInfo(
            2, at.writer.upload_part_copy("drop", "in/a", (0, 9), "out/multi", upload, 2).etag
        ),
    ]
    listed = at.writer.list_parts("out/multi", upload).parts
    at.writer.complete_multipart_upload("out/multi", upload, parts)
    abandoned = at.writer.init_multipart_upload("out/multi").upload_id
    at.writer.abort_multipart_upload("out/multi", abandoned)

    assert [part.part_number for part in listed] == [1, 2]
    assert at.owner.head_object("out/multi").content_length == len(PART) + 10
    assert not at.owner.list_multipart_uploads().upload_list


@pytest.mark.parametrize(
    ("action", "call"),
    [
        ("oss:GetObject", lambda bucket: bucket.get_object("secret/a")),
        ("oss:GetObject", lambda bucket: bucket.get_object("out/a")),
        ("oss:PutObject", lambda bucket: bucket.put_object("in/a", b"")),
        ("oss:PutObject", lambda bucket: bucket.append_object("in/new", 0, b"")),
        ("oss:PutObject", lambda bucket: bucket.copy_object("drop", "in/a", "in/c")),
        ("oss:PutObject", lambda bucket: bucket.init_multipart_upload("in/c")),
        ("oss:DeleteObject", lambda bucket: bucket.delete_object("in/a")),
        ("oss:DeleteObject", lambda bucket: bucket.batch_delete_objects(["in/a"])),
        ("oss:ListObjects", lambda bucket: bucket.list_objects()),
        ("oss:ListObjects", lambda bucket: bucket.list_objects("i")),
        ("oss:ListObjects", lambda bucket: bucket.list_objects_v2("secret/")),
        ("oss:ListMultipartUploads", lambda bucket: bucket.list_multipart_uploads("in/")),
        ("oss:GetBucketInfo", lambda bucket: bucket.get_bucket_info()),
        ("oss:PutBucket", lambda bucket: bucket.create_bucket()),
        ("oss:DeleteBucket", lambda bucket: bucket.delete_bucket()),
    ],
)
def test_a_role_may_do_nothing_else(at: Buckets, action: str, call: Callable[[oss2.Bucket], object]) -> None:
    assert_refused(lambda: call(at.reader), action)

    assert [each.key for each in oss2.ObjectIterator(at.owner)] == ["in/a", "in/b", "out/a", "secret/a"]


def test_an_upload_of_somebody_else_is_out_of_reach(at: Buckets) -> None:
    upload = at.owner.init_multipart_upload("in/multi").upload_id
    part = oss2.models.PartInfo(1, at.owner.upload_part("in/multi", upload, 1, PART).etag)

    assert_refused(lambda: at.writer.upload_part("in/multi", upload, 1, b""), "oss:PutObject")
    assert_refused(
        lambda: at.writer.upload_part_copy("drop", "in/a", (0, 9), "in/multi", upload, 1), "oss:PutObject"
    )
    assert_refused(lambda: at.writer.complete_multipart_upload("in/multi", upload, [part]), "oss:PutObject")
    assert_refused(lambda: at.writer.abort_multipart_upload("in/multi", upload), "oss:AbortMultipartUpload")
    assert_refused(lambda: at.writer.list_parts("in/multi", upload), "oss:ListParts")


def test_a_copy_takes_the_permission_to_read_its_source(at: Buckets) -> None:
    upload = at.writer.init_multipart_upload("out/multi").upload_id

    assert_refused(lambda: at.writer.copy_object("drop", "secret/a", "out/c"), "oss:GetObject")
    assert_refused(lambda: at.writer.copy_object("other", "in/a", "out/c"), "oss:GetObject")
    assert_refused(
        lambda: at.writer.upload_part_copy("drop", "secret/a", (0, 9), "out/multi", upload, 1),
        "oss:GetObject",
    )


def test_one_key_that_may_not_be_deleted_keeps_them_all(at: Buckets) -> None:
    assert_refused(lambda: at.writer.batch_delete_objects(["out/a", "in/a"]), "oss:DeleteObject")

    assert at.owner.object_exists("out/a")


def test_only_who_may_list_learns_that_an_object_is_missing(at: Buckets) -> None:
    for missing in (at.reader.get_object, at.reader.head_object):
        with pytest.raises(oss2.exceptions.NotFound):
            missing("in/none")

    assert_refused(lambda: at.writer.get_object("in/none"), "oss:ListObjects")
    assert_refused(lambda: at.writer.head_object("in/none"), "oss:ListObjects")
    assert_refused(lambda: at.writer.copy_object("drop", "in/none", "out/c"), "oss:ListObjects")


def test_a_signed_url_can_do_no_more_than_who_signed_it(at: Buckets) -> None:
    good, bad = (at.reader.sign_url("GET", key, 60) for key in ("in/a", "secret/a"))

    assert requests.get(good, timeout=PATIENCE_S).content == PART
    assert requests.get(bad, timeout=PATIENCE_S).status_code == 403


def test_a_key_without_its_own_token_is_no_key(at: Buckets) -> None:
    mine, other = at.keys.issue("Mine", ()), at.keys.issue("Other", ())
    for auth in (
        oss2.AuthV4(mine.access_key_id, mine.secret),
        oss2.StsAuth(mine.access_key_id, mine.secret, other.security_token, auth_version="v4"),
    ):
        bucket = oss2.Bucket(auth, at.oss.url, "drop", region=REGION)
        with pytest.raises(oss2.exceptions.ServerError) as refused:
            bucket.get_object("in/a")
        assert refused.value.code == "AccessKeyIdAndSecurityTokenNotMatch"


def test_a_key_that_is_issued_again_is_another_one(at: Buckets) -> None:
    at.keys.issue("Reader", map(parse_statement, READER))

    with pytest.raises(oss2.exceptions.ServerError) as refused:
        at.reader.get_object("in/a")
    assert refused.value.code == "InvalidSecurityToken"


def test_tags_and_acls_take_their_own_permissions(at: Buckets) -> None:
    tagging = oss2.models.Tagging(oss2.models.TaggingRule())

    assert_refused(
        lambda: at.writer.put_object("out/b", b"", headers={"x-oss-tagging": "a=b"}), "oss:PutObjectTagging"
    )
    assert_refused(lambda: at.writer.put_object_tagging("out/a", tagging), "oss:PutObjectTagging")
    assert_refused(lambda: at.writer.delete_object_tagging("out/a"), "oss:DeleteObjectTagging")
    assert_refused(lambda: at.reader.get_object_tagging("in/a"), "oss:GetObjectTagging")
    assert_refused(lambda: at.writer.put_bucket_tagging(tagging), "oss:PutBucketTagging")
    assert_refused(at.reader.get_bucket_tagging, "oss:GetBucketTagging")
    assert_refused(lambda: at.writer.put_object_acl("out/a", "private"), "oss:PutObjectAcl")
    assert_refused(lambda: at.reader.get_object_acl("in/a"), "oss:GetObjectAcl")


def test_a_symbolic_link_opens_nothing_that_its_reader_may_not_read(at: Buckets) -> None:
    at.owner.put_symlink("in/a", "in/good")
    at.owner.put_symlink("secret/a", "in/bad")

    assert at.reader.get_object("in/good").read() == PART
    assert_refused(lambda: at.reader.get_object("in/bad"), "oss:GetObject")
    assert_refused(lambda: at.reader.head_object("in/bad"), "oss:GetObject")
