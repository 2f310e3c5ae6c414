"""What Volcengine Ark allows in batch inference, as data beside its sources.

Pages are https://www.volcengine.com/docs/<number>. Where none gives a number, ours is told as such.
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
    LineForm,
    ProviderProfile,
    RequestRules,
    ShardLimits,
    SlotPool,
    chat_or_embeddings,
)
from shared.problems.problem import Bilingual, Problem, Values
from shared.providers.ark.models import is_endpoint
from shared.providers.ark.output import output_bound_for
from shared.providers.parameter_names import misspelt
from shared.providers.price_file import price_file_beside

_NAME = "ark"
_SHOWN = Bilingual("火山方舟", "Volcengine Ark")

# Windows are 1 to 28 whole days (82379/1339603). All else is ours: no page says how
# many lines a file may have, or how long one or its custom_id may be. Shards are as large as those
# that collect's time and disk are proven for.
ARK_LIMITS = ShardLimits(
    max_requests=50_000,
    max_bytes=500 * MB,
    max_line_bytes=6 * MB,
    warn_line_bytes=6 * MB,
    max_custom_id_chars=256,
    min_window=timedelta(days=1),
    max_window=timedelta(days=28),
    window_step=timedelta(days=1),
)

# So many jobs of a project run at once unless its quota is raised; others queue there. As many
# again are sent, so that one begins as soon as another ends.
RUNNING_JOBS = 3
_SENT_AHEAD = 2
# No page says how often a job may be asked for. With a few jobs at once this is never reached.
_QUERIES_PER_MINUTE = 60
# No page says for how long a job is listed, but it is while it may run.
_LISTED_FOR = ARK_LIMITS.max_window

# 82379/1339603: bi-, the local time, and five lower-case letters or digits.
BATCH_ID = "bi-[0-9]{14}-[0-9a-z]+"

# 82379/1494384 of chats, 82379/1521766 of embeddings.
_ROLES = ("system", "user", "assistant", "tool")
_PARAMETERS = frozenset(
    ("temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "stream", "stream_options",
     "presence_penalty", "frequency_penalty", "response_format", "logprobs", "top_logprobs", "logit_bias",
     "thinking", "reasoning_effort", "service_tier", "tools", "tool_choice", "parallel_tool_calls",
     "dimensions", "encoding_format", "instructions", "sparse_embedding")
)  # fmt: skip

_EXAMPLE_MODEL = "doubao-seed-2-1-pro-260628"
# A name; or a name and a version, which the console joins with a hyphen; or a fine-tuned model.
_MODEL = re.compile(r"(?!ep-)(?:cm-[^@]+|(?!cm-)[^@]+(?:@[^@]+)?)", re.I)


def _thinking_of(value: JsonValue) -> str:
    """What stands here for Bailian's ``enable_thinking``."""
    return f"thinking: {{type: {'enabled' if value in (True, 'true') else 'disabled'}}}"


def _model_problem_for(model: str) -> Problem | None:
    """An inference endpoint, ``ep-…``, stands for a model, but a job of the batch API names one."""
    if _MODEL.fullmatch(model):
        return None
    code = "endpoint_as_model" if is_endpoint(model) else "wrong_model_version"
    return Problem(code, field="model", found=model, values={"provider": _SHOWN, "model": _EXAMPLE_MODEL})


def _parameter_warnings_for(parameters: Mapping[str, JsonValue], _prompts: str) -> tuple[Problem, ...]:
    return tuple(misspelt(parameters, _PARAMETERS))


_TERMS: Values = {
    "provider": _SHOWN,
    "console": Bilingual("火山方舟控制台", "the Ark console"),
    "account_console": Bilingual("火山引擎控制台", "the Volcengine console"),
    "key_variable": "ARK_ACCESS_KEY_ID",
    "address_variable": "ARK_HOST",
    "region_variable": "ARK_REGION",
    "project_variable": "ARK_PROJECT",
    "bucket_variable": "TOS_BUCKET",
    "bucket_address_variable": "TOS_ENDPOINT",
    "file_limit": Bilingual("TOS 桶的配额", "the quota of the TOS bucket"),
}
_RULES = RequestRules(
    endpoints={"chat": CHAT, "embeddings": EMBEDDINGS},
    default_endpoint_for=chat_or_embeddings,
    roles=_ROLES,
    form=LineForm(is_addressed=False, lists_input=True),
    other_form={"other": Bilingual("百炼", "Bailian"), "choose": "provider: bailian"},
    foreign_parameters={"enable_thinking": _thinking_of},
    example_model=_EXAMPLE_MODEL,
)


def ark_profile(running_jobs: int = RUNNING_JOBS) -> ProviderProfile:
    """Ark with a project that may run so many jobs at once."""
    pool = SlotPool(_NAME, _SENT_AHEAD * running_jobs)
    return ProviderProfile(
        name=_NAME,
        needs=("ARK_ACCESS_KEY_ID", "ARK_SECRET_ACCESS_KEY", "TOS_BUCKET"),
        terms=_TERMS,
        limits_for=lambda _: ARK_LIMITS,
        rules=_RULES,
        announces_ends=False,
        queries_per_minute=_QUERIES_PER_MINUTE,
        listed_for=_LISTED_FOR,
        pools=(pool,),
        pool_for=lambda _: pool,
        batch_id=re.compile(rf"(?<![0-9A-Za-z_-]){BATCH_ID}(?![0-9A-Za-z_-])".encode()),
        cancelled_words=(),
        model_problem_for=_model_problem_for,
        model_warnings_for=lambda _: (),
        parameter_warnings_for=_parameter_warnings_for,
        # Which models take response_format no page lists; the prompts of tasks ask for JSON.
        json_parameters_for=lambda _: {},
        output_bound_for=output_bound_for,
        read_prices=price_file_beside(__file__),
        real_time_terms={"key_variable": "ARK_API_KEY", "address_variable": "ARK_BASE_URL"},
    )


ARK = ark_profile()
