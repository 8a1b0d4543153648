"""The letter that asks a reader who was long unseen whether our mail is still wanted (`audience.sunset` has the rule).

Only for newsletters that judge silence (`Newsletter.judges_silence`; off unless somebody turns it on), and only to
readers who agreed to be seen. It is noted when the relay has answered: a death in between asks twice, and nobody is
missed who was not asked.
"""

from __future__ import annotations

import logging
import time
from datetime import datetime

from django.db import connection

from pipeline.audience import sunset
from pipeline.audience.joining import seals
from pipeline.audience.models import Subscriber, Subscription
from pipeline.audience.words import words
from pipeline.channels.base import Permanent
from pipeline.delivery.course import brake
from pipeline.delivery.letters import relay, written
from pipeline.delivery.message import mail
from pipeline.delivery.message.merge import UnusableReader
from pipeline.editions.models import Newsletter
from pipeline.editions.render import dated, render_notice
from pipeline.editions.rendered import Rendered
from pipeline.kernel.config import Config

log = logging.getLogger("dateline.delivery")

#: An hour's letters: a list that was silent for years must not make a burst of a new kind of mail.
MOST = 200
#: A task has two minutes.
LONGEST_S = 60.0
_LOCK = 0x73_74_69_6C_6C


def sweep(*, config: Config, now: datetime) -> int:
    """Ask some of those who are to be asked; how many. One process at a time, and nobody while sending is stopped."""
    asking = {row.topic_id: row for row in _judging()}
    if not asking or brake.is_pulled() or not _locked():
        return 0
    ends, asked = time.monotonic() + LONGEST_S, 0
    try:
        for reader in sunset.unseen(topics=asking, now=now)[:MOST]:
            if time.monotonic() > ends:
                break
            if not sunset.unseen(topics=asking, now=now).filter(id=reader.id).exists():
                continue  # left, or was seen, while others were written to
            asked += _ask(reader, asking, config=config, now=now)
    except (*relay.TROUBLE, mail.NoMailServer, Permanent) as error:
        log.warning("readers are asked later whether they still want our mail: %s", type(error).__name__)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(%s)", [_LOCK])
    return asked


def _judging() -> list[Newsletter]:
    rows = Newsletter.objects.filter(state=Newsletter.State.ACTIVE, asks_again=True).order_by("-id")
    return [row for row in rows if row.judges_silence]


def _locked() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _ask(reader: Subscriber, asking: dict[int, Newsletter], *, config: Config, now: datetime) -> int:
    """A refusal by the relay counts as asked: whom a letter cannot reach, an edition does not reach either."""
    follows = Subscription.objects.filter(subscriber=reader, topic_id__in=asking, left_at=None).order_by("topic_id")
    letters = [asking[topic_id] for topic_id in follows.values_list("topic_id", flat=True)]
    origin = "letter"
    try:
        rendered = _rendered(reader, letters, config=config, now=now)
        data = written.message(rendered, newsletter=letters[0], address=reader.address, config=config, now=now)
        where = mail.wire_address(reader.address)
        if not relay.hand_over(relay.server_of(config), sender=config.mail_from, recipient=where, message=data):
            origin = "letter, refused by the relay"
    except UnusableReader as error:
        log.warning("reader %s cannot be written to: %s", reader.id, error)
        origin = "letter, not written"
    return sunset.note_asked(subscriber_ids=[reader.id], origin=origin, now=now)


def _rendered(reader: Subscriber, letters: list[Newsletter], *, config: Config, now: datetime) -> Rendered:
    say, names = words(reader.language), ", ".join(letter.name for letter in letters)
    rests_at = dated(now + sunset.ANSWER, say.language)
    facts = {
        "title": say("still.subject", names=names),
        "teaser": say("still.teaser"),
        "opening": say("still.opening", names=names, date=rests_at),
        "button": say("still.button"),
        "foot": say("still.foot"),
        "door_url": f"{config.site_url}/still/{seals.reader_door(reader.id)}",
    }
    return render_notice("confirm", masthead=written.masthead(letters[0], say, config=config), facts=facts)
