"""One letter to the relay. The engine of editions keeps journals and paces; a single letter needs neither."""

from __future__ import annotations

import smtplib
import ssl

from pipeline.channels.base import MailServer

PATIENCE_S = 10.0
TROUBLE = (OSError, smtplib.SMTPException)


def hand_over(server: MailServer, *, sender: str, recipient: str, message: bytes) -> bool:
    """True if it was taken, False if this recipient never will be; raises what TROUBLE lists where it may be later."""
    kind = smtplib.SMTP_SSL if server.security == "tls" else smtplib.SMTP
    with kind(server.host, server.port, timeout=PATIENCE_S) as session:
        session.ehlo_or_helo_if_needed()
        if server.security == "starttls":
            session.starttls(context=ssl.create_default_context())
            session.ehlo()
        if server.username:
            session.login(server.username, server.password)
        try:
            session.sendmail(sender, [recipient], message)
        except smtplib.SMTPRecipientsRefused as error:
            if all(code < 500 for code, _ in error.recipients.values()):
                raise
            return False
    return True
