"""A mail server on this machine: TLS, STARTTLS or neither, with a user or without."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USER, PASSWORD = b"batchdrop@example.com", b"a-password-of-mail"


class MailServer:
    """What it took, and to whom.

    Attributes:
        refusals: What it answers next to the end of a mail, such as ``452 mailbox full``.
        unknown: Recipients that it does not know.
    """

    def __init__(self) -> None:
        self.taken: list[tuple[list[str], EmailMessage]] = []
        self.refusals: list[str] = []
        self.unknown: set[str] = set()
        self.logins = 0
        self.port = 0

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.unknown:
            return "550 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        self.taken.append((list(envelope.rcpt_tos), message_from_bytes(content, policy=default)))
        return "250 taken"

    def _is_user(
        self, _server: object, _session: object, _envelope: object, _how: object, data: object
    ) -> AuthResult:
        self.logins += 1
        is_right = isinstance(data, LoginPassword) and (data.login, data.password) == (USER, PASSWORD)
        return AuthResult(success=is_right, handled=is_right)

    @contextmanager
    def serving(
        self,
        *,
        tls: ssl.SSLContext | None = None,
        starttls: ssl.SSLContext | None = None,
        has_users: bool = True,
    ) -> Iterator[MailServer]:
        loop = asyncio.new_event_loop()

        def protocol() -> SMTP:
            authenticator = self._is_user if has_users else None
            return SMTP(
                self,
                hostname="localhost",
                tls_context=starttls,
                auth_require_tls=False,
                authenticator=authenticator,
                loop=loop,
            )

        server = loop.run_until_complete(loop.create_server(protocol, "127.0.0.1", 0, ssl=tls))
        self.port = server.sockets[0].getsockname()[1]
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            server.close()
            loop.run_until_complete(server.wait_closed())
            loop.run_until_complete(loop.shutdown_asyncgens())
            loop.close()
