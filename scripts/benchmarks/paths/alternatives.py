"""What one would take instead of Batchdrop: DuckDB and Polars.

``python -m scripts.benchmarks.paths.alternatives <engine> <path> <folder> <out>``. Each is used as
its manual says: all rows in a few statements, no checks of single rows, no errors by line. They may
write the rows in any order, except when joining. DuckDB is told how many threads to use.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

# DuckDB takes the longest line for granted that a schema promises it, and refuses others.
_MAX_LINE_BYTES = 16_000_000
_RESULT_TYPES = (
    "{custom_id: 'VARCHAR', error: 'STRUCT(code VARCHAR, message VARCHAR)', response: 'STRUCT(status_code INTEGER, "
    "request_id VARCHAR, body STRUCT(created BIGINT, model VARCHAR, usage JSON, data STRUCT(embedding JSON)[], "
    "choices STRUCT(message STRUCT(content VARCHAR, reasoning_content VARCHAR))[]))'}"
)
_RESULTS = """
    SELECT custom_id, response.body.model AS model, response.request_id AS request_id,
           response.status_code AS status_code, error.code AS error_code, error.message AS error_message,
           response.body.created AS created,
           coalesce(response.body.choices[1].message.content, response.body.data[1].embedding::VARCHAR) AS content,
           response.body.usage::VARCHAR AS usage
    FROM read_json('{files}', format = 'newline_delimited', columns = {types}, maximum_object_size = {size})
"""
_URL, _MODEL, _SYSTEM = "/v1/chat/completions", "qwen-flash", "You are a helpful assistant."
_TABLE = "read_csv('{file}', header = true, all_varchar = true, quote = '\"', escape = '\"', max_line_size = {size})"


def duckdb_path(path: str, folder: Path, out: Path, threads: int) -> None:
    """Let DuckDB do one path, in as little memory as it says that it needs."""
    import duckdb  # noqa: PLC0415 - only the engine that is measured is loaded

    connection = duckdb.connect(config={"threads": threads, "preserve_insertion_order": path == "join"})
    form = _FORMATS.get(path, "FORMAT csv, HEADER true")
    connection.execute(f"COPY ({_DUCKDB[path](folder)}) TO '{out}' ({form})")


def _duckdb_results(folder: Path) -> str:
    return _RESULTS.format(files=folder / "results-*.jsonl", types=_RESULT_TYPES, size=_MAX_LINE_BYTES)


def _duckdb_join(folder: Path) -> str:
    table = _TABLE.format(file=folder / "input.csv", size=_MAX_LINE_BYTES)
    return f"""
        SELECT rows.id, rows.name, rows.text, answers.content, coalesce(answers.error_code, '') AS error_code,
               coalesce(answers.error_message, '') AS error_message
        FROM (SELECT *, row_number() OVER () AS number FROM {table}) AS rows
        LEFT JOIN ({_duckdb_results(folder)}) AS answers ON rows.id = answers.custom_id ORDER BY rows.number
    """  # noqa: S608 - the names are our own


def _duckdb_validate(folder: Path) -> str:
    columns = "{custom_id: 'VARCHAR', method: 'VARCHAR', url: 'VARCHAR', body: 'STRUCT(model VARCHAR, messages JSON)'}"
    return f"""
        SELECT CASE WHEN count(DISTINCT custom_id) = count(*) AND count(body) = count(*) THEN count(*)
                    ELSE error('bad or repeated custom_id, or no body') END
        FROM read_json('{folder / "requests.jsonl"}', format = 'newline_delimited', columns = {columns},
                       maximum_object_size = {_MAX_LINE_BYTES})
    """  # noqa: S608 - the names are our own


def _duckdb_convert(folder: Path) -> str:
    table = _TABLE.format(file=folder / "input.csv", size=_MAX_LINE_BYTES)
    return f"""
        SELECT "编号" AS custom_id, 'POST' AS method, '{_URL}' AS url,
               {{'model': '{_MODEL}', 'messages': [{{'role': 'system', 'content': '{_SYSTEM}'}},
                                                   {{'role': 'user', 'content': "内容"}}]}} AS body
        FROM {table}
    """  # noqa: S608 - the names are our own


_DUCKDB: dict[str, Callable[[Path], str]] = {
    "flatten": _duckdb_results,
    "join": _duckdb_join,
    "validate": _duckdb_validate,
    "convert": _duckdb_convert,
}
_FORMATS = {"validate": "FORMAT csv, HEADER false", "convert": "FORMAT json"}


def polars_path(path: str, folder: Path, out: Path) -> None:
    """Let Polars do one path, streaming as far as it can."""
    from scripts.benchmarks.paths import polars_paths  # noqa: PLC0415 - only the engine that is measured is loaded

    polars_paths.PATHS[path](folder, out)


def main(engine: str, path: str, folder: Path, out: Path) -> None:
    if engine == "polars":
        polars_path(path, folder, out)
    else:
        duckdb_path(path, folder, out, int(engine.removeprefix("duckdb")))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4]))
