"""Whether an account has opened a service, and what each answers if it has not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from scripts.localcloud.actions.refusal import Refusal
from scripts.localcloud.ros.app import Action
from scripts.localcloud.ros.identity import AccountKeys


@dataclass(frozen=True)
class Service:
    """A service, the action by which a program may look whether it answers, and its right.

    ``closed`` is what is answered before somebody has opened it.
    """

    version: str
    action: str
    right: str
    closed: Refusal


SERVICES: Mapping[str, Service] = {
    "FC3": Service(
        "2023-03-30",
        "ListFunctions",
        "fc:ListFunctions",
        # https://github.com/Serverless-Devs/Serverless-Devs/issues/282
        Refusal(403, "AccessDenied", "FC service is not enabled for current user."),
    ),
    "MNS": Service(
        "2022-01-19",
        "ListQueue",
        "mns:ListQueue",
        Refusal(403, "UserNotOpenService", "The service has not been activated by the user."),
    ),
    "EventBridge": Service(
        "2020-04-01",
        "ListEventBuses",
        "eventbridge:ListEventBuses",
        Refusal(403, "EventBridgeNotActive", "EventBridge has not been activated."),
    ),
}


class Services:
    """Which services are open.

    Attributes:
        closed: Those that nobody has opened yet; SLS among them is ``SLS``.
    """

    def __init__(self, keys: AccountKeys) -> None:
        self._keys = keys
        self.closed: set[str] = set()

    def check_open(self, kind: str) -> None:
        """Raise the refusal of the service that a resource's type belongs to, if it is closed."""
        name = kind.split("::")[1]
        if name in self.closed:
            raise SERVICES[name].closed if name in SERVICES else Refusal(403, "NotOpened", "is not opened")

    def actions(self) -> Iterator[tuple[tuple[str, str], Action]]:
        """By version and name."""
        for name, service in SERVICES.items():
            yield (service.version, service.action), self._listing(name, service)
        yield ("2019-10-23", "GetSlsService"), self._sls

    def _listing(self, name: str, service: Service) -> Action:
        def act(caller: str, _given: Mapping[str, str]) -> Mapping[str, Any]:
            if name in self.closed:
                raise service.closed
            self._keys.check(caller, service.right)
            return {}

        return act

    def _sls(self, _caller: str, _given: Mapping[str, str]) -> Mapping[str, Any]:
        """https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-getslsservice."""
        is_open = "SLS" not in self.closed
        return {"Enabled": is_open, "Status": "Normal" if is_open else "NotExist"}
