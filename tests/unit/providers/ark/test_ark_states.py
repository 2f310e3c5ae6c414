"""What a job of Ark is to us, whatever its answer leaves out."""

from __future__ import annotations

from typing import Any

import pytest

from shared.pipeline.collect.rows.verdict import BatchVerdict
from shared.ports.provider import BatchState, BatchStatus, FailedFor
from shared.problems.problem import Problem
from shared.problems.render import MESSAGES, render_both
from shared.providers.ark.troubles import lasting_quota
from shared.providers.ark.wire import CHECK_FAILED, Job, state_of

JOB_ID = "bi-20261121115000-r2nwq"
EXPIRES = "2026-11-22T11:50:00Z"


def state(phase: str | None, **fields: Any) -> BatchState:
    status = {
        "Phase": phase,
        "PhaseTime": fields.pop("PhaseTime", None),
        "Message": fields.pop("Message", None),
    }
    job = Job.model_validate({"Id": JOB_ID, "Name": "n", "Status": status, **fields})
    return state_of(job, input_file="in", result_files=fields.get("files", ()))


@pytest.mark.parametrize(
    ("phase", "status"),
    [
        ("Queued", BatchStatus.PENDING),
        ("Initializing", BatchStatus.PENDING),
        ("Running", BatchStatus.RUNNING),
        ("Terminating", BatchStatus.RUNNING),
        ("Completed", BatchStatus.COMPLETED),
        ("Failed", BatchStatus.FAILED),
        ("Terminated", BatchStatus.CANCELLED),
        ("Pausing", BatchStatus.UNKNOWN),
        ("completed", BatchStatus.UNKNOWN),
        ("", BatchStatus.UNKNOWN),
        (None, BatchStatus.UNKNOWN),
    ],
)
def test_a_phase_that_we_do_not_know_is_no_end(phase: str | None, status: BatchStatus) -> None:
    found = state(phase)

    assert (found.status, found.raw_status) == (status, phase or "")


@pytest.mark.parametrize(
    ("ended_at", "expires_at", "status"),
    [
        ("2026-11-22T11:39:59Z", EXPIRES, BatchStatus.CANCELLED),
        ("2026-11-22T11:40:00Z", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T11:49:59Z", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T11:49:59.999Z", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T19:45:00+08:00", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T11:45:00", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T11:50:00Z", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T12:50:00.123Z", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T19:50:00+08:00", EXPIRES, BatchStatus.EXPIRED),
        ("2026-11-22T11:50:00", EXPIRES, BatchStatus.EXPIRED),
        ("soon", EXPIRES, BatchStatus.CANCELLED),
        (None, EXPIRES, BatchStatus.CANCELLED),
        ("2026-11-22T12:50:00Z", None, BatchStatus.CANCELLED),
    ],
)
def test_only_the_times_tell_the_end_of_the_window_from_a_stop(
    ended_at: str | None, expires_at: str | None, status: BatchStatus
) -> None:
    assert state("Terminated", PhaseTime=ended_at, ExpireTime=expires_at).status is status


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("第361行非json数据", 361),
        ("批量推理任务失败，第 2 行custom_id不存在", 2),
        ("批量推理任务失败，custom_id=第二存在重复", None),
        ("custom_id=a的body非json字符串", None),
        ("custom_id=system-1存在重复", None),
        ("custom_id=系统超时的body非json字符串", None),
        ("custom_id=quota-3存在重复", None),
        ("custom_id=欠费-1存在重复", None),
        ("第7行 internal 非json数据", 7),
        ("文件格式错误", None),
    ],
)
def test_a_failed_check_names_the_line_if_ark_does(message: str, line: int | None) -> None:
    found = state("Failed", Message=message)

    (problem,) = found.problems
    assert (problem.code, problem.message, problem.line) == (CHECK_FAILED, message, line)
    assert (found.failed_for, found.trouble) == (FailedFor.ROWS, "")


