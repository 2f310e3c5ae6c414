"""TI-ONE's codes and words for what may be wrong with an account, its keys or a task's settings.

The codes are those of the SDK's ``errorcodes`` for this API, and the common ones:
https://cloud.tencent.com/document/api/851/75083. Which action raises which is published nowhere.
"""

from __future__ import annotations

import re

# The codes of the messages that say who must do what.
ACCOUNT_WITHOUT_MONEY = "account_without_money"
ACCESS_KEY_REFUSED = "access_key_refused"
ACCESS_KEY_WITHOUT_PERMISSION = "access_key_without_permission"
CLOCK_WRONG = "clock_wrong"
WRONG_ADDRESS = "wrong_base_url"
STAGING_NOT_READABLE = "staging_not_readable"
API_WITHDRAWN = "api_withdrawn"
TASK_SETTINGS_REFUSED = "task_settings_refused"
RESOURCES_SOLD_OUT = "resources_sold_out"
PROVIDER_REFUSES = "provider_refuses"

# In this order: of two that fit, the first one counts.
_TROUBLE_BY_CODE = (
    (re.compile(r"AuthFailure\.(SignatureExpire|InvalidTimestamp)"), CLOCK_WRONG),
    (re.compile(r"AuthFailure\.(UnauthorizedOperation|CAM|CheckResource)"), ACCESS_KEY_WITHOUT_PERMISSION),
    (re.compile(r"AuthFailure|MissingParameter\.SecretId"), ACCESS_KEY_REFUSED),
    (re.compile(r"UnauthorizedOperation|.*NoPermission|.*\.Unauthorized"), ACCESS_KEY_WITHOUT_PERMISSION),
    (
        re.compile(r".*(BalanceInsufficient|InsufficientBalance|FreezeBillFailed|Arrear|Overdue)"),
        ACCOUNT_WITHOUT_MONEY,
    ),
    (re.compile(r"ActionOffline|InvalidAction|UnsupportedOperation|UnsupportedProtocol"), API_WITHDRAWN),
    (re.compile(r"NoSuchVersion|NoSuchProduct"), WRONG_ADDRESS),
    (re.compile(r".*Cos(Path|Bucket)"), STAGING_NOT_READABLE),
    (re.compile(r"UnsupportedRegion|(Invalid|Missing|Unknown)Parameter|.*NotFound"), TASK_SETTINGS_REFUSED),
)
# Room for tasks; calls are limited by the second, which passes sooner.
_NO_ROOM = re.compile(
    r"LimitExceeded|ResourcesSoldOut|ResourceInsufficient|OperationDenied\.ResourceGroupInsufficient"
    r"|OperationDenied\.BillingStatusResourceInsufficient"
)
_CALLS = re.compile(r"RequestLimitExceeded")
# The call may have been carried out all the same.
_UNCLEAR = re.compile(r"InternalError|FailedOperation\.Processing|ServerNetworkError|ClientNetworkError")
_NAME_TAKEN = re.compile(r".*\.DuplicateName")
_UNKNOWN_TASK = re.compile(
    r"FailedOperation\.RecordNotFound|ResourceNotFound|InvalidParameterValue\.\w*NotFound"
)
_STOP_LATER = re.compile(r".*\.(UnSubmitNotAllowToStop|UnSubmittedStatusNotAllowStop)")

# What ``FailureReason`` may say, in either language, of a task in which nothing ran.
_NO_ROOM_WORDS = re.compile(r"insufficient.{0,10}resource|sold.?out|quota|资源不足|售罄|配额", re.I)
_MONEY_WORDS = re.compile(r"arrear|overdue|balance|欠费|余额", re.I)


def trouble_of(code: str) -> str | None:
    """What the operator must mend, or ``None`` if a refused call is not theirs to mend."""
    return next((trouble for words, trouble in _TROUBLE_BY_CODE if words.match(code)), None)


def is_quota(code: str) -> bool:
    """Whether there may be room later."""
    return bool(_NO_ROOM.match(code) or _CALLS.match(code))


def lasting_quota(code: str) -> str:
    """The code of the message if there may be no room for hours; none of a limit of calls."""
    return RESOURCES_SOLD_OUT if _NO_ROOM.match(code) else ""


def is_unclear(code: str) -> bool:
    """Whether the call may have been carried out, unless it is about something else."""
    return bool(_UNCLEAR.match(code)) and trouble_of(code) is None and not is_stop_for_later(code)


def is_name_taken(code: str) -> bool:
    return bool(_NAME_TAKEN.match(code))


def is_unknown_task(code: str) -> bool:
    return bool(_UNKNOWN_TASK.match(code))


def is_stop_for_later(code: str) -> bool:
    """Whether a task cannot be stopped as yet, since it is still being submitted."""
    return bool(_STOP_LATER.match(code))


def why_nothing_ran(message: str) -> str:
    """The code of the message about a task that failed before it ran; ``""`` if it tells none."""
    if _MONEY_WORDS.search(message):
        return ACCOUNT_WITHOUT_MONEY
    return RESOURCES_SOLD_OUT if _NO_ROOM_WORDS.search(message) else ""
