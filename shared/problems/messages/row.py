"""Why a row has no answer, or what is odd about the one that it has."""

from __future__ import annotations

from shared.problems.messages.message import Message

ROW_MESSAGES: dict[str, Message] = {
    # Answered
    "model_refused": Message(
        "模型拒绝回答这一行，它的答复在 content 列。请检查该行内容和提示词；这一行已经计费。",
        "The model refused to answer this row; content holds its words. Check the row and the prompt. The row was charged.",
    ),
    "answer_empty": Message(
        "模型正常结束，但没有输出任何内容。如果不该为空，请检查该行内容和提示词；这一行已经计费。",
        "The model ended normally and wrote nothing. If that cannot be right, check the row and the prompt. The row was charged.",
    ),
    "answer_in_other_form": Message(
        "模型服务返回的内容不是 OpenAI 的格式，但其中恰好有一个答案，已放入 content 列；其余内容在 extra 列。如果经常出现，请管理员检查服务地址。",
        "The reply is not in OpenAI's form. It holds one answer, which is in content; the rest is in extra. If it happens often, the operator should check the provider's address.",
    ),
    "answer_with_error": Message(
        "答案已返回，在 content 列；但模型服务同时报了错误：{error}。请检查答案是否完整。这一行可能已经计费，不会自动重发；如需重新生成，请把这一行重新上传。",
        "The answer came and is in content, but the provider reported an error beside it: {error}. Check whether the answer is whole. The row may have been charged and is not sent again by itself; to have it answered anew, drop it again.",
    ),
    "answers_differ": Message(
        "模型服务对这一行返回了不止一个答案，而且内容不同。第一个在 content 列，其余在 extra 列的 other_lines 里；都可能已经计费。请确认用哪一个；如果经常出现，请告知管理员。",
        "The provider returned more than one answer for this row, and they differ. The first is in content, the others are in extra, under other_lines. All of them may have been charged. Decide which one to use; if it happens often, tell the operator.",
    ),
    # No answer, since nobody could be asked
    "model_not_served": Message(
        "任务里的模型服务没有名为“{model}”的模型，所以没有询问任何一行。请在 batch.yaml 里改为模型服务所用的名称后重新上传；如果名称没有写错，请管理员部署该模型，再执行 scripts/batchdrop retry。",
        'The model server of the task has no model "{model}", so no row was asked. Let batch.yaml name it as the server does and drop the file again; or, if the name is right, the operator must serve it and then run scripts/batchdrop retry.',
    ),
    # No answer, although the provider reported success
    "no_answer": Message(
        "模型服务返回成功，但其中没有答案（finish_reason：{finish_reason}）。如为 length，请加大 max_tokens；其他情况请检查该行内容和提示词。返回的其他内容都在 extra 列。这一行可能已经计费，不会自动重发；如需重发，请执行 scripts/batchdrop retry。",
        "The provider reported success, but its reply holds no answer (finish_reason: {finish_reason}). If that is length, raise max_tokens; otherwise check the row and the prompt. Whatever else came back is in extra. The row may have been charged and is not sent again by itself; scripts/batchdrop retry does so.",
    ),
    "answer_filtered": Message(
        "答案被模型服务的内容审核拦截（finish_reason：{finish_reason}）。请修改该行内容或提示词。这一行可能已经计费，不会自动重发。",
        "The provider's content filter withheld the answer (finish_reason: {finish_reason}). Change the row or the prompt. The row may have been charged and is not sent again by itself.",
    ),
    "answer_interrupted": Message(
        "模型服务在输出任何内容之前就中断了这一行（finish_reason：{finish_reason}）。在允许的次数内会自动重发。",
        "The provider interrupted this row before it wrote anything (finish_reason: {finish_reason}). The row is sent again while attempts are left.",
    ),
    "empty_body": Message(
        "模型服务返回成功，但内容为空。在允许的次数内会自动重发；如果反复出现，请告知管理员。",
        "The provider reported success with an empty reply. The row is sent again while attempts are left; if it keeps happening, tell the operator.",
    ),
    "line_unreadable": Message(
        "模型服务返回的这一行结果无法读取（不是完整的 JSON，或嵌套过深）。原文在 extra 列的 line 里。这一行可能已经计费，不会自动重发；如需重发，请执行 scripts/batchdrop retry。",
        "The provider's result line for this row cannot be read (no whole JSON, or nested too deep). Its text is in extra, under line. The row may have been charged and is not sent again by itself; scripts/batchdrop retry does so.",
    ),
    "unknown": Message(
        "模型服务没有返回答案，也没有说明原因。如需重发，请执行 scripts/batchdrop retry。",
        "The provider returned no answer for this row and gave no reason. scripts/batchdrop retry sends it again.",
    ),
    # Decided by the end of the batch
    "missing": Message(
        "批次已完成，但结果里没有这一行。如需重发，请执行 scripts/batchdrop retry。",
        "The batch is complete, but the provider returned no line for this row. scripts/batchdrop retry sends it again.",
    ),
    "expired": Message(
        "这一行还没有运行，批次的期限就到了。可以在配方里加大 completion_window，再执行 scripts/batchdrop retry。",
        "The batch's completion window ended before this row ran. Raise completion_window in the recipe, or run scripts/batchdrop retry.",
    ),
    "perhaps_asked": Message(
        "这一行作为样本实时问过，但没有等到答案，可能已经计费。为避免重复付费，没有再发送。如需重发，请执行 scripts/batchdrop retry。",
        "This row was asked in real time for the sample, but no answer came, and it may have been charged. So that it is not paid for twice, it was not sent again; scripts/batchdrop retry does so.",
    ),
    "broken_off": Message(
        "这一行还没有运行，批次就中断了；原因见后。请管理员解决后执行 scripts/batchdrop retry。",
        "The batch broke off before this row ran; the reason is below. The operator should mend it, then run scripts/batchdrop retry.",
    ),
    "never_ended": Message(
        "批次一直没有结束，等待的期限已过。它可能仍在运行并计费；请管理员在服务方的控制台确认后，再执行 scripts/batchdrop retry。",
        "The batch never ended, and its deadline has passed. It may still run and be charged: the operator should look in the provider's console before running scripts/batchdrop retry.",
    ),
    "cancelled": Message(
        "这一行还没有运行，任务或批次就被取消了。",
        "The job or its batch was cancelled before this row ran.",
    ),
    "not_run": Message(
        "没有运行：模型服务因为其他行的问题拒绝了整个批次。请改正那些行，再执行 scripts/batchdrop retry。",
        "Not run: the provider refused the whole batch because of other rows in it. Correct those rows, then run scripts/batchdrop retry.",
    ),
    "batch_failed": Message(
        "模型服务拒绝了整个批次，没有说明原因。请告知管理员。",
        "The provider refused the whole batch and gave no reason. Tell the operator.",
    ),
    # In a preview only
    "no_answer_now": Message(
        "模型服务没有及时给出答案（{reason}）。这只是预览：可以稍后再试，也可以直接上传文件，批量任务会自动重试。",
        "The provider gave no answer in time ({reason}). This is only a preview: try again later, or drop the file, since batches try again by themselves.",
    ),
    "only_in_batches": Message(
        "测试模型 {model} 只在批量任务里回答，不能预览。请直接上传文件。",
        "The test model {model} answers in batches only, so it has no preview. Drop the file.",
    ),
    # In the report of a job
    "answered_twice": Message(
        "{rows} 行收到了不止一个答案，而且内容不同（error_code 为 answers_differ）。其余答案在 extra 列的 other_lines 里，请确认用哪一个；都可能已经计费。",
        "{rows} row(s) got more than one answer, and these differ (error_code is answers_differ). The others are in extra, under other_lines; decide which to use. All of them may have been charged.",
    ),
    "lines_unmatched": Message(
        "模型服务返回的结果里有 {lines} 条没有放进本文件的任何一行：custom_id 缺失、对不上，不是结果行，或者同一行的结果超过 20 条。原文在 {file}，可能已经计费，请先查看。在此期间，没有结果的行不会自动重发；确认后如需重发，请执行 scripts/batchdrop retry。",
        "{lines} line(s) of the provider's results stand in no row of this file: their custom_id is missing or matches none, they are no result lines, or they are more than 20 of the same row. Their text is in {file}; they may have been charged, so look there first. Rows without a line are therefore not sent again by themselves; scripts/batchdrop retry does so.",
    ),
    "rows_same": Message(
        "{rows} 行的提问与前面某一行完全相同，因此不再发送，也不收费，直接用那一行的答案。如果希望每一行都单独回答，请在 batch.yaml 中写 dedupe: false，再重新上传表格。",
        "{rows} row(s) ask exactly what an earlier row asks, so they are neither sent nor charged, and have its answer. To have every row answered by itself, write dedupe: false in batch.yaml and drop the table again.",
    ),
    "rows_reused": Message(
        "{rows} 行的提问，这个文件夹以前的任务已经问过并得到回答，因此不再发送，也不收费，直接沿用当时的答案。如果希望重新提问，请删除 batch.yaml 中的 reuse，再重新上传表格。",
        "{rows} row(s) ask what an earlier job of this folder was answered, so they are neither sent nor charged, and have that answer. To ask again, remove reuse from batch.yaml and drop the table again.",
    ),
    "answers_left_out": Message(
        "这个文件夹以前的答案太多，最早的 {answers} 个没有查找；提问与它们相同的行会重新发送。每次最多查找最新的 100 万个答案、200 个分片。",
        "This folder has so many earlier answers that the oldest {answers} were not looked through; rows that ask the same as one of them are sent. The newest million answers, of the newest 200 shards, are looked through.",
    ),
    "answers_cut": Message(
        "{rows} 行的答案因为达到长度上限而被截断（finish_reason 为 length）。请在配方中加大 parameters: {{max_tokens: …}}；如果上传的是请求行，请加大每行 body 里的 max_tokens。改好后重新上传，会重新计费。",
        "{rows} row(s) have answers that were cut off at the length limit (finish_reason is length). Raise parameters: {{max_tokens: …}} in the recipe, or max_tokens in the body of each request line, and drop the file again; it is charged again.",
    ),
    "answers_filtered": Message(
        "{rows} 行的答案被模型服务的内容审核截断或拦截（finish_reason 为 content_filter）。请检查这些行的内容和提示词。",
        "{rows} row(s) have answers that the provider's content filter cut off or withheld (finish_reason is content_filter). Check these rows and the prompt.",
    ),
}
