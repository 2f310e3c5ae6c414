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
from scripts.localcloud.local_server import HOST
from scripts.localcloud.storage_http.local_store import LocalStore
from scripts.localcloud.storage_http.standalone import add_tls, parser_for, run, tls_of
from scripts.localcloud.tos.local_tos import LocalTos


class _TosWithArk(LocalTos):
    """Both as one thing to start and stop: Ark reads and writes what TOS keeps."""

    ark: LocalArk

    def start(self) -> None:
        super().start()
        self.ark.start()

    def stop(self) -> None:
        self.ark.stop()
        super().stop()


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
    run(parser, arguments, _open, _address)


def _open(chosen: argparse.Namespace, credentials: Mapping[str, str]) -> LocalTos:
    tls = tls_of(chosen)
    both = _TosWithArk(
        chosen.data_dir,
        credentials,
        chosen.region,
        port=chosen.port,
        tls=tls,
        tls_host=chosen.tos_tls_host,
        tls_port=chosen.tls_port,
    )
    both.ark = LocalArk(
        chosen.data_dir,
        {key_id: AccessKey(secret) for key_id, secret in credentials.items()},
        lambda: both.storage,
        port=chosen.ark_port,
        tls=tls,
        tls_host=chosen.ark_tls_host,
        tls_port=chosen.tls_port,
        upstream=Upstream(chosen.upstream) if chosen.upstream else None,
        job_delay_s=chosen.job_delay,
        limits=ProjectLimits(chosen.running_jobs, chosen.creates, not chosen.make_output_folder),
    )
    return both


def _address(store: LocalStore) -> str:
    tos = f"endpoint http://tos-{store.storage.region}.volces.com proxy {store.url}"
    return f"{tos} ark {store.ark.url}" if isinstance(store, _TosWithArk) else tos


if __name__ == "__main__":
    main()
