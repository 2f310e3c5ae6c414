"""The text of a new recipe, with everything explained in Chinese and English."""

from __future__ import annotations

from collections.abc import Sequence

from shared.formats.yaml_values import yaml_text
from shared.problems.render import quote
from shared.recipes.tasks.prompts import Language
from shared.recipes.templates.column_names import expression_for

_LISTED_COLUMNS = 50

_RECIPE = """\
# 这是 scripts/batchdrop init 为 {table} 写的配方。改好后先放 batch.yaml，再放表格。
# The recipe that scripts/batchdrop init wrote for {table}. Edit it; put it in the folder before the table.
#
# 表格的列，列名在第 {line} 行。 The columns of the table; line {line} has their names:
#   {columns}
{header_row}
# 用哪个模型。 The model of every row.
model: qwen-flash

# 要对每一行做什么：以下五种只能用一种。要换一种，去掉它前面的“# ”，并删除原来的。
# What is asked about each row: one of these five. To use another, remove "# " from it, and the first.

# 1 自己写提示词，答案在 content 列。 A prompt of your own; the answer is in "content".
prompt: |
  {ask}

  {cell}

# 2 分类，结果多一列 label。 Choose a label, which becomes the column "label".
# classify:
#   column: {column}
#   labels: {labels}

# 3 提取，每项一列：写一句说明、类型（文本、数字、整数、是否、列表）或可选值。
#   A column for each field, by a description, a type or the possible values.
# extract:
#   column: {column}
#   fields: {fields}

# 4 翻译，译文在 content 列。 Translate; the translation is in "content".
# translate: {{column: {column}, to: {language}}}

# 5 向量，model 要改成向量模型。 A vector for each row; name an embedding model.
# embed: {{column: {column}}}

# 每个答案最多写多长；写了它，报价才有“最多”。向量不需要。
# How long an answer may be at most: only with it the quote has an "at most". Vectors need none.
# parameters: {{max_tokens: 500, enable_thinking: false}}

# 花钱之前：先问 20 行看看，超过 50 元要有人批准，最多花 200 元。可以只留其中几项。
# Before money is spent: 20 rows are asked first, above 50 CNY somebody must approve, and the job
# never costs more than 200 CNY. Leave out what you do not need.
# price: {{sample: 20, approve: above 50 CNY, at_most: 200 CNY}}
{output}"""
_OUTPUT = """
# 结果的格式：与表格相同。删除后是 CSV。 The result in the table's format; without this it is CSV.
output:
  format: {format}
"""
_HEADER_ROW = """
# 列名在第几行，上面的行不读。 The line of the column names; what stands above it is not read.
header_row: {line}
"""
_WORDS = {
    "zh": {
        "ask": "用一句话概括下面的内容。",
        "labels": "[好评, 中评, 差评]",
        "fields": "{商品: 提到的商品, 金额: 数字, 情绪: [高兴, 生气, 平静]}",
        "language": "英文",
    },
    "en": {
        "ask": "Summarize the text below in one sentence.",
        "labels": "[positive, neutral, negative]",
        "fields": "{product: the product that is meant, amount: number, mood: [happy, angry, calm]}",
        "language": "Chinese",
    },
}


def recipe_text(
    table: str,
    columns: Sequence[str],
    asked_about: str,
    output: str | None,
    language: Language,
    *,
    line: int = 1,
    is_below_titles: bool = False,
) -> str:
    """A recipe that can be used as it is.

    Args:
        table: The file's name.
        columns: All that a recipe can name.
        asked_about: The one that holds the texts.
        output: The result's format; ``None`` for CSV.
        language: In which is asked.
        line: The header's.
        is_below_titles: The recipe must name that line.
    """
    listed = ", ".join(map(quote, columns[:_LISTED_COLUMNS]))
    more = f", … (+{len(columns) - _LISTED_COLUMNS})" if len(columns) > _LISTED_COLUMNS else ""
    return _RECIPE.format(
        table=quote(table),
        line=line,
        header_row=_HEADER_ROW.format(line=line) if is_below_titles else "",
        columns=listed + more,
        cell=expression_for(asked_about),
        column=yaml_text(asked_about),
        output=_OUTPUT.format(format=output) if output else "",
        **_WORDS[language],
    )
