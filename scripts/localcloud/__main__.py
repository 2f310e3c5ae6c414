"""``python -m scripts.localcloud --data DIR``: the local cloud until Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys

if __name__ == "__main__":
    # The imports take a second, in which Ctrl-C should not show where they are.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    from scripts.localcloud.terminal.command import main
    from shared.runtime.logs import configure_logging

    configure_logging("WARNING")  # the functions log to their own files
    main(sys.argv[1:], os.environ)
