"""What may be wrong with a request line."""

from __future__ import annotations

from shared.problems.messages.message import Message

REQUEST_MESSAGES: dict[str, Message] = {
    "line_too_large": Message(
        "该请求有 {size_bytes:,} 字节，超过服务上限 {max_bytes:,} 字节。请缩短内容。",
        "The request has {size_bytes:,} bytes; the service takes at most {max_bytes:,}. Shorten it.",
    ),
    "line_large": Message(
        "该请求有 {size_bytes:,} 字节；超过 {warn_bytes:,} 字节的请求可能被服务拒绝。",
        "The request has {size_bytes:,} bytes; the service may reject requests over {warn_bytes:,}.",
    ),
    "bad_json": Message(
        "第 {position} 个字符处不是有效的 JSON（{reason}；附近是“{found}”）。请修正；每行必须是一个完整的 JSON 对象。",
        'This is not valid JSON at character {position} ({reason}; near "{found}"). Correct it; each line must be one whole JSON object.',
    ),
    "json_constant": Message(
        "{found} 不是标准 JSON。请改为数字或 null。",
        "{found} is not standard JSON. Write a number or null instead.",
    ),
    "json_number": Message(
        "数字“{found}”过大，有的 JSON 程序读不了（最大约 1.8e308）。请改小；如果是编号，请加上引号。",
        'The number "{found}" is too large for some readers of JSON, which go up to about 1.8e308. Make it smaller, or, if it is an id, put it in quotes.',
    ),
    "duplicate_key": Message(
        "键“{found}”在同一个对象中出现多次。请只保留一个。",
        'The key "{found}" appears more than once in one object. Keep one of them.',
    ),
    "json_too_deep": Message(
        "嵌套超过 {max_depth} 层。请简化该请求。",
        "The request is nested more than {max_depth} levels deep. Simplify it.",
    ),
    "not_an_object": Message(
        "该行不是 JSON 对象。每行必须是一个以 {{ 开头、以 }} 结尾的完整请求。",
        "This line is not a JSON object. Each line must be one whole request, from {{ to }}.",
    ),
    "custom_id_not_text": Message(
        '必须是非空字符串，实际为“{found}”（“-”表示没有写）。请写成带引号的文本，如 "q-001"。',
        'It must be a non-empty string but is "{found}" ("-" means it is missing). Write text in quotes, such as "q-001".',
    ),
    "empty_custom_id": Message(
        "编号是空的。请给每行一个文件内唯一的编号。",
        "The id is empty. Give each row an id that is unique within the file.",
    ),
    "custom_id_too_long": Message(
        "编号有 {chars} 个字符，最多 {max_chars} 个（“{found}”）。请缩短。",
        'The id has {chars} characters; at most {max_chars} are allowed ("{found}"). Shorten it.',
    ),
    "duplicate_custom_id": Message(
        "与第 {first_line} 行重复（“{found}”）。请改为文件内唯一的值。",
        'Same as line {first_line} ("{found}"). Make it unique within the file.',
    ),
    "wrong_method": Message(
        '必须是 POST，实际为“{found}”（“-”表示没有写）。请改为 "POST"。',
        'It must be POST but is "{found}" ("-" means it is missing). Write "POST".',
    ),
    "unsupported_url": Message(
        "不支持“{found}”（“-”表示没有写）。请使用以下之一：{endpoints}。",
        '"{found}" is not supported ("-" means it is missing). Use one of: {endpoints}.',
    ),
    "mixed_url": Message(
        "“{found}”与第 {first_line} 行的“{first}”不同。一个文件只能有一个 url，请拆成多个文件。",
        '"{found}" differs from "{first}" on line {first_line}. A file can have only one url; split it into several files.',
    ),
    "body_not_an_object": Message(
        "必须是 JSON 对象，实际为“{found}”（“-”表示没有写）。请把消息等请求内容写在 body 里。",
        'It must be a JSON object but is "{found}" ("-" means it is missing). Put what is asked, such as the messages, into body.',
    ),
    "model_not_text": Message(
        '必须是模型名称，实际为“{found}”（“-”表示没有写）。请填写模型名称，例如 "qwen-plus"。',
        'It must be the name of a model but is "{found}" ("-" means it is missing). Write for example "qwen-plus".',
    ),
    "not_a_model_name": Message(
        "“{found}”不是模型名称：只能写一个名称本身（最多 200 个字符），不能有空格、引号、全角或看不见的字符、网址、“..”，以及 ? # % & 这样的符号。请只写名称，例如 {model}。",
        '"{found}" is not the name of a model: it is one name alone, of up to 200 characters, without spaces, quotes, full-width or invisible characters, signs such as ? # % &, "..", or the address of a page. Write the name alone, for example {model}.',
    ),
    "mixed_model": Message(
        "“{found}”与第 {first_line} 行的“{first}”不同。一个文件只能用一个模型，请拆成多个文件。",
        '"{found}" differs from "{first}" on line {first_line}. A file can use only one model; split it into several files.',
    ),
    "unknown_model": Message(
        "“{found}”不在已知的模型列表中。您是不是想写“{nearest}”？如果名称有误，服务会拒绝整个文件。",
        '"{found}" is not in the list of known models. Did you mean "{nearest}"? If the name is wrong, the service rejects the whole file.',
    ),
    "unfamiliar_model": Message(
        "“{found}”不在已知的模型列表中。请核对名称，例如 qwen-plus 或 qwen-flash；{other}的模型还要写 {choose}。如果名称有误，服务会拒绝整个文件。",
        '"{found}" is not in the list of known models. Check the name, which is for example qwen-plus or qwen-flash; a model of {other} needs {choose}, too. If it is wrong, the service rejects the whole file.',
    ),
    "mismatched_test_model": Message(
        "测试模型 batch-test-model 只能与 /v1/chat/ds-test 一起使用，但这里是“{model}”和“{endpoint}”。请改正其中之一。",
        'batch-test-model works only with /v1/chat/ds-test, and the other way round, but this is "{model}" with "{endpoint}". Change one of them.',
    ),
    "mixed_thinking": Message(
        "“{found}”与第 {first_line} 行的“{first}”不同（“-”表示没有写）。一个文件只能有一种思考模式，请统一，或拆成多个文件。",
        '"{found}" differs from "{first}" on line {first_line} ("-" means it is missing). A file can have only one thinking mode; make them equal or split the file.',
    ),
    "unknown_parameter": Message(
        "不认识参数“{found}”，已照样发送。您是不是想写“{nearest}”？服务可能忽略它，也可能拒绝请求。",
        'The parameter "{found}" is not known and was sent as it is. Did you mean "{nearest}"? The service may ignore it or refuse the requests.',
    ),
    "thinking_not_bool": Message(
        "必须是 true 或 false，实际为“{found}”。请改正。",
        'It must be true or false but is "{found}". Correct it.',
    ),
    "extra_body": Message(
        "extra_body 是 SDK 的写法，在批量请求中无效。请把其中的参数（如 enable_thinking）直接放在上一层。",
        "extra_body is an SDK option and has no effect in a batch. Move what is in it (such as enable_thinking) one level up.",
    ),
    "no_messages": Message(
        '没有消息列表，或列表是空的。请写成 [{{"role": "user", "content": "…"}}]。',
        'The list of messages is missing or empty. Write [{{"role": "user", "content": "…"}}].',
    ),
    "message_without_role": Message(
        '每条消息都必须是带 role 的对象，实际为“{found}”。请写成 {{"role": "user", "content": "…"}}。',
        'Each message must be an object with a role, but this is "{found}". Write {{"role": "user", "content": "…"}}.',
    ),
    "unknown_role": Message(
        "模型服务不支持 role“{found}”（区分大小写），可用的值：{write}。",
        'The service knows no role "{found}"; capitals matter. Write {write}.',
    ),
    "wrong_content": Message(
        '必须是带引号的文本，或由内容块组成的列表，实际为“{found}”（“-”表示没有写）。请写成 "content": "…"。',
        'It must be text in quotes, or a list of parts, but is "{found}" ("-" means it is missing). Write "content": "…".',
    ),
    "wrong_part": Message(
        '每个内容块都必须是带 type 的对象，实际为“{found}”。请写成 {{"type": "text", "text": "…"}}。',
        'Each part of a content must be an object with a type, but this is "{found}". Write {{"type": "text", "text": "…"}}.',
    ),
    "foreign_lines": Message(
        "这个文件里是{form}，不是本服务的批量请求。请把每行改成 {example}。",
        "The file holds {form}, not batch requests as this service takes them. Write each line as {example}.",
    ),
    "stream_in_batch": Message(
        "批量请求没有流式输出，实际为“{found}”。请删除 stream。",
        'A batch streams nothing, but stream is "{found}". Remove it.',
    ),
    "table_as_jsonl": Message(
        "这是表格数据（{form}），不是批量请求：.jsonl 的每一行都要是一个完整的请求。如果要用 batch.yaml 里的提示词逐行处理，请把数据另存为 .csv 或 .xlsx，再放到 batch.yaml 旁边。",
        "These are rows of a table ({form}), not requests: each line of a .jsonl must be one whole request. To ask the prompt of a batch.yaml about each row, save the data as .csv or .xlsx, and upload it beside batch.yaml.",
    ),
    "json_document": Message(
        "这不是 JSONL（{form}）。请改成每行一个完整的请求，从 {{ 到 }}，行末没有逗号，外面没有方括号，并存为 UTF-8。",
        "This is no JSONL ({form}). Write one whole request on each line, from {{ to }}, without commas between them and brackets around them, in UTF-8.",
    ),
    "no_input": Message(
        "input 缺失、为空或不是文本。请填写带引号的文本，或文本列表。",
        "There is nothing to embed, or something empty, or no text. Give a text in quotes or a list of texts.",
    ),
}