@pytest.mark.parametrize(
    ("message", "failed_for", "trouble"),
    [
        ("账号欠费，任务终止", FailedFor.ACCOUNT, "account_without_money"),
        ("AccountOverdueError: the account is overdue", FailedFor.ACCOUNT, "account_without_money"),
        ("ModelNotOpen", FailedFor.ACCOUNT, "model_not_activated"),
        ("OperationDenied.TosAccessDenied", FailedFor.ACCOUNT, "staging_not_readable"),
        ("超过项目的任务配额", FailedFor.QUOTA, ""),
        ("TPM quota reached", FailedFor.QUOTA, ""),
        ("RateLimitExceeded: too many requests", FailedFor.QUOTA, ""),
        ("模型服务过载", FailedFor.QUOTA, ""),
        ("触发限流", FailedFor.QUOTA, ""),
        ("第3行的内容超过上限", FailedFor.ROWS, ""),
        ("文件行数超过上限", FailedFor.ROWS, ""),
        ("输入文件大小超过5GB上限", FailedFor.ROWS, ""),
        ("the input file exceeds the limit of 50000 lines", FailedFor.ROWS, ""),
        ("exceeds size limit", FailedFor.ROWS, ""),
        ("LimitExceeded: too many lines", FailedFor.ROWS, ""),
        ("请求数量超出限制", FailedFor.ROWS, ""),
        (None, FailedFor.ROWS, ""),
    ],
)
def test_a_job_fails_for_money_or_a_quota_or_its_rows(
    message: str | None, failed_for: FailedFor, trouble: str
) -> None:
    found = state("Failed", Message=message)

    assert (found.failed_for, found.trouble) == (failed_for, trouble)
    assert found.problems[0].message
    assert not trouble or trouble in MESSAGES


def test_rows_that_ran_before_the_money_was_gone_count_and_the_others_wait() -> None:
    found = state("Failed", Message="账号欠费", RequestCounts={"Total": 9, "Completed": 4, "Failed": 1})

    assert found.status is BatchStatus.EXPIRED
    assert (found.failed_for, found.trouble, found.lines_promised) == (None, "", 4)


@pytest.mark.parametrize(
    "message",
    [
        "系统内部错误",
        "内部服务异常，请稍后重试",
        "系统繁忙",
        "Internal error, please try again",
        "InternalServiceError",
        "The system is busy.",
        "Service unavailable",
        "任务执行超时",
        "批量推理任务失败，输入文件不存在",
        "The input file does not exist",
        "InputFileNotFound",
    ],
)
@pytest.mark.parametrize("completed", [0, 400])
def test_a_job_that_the_system_failed_says_nothing_against_its_rows(message: str, completed: int) -> None:
    found = state("Failed", Message=message, RequestCounts={"Total": 500, "Completed": completed})

    assert (found.status, found.failed_for, found.problems) == (BatchStatus.EXPIRED, None, ())
    assert found.lines_promised == completed


@pytest.mark.parametrize("message", [None, "任务失败", "Stopped for an unheard reason", "模型异常", "?"])
@pytest.mark.parametrize("counts", [{"Completed": 4}, {"Failed": 1}, {"Completed": 4, "Failed": 1}])
def test_a_job_of_which_rows_ran_has_passed_its_check(message: str | None, counts: Any) -> None:
    found = state("Failed", Message=message, RequestCounts=counts)

    assert (found.status, found.failed_for) == (BatchStatus.EXPIRED, None)


@pytest.mark.parametrize("message", ["TPM quota reached", "账号欠费", "模型服务过载", "任务失败", None])
@pytest.mark.parametrize("counts", [None, {}, {"Completed": None, "Failed": 0}])
def test_so_has_one_that_has_written_answers_whatever_it_counts(message: str | None, counts: Any) -> None:
    found = state("Failed", Message=message, RequestCounts=counts, files=("results.jsonl",))

    assert (found.status, found.failed_for, found.trouble) == (BatchStatus.EXPIRED, None, "")
    assert found.result_files == ("results.jsonl",)


@pytest.mark.parametrize("files", [(), ("errors.jsonl",)])
def test_a_job_that_fails_for_a_row_after_some_ran_has_failed(files: tuple[str, ...]) -> None:
    counts = {"Total": 9, "Completed": 4, "Failed": 0}

    found = state("Failed", Message="第3行非json数据", RequestCounts=counts, files=files)

    assert (found.status, found.failed_for) == (BatchStatus.FAILED, FailedFor.ROWS)


@pytest.mark.parametrize("counts", [None, {}, {"Total": None, "Completed": None, "Failed": None}])
def test_counts_may_be_missing(counts: Any) -> None:
    found = state("Terminated", RequestCounts=counts)

    assert (found.requests_completed, found.requests_failed) == (None, None)


