"""What may be wrong with a dropped file as a whole, or with its name."""

from __future__ import annotations

from shared.problems.messages.message import Message

FILE_MESSAGES: dict[str, Message] = {
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
        "这是压缩文件（“{found}”）。请解压后上传其中的文件，可用的类型：{accepted}。",
        'This is a compressed file ("{found}"). Unpack it and upload what is inside: {accepted}.',
    ),
    "json_file": Message(
        "这是 JSON 文件（“{found}”）。请改成每行一个请求的 JSONL，扩展名用 .jsonl。",
        'This is a JSON file ("{found}"). Write one request per line and name it .jsonl.',
    ),
    "text_file": Message(
        "“{found}”是 .txt 文件，看不出里面是不是表格。如果是表格（例如 Excel 的“Unicode 文本”），请用 Excel 或 WPS 打开，另存为“CSV UTF-8（逗号分隔）”后上传；如果内容本来就是 CSV 或 JSONL，把扩展名改成 .csv 或 .jsonl 即可。",
        '"{found}" is a .txt file, which may hold anything. If it is a table, such as Excel\'s "Unicode Text", open it in Excel or WPS, save it as "CSV UTF-8" and upload that. If it is CSV or JSONL already, rename it to .csv or .jsonl.',
    ),
    "empty_file": Message(
        "文件是空的，没有任何内容。请检查后重新上传。",
        "The file is empty. Check it and upload it again.",
    ),
    "endless_blanks": Message(
        "文件中连续的空行或空单元格太多（已读到 {blank_bytes:,} 字节、{blank_lines:,} 行），因此没有读完。请删除这些空行（在 Excel 或 WPS 中删除数据下方的空行后重新保存），然后重新上传。",
        "The file goes on with nothing but blank lines or empty cells, {blank_lines:,} lines of {blank_bytes:,} bytes so far, so it was not read to its end. Delete them (in Excel or WPS, the blank rows below the data, and save again), and upload the file again.",
    ),
    "no_rows": Message(
        "文件只有表头，没有数据行。请加入数据后重新上传。",
        "The file has a header but no rows. Add rows and upload it again.",
    ),
    "not_a_text_file": Message(
        "内容不是表格或 JSONL（{reason}），与扩展名不符。请改用正确的扩展名（.xlsx、.parquet、.csv.gz 等），或另存为“CSV UTF-8”后上传。",
        'The content is no table or JSONL ({reason}), whatever the name says. Use the right extension (.xlsx, .parquet, .csv.gz …), or save the file as "CSV UTF-8".',
    ),
    "damaged_gzip": Message(
        "不是有效的 gzip 文件，或文件已损坏、不完整（{reason}）。请重新压缩并完整上传，或直接上传未压缩的文件。",
        "The file is not gzip, or it is damaged or incomplete ({reason}). Compress it again and upload all of it, or upload it uncompressed.",
    ),
    "bytes_behind_gzip": Message(
        "gzip 内容结束之后还有 {ignored_bytes:,} 字节，不是 gzip，已像 gzip -d 一样忽略。如果文件是拼接起来的，请检查是否缺少内容。",
        "Behind the end of the gzip data there are {ignored_bytes:,} bytes that are no gzip. They were ignored, as gzip -d does. If the file was joined from others, check whether something is missing.",
    ),
    "unreadable_spreadsheet": Message(
        "不是有效的 .xlsx 工作簿，或文件已损坏（{reason}）。请在 Excel 或 WPS 中打开，另存为 .xlsx 或“CSV UTF-8”。",
        'The file is not an .xlsx workbook, or it is damaged ({reason}). Open it in Excel or WPS and save it as .xlsx or as "CSV UTF-8".',
    ),
    "protected_spreadsheet": Message(
        "该工作簿有打开密码，无法读取。请在 Excel 或 WPS 中输入密码打开，取消密码后另存为 .xlsx 再上传。",
        "The workbook cannot be opened without its password. Open it in Excel or WPS, remove the password, save it as .xlsx and upload that.",
    ),
    "spreadsheet_is_other": Message(
        "扩展名是 .xlsx，内容却不是：{reason}。只改扩展名没有用；如果它是表格，请用 Excel 或 WPS 打开，另存为 .xlsx 后再上传。",
        "The name says .xlsx, but the content is something else: {reason}. Renaming does not help. If it is a spreadsheet, open it in Excel or WPS, save it as .xlsx and upload that.",
    ),
    "spreadsheet_is_text": Message(
        "扩展名是 .xlsx，内容却是文本，多半是 CSV。请把扩展名改成 .csv 后再上传。",
        "The name says .xlsx, but the content is text, most likely a CSV. Rename it to .csv and upload it again.",
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
    "long_number": Message(
        "该列有 {cells} 个超过 15 位的数字。Excel 只保留前 15 位，后面的可能已经变成 0。如果是订单号、身份证号等编号，请把该列设为文本格式后重新填写，或从源系统重新导出。",
        "This column has {cells} numbers of more than 15 digits. Excel keeps 15, so the last ones may have become zeros. If they are ids, format the column as text and enter them again, or export them again from where they came.",
    ),
    "image_in_cell": Message(
        "该列有 {cells} 张图片。图片不会发给模型，单元格中只有图片时按空单元格处理。请改为填写图片的网址或文字说明。",
        "This column has {cells} pictures. Pictures are not sent, and a cell with nothing else is empty. Write the picture's address or a description instead.",
    ),
    "unreadable_parquet": Message(
        "不是有效的 Parquet 文件，或文件已损坏（{reason}）。请重新导出并完整上传，或改用 CSV。",
        "The file is not Parquet, or it is damaged ({reason}). Export it again and upload all of it, or use CSV.",
    ),
    "fixed_lists_with_nulls": Message(
        "文件中有定长列表列，并且含有空值；这里的 Parquet 读取器读不了（{reason}）。请把该列另存为不定长列表（例如 pyarrow 的 list_(float32())），或改用 CSV。",
        "A column of fixed-size lists has missing values, which the Parquet reader here cannot read ({reason}). Save it as lists of any size, such as pyarrow's list_(float32()), or use CSV.",
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
        "没有找到 batch.yaml，因此文件必须恰好有两列（id、内容）且没有表头，但这里有 {columns} 列。请先在同一文件夹或上级文件夹中放好 batch.yaml，再重新上传本文件；写法见 batch.yaml.example（本地云会放在 inbox/ 中），也可以用 scripts/batchdrop init 表格 生成一份。不用 batch.yaml 时，请改为两列。",
        "There is no batch.yaml, so the file must have exactly two columns (id, content) and no header, but it has {columns}. Put a batch.yaml into its folder, or into one above, then drop this file again; batch.yaml.example (the local cloud puts it into inbox/) shows how to write one, and scripts/batchdrop init TABLE writes one for you. Without a batch.yaml, use two columns.",
    ),
    # The upload
    "folder_marker": Message(
        "“{found}”只是一个空文件夹，不是要处理的文件。无需理会，把要处理的文件放进去即可。",
        '"{found}" is only an empty folder, not a file to process. You need not do anything; put files into it.',
    ),
    "dot_segment": Message(
        "“{found}”的路径中有名为“.”或“..”的文件夹，很多工具会把它当成别的位置。请去掉它，然后重新上传。",
        'The path "{found}" contains a folder named "." or "..", which many tools take for another place. Remove it and upload the file again.',
    ),
    "file_takes_too_long": Message(
        "文件太大：检查了 {seconds} 秒，只读到第 {rows} 条数据，时间就不够了。什么都没有发送。请拆成几个文件重新上传，每个不超过 {max_rows} 条；如果只是网络一时太慢，原样再上传一次即可。",
        "The file is too large: after {seconds} seconds its check had come to row {rows}, and its time was over. Nothing was sent. Split it into files of {max_rows} rows at most and upload these; if only the network was slow for once, upload it again as it is.",
    ),
    "validation_unfinished": Message(
        "检查开始了 {starts} 次都没有完成（超时或内存不足）。请把文件拆成几个较小的文件重新上传，并告知管理员。",
        "The check was started {starts} times and never finished (out of time or memory). Split the file into smaller ones, upload them, and tell the operator.",
    ),
}
