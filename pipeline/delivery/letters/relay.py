"""Single letters to the relay. The engine of editions keeps journals and paces; a letter needs neither."""

from __future__ import annotations

import logging
import smtplib
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import transaction

from pipeline.channels.base import MailServer
from pipeline.delivery import transports
from pipeline.delivery.message import mail
from pipeline.delivery.models import Transport
from pipeline.kernel.config import Config
from pipeline.staff.journal import note
from pipeline.staff.models import User

log = logging.getLogger("dateline.delivery")
PATIENCE_S = 5.0
#: What the relay named at the desk is called among the ways out.
NAME = "relay"
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


def probe(server: MailServer, *, sender: str) -> str:
    """Greet, encrypt, sign in and name a sender, then take it back; what the server said. Raises what TROUBLE lists."""
    with connected(server) as session:
        code, said = session.mail(sender)
        if code != 250:
            raise smtplib.SMTPSenderRefused(code, said, sender)
        session.rset()
        secrecy = getattr(session.sock, "version", lambda: None)()
    told = [
        f"{server.host}:{server.port} answered “{code} {said.decode('utf-8', 'replace')[:120]}” to mail from {sender}"
    ]
    told.append(f"encrypted ({secrecy})" if secrecy else "not encrypted")
    return ", ".join([*told, *([f"signed in as {server.username}"] if server.username else [])]) + "."


@transaction.atomic
def name_relay(*, url: str, actor: User, now: datetime, config: Config) -> None:
    """The relay named at the desk, its address sealed. It steps in where the environment names none."""
    sealed, server = transports.sealed_settings(NAME, {"url": url}, config=config), mail.server_at(url)
    row, made = Transport.objects.update_or_create(
        name=NAME,
        defaults={"kind": Transport.Kind.RELAY, "settings": sealed, "state": Transport.State.ACTIVE, "failing_since": None, "said": ""},
        create_defaults={"kind": Transport.Kind.RELAY, "settings": sealed, "rank": 1, "created_at": now},
    )  # fmt: skip
    note(
        verb="name relay", subject="transport", subject_id=row.id, now=now, actor=actor, host=server.host,
        port=server.port, made=made,
    )  # fmt: skip


def named(config: Config) -> MailServer | None:
    """The relay named at the desk, if any. Raises Permanent where its keys were sealed with another secret."""
    row = Transport.objects.filter(name=NAME, kind=Transport.Kind.RELAY).first()
    return transports.relay_of(transports.settings_of(row, config=config)) if row else None


def in_words(error: Exception) -> str:
    """What a server or the road to it said, for a person."""
    if isinstance(error, smtplib.SMTPResponseException):
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return f"it answered “{error.smtp_code} {said[:200]}”"
    if isinstance(error, TimeoutError):
        return "it did not answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there"
    return str(error)[:200] or type(error).__name__
