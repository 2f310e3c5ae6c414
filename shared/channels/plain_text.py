"""A word's text for chats that read mentions and links into it."""

from __future__ import annotations


def plain_text(text: str) -> str:
    """The text without a bracket that begins a tag: nobody is called by the name of a file.

    Feishu reads ``<at user_id="all">``, WeCom ``<@userid>``
    (https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot,
    https://developer.work.weixin.qq.com/document/path/91770).
    """
    return text.replace("<", "＜").replace(">", "＞")
