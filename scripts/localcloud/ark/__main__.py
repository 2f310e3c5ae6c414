"""The local Ark and TOS on their own: ``python -m scripts.localcloud.ark DATA_DIR --bucket NAME``.

With ``--certificate`` both also speak TLS, each at a loopback address of its own, for programs that
know them by the cloud's names only. ``POST /_faults``, signed like any call, makes Ark odd.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence

from scripts.localcloud.actions.signature import AccessKey
from scripts.localcloud.answers.upstream import Upstream
from scripts.localcloud.ark.api.service import ProjectLimits
from scripts.localcloud.ark.local_ark import LocalArk
from scripts.localcloud.servers.local_server import HOST
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.standalone import Beside, add_tls, parser_for, run, tls_of
from scripts.localcloud.tos.local_tos import LocalTos


def main(arguments: Sequence[str] | None = None) -> None:
    limits = ProjectLimits()
    parser = parser_for("python -m scripts.localcloud.ark", __doc__)
    parser.add_argument("--ark-port", type=int, default=0)
    add_tls(parser)
    parser.add_argument("--tos-tls-host", default=HOST)
    parser.add_argument("--ark-tls-host", default="127.0.0.2")
    parser.add_argument("--job-delay", type=float, default=0.0, help="seconds that a job takes at least")
    parser.add_argument("--running-jobs", type=int, default=limits.running_jobs)
    parser.add_argument("--creates", type=int, default=limits.creates_in_7_days, help="in seven days")
    parser.add_argument("--make-output-folder", action="store_true", help="it need not exist at a create")
    parser.add_argument("--upstream", help="an OpenAI-compatible server that answers the rows")
    run(parser, arguments, _open, _address, Beside(_open_ark, lambda ark: f"ark {ark.url}"))


def _open(chosen: argparse.Namespace, credentials: Mapping[str, str]) -> LocalStore:
    return LocalTos(
        chosen.data_dir,
        credentials,
        chosen.region,
        port=chosen.port,
        tls=tls_of(chosen),
        tls_host=chosen.tos_tls_host,
        tls_port=chosen.tls_port,
    )


def _open_ark(chosen: argparse.Namespace, credentials: Mapping[str, str], store: LocalStore) -> LocalArk:
    return LocalArk(
        chosen.data_dir,
        {key_id: AccessKey(secret) for key_id, secret in credentials.items()},
        lambda: store.storage,
        port=chosen.ark_port,
        tls=tls_of(chosen),
        tls_host=chosen.ark_tls_host,
        tls_port=chosen.tls_port,
        upstream=Upstream(chosen.upstream) if chosen.upstream else None,
        job_delay_s=chosen.job_delay,
        limits=ProjectLimits(chosen.running_jobs, chosen.creates, not chosen.make_output_folder),
    )


def _address(store: LocalStore) -> str:
    return f"endpoint http://tos-{store.storage.region}.volces.com proxy {store.url}"


if __name__ == "__main__":
    main()
