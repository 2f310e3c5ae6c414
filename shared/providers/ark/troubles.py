"""Ark's codes and words for what may be wrong with an account, its keys, its bucket or a model.

Few codes of the job API are published, so words decide. The codes that are known:
https://www.volcengine.com/docs/82379/1299023
"""

from __future__ import annotations

import re
from http import HTTPStatus

from shared.ports.provider import FailedFor

# The codes of the messages that say who must do what.
ACCOUNT_WITHOUT_MONEY = "account_without_money"
ACCESS_KEY_REFUSED = "access_key_refused"
ACCESS_KEY_WITHOUT_PERMISSION = "access_key_without_permission"
MODEL_NOT_ACTIVATED = "model_not_activated"
STAGING_NOT_READABLE = "staging_not_readable"
WRONG_ADDRESS = "wrong_base_url"
# Only the local cloud's Ark says these two, of the server that answers its rows.
_UPSTREAM_CODES = ("upstream_unavailable", "upstream_refuses_key")
_UPSTREAM = re.compile(rf"({'|'.join(_UPSTREAM_CODES)}): ")
SETTINGS_REFUSED = "project_refused"
CLOCK_WRONG = "clock_wrong"
JOB_QUOTA_USED_UP = "job_quota_used_up"

# Codes of all of Volcengine: https://www.volcengine.com/docs/6408/78947.
# In this order: "TosAccessDenied" is no matter of the key's rights.
_TROUBLE_BY_CODE = (
    (re.compile(r"overdue|arrear|balance|ServiceNotOpen", re.I), ACCOUNT_WITHOUT_MONEY),
    (re.compile(r"ModelNotOpen|ModelNotActivated", re.I), MODEL_NOT_ACTIVATED),
    (re.compile(r"ArkAccessRole|Tos(AccessDenied|Location)|TosBucket", re.I), STAGING_NOT_READABLE),
    (re.compile(r"InvalidTimestamp|TimeTooSkewed|SignatureExpired|RequestExpired", re.I), CLOCK_WRONG),
    (
        re.compile(
            r"SignatureDoesNotMatch|MissingSignature|Authentication"
            r"|Invalid(AccessKey|Credential|SecurityToken|SecretToken|Authorization)",
            re.I,
        ),
        ACCESS_KEY_REFUSED,
    ),
    (
        re.compile(r"AccessDenied|Unauthorized|Forbidden|NoPermission|Lack\w*Policy", re.I),
        ACCESS_KEY_WITHOUT_PERMISSION,
    ),
    (re.compile(r"InvalidActionOrVersion|InvalidService|ServiceNotFound", re.I), WRONG_ADDRESS),
    # Quotas are a project's, too.
    (
        re.compile(
            r"(Invalid|Missing|NotFound)\w*\.?(Project|Region)|(Project|Region).{0,5}Not.?(Found|Exist)", re.I
        ),
        SETTINGS_REFUSED,
    ),
)
# What a whole job's ``Status.Message`` may say in either language; a line's number speaks of a row.
_TROUBLE_BY_WORDS = (
    (re.compile(r"overdue|arrear|欠费|余额不足", re.I), ACCOUNT_WITHOUT_MONEY),
    (re.compile(r"model.{0,3}not.{0,3}(open|activated)|模型未开通|未开通模型", re.I), MODEL_NOT_ACTIVATED),
    (re.compile(r"tos.{0,3}access.{0,3}denied|ArkAccessRole|无权访问.{0,4}TOS", re.I), STAGING_NOT_READABLE),
)
# Of creates in a week and of calls; jobs that run at once are never refused, but queue.
_QUOTA_CODE = re.compile(r"quota|limit.?exceed|exceed.{0,20}limit|rate.?limit|too.?many|overload", re.I)
# "exceeds the limit" may be said of a file or a name, too, which never passes.
_QUOTA_WORDS = re.compile(r"quota|rate.?limit|too.?many.?requests|overload|配额|限额|额度|限流|过载", re.I)
_NEVER_QUOTA = ("InvalidParameter", "MissingParameter")
_CALLS = re.compile(
    r"rate.?limit|qps|[rt]pm|throttl|too.?many.?requests|burst|overload|(?<!work)flow|限流|过载", re.I
)

