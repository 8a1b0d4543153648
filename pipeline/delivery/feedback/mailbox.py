"""Reading the bounce mailbox: leased, a few hundred mails at a time, and kept up to which mail it was read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from django.db.models import Q
from django.db.models.functions import Now

from pipeline.channels.base import Permanent, Temporary
from pipeline.channels.mailbox import Letter, Place, letters
from pipeline.delivery.feedback.apply import record_all
from pipeline.delivery.feedback.returned import FORGED, event_of
from pipeline.delivery.models import Mailbox
from pipeline.kernel.config import Config

MOST = 500  #: mails a turn; the next turn is a minute later
AT_ONCE = 25  #: mails recorded together, and the mark moved behind them
LEASE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn read: mails, those that were new, and those that pretended to be returned to us."""

    read: int = 0
    new: int = 0
    forged: int = 0
    said: str = ""


def read(*, config: Config, now: datetime, most: int = MOST) -> Turn | None:
    """Read what came since the last turn; None where no mailbox is set, or somebody else reads it.

    A mailbox that cannot be read is said on its row, and read again at the next tick.
    """
    if not config.bounce_mailbox:
        return None
    place = Place.of(config.bounce_mailbox)
    box = _leased(place.name)
    if box is None:
        return None
    turn = Turn()
    try:
        turn = _through(box, place, config=config, now=now, most=most)
    except (Temporary, Permanent) as error:
        turn = Turn(said=str(error)[:300])
    finally:
        Mailbox.objects.filter(id=box.id).update(leased_until=None, read_at=now, said=turn.said)
    return turn


def _leased(name: str) -> Mailbox | None:
    Mailbox.objects.get_or_create(name=name)
    free = Mailbox.objects.filter(Q(leased_until=None) | Q(leased_until__lt=Now()), name=name)
    return Mailbox.objects.get(name=name) if free.update(leased_until=Now() + LEASE) else None


def _through(box: Mailbox, place: Place, *, config: Config, now: datetime, most: int) -> Turn:
    """In groups: each is recorded before the mark moves behind it, so a death repeats it and loses nothing."""
    counts: Counter[str] = Counter()
    stream = letters(place, validity=box.validity, read_to=box.read_to, most=most)
    while group := list(islice(stream, AT_ONCE)):
        _take_in(box, group, counts, config=config, now=now)
    return Turn(read=counts["read"], new=counts["new"], forged=counts[FORGED], said=_words(counts))


def _take_in(box: Mailbox, group: list[Letter], counts: Counter[str], *, config: Config, now: datetime) -> None:
    secrets, keyring, domain = config.secrets, config.keyring, config.bounce_domain
    events = [event_of(letter.raw, at=now, secrets=secrets, keyring=keyring, bounce_domain=domain) for letter in group]
    new = record_all(events, now=now)
    counts.update(read=len(group), new=new, **{FORGED: sum(event.reason == FORGED for event in events)})
    Mailbox.objects.filter(id=box.id).update(
        validity=group[-1].validity, read_to=group[-1].mark, leased_until=Now() + LEASE
    )


def _words(counts: Counter[str]) -> str:
    return f"{counts[FORGED]} of {counts['read']} were forged" if counts[FORGED] else ""
