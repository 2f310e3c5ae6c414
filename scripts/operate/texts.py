"""What ``scripts/batchdrop`` says, in Chinese and English: one entry per code."""

from __future__ import annotations

from typing import NamedTuple

from shared.problems.escapes import escaped_line


class Text(NamedTuple):
    """One thing said in both languages."""

    zh: str
    en: str


ERASED_NAME = Text("文件名已抹除", "name erased")

TEXTS: dict[str, Text] = {
    # Where the bucket is
    "no_bucket": Text(
        "没有找到存储桶：没有设置 BUCKET_NAME，这个目录也没有正在运行的本地云。请在另一个终端启动本地云（.venv/bin/python -m scripts.localcloud --data ~/batchdrop）后再试，或用 --data 指定已在运行的那一个的文件夹；如果文件在阿里云上，请设置环境变量 {variables}。",
        "No bucket found: BUCKET_NAME is not set, and no local cloud of this checkout is running. Start one in another terminal (.venv/bin/python -m scripts.localcloud --data ~/batchdrop) and try again, or name the folder of one that runs with --data. For a bucket on Alibaba Cloud, set the environment variables {variables}.",
    ),
    "several_clouds": Text(
        "有多个本地云正在运行。请用 --data 指定其中一个的文件夹：{folders}。",
        "Several local clouds are running. Name the folder of one of them with --data: {folders}.",
    ),
    "no_cloud_there": Text(
        "文件夹 {folder} 没有正在运行的本地云。请先启动它。", "No local cloud is running on {folder}. Start it first."
    ),
    "missing_variables": Text(
        "已设置 BUCKET_NAME，但缺少环境变量 {variables}。请设置它们，或用 --data 使用本地云。",
        "BUCKET_NAME is set, but these variables are not: {variables}. Set them, or use a local cloud with --data.",
    ),
    "no_access": Text(
        "无法访问存储桶 {bucket}：{reason}。请检查桶名、地域、地址，以及密钥是否有权读写各个文件夹（inbox/、jobs/、work/、open/、ready/、running/、finished/、results/）。",
        "The bucket {bucket} cannot be accessed: {reason}. Check its name, region and endpoint, and that the key may read and write its folders (inbox/, jobs/, work/, open/, ready/, running/, finished/, results/).",
    ),
    "unreachable": Text(
        "暂时无法读写存储桶 {bucket}（{reason}）。请稍后再执行同一条命令，不会重复计费。",
        "The bucket {bucket} cannot be read or written at the moment ({reason}). Run the same command again later; nothing is charged twice.",
    ),
    "bucket_versioned": Text(
        "存储桶 {bucket} 开启过版本控制：删除和抹除的内容仍会保留在历史版本中，同一行也可能重复计费。请换用从未开启过版本控制的存储桶，并用生命周期规则清理历史版本。",
        "The bucket {bucket} has, or had, versioning: what is deleted or erased stays in previous versions, and rows may be paid for twice. Use a bucket that never had it, and remove the previous versions with a lifecycle rule.",
    ),
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
        "文件 {target} 被退回，没有成为任务，也没有产生费用。原因见 {report}；请改正后重新上传。如果要删除它的数据，请直接删除这些文件：{files}。",
        "The file {target} was refused, so it has no job, and nothing was charged. See {report}; correct the file and drop it again. To erase its data, delete these files: {files}.",
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
    # Recipes
    "no_such_file": Text(
        "没有 {file} 这个文件。请检查路径。", "There is no file {file}. Check the path."
    ),
    "is_a_folder": Text(
        "{file} 是文件夹，不是文件。请指定其中的一个表格。", "{file} is a folder and not a file. Name a table in it."
    ),
    "name_is_no_text": Text(
        "{file} 的名字不是 UTF-8 编码，存储桶里不能有这样的名字。请把文件（或它所在的文件夹）重命名后再试。",
        "The name {file} is not UTF-8, and nothing in a bucket can be called so. Rename the file, or its folder, and try again.",
    ),
    "file_error": Text(
        "无法读写文件：{reason}。请检查路径和权限。", "A file cannot be read or written: {reason}. Check the path and its permissions."
    ),
    "starts_nothing": Text(
        "{file} 不会启动任何任务：系统会忽略这个名字。请指定一个表格。",
        "{file} starts no job: files of this name are ignored. Name a table.",
    ),
    "would_be_refused": Text(
        "{file} 放进 inbox/ 会被退回。报告如下：", "{file} would be refused in inbox/. This is the report:"
    ),
    "recipe_is_right": Text(
        "{file} 没有错误。用 scripts/batchdrop recipe show 加上旁边表格的名字，可以看到会发送什么。",
        "{file} has no mistakes. For a table beside it, scripts/batchdrop recipe show TABLE prints what would be sent.",
    ),
    "bad_rows_skipped": Text(
        "有 {rows} 行不会发送，会带着原因出现在结果里：", "{rows} row(s) would not be sent, and come back with the reason:"
    ),
    "first_row": Text(
        "第一行会这样发送（这里没有发送，也不收费）：", "The first row would be sent like this (nothing was sent or charged):"
    ),
    "recipe_exists": Text(
        "{folder} 里已经有 {name}，因此没有写新的配方。请修改它，或先把它改名或移走。",
        "There is {name} in {folder} already, so no recipe was written. Edit that one, or rename or move it first.",
    ),
    "recipe_misnamed": Text(
        "{folder} 里已经有 {name}，但配方只能叫 batch.yaml，这个名字不会被读取，因此没有写新的配方。如果它就是您的配方，请改名为 batch.yaml；否则请移走。",
        "There is {name} in {folder}, but a recipe must be called batch.yaml, and one of another name is not read; no new one was written. If it is your recipe, rename it to batch.yaml; otherwise move it away.",
    ),
    "needs_no_recipe": Text(
        "{file} 这种文件的每一行就是一个请求，不需要 batch.yaml。可以用 scripts/batchdrop recipe show {typed} 检查，然后直接放进 inbox/。",
        "The lines of a file such as {file} are requests themselves, so it needs no recipe. Check it with scripts/batchdrop recipe show {typed} and put it into inbox/ as it is.",
    ),
    "unreadable_table": Text(
        "无法读取 {file}，因此没有写配方：", "{file} cannot be read, so no recipe was written:"
    ),
    "no_columns": Text(
        "{file} 的第一行没有可用的列名（都是空的或重复的），因此没有写配方。请在第一行写上列名。",
        "The first row of {file} has no usable names of columns (all are empty or repeated), so no recipe was written. Write the names into the first row.",
    ),
    "only_a_header": Text(
        "{file} 只有一行（“{found}”），没有数据，因此没有写配方。第一行要写列名，下面是数据。请补上数据再试。",
        '{file} has just one line ("{found}") and no rows, so no recipe was written. The first line has the names of the columns, the rows stand below it. Add rows and try again.',
    ),
    "no_header": Text(
        "{file} 的第一行（“{found}”）看起来是数据，不是列名，因此没有写配方。没有列名、只有编号和内容两列的表格不需要 batch.yaml，直接放进 inbox/ 即可；要用配方，请先在最上面加一行列名。",
        'The first row of {file} ("{found}") looks like data and not like names of columns, so no recipe was written. A table of an id and a text without names needs none: put it into inbox/ as it is. For a recipe, write a row of names above it.',
    ),
    "recipe_written": Text(
        "已写好 {recipe}，默认对“{column}”列提问。请打开它修改，再用 scripts/batchdrop recipe show {typed} 查看会发送什么。",
        'Wrote {recipe}, which asks about the column "{column}". Edit it, then let scripts/batchdrop recipe show {typed} print what would be sent.',
    ),
    # Status
    "nothing_open": Text(
        "没有未完成的任务。", "No job is open."
    ),
    "more_jobs": Text("另有 {jobs} 个未完成的任务没有列出。", "{jobs} more open jobs are not listed."),
}  # fmt: skip


def said(code: str, **values: object) -> str:
    """Both languages, the code behind the English. A value may be a ``Text`` of its own."""
    text = TEXTS[code]
    zh = {
        name: escaped_line(str(each.zh if isinstance(each, Text) else each)) for name, each in values.items()
    }
    en = {
        name: escaped_line(str(each.en if isinstance(each, Text) else each)) for name, each in values.items()
    }
    return f"{text.zh.format(**zh)}\n{text.en.format(**en)} [{code}]"


class Refusal(Exception):
    """The command cannot be carried out; its text says why, in both languages."""

    def __init__(self, code: str, *lines: str, **values: object) -> None:
        super().__init__("\n".join([said(code, **values), *lines]))
        self.code = code
