"""One measured process: ``validate`` of a file, up to its plan, with or without what money needs.

``python -m scripts.benchmarks.quotes.process <way> <file>``. Prints as JSON the CPU seconds of the
work, without imports, and how many requests were planned.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path

from scripts.benchmarks.paths.ours import plan_of

_TABLE = 'model: qwen-flash\nprompt: "{{ 内容 }}"\nparameters: {max_tokens: 50}\ndedupe: false\n'
_REQUESTS = 'model: qwen-flash\nprompt: "-"\ndedupe: false\n'
PRICES = {
    "uncounted": "",
    "quote": "",
    "ceiling": "price: {at_most: 100000 CNY}\n",
    "sample": "price: {sample: 20}\n",
    "both": "price: {sample: 20, at_most: 100000 CNY}\n",
}


def main(way: str, file: Path) -> None:
    from shared.money.tokens.token_meter import TokenMeter  # noqa: PLC0415 - it is replaced only here

    if way == "uncounted":
        TokenMeter.add = lambda *_: None  # type: ignore[method-assign]
    recipe = (_TABLE if file.suffix == ".csv" else _REQUESTS) + PRICES[way]
    with tempfile.TemporaryDirectory(dir=file.parent) as name:
        folder = Path(name)
        (folder / file.name).symlink_to(file)
        began_s = time.process_time()
        plan = plan_of(folder, file.name, recipe)
        cpu_s = time.process_time() - began_s
    print(json.dumps({"cpu_s": cpu_s, "requests": sum(shard.requests for shard in plan.shards)}))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
