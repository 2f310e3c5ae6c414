"""The local third cloud: TI-ONE and the COS through which it is given its requests."""

from __future__ import annotations

from typing import Any

from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.clouds.second_cloud import SecondCloud
from scripts.localcloud.cos.local_cos import LocalCos
from scripts.localcloud.options import TENCENT_REGION, TIONE_IMAGE, TIONE_RESOURCE, CloudOptions, tencent_dir
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.tione.local_tione import LocalTione

# Names of buckets end with the number of the account that owns them.
BUCKET = "batchdrop-1250000000"


class LocalTencent(SecondCloud):
    """Its COS has one bucket, whatever that of the OSS is called."""

    def __init__(self, options: CloudOptions) -> None:
        directory = tencent_dir(options.data_dir)
        super().__init__(directory, BUCKET)
        self.cos = LocalCos(directory, self.secrets, TENCENT_REGION, scan_interval_s=options.scan_interval_s)
        self.tione = LocalTione(
            directory,
            self.signing_keys,
            lambda: self.cos.storage,
            upstream=options.answerer(),
            concurrency=options.concurrency,
            task_delay_s=options.batch_delay_s,
        )

    @property
    def _parts(self) -> tuple[LocalStore, BatchService[Any]]:
        return self.cos, self.tione

    def services(self) -> dict[str, str]:
        return {
            "TI-ONE": self.tione.url,
            "model server": self.tione.model_url,
            "COS": f"http://{self._cos_host}, address {self.cos.address}",
        }

    def told(self) -> str:
        return f"""
  TI-ONE            {self.tione.url}   region {TENCENT_REGION}
  model server      {self.tione.model_url}
  COS endpoint      http://{self._cos_host}   address {self.cos.address}   bucket {self.bucket}{self._told_keys("TI-ONE and COS")}"""

    def template_parameters(self) -> dict[str, str]:
        return {
            "TencentSecretId": self.keys.access_key_id,
            "TencentSecretKey": self.keys.access_key_secret,
            "TioneRegion": TENCENT_REGION,
            "TioneHost": self.tione.url,
            "TioneImage": TIONE_IMAGE,
            "TioneResource": TIONE_RESOURCE,
            "TioneServerUrl": self.tione.model_url,
            "CosBucket": self.bucket,
            "CosRegion": TENCENT_REGION,
            "CosAddress": self.cos.address,
        }

    @property
    def _cos_host(self) -> str:
        return f"cos.{TENCENT_REGION}.myqcloud.com"
