"""Each path as Polars does it, for ``scripts.benchmarks.paths.alternatives``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import polars as pl
from polars.datatypes import DataType, DataTypeClass

_Types = dict[str, DataTypeClass | DataType]
_TEXT = pl.String
_USAGE: _Types = {"prompt_tokens": pl.Int64, "completion_tokens": pl.Int64, "total_tokens": pl.Int64}
_BODY: _Types = {
    "created": pl.Int64,
    "model": _TEXT,
    "usage": pl.Struct(_USAGE),
    "choices": pl.List(pl.Struct({"message": pl.Struct({"content": _TEXT, "reasoning_content": _TEXT})})),
    "data": pl.List(pl.Struct({"embedding": pl.List(pl.Float64)})),
}
_RESULT: _Types = {
    "custom_id": _TEXT,
    "error": pl.Struct({"code": _TEXT, "message": _TEXT}),
    "response": pl.Struct({"status_code": pl.Int64, "request_id": _TEXT, "body": pl.Struct(_BODY)}),
}
_REQUEST: _Types = {
    "custom_id": _TEXT,
    "method": _TEXT,
    "url": _TEXT,
    "body": pl.Struct({"model": _TEXT, "messages": pl.List(pl.Struct({"role": _TEXT, "content": _TEXT}))}),
}


def flatten(folder: Path, out: Path) -> None:
    _answers(folder).sink_csv(out)


def join(folder: Path, out: Path) -> None:
    rows = pl.scan_csv(folder / "input.csv", infer_schema=False)
    answers = _answers(folder).select("custom_id", "content", "error_code", "error_message")
    joined = rows.join(answers, left_on="id", right_on="custom_id", how="left", maintain_order="left")
    joined.sink_csv(out)


def validate(folder: Path, out: Path) -> None:
    """Count the good lines, as the plain script does."""
    lines = pl.scan_ndjson(folder / "requests.jsonl", schema=_REQUEST)
    counts = lines.select(
        ids=pl.col("custom_id").n_unique(), bodies=pl.col("body").count(), lines=pl.len()
    ).collect(engine="streaming")
    if len(set(counts.row(0))) > 1:
        raise SystemExit(f"bad or repeated custom_id, or no body: {counts}")
    out.write_text(str(counts.item(0, "lines")))


def convert(folder: Path, out: Path) -> None:
    def message(role: str, content: pl.Expr) -> pl.Expr:
        return pl.struct(role=pl.lit(role), content=content)

    messages = pl.concat_list(
        message("system", pl.lit("You are a helpful assistant.")), message("user", pl.col("内容"))
    )
    rows = pl.scan_csv(folder / "input.csv", infer_schema=False)
    requests = rows.select(
        custom_id=pl.col("编号"),
        method=pl.lit("POST"),
        url=pl.lit("/v1/chat/completions"),
        body=pl.struct(model=pl.lit("qwen-flash"), messages=messages),
    )
    requests.sink_ndjson(out)


def _answers(folder: Path) -> pl.LazyFrame:
    response = pl.col("response").struct
    body = response.field("body").struct
    vector = body.field("data").list.first().struct.field("embedding")
    chat = body.field("choices").list.first().struct.field("message").struct.field("content")
    # A list has no CSV form; its numbers are joined by hand.
    numbers = pl.lit("[") + vector.cast(pl.List(_TEXT)).list.join(",") + pl.lit("]")
    return pl.scan_ndjson(folder / "results-*.jsonl", schema=_RESULT).select(
        "custom_id",
        body.field("model"),
        response.field("request_id"),
        response.field("status_code"),
        pl.col("error").struct.field("code").alias("error_code"),
        pl.col("error").struct.field("message").alias("error_message"),
        body.field("created"),
        pl.coalesce(chat, pl.when(vector.is_not_null()).then(numbers)).alias("content"),
        body.field("usage").struct.json_encode().alias("usage"),
    )


PATHS: dict[str, Callable[[Path, Path], None]] = {
    "flatten": flatten,
    "join": join,
    "validate": validate,
    "convert": convert,
}
