"""Mailboxes, by SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Literal

from shared.ports.channel import Word
from shared.problems.exceptions import ChannelRefused

Encryption = Literal["tls", "starttls", "none"]
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Mail:
    """A mail server, such as Alibaba Mail's ``smtp.qiye.aliyun.com`` (https://help.aliyun.com/en/document_detail/36687.html).

    Port 25 is closed to functions as it is to servers; 465 is TLS from the beginning. A server that
    offers no STARTTLS where it must is told neither password nor word. One mail has all recipients,
    and is taken if one of them was. Its Message-ID is the event's, so that mail programs show one
    mail if it comes twice (RFC 5322, 3.6.4).

    Attributes:
        encryption: ``none`` is only for a server on this machine.
    """

    host: str
    port: int
    sender: str
    recipients: Sequence[str]
    user: str = ""
    password: str = ""
    encryption: Encryption = "tls"

    def deliver(self, word: Word, now: datetime) -> None:
        message = EmailMessage()
        message["Subject"] = word.title
        message["From"] = self.sender
        message["To"] = ", ".join(self.recipients)
        message["Date"] = format_datetime(now)
        message["Message-ID"] = f"<{word.id}@{self.sender.rpartition('@')[2]}>"
        message.set_content(word.text)
        try:
            with self._connected() as server:
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(message)
        except smtplib.SMTPResponseException as error:
            raise ChannelRefused(f"{type(error).__name__}, code {error.smtp_code}") from None
        except (smtplib.SMTPException, OSError) as error:
            # Its text may repeat what was sent.
            is_silent = isinstance(error, OSError)
            raise ChannelRefused(type(error).__name__, is_silent=is_silent) from None

    def _connected(self) -> smtplib.SMTP:
        trusted = ssl.create_default_context()
        if self.encryption == "tls":
            return smtplib.SMTP_SSL(self.host, self.port, timeout=TIMEOUT_S, context=trusted)
        server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
        if self.encryption == "starttls":
            try:
                server.starttls(context=trusted)
            except (smtplib.SMTPException, OSError):
                server.close()
                raise
        return server
