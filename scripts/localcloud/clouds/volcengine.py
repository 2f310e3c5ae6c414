"""The local second cloud: Ark and the TOS through which it is given its requests."""

from __future__ import annotations

from typing import Any

from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.ark.local_ark import LocalArk
from scripts.localcloud.clouds.second_cloud import SecondCloud
from scripts.localcloud.options import REGION, CloudOptions, volcengine_dir
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.tos.local_tos import LocalTos


class LocalVolcengine(SecondCloud):
    """Its TOS has one bucket, of the same name as the OSS one."""

    def __init__(self, options: CloudOptions) -> None:
        directory = volcengine_dir(options.data_dir)
        super().__init__(directory, options.bucket)
        self.tos = LocalTos(directory, self.secrets, REGION, scan_interval_s=options.scan_interval_s)
        self.ark = LocalArk(
            directory,
            self.signing_keys,
            lambda: self.tos.storage,
            upstream=options.answerer(),
            concurrency=options.concurrency,
            job_delay_s=options.batch_delay_s,
            api_key=self.keys.api_key,
        )

    @property
    def _parts(self) -> tuple[LocalStore, BatchService[Any]]:
        return self.tos, self.ark

    def services(self) -> dict[str, str]:
        return {"Ark": self.ark.url, "TOS": f"http://{self.tos.endpoint}, proxy {self.tos.proxy}"}

    def told(self) -> str:
        return f"""
  Ark               {self.ark.url}   region {REGION}
  TOS endpoint      http://{self.tos.endpoint}   proxy {self.tos.proxy}   bucket {self.bucket}{self._told_keys("Ark and TOS")}"""

    def template_parameters(self) -> dict[str, str]:
        return {
            "ArkAccessKeyId": self.keys.access_key_id,
            "ArkSecretAccessKey": self.keys.access_key_secret,
            "ArkHost": self.ark.url,
            "ArkApiKey": self.keys.api_key,
            "ArkBaseUrl": self.ark.base_url,
            "TosBucket": self.bucket,
            "TosProxy": self.tos.proxy,
        }
