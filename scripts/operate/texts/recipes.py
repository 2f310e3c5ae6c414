"""What is said of tables and their recipes."""

from __future__ import annotations

from scripts.operate.texts.text import Text

TEXTS = {
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
    "rows_answered_now": Text(
        "由 {provider} 的 {model} 即时回答 {rows} 行：按单次调用计费，不享受批量价格，不计入 budget.yaml，也不保存。",
        "{rows} row(s) are answered at once by {model} of {provider}: at the price of single calls, not of batches. No budget counts them, and nothing is kept.",
    ),
    "rows_made_up_now": Text(
        "由测试服务即时回答 {rows} 行，不计费，也不保存。",
        "{rows} row(s) are answered at once by the test service; nothing is charged or kept.",
    ),
    "preview_ended": Text(
        "预览问了 {asked} 行，{answered} 行有答案{cost}。下面是整个文件的报价，不含预览：",
        "The preview asked {asked} row(s), {answered} answered{cost}. This is the quote of the whole file, the preview aside:",
    ),
    "columns_left_out": Text(
        "屏幕不够宽，没有显示这些列：{columns}（--json 有全部）。",
        "The screen has no room for these columns: {columns} (--json has them all).",
    ),
    "no_row_to_preview": Text(
        "{file} 没有会发送的行，因此没有可以预览的内容。", "{file} has no row that would be sent, so there is nothing to preview."
    ),
    "no_preview_of_recipe": Text(
        "{file} 是配方。请指定它旁边的一个表格。", "{file} is a recipe. Name a table beside it."
    ),
    "provider_without_preview": Text(
        "服务方 {provider} 只能批量回答，不能预览。可以用 scripts/batchdrop recipe show 查看会发送什么，或先上传只有几行的表格。",
        "The provider {provider} answers in batches only, so it has no preview. scripts/batchdrop recipe show prints what would be sent; or drop a table of a few rows first.",
    ),
    "no_preview_key": Text(
        "预览要询问服务方，但它的设置缺失或有误：{reason}。请用 scripts/batchdrop cloud 启动本地云，或设置这里写明的变量。",
        "A preview asks the provider, but its settings are missing or wrong: {reason}. Start a local cloud with scripts/batchdrop cloud, or set the variables that are named here.",
    ),
    "preview_not_possible": Text(
        "现在不能预览，需要先解决：", "No preview for now; this must be put right first:"
    ),
    "recipe_exists": Text(
        "{folder} 里已经有 {name}，因此没有写新的配方：它对这个文件夹里的每个表格都有效。请修改它，或先把它改名或移走；也可以把另一个表格放进自己的文件夹，或用 run --recipe 指定配方。",
        "There is {name} in {folder} already, and it holds for every table there, so no recipe was written. Edit that one, or rename or move it first; or put the other table into a folder of its own, or name its recipe with run --recipe.",
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
}  # fmt: skip
