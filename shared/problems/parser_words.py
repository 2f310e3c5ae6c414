"""Says in Chinese what parsers say of damaged input in English, for the Chinese report."""

from __future__ import annotations

import re

# The phrases that people's files really bring up: of json
# (https://github.com/python/cpython/tree/main/Lib/json), PyYAML, Jinja, isal, zipfile, Arrow,
# jsonschema-rs and our own readers. Groups go into the Chinese text; what stands between quotes is
# the uploader's own text and stays as it is.
_PHRASES: tuple[tuple[str, str], ...] = (
    # JSON
    (r"Expecting value", "这里应该有一个值"),
    (r"Expecting property name enclosed in double quotes", "这里应该是用双引号括起来的键名"),
    (r"Expecting '(.)' delimiter", r"这里应该有“\1”"),
    (r"Extra data", "完整的 JSON 之后还有多余的内容"),
    (r"Unterminated string starting at", "字符串没有结束的引号"),
    (r"Invalid control character at", "字符串中有未转义的控制字符（如换行或制表符）"),
    (r"Invalid \\+escape(?:: .*)?", "反斜杠后面的转义写法无效"),
    (r"Invalid \\+uXXXX escape", r"\\u 后面应该是四位十六进制数"),
    (r"Illegal trailing comma before end of (?:object|array)", "最后一项后面有多余的逗号"),
    (r"(.+) is no JSON", r"\1 不是标准 JSON"),
    (r"a number of (\d+) digits", r"数字有 \1 位，太长"),
    (r"(.+) is too large a number", r"数字 \1 过大"),
    (r"more than (\d+) levels", r"嵌套超过 \1 层"),
    (r"nothing at (.+)", r"缺少 \1"),
    (r"(\d+) different JSON documents", r"有 \1 份不同的 JSON，不知道该用哪一份"),
    (r"the thinking does not end", "思考过程没有结束"),
    # JSON Schema
    (r"(.+) is not of types? (.+)", r"\1 的类型不对，应为 \2"),
    (r"(.+) is not one of (.+) or (\d+) other candidates", r"\1 不是允许的值：\2 等（另有 \3 个）"),
    (r"(.+) is not one of (.+) or (.+)", r"\1 不是允许的值：\2 或 \3"),
    (r"(.+) is not one of (.+)", r"\1 不是允许的值：\2"),
    (r"(.+) is a required property", r"缺少必填的 \1"),
    (r"Additional properties are not allowed \((.+) (?:was|were) unexpected\)", r"有未定义的键 \1"),
    (r"(.+) is not valid under any of the schemas.*", r"\1 不符合任何一种允许的形式"),
    (r"(.+) is (?:less than the minimum of|greater than the maximum of) (.+)", r"\1 超出界限 \2"),
    (r"(.+) is less than or equal to the minimum of (.+)", r"\1 必须大于 \2"),
    (r"(.+) is greater than or equal to the maximum of (.+)", r"\1 必须小于 \2"),
    (r"(.+) is longer than (\d+) characters?", r"\1 超过 \2 个字符"),
    (r"(.+) is shorter than (\d+) characters?", r"\1 不足 \2 个字符"),
    (r"(.+) has less than (\d+) items?", r"\1 不足 \2 项"),
    (r"(.+) has more than (\d+) items?", r"\1 超过 \2 项"),
    (r"(.+) has non-unique elements", r"\1 中有重复的项"),
    (r"(.+) was expected", r"应为 \1"),
    (r"(.+) is not a multiple of (.+)", r"\1 不是 \2 的倍数"),
    (r"(.+) is not a \"(.+)\"", r"\1 不是有效的 \2"),
    (r"(.+) does not match (.+)", r"\1 不匹配 \2"),
    # YAML
    (r"mapping values are not allowed(?: here)?", "这里不能再出现“键: 值”，可能是缩进不对或冒号未加引号"),
    (r"could not find expected ':'", "缺少冒号“:”"),
    (r"expected <block end>, but found '?(.+?)'?", "缩进不一致，或前面的内容没有结束"),
    (r"found character ['\"](.+)['\"] that .*", r"不能以字符“\1”开头，请加引号；缩进请用空格"),
    (r"found unexpected end of stream", "引号没有结束"),
    (r"expected ',' or '([\]}])', but got .*", r"缺少逗号“,”或结束的“\1”"),
    (r"expected the node content, but found .*", "这里应该有内容"),
    (r"found unknown escape character '(.+)'", r"双引号内的转义 \\\1 无效，请改用单引号"),
    (r"expected chomping or indentation indicators, .*", "“|”或“>”后面要先换行"),
    (r"expected a comment or a line break, but found .*", "“|”或“>”后面要先换行"),
    (r"but found another document", "只能有一个文档，请删除“---”"),
    (r"unacceptable character .*", "含有 YAML 不允许的控制字符"),
    # Jinja
    (r"unexpected end of template.*", "模板没有写完，缺少结束标记"),
    (r"Unexpected end of template\..*", "模板没有写完，缺少结束标记"),
    (r"unexpected char ['\"](.+)['\"] at \d+", r"不认识的字符“\1”"),
    (r"unexpected '([^']+)'(?:, expected '([^']+)')?", r"多余的“\1”"),
    (r"Expected an expression, got '(.+)'", r"“\1”之前缺少内容"),
    (r"Missing end of comment tag", "注释没有结束，缺少“#}”"),
    (r"Encountered unknown tag '([^']+)'\..*", r"不认识的标签“\1”"),
    (r"expected name or number", "“.”后面缺少名称"),
    (r"expected token 'name', got '(.+)'", r"“\1”之前缺少名称"),
    (r"expected token '(.+)', got '(.+)'", r"此处应为“\1”，实际是“\2”"),
    (r"No filter named '(.+)'(?: found)?\.?", r"没有名为“\1”的过滤器"),
    (r"No test named '(.+)'(?: found)?\.?", r"没有名为“\1”的测试"),
    (r"UndefinedError: '(.+)' is undefined", r"“\1”没有定义"),
    (r"ZeroDivisionError: .*", "除数为零"),
    (
        r"SecurityError: (\S+) works on numbers only; .*",
        r"“\1”只能用于数，而单元格都是文本，请写成 price|float 这样",
    ),
    (
        r"TypeError: .*; cells are texts, .*",
        "单元格都是文本，不能直接和数比较或计算，请写成 price|float 这样",
    ),
    (r"SecurityError: (\S+) works on numbers up to (\d+) only", r"“\1”只能用于不超过 \2 的数"),
    (r"SecurityError: \*\* works with exponents up to (\d+) only", r"“**”的指数不能超过 \1"),
    (r"SecurityError: access to .*", "用到了模板中不允许的属性"),
    (r"SecurityError: .*", "用到了模板中不允许的操作"),
    # Packed files
    (r"unexpected end of file", "文件不完整"),
    (r"Error -4 Invalid gzip/zlib wrapper found", "不是 gzip 格式"),
    (r"unreadable bytes between two members", "两段压缩内容之间有无法读取的字节"),
    (r"Error -6 Incorrect checksum found", "校验和不符"),
    (r"Error -\d+ (?:while decompressing|Invalid).*", "压缩数据已损坏"),
    (r"Bad (?:CRC-32|magic number) .*", "压缩数据已损坏"),
    (r"File is not a zip file", "不是 zip 格式"),
    (r"\"There is no item named '(.+)' in the archive\"", r"其中缺少 \1"),
    (r"Parquet (?:magic bytes not found|file size is) .*", "不是 Parquet 格式"),
    # What a file really is
    (r"(UTF-16|UTF-32) without BOM", r"没有 BOM 的 \1"),
    (r"binary", "二进制数据"),
    (r"Excel / zip", "Excel 或 zip"),
    (r"Excel 97-2003|[\w.-]{1,20}", r"\g<0>"),
)
# Jinja's names for what ends a variable and a tag.
_TOKENS = {
    "end of print statement": "}}",
    "end of statement block": "%}",
    "'end of template'": "'（模板结尾）'",
    "got 'integer'": "got '（整数）'",
    "got 'float'": "got '（小数）'",
    "got 'string'": "got '（文本）'",
}
_ELSEWHERE = "原因见英文说明"
_POSITION = re.compile(r"(.+), character (\d+)", re.DOTALL)
_PLACE = re.compile(r"([\w.]{1,200}): (.+)", re.DOTALL)


def in_chinese(said: str) -> str:
    """The same in Chinese, or where to look for it if the phrase is unknown."""
    position = _POSITION.fullmatch(said)
    if position:
        return f"{in_chinese(position[1])}，第 {position[2]} 个字符"
    place = _PLACE.fullmatch(said)
    inner = _known(place[2]) if place else None
    return f"{place[1]}：{inner}" if place and inner else _known(said) or _ELSEWHERE


def _known(said: str) -> str | None:
    for name, token in _TOKENS.items():
        said = said.replace(name, token)
    for pattern, chinese in _PHRASES:
        match = re.fullmatch(pattern, said.strip(), re.DOTALL)
        if match:
            return match.expand(chinese)
    return None
