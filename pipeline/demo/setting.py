"""The newsroom's own rows: a source, a newsletter with blocks, five hundred readers, a social account, an editor."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from pipeline.articles import intake
from pipeline.articles.models import Article
from pipeline.audience import subscribe
from pipeline.audience.models import Topic
from pipeline.editions.models import Block, Newsletter
from pipeline.kernel.config import config
from pipeline.kernel.outbound.client import client
from pipeline.kernel.queue import Job, ring
from pipeline.kernel.secrets import seal
from pipeline.posts.models import Account
from pipeline.sources import discover
from pipeline.sources.models import Source
from pipeline.staff.journal import note
from pipeline.staff.models import Role, User

READERS = 500
EDITOR, PASSWORD = "ada@dispatch.example.org", "harbour-row-0630"  # shown on the board: the demo is no secret

BLOCKS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("lead", "", {"count": 1}),
    ("top", "Top stories", {"count": 4, "per_section": 2}),
    ("section", "Africa", {"sections": ["Africa"], "count": 2}),
    ("opinion", "Opinion", {"sections": ["Opinion"], "count": 1}),
    ("popular", "Most popular", {"count": 5}),
)


@dataclass(frozen=True, slots=True)
class Script:
    """What this run is about; rows older than `started_at` are from earlier runs."""

    source_id: int
    newsletter_id: int
    account_id: int
    topic_id: int
    started_at: datetime


def prepare(*, source_url: str, network_url: str, once: bool, sample: bool) -> Script:
    """Make or renew the demo's rows. Raises discover.NothingToWatch for a `--source` that leads nowhere."""
    now = timezone.now()
    topic, _ = Topic.objects.get_or_create(slug="morning-brief", defaults={"name": "Morning Brief"})
    subscribe.enrol(
        addresses=[f"reader{n:03}@readers.example.org" for n in range(1, READERS + 1)],
        topic=topic,
        origin="demo",
        now=now,
    )
    if not User.objects.filter(email=EDITOR).exists():
        User.objects.create_user(EDITOR, PASSWORD, name="Ada", role=Role.HEAD)
    source = _source(source_url, now=now, sample=sample)
    return Script(
        source_id=source.id,
        newsletter_id=_newsletter(topic, every_s=9 if once else 30, now=now, home=source.home_url).id,
        account_id=_account(network_url, now=now).id,
        topic_id=topic.id,
        started_at=now,
    )


def _source(url: str, *, now: datetime, sample: bool) -> Source:
    """The sample newsroom starts afresh each time: an earlier run's source keeps its stories under another address."""
    if sample:
        for old in Source.objects.filter(home_url__startswith=url):
            Source.objects.filter(id=old.id).update(
                state=Source.State.PAUSED, home_url=f"{url}/#until-{now:%Y%m%dT%H%M%S}-{old.id}"
            )
    found = discover.discover(url, client=client())
    source, _ = discover.add(
        found, name="The Meridian Dispatch" if sample else "", every_s=1 if sample else 15, now=now
    )
    Source.objects.filter(id=source.id).update(usual_per_hour=3600, settle_s=1)  # a demo is one long burst, on purpose
    source.channels.update(next_due_at=now, leased_until=None)
    return source


def _newsletter(topic: Topic, *, every_s: int, now: datetime, home: str) -> Newsletter:
    cadence = {"kind": "interval", "every_s": every_s}
    fields: dict[str, Any] = {
        "name": "Morning Brief",
        "topic": topic,
        "from_name": "The Meridian Dispatch",
        "from_address": config().mail_from,
        "masthead": {"tagline": "What moved between capitals", "home_url": home, "accent": "#9b1c2e"},
        "cadence": cadence,
        "approval": Newsletter.Approval.RULES,
        "compose_before_s": 2,
        "cutoff_before_s": 1,
        "undo_s": 0,
        "minimum": 2,  #: a story every four seconds and a slot every nine: with three every other slot would be skipped
        "late_policy": "send",
    }
    newsletter, made = Newsletter.objects.update_or_create(
        slug="morning-brief", defaults=fields, create_defaults={**fields, "created_at": now}
    )
    if made or not newsletter.blocks.exists():
        for position, (kind, title, rule) in enumerate(BLOCKS, start=1):
            Block.objects.create(newsletter=newsletter, position=position, kind=kind, title=title, rule=rule)
    return newsletter


def _account(network_url: str, *, now: datetime) -> Account:
    fields = {"base_url": network_url}
    account, _ = Account.objects.update_or_create(
        network="agora", handle="meridian", defaults=fields, create_defaults={**fields, "created_at": now}
    )
    account.credentials = seal({"token": "demo"}, secrets=config().secrets, bound_to=str(account))
    account.save()
    return account


def stand_in(*, source_id: int, now: datetime) -> bool:
    """Let the newest story of a real site that was there before us stand in for news; False when none is left.

    Only the demo does this, and says so: nothing it sends leaves this machine. Elsewhere first contact stays silent.
    """
    newest = (
        Article.objects.filter(source_id=source_id, state=Article.State.BASELINE)
        .order_by("-published_at", "id")
        .first()
    )
    if newest is None:
        return False
    Article.objects.filter(id=newest.id).update(state=Article.State.SEEN)
    intake.take_in(article_id=newest.id, now=now)
    Article.objects.filter(id=newest.id).exclude(state=Article.State.DUPLICATE).update(
        state=Article.State.ELIGIBLE, code="stands_in", first_seen_at=now, eligible_at=now, announced_at=now
    )
    note(verb="stand_in", subject="article", subject_id=newest.id, now=now)
    ring(Job.POSTS_COMPOSE, article_id=newest.id)
    return True
