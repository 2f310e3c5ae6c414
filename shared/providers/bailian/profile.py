"""What Bailian allows and which models it serves, as data beside their sources."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches

from pydantic import JsonValue

from shared.formats.sizes import MB
from shared.ports.profile import (
    CHAT,
    EMBEDDINGS,
    ProviderProfile,
    RequestRules,
    ShardLimits,
    SlotPool,
    chat_or_embeddings,
)
from shared.problems.problem import Bilingual, Problem, Values
from shared.providers.bailian.output import output_bound_for
from shared.providers.bailian.troubles import CANCELLED_WORDS
from shared.providers.parameter_names import NEARLY, misspelt
from shared.providers.price_file import price_file_beside

TEST_ENDPOINT = "/v1/chat/ds-test"
TEST_MODEL = "batch-test-model"

# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai: 50,000 requests,
# 500 MB a file, 6 MB a line (decimal, the smaller reading; the newest console page says 1 MB a
# line, so warn from there), custom_id <= 256 characters, completion_window 24h to 336h.
BAILIAN_LIMITS = ShardLimits(
    max_requests=50_000,
    max_bytes=500 * MB,
    max_line_bytes=6 * MB,
    warn_line_bytes=1 * MB,
    max_custom_id_chars=256,
    min_window=timedelta(hours=24),
    max_window=timedelta(hours=336),
    window_step=timedelta(hours=1),
)

# The same page: batch-test-model takes files of at most 100 lines and 1 MB.
_TEST_LIMITS = replace(
    BAILIAN_LIMITS, max_requests=100, max_bytes=1 * MB, max_line_bytes=1 * MB, warn_line_bytes=1 * MB
)

# The batch page above: 1,000 unfinished batches for the main account, two of them of
# batch-test-model; each kind of call but listing 1,000 times a minute.
UNFINISHED_BATCHES = 1000
_CALLS_PER_MINUTE = 1000
# The same page: 30 days can be queried. A day less, since no page says to the hour what that is.
_LISTED_FOR = timedelta(days=29)

# https://help.aliyun.com/zh/model-studio/bailian-service-linked-role: the role that reads requests
# in OSS, whose service that is, and the tag without which it may read nothing of a bucket.
READING_ROLE = "AliyunServiceRoleForSFMDataHubOSSImport"
READING_SERVICE = "datahub.sfm.aliyuncs.com"
BUCKET_TAG = ("bailian-datahub-access", "read")

BATCH_ID = "batch_[0-9a-f-]{36}"
_NAME = "bailian"
_TEST_POOL = SlotPool(f"{_NAME}-test", 2)
# The test model's batches count for the account, too.
_POOL = SlotPool(_NAME, UNFINISHED_BATCHES - _TEST_POOL.slots)

# The batch page, as of 2025-11: the models that the Beijing console lists for batch, and those that
# the page listed on 2025-09-30.
_CHAT_MODELS = """
    qwen3.8-max qwen3.7-max qwen3-max qwen-max qwen-max-latest
    qwen3.7-plus qwen3.6-plus qwen3.5-plus qwen-plus qwen-plus-latest
    qwen3.8-flash qwen3.7-flash qwen3.6-flash qwen3.5-flash qwen-flash
    qwen-turbo qwen-turbo-latest qwen-long qwen-long-latest qwq-plus
    deepseek-r1 deepseek-v3.2 deepseek-v3
    qwen3-vl-plus qwen3-vl-flash qwen-vl-max qwen-vl-plus qwen-vl-ocr qwen-vl-ocr-latest
    qwen3.5-omni-plus qwen3.5-omni-flash
"""
_EMBEDDING_MODELS = """
    text-embedding-v1 text-embedding-v2 text-embedding-v3 text-embedding-v4
    qwen3.7-text-embedding qwen3.7-text-embedding-flash
