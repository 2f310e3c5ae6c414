"""What may be wrong with the keys of a recipe, but for its prompts."""

from __future__ import annotations

from shared.problems.messages.message import Message

RECIPE_MESSAGES: dict[str, Message] = {
    "recipe_without_question": Message(
        "没有写要问什么。请写 prompt，或 classify、extract、translate、embed 中的一个。",
        "Nothing says what to ask. Write prompt, or one of classify, extract, translate and embed.",
    ),
    "recipe_two_questions": Message(
        "第 {first_line} 行已经写了 {first}，一个 batch.yaml 只能写一个。请删除其中一个。",
        "There is {first} on line {first_line} already, and a recipe asks one thing only. Remove one of them.",
    ),
    "recipe_unknown_key": Message(
        "没有“{found}”这个键。您是不是想写“{nearest}”？可用的键：{known}。",
        'There is no key "{found}". Did you mean "{nearest}"? The keys are: {known}.',
    ),
    "recipe_missing_key": Message(
        "缺少这个必填的键。请补上，例如 {write}。",
        "This key is missing but required. Add it, for example {write}.",
    ),
    "recipe_not_text": Message(
        "必须是文本，实际为“{found}”。请加引号；以 {{{{ 开头的文本也要加引号，或用 | 换行书写。",
        'It must be text but is "{found}". Put it in quotes; text that begins with {{{{ needs quotes too, or a | and a new line.',
    ),
    "recipe_empty_text": Message("内容是空的（“{found}”）。请填写。", 'It is empty ("{found}"). Fill it in.'),
    "recipe_not_names": Message(
        "应为列名的列表，例如 [类别, 城市]，但这里是“{found}”。",
        'This should be a list of column names, such as [category, city], but it is "{found}".',
    ),
    "recipe_not_a_section": Message(
        "“{found}”不能直接写在这里：这个键由“键: 值”组成。请像这样写：{write}。",
        '"{found}" cannot stand here by itself: this key consists of "key: value" entries. Write it like this: {write}.',
    ),
    "recipe_reserved_parameter": Message(
        "这个参数由 Batchdrop 填写，不能放在 parameters 里。请删除。",
        "Batchdrop fills in this parameter itself. Remove it from parameters.",
    ),
    "recipe_choice": Message(
        "不能用“{found}”。请使用以下之一：{choices}。",
        '"{found}" is not possible. Use one of: {choices}.',
    ),
    "recipe_attempts": Message(
        "必须是 1 到 5 的整数，实际为“{found}”。请改正。",
        'It must be a whole number from 1 to 5 but is "{found}". Correct it.',
    ),
    "recipe_window": Message(
        "必须是整数加单位，{min_hours}h 到 {max_hours}h，或 {min_days}d 到 {max_days}d，实际为“{found}”。请改正。",
        'It must be a whole number of hours or days, from {min_hours}h to {max_hours}h or from {min_days}d to {max_days}d, but is "{found}". Correct it.',
    ),
    "recipe_reuse": Message(
        "必须是整数加单位 h（小时）或 d（天），最多 {most}d，例如 reuse: 30d，实际为“{found}”。请改正。",
        'It must be a whole number of hours or days, at most {most}d, as in reuse: 30d, but is "{found}". Correct it.',
    ),
    "recipe_reuse_of_each": Message(
        "写了“{found}”，每一行都要有自己的答案，因此不能沿用以前的答案。请删除 reuse，或者删除“{found}”。",
        'With "{found}" each row is to have an answer of its own, so it cannot get an earlier one. Remove reuse, or remove "{found}".',
    ),
    "recipe_system_unused": Message(
        "向量模型没有系统提示词。请删除 system。",
        "Embedding models have no system prompt. Remove system.",
    ),
    "recipe_jsonl_is_raw": Message(
        "encoding 和 formula_guard 只用于 CSV；output.format 为 {format} 时，“{found}”不起作用。请删除这一行。",
        'Encoding and formula guard are for CSV only; with output.format {format}, "{found}" would have no effect. Remove the line.',
    ),
    "until_fits_of_vectors": Message(
        "向量没有合不合要求之分，不能重新询问。请删除 until_fits。",
        "A vector always fits, so there is nothing to ask again. Remove until_fits.",
    ),
    "until_fits_of_several": Message(
        "n 大于 1 时一行有好几个答案，无法判断该重新问哪一个。请删除 until_fits 或 parameters 里的 n。",
        "With n above 1 a row has several answers, and nobody can say which to ask for again. Remove until_fits, or n from parameters.",
    ),
    "until_fits_of_lines": Message(
        "旁边是请求文件（.jsonl），答案的格式由每行请求自己决定，无法判断合不合要求，所以不能用 until_fits。请删除它；如果表格要用，请把请求文件放到另一个文件夹。",
        "The file beside it holds whole requests, and only they know what answers fit them, so until_fits cannot be used. Remove it; if tables need it, put the requests into a folder of their own.",
    ),
    "recipe_columns_unused": Message(
        "向量模型的答案是向量，不能拆成列。请删除 columns。",
        "The answer of an embedding model is a vector, which cannot be split into columns. Remove columns.",
    ),
    "recipe_columns_of_task": Message(
        "写了 classify、extract 或 translate，结果的列就由它决定，columns 不起作用。请删除 columns；需要自己定列时，请改写 prompt。",
        "With classify, extract or translate the columns of the result are given, so columns would have no effect. Remove it; for columns of your own, write a prompt instead.",
    ),
    "recipe_labels": Message(
        "必须是类别的列表，例如 [好评, 中评, 差评]，或“类别: 说明”，实际为“{found}”。请改正。",
        'It must be a list of labels, such as [good, bad], or "label: meaning" entries, but is "{found}". Correct it.',
    ),
    "recipe_names_in_one": Message(
        "“{found}”是一整段文本，不是列表。请写成 {write}。",
        '"{found}" is one text, not a list. Write {write}.',
    ),
    "recipe_labels_in_one": Message(
        "至少要有两个类别，而列表里只有一个：“{found}”。如果它其实是几个类别，请写成 {write}；否则请补上其他类别，例如“其他”。",
        'There must be at least two labels, but the list has only one, "{found}". If it is meant as several, write {write}; otherwise add the others, such as "other".',
    ),
    "recipe_several_answers": Message(
        "n 是“{found}”，每行会有多个答案，无法放进 columns、classify 或 extract 的列。请删除 n；如果需要多个答案，请不要使用这些键，答案会以列表写在 content 列。",
        'With n at "{found}" each row has several answers, which do not fit into the columns of columns, classify or extract. Remove n. For several answers use a prompt without columns: they come as a list in content.',
    ),
    "recipe_too_few_labels": Message(
        "至少要有两个类别，实际为“{found}”。请补上其他类别，例如“其他”。",
        'There must be at least two labels, but there is "{found}". Add the others, such as "other".',
    ),
    "recipe_label_not_text": Message(
        '“{found}”不是文本。请加引号，例如 ["1", "2"]。',
        '"{found}" is not text. Put quotes around it, as in ["1", "2"].',
    ),
    "recipe_label_twice": Message(
        "“{found}”是重复的，或只差大小写、全角半角或空格。请只保留一个，或改成不同的名称。",
        '"{found}" is the same name twice, or differs only in case, width or spaces. Keep one of them, or tell them apart.',
    ),
    "recipe_fields": Message(
        "必须写明要提取什么，例如 {{姓名: 文本, 金额: 数字, 诉求: 客户想要什么}}，实际为“{found}”。请改正。",
        'It must say what to extract, such as {{name: text, amount: number, wish: what the customer wants}}, but is "{found}". Correct it.',
    ),
    "recipe_field": Message(
        "必须是一句说明、一个类型（文本、数字、整数、是否、列表）或可选值的列表，实际为“{found}”。请改正。",
        'It must be a description, a type (text, number, integer, boolean, list) or a list of possible values, but is "{found}". Correct it.',
    ),
    "recipe_needs_embedding_model": Message(
        "embed 需要向量模型和 embeddings 接口，不能用“{found}”。请改为向量模型（名称里一般有 embedding），并删除 endpoint。",
        'embed needs an embedding model and its endpoint, so "{found}" is not possible. Name an embedding model (most have "embedding" in their name), and leave endpoint out.',
    ),
    "recipe_needs_chat_model": Message(
        "classify、extract 和 translate 需要对话模型和 chat 接口，不能用“{found}”。请改为对话模型，并删除 endpoint；要得到向量，请写 embed。",
        'classify, extract and translate need a chat model and its endpoint, so "{found}" is not possible. Name a chat model, and leave endpoint out; for vectors, write embed.',
    ),
    "recipe_column_path": Message(
        '“{found}”不是可用的路径（列名也不能是空的）。请写成 a.b、tags[0] 或 "特殊.键".x，不要以 $ 开头，也不要加 {{{{ }}}}。',
        '"{found}" is not a usable path (and the column name must not be empty). Write a.b, tags[0] or "odd.key".x, without a $ in front or {{{{ }}}} around it.',
    ),
    "recipe_schema": Message(
        "不是可用的 JSON Schema（draft 2020-12）：{reason}。请改正。",
        "This is not a usable JSON Schema (draft 2020-12): {reason}. Correct it.",
    ),
    "recipe_schema_reference": Message(
        "不能用“{found}”：引用只能写成 $ref: '#/…'，指向本 schema 内部，且不能循环引用。请改正。",
        "\"{found}\" is not possible: a reference must be $ref: '#/…' within this schema and must not lead back to itself. Correct it.",
    ),
    "recipe_schema_too_large": Message(
        "展开引用后超过 {max_nodes} 个节点，或引用嵌套太深。请简化。",
        "With its references expanded the schema has more than {max_nodes} nodes, or they nest too deeply. Simplify it.",
    ),
    "prompt_without_json": Message(
        "用了 response_format，但 system 和 prompt 中都没有“JSON”一词；{provider}会拒绝这样的 json_object 请求，部分模型也拒绝 json_schema。请在提示词中写明输出 JSON。",
        'There is a response_format, but neither system nor prompt contains the word "JSON"; {provider} rejects json_object requests without it, and with some models json_schema too. Ask for JSON in the prompt.',
    ),
    "thinking_with_json": Message(
        "多数模型在思考模式下不支持 response_format。如果有行被拒绝，请把 enable_thinking 设为 false。",
        "Most models do not support response_format in thinking mode. If rows are rejected, set enable_thinking to false.",
    ),
}
