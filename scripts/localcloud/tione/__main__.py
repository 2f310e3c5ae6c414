"""The local TI-ONE and COS alone: ``python -m scripts.localcloud.tione DIR --bucket NAME-APPID``.

A task's server is the one that is told as ``models``. ``POST /_faults``, signed like any call,
makes TI-ONE odd.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.cos.__main__ import address_of, open_cos
from scripts.localcloud.options import TENCENT_REGION
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.standalone import Beside, parser_for, run
from scripts.localcloud.tione.api.service import Habit
from scripts.localcloud.tione.local_tione import LocalTione


def main(arguments: Sequence[str] | None = None) -> None:
    parser = parser_for("python -m scripts.localcloud.tione", __doc__)
    parser.set_defaults(region=TENCENT_REGION)
    parser.add_argument("--tione-port", type=int, default=0)
    parser.add_argument("--task-delay", type=float, default=0.0, help="seconds that a task takes at least")
    parser.add_argument("--running-tasks", type=int, default=4)
    parser.add_argument("--without-batch-tasks", action="store_true", help="there are training tasks only")
    parser.add_argument("--upstream", help="an OpenAI-compatible server that answers the rows")
    beside = Beside(_open_tione, lambda tione: f"tione {tione.url} models {tione.model_url}")
    run(parser, arguments, open_cos, address_of, beside)


def _open_tione(chosen: argparse.Namespace, credentials: Mapping[str, str], store: LocalStore) -> LocalTione:
    tione = LocalTione(
        chosen.data_dir,
        {key_id: AccessKey(secret) for key_id, secret in credentials.items()},
        lambda: store.storage,
        port=chosen.tione_port,
        upstream=Upstream(chosen.upstream) if chosen.upstream else None,
        task_delay_s=chosen.task_delay,
        running_tasks=chosen.running_tasks,
    )
    if chosen.without_batch_tasks:
        tione.habits.add(Habit.BATCH_WITHDRAWN)
    return tione


if __name__ == "__main__":
    main()
