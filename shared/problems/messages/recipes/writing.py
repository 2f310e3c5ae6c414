"""What may be wrong with how a recipe is written, before any of its keys is looked at."""

from __future__ import annotations

from shared.problems.messages.message import Message

WRITING_MESSAGES: dict[str, Message] = {
    "recipe_too_large": Message(
        "文件有 {size_bytes:,} 字节，上限为 {max_bytes:,} 字节。请缩短。",
        "The recipe has {size_bytes:,} bytes; at most {max_bytes:,} are allowed. Shorten it.",
    ),
    "recipe_encoding": Message(
        "既不是 UTF-8，当作 GB18030 读也不通（字节 {found}）。请另存为 UTF-8。",
        "The recipe is not UTF-8, and it makes no sense as GB18030 (bytes {found}). Save it as UTF-8.",
    ),
    "recipe_empty": Message(
        "没有任何内容。请至少写明 model 和 prompt。",
        "The recipe is empty. Give at least model and prompt.",
    ),
    "recipe_not_yaml": Message(
        "不是有效的 YAML：{reason}。请检查缩进、冒号和引号。",
        "This is not valid YAML: {reason}. Check indentation, colons and quotes.",
    ),
    "recipe_colon": Message(
        "“{found}”中键后面的符号不对：YAML 只认英文冒号“:”加一个普通空格（不是全角的“：”“｜”，也不是“=”）。请写成“{write}”。",
        'The mark behind the key in "{found}" is not YAML\'s: it takes a plain colon and a plain space (no full-width "：" or "｜", no "="). Write "{write}".',
    ),
    "recipe_quotes": Message(
        "这里用了中文引号或弯引号（{found}），YAML 会把它当成内容。请去掉引号，只写 {write}。",
        "YAML takes curly and full-width quotes for a part of the text ({found}). Write it without them: {write}.",
    ),
    "recipe_indent": Message(
        "行首的“{found}”不是普通空格（\\t 是 Tab，\\u3000 是全角空格，\\xa0 是不换行空格）。请删掉，用空格键重新缩进。",
        'The line begins with "{found}", which is no plain space (\\t is a tab, \\u3000 a full-width space, \\xa0 a no-break space). Delete it and indent with the space bar.',
    ),
    "recipe_rich_text": Message(
        "batch.yaml 是 RTF（带格式的文档），不是纯文本。请用“纯文本”格式保存（在 macOS 的“文本编辑”中先选“格式 → 制作纯文本”），再重新上传。",
        "batch.yaml is RTF, a document with formats, and no plain text. Save it as plain text (in TextEdit of macOS: Format, Make Plain Text), and upload it again.",
    ),
    "recipe_fence": Message(
        "“{found}”不属于 batch.yaml，多半是从聊天窗口复制时带上的代码块标记。请删除这一行，只保留中间的内容。",
        '"{found}" is no part of batch.yaml; most likely it came along when the recipe was copied from a chat. Delete this line, and keep what stands between such lines.',
    ),
    "recipe_needs_block": Message(
        "内容里有 YAML 的特殊符号，没法写在一行里（“{found}”）。请在冒号后面写“ |”，把内容放到下一行，并在前面加两个空格。",
        'The text has signs that mean something in YAML, so it cannot stand on this line ("{found}"). Write " |" behind the colon and put the text on the next line, indented by two spaces.',
    ),
    "recipe_not_in_block": Message(
        "“|”（或“>”）下面的内容，每一行前面都要有空格，YAML 才认为它属于 {key}，而这一行（“{found}”）没有。请给 {key} 的每一行前面都加上两个空格。",
        'Below a "|" or ">" each line must begin with spaces to belong to {key}; this one ("{found}") does not. Put two spaces in front of each line of {key}.',
    ),
    "recipe_text_cut": Message(
        "YAML 把“{found}”当成注释，不会发送。如果它属于内容，请在冒号后面写“ |”，把内容放到下一行，并在前面加两个空格；如果确实是注释，请单独写一行。",
        'YAML takes "{found}" for a comment, so it would not be sent. If it belongs to the text, write " |" behind the colon and put the text on the next line, indented by two spaces. If it is a comment, give it a line of its own.',
    ),
    "recipe_name": Message(
        "“{found}”像是配方，但配方的文件名必须正好是 batch.yaml（小写，后面没有 .txt、(1)、“副本”等），所以它不起作用。Windows 可能隐藏了扩展名，请打开“文件扩展名”查看。请改名为 batch.yaml 后上传，再把表格重新上传一次。",
        '"{found}" looks like a recipe, but a recipe must be called exactly batch.yaml (lower case, no .txt, (1) or "copy"), so it has no effect. Windows may hide the end of the name: turn on "File name extensions". Rename it to batch.yaml and upload it, then upload the table again.',
    ),
    "recipe_name_beside": Message(
        "旁边的“{found}”像是这个表格的配方，但配方的文件名必须正好是 batch.yaml，所以没有用它，表格也没有运行。请把它改名为 batch.yaml 上传，再重新上传表格；如果它不是配方，请把它移走，再重新上传表格。",
        'Beside it is "{found}", which looks like the recipe of this table. A recipe must be called exactly batch.yaml, so it was not used and the table did not run. Rename it to batch.yaml and upload it, then upload the table again. If it is no recipe, move it away and upload the table again.',
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
    "recipe_not_a_number": Message(
        "“{found}”不是这里能用的数字。请写成普通数字，不加引号、逗号、单位或百分号，例如 0.7 或 1000；如果要用默认值，请删除这一项。",
        '"{found}" is not a number that can be used here. Write a plain number, such as 0.7 or 1000, without quotes, a comma, a unit or a percent sign; for the default remove the entry.',
    ),
    "recipe_parameter_mapping": Message(
        "“{found}”只是一个词，而这个参数由“键: 值”组成。请写成 {write}。",
        '"{found}" is only a word, but this parameter consists of "key: value" entries. Write {write}.',
    ),
    "recipe_number": Message(
        "数字“{found}”过大。请改小。", 'The number "{found}" is too large. Make it smaller.'
    ),
    "recipe_lone_surrogate": Message(
        "“{found}”含有不成对的代理字符，无法用 UTF-8 表示。请直接写出该字符。",
        '"{found}" contains half of a surrogate pair, which UTF-8 cannot express. Write the character itself.',
    ),
    "recipe_notify": Message(
        "“{found}”不是通知渠道的写法。请每个渠道写一行“- 渠道: 名称”，例如“- dingtalk: team”；渠道是 dingtalk、feishu、wecom、slack、email、webhook 之一，名称由运维人员设置。",
        '"{found}" names no channels. Write one line for each, "- kind: name", such as "- dingtalk: team"; the kind is dingtalk, feishu, wecom, slack, email or webhook, and the operator gives each its name.',
    ),
    "notify_not_a_mapping": Message(
        "第一行要写“notify:”，下面每个渠道一行，例如“- dingtalk: team”。请改正。",
        'Begin with a line "notify:", then one line for each channel, such as "- dingtalk: team".',
    ),
    "notify_unknown_key": Message(
        "“{found}”不起作用：notify.yaml 里只能有 notify。请删除这一项。",
        '"{found}" has no effect: notify.yaml holds notify alone. Remove it.',
    ),
}
