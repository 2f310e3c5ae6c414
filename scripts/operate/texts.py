"""What ``scripts/batchdrop`` says, in Chinese and English: one entry per code, the same placeholders in both."""

from __future__ import annotations

from typing import NamedTuple


class Text(NamedTuple):
    """One thing said in both languages."""

    zh: str
    en: str


TEXTS: dict[str, Text] = {
    # Where the bucket is
    "no_bucket": Text(
        "没有找到存储桶：没有设置 BUCKET_NAME，这个目录也没有正在运行的本地云。请启动本地云、用 --data 指明它的文件夹，或设置环境变量 {variables}。",
        "There is no bucket: BUCKET_NAME is not set, and no local cloud of this checkout runs. Start one, name its folder with --data, or set the environment variables {variables}.",
    ),
    "several_clouds": Text(
        "有多个本地云正在运行。请用 --data 指明其中一个的文件夹：{folders}。",
        "Several local clouds run. Name the folder of one of them with --data: {folders}.",
    ),
    "no_cloud_there": Text(
        "{folder} 上没有正在运行的本地云。请先启动它。", "No local cloud runs on {folder}. Start it first."
    ),
    "missing_variables": Text(
        "已设置 BUCKET_NAME，但缺少环境变量 {variables}。请设置它们，或用 --data 使用本地云。",
        "BUCKET_NAME is set, but {variables} are missing. Set them, or use a local cloud with --data.",
    ),
    "no_access": Text(
        "无法访问存储桶 {bucket}：{reason}。请检查桶名、地域、地址，以及密钥是否有读写 各个文件夹（inbox/、jobs/、work/、open/、ready/、running/、finished/、results/）的权限。",
        "No access to the bucket {bucket}: {reason}. Check its name, region and endpoint, and that the key may read and write its folders (inbox/, jobs/, work/, open/, ready/, running/, finished/, results/).",
    ),
    "unreachable": Text(
        "现在无法读写存储桶 {bucket}（{reason}）。可以稍后重复同一条命令，不会重复付费。",
        "The bucket {bucket} cannot be read or written now ({reason}). The same command can be repeated later; nothing is paid twice.",
    ),
    # Which job
    "no_such_job": Text(
        "没有“{target}”这个任务，inbox/ 里也没有这个文件。请检查任务编号（16 位十六进制）或文件名；batchdrop status 列出未完成的任务。",
        'There is no job, and no file in inbox/, of the name "{target}". Check the job id (16 hexadecimal digits) or the file name; batchdrop status lists the open jobs.',
    ),
    "not_planned": Text(
        "文件 {target} 还没有成为任务：可能正在检查，也可能被拒绝（见 {report}）。请稍后再试。",
        "The file {target} is no job yet: it is being checked, or was refused (see {report}). Try again in a moment.",
    ),
    "several_jobs": Text(
        "文件 {target} 对应多个任务，请用任务编号指明其中一个：",
        "The file {target} has several jobs; name one of them by its id:",
    ),
    # Cancel
    "cancelled": Text(
        "任务 {job}（{key}）已取消：不再发送新请求，正在运行的批次会被取消，已有的答案会保留。",
        "Job {job} ({key}) is cancelled: nothing more is sent, running batches are cancelled, answers that are there are kept.",
    ),
    "already_cancelled": Text(
        "任务 {job}（{key}）之前已经取消，现在再次催促尚未结束的部分。",
        "Job {job} ({key}) was cancelled before; what is still open is looked at again.",
    ),
    "already_closed": Text(
        "任务 {job}（{key}）已经结束，没有可以取消的内容。结果：{result}。",
        "Job {job} ({key}) is closed already; there is nothing to cancel. Its result: {result}.",
    ),
    "closed": Text(
        "任务 {job} 已结束：{counts}。结果：{result}。", "Job {job} is closed: {counts}. Its result: {result}."
    ),
    "still_open": Text(
        "任务 {job} 还有 {shards} 个分片在等待服务方结束批次，之后会自动完成。用 batchdrop status {job} 查看。",
        "{shards} shard(s) of job {job} wait for the provider to end their batches; the rest happens by itself. See batchdrop status {job}.",
    ),
    # Retry
    "retry_started": Text(
        "已把 {rows} 行未回答的数据重新发送，新的任务编号是 {job}（{key}）。已回答的行不会重发；完成后结果会更新。",
        "{rows} unanswered row(s) are sent again, as job {job} ({key}). Answered rows are not; the result is written anew at the end.",
    ),
    "nothing_to_retry": Text(
        "{target} 没有可以重发的行：能发送的行都已有答案，不产生费用。",
        "Nothing to retry for {target}: every row that can be sent has its answer. Nothing is paid.",
    ),
    "not_closed": Text(
        "任务 {job}（{key}）还没有结束。请等它结束，或先取消（batchdrop cancel {job}），再重试。",
        "Job {job} ({key}) is still open. Wait for its end, or cancel it first (batchdrop cancel {job}), then retry.",
    ),
    "records_gone": Text(
        "任务 {job}（{key}）的原始记录已按保留期删除，无法重试。请改名或修改 batch.yaml 后重新投放文件。",
        "The records of job {job} ({key}) were removed after their time, so it cannot be retried. Drop the file again under another name or recipe.",
    ),
    "records_damaged": Text(
        "任务 {job}（{key}）的记录与结果不一致，没有发送任何内容（{reason}）。请保留存储桶并报告此问题。",
        "The records of job {job} ({key}) do not fit its result; nothing was sent ({reason}). Keep the bucket as it is and report this.",
    ),
    # Status
    "nothing_open": Text(
        "没有未完成的任务。", "No job is open."
    ),
    "more_jobs": Text("另有 {jobs} 个未完成的任务没有列出。", "{jobs} more open jobs are not listed."),
}  # fmt: skip


def said(code: str, **values: object) -> str:
    """Both languages, the code behind the English."""
    text = TEXTS[code]
    return f"{text.zh.format(**values)}\n{text.en.format(**values)} [{code}]"


class Refusal(Exception):
    """The command cannot be carried out; its text says why, in both languages."""

    def __init__(self, code: str, *lines: str, **values: object) -> None:
        super().__init__("\n".join([said(code, **values), *lines]))
        self.code = code
