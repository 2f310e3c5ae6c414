"""Which failures to connect mean that an address is wrong, and not that the network is down."""

from __future__ import annotations

import socket
import ssl

# A name server that did not answer (EAI_AGAIN) may answer later.
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def is_wrong_address(error: BaseException) -> bool:
    """Whether there is no such host, or another one answers than the address names.

    HTTP clients wrap what the system said: as cause, as context, as ``reason``, or as an argument.
    """
    seen: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or each in seen:
            continue
        if isinstance(each, ssl.SSLCertVerificationError):
            return True
        if isinstance(each, socket.gaierror) and each.errno in _NO_SUCH_NAME:
            return True
        seen.append(each)
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    return False
