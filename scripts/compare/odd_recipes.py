"""Recipes: each form of output, columns taken from answers, and what a recipe may get wrong."""

from __future__ import annotations

_BASE = "model: qwen-flash\nprompt: '{{ text }}'\n"
_SAY = "model: qwen-flash\nprompt: 'JSON: [[say]]{{ text }}'\n"
_TABLE = 'text,n\n"=1+1, ""x""",1\n你好,-5\n😀,\n'
_ANSWERS = (
    'text\n"{""mood"": ""good"", ""score"": 0.5, ""tags"": [""a"", {""b"": null}]}"\nno JSON\n'
    '"```json\n{""mood"": ""=bad"", ""score"": 1e400}\n```"\n"{""mood"": null, ""score"": true}"\n"[1, 2"\n'
)
_SCHEMA = """\
columns:
  type: object
  properties:
    mood: {type: string, enum: [good, bad]}
    score: {type: number, minimum: 0, maximum: 1}
    tags: {type: array}
  required: [mood, score]
"""
_GOOD = {
    "csv": _BASE,
    "csv-gb18030": _BASE + "output: {encoding: gb18030}\n",
    "csv-utf8": _BASE + "output: {encoding: utf-8, formula_guard: false}\n",
    "jsonl": _BASE + "output: {format: jsonl}\n",
    "parquet": _BASE + "output: {format: parquet}\n",
    "system": _BASE
    + "system: 只回答 {{ n }}\nparameters: {temperature: 0.5, max_tokens: 10, stop: ['\\n']}\n",
    "window": _BASE + "completion_window: 14d\nattempts: 5\nencoding: utf8\ndelimiter: ','\n",
    "jinja": "model: qwen-flash\nprompt: |\n  {% if n %}{{ n|int + 1 }}{% else %}none{% endif %}\n  {{ text|upper }}\n",
    "embeddings": "model: text-embedding-v4\nendpoint: embeddings\nprompt: '{{ text }}'\nparameters: {dimensions: 16}\n",
    "thinking": "model: qwq-plus\nprompt: '{{ text }}'\nparameters: {enable_thinking: true}\n",
    "json-unsaid": _BASE + "parameters: {response_format: {type: json_object}}\n",
    "unknown-model": "model: gpt-9\nprompt: '{{ text }}'\n",
    "test-model": "model: batch-test-model\nprompt: '{{ text }}'\n",
}
_COLUMNS = {
    "paths": "columns: {mood: mood, first: 'tags[0]', last: 'tags[-1].b', text: '\"no such\"'}\n",
    "schema": _SCHEMA,
    "strict-schema": _SCHEMA + "  additionalProperties: false\n",
    "object": _SCHEMA + "parameters: {response_format: {type: json_object}}\n",
}
_BAD = {
    "empty": "",
    "not-yaml": "model: [\nprompt: x\n",
    "tabs": "model:\tqwen\n\tprompt: x\n",
    "full-width-colon": "model：qwen-flash\nprompt: x\n",
    "list": "- model\n",
    "anchor": "model: &m qwen-flash\nprompt: *m\n",
    "tag": "model: !!python/name:os.system x\nprompt: x\n",
    "key-twice": "model: a\nmodel: b\nprompt: x\n",
    "number-key": "1: x\nmodel: a\nprompt: x\n",
    "unknown-key": _BASE + "promt: x\ntemperature: 0\n",
    "no-model": "prompt: x\n",
    "no-prompt": "model: qwen-flash\n",
    "numbers": "model: 1\nprompt: 2\n",
    "blank": "model: ' '\nprompt: ''\n",
    "choices": _BASE + "on_bad_rows: ignore\nendpoint: /v2\nencoding: latin-17\ndelimiter: '|'\n",
    "attempts": _BASE + "attempts: 6\n",
    "window": _BASE + "completion_window: 23h\n",
    "window-words": _BASE + "completion_window: two days\n",
    "parameters": _BASE + "parameters: {model: x, stream: true, extra_body: {}}\n",
    "parameters-list": _BASE + "parameters: []\noutput: csv\n",
    "not-bool": _BASE + "parameters: {enable_thinking: 'yes'}\n",
    "embedding-system": "model: text-embedding-v4\nprompt: '{{ text }}'\nsystem: x\ncolumns: {a: b}\n",
    "raw-output": _BASE + "output: {format: jsonl, encoding: gb18030, formula_guard: true}\n",
    "output-keys": _BASE + "output: {fromat: csv}\n",
    "path": _BASE + "columns: {a: 'b..c', '': x}\n",
    "schema": _BASE + "columns: {type: object, properties: {a: {type: strnig}}}\n",
    "reference": _BASE
    + "columns: {properties: {a: {$ref: 'http://example.org/x'}, b: {$ref: '#/properties/b'}}}\n",
    "template": "model: qwen-flash\nprompt: '{{ text '\n",
    "template-name": "model: qwen-flash\nprompt: '{{ Customer Comment }}'\n",
    "template-column": "model: qwen-flash\nprompt: '{{ txet }}{{ row[\"other\"] }}'\n",
    "template-fails": "model: qwen-flash\nprompt: '{{ text|int + \"x\" }}'\n",
    "template-attack": "model: qwen-flash\nprompt: '{{ text.__class__ }}{% include \"x\" %}'\n",
    "sheet": _BASE + "sheet: 7\n",
    "infinite": _BASE + "parameters: {temperature: 1.0e+999, top_p: .inf, seed: 0o17}\n",
    "deep": _BASE + "parameters: {a: " + "[" * 120 + "]" * 120 + "}\n",
    "large": _BASE + "system: '" + "x" * 70_000 + "'\n",
    "list-key": _BASE + "? [a]\n: x\n",
    "surrogate": _BASE + 'system: "\\ud83d"\n',
}


def odd_recipes() -> dict[str, bytes]:
    """Each recipe in a folder of its own, with one table beside it."""
    texts: dict[str, str] = {}
    for name, recipe in _GOOD.items():
        texts |= {f"recipes/{name}/batch.yaml": recipe, f"recipes/{name}/table.csv": _TABLE}
    for output in ("csv", "jsonl", "parquet"):
        for name, columns in _COLUMNS.items():
            folder = f"answers/{name}-{output}"
            recipe = f"{_SAY}{columns}output: {{format: {output}}}\n"
            texts |= {f"{folder}/batch.yaml": recipe, f"{folder}/answers.csv": _ANSWERS}
    for name, recipe in _BAD.items():
        texts |= {f"bad-recipes/{name}/batch.yaml": recipe, f"bad-recipes/{name}/table.csv": _TABLE}
    return {name: text.encode() for name, text in texts.items()} | {
        "bad-recipes/encoding/batch.yaml": _BASE.encode() + b"system: \xff\n",
        "bad-recipes/encoding/table.csv": _TABLE.encode(),
        "recipes/gbk/batch.yaml": (_BASE + "system: 您好\n").encode("gbk"),
        "recipes/gbk/table.csv": _TABLE.encode(),
    }
