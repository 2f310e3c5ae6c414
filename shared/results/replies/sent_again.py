"""Decides which unanswered rows are sent again, while the recipe's attempts last.

All of it stands here. A row that may be running, or was paid for, is not sent again by itself;
people can do that with ``scripts/batchdrop retry``. A reply that holds an answer is none of these,
whatever error came with it: it is answered, with ``answer_with_error``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

# Our own error codes.
OWN_CODES: Mapping[str, bool] = {
    "missing": True,  # its batch is complete and has no line for it, nor one that names no row
    "expired": True,  # it had not run when the completion window ended
    "broken_off": True,  # the same, but its batch ended before that
    "not_run": True,  # its batch was refused because of other rows
    "empty_body": True,  # nothing came back, not even a count of tokens
    "no_answer": False,  # it ran and was paid for; it would most likely end the same
    "answer_filtered": False,  # the same
    "answer_interrupted": True,  # it ended before anything was written, thinking included
    "line_unreadable": False,  # it may have been paid for
    "batch_failed": False,  # the provider refused the whole batch and would again
    "perhaps_asked": False,  # in the sample; it may have been paid for
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
# In providers' codes, in small letters and without what stands between words: "LimitRequests" and
# "limit_requests" are one. OpenAI's own for an expired batch is "batch_expired".
# Bailian: Throttling…, limit_requests, InternalError, system_error, ModelServingError …
#   https://help.aliyun.com/zh/model-studio/error-code
# Ark: ServerOverloaded, RateLimitExceeded…, InternalServiceError, RequestBurstTooFast,
# InflightBatchsizeExceeded, QuotaExceeded, SetLimitExceeded; AccountOverdueError and
# OperationDenied.ServiceOverdue, after which the next batch waits until somebody has paid
#   https://www.volcengine.com/docs/82379/1299023
# Google: RESOURCE_EXHAUSTED, UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED
#   https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/api-errors
# LiteLLM, as OpenAI's SDK: APIConnectionError, BadGatewayError, Timeout
#   https://docs.litellm.ai/docs/exception_mapping
WORDS = (
    "expired",
    "throttl",
    "ratelimit",
    "limitrequests",
    "toomanyrequests",
    "timeout",
    "timedout",
    "unavailable",
    "internal",
    "servererror",
    "systemerror",
    "servingerror",
    "badgateway",
    "connectionerror",
    "overload",
    "resourceexhausted",
    "deadlineexceeded",
    "bursttoofast",
    "inflightbatchsize",
    "quotaexceeded",
    "setlimitexceeded",
    "accountoverdue",
    "serviceoverdue",
)
# Whole codes that say nothing by themselves. MiniMax's 1001 and 1002 pass, too, but are Zhipu's for
# a key that is refused.
CODES: Mapping[str, str] = {
    # https://docs.bigmodel.cn/cn/api/api-code
    "1120": "Zhipu: the account cannot be reached",
    "1234": "Zhipu: a network error",
    "1302": "Zhipu: too many requests at once",
    "1303": "Zhipu: too many requests in a time",
    "1305": "Zhipu: too many requests to the model",
    "1312": "Zhipu: too many requests to the model",
    # https://cloud.baidu.com/doc/WENXINWORKSHOP/s/hlzic283e
    "336501": "Qianfan: too many requests in a minute",
    "336502": "Qianfan: too many tokens in a minute",
    # https://docs.anthropic.com/en/api/errors
    "api_error": "Anthropic: an internal error",
}


def is_sent_again(code: str, status_code: int | None, *, is_written: bool = False) -> bool:
    """By the provider's own code, which may be an HTTP status, and the status of its reply.

    Args:
        code: The provider's own.
        status_code: Its reply's.
        is_written: The reply holds thinking or a text, which would be lost.
    """
    if is_written:
        return False
    stated = int(code) if code.isascii() and code.isdigit() and len(code) == _STATUS_DIGITS else None
    if any(each in STATUS_CODES or each >= _SERVER_ERROR for each in (status_code, stated) if each):
        return True
    letters = _BETWEEN_WORDS.sub("", code).lower()
    return code in CODES or any(word in letters for word in WORDS)


_BETWEEN_WORDS = re.compile(r"[\W_]+")
_STATUS_DIGITS = 3
_SERVER_ERROR = 500
