"""What a task of TI-ONE that runs our runner allows, as data beside its sources.

Pages are https://cloud.tencent.com/document/product/<number>. TI-ONE itself knows no requests: what
a batch may hold is ours to say, and what a row may hold is the model server's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

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
from shared.providers.parameter_names import misspelt
from shared.providers.price_file import price_file_beside
from shared.providers.tione.output import output_bound_for

_NAME = "tione"
_SHOWN = Bilingual("腾讯云 TI-ONE", "Tencent TI-ONE")

# All of it is ours. Shards are as large as those that collect's time and disk are proven for.
TIONE_LIMITS = ShardLimits(
    max_requests=50_000,
    max_bytes=500 * MB,
    max_line_bytes=6 * MB,
    warn_line_bytes=6 * MB,
    max_custom_id_chars=256,
    min_window=timedelta(days=1),
    max_window=timedelta(days=14),
    window_step=timedelta(hours=1),
)

# Each costs by the hour, or takes its part of a resource group.
RUNNING_TASKS = 2
# 851/75083: each action 20 times a second.
_QUERIES_PER_MINUTE = 1200
# No page says for how long a task is listed, but it is while it may run.
_LISTED_FOR = TIONE_LIMITS.max_window

# 851/80182 shows batch-78ug…; that of a training task begins with train-.
BATCH_TASKS, TRAINING_TASKS = "batch-", "train-"
TASK_ID = f"(?:{BATCH_TASKS}|{TRAINING_TASKS})[0-9A-Za-z]+"

# Of vLLM's server, which has OpenAI's and its own; others take fewer.
_PARAMETERS = frozenset(
    ("temperature", "top_p", "top_k", "min_p", "max_tokens", "max_completion_tokens", "n", "seed", "stop",
     "presence_penalty", "frequency_penalty", "repetition_penalty", "response_format", "logprobs",
     "top_logprobs", "logit_bias", "reasoning_effort", "chat_template_kwargs", "structured_outputs",
     "stop_token_ids", "ignore_eos", "min_tokens", "tools", "tool_choice", "parallel_tool_calls", "user",
     "dimensions", "encoding_format", "truncate_prompt_tokens", "stream", "stream_options")
)  # fmt: skip

_EXAMPLE_MODEL = "Qwen3-8B"
# It becomes one word of the command that starts the server, where a hyphen would begin an option.
_MODEL = re.compile(r"(?:/|[^\W_])[\w.:@+/-]*")


def _thinking_of(value: JsonValue) -> str:
    """What model servers take for the parameters of Bailian and of Ark."""
    told = value.get("type") if isinstance(value, dict) else value
    thinks = told in (True, "true", "enabled", "auto")
    return f"chat_template_kwargs: {{enable_thinking: {'true' if thinks else 'false'}}}"


def _model_problem_for(model: str) -> Problem | None:
    if _MODEL.fullmatch(model) and ".." not in model:
        return None
    values: Values = {"provider": _SHOWN, "model": _EXAMPLE_MODEL}
    return Problem("model_unusable", field="model", found=model, values=values)


def _parameter_warnings_for(parameters: Mapping[str, JsonValue], _prompts: str) -> tuple[Problem, ...]:
    return tuple(misspelt(parameters, _PARAMETERS))


_NEEDS = (
    "TENCENT_SECRET_ID",
    "TENCENT_SECRET_KEY",
    "TIONE_REGION",
    "TIONE_IMAGE",
    "TIONE_RESOURCE",
    "COS_BUCKET",
)
_TERMS: Values = {
    "provider": _SHOWN,
    "console": Bilingual("TI-ONE 控制台", "the TI-ONE console"),
    "account_console": Bilingual("腾讯云控制台", "the Tencent Cloud console"),
    "key_variable": "TENCENT_SECRET_ID",
    "address_variable": "TIONE_HOST",
    "region_variable": "TIONE_REGION",
    "api_variable": "TIONE_API",
    "image_variable": "TIONE_IMAGE",
    "resource_variable": "TIONE_RESOURCE",
    "bucket_variable": "COS_BUCKET",
    "bucket_address_variable": "COS_REGION",
    "file_limit": Bilingual("COS 桶的配额", "the quota of the COS bucket"),
}
_RULES = RequestRules(
    endpoints={"chat": CHAT, "embeddings": EMBEDDINGS},
    default_endpoint_for=chat_or_embeddings,
    roles=("system", "developer", "user", "assistant", "tool", "function"),
    other_form={"other": Bilingual("火山方舟", "Volcengine Ark"), "choose": "provider: ark"},
    foreign_parameters={"enable_thinking": _thinking_of, "thinking": _thinking_of},
    example_model=_EXAMPLE_MODEL,
)


def tione_profile(running_tasks: int = RUNNING_TASKS) -> ProviderProfile:
    """TI-ONE with so many tasks at once."""
    pool = SlotPool(_NAME, running_tasks)
    return ProviderProfile(
        name=_NAME,
        needs=_NEEDS,
        terms=_TERMS,
        limits_for=lambda _: TIONE_LIMITS,
        rules=_RULES,
        announces_ends=True,
        queries_per_minute=_QUERIES_PER_MINUTE,
        listed_for=_LISTED_FOR,
        pools=(pool,),
        pool_for=lambda _: pool,
        batch_id=re.compile(rf"(?<![0-9A-Za-z_-]){TASK_ID}(?![0-9A-Za-z_-])".encode()),
        cancelled_words=(),
        model_problem_for=_model_problem_for,
        model_warnings_for=lambda _: (),
        parameter_warnings_for=_parameter_warnings_for,
        # The prompts of tasks ask for JSON; what a server takes beside them is not known.
        json_parameters_for=lambda _: {},
        output_bound_for=output_bound_for,
        read_prices=price_file_beside(__file__),
    )


TIONE = tione_profile()
