"""What a check looks at, each answered with a sentence: the machine, the edition, and afterwards what came of it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import redis

from pipeline.audience import counts
from pipeline.channels.base import MailServer
from pipeline.delivery import transports
from pipeline.delivery.course.barred import holds_barred_story
from pipeline.delivery.course.drift import usual
from pipeline.delivery.letters import relay
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.assemble import masthead_of
from pipeline.editions.choosing.departures import zone_of
from pipeline.editions.choosing.pool import cutoff_of
from pipeline.editions.models import Edition, Rendering
from pipeline.editions.preflight import ASKED, BLOCK
from pipeline.kernel.config import config
from pipeline.kernel.queue import Queue
from pipeline.schedule.alarms import pulse

LEAST_FREE_BYTES = 500_000_000
LEAST_FREE_PCT = 5
MOST_REFUSED_PCT = 5
#: Items that are no news: readers liked them, or they are always good.
_NO_NEWS = ("popular", "related", "evergreen", "filled_by_popular")


@dataclass(frozen=True, slots=True)
class Look:
    """One thing looked at. `said` is a sentence for people either way."""

    code: str
    is_red: bool
    said: str


def before(edition: Edition, *, now: datetime) -> list[Look]:
    """Whether it can leave: the machine first, then what only this edition needs."""
    return [
        *_workers(now=now),
        _disk(),
        *_ways_out(),
        *_edition(edition, now=now),
        _address(edition),
        _audience(edition, now=now),
    ]


def after(edition: Edition) -> list[Look]:
    """Ten minutes later: whether it left, whether anybody took it, whether too many refused it."""
    send = Send.objects.filter(edition_id=edition.id).first()
    if send is None:
        return [Look("not_gone", True, f"It has not left: it is {edition.state}.")]
    if send.state in (Send.State.PAUSED, Send.State.FAILED, Send.State.ASKING, Send.State.CANCELLED):
        return [Look("send_stands", True, f"Its send is {send.state}.")]
    rows = Delivery.objects.filter(send_id=send.id)
    accepted = rows.filter(state=Delivery.State.ACCEPTED).count()
    refused = rows.filter(state__in=[Delivery.State.REFUSED, Delivery.State.BOUNCED]).count()
    none = bool(send.recipients) and not accepted
    too_many = refused * 100 > MOST_REFUSED_PCT * max(accepted + refused, 1)
    return [
        Look("accepted", none, f"{accepted} of {send.recipients} messages were accepted so far."),
        Look("refused", too_many, f"{refused} were refused, of {accepted + refused} answered."),
    ]


def _workers(*, now: datetime) -> Iterator[Look]:
    try:
        silent = pulse.silent_s(Queue.SEND, now=now)
    except redis.RedisError as error:
        yield Look("redis", True, f"Redis does not answer ({type(error).__name__}): work is late.")
        return
    yield Look("redis", False, "Redis answers.")
    if silent is None:
        yield Look("senders", True, "No sender has given a sign of life.")
    else:
        said = f"The senders gave their last sign of life {silent:.0f} s ago."
        yield Look("senders", silent > pulse.DEAD_AFTER_S, said)


def _disk() -> Look:
    usage = shutil.disk_usage(config().data_dir)
    scarce = usage.free < LEAST_FREE_BYTES or usage.free * 100 < LEAST_FREE_PCT * usage.total
    return Look("disk", scarce, f"{usage.free / 1e9:.1f} GB are free where the journals are kept.")


def _ways_out() -> Iterator[Look]:
    """Every way mail could leave by. One that is away is red only where no other could step in."""
    answers = dict(transports.looked_at(config=config(), greet=_sign_in))
    if not answers:
        yield Look("transport", True, "The mail relay cannot be used: there is none. Set one, or add a transport.")
    none = not any(answer == "" for answer in answers.values())
    for name, trouble in answers.items():
        said = f"{name} cannot be used: {trouble[:200]}" if trouble else f"{name} answers."
        yield Look("transport", bool(trouble) and none, said)


def _sign_in(server: MailServer) -> None:
    with relay.connected(server):
        return


def _edition(edition: Edition, *, now: datetime) -> Iterator[Look]:
    """Before its cut-off stories may still come: what is missing then is said, and is not red."""
    settled = now >= cutoff_of(edition)
    news = edition.items.filter(picked=True).exclude(code__in=_NO_NEWS).count()
    minimum = edition.newsletter.minimum
    yield Look("items", settled and news < minimum, f"{news} of at least {minimum} stories are in it.")
    rendered = Rendering.objects.filter(edition_id=edition.id).exists()
    yield Look("rendering", settled and not rendered, "It is rendered." if rendered else "It is not rendered yet.")
    stands = {Edition.State.HELD: "It is held", Edition.State.READY: "It waits for approval"}
    if (held := stands.get(Edition.State(edition.state))) is not None:
        yield Look("decision", settled and edition.state == Edition.State.HELD, f"{held}.")
    barred = Edition.objects.filter(holds_barred_story(), id=edition.id).exists()
    yield Look(
        "stories", barred, "A story of it may not leave." if barred else "No story of it is killed or embargoed."
    )
    found = [row["sentence"] for row in edition.preflight if row["level"] == BLOCK or row["code"] in ASKED]
    yield Look("preflight", settled and bool(found), " ".join(found)[:500] or "Nothing stands in its way.")


def _address(edition: Edition) -> Look:
    there = bool(masthead_of(edition.newsletter).postal_address.strip())
    return Look("postal_address", not there, "It names a postal address." if there else "It names no postal address.")


def _audience(edition: Edition, *, now: datetime) -> Look:
    """Against the last four of the same weekday: a Sunday's readers are not a Monday's."""
    newsletter = edition.newsletter
    readers = counts.count(
        topic_id=newsletter.topic_id, segment=newsletter.segment, slot_at=edition.slot_at, now=now,
        rests=newsletter.judges_silence,
    )  # fmt: skip
    known = usual(newsletter_id=newsletter.id, before=edition.slot_at, weekday_in=zone_of(newsletter))
    usually = "nothing to compare with" if known.expected is None else f"lately {known.expected} on this weekday"
    strange = known.is_strange(readers, most_pct=newsletter.most_drift_pct)
    return Look("audience", strange or not readers, f"{readers} readers; {usually}.")
