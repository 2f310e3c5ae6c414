"""The names of Bailian's batch models, so that a slip of the pen can be warned of; never a reason to refuse."""

from __future__ import annotations

from shared.domain.limits import CHAT, EMBEDDINGS, TEST_ENDPOINT, TEST_MODEL
from shared.domain.problems import Problem, nearest

# https://help.aliyun.com/zh/model-studio/batch-interfaces-compatible-with-openai, as of 2025-11: the models that
# the Beijing console lists for batch, and those that the page listed on 2025-09-30.
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
KNOWN_MODELS = frozenset({TEST_MODEL, *_CHAT_MODELS.split(), *_EMBEDDING_MODELS.split()})


def default_endpoint_for(model: str) -> str:
    """The endpoint of a recipe that names none."""
    if model == TEST_MODEL:
        return TEST_ENDPOINT
    return EMBEDDINGS if "embedding" in model else CHAT


def model_warnings_for(model: str) -> tuple[Problem, ...]:
    if not model or model in KNOWN_MODELS:
        return ()
    values = {"nearest": nearest(model, sorted(KNOWN_MODELS))}
    return (Problem("unknown_model", field="model", found=model, values=values),)