# A job also fails if the system does. Nothing then says that the file is bad.
_SYSTEM = re.compile(
    r"internal|system|server.?error|unavailable|time.?out|try again|内部|系统|超时|重试"
    # The next attempt uploads it again.
    r"|input.?file.{0,20}(not.{0,3}(exist|found)|missing)|输入文件.{0,4}不存在",
    re.I,
)

# 82379/1299023; a job's check: "第361行非json数据".
_LINE = re.compile(r"第\s*(\d{1,9})\s*行")
_CUSTOM_ID = "custom_id="
# "custom_id=a存在重复", "custom_id=a的body非json字符串"; the id may hold anything.
_ROW = re.compile(rf"{_CUSTOM_ID}(.+)(?:存在重复|的body非)", re.S)


def trouble_of(status: int, code: str) -> str | None:
    """What the operator must mend, or ``None`` if a refused call is not theirs to mend."""
    if code in _UPSTREAM_CODES:
        return code
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED} and not code:
        return WRONG_ADDRESS  # Ark's own refusals have a code
    known = next((trouble for words, trouble in _TROUBLE_BY_CODE if words.search(code)), None)
    if known or is_quota(status, code, ""):
        return known
    if status == HTTPStatus.UNAUTHORIZED:
        return ACCESS_KEY_REFUSED
    # "OperationDenied…" may say that a job is in no state for it.
    is_about_rights = status == HTTPStatus.FORBIDDEN and not code.startswith("OperationDenied")
    return ACCESS_KEY_WITHOUT_PERMISSION if is_about_rights else None


def is_quota(status: int, code: str, message: str) -> bool:
    """Whether it may pass later."""
    return status == HTTPStatus.TOO_MANY_REQUESTS or _speaks_of_quota(code, message)


def lasting_quota(code: str, message: str) -> str:
    """The code of the message if a quota is one of jobs, which lasts for days; none of calls."""
    is_of_calls = _CALLS.search(f"{code} {message}")
    return JOB_QUOTA_USED_UP if _speaks_of_quota(code, message) and not is_of_calls else ""


def why_failed(message: str) -> tuple[FailedFor, str]:
    """Why a job failed, and the code of the message if somebody must act."""
    if is_about_row(message):
        return FailedFor.ROWS, ""
    trouble = why_waiting(message)
    if trouble:
        return FailedFor.ACCOUNT, trouble
    return (FailedFor.QUOTA if _QUOTA_WORDS.search(message) else FailedFor.ROWS), ""


def why_waiting(message: str) -> str:
    """The code of the message if somebody must act before a job goes on."""
    upstream = _UPSTREAM.match(message)
    if upstream:
        return upstream[1]
    return next((trouble for words, trouble in _TROUBLE_BY_WORDS if words.search(message)), "")


def _speaks_of_quota(code: str, message: str) -> bool:
    if code.startswith(_NEVER_QUOTA):
        return False
    return bool(_QUOTA_CODE.search(code) or _QUOTA_WORDS.search(message))


def is_of_system(message: str) -> bool:
    """Whether a job failed, as far as its message says, through no fault of its file."""
    return bool(_SYSTEM.search(message)) and not is_about_row(message)


def is_about_row(message: str) -> bool:
    """Whether a job's check names a row, whose own words then mean nothing."""
    return line_of(message) is not None or _CUSTOM_ID in message


def line_of(message: str) -> int | None:
    """The line that a job's check names; it counts from 1 those that are not blank."""
    found = _LINE.search(message)
    return int(found[1]) if found else None


def custom_id_of(message: str) -> str | None:
    """The row that a job's check names."""
    found = _ROW.search(message)
    return found[1] if found else None