@pytest.mark.parametrize(
    ("phase", "message", "promised"),
    [
        ("Terminated", None, None),
        ("Failed", "系统内部错误", None),
        ("Failed", "第3行非json数据", 0),
        ("Running", None, 0),
    ],
)
@pytest.mark.parametrize("counts", [None, {}, {"Completed": None}])
def test_without_counts_nobody_knows_how_many_lines_one_that_passed_its_check_has_written(
    phase: str, message: str | None, promised: int | None, counts: Any
) -> None:
    assert state(phase, Message=message, RequestCounts=counts).lines_promised == promised


def test_a_running_job_promises_nothing_yet() -> None:
    assert state("Running", RequestCounts={"Total": 9, "Completed": 4, "Failed": 1}).lines_promised == 0


def test_a_running_job_says_what_it_waits_for() -> None:
    found = state("Running", Message="upstream_unavailable: http://127.0.0.1:9 refused")

    assert (found.trouble, found.problems[0].message) == (
        "upstream_unavailable",
        "upstream_unavailable: http://127.0.0.1:9 refused",
    )
    assert not found.status.is_terminal


@pytest.mark.parametrize(
    ("phase", "is_terminal"),
    [("Completed", True), ("Failed", True), ("Terminated", True), ("Terminating", False), ("Pausing", False), ("", False)],
)  # fmt: skip
def test_the_input_of_a_job_in_an_unknown_phase_is_still_read(phase: str, is_terminal: bool) -> None:
    assert Job.model_validate({"Id": JOB_ID, "Status": {"Phase": phase}}).is_terminal == is_terminal


def test_a_job_without_anything_but_its_id_is_read() -> None:
    found = state_of(Job.model_validate({"Id": JOB_ID}), input_file=None, result_files=())

    assert (found.status, found.name) == (BatchStatus.UNKNOWN, "")


@pytest.mark.parametrize(
    ("code", "message", "trouble"),
    [
        ("QuotaExceeded", "The workflow quota is used up", "job_quota_used_up"),
        ("QuotaExceeded.Workflow", "", "job_quota_used_up"),
        ("FlowLimitExceeded", "", ""),
        ("QuotaExceeded", "flow control", ""),
        ("RequestFlowLimitExceeded", "", ""),
        ("QuotaExceeded", "rpm", ""),
        ("RequestRefused", "触发限流", ""),
        ("RequestRefused", "模型服务过载，请稍后重试", ""),
        ("ServerOverloaded", "", ""),
        ("RequestRefused", "近7天创建任务的额度已用完", "job_quota_used_up"),
    ],
)
def test_only_a_quota_of_calls_passes_soon(code: str, message: str, trouble: str) -> None:
    assert lasting_quota(code, message) == trouble


@pytest.mark.parametrize(
    ("message", "custom_id"),
    [
        ("批量推理任务失败，custom_id=b存在重复", "b"),
        ("custom_id=b的body非json字符串", "b"),
        ("custom_id=row 7存在重复存在重复", "row 7存在重复"),
        ("custom_id=的body的body非json字符串", "的body"),
        ("第2行custom_id不存在", None),
        ("custom_id=b", None),
        ("文件格式错误", None),
        (None, None),
    ],
)
def test_a_failed_check_names_the_row_by_its_id_if_ark_does(
    message: str | None, custom_id: str | None
) -> None:
    assert state("Failed", Message=message).problems[0].custom_id == custom_id


@pytest.mark.parametrize(
    "message", ["custom_id=b存在重复", "custom_id=b的body非json字符串", "第2行非json数据"]
)
def test_the_row_that_a_check_names_is_refused_and_the_others_go_on(message: str) -> None:
    verdict = BatchVerdict(state("Failed", Message=message), (), attempts_left=1)

    ends = [verdict.settle(custom_id, line, None) for line, custom_id in enumerate("abc", 1)]

    assert [end and (end.custom_id, end.error_message) for end in ends] == [None, ("b", message), None]


@pytest.mark.parametrize("message", ["custom_id=zz存在重复", "第9行非json数据"])
def test_rows_that_are_not_run_for_a_row_that_nobody_knows_tell_what_the_check_said(message: str) -> None:
    verdict = BatchVerdict(state("Failed", Message=message), (), attempts_left=0)

    end = verdict.settle("a", 1, None)

    assert end
    assert end.error_code == "not_run"
    assert end.error_message.startswith(render_both(Problem("not_run")))
    assert message in end.error_message
