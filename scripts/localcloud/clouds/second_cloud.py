"""What another cloud is inside the local one: a store, and the provider that works over it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from scripts.localcloud.access.own_keys import OwnKeys, own_keys
from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.answers.batch_service import BatchService
from scripts.localcloud.interruptions import Interruptions
from scripts.localcloud.storage_http.local_store import LocalStore


class SecondCloud(ABC):
    """A cloud of its own inside a local cloud's folder: its keys open nothing of the other.

    Attributes:
        keys: Those of its store and its provider. The API key among them opens single requests,
            where there are such.
        bucket: The only one that its store has.
    """

    def __init__(self, directory: Path, bucket: str) -> None:
        self.bucket = bucket
        self.keys: OwnKeys = own_keys(directory)
        self.secrets = {self.keys.access_key_id: self.keys.access_key_secret}
        self.signing_keys = {self.keys.access_key_id: AccessKey(self.keys.access_key_secret)}

    @property
    @abstractmethod
    def _parts(self) -> tuple[LocalStore, BatchService[Any]]: ...

    def start(self) -> None:
        store, provider = self._parts
        store.storage.create_bucket(self.bucket)
        store.start()
        provider.start()

    def tell_interruptions(self, interruptions: Interruptions) -> None:
        """What cannot go on stands there from the start on."""
        store, provider = self._parts
        store.interruptions = provider.interruptions = interruptions

    @property
    def provider(self) -> BatchService[Any]:
        return self._parts[1]

    def stop(self) -> None:
        store, provider = self._parts
        provider.stop()
        store.stop()

    @abstractmethod
    def services(self) -> dict[str, str]:
        """The address of each by its name."""

    @abstractmethod
    def told(self) -> str:
        """For the person who has started it."""

    @abstractmethod
    def template_parameters(self) -> dict[str, str]:
        """What the functions must know; known once started."""

    def _told_keys(self, owners: str) -> str:
        return f"""
  {owners:<17} access key {self.keys.access_key_id}
                    secret {self.keys.access_key_secret}"""