"""
_KNOWN_MODELS = frozenset({TEST_MODEL, *_CHAT_MODELS.split(), *_EMBEDDING_MODELS.split()})

# https://help.aliyun.com/zh/model-studio/json-mode: these take ``json_object``, most of them only
# while they do not think, which the newer ones do unless they are told not to. ``json_schema`` was
# of qwen3-max, qwen-plus and qwen-flash alone in February 2026, and of none in March.
_JSON_MODELS = re.compile(r"qwen[0-9.]*-(max|plus|flash|turbo|long)(?![a-z])(?!-character)")
_NEVER_THINK = re.compile(r"qwen-(max|long)(?![a-z])")

# Any other is refused, in these words: "developer is not one of ['system', 'assistant', …]"
# (https://github.com/haru/redmine_ai_helper/issues/242, March 2026).
_ROLES = ("system", "user", "assistant", "tool", "function")

# https://help.aliyun.com/zh/model-studio/qwen-api-via-openai-chat-completions and of embeddings.
_PARAMETERS = frozenset(
    [
        "temperature",
        "top_p",
        "top_k",
        "max_tokens",
        "max_completion_tokens",
        "max_input_tokens",
        "n",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "response_format",
        "logprobs",
        "top_logprobs",
        "logit_bias",
        "enable_thinking",
        "thinking_budget",
        "preserve_thinking",
        "reasoning_effort",
        "enable_search",
        "search_options",
        "enable_code_interpreter",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "modalities",
        "audio",
        "translation_options",
        "vl_high_resolution_images",
        "skill",
        "tool_stream",
        "result_format",
        "asr_options",
        "user",
        "metadata",
        "dimensions",
        "encoding_format",
        "instruct",
        "text_type",
        "output_type",
    ]
)

_SHOWN = Bilingual("百炼", "Bailian")


def _limits_for(model: str) -> ShardLimits:
    return _TEST_LIMITS if model == TEST_MODEL else BAILIAN_LIMITS


def _pool_for(model: str) -> SlotPool:
    return _TEST_POOL if model == TEST_MODEL else _POOL


def _default_endpoint_for(model: str) -> str:
    return TEST_ENDPOINT if model == TEST_MODEL else chat_or_embeddings(model)


_OTHER: Values = {"other": Bilingual("火山方舟", "Volcengine Ark"), "choose": "provider: ark"}


def _model_warnings_for(model: str) -> tuple[Problem, ...]:
    """Warn of a name that may be misspelt."""
    if not model or model in _KNOWN_MODELS:
        return ()
    alike = _KNOWN_MODELS if "embedding" in model else frozenset(_CHAT_MODELS.split())
    meant = get_close_matches(model.lower()[:100], sorted(alike), n=1, cutoff=NEARLY)
    if not meant:  # a guess would mislead
        return (Problem("unfamiliar_model", field="model", found=model, values=_OTHER),)
    return (Problem("unknown_model", field="model", found=model, values={"nearest": meant[0]}),)


def _parameter_warnings_for(parameters: Mapping[str, JsonValue], prompts: str) -> tuple[Problem, ...]:
    return (*misspelt(parameters, _PARAMETERS), *_format_warnings(parameters, prompts))


def _format_warnings(parameters: Mapping[str, JsonValue], prompts: str) -> tuple[Problem, ...]:
    """Warn of a ``response_format`` that Bailian may refuse.

    https://help.aliyun.com/zh/model-studio/json-mode
    """
    wanted = parameters.get("response_format")
    if not isinstance(wanted, dict) or wanted.get("type") not in {"json_object", "json_schema"}:
        return ()
    found = []
    if "json" not in prompts.lower():
        found.append(Problem("prompt_without_json", field="prompt", values={"provider": _SHOWN}))
    if parameters.get("enable_thinking") is True:
        found.append(Problem("thinking_with_json", field="parameters.enable_thinking"))
    return tuple(found)


def _json_parameters_for(model: str) -> Mapping[str, JsonValue]:
    if not _JSON_MODELS.match(model):
        return {}
    thinking: dict[str, JsonValue] = {} if _NEVER_THINK.match(model) else {"enable_thinking": False}
    return {**thinking, "response_format": {"type": "json_object"}}


BAILIAN = ProviderProfile(
    name=_NAME,
    needs=("DASHSCOPE_API_KEY",),
    terms={
        "provider": _SHOWN,
        "console": Bilingual("百炼控制台", "the Bailian console"),
        "account_console": Bilingual("阿里云控制台", "the Alibaba Cloud console"),
        "key_variable": "DASHSCOPE_API_KEY",
        "address_variable": "DASHSCOPE_BASE_URL",
        "input_variable": "INPUT_FROM",
        "reading_role": READING_ROLE,
        "bucket_tag": "=".join(BUCKET_TAG),
        "file_limit": Bilingual("10,000 个文件或 100 GB", "10,000 files or 100 GB"),
    },
    limits_for=_limits_for,
    rules=RequestRules(
        endpoints={"chat": CHAT, "embeddings": EMBEDDINGS, "test": TEST_ENDPOINT},
        default_endpoint_for=_default_endpoint_for,
        roles=_ROLES,
        test_model=TEST_MODEL,
        test_endpoint=TEST_ENDPOINT,
        other_form=_OTHER,
        example_model="qwen-flash",
    ),
    announces_ends=True,
    queries_per_minute=_CALLS_PER_MINUTE,
    listed_for=_LISTED_FOR,
    pools=(_POOL, _TEST_POOL),
    pool_for=_pool_for,
    batch_id=re.compile(rf"(?<![0-9A-Za-z_-]){BATCH_ID}(?![0-9A-Za-z_-])".encode()),
    cancelled_words=CANCELLED_WORDS,
    model_problem_for=lambda _: None,
    model_warnings_for=_model_warnings_for,
    parameter_warnings_for=_parameter_warnings_for,
    json_parameters_for=_json_parameters_for,
    output_bound_for=output_bound_for,
    read_prices=price_file_beside(__file__),
)
