"""The letter that asks whether somebody wants our mail, or tells that they have it already."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from uuid import uuid4

from pipeline.audience.joining import confirming, seals
from pipeline.audience.words import words
from pipeline.channels.mail.dkim import Signer, keys
from pipeline.delivery.letters import relay
from pipeline.delivery.message import mail
from pipeline.delivery.message.headers import EditionHeaders
from pipeline.delivery.message.merge import UnusableReader, compile_program
from pipeline.editions.assemble import masthead_of
from pipeline.editions.content import Masthead
from pipeline.editions.models import Newsletter
from pipeline.editions.render import dated, render_notice
from pipeline.editions.rendered import Rendered, sample_reader
from pipeline.kernel.config import Config
from pipeline.kernel.queue import Job, ring

log = logging.getLogger("dateline.delivery")


def send(*, confirmation_id: int, config: Config, now: datetime) -> bool:
    """Write and hand over one letter; True if the relay took it. One that may be taken later is given back."""
    letter = confirming.take(confirmation_id=confirmation_id, now=now)
    if letter is None:
        return False
    newsletter = Newsletter.objects.filter(topic_id__in=letter.topic_ids).order_by("id").first()
    sender = newsletter.from_address if newsletter else config.mail_from
    try:
        rendered = _rendered(letter, newsletter, config=config)
        message = _message(rendered, letter, newsletter, sender=sender, config=config, now=now)
        return relay.hand_over(
            mail.server(config), sender=config.mail_from, recipient=mail.wire_address(letter.address), message=message
        )
    except UnusableReader as error:
        log.warning("a confirmation was not written: %s", error)
    except (*relay.TROUBLE, mail.NoMailServer) as error:
        confirming.give_back(confirmation_id=confirmation_id)
        log.warning("a confirmation waits for the relay: %s", type(error).__name__)
    return False


def sweep(*, now: datetime) -> int:
    """Ring for letters nobody has sent; how many."""
    waiting = confirming.unsent(now=now)
    for confirmation_id in waiting:
        ring(Job.DELIVERY_CONFIRM, confirmation_id=confirmation_id)
    return len(waiting)


def _rendered(letter: confirming.Letter, newsletter: Newsletter | None, *, config: Config) -> Rendered:
    say, known = words(letter.language), "known_" if letter.is_known else ""
    names = ", ".join(letter.names)
    masthead = masthead_of(newsletter) if newsletter else _plain(config)
    own = replace(masthead, language=say.language, direction=say.direction, tagline="")
    path = f"p/{seals.reader_door(letter.reader_id)}" if known else f"confirm/{letter.token}"
    facts = {
        "title": say(f"letter.{known}subject", names=names),
        "teaser": say(f"letter.{known}teaser"),
        "opening": say(f"letter.{known}opening", names=names),
        "button": say(f"letter.{known}button"),
        "foot": say(f"letter.{known}foot", **({} if known else {"date": dated(letter.expires_at, say.language)})),
        "door_url": f"{config.site_url}/{path}",
    }
    return render_notice("confirm", masthead=own, facts=facts)


def _message(
    rendered: Rendered, letter: confirming.Letter, newsletter: Newsletter | None, *, sender: str, config: Config,
    now: datetime,
) -> bytes:  # fmt: skip
    headers = EditionHeaders(
        sender_name=newsletter.from_name if newsletter else "Dateline",
        sender=mail.wire_address(sender), doors=mail.doors(config), date=now,
    )  # fmt: skip
    domain = mail.domain_of(sender)
    reader = replace(
        sample_reader(rendered), address=mail.wire_address(letter.address), message_id=f"<{uuid4().hex}@{domain}>"
    )
    message = compile_program(rendered, headers=headers).message(reader)
    if not config.dkim_key:
        return message
    found = keys(config.dkim_key, selectors=config.dkim_selector)
    return Signer(found, domain=config.dkim_domain or domain, now=now).sign(message)


def _plain(config: Config) -> Masthead:
    """The looks of a newsroom whose first newsletter is not there yet."""
    return Masthead(
        name="Dateline", slug="dateline", publisher="Dateline", home_url=config.site_url,
        postal_address=config.postal_address,
    )  # fmt: skip
