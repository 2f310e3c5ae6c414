"""The bucket that files are dropped into, beside its stack: kept before it, erased after it."""

from __future__ import annotations

import oss2

from scripts.deploy.place import Place
from scripts.deploy.releases import open_bucket
from scripts.operate.texts.said import Refusal
from shared.bucket.keys import BOARD

_ERASING = "being-erased"


class DropBucket:
    """One bucket, by its owner's key. Every method raises ``OssError`` where OSS refuses."""

    def __init__(self, place: Place, name: str) -> None:
        self.name = name
        self._bucket = open_bucket(place, name)

    def is_kept(self) -> bool:
        """Whether it is there from an earlier deployment, and stays as it is.

        Raises:
            Refusal: It is somebody else's, or holds something else.
        """
        try:
            self._bucket.get_bucket_info()
        except oss2.exceptions.NoSuchBucket:
            return False
        except oss2.exceptions.AccessDenied as error:
            raise Refusal("deploy_bucket_taken", bucket=self.name) from error
        # Empty, it is what a failed creation left.
        if not self._bucket.object_exists(BOARD) and self._keys():
            raise Refusal("deploy_bucket_taken", bucket=self.name)
        return True

    def admit(self, page_url: str) -> None:
        """Let the page at this address upload, and no other; instead of what was let before."""
        origin = "/".join(page_url.split("/")[:3])
        rule = oss2.models.CorsRule(
            allowed_origins=[origin], allowed_methods=["POST"], allowed_headers=["*"], max_age_seconds=600
        )
        self._bucket.put_bucket_cors(oss2.models.BucketCors([rule]))

    def check_erasable(self) -> None:
        """Raise ``Refusal`` if something of it would be left."""
        if self._bucket.get_bucket_versioning().status:
            raise Refusal("destroy_versioned", bucket=self.name)

    def is_to_go(self) -> bool:
        """Whether somebody has begun to erase it; without its stack nothing else tells."""
        try:
            return bool(self._bucket.object_exists(_ERASING))
        except oss2.exceptions.NoSuchBucket:
            return False

    def give_up(self) -> None:
        """Note that it is to be erased once its stack is gone."""
        self._bucket.put_object(_ERASING, b"")

    def keep(self) -> None:
        """Take that back."""
        self._bucket.delete_object(_ERASING)

    def erase(self) -> None:
        """Delete it with all that is in it, last of all what says that it is to go.

        Raises:
            Refusal: OSS keeps something.
        """
        while keys := [key for key in self._keys() if key != _ERASING]:
            if not self._bucket.batch_delete_objects(keys).deleted_keys:  # a retention rule, say
                raise Refusal("destroy_failed", reason=f"OSS keeps {keys[0]}")
        for upload in oss2.MultipartUploadIterator(self._bucket):
            self._bucket.abort_multipart_upload(upload.key, upload.upload_id)
        self.keep()
        self._bucket.delete_bucket()

    def _keys(self) -> list[str]:
        """Of the first page."""
        return [each.key for each in self._bucket.list_objects_v2(max_keys=1000).object_list]
