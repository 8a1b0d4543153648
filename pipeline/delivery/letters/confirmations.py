"""The letter that asks whether somebody wants our mail, or tells that they have it already."""

from __future__ import annotations

import logging
from datetime import datetime

from pipeline.audience.joining import confirming, seals
from pipeline.audience.words import words
from pipeline.channels.base import Permanent
from pipeline.delivery.letters import relay, written
from pipeline.delivery.message import mail
from pipeline.delivery.message.merge import UnusableReader
from pipeline.editions.models import Newsletter
from pipeline.editions.render import dated, render_notice
from pipeline.editions.rendered import Rendered
from pipeline.kernel.config import Config
from pipeline.kernel.queue import Job, ring

log = logging.getLogger("dateline.delivery")


def send(*, confirmation_id: int, config: Config, now: datetime) -> bool:
    """Write and hand over one letter; True if the relay took it. One that may be taken later is given back."""
    letter = confirming.take(confirmation_id=confirmation_id, now=now)
    if letter is None:
        return False
    newsletter = Newsletter.objects.filter(topic_id__in=letter.topic_ids).order_by("id").first()
    try:
        rendered = _rendered(letter, newsletter, config=config)
        message = written.message(rendered, newsletter=newsletter, address=letter.address, config=config, now=now)
        return relay.hand_over(
            relay.server_of(config),
            sender=config.mail_from,
            recipient=mail.wire_address(letter.address),
            message=message,
        )
    except UnusableReader as error:
        log.warning("a confirmation was not written: %s", error)
    except (*relay.TROUBLE, mail.NoMailServer, Permanent) as error:
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
    path = f"p/{seals.reader_door(letter.reader_id)}" if known else f"confirm/{letter.token}"
    facts = {
        "title": say(f"letter.{known}subject", names=names),
        "teaser": say(f"letter.{known}teaser"),
        "opening": say(f"letter.{known}opening", names=names),
        "button": say(f"letter.{known}button"),
        "foot": say(f"letter.{known}foot", **({} if known else {"date": dated(letter.expires_at, say.language)})),
        "door_url": f"{config.site_url}/{path}",
    }
    return render_notice("confirm", masthead=written.masthead(newsletter, say, config=config), facts=facts)
