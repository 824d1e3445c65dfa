"""E-mail by SMTP: one connection, several messages. What goes wrong is one word, and whether another try may help.

TLS is verified, always; nothing that is said of an error names the recipient (servers repeat it in their replies).
"""

from __future__ import annotations

import smtplib
import ssl
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from types import TracebackType

from config.sending import Mail
from service.sending import Failure, Letter, secret_of, verified


@dataclass(frozen=True)
class Postman:
    """Sends for one city. `name` and `reply_to` are what people see."""

    settings: Mail
    name: str
    reply_to: str

    def open(self) -> Round:
        """Connect and log in; Failure where that does not work."""
        return Round(self, _connect(self.settings))

    def message(self, letter: Letter) -> EmailMessage:
        """The e-mail, as RFC 3834 wants one that no person wrote."""
        mail = EmailMessage()
        mail["From"] = Address(self.name, addr_spec=self.settings.sender)
        mail["To"] = Address(addr_spec=letter.recipient)
        mail["Reply-To"] = Address(addr_spec=self.reply_to)
        mail["Subject"] = letter.subject
        mail["Date"] = format_datetime(letter.at)
        mail["Message-ID"] = make_msgid(domain=self.settings.sender.rpartition("@")[2])
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        return mail


class Round:
    """One connection's worth of letters."""

    def __init__(self, postman: Postman, server: smtplib.SMTP) -> None:
        self._postman, self._server = postman, server

    def __enter__(self) -> Round:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.close()

    def send(self, letter: Letter) -> None:
        """Failure where the server does not take it."""
        try:
            self._server.send_message(self._postman.message(letter))
        except smtplib.SMTPRecipientsRefused as refused:
            code = max(code for code, _ in refused.recipients.values())
            raise Failure(f"recipient_{code}", final=code >= 500) from None
        except smtplib.SMTPResponseException as answered:
            raise Failure(f"smtp_{answered.smtp_code}", final=answered.smtp_code >= 500) from None
        except (OSError, smtplib.SMTPException):
            raise Failure("connection_lost", ends_round=True) from None


def _connect(settings: Mail) -> smtplib.SMTP:
    context = verified(settings.ca_file)
    password = secret_of(settings.password_file) if settings.password_file is not None else None
    server: smtplib.SMTP | None = None
    try:
        server = _dial(settings, context)
        if settings.tls == "starttls":
            server.starttls(context=context)
        if password is not None:
            server.login(settings.user, password)
    except (OSError, smtplib.SMTPException) as error:
        if server is not None:
            server.close()
        raise Failure(_word(error)) from None
    return server


def _dial(settings: Mail, context: ssl.SSLContext) -> smtplib.SMTP:
    if settings.tls == "tls":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=settings.timeout_s, context=context)
    return smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_s)


_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (ssl.SSLError, "tls"),
    (smtplib.SMTPAuthenticationError, "login"),
    (smtplib.SMTPNotSupportedError, "not_supported"),
)
"""What went wrong with the server, before any letter; anything else is `no_connection`."""


def _word(error: Exception) -> str:
    return next((word for kind, word in _WORDS if isinstance(error, kind)), "no_connection")
