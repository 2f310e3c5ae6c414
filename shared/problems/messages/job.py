"""What may keep a job from going on, and an answer from its columns."""

from __future__ import annotations

from shared.problems.messages.message import Message

JOB_MESSAGES: dict[str, Message] = {
    # A job that cannot go on or come back
    "result_removed": Message(
        "这个文件已在 {closed_at} 处理完毕（任务 {job_id}），但结果已不在 results/ 中；用来重新生成结果的中间数据只保留 {days} 天，现已清除。这次没有运行，也没有产生费用。如需再次运行（会重新计费），请修改文件内容或换一个文件名后重新上传。",
        "The file was answered at {closed_at} (job {job_id}), but its result is no longer in results/, and the working data to rebuild it is kept for {days} days only and is gone. Nothing ran this time and nothing was charged. To have it answered (and charged) again, change the file or rename it, and drop it again.",
    ),
    "job_erased": Message(
        "这个文件的任务（{job_id}）已于 {erased_at} 应要求抹除：表格、请求、答案和结果都已删除，只留下编号、计数和用量。这次没有运行，也没有产生费用。如果不该再有这个文件，请从 inbox/ 中删除；如需再次运行（会重新计费），请换一个文件名或修改内容后重新上传。",
        "The job of this file ({job_id}) was erased at {erased_at}, because somebody asked for it: table, requests, answers and result are gone, only ids, counts and usage are kept. Nothing ran this time and nothing was charged. If the file is not to be here, delete it from inbox/; to have it answered (and charged) again, rename or change it and drop it again.",
    ),
    "work_removed": Message(
        "该文件的任务（{job_id}）还没有完成，但所需的中间数据（work/{job_id}/，保留 {days} 天）已被删除，因此任务不再继续，也不会再提交请求。请修改文件内容或换一个文件名后重新上传（会重新计费），并告知管理员。",
        "The job ({job_id}) is not finished, but the working data it needs (work/{job_id}/, kept for {days} days) was removed, so it stops here and sends nothing more. Change the file or rename it, drop it again (it is charged again), and tell the operator.",
    ),
    "waited_too_long": Message(
        "等待了 {days} 天仍未能提交，因此没有提交，也没有产生费用。请告知管理员，并重新上传一个包含这些行的文件。",
        "The request waited for {days} days and could not be sent, so it was neither sent nor charged. Tell the operator, and drop a file with these rows again.",
    ),
    "perhaps_sent": Message(
        "{days} 天以前提交这些行时被中断，当时是否已经提交成功无从得知：模型服务查不到这么早的批次。为避免重复付费，没有再次提交。请管理员在服务方的控制台或账单中确认，确实没有运行过，再执行 scripts/batchdrop retry。",
        "Sending these rows was interrupted more than {days} days ago, and whether a batch came of it cannot be found out: the provider does not list batches that old. So that nothing is paid for twice, they were not sent again. The operator should look at the provider's console or bill, and run scripts/batchdrop retry only if they did not run.",
    ),
    "requests_removed": Message(
        "请求数据已被删除，因此没有提交，也没有产生费用。请告知管理员，并重新上传一个包含这些行的文件。",
        "The request was removed before it could be sent, so it was neither sent nor charged. Tell the operator, and drop a file with these rows again.",
    ),
    # Answers that cannot be taken apart into columns
    "cell_cut": Message(
        "单元格最多容纳 32,767 个字符，“{columns}”的内容更长，已截断。完整内容在 {file} 中。",
        "A cell holds 32,767 characters at most, and the text in {columns} is longer, so it was cut. The whole text is in {file}.",
    ),
    "too_many_columns": Message(
        "Excel 工作表最多 {max_columns:,} 列，而结果有 {columns:,} 列。请把 output 的 format 改为 csv、jsonl 或 parquet，然后重新放入文件。",
        "A sheet holds {max_columns:,} columns at most, but the result has {columns:,}. Set the format under output to csv, jsonl or parquet, and drop the file again.",
    ),
    "answer_not_json": Message(
        "答案不是 JSON（{reason}），原文在 content 列。如果提示词是您自己写的，请在其中要求只输出 JSON；classify 和 extract 已经这样要求，可换一个模型再试。如果答案被截断，请加大 max_tokens。",
        "The answer is not JSON ({reason}); content holds it unchanged. In a prompt of your own, ask for nothing but JSON; classify and extract do so already, so try another model. If the answer is cut off, raise max_tokens.",
    ),
    "answer_does_not_fit": Message(
        "答案与要求的列不符（{reason}），原文在 content 列。请检查提示词和 columns（或 classify、extract）。",
        "The answer does not fit the columns that were asked for ({reason}); content holds it unchanged. Check the prompt and columns (or classify, extract).",
    ),
    # Answers that were taken apart although they are not plain JSON
    "answer_had_prose": Message(
        "答案除 JSON 外还有其他文字。各列取自其中唯一的 JSON，原文在 content 列。请抽查；如需避免，请在提示词中要求只输出 JSON。",
        "There is other text around the JSON of the answer. The columns come from the one JSON document in it; content holds the answer unchanged. Check a few such rows; to avoid this, ask for nothing but JSON in the prompt.",
    ),
    "answer_was_bare": Message(
        "答案不是 JSON，但正好是允许的值之一，已填入该列；原文在 content 列。请抽查几行。",
        "The answer is no JSON, but it is exactly one of the values that the column may have, which has it now; content holds the answer unchanged. Check a few such rows.",
    ),
    "answer_had_thinking": Message(
        "答案的 JSON 前面是思考过程，已跳过；原文在 content 列。如需避免，请关闭思考模式，或让模型服务把思考过程放在 reasoning_content 中返回。",
        "The model's thinking stands before the JSON of the answer and was skipped; content holds the answer unchanged. To avoid this, turn thinking off, or have the model server return it as reasoning_content.",
    ),
    "answer_had_raw_characters": Message(
        "答案的 JSON 字符串中有未转义的换行、制表符或其他控制字符，已按原样读取；原文在 content 列。如需避免，请在 parameters 中设置 response_format，让模型输出标准 JSON。",
        "The strings in the JSON of the answer hold line ends, tabs or other control characters that are not escaped. They were read as they are; content holds the answer unchanged. To avoid this, set response_format in parameters, so that the model writes valid JSON.",
    ),
}
