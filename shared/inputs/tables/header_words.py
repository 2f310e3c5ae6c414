"""Recognises a header in a table that should have none: names of columns, not an id and a text."""

from __future__ import annotations

import re

_MOST_CHARS = 20
_MOST_CHARS_OF_QUESTION = 60  # surveys have whole questions for names
_AROUND = " \t\ufeff\u200b*:：#（）()[]【】"

# Compiled when they are first needed: few tables come without a header, and every start would wait.
_FLAGS = re.VERBOSE | re.IGNORECASE
# Names of an id alone. They are whole cells: no row has such an id.
_ID_NAME = r"""
    (?:(?:custom|row|item|order|user|ticket|question|record|case|doc|request)[ _\-]?)?
      (?:ids?|no\.|num|number|key|code)
    | index | idx | nr\.? | nummer | uuid | guid | n° | n[úu]m[ée]ro | kennung
    | .{0,8}(?:编号|編號|序号|序號|单号|單號|订单号|訂單號|工号|学号|主键|编码|流水号|标识|行号|番号|번호)
    | .{0,8}[\u4e00-\u9fff][ _\-]?(?:id|no\.?)
    | 号 | 号码 | 単号 | 순번
    """
# Names that may well be somebody's first row, so both cells must be one.
_NAME = r"""
    (?:custom[ _]?)?(?:row|line|asin|sku|spu|isbn|uid|name|title|date|time|category|type|label|source|user|customer|product|city|language)
    | (?:user[ _]|customer[ _])?(?:content|prompts?|texts?|questions?|quer(?:y|ies)|inputs?|messages?|body|comments?
      |reviews?|feedback|descriptions?|sentences?|instructions?|answers?|responses?|summary|notes?)
    | .{0,4}(?:姓名|名称|标题|標題|日期|时间|時間|类别|类型|标签|来源|用户|客户|商品|产品|城市|语言)
    | .{0,4}(?:内容|內容|问题|問題|文本|评论|評論|提问|提示词|提示|正文|描述|备注|留言|原文|译文|句子|文字|反馈|答案|回答
      |对话|指令|摘要|题目|质问|質問|本文|내용|질문|문장|텍스트)
    """
# Names of what no row has a mere number for; a line, a user or a question may well be a number.
_NO_NUMBER = r"""
    (?:full[ _]|first[ _]|last[ _]|user[ _]|customer[ _]|product[ _])?names? | titles? | city | country
    | (?:user[ _]|customer[ _])?(?:contents?|texts?|comments?|reviews?|feedback|messages?|descriptions?|sentences?|body)
    | .{0,4}(?:姓名|名称|名字|标题|標題|城市|内容|內容|文本|评论|評論|正文|描述|留言|反馈|原文|译文|商品|产品)
    """


def looks_like_header(first: str, second: str) -> bool:
    first, second = first.strip(_AROUND), second.strip(_AROUND)
    if len(first) > _MOST_CHARS or len(second) > _MOST_CHARS_OF_QUESTION:
        return False
    if is_id_name(first):
        return True
    return bool(re.fullmatch(_NAME, first, _FLAGS) and re.fullmatch(_NAME, second, _FLAGS))


def is_id_name(cell: str) -> bool:
    """Whether this is what people call a column of ids, and no id."""
    return len(cell) <= _MOST_CHARS and bool(re.fullmatch(_ID_NAME, cell.strip(_AROUND), _FLAGS))


def is_no_number_name(cell: str) -> bool:
    """Whether this names what no row has a mere number for: a person, a place, a text."""
    return len(cell) <= _MOST_CHARS and bool(re.fullmatch(_NO_NUMBER, cell.strip(_AROUND), _FLAGS))
