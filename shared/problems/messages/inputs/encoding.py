"""What may be wrong with the encoding of a file, or with single characters."""

from __future__ import annotations

from shared.problems.messages.message import Message

ENCODING_MESSAGES: dict[str, Message] = {
    "unknown_encoding": Message(
        "文件不是 UTF-8（有字节 {utf8_bytes}），当作 GB18030/GBK 读出来是“{found}”，不太像。最可能的编码：{likely}。请另存为 UTF-8 后重新上传；如果有 batch.yaml，也可以在其中写明编码（如 encoding: {example}），再重新上传。",
        'The file is not UTF-8 (it has the bytes {utf8_bytes}), and as GB18030/GBK it reads "{found}", which is hardly what was written. Most likely: {likely}. Save it as UTF-8, or, if there is a batch.yaml, name the encoding there (such as encoding: {example}); then upload the file again.',
    ),
    "encoding_ignored": Message(
        "batch.yaml 中写的编码是 {encoding}，但文件是 UTF-8，所以已按 UTF-8 读取：该行是“{as_utf8}”，按 {encoding} 会读成“{found}”。请删除 batch.yaml 中的 encoding。",
        'batch.yaml says that the encoding is {encoding}, but the file is UTF-8 and was read as such: this line is "{as_utf8}" and would be "{found}" in {encoding}. Delete encoding from batch.yaml.',
    ),
    "unread_encoding": Message(
        "文件的编码是 {encoding}（该行是“{found}”），Batchdrop 不支持。请另存为 UTF-8 后重新上传。",
        'The file is in {encoding}, which Batchdrop does not read (this line is "{found}"). Save it as UTF-8 and upload it again.',
    ),
    "double_encoded": Message(
        "这里是乱码：“{found}”应为“{meant}”。文件本来是 {encoding}，被当作别的编码打开后又保存了一次；乱码会照样发给模型。请从原来的系统重新导出，或打开原文件时选 {encoding} 再保存，然后重新上传。",
        'The text is garbled: "{found}" should be "{meant}". It was {encoding}, was opened in another encoding and saved again; it goes to the model as it is. Export the file again, or open the original as {encoding} and save it; then upload it again.',
    ),
    "lost_characters": Message(
        "这里是乱码（“{found}”）：原来的文字在保存或导出时已经丢失，无法恢复，乱码会照样发给模型；文件开头部分共有 {times} 处。请从原来的系统用 UTF-8 重新导出，然后重新上传。",
        'The text is garbled ("{found}"): what stood there was lost when it was saved or exported, and goes to the model as it is. The beginning of the file has {times} such places. Export it again as UTF-8, then upload it again.',
    ),
    "detected_encoding": Message(
        "文件没有用 UTF-8 编码，已按 {encoding} 读取，该行读作“{found}”。如果这是乱码，请把文件另存为 UTF-8，或在 batch.yaml 中用 encoding 写明编码，再重新上传。",
        'The file is not UTF-8 and was read as {encoding}; this line reads "{found}". If that is garbled, save the file as UTF-8, or name its encoding in batch.yaml (encoding: …), and upload it again.',
    ),
    "maybe_gb18030": Message(
        "该行已按 UTF-8 读作“{found}”；如果文件是 GBK 编码，则应读作“{as_gb18030}”，两种读法都说得通。如果后者才对，请把文件另存为 UTF-8，或在 batch.yaml 中写 encoding: gb18030，再重新上传；如果前者对，就不用处理。",
        'This line was read as UTF-8, as "{found}"; in GBK it is "{as_gb18030}", and both make sense. If the second is right, save the file as UTF-8, or write encoding: gb18030 in batch.yaml, and upload it again; if the first is right, there is nothing to do.',
    ),
    "invalid_encoding": Message(
        "第 {position} 个字节起（{found}）不是有效的 {encoding}。请修复该行，或将文件另存为 UTF-8。",
        "The bytes from position {position} ({found}) are not valid {encoding}. Repair the line, or save the file as UTF-8.",
    ),
    "mixed_encodings": Message(
        "该行是 {encoding} 编码，而文件按 {other} 读取：多半是把不同编码的内容追加或拼接到了一个文件里，照样发送就是乱码。请把各部分另存为同一种编码（如 UTF-8）后再合并，然后重新上传本文件。",
        "This line is in {encoding}, but the file is read as {other}: text in another encoding was probably appended, and would be sent garbled. Save all parts in the same encoding, such as UTF-8, before you join them; then drop this file again.",
    ),
    "cut_character": Message(
        "该行末尾的字符不完整（字节 {found}），很可能是保存、导出或上传时被截断了。请补全该行，或重新上传完整的文件。",
        "The line ends in the middle of a character (with the bytes {found}): it was probably cut off when the file was saved, exported or uploaded. Complete the line, or upload the whole file again.",
    ),
    "damaged_utf16": Message(
        "{encoding} 文件已损坏（字节 {found}，所在数据块的第 {position} 个字节）。请另存为 UTF-8 后重新上传。",
        "The {encoding} file is damaged (bytes {found}, at byte {position} of its block). Save it as UTF-8 and upload it again.",
    ),
    "utf16_jsonl": Message(
        "JSONL 必须是 UTF-8，但文件以 {found} 开头，是 {encoding}。请另存为 UTF-8 后重新上传。",
        "JSONL must be UTF-8, but the file begins with {found}, which is {encoding}. Save it as UTF-8 and upload it again.",
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
}
