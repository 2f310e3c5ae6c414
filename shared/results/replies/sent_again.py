"""Decides which unanswered rows are sent again, while the recipe's attempts last.

All of it stands here. A row that may be running, or was paid for, is not sent again by itself;
people can do that with ``scripts/batchdrop retry``. A reply that holds an answer is none of these,
whatever error came with it: it is answered, with ``answer_with_error``.
"""

from __future__ import annotations

from collections.abc import Mapping

# Our own error codes.
OWN_CODES: Mapping[str, bool] = {
    "missing": True,  # its batch is complete and has no line for it, nor one that names no row
    "expired": True,  # it had not run when the completion window ended
    "not_run": True,  # its batch was refused because of other rows
    "empty_body": True,  # nothing came back, not even a count of tokens
    "no_answer": False,  # it ran and was paid for; it would most likely end the same
    "answer_filtered": False,  # the same
    "answer_interrupted": True,  # it ended before anything was written, thinking included
    "line_unreadable": False,  # it may have been paid for
    "batch_failed": False,  # the provider refused the whole batch and would again
    "never_ended": False,  # it may still run and be billed
    "cancelled": False,  # somebody asked for that
}
# What the finish reason of a reply without any text means, where it is not "no_answer". A text was
# paid for, so it is an answer however it ended; the ledger counts those that are cut off.
# OpenAI and Ark: stop, length, content_filter, tool_calls (function_call)
#   https://platform.openai.com/docs/api-reference/chat/object
#   https://www.volcengine.com/docs/82379/1494384
# DashScope: stop, length, tool_calls
#   https://help.aliyun.com/zh/model-studio/qwen-api-reference
# Moonshot: stop, length, tool_calls, content_filter
#   https://platform.moonshot.cn/docs/api/chat
CODES_OF_REASONS: Mapping[str, str] = {
    "content_filter": "answer_filtered",
    # Zhipu, beside stop, tool_calls, length and model_context_window_exceeded
    # https://docs.bigmodel.cn/api-reference/模型-api/对话补全
    # https://docs.bigmodel.cn/api-reference/模型-api/查询异步结果
    "sensitive": "answer_filtered",
    "network_error": "answer_interrupted",
    # DeepSeek, beside stop, length, content_filter and tool_calls
    # https://api-docs.deepseek.com/api/create-chat-completion
    "insufficient_system_resource": "answer_interrupted",
}
# HTTP says of these, and of 500 and more, that the same request may be answered later.
STATUS_CODES = frozenset({408, 425, 429})
# In providers' codes, in lower case. OpenAI's own for an expired batch is "batch_expired"; Bailian
# publishes no list. So words are matched, not whole codes.
WORDS = (
    "expired",
    "throttl",
    "rate_limit",
    "ratelimit",
    "timeout",
    "unavailable",
    "internal",
    "server_error",
    "overload",
)


def is_sent_again(code: str, status_code: int | None, *, is_written: bool = False) -> bool:
    """By the provider's own code, which may be an HTTP status, and the status of its reply.

    Args:
        code: The provider's own.
        status_code: Its reply's.
        is_written: The reply holds thinking, which would be lost.
    """
    if is_written:
        return False
    stated = int(code) if code.isascii() and code.isdigit() and len(code) == _STATUS_DIGITS else None
    if any(each in STATUS_CODES or each >= _SERVER_ERROR for each in (status_code, stated) if each):
        return True
    return any(word in code.lower() for word in WORDS)


_STATUS_DIGITS = 3
_SERVER_ERROR = 500
