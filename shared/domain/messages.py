"""What the uploader is told, in Chinese and English: one entry per code, the same placeholders in both.

Each text says what is wrong, what was found and what to do; where it is and the code are put around it.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from shared.domain.parser_words import in_chinese
from shared.domain.problems import Bilingual, Problem

Language = Literal["zh", "en"]

QUOTED_CHARS = 80
LISTED_CHARS = 600


class Message(NamedTuple):
    """The text of one code.

    ``{found}`` is the quoted input, ``{reason}`` what a parser said, in the reader's language; the
    other placeholders are the problem's values.
    """

    zh: str
    en: str


MESSAGES: dict[str, Message] = {
    # The file as a whole
    "unknown_file_type": Message(
        "无法识别的文件类型（“{found}”）。请上传以下类型之一：{accepted}。",
        'Unknown file type ("{found}"). Upload one of: {accepted}.',
    ),
    "spreadsheet_file": Message(
        "无法直接读取这种电子表格（“{found}”）。请在 Excel 或 WPS 中另存为 .xlsx 后再上传。",
        'This kind of spreadsheet ("{found}") cannot be read. Save it as .xlsx and upload that.',
    ),
    "compressed_file": Message(
        "这是压缩文件（“{found}”）。请解压后上传其中的文件：{accepted}。",
        'This is a compressed file ("{found}"). Unpack it and upload what is inside: {accepted}.',
    ),
    "json_file": Message(
        "这是 JSON 文件（“{found}”）。请改成每行一个请求的 JSONL，扩展名用 .jsonl。",
        'This is a JSON file ("{found}"). Write one request per line and name it .jsonl.',
    ),
    "empty_file": Message(
        "文件是空的，没有任何内容。请检查后重新上传。",
        "The file is empty. Check it and upload it again.",
    ),
    "no_rows": Message(
        "文件只有表头，没有数据行。请加入数据后重新上传。",
        "The file has a header but no rows. Add rows and upload it again.",
    ),
    "not_a_text_file": Message(
        "内容不是文本（{reason}），与扩展名不符。请改用正确的扩展名（.xlsx、.parquet、.csv.gz 等），或另存为“CSV UTF-8”后上传。",
        'The content is not text ({reason}), whatever the name says. Use the right extension (.xlsx, .parquet, .csv.gz …), or save the file as "CSV UTF-8".',
    ),
    "damaged_gzip": Message(
        "不是有效的 gzip 文件，或文件已损坏、不完整（{reason}）。请重新压缩并完整上传，或直接上传未压缩的文件。",
        "The file is not gzip, or it is damaged or incomplete ({reason}). Compress it again and upload all of it, or upload it uncompressed.",
    ),
    "unreadable_spreadsheet": Message(
        "不是有效的 .xlsx 工作簿，或文件已损坏（{reason}）。请在 Excel 或 WPS 中打开，另存为 .xlsx 或“CSV UTF-8”。",
        'The file is not an .xlsx workbook, or it is damaged ({reason}). Open it in Excel or WPS and save it as .xlsx or as "CSV UTF-8".',
    ),
    "protected_spreadsheet": Message(
        "该工作簿有密码保护，或是旧的 .xls 格式。请在 Excel 或 WPS 中去掉密码，另存为 .xlsx 后再上传。",
        "The workbook is password-protected, or it is an old .xls file. Remove the password, save it as .xlsx and upload that.",
    ),
    "unknown_sheet": Message(
        "没有可读取的工作表“{found}”；工作簿中有：{sheets}。请修改 batch.yaml 中的 sheet，或修改工作表的名称。",
        'There is no readable sheet "{found}"; the workbook has: {sheets}. Change sheet in batch.yaml, or rename the sheet.',
    ),
    "spreadsheet_too_large": Message(
        "读取该工作表需要超过 {max_bytes:,} 字节的内存。请删除远处多余的单元格、拆分工作表，或另存为“CSV UTF-8”（CSV 没有此限制）。",
        'Reading the sheet would need more than {max_bytes:,} bytes of memory. Delete stray cells far from the table, split the sheet, or save it as "CSV UTF-8", which has no such limit.',
    ),
    "formula_without_value": Message(
        "从该行起有 {cells} 个公式没有保存计算结果，已按空单元格处理。请在 Excel 或 WPS 中打开并保存，让公式算出结果。",
        "From this row on, {cells} formulas have no saved value and were read as empty. Open the workbook in Excel or WPS and save it, so that they are calculated.",
    ),
    "unreadable_parquet": Message(
        "不是有效的 Parquet 文件，或文件已损坏（{reason}）。请重新导出并完整上传，或改用 CSV。",
        "The file is not Parquet, or it is damaged ({reason}). Export it again and upload all of it, or use CSV.",
    ),
    "unreadable_value": Message(
        "无法读取该值（{reason}）。请改正，或先将该列转为文本。",
        "This value cannot be read ({reason}). Correct it, or convert the column to text first.",
    ),
    "table_too_large": Message(
        "电子表格和 Parquet 文件解压后最大 {max_bytes:,} 字节。请拆分，或改用 CSV（可压缩为 .csv.gz，没有此限制）。",
        "Spreadsheets and Parquet files may have at most {max_bytes:,} bytes when unpacked. Split the file, or use CSV (.csv.gz works too), which has no such limit.",
    ),
    "two_columns_expected": Message(
        "没有找到 batch.yaml，因此文件必须恰好有两列（id、内容）且没有表头，但这里有 {columns} 列。请在同一文件夹放入 batch.yaml，或改为两列。",
        "There is no batch.yaml, so the file must have exactly two columns (id, content) and no header, but it has {columns}. Put a batch.yaml into the same folder, or use two columns.",
    ),
    # Encodings
    "unknown_encoding": Message(
        "既不是 UTF-8（第 {utf8_line} 行有字节 {utf8_bytes}），也不是 GB18030/GBK（第 {gb18030_line} 行有字节 {gb18030_bytes}）。请另存为 UTF-8 后重新上传。",
        "The file is neither UTF-8 (line {utf8_line} has the bytes {utf8_bytes}) nor GB18030/GBK (line {gb18030_line} has the bytes {gb18030_bytes}). Save it as UTF-8 and upload it again.",
    ),
    "invalid_encoding": Message(
        "第 {position} 个字节起（{found}）不是有效的 {encoding}。请修复该行，或将文件另存为 UTF-8。",
        "The bytes from position {position} ({found}) are not valid {encoding}. Repair the line, or save the file as UTF-8.",
    ),
    "damaged_utf16": Message(
        "{encoding} 文件已损坏（字节 {found}，所在数据块的第 {position} 个字节）。请另存为 UTF-8 后重新上传。",
        "The {encoding} file is damaged (bytes {found}, at byte {position} of its block). Save it as UTF-8 and upload it again.",
    ),
    "utf16_jsonl": Message(
        "JSONL 必须是 UTF-8，但文件以 {found} 开头，是 UTF-16。请另存为 UTF-8 后重新上传。",
        "JSONL must be UTF-8, but the file begins with {found}, which is UTF-16. Save it as UTF-8 and upload it again.",
    ),
    "invalid_utf8": Message(
        "第 {position} 个字节起（{found}）不是有效的 UTF-8。JSONL 必须是 UTF-8，请另存后重新上传。",
        "The bytes from position {position} ({found}) are not valid UTF-8. JSONL must be UTF-8; save it as UTF-8 and upload it again.",
    ),
    "nul_character": Message(
        "第 {position} 个字符是空字符（NUL）。请删除；如果整个文件都是这样，请另存为 UTF-8。",
        "Character {position} is a NUL. Remove it; if the file is full of them, save it as UTF-8.",
    ),
    "lone_surrogate": Message(
        "含有不成对的代理字符（\\uD800–\\uDFFF），无法用 UTF-8 表示。请改为完整的字符。",
        "There is half of a surrogate pair (\\uD800–\\uDFFF), which UTF-8 cannot express. Write the whole character.",
    ),
    # CSV
    "unclosed_quote": Message(
        '从该行开始的引号直到第 {last_line} 行都没有结束。请补上结束的引号；单元格内的引号要写成两个（""）。',
        'A quote opened in the row that begins here is still open on line {last_line}. Close it; write a quote inside a cell twice ("").',
    ),
    "broken_quotes": Message(
        '从该行开始的数据行引号不成对（在第 {last_line} 行发现：“{found}”），之后的行无法可靠读取。请补上或删除引号；单元格内的引号要写成两个（""）。',
        'The quotes of the row that begins here do not match (seen on line {last_line}: "{found}"), so the rows after it cannot be read reliably. Add or remove a quote; write a quote inside a cell twice ("").',
    ),
    "bad_quote": Message(
        '结束引号后面还有其他内容（“{found}”）。单元格内的引号要写成两个（""）。',
        'Something follows a closing quote ("{found}"). Write a quote inside a cell twice ("").',
    ),
    "lone_carriage_return": Message(
        "行内有单独的回车符（“{found}”）。请删除；如果整个文件都用回车换行，请另存为“CSV UTF-8”。",
        'There is a carriage return without a line feed ("{found}"). Remove it; if all lines of the file end like this, save it as "CSV UTF-8".',
    ),
    "row_too_large": Message(
        "一行数据至少有 {size_bytes:,} 字节，超过上限 {max_bytes:,} 字节。请缩短该行，或检查换行符。",
        "One row has {size_bytes:,} bytes or more; at most {max_bytes:,} are allowed. Shorten it, or check the line ends.",
    ),
    "ragged_row": Message(
        "应有 {expected} 列，实际有 {found_columns} 列。请检查分隔符和引号，补齐或删除多余的列。",
        "The row should have {expected} columns but has {found_columns}. Check delimiters and quotes; add or remove cells.",
    ),
    "empty_row": Message(
        "该行所有单元格都是空的。请填写或删除该行。",
        "All cells of this row are empty. Fill in the row or delete it.",
    ),
    "trailing_empty_rows": Message(
        "从该行起到文件末尾有 {rows} 个空行，已忽略。",
        "From here to the end of the file there are {rows} empty rows, which were ignored.",
    ),
    "looks_like_header": Message(
        "第一行（“{found}”）看起来像表头，但没有 batch.yaml 时文件不应有表头，因此它已作为数据处理。如果它是表头，请删除该行。",
        'The first row ("{found}") looks like a header, but without batch.yaml a file has no header, so it was treated as a row. If it is a header, delete it.',
    ),
    "missing_column": Message(
        "模板用到了“{found}”列，但表头中没有。您是不是想写“{nearest}”？表头有：{columns}。请修改 batch.yaml 或表头。",
        'The template uses the column "{found}", which the header does not have. Did you mean "{nearest}"? The header has: {columns}. Change batch.yaml or the header.',
    ),
    "duplicate_column": Message(
        "模板用到的“{found}”列在表头中出现了 {times} 次，无法确定用哪一列。请改成不同的列名。",
        'The template uses the column "{found}", which appears {times} times in the header. Give the columns different names.',
    ),
    # Prompts
    "template_syntax": Message(
        "模板第 {template_line} 行有语法错误：{reason}。请修改模板；变量写成 {{{{ 列名 }}}}。",
        "The template has a syntax error on its line {template_line}: {reason}. Correct it; write a variable as {{{{ column }}}}.",
    ),
    "template_refers": Message(
        "模板不能引用其他模板（include、import、extends）。请把内容直接写进 batch.yaml。",
        "A template cannot refer to other templates (include, import, extends). Write the text into batch.yaml itself.",
    ),
    "template_failed": Message(
        "用该行数据生成提示词时出错：{reason}。请检查该行的单元格或模板。",
        "The template failed on this row: {reason}. Check the cells of the row, or the template.",
    ),
    "empty_prompt": Message(
        "该行生成的提示词是空的，不会发送。请填写用到的单元格，或删除该行。",
        "The prompt of this row is empty, so there is nothing to ask. Fill in the cells that it uses, or delete the row.",
    ),
    "prompt_too_long": Message(
        "该行生成的提示词超过 {max_chars:,} 个字符。请缩短单元格或模板。",
        "The prompt of this row has more than {max_chars:,} characters. Shorten the cells or the template.",
    ),
    # Request lines
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
        "必须是 JSON 对象，实际为“{found}”（“-”表示没有写）。请把模型和消息写在 body 里。",
        'It must be a JSON object but is "{found}" ("-" means it is missing). Put the model and the messages into body.',
    ),
    "model_not_text": Message(
        '必须是模型名称，实际为“{found}”（“-”表示没有写）。请写成如 "qwen-plus"。',
        'It must be the name of a model but is "{found}" ("-" means it is missing). Write for example "qwen-plus".',
    ),
    "mixed_model": Message(
        "“{found}”与第 {first_line} 行的“{first}”不同。一个文件只能用一个模型，请拆成多个文件。",
        '"{found}" differs from "{first}" on line {first_line}. A file can use only one model; split it into several files.',
    ),
    "unknown_model": Message(
        "“{found}”不在已知的模型列表中。您是不是想写“{nearest}”？如果名称有误，服务会拒绝整个文件。",
        '"{found}" is not in the list of known models. Did you mean "{nearest}"? If the name is wrong, the service rejects the whole file.',
    ),
    "mismatched_test_model": Message(
        "测试模型 batch-test-model 只能与 /v1/chat/ds-test 一起使用，但这里是“{model}”和“{endpoint}”。请改正其中之一。",
        'batch-test-model works only with /v1/chat/ds-test, and the other way round, but this is "{model}" with "{endpoint}". Change one of them.',
    ),
    "mixed_thinking": Message(
        "“{found}”与第 {first_line} 行的“{first}”不同（“-”表示没有写）。一个文件只能有一种思考模式，请统一，或拆成多个文件。",
        '"{found}" differs from "{first}" on line {first_line} ("-" means it is missing). A file can have only one thinking mode; make them equal or split the file.',
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
    "no_input": Message(
        "没有要向量化的内容，或内容是空的。请填写文本或文本列表。",
        "There is nothing to embed. Give a text or a list of texts.",
    ),
    # The upload
    "folder_marker": Message(
        "“{found}”只是一个空文件夹，不是要处理的文件。您不需要做什么；请把文件放进去。",
        '"{found}" is only an empty folder, not a file to process. You need not do anything; put files into it.',
    ),
    "dot_segment": Message(
        "“{found}”的路径中有名为“.”或“..”的文件夹，很多工具会把它当成别的位置。请去掉它，然后重新上传。",
        'The path "{found}" contains a folder named "." or "..", which many tools take for another place. Remove it and upload the file again.',
    ),
    "validation_unfinished": Message(
        "检查开始了 {starts} 次都没有完成（超时或内存不足）。请把文件拆成几个较小的文件重新上传，并告知管理员。",
        "The check was started {starts} times and never finished (out of time or memory). Split the file into smaller ones, upload them, and tell the operator.",
    ),
    # A job that cannot go on or come back
    "result_removed": Message(
        "这个文件已在 {closed_at} 处理完毕（任务 {job_id}），但结果已不在 results/ 中；用来重新生成结果的中间数据只保留 {days} 天，现已清除。这次没有运行，也没有产生费用。如需再次运行（会重新计费），请修改文件内容或换一个文件名后重新上传。",
        "The file was answered at {closed_at} (job {job_id}), but its result is no longer in results/, and the working data to rebuild it is kept for {days} days only and is gone. Nothing ran this time and nothing was charged. To have it answered (and charged) again, change the file or rename it, and drop it again.",
    ),
    "work_removed": Message(
        "它的任务（{job_id}）还没有完成，但所需的中间数据（work/{job_id}/，保留 {days} 天）已被删除，因此任务不再继续，也不会再提交请求。请修改文件内容或换一个文件名后重新上传（会重新计费），并告知管理员。",
        "The job ({job_id}) is not finished, but the working data it needs (work/{job_id}/, kept for {days} days) was removed, so it stops here and sends nothing more. Change the file or rename it, drop it again (it is charged again), and tell the operator.",
    ),
    "waited_too_long": Message(
        "等待了 {days} 天仍未能提交，因此没有提交，也没有产生费用。请告知管理员，并重新上传一个包含这些行的文件。",
        "The request waited for {days} days and could not be sent, so it was neither sent nor charged. Tell the operator, and drop a file with these rows again.",
    ),
    "requests_removed": Message(
        "请求数据已被删除，因此没有提交，也没有产生费用。请告知管理员，并重新上传一个包含这些行的文件。",
        "The request was removed before it could be sent, so it was neither sent nor charged. Tell the operator, and drop a file with these rows again.",
    ),
    # The recipe
    "recipe_too_large": Message(
        "文件有 {size_bytes:,} 字节，上限为 {max_bytes:,} 字节。请缩短。",
        "The recipe has {size_bytes:,} bytes; at most {max_bytes:,} are allowed. Shorten it.",
    ),
    "recipe_encoding": Message(
        "既不是 UTF-8 也不是 GB18030（字节 {found}）。请另存为 UTF-8。",
        "The recipe is neither UTF-8 nor GB18030 (bytes {found}). Save it as UTF-8.",
    ),
    "recipe_empty": Message(
        "没有任何内容。请至少写明 model 和 prompt。",
        "The recipe is empty. Give at least model and prompt.",
    ),
    "recipe_not_yaml": Message(
        "不是有效的 YAML：{reason}。请检查缩进、冒号和引号。",
        "This is not valid YAML: {reason}. Check indentation, colons and quotes.",
    ),
    "recipe_not_a_mapping": Message(
        "最外层必须是“键: 值”的形式，例如 model: qwen-plus。请改正。",
        'The recipe must consist of "key: value" entries. Write for example model: qwen-plus.',
    ),
    "recipe_too_deep": Message(
        "嵌套超过 {max_depth} 层。请简化。",
        "The recipe is nested more than {max_depth} levels deep. Simplify it.",
    ),
    "recipe_anchor": Message(
        "不支持锚点和别名（“{found}”）。请直接写出内容；以 * 或 & 开头的文本要加引号。",
        'Anchors and aliases ("{found}") are not supported. Write the value out; put text that begins with * or & in quotes.',
    ),
    "recipe_tag": Message(
        "不支持标签（“{found}”）。请删除；以 ! 开头的文本要加引号。",
        'Tags ("{found}") are not supported. Remove it; put text that begins with ! in quotes.',
    ),
    "recipe_key_not_text": Message(
        "键必须是文本。如果值以 {{{{ 开头，请加引号，或用 | 换行书写。",
        "A key must be text. If a value begins with {{{{, put it in quotes, or write it below a |.",
    ),
    "recipe_duplicate_key": Message(
        "这个键在第 {first_line} 行已经写过。请只保留一个。",
        "The key is already on line {first_line}. Keep one of them.",
    ),
    "recipe_number": Message(
        "数字“{found}”过大。请改小。", 'The number "{found}" is too large. Make it smaller.'
    ),
    "recipe_lone_surrogate": Message(
        "“{found}”含有不成对的代理字符，无法用 UTF-8 表示。请直接写出该字符。",
        '"{found}" contains half of a surrogate pair, which UTF-8 cannot express. Write the character itself.',
    ),
    "recipe_unknown_key": Message(
        "没有“{found}”这个键。您是不是想写“{nearest}”？可用的键：{known}。",
        'There is no key "{found}". Did you mean "{nearest}"? The keys are: {known}.',
    ),
    "recipe_missing_key": Message(
        "缺少这个必填的键。请补上。",
        "This key is missing but required. Add it.",
    ),
    "recipe_not_text": Message(
        "必须是文本，实际为“{found}”。请加引号；以 {{{{ 开头的文本也要加引号，或用 | 换行书写。",
        'It must be text but is "{found}". Put it in quotes; text that begins with {{{{ needs quotes too, or a | and a new line.',
    ),
    "recipe_empty_text": Message("内容是空的（“{found}”）。请填写。", 'It is empty ("{found}"). Fill it in.'),
    "recipe_not_a_section": Message(
        "必须是缩进的“键: 值”，实际为“{found}”。请换行并缩进书写。",
        'It must be indented "key: value" entries but is "{found}". Write them on the lines below, indented.',
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
        "必须是 24h 到 336h，或 1d 到 14d，实际为“{found}”。请改正。",
        'It must be from 24h to 336h, or from 1d to 14d, but is "{found}". Correct it.',
    ),
    "recipe_system_unused": Message(
        "向量模型没有系统提示词。请删除 system。",
        "Embedding models have no system prompt. Remove system.",
    ),
    "recipe_jsonl_is_raw": Message(
        "output.format 为 {format} 时，结果总是不带 BOM 的 UTF-8 原样内容，“{found}”不起作用。请删除这一行。",
        'With output.format {format} the result is always raw UTF-8 without a byte order mark, so "{found}" would have no effect. Remove it.',
    ),
    "recipe_columns_unused": Message(
        "向量模型的答案是向量，不能拆成列。请删除 columns。",
        "The answer of an embedding model is a vector, which cannot be split into columns. Remove columns.",
    ),
    "recipe_column_path": Message(
        '“{found}”不是可用的路径（列名也不能是空的）。请写成 a.b、tags[0] 或 "特殊.键".x，不要以 $ 开头。',
        '"{found}" is not a usable path (and the column name must not be empty). Write a.b, tags[0] or "odd.key".x, without a $ in front.',
    ),
    "recipe_schema": Message(
        "不是可用的 JSON Schema（draft 2020-12）：{reason}。请改正。",
        "This is not a usable JSON Schema (draft 2020-12): {reason}. Correct it.",
    ),
    "recipe_schema_reference": Message(
        "不能用“{found}”：引用只能写成 $ref: '#/…'，指向本 schema 之内，且不能循环。请改正。",
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
    # Answers that cannot be taken apart into columns
    "answer_not_json": Message(
        "答案不是 JSON（{reason}），原文在 content 列。请在提示词中要求只输出 JSON；如果答案被截断，请加大 max_tokens。",
        "The answer is not JSON ({reason}); content holds it unchanged. Ask for nothing but JSON in the prompt; if it is cut off, raise max_tokens.",
    ),
    "answer_does_not_fit": Message(
        "答案与 columns 不符（{reason}），原文在 content 列。请检查提示词和 columns。",
        "The answer does not fit columns ({reason}); content holds it unchanged. Check the prompt and columns.",
    ),
    # What a ticket waits for. The work goes on by itself, so each says only who must do what.
    "account_without_money": Message(
        "{provider}拒绝了请求：账户欠费，或尚未开通、购买该服务。请管理员在{account_console}充值或开通，之后任务会自动继续，无需重新上传。{provider}的答复：{said}。",
        "{provider} rejected the request: the account is in arrears, or the service is not activated. The operator must pay or activate it in {account_console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "model_not_open": Message(
        "{provider}拒绝了请求：API Key 所在的业务空间没有调用该模型的权限。请管理员在{console}开通或授权该模型，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the request: the workspace of the API key may not call this model. The operator must enable the model for it in {console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "api_key_refused": Message(
        "{provider}拒绝了 API Key。请管理员把 {key_variable} 改为有效的、与 {address_variable} 同一地域的密钥，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the API key. The operator must set {key_variable} to a valid key of the region of {address_variable}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "wrong_base_url": Message(
        "该地址没有批量推理服务。请管理员改正 {address_variable}，之后任务会自动继续。对方的答复：{said}。",
        "There is no batch service at this address. The operator must correct {address_variable}; the job then continues by itself. The reply: {said}.",
    ),
    "file_store_full": Message(
        "{provider}的文件空间已满（最多 {file_limit}）。请管理员在{provider}删除不再需要的文件，有空间后任务会自动继续。{provider}的答复：{said}。",
        "{provider}'s file store is full ({file_limit}). The operator must delete files there that are no longer needed; with enough room the job continues by itself. {provider}'s reply: {said}.",
    ),
    "permission_missing": Message(
        "{provider}拒绝了请求：该 API Key 没有此操作的权限。请管理员在{console}授权，之后任务会自动继续。{provider}的答复：{said}。",
        "{provider} rejected the request: the API key has no permission for it. The operator must grant it in {console}; the job then continues by itself. {provider}'s reply: {said}.",
    ),
    "provider_refuses": Message(
        "模型服务拒绝了请求。请管理员检查账户、密钥和设置，问题解决后任务会自动继续。原因：{said}。",
        "The provider rejected the request. The operator must check the account, the key and the settings; the job then continues by itself. The reason: {said}.",
    ),
}


def render_problem(problem: Problem, language: Language) -> str:
    """One line of text: where, what is wrong and what to do, and the code."""
    values = {name: _shown(name, value, language) for name, value in problem.values.items()}
    where = _where(problem, language)
    found = quote(problem.found or "")
    message = MESSAGES[problem.code]
    if language == "zh":
        return f"{where}{message.zh.format(found=found, **values)}[{problem.code}]"
    text = _continued(message.en) if where else message.en
    return f"{where}{text.format(found=found, **values)} [{problem.code}]"


def _shown(name: str, value: str | int | Bilingual, language: Language) -> str | int:
    if isinstance(value, Bilingual):
        value = value.zh if language == "zh" else value.en
    elif name == "reason" and language == "zh":
        value = in_chinese(str(value))
    return _visible(value, LISTED_CHARS) if isinstance(value, str) else value


def quote(text: str) -> str:
    """At most 80 characters of the input, with whatever cannot be seen written as an escape."""
    return _visible(text, QUOTED_CHARS)


def _continued(sentence: str) -> str:
    """The sentence after a colon: in lower case unless it begins with an abbreviation."""
    return sentence if sentence[1:2].isupper() else sentence[:1].lower() + sentence[1:]


def _visible(text: str, max_chars: int) -> str:
    shown = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text[: max_chars + 1]
    )
    return shown if len(shown) <= max_chars else shown[: max_chars - 1] + "…"


def _where(problem: Problem, language: Language) -> str:
    field = quote(problem.field) if problem.field else None
    if language == "zh":
        line = f"第 {problem.line} 行" if problem.line else None
        place = " ".join(part for part in (problem.file, line, field) if part)
        return f"{place}：" if place else ""
    line = f"{'line' if problem.file else 'Line'} {problem.line}" if problem.line else None
    place = ", ".join(part for part in (problem.file, line, field) if part)
    return f"{place}: " if place else ""
