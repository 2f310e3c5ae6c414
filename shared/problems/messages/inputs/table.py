"""What may be wrong with the form of a table."""

from __future__ import annotations

from shared.problems.messages.message import Message

# The column that a recipe probably means, and the line of the header that lacks it.
MEANT = Message("您是不是想写“{near}”？那要写成 {write}。", ' Did you mean "{near}"? Then write {write}.')
AT_LINE = Message("（第 {line} 行）", " (line {line})")

TABLE_MESSAGES: dict[str, Message] = {
    "blanks_before_quotes": Message(
        '该文件的引号前都有空格（如 1, "文字"，第一个在这里），已按带引号的单元格读取；分隔符后面的空格不算内容。',
        'The quotes of this file stand behind a blank (as in 1, "text"), the first one here. They were read as quotes around a cell, and the blanks behind the delimiters are no part of the text.',
    ),
    "quotes_kept": Message(
        '有 {cells} 个单元格的引号前有空格（如 1, "文字"，第一个在这里），因此引号和空格都算作文字，也会发给模型。如果不是有意的，请删除引号前的空格，然后重新上传本文件。',
        'In {cells} cells a blank stands before the quotes (as in 1, "text"), the first one here. So quotes and blank are part of the text and go to the model. If that is not meant, remove these blanks and drop this file again.',
    ),
    "formula_texts": Message(
        '有 {cells} 个单元格是 ="0012" 这样的写法（电商平台等为保留开头的 0 这样导出，第一个在这里），已按引号内的文字读取（如 0012），结果中也一样。',
        'There are {cells} cells such as ="0012", as shops export them to keep zeros, the first one here. They were read as the text in the quotes, 0012; that is also what the result has.',
    ),
    "rows_in_one_cell": Message(
        "有 {cells} 个带引号的单元格里像是有好几行完整的数据（第一个在这里，到第 {last_line} 行为止）：很可能少了一个结束引号，这几行被合成了一行发送。请核对；如果确实如此，请补上或删除引号，然后重新上传本文件。",
        "{cells} quoted cells seem to hold whole rows, the first one from here to line {last_line}: a closing quote is probably missing, so these rows were sent as one. Look at them; if that is so, add or remove the quote and drop this file again.",
    ),
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
        "应有 {expected} 列，实际有 {found_columns} 列。请检查分隔符和引号，补上缺少的列，或删除多余的列。",
        "The row should have {expected} columns but has {found_columns}. Check delimiters and quotes; add or remove cells.",
    ),
    "delimiter_in_doubt": Message(
        "无法确定列与列之间的分隔符：{delimiters} 都可能（{readings}）。请在 batch.yaml 中写明，例如 delimiter: {example}；没有 batch.yaml 时，请在文件最前面加一行 sep={typed} （写上实际的分隔符）。",
        "More than one character may separate the columns: {delimiters} ({readings}). Name the right one in batch.yaml, such as delimiter: {example}. Without batch.yaml, put it into a first line of its own, such as sep={typed} .",
    ),
    "unusual_delimiter": Message(
        "只看到一列（“{found}”）。列与列之间用的似乎是“{separator}”，无法按它分列。请改用逗号、分号、制表符或竖线（|）分隔，或另存为“CSV UTF-8”。",
        'There is only one column ("{found}"). "{separator}" seems to separate the columns, which cannot be read. Separate them by commas, semicolons, tabs or |, or save the file as "CSV UTF-8".',
    ),
    "blank_rows": Message(
        "表格中间有 {rows} 个空行（第一个在这里），已忽略。",
        "There are {rows} blank rows within the table, the first one here. They were ignored.",
    ),
    "json_in_table": Message(
        "文件名是表格，内容却是 JSON（“{found}”）。如果每行已是一个完整的请求，请把扩展名改成 .jsonl；否则请另存为有列名的 CSV 或 Excel 表格，再重新上传。",
        'The name is that of a table, but the content is JSON ("{found}"). If each line is a whole request, rename the file to .jsonl; else save it as CSV or Excel with names of columns, and upload it again.',
    ),
    "row_in_one_cell": Message(
        "整行都在一个单元格里（“{found}”），没有按“{separator}”分列：多半是每行外面多了一对引号，或者整行被粘贴进了一列。请去掉行首和行尾的引号，或按“{separator}”分列；如果 batch.yaml 中写了 delimiter，也请检查。然后重新上传本文件。",
        'The whole row is one cell ("{found}"), not cut at "{separator}": most likely each row stands in quotes, or was pasted into one column. Remove the quotes around the rows, or split them at "{separator}"; if batch.yaml names a delimiter, check it. Then drop this file again.',
    ),
    "rule_below_header": Message(
        "表头下面是一行横线（----），不是数据，已忽略。",
        "Below the header there is a rule (----), which is no row. It was ignored.",
    ),
    "repeated_header": Message(
        "有 {rows} 行与表头相同（第一个在这里；多半是几个文件拼接而成），不是数据，已忽略。",
        "There are {rows} rows that repeat the header, the first one here, as where files were joined. They are no data and were ignored.",
    ),
    "columns_in_other_order": Message(
        "这里又出现了表头，但列的顺序不同（这里是“{found}”，第一个表头是“{columns}”）：拼接的文件列序不一样，从该行起每一格都会算到别的列里。请把各文件的列调成同样的顺序再拼接，或不拼接、分别上传。",
        'The header comes again here, but with its columns in another order ("{found}"; the first header is "{columns}"): files were joined whose columns differ, and from here on each cell would count as another column\'s. Bring the columns of all files into the same order before you join them, or drop the files one by one.',
    ),
    "header_as_row": Message(
        "有 {rows} 行的内容就是列名（第一个在这里），仍会照常发送。如果是拼接文件时带入的表头，请删除这些行，然后重新上传本文件。",
        "There are {rows} rows that hold only the name of the column, the first one here. They were sent all the same. If they are headers of files that were joined, delete them and drop this file again.",
    ),
    "rows_one_cell_longer": Message(
        "表头有 {columns} 列，从该行起的数据行却都有 {cells} 格，无法确定哪一格属于哪一列。可能的原因：① 最前面多了一列没有名称的行名（R 的 write.table 会这样写），请用 row.names = FALSE 重新导出，或在表头最前面补上列名；② 单元格里有没加引号的逗号等分隔符（如 1,200 或 Austin, TX），请给这些单元格加上引号；③ 只是行尾多了一个分隔符，请删除，或在表头末尾也加上一个。然后重新上传本文件。",
        "The header has {columns} columns, but the rows from here on all have {cells} cells, so it is not certain which cell belongs to which column. Either there are row names in front, whose column has no name (R's write.table does that): export again with row.names = FALSE, or put a name for them in front of the header. Or cells have a comma (or another separator) without quotes, as in 1,200 or Austin, TX: put quotes around them. Or it is only a separator too many at the end: delete it, or add one to the end of the header. Then drop this file again.",
    ),
    "trailing_separators": Message(
        "从该行起，有 {rows} 行比应有的 {columns} 列多出空单元格（行尾多了分隔符），多出的已忽略。",
        "From here on, {rows} rows have extra separators at their end, so empty cells beyond the {columns} columns. These were ignored.",
    ),
    "trailing_separators_in_header": Message(
        "表头末尾多了分隔符，下面的数据行都是 {columns} 列；表头末尾没有名称的列已忽略。",
        "The header ends with extra separators; the rows below have {columns} columns. Its last columns, which have no name, were ignored.",
    ),
    "trailing_empty_rows": Message(
        "从该行起到文件末尾有 {rows} 个空行，已忽略。",
        "From here to the end of the file there are {rows} empty rows, which were ignored.",
    ),
    "looks_like_header": Message(
        "第一行（“{found}”）是表头，但没有 batch.yaml 时文件不应有表头。如果要用 batch.yaml，请先在同一文件夹或上级文件夹中放好它，再重新上传本文件；写法见 batch.yaml.example（本地云会放在 inbox/ 中），也可以用 scripts/batchdrop init 表格 生成一份。不用 batch.yaml 时，请删除这一行。",
        'The first row ("{found}") is a header, but without batch.yaml a file has none. For a batch.yaml, put it into the same folder, or into one above, then drop this file again; batch.yaml.example (the local cloud puts it into inbox/) shows how to write one, and scripts/batchdrop init TABLE writes one for you. Without a batch.yaml, delete this row.',
    ),
    "header_below": Message(
        "模板用到的列都在这一行，但它上面还有别的内容（“{found}”）。请删除上面的行，或在 batch.yaml 中写 header_row: {header_line}（或 header_row: auto），然后重新上传本文件。",
        'This row has all columns that the template uses, but something stands above it ("{found}"). Delete the rows above, or write header_row: {header_line} (or header_row: auto) into batch.yaml; then drop this file again.',
    ),
    "header_amid_rows": Message(
        "表头在第 {header_line} 行，它上面的行看起来是数据（第一行是“{found}”）：很可能排序时把表头也排进去了。请把第 {header_line} 行移到最上面，再重新上传本文件。如果上面的行不是数据，请删除它们，或在 batch.yaml 中写 header_row: {header_line}。",
        'The header stands in line {header_line}, and the rows above it look like data (the first is "{found}"): the table was probably sorted together with its header. Move line {header_line} to the top, then drop this file again. If the rows above are no data, delete them, or write header_row: {header_line} into batch.yaml.',
    ),
    "second_header": Message(
        "表头下面的前 {rows} 行（“{found}”）看起来不是数据，而是问卷工具的说明行或另一种语言的表头，已照样发送。如果确实不是数据，请删除后重新上传本文件。",
        'The first {rows} row(s) below the header ("{found}") look like a survey tool\'s second header, or a header in another language, not like data. They were sent all the same. If they are no data, delete them and drop this file again.',
    ),
    "header_row_not_there": Message(
        "batch.yaml 说表头在第 {found} 行，但没有从该行开始的数据（在它之前的最后一行是第 {last} 行）。请改正行号，或写 header_row: auto，然后重新上传本文件。",
        "batch.yaml says that the header is on line {found}, but no row begins there (the last one before it is on line {last}). Correct the number, or write header_row: auto; then drop this file again.",
    ),
    "header_in_other_sheet": Message(
        '读取的工作表“{sheet}”中没有模板用到的列，但工作表“{found}”的第 {header_line} 行都有。请在 batch.yaml 中写 sheet: "{found}"，然后重新上传本文件。',
        'The sheet "{sheet}", which was read, does not have the columns that the template uses, but row {header_line} of the sheet "{found}" has all of them. Write sheet: "{found}" into batch.yaml, then drop this file again.',
    ),
    "unread_sheets": Message(
        '只读取了工作表“{sheet}”；工作表“{found}”也有同样的列，没有读取。如果也要处理，请把它们各存为一个文件再上传；如果要读的是另一张，请在 batch.yaml 中用 sheet 写明要读取的工作表，例如 sheet: "{first}"。',
        'Only the sheet "{sheet}" was read. The same columns are in "{found}", which was not read. If it is to be processed too, save each sheet as a file of its own and drop it; if another one is meant, name it in batch.yaml, such as sheet: "{first}".',
    ),
    "unread_sheets_of_two_columns": Message(
        "只读取了工作表“{sheet}”；工作表“{found}”看起来是同样的表，没有读取。如果也要处理，请把它们各存为一个文件再上传；如果要读的是另一张，请把它移到最前面，然后重新上传本文件。",
        'Only the sheet "{sheet}" was read. "{found}" looks like the same table and was not read. If it is to be processed too, save each sheet as a file of its own and drop it; if another one is meant, move it to the front and drop this file again.',
    ),
    "empty_sheets": Message(
        "排在前面的工作表“{sheets}”是空的，因此读取了“{found}”。",
        'The sheet "{sheets}", which comes first, is empty, so "{found}" was read.',
    ),
    "cells_beside_table": Message(
        "表格右边、没有列名的地方有 {rows} 行写了内容，第一个是这个单元格（“{found}”）。它们不属于任何列，已忽略，结果中也没有。如果需要，请在表头给这一列写上名称，然后重新上传本文件。",
        'In {rows} rows there is something to the right of the last column that has a name; this cell is the first ("{found}"). It belongs to no column, was ignored and is not in the result. If you need it, give the column a name in the header and drop this file again.',
    ),
    "cells_beside_two_columns": Message(
        "没有 batch.yaml，所以只读取编号和内容两列；它们右边有 {rows} 行写了内容，第一个是这个单元格（“{found}”），已忽略，结果中也没有。如果需要，请放入 batch.yaml，并在表头写上列名，然后重新上传本文件。",
        'There is no batch.yaml, so only the two columns id and content are read. To the right of them there is something in {rows} rows; this cell is the first ("{found}"). It was ignored and is not in the result. If you need it, add a batch.yaml and a header, and drop this file again.',
    ),
    "column_without_name": Message(
        "表格右边、没有列名的地方有 {rows} 行写了内容，第一个是这个单元格（“{found}”）。请在表头给这一列写上名称，或删除这些内容，然后重新上传本文件。",
        'In {rows} rows there is something to the right of the last column that has a name; this cell is the first ("{found}"). Give the column a name in the header, or delete what is in it; then drop this file again.',
    ),
    "rows_above_header": Message(
        "表头在第 {header_line} 行，它上面的行已忽略。",
        "The header is on line {header_line}; what stands above it was ignored.",
    ),
    "empty_cell": Message(
        "用到的这一列是空的（“{found}”），按 on_empty: skip 没有发送，也没有产生费用。",
        'The prompt uses this column, which is empty here ("{found}"). With on_empty: skip the row was neither sent nor charged.',
    ),
    "empty_cells": Message(
        "“{found}”列有 {rows} 行是空的（共 {total} 行；空白、nan、NULL、#N/A 等都算空），例如第 {lines} 行；这些行也照样发送了。如果不想发送，请在 batch.yaml 里写 on_empty: skip（跳过这些行）或 on_empty: refuse（整个文件退回）。",
        'The column "{found}" is empty in {rows} of {total} rows (blank, nan, NULL, #N/A and the like), for example on line {lines}; they were sent all the same. If that is not wanted, write on_empty: skip (leave these rows out) or on_empty: refuse (refuse the file) into batch.yaml.',
    ),
    "empty_prompts": Message(
        "“{found}”列有 {rows} 行是空的（共 {total} 行），例如第 {lines} 行；提示词里没有别的内容，这些行没有什么可问，因此没有发送，也没有产生费用，在结果里写明了原因。如果应该退回整个文件，请在 batch.yaml 里写 on_empty: refuse。",
        'The column "{found}" is empty in {rows} of {total} rows, for example on line {lines}, and nothing else is in their prompts. There was nothing to ask, so they were neither sent nor charged; the result says why. If the file should be refused instead, write on_empty: refuse into batch.yaml.',
    ),
    "empty_cells_left_out": Message(
        "“{found}”列有 {rows} 行是空的（共 {total} 行），例如第 {lines} 行；按 on_empty: skip，这些行没有发送，在结果里写明了原因。",
        'The column "{found}" is empty in {rows} of {total} rows, for example on line {lines}. With on_empty: skip they were not sent; the result says why.',
    ),
    "empty_contents": Message(
        "第 2 列（提示词）有 {rows} 行只写着 nan、NULL、NA 之类（共 {total} 行），例如第 {lines} 行；这些行也照样发送了。如果不想发送，请删掉这些行，再把表格重新上传。",
        "The second column, the prompt, holds only a word for no value (nan, NULL, NA and the like) in {rows} of {total} rows, for example on line {lines}; they were sent all the same. If that is not wanted, delete these rows and upload the table again.",
    ),
    "too_many_empty_cells": Message(
        "“{found}”列有 {rows} 行是空的（共 {total} 行；空白、nan、NULL、#N/A 等都算空），例如第 {lines} 行。请补上内容；或在 batch.yaml 里写 on_empty: skip（跳过这些行）或 on_empty: send（照样发送），再把表格重新上传。",
        'The column "{found}" is empty in {rows} of {total} rows (blank, nan, NULL, #N/A and the like), for example on line {lines}. Fill it in; or write on_empty: skip (leave these rows out) or on_empty: send (send them all the same) into batch.yaml, and upload the table again.',
    ),
    "fill_down_lost": Message(
        "该单元格为空，应填入上面的值（fill_down），但第 {above} 行读不出来，不知道它的值，因此没有发送该行。请修复第 {above} 行，或在该单元格中写明值。",
        "The cell is empty and would get the value above (fill_down), but line {above} could not be read, so nobody knows its value, and the row was not sent. Repair line {above}, or write the value into this cell.",
    ),
    "merged_cells": Message(
        "该列有 {cells} 个单元格与上面的单元格合并，读到的是空单元格。如果它们应与上面的值相同，请在 batch.yaml 中写 {write}，然后重新上传本文件。",
        "In this column {cells} cells are merged with the one above and were read as empty. If they are to have its value, write {write} into batch.yaml, then drop this file again.",
    ),
    "missing_column": Message(
        "要用到“{found}”列，但表头{at}中没有。{meant}表头有：{columns}。请修改 batch.yaml 或表头。",
        'The column "{found}" is needed, but the header{at} does not have it.{meant} The header has: {columns}. Change batch.yaml or the header.',
    ),
    "duplicate_column": Message(
        "要用到的“{found}”列在表头中出现了 {times} 次（{columns}），无法确定用哪一列。请改成不同的列名。",
        'The column "{found}" is needed, but appears {times} times in the header ({columns}). Give the columns different names.',
    ),
}
