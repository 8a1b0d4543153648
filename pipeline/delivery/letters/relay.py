"""Single letters to the relay. The engine of editions keeps journals and paces; a letter needs neither."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from pipeline.channels.base import MailServer

log = logging.getLogger("dateline.delivery")
PATIENCE_S = 5.0
TROUBLE = (OSError, smtplib.SMTPException)


def server_of(config: Config) -> MailServer:
    """The relay letters take: the environment's, else the first one named at the desk. Raises NoMailServer and Permanent."""
    if not config.smtp_url:
        named = Transport.objects.filter(kind=Transport.Kind.RELAY, state=Transport.State.ACTIVE)
        if row := named.exclude(name=transports.RELAY).order_by("rank", "name").first():
            return transports.relay_of(transports.settings_of(row, config=config))
    return mail.server(config)


@contextmanager
def connected(server: MailServer, *, timeout: float = PATIENCE_S) -> Iterator[smtplib.SMTP]:
    """A session that has said EHLO, encrypted and signed in as the settings ask. Raises what TROUBLE lists."""
    kind = smtplib.SMTP_SSL if server.security == "tls" else smtplib.SMTP
    with kind(server.host, server.port, timeout=timeout) as session:
        session.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            session.starttls(context=ssl.create_default_context())
            session.ehlo()
        if server.username:
            session.login(server.username, server.password)
        yield session


def hand_over(server: MailServer, *, sender: str, recipient: str, message: bytes) -> bool:
    """True if it was taken, False if this recipient never will be; raises what TROUBLE lists where it may be later."""
    with connected(server) as session:
        try:
            return _sent(session, sender, recipient, message)
        except smtplib.SMTPRecipientsRefused as error:
            if all(code < 500 for code, _ in error.recipients.values()):
                raise
            return False


def hand_over_all(server: MailServer, letters: Iterable[tuple[str, str, bytes]]) -> int:
    """Hand over (sender, recipient, message) each; how many were taken. Raises what TROUBLE lists, but for a refusal."""
    taken = 0
    with connected(server) as session:
        for sender, recipient, message in letters:
            try:
                taken += _sent(session, sender, recipient, message)
            except smtplib.SMTPRecipientsRefused:
                continue
    return taken


def _sent(session: smtplib.SMTP, sender: str, recipient: str, message: bytes) -> bool:
    """False, and nothing said to the server, where it does not carry an address outside ASCII (RFC 6531)."""
    if recipient.isascii():
        session.sendmail(sender, [recipient], message)
        return True
    if not session.has_extn("smtputf8"):
        log.warning("a letter was not sent: its address is outside ASCII, and the relay offers no SMTPUTF8")
        return False
    session.sendmail(sender, [recipient], message, mail_options=["SMTPUTF8", "BODY=8BITMIME"])
    return True
