"""Ark's job actions, one signed call each; nothing is repeated.

https://www.volcengine.com/docs/82379/1339603
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from volcenginesdkcore import ApiClient, Configuration, UniversalApi, UniversalInfo

from shared.problems.exceptions import ProviderRejected, TransientError
from shared.providers.ark.errors import is_not_found, translated
from shared.providers.ark.wire import Created, Job, JobPage

_SERVICE, _VERSION = "ark", "2024-01-01"
_CREATE = "CreateBatchInferenceJob"
_CONNECT_S, _READ_S = 10.0, 20.0
# What is not answered in time may have created a job. The rest can be asked again, and the timer
# waits for it.
_READ_OF_CREATE_S = 60.0
_JOBS_A_PAGE = 100
_MAX_PAGES = 200


class ArkApi:
    """The jobs of one project; safe to use from several threads."""

    def __init__(self, client: UniversalApi, project: str, secrets: tuple[str, ...]) -> None:
        self._client = client
        self._project = project
        self._secrets = secrets

    def create(self, job: dict[str, Any], *, if_unclear: type[TransientError]) -> str:
        """Create a job and return its id."""
        body = {"ProjectName": self._project, **job}
        with translated("create the job", self._secrets, if_unclear=if_unclear):
            return Created.model_validate(self._call(_CREATE, body)).id

    def get(self, job_id: str) -> Job | None:
        """The job, or ``None`` if Ark does not know it."""
        try:
            with translated("get the job", self._secrets):
                return Job.model_validate(self._call("GetBatchInferenceJob", {"Id": job_id}))
        except ProviderRejected as refusal:
            if is_not_found(refusal):
                return None
            raise

    def named(self, name: str) -> Iterator[Job]:
        """The jobs of exactly this name. Ark's filter is fuzzy."""
        return (job for job in self._listed({"Filter": {"Name": name}}) if job.name == name)

    def newest(self) -> Iterator[Job]:
        """All jobs of the project, the newest first."""
        return self._listed({})

    def _listed(self, choice: dict[str, Any]) -> Iterator[Job]:
        """Over all pages."""
        for page in range(1, _MAX_PAGES + 1):
            body = {
                "ProjectName": self._project,
                **choice,
                "PageNumber": page,
                "PageSize": _JOBS_A_PAGE,
                "SortBy": "CreateTime",
                "SortOrder": "Desc",
            }
            with translated("list the jobs", self._secrets):
                listed = JobPage.model_validate(self._call("ListBatchInferenceJobs", body)).items or ()
            yield from listed
            if len(listed) < _JOBS_A_PAGE:
                return
        raise TransientError(f"Ark's list of the jobs has no end: {choice}")

    def stop(self, job_id: str) -> None:
        with translated("stop the job", self._secrets):
            self._call("StopBatchInferenceJob", {"Id": job_id})

    def _call(self, action: str, body: dict[str, Any]) -> Any:
        read_s = _READ_OF_CREATE_S if action == _CREATE else _READ_S
        info = UniversalInfo(
            method="POST", service=_SERVICE, version=_VERSION, action=action, content_type="application/json"
        )
        return self._client.do_call(info, body, _request_timeout=(_CONNECT_S, read_s))


def open_api(host: str, region: str, project: str, access_key_id: str, secret_access_key: str) -> ArkApi:
    """The API at a host such as open.volcengineapi.com; with a scheme, that is used, else https."""
    configuration = _quiet_configuration()
    configuration.host = host
    configuration.region = region
    configuration.ak, configuration.sk = access_key_id, secret_access_key
    # By default the SDK repeats a create up to three times, and each one costs.
    configuration.auto_retry = False
    client = UniversalApi(ApiClient(configuration))
    return ArkApi(client, project, (secret_access_key, access_key_id))


def _quiet_configuration() -> Configuration:
    """The SDK's, which writes no headers and no bodies, and leaves other people's loggers alone.

    By itself it hangs a handler on urllib3's logger, which everything else here uses, too, and
    sets its level.
    """
    urllib3 = logging.getLogger("urllib3")
    level, propagate, handlers = urllib3.level, urllib3.propagate, list(urllib3.handlers)
    configuration = Configuration()
    for added in set(urllib3.handlers) - set(handlers):
        urllib3.removeHandler(added)
    urllib3.propagate = propagate
    urllib3.setLevel(level)
    configuration.logger["package_logger"].disabled = True
    logging.getLogger("volcenginesdkcore").setLevel(logging.WARNING)
    return configuration
