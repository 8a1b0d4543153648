"""What our own domains should look like: from the newsletters, the settings and the ways out that are in use."""

from __future__ import annotations

import base64
from ipaddress import ip_address

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from pipeline.channels.base import Permanent
from pipeline.channels.domain.ask import NameServers, outgoing_of, secrecy_of, seen_addresses
from pipeline.channels.domain.checks import Outgoing, Row, Wanted, rows
from pipeline.delivery.message import mail
from pipeline.delivery.models import Transport
from pipeline.delivery.transports import settings_of
from pipeline.editions.models import Newsletter
from pipeline.kernel.config import Config

#: The names providers ask to be included by.
SPF_NAMES = {
    "ses": "amazonses.com", "mailgun": "mailgun.org", "postmark": "spf.mtasv.net", "sendgrid": "sendgrid.net",
    "brevo": "spf.brevo.com",
}  # fmt: skip
_MARK = "-----BEGIN"


def looked_at(*, config: Config, names: NameServers | None = None) -> dict[str, list[Row]]:
    """Each domain we send as, with what is expected of it and what was found."""
    names = names or NameServers()
    return {wanted.domain: rows(wanted, names) for wanted in wanted_of(config=config, names=names)}


def wanted_of(*, config: Config, names: NameServers) -> list[Wanted]:
    """One for each From domain of our newsletters, or of DATELINE_MAIL_FROM where there is none yet."""
    senders = list(Newsletter.objects.values_list("from_address", flat=True).distinct()) or [config.mail_from]
    relay = mail.server(config) if config.smtp_url else None
    used = Transport.objects.filter(kind=Transport.Kind.ESP, state=Transport.State.ACTIVE).order_by("rank", "name")
    provider = None if relay else used.values_list("provider", flat=True).first()
    keys, tls = published_keys(config), secrecy_of(relay) if relay else None
    outgoing = _outgoing(config=config, names=names)
    addresses = seen_addresses(relay, names) if relay else ()
    if outgoing and outgoing.host and not relay and not provider and ip_address(outgoing.address).is_global:
        addresses = (outgoing.address,)
    return [
        Wanted(
            domain=domain,
            bounce_domain=config.bounce_domain,
            site_url=config.site_url,
            addresses=addresses,
            include=SPF_NAMES.get(provider or "", ""),
            keys=keys,
            signs_as=config.dkim_domain,
            tls=tls,
            outgoing=outgoing,
        )
        for domain in sorted({mail.domain_of(address) for address in senders})
    ]


def _outgoing(*, config: Config, names: NameServers) -> Outgoing | None:
    """Whether a way straight to the readers' servers is open; None where no transport takes it."""
    used = Transport.objects.filter(kind=Transport.Kind.MX, state=Transport.State.ACTIVE).order_by("rank", "name")
    row = used.first()
    if row is None:
        return None
    try:
        values = settings_of(row, config=config) if row.settings else {}
    except Permanent as error:
        return Outgoing(25, said=str(error), known=False)
    return outgoing_of(names, port=int(values.get("port", 25)))


def published_keys(config: Config) -> tuple[tuple[str, str], ...]:
    """(selector, record) of each key that signs: what DNS must say for it. A key that cannot be read has no record."""
    blocks = [_MARK + block for block in config.dkim_key.split(_MARK)[1:]]
    return tuple(
        (selector, record)
        for selector, block in zip(config.dkim_selector.split(), blocks, strict=False)
        if (record := _published(block))
    )


def _published(block: str) -> str:
    try:
        private = load_pem_private_key(block.encode(), password=None)
    except (ValueError, TypeError):
        return ""
    public = private.public_key()
    if isinstance(private, RSAPrivateKey):
        der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode('ascii')}"
    raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode('ascii')}"
