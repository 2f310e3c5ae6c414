"""What may be wrong with the prompts of a recipe, or with one that is made of a row."""

from __future__ import annotations

from shared.problems.messages.message import Message

# A column's name that stands in a prompt like a variable of another program.
SENT_AS_TEXT = Message(
    "“{found}”不会换成该列的内容，而是原样发送；请改成 {write}。",
    'It says "{found}", which is sent as it is and not replaced by the cell; write {write} instead. ',
)
NOT_READ = Message(
    "“{found}”在 {{% raw %}} 或注释 {{# #}} 里，不会换成该列的内容；请移到外面，写成 {write}。",
    '"{found}" stands within {{% raw %}} or a comment {{# #}}, where it is not replaced by the cell; write {write} outside of it. ',
)

PROMPT_MESSAGES: dict[str, Message] = {
    "template_syntax": Message(
        "模板第 {template_line} 行有语法错误：{reason}。请修改模板；变量写成 {{{{ 列名 }}}}。",
        "The template has a syntax error on its line {template_line}: {reason}. Correct it; write a variable as {{{{ column }}}}.",
    ),
    "template_name": Message(
        '模板第 {template_line} 行的“{found}”无法识别：{reason}。列名含有空格、括号或其他符号时，要写成 {{{{ row["列名"] }}}}；如果指的是列，请写成 {write}。',
        'Line {template_line} of the template has "{found}", which cannot be read: {reason}. A column whose name has spaces, brackets or other signs is written {{{{ row["column"] }}}}. If it is a column, write {write}.',
    ),
    "column_not_a_name": Message(
        "“{found}”中的列名含有空格、括号、连字符等符号，不能直接写。请写成 {write}。",
        'The column in "{found}" has a space, a bracket, a hyphen or the like in its name. Write {write}.',
    ),
    "prompt_without_column": Message(
        "prompt 和 system 都没有用到表格的列，每一行发送的内容会完全一样。{hint}列要写成 {{{{ 列名 }}}}，例如 {write}；表头有：{columns}。请修改 batch.yaml；如果确实要让每行发送同样的内容，请在 prompt 末尾加上 {{% if row %}}{{% endif %}}，并写上 dedupe: false，否则只发送一次。",
        "Neither prompt nor system uses a column, so every row would be sent the same text. {hint}A column is written {{{{ column }}}}, for example {write}; the header has: {columns}. Change batch.yaml. If every row really is to get the same text, add {{% if row %}}{{% endif %}} at the end of the prompt, and write dedupe: false, or it is sent once only.",
    ),
    "column_as_text": Message(
        "“{found}”是某一列的名称，但它会原样发送，不会换成该列的内容。如果要用这一列，请写成 {write}。",
        '"{found}" names a column, but it was sent as it is and not replaced by the cell. To use the column write {write}.',
    ),
    "label_is_column": Message(
        "类别“{found}”也是某一列的名称；它会原样作为类别，不会换成该列的内容。如果要让模型读这一列，请写在 column 里，并从 labels 中删除。",
        'The label "{found}" is also the name of a column. It is a label as it stands and not replaced by the cell. If the model is to read that column, write it under column and remove it from labels.',
    ),
    "answer_column_renamed": Message(
        "结果里已有名为“{found}”的列，所以从答案里取出的“{found}”列改名为“{given}”。如果不想改名，请在 batch.yaml 里换一个名字。",
        'The result has another column "{found}", so the one that is taken from the answers is called "{given}". To avoid that, give it another name in batch.yaml.',
    ),
    "template_refers": Message(
        "模板不能引用其他模板（include、import、extends）。请把内容直接写进 batch.yaml。",
        "A template cannot refer to other templates (include, import, extends). Write the text into batch.yaml itself.",
    ),
    "template_failed": Message(
        "用该行数据生成提示词时出错：{reason}。请检查该行的单元格或模板。",
        "The template failed on this row: {reason}. Check the cells of the row, or the template.",
    ),
    "template_too_slow": Message(
        "用该行数据生成提示词的计算量过大（超过 {max_steps:,} 步），通常是循环嵌套循环，或文本反复翻倍。请简化 batch.yaml 中的模板：去掉内层循环和反复拼接，或先在表格中准备好这一列。",
        "Making the prompt of this row takes too much work (more than {max_steps:,} steps): most often loops within loops, or a text that keeps doubling. Simplify the template in batch.yaml: take out inner loops and repeated joining, or prepare the column in the table.",
    ),
    "templates_too_slow": Message(
        "到该行为止，生成整个文件的提示词的计算量过大（超过 {max_steps:,} 步）。请简化 batch.yaml 中的模板（例如去掉循环），或把文件拆成几个较小的文件。",
        "Up to this row, making the prompts of the whole file took too much work (more than {max_steps:,} steps). Simplify the template in batch.yaml, for example without its loops, or split the file into smaller ones.",
    ),
    "empty_prompt": Message(
        "该行生成的提示词是空的，不会发送。请填写用到的单元格，或删除该行。",
        "The prompt of this row is empty, so there is nothing to ask. Fill in the cells that it uses, or delete the row.",
    ),
    "prompt_too_long": Message(
        "该行生成的提示词超过 {max_chars:,} 个字符。请缩短单元格或模板。",
        "The prompt of this row has more than {max_chars:,} characters. Shorten the cells or the template.",
    ),
}
