"""What a newsroom needs before its first digest, step by step, as the rows say."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q
from django.urls import reverse

from pipeline.articles.models import Article
from pipeline.audience.models import Subscription
from pipeline.delivery import transports
from pipeline.desk.words import count
from pipeline.editions.models import Newsletter
from pipeline.kernel.config import config
from pipeline.posts.models import Account
from pipeline.sources.models import Source
from pipeline.staff.models import JournalEntry

TESTED = "send test"
#: Domains nobody can answer at: what settings begin with, and what papers use (RFC 2606).
_NOWHERE = ("localdomain", "localhost", "example", "invalid", "test")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: `said` is what is so, or what is missing; `act` what the link to it says."""

    key: str
    title: str
    done: bool
    said: str
    url: str
    act: str
    optional: bool = False


def first_newsletter() -> Newsletter | None:
    """The one the guide sets up: the oldest digest that has not ended."""
    rows = Newsletter.objects.filter(kind=Newsletter.Kind.DIGEST).exclude(state=Newsletter.State.ENDED)
    return rows.select_related("topic").order_by("id").first()


def steps() -> list[Step]:
    """All of them, in order. About eight queries."""
    row = first_newsletter()
    return [_site(), _newsletter(row), _sender(row), _design(row), _readers(row), _accounts(), _test()]


def missing(found: list[Step]) -> list[Step]:
    """Those that are needed and not done."""
    return [step for step in found if not step.done and not step.optional]


def sender_lacks(row: Newsletter) -> list[str]:
    """What a sender still needs, as the ends of a sentence."""
    domain = row.from_address.rpartition("@")[2].lower()
    lacks = []
    if not domain or domain.rpartition(".")[2] in _NOWHERE:
        lacks.append("a From address at a domain of yours")
    if not (row.masthead.get("postal_address") or config().postal_address):
        lacks.append("a postal address, which the law asks for in every mail")
    if not transports.exits(config=config()):
        lacks.append("a way out for mail")
    return lacks


def _site() -> Step:
    first = Source.objects.order_by("id").first()
    stories = Article.objects.exclude(headline="").count() if first else 0
    if first is None:
        said = "No site is watched yet. Give its address; its feed, its clock and its first stories are found for you."
    elif not stories:
        said = f"{first.name} is watched; its first look has not ended yet. That takes a minute."
    else:
        said = f"{first.name} is watched; {count(stories, 'story is', 'stories are')} known."
    url = reverse("desk:source", kwargs={"source_id": first.id}) if first else reverse("desk:guide_site")
    return Step("site", "Your site", bool(stories), said, url, "See the site" if first else "Give its address")


def _newsletter(row: Newsletter | None) -> Step:
    if row is None:
        said = "There is no newsletter yet: its name, when it leaves, and who approves it."
        return Step("newsletter", "Your newsletter", False, said, reverse("desk:guide_newsletter"), "Name it")
    url = reverse("desk:newsletter", kwargs={"newsletter_id": row.id})
    return Step("newsletter", "Your newsletter", True, f"{row.name} is planned.", url, "See its next runs")


def _sender(row: Newsletter | None) -> Step:
    url = reverse("desk:guide_sender")
    if row is None:
        return Step(
            "sender", "The sender", False, "It comes after the newsletter, which carries it.", url, "Say who sends"
        )
    lacks = sender_lacks(row)
    said = (
        f"Missing: {'; '.join(lacks)}." if lacks else f"{row.from_name} <{row.from_address}>, and mail has a way out."
    )
    return Step("sender", "The sender", not lacks, said, url, "Change it" if not lacks else "Say who sends")


def _design(row: Newsletter | None) -> Step:
    chosen = bool(row and (row.masthead.get("design") or row.own_design))
    said = (
        f"Set in “{row.masthead.get('design') or 'a design of your own'}”."
        if row and chosen
        else "Choose one of four, with your colour and logo."
    )
    return Step(
        "design", "The design", chosen, said, reverse("desk:guide_design"), "Change it" if chosen else "Choose it"
    )


def _readers(row: Newsletter | None) -> Step:
    live = Subscription.objects.filter(topic_id=row.topic_id, left_at=None).count() if row else 0
    said = f"{count(live, 'reader')} of {row.name}." if row and live else "Nobody gets it yet. Begin with yourself."
    return Step(
        "readers", "Readers", bool(live), said, reverse("desk:guide_readers"), "Add more" if live else "Add yourself"
    )


def _accounts() -> Step:
    there = Account.objects.count()
    said = (
        f"{count(there, 'account')} connected."
        if there
        else "Not needed for a digest. Headlines can go to Bluesky, Mastodon and others too."
    )
    return Step(
        "accounts", "Social accounts", bool(there), said, reverse("desk:guide_accounts"), "See how", optional=True
    )


def _test() -> Step:
    tested = (
        JournalEntry.objects.filter(Q(verb=TESTED, subject="newsletter", detail__taken=True)).order_by("-id").first()
    )
    said = (
        f"A server took one to {tested.detail.get('to', 'an editor')}."
        if tested
        else "The newest stories in your design, by your mail server, to your own address."
    )
    url = reverse("desk:guide_test")
    return Step("test", "A test digest", tested is not None, said, url, "Send another" if tested else "Send it")
