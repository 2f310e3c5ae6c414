"""The local second cloud: Ark and the TOS through which it is given its requests."""

from __future__ import annotations

from scripts.localcloud.access.own_keys import OwnKeys, own_keys
from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.ark.local_ark import LocalArk
from scripts.localcloud.options import REGION, CloudOptions, volcengine_dir
from scripts.localcloud.tos.local_tos import LocalTos


class LocalVolcengine:
    """A cloud of its own inside a local cloud's folder: its keys open nothing of the other.

    Its TOS has one bucket, of the same name as the OSS one.

    Attributes:
        keys: Those of TOS and Ark; the API key among them opens nothing.
    """

    def __init__(self, options: CloudOptions) -> None:
        directory = volcengine_dir(options.data_dir)
        self.bucket = options.bucket
        self.keys: OwnKeys = own_keys(directory)
        key_id, secret = self.keys.access_key_id, self.keys.access_key_secret
        self.tos = LocalTos(directory, {key_id: secret}, REGION, scan_interval_s=options.scan_interval_s)
        self.ark = LocalArk(
            directory,
            {key_id: AccessKey(secret)},
            lambda: self.tos.storage,
            upstream=options.answerer(),
            concurrency=options.concurrency,
            job_delay_s=options.batch_delay_s,
        )

    def start(self) -> None:
        self.tos.storage.create_bucket(self.bucket)
        self.tos.start()
        self.ark.start()

    def stop(self) -> None:
        self.ark.stop()
        self.tos.stop()

    def services(self) -> dict[str, str]:
        """The address of each by its name."""
        return {"Ark": self.ark.url, "TOS": f"http://{self.tos.endpoint}, proxy {self.tos.proxy}"}

    def told(self) -> str:
        """For the person who has started it."""
        return f"""
  Ark               {self.ark.url}   region {REGION}
  TOS endpoint      http://{self.tos.endpoint}   proxy {self.tos.proxy}   bucket {self.bucket}
  Ark and TOS       access key {self.keys.access_key_id}
                    secret {self.keys.access_key_secret}"""

    def template_parameters(self) -> dict[str, str]:
        """What the functions must know; known once started."""
        return {
            "ArkAccessKeyId": self.keys.access_key_id,
            "ArkSecretAccessKey": self.keys.access_key_secret,
            "ArkHost": self.ark.url,
            "TosBucket": self.bucket,
            "TosProxy": self.tos.proxy,
        }
