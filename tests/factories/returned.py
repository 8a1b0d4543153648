"""Mail that comes back to a return path of ours."""

from __future__ import annotations

from pipeline.delivery.message.mail import domain_of, envelope_sender, message_id
from pipeline.delivery.models import Delivery
from pipeline.engagement.tokens import Kind, Minter
from pipeline.kernel.config import config
from pipeline.kernel.signing import Keyring


def return_path(delivery: Delivery, *, domain: str = "") -> str:
    """Where mail to this delivery's reader comes back to."""
    ours = domain or config().bounce_domain
    return envelope_sender(
        secret=config().secret_key, origin=delivery.send.origin_id, ordinal=delivery.ordinal, domain=ours
    )


def headers(delivery: Delivery, *, token: bool = True, identity: bool = True) -> str:
    """The headers of the copy this reader had, as servers return them."""
    secret, origin = config().secret_key, delivery.send.origin_id
    domain = domain_of(delivery.send.edition.newsletter.from_address)
    lines = ["From: brief@dispatch.example", f"To: {delivery.address}", "Subject: Morning Brief"]
    if identity:
        lines.append(f"Message-ID: {message_id(secret=secret, origin=origin, ordinal=delivery.ordinal, domain=domain)}")
    if token:
        link = Minter(Keyring.from_secret(secret), kind=Kind.LEAVE, origin=origin)(delivery.ordinal, 0)
        lines.append(f"List-Unsubscribe: <https://news.example/u/{link}>, <mailto:leave@bounce.example>")
    return "\n".join(lines)


def bounce(
    delivery: Delivery, *, status: str = "5.1.1", said: str = "550 5.1.1 user unknown", to: str | None = None,
    address: str | None = None, copy: str = "", action: str = "failed",
) -> bytes:  # fmt: skip
    """A delivery report, by default to the copy's own return path and with nothing of the copy in it."""
    return f"""Return-Path: <>
From: MAILER-DAEMON@mx.quay.example
To: {return_path(delivery) if to is None else to}
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary=cut

--cut
Content-Type: text/plain

It did not arrive.

--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.quay.example

Final-Recipient: rfc822; {delivery.address if address is None else address}
Action: {action}
Status: {status}
Diagnostic-Code: smtp; {said}

--cut
Content-Type: text/rfc822-headers

{copy}

--cut--
""".encode()


def complaint(delivery: Delivery, *, to: str = "abuse@dispatch.example") -> bytes:
    """A feedback loop's report with the reader's address struck out."""
    return f"""From: feedback@fbl.example
To: {to}
Subject: complaint
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary=cut

--cut
Content-Type: text/plain

An abuse report.

--cut
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Loop/2.0
Version: 1

--cut
Content-Type: text/rfc822-headers

{headers(delivery).replace(delivery.address, "redacted")}

--cut--
""".encode()
