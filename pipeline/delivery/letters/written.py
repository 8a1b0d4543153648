"""What single letters look like: their newsletter's masthead, or the plain one, in the reader's language, and signed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from pipeline.audience.words import Words
from pipeline.channels.mail.dkim import Signer, keys
from pipeline.delivery.message import mail
from pipeline.delivery.message.headers import EditionHeaders
from pipeline.delivery.message.merge import compile_program
from pipeline.editions.assemble import masthead_of
from pipeline.editions.content import Masthead
from pipeline.editions.models import Newsletter
from pipeline.editions.rendered import Rendered, sample_reader
from pipeline.kernel.config import Config


def masthead(newsletter: Newsletter | None, say: Words, *, config: Config) -> Masthead:
    """The looks of a newsletter, or those of a newsroom whose first is not there yet."""
    plain = Masthead(
        name="Dateline", slug="dateline", publisher="Dateline", home_url=config.site_url,
        postal_address=config.postal_address,
    )  # fmt: skip
    own = masthead_of(newsletter) if newsletter else plain
    return replace(own, language=say.language, direction=say.direction, tagline="")


def message(rendered: Rendered, *, newsletter: Newsletter | None, address: str, config: Config, now: datetime) -> bytes:
    """The letter to one address, ready to be handed over. Raises UnusableReader."""
    sender = newsletter.from_address if newsletter else config.mail_from
    headers = EditionHeaders(
        sender_name=newsletter.from_name if newsletter else "Dateline",
        sender=mail.wire_address(sender), doors=mail.doors(config), date=now,
    )  # fmt: skip
    domain = mail.domain_of(sender)
    reader = replace(
        sample_reader(rendered), address=mail.wire_address(address), message_id=f"<{uuid4().hex}@{domain}>"
    )
    made = compile_program(rendered, headers=headers).message(reader)
    if not config.dkim_key:
        return made
    found = keys(config.dkim_key, selectors=config.dkim_selector)
    return Signer(found, domain=config.dkim_domain or domain, now=now).sign(made)
