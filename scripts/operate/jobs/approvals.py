"""What is to be approved, and what was, as text."""

from __future__ import annotations

from datetime import datetime

from shared.bucket.records.plan import Plan
from shared.bucket.tickets import REPLACED, Approval

_BY = {"file": "批准文件 by a file", "command": "命令 by command", "page": "网页 on the page"}


def awaited_line(until: datetime, job_id: str, *, is_outdated: bool = False) -> str:
    """Until when it may be approved, and how, unless another file lies in its place since."""
    if is_outdated:
        zh = "等待批准，但文件已换成另一版，不能再批准这一版"
        return (
            f"{zh} the file was replaced, so this is not approved any more: scripts/batchdrop cancel {job_id}"
        )
    return f"等待批准，最晚 waits for approval until {_time(until)}: scripts/batchdrop approve {job_id}"


def decided_line(decided: Approval | None, plan: Plan, *, is_open: bool, is_outdated: bool) -> str:
    """Of a job that must be approved; ``is_outdated`` as of ``OpenJob``."""
    until = plan.approve_until or plan.created_at
    if decided is None:
        return (
            awaited_line(until, plan.job_id, is_outdated=is_outdated)
            if is_open
            else "没有批准 never approved"
        )
    if decided.is_approved:
        return f"批准 approved {_time(decided.at)} ({_BY.get(decided.by, decided.by)})"
    if decided.said == REPLACED:
        return f"没有批准：文件已换成新版，由任务 {decided.by} 处理 not approved: the file was replaced, see job {decided.by}"
    return f"没有按时批准 not approved by {_time(until)}"


def _time(moment: datetime) -> str:
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")
