"""Looks for what would stop a deployment, one thing after the other, without changing anything."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import oss2
import requests

from scripts.bundle.bytecode import find_interpreter
from scripts.deploy.control import CloudRefused, Control, Question
from scripts.deploy.health.finding import Finding
from scripts.deploy.health.reading import reading_findings
from scripts.deploy.health.rights import Right, at_best, fix_for, missing, own_rights, statements_in
from scripts.deploy.place import Place
from scripts.deploy.releases import is_passing, open_bucket, reason_of
from scripts.deploy.ros import Ros
from scripts.localcloud.access.ram import PolicyError
from scripts.operate.texts.said import said

_CALLER = Question("sts.{region}.aliyuncs.com", "2015-04-01", "GetCallerIdentity")
_RAM, _RAM_VERSION = "ram.aliyuncs.com", "2015-05-01"
_TIMEOUT_S = 20
_REJECTED = (401, 403)
_PAGE = (
    "--parameter PageDomain=… --parameter PageCertificate=@cert.pem --parameter PageCertificateKey=@key.pem"
)


@dataclass(frozen=True)
class Looked:
    """A service, the harmless question that shows whether it answers, and where it is opened."""

    name: str
    question: Question
    opened_at: str


# Each is asked for what it has. Sources of hosts and actions:
# https://github.com/aliyun/alibabacloud-python-sdk (fc-20230330, mns-open-20220119,
# eventbridge-20200401)
_SERVICES = (
    Looked(
        "Function Compute",
        Question("fcv3.{region}.aliyuncs.com", "2023-03-30", "ListFunctions", "/2023-03-30/functions"),
        "https://fcnext.console.aliyun.com",
    ),
    Looked(
        "SMQ (MNS)",
        Question("mns-open.{region}.aliyuncs.com", "2022-01-19", "ListQueue"),
        "https://mns.console.aliyun.com",
    ),
    Looked(
        "EventBridge",
        Question("eventbridge-console.{region}.aliyuncs.com", "2020-04-01", "ListEventBuses"),
        "https://eventbridge.console.aliyun.com",
    ),
)
_SLS = Question("sls.aliyuncs.com", "2019-10-23", "GetSlsService")


class Doctor:
    """Looks at one account, for one template.

    Args:
        template: Its text.
        parameters: With which it would be deployed.
    """

    def __init__(self, place: Place, control: Control, template: str, parameters: Mapping[str, str]) -> None:
        self._place = place
        self._control = control
        self._template = template
        self._parameters = parameters

    def findings(self) -> Iterator[Finding]:
        """One after the other, as they are found."""
        try:
            caller = self._control.ask(_CALLER)
        except CloudRefused as refused:
            yield _not_answered("AccessKey", "STS", refused, "doctor_key", "https://ram.console.aliyun.com")
            return
        yield Finding(f"AccessKey ({caller.get('Arn')})")
        yield from self._rights(caller)
        yield self._oss()
        yield self._sls()
        yield from map(self._service, _SERVICES)
        yield self._bailian()
        if self._parameters.get("InputFrom") == "oss":
            bucket = self._parameters["BucketName"]
            yield from reading_findings(self._place, self._control, bucket)
        yield self._page()
        yield self._python()

    def _rights(self, caller: Mapping[str, Any]) -> Iterator[Finding]:
        needed = own_rights(self._parameters["BucketName"], self._parameters["CodeBucket"])
        try:
            ros = Ros(self._control, self._place.region)
            of_stack = ros.needed_rights(self._template, self._parameters)
            needed += [Right(action) for action in of_stack]
        except CloudRefused as refused:
            if not refused.is_about_rights:
                yield _not_answered("ROS", "ROS", refused, "doctor_ros", "https://ros.console.aliyun.com")
        needed = list(dict.fromkeys(needed))
        kind = caller.get("IdentityType")
        if kind == "Account":
            yield _given(len(needed))
        elif kind == "RAMUser":
            yield from self._rights_of_user(caller, needed)
        else:  # https://help.aliyun.com/en/ram/developer-reference/api-sts-2015-04-01-getcalleridentity
            yield Finding("RAM", said("doctor_role"), "https://ram.console.aliyun.com/roles", is_fatal=False)

    def _rights_of_user(self, caller: Mapping[str, Any], needed: list[Right]) -> Iterator[Finding]:
        user = str(caller.get("Arn", "")).rpartition("/")[2]
        try:
            statements = statements_in(self._policies(user))
        except (CloudRefused, PolicyError) as refused:
            fix = f"aliyun ram AttachPolicyToUser --PolicyType System --PolicyName AliyunRAMReadOnlyAccess --UserName {user}"
            yield Finding("RAM", said("doctor_unread", reason=refused), fix, is_fatal=False)
            return
        where = (str(caller.get("AccountId")), self._place.region)
        uncertain = missing(needed, statements, *where)
        lacking = missing(uncertain, at_best(statements), *where)
        yield _given(len(needed) - len(uncertain))
        for right in uncertain:
            is_missing = right in lacking
            problem = said("doctor_right" if is_missing else "doctor_conditional", right=right.name)
            yield Finding(right.name, problem, fix_for(right, user), is_fatal=is_missing)

    def _policies(self, user: str) -> list[Mapping[str, Any]]:
        """The documents of all policies that a RAM user has, also by a group."""
        named = self._listed("ListPoliciesForUser", "Policies", "Policy", UserName=user)
        for group in self._listed("ListGroupsForUser", "Groups", "Group", UserName=user):
            named += self._listed(
                "ListPoliciesForGroup", "Policies", "Policy", GroupName=str(group["GroupName"])
            )
        return [self._document(each) for each in named]

    def _listed(self, action: str, outer: str, inner: str, **given: str) -> list[Mapping[str, Any]]:
        answer = self._control.ask(Question(_RAM, _RAM_VERSION, action), None, **given)
        return list(answer.get(outer, {}).get(inner, []))

    def _document(self, named: Mapping[str, Any]) -> Mapping[str, Any]:
        given = {name: str(named[name]) for name in ("PolicyName", "PolicyType")}
        answer = self._control.ask(Question(_RAM, _RAM_VERSION, "GetPolicy"), None, **given)
        document: Mapping[str, Any] = json.loads(answer["DefaultPolicyVersion"]["PolicyDocument"])
        return document

    def _oss(self) -> Finding:
        bucket = open_bucket(self._place, self._parameters["CodeBucket"])
        try:
            bucket.get_bucket_info()
        except oss2.exceptions.NoSuchBucket:
            return Finding("OSS")  # deploying makes it
        except oss2.exceptions.OssError as error:
            # Without the right, as told above; or the bucket is of another account.
            is_unasked = error.code == "AccessDenied" or is_passing(error)
            code = "doctor_unasked" if is_unasked else "doctor_closed"
            problem = said(code, service="OSS", reason=reason_of(error).rstrip(". "))
            return Finding("OSS", problem, "https://oss.console.aliyun.com", is_fatal=not is_unasked)
        return Finding("OSS")

    def _sls(self) -> Finding:
        fix = "https://sls.console.aliyun.com"
        try:
            answer = {key.lower(): value for key, value in self._control.ask(_SLS).items()}
        except CloudRefused as refused:
            return Finding("SLS", said("doctor_unasked", service="SLS", reason=refused), fix, is_fatal=False)
        if str(answer.get("enabled")).lower() == "true":
            return Finding("SLS")
        return Finding("SLS", said("doctor_closed", service="SLS", reason=answer.get("status", "")), fix)

    def _service(self, service: Looked) -> Finding:
        try:
            self._control.ask(service.question)
        except CloudRefused as refused:
            # Without the right to look nobody knows; deploying does not need it.
            is_unasked = refused.is_about_rights or refused.is_passing
            code = "doctor_unasked" if is_unasked else "doctor_closed"
            problem = said(code, service=service.name, reason=refused)
            return Finding(service.name, problem, service.opened_at, is_fatal=not is_unasked)
        return Finding(service.name)

    def _bailian(self) -> Finding:
        key = self._parameters.get("DashScopeApiKey", "")
        if not key:
            return Finding(
                "Bailian", said("doctor_no_bailian"), "export DASHSCOPE_API_KEY=sk-…", is_fatal=False
            )
        url = self._parameters.get("DashScopeBaseUrl", "https://dashscope.aliyuncs.com/compatible-mode/v1")
        try:
            answer = requests.get(
                f"{url}/batches?limit=1", headers={"Authorization": f"Bearer {key}"}, timeout=_TIMEOUT_S
            )
        except requests.RequestException as error:
            problem = said("doctor_unasked", service="Bailian", reason=type(error).__name__)
            return Finding("Bailian", problem, url, is_fatal=False)
        if answer.ok:
            return Finding("Bailian")
        reason, fix = f"HTTP {answer.status_code}", "https://bailian.console.aliyun.com"
        if answer.status_code in _REJECTED:
            return Finding("Bailian", said("doctor_bailian", reason=reason), fix)
        problem = said("doctor_unasked", service="Bailian", reason=reason)
        return Finding("Bailian", problem, fix, is_fatal=False)

    def _page(self) -> Finding:
        if self._parameters.get("PageDomain"):
            return Finding("PageDomain")
        return Finding("PageDomain", said("doctor_page"), _PAGE, is_fatal=False)

    def _python(self) -> Finding:
        if find_interpreter("3.10"):
            return Finding("Python 3.10")
        return Finding("Python 3.10", said("doctor_python"), "pyenv install 3.10", is_fatal=False)


def _given(count: int) -> Finding:
    return Finding(f"{count} 项权限 rights")


def _not_answered(name: str, service: str, refused: CloudRefused, code: str, fix: str) -> Finding:
    """Of a service without which nothing goes: what it refused, or that it was not reached."""
    if refused.is_passing:
        return Finding(name, said("doctor_unasked", service=service, reason=refused), fix)
    return Finding(name, said(code, reason=refused), fix)
