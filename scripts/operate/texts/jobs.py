"""What is said of jobs."""

from __future__ import annotations

from scripts.operate.texts.text import Text

TEXTS = {
    # Which job
    "no_such_job": Text(
        "没有“{target}”这个任务，inbox/ 里也没有这个文件。请检查任务编号（16 位十六进制）或文件名；scripts/batchdrop status 会列出未完成的任务。",
        'There is no job "{target}", and no such file in inbox/. Check the job id (16 hexadecimal digits) or the file name; scripts/batchdrop status lists the open jobs.',
    ),
    "not_planned": Text(
        "文件 {target} 还在检查，还没有成为任务。请稍后再试；如果文件有问题，会出现报告 {report}。",
        "The file {target} is still being checked and has no job yet. Try again in a moment; if something is wrong with it, the report {report} says so.",
    ),
    "was_refused": Text(
        "文件 {target} 被退回，没有成为任务，也没有产生费用。原因见 {report}；请改正后重新上传。",
        "The file {target} was refused, so it has no job, and nothing was charged. See {report}; correct the file and drop it again.",
    ),
    "erase_refused": Text(
        "要删除它的数据，请直接删除这些文件：{files}。", "To erase its data, delete these files: {files}."
    ),
    "is_hidden": Text(
        "{target} 这样的文件会被忽略（以 . 或 ~$ 开头、还没有传完，或者在这样的文件夹里）：它不会运行，也没有命令能抹除它。如果它还在 inbox/ 中，请直接删除。",
        "Files such as {target} are ignored (it, or its folder, begins with . or ~$, or it is not complete): it starts no job, and no command erases it. If it still lies in inbox/, delete it there.",
    ),
    "recipe_has_no_job": Text(
        "{target} 是配方，配方本身没有任务。请改用表格的文件名或任务编号；不带文件名的 scripts/batchdrop status 会列出未完成的任务。",
        "{target} is a recipe, and a recipe has no job of its own. Name a table or a job id; scripts/batchdrop status alone lists the open jobs.",
    ),
    "several_jobs": Text(
        "文件 {target} 对应多个任务，请用任务编号指定其中一个：",
        "The file {target} has several jobs; name one of them by its id:",
    ),
    # Cancel
    "cancelled": Text(
        "任务 {job}（{key}）已取消：不再发送新请求，正在运行的批次会被取消，已得到的答案会保留。",
        "Job {job} ({key}) is cancelled: nothing more is sent, running batches are cancelled, the answers received so far are kept.",
    ),
    "already_cancelled": Text(
        "任务 {job}（{key}）之前已经取消；现在再次处理尚未结束的部分。",
        "Job {job} ({key}) was cancelled before; what is still open is being handled again.",
    ),
    "already_closed": Text(
        "任务 {job}（{key}）已经结束，无需取消。结果：{result}。",
        "Job {job} ({key}) has already ended; there is nothing to cancel. Result: {result}.",
    ),
    "closed": Text(
        "任务 {job} 已结束：{counts}。结果：{result}。", "Job {job} has ended: {counts}. Result: {result}."
    ),
    "still_open": Text(
        "任务 {job} 还有 {shards} 个分片在等服务方结束批次，之后会自动完成。可用 scripts/batchdrop status {job} 查看。",
        "{shards} shard(s) of job {job} are waiting for the provider to end their batches; the rest happens by itself. scripts/batchdrop status {job} shows how far it is.",
    ),
    "still_blocked": Text(
        "任务 {job} 还有 {shards} 个分片没有结束。请先解决下面的问题，之后会自动完成：",
        "{shards} shard(s) of job {job} are still open. What follows must be mended first; the rest then happens by itself:",
    ),
    # Retry
    "retry_started": Text(
        "未回答的 {rows} 行已重新发送，新的任务编号是 {job}（{key}）。已回答的行不会重发；完成后结果会更新。",
        "{rows} unanswered row(s) are sent again as job {job} ({key}). Answered rows are not sent again; the result is updated at the end.",
    ),
    "retry_waits": Text(
        "未回答的 {rows} 行是新的任务 {job}（{key}），报价要先批准才发送：scripts/batchdrop approve {job}。",
        "The {rows} unanswered row(s) are job {job} ({key}), whose quote must be approved before they are sent: scripts/batchdrop approve {job}.",
    ),
    "retry_of_replaced": Text(
        "任务 {job}（{key}）没有重试：它的行没有发送，因为同名文件之后又放入了新版本，新版本是任务 {newer}。如果要的是旧版本，请把旧版本的文件重新放入，会再次等待批准。",
        "Job {job} ({key}) is not retried: its rows were not sent, and a later version of the file is job {newer}. If you want the earlier version, drop that file again; it will wait for approval again.",
    ),
    "nothing_to_retry": Text(
        "{target} 没有可以重发的行：能发送的行都已有答案。没有产生费用。",
        "Nothing to retry for {target}: every row that can be sent has its answer. Nothing is charged.",
    ),
    "not_closed": Text(
        "任务 {job}（{key}）还没有结束。请等它结束，或先用 scripts/batchdrop cancel {job} 取消再重试。",
        "Job {job} ({key}) is still open. Wait until it ends, or cancel it first with scripts/batchdrop cancel {job} and then retry.",
    ),
    "records_gone": Text(
        "任务 {job}（{key}）的记录已过保留期并被删除，无法重试。请把文件改名或修改 batch.yaml 后重新上传。",
        "The records of job {job} ({key}) are past their retention time and were removed, so it cannot be retried. Drop the file again under another name, or with a changed recipe.",
    ),
    "records_damaged": Text(
        "任务 {job}（{key}）的记录与结果不一致，因此没有发送任何内容（{reason}）。请保持存储桶不变，并报告这个问题。",
        "The records of job {job} ({key}) do not match its result, so nothing was sent ({reason}). Leave the bucket as it is and report this.",
    ),
    # Approve
    "about_to_approve": Text(
        "以上是任务 {job}（{key}）的报价。批准后就会发送并产生费用。",
        "This is the quote of job {job} ({key}). Once it is approved, it is sent and charged.",
    ),
    "approved": Text(
        "任务 {job}（{key}）已批准，正在发送。可用 scripts/batchdrop status 查看。",
        "Job {job} ({key}) is approved and on its way. scripts/batchdrop status shows how far it is.",
    ),
    "approved_before": Text(
        "任务 {job}（{key}）之前已经批准，没有改变什么。",
        "Job {job} ({key}) was approved before; nothing is changed.",
    ),
    "nothing_approved": Text(
        "没有确认，因此没有批准，任务 {job}（{key}）继续等待。请输入 yes 确认，或加上 --yes，或用 --digest 写上报价编号。",
        "It was not confirmed, so job {job} ({key}) goes on waiting. Type yes, or add --yes, or name the quote with --digest.",
    ),
    "not_approved": Text(
        "任务 {job}（{key}）未批准：", "Job {job} ({key}) was not approved:"
    ),
    # Erase
    "about_to_erase": Text(
        "将永久删除任务 {job}（{key}，{rows} 行）的全部数据：上传的文件、中间数据、结果和报告，以及服务方的文件；只保留编号、计数和用量。无法恢复。",
        "All data of job {job} ({key}, {rows} rows) will be deleted for good: the dropped file, working data, result and reports, and the provider's files. Ids, counts and usage are kept. This cannot be undone.",
    ),
    "erased": Text(
        "任务 {job}（{key}）的数据已抹除。同一个文件再次上传不会运行，也不会再次收费。",
        "The data of job {job} ({key}) is erased. The same file, dropped again, does not run and is not charged again.",
    ),
    "erased_before": Text(
        "任务 {job}（{key}）的数据之前已经抹除，没有可以删除的内容。",
        "The data of job {job} ({key}) was erased before; there is nothing left to delete.",
    ),
    "dropped_since": Text(
        "{key} 之后又上传过，仍在 inbox/ 中：它属于另一个任务，或者被退回，或者还没有检查。如果也要抹除，请几分钟后执行 scripts/batchdrop erase {typed}，或直接删除这个文件。",
        "{key} was dropped again since and is still in inbox/: it belongs to another job, was refused, or was not looked at yet. To erase it, too, run scripts/batchdrop erase {typed} in a few minutes, or delete the file.",
    ),
    "other_versions": Text(
        "{key} 的其他版本还有数据，任务编号：{jobs}。如果也要抹除，请逐个执行，例如 scripts/batchdrop erase {job}。",
        "Other versions of {key} still have their data, as jobs {jobs}. To erase them, too, name each, as in scripts/batchdrop erase {job}.",
    ),
    "nothing_erased": Text(
        "没有确认，因此没有删除任何内容。请输入 yes 确认，或加上 --yes。",
        "It was not confirmed, so nothing was deleted. Type yes, or add --yes.",
    ),
    "open_not_erased": Text(
        "任务 {job}（{key}）还没有结束，因此没有删除任何内容。请等它结束，或先用 scripts/batchdrop cancel {job} 取消。",
        "Job {job} ({key}) is still open, so nothing was deleted. Wait until it ends, or cancel it first with scripts/batchdrop cancel {job}.",
    ),
    "already_erased": Text(
        "任务 {job}（{key}）的数据已被抹除，没有可以取消或重试的内容。如需再次运行（会重新计费），请换一个文件名或修改内容后重新上传。",
        "The data of job {job} ({key}) was erased, so there is nothing left to cancel or to retry. To have the file answered (and charged) again, rename or change it and drop it again.",
    ),
    "being_erased": Text(
        "任务 {job}（{key}）的抹除已经开始，但还没有完成，因此不能取消或重试。如果之前的命令被中断了，请再执行一次 scripts/batchdrop erase {job}。",
        "Job {job} ({key}) is being erased, so it can be neither cancelled nor retried. If that command was interrupted, repeat it: scripts/batchdrop erase {job}.",
    ),
    "no_provider_key": Text(
        "还要删除服务方的文件，但该服务方的设置缺失或有误，因此没有删除任何内容。请按函数中的值设置下面写明的变量（百炼在北京以外的地域还要设置 DASHSCOPE_BASE_URL）；本地云请在启动时用 --providers 写上该服务。详情：{reason}。",
        "The provider's files are to be deleted, too, but its settings are missing or wrong, so nothing was deleted. Set the variables that are named here as the functions have them (and DASHSCOPE_BASE_URL if Bailian's region is not Beijing); start a local cloud with its name in --providers. What is wrong: {reason}.",
    ),
    # Status
    "being_checked": Text(
        "没有未完成的任务；{files} 个刚放入的文件正在检查。", "No job is open; {files} file(s) dropped lately are being validated."
    ),
    "nothing_open": Text(
        "没有未完成的任务。", "No job is open."
    ),
    "more_jobs": Text("另有 {jobs} 个未完成的任务没有列出。", "{jobs} more open jobs are not listed."),
}  # fmt: skip
