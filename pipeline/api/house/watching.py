"""Sites to watch: asked what they offer, added, given other terms, given a signed webhook."""

from __future__ import annotations

from typing import Annotated, Literal

from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import StringConstraints

from pipeline.api.answers import Done, Id, Refusing, Word, Zone, told, turned
from pipeline.api.bearer import Asked, editor
from pipeline.api.house.sources import SITE, SourceDone, SourceRow, done_to, source_row, steering
from pipeline.kernel.config import config
from pipeline.kernel.outbound.patient import PATIENCE_S, Patient
from pipeline.sources import discover, steer
from pipeline.sources.discover import Found, NothingToWatch
from pipeline.sources.models import Push
from pipeline.sources.steer import Terms

router = Router(tags=["sources"])


Url = Annotated[str, StringConstraints(min_length=4, max_length=500, pattern=r"^[^\s\x00]+\.[^\s\x00]+$")]


class UrlBody(Schema):
    """A site, or its feed."""

    url: Url


class TermsBody(Schema):
    """How it is to be watched."""

    is_ours: bool = Field(
        description="whether it is ours or its owner agreed; a stranger's is asked every 15 min at most"
    )
    poll_s: Annotated[int, Field(ge=10, le=86_400)] = steer.USUAL_POLL_S
    settle_s: Annotated[int, Field(ge=0, le=3600)] = 60
    daily_budget: Annotated[int, Field(ge=1, le=100_000)] | None = Field(
        None, description="stories a day; null: no limit"
    )
    zone: Zone

    def terms(self) -> Terms:
        """As the house takes them."""
        return Terms(**{name: getattr(self, name) for name in Terms.__dataclass_fields__})


class AddBody(TermsBody):
    """What to watch, and how."""

    url: Url
    name: Word = Field("", description="at the desk; the site's own where it is empty")


class WayRow(Schema):
    """One way to watch."""

    kind: str
    url: str


class FoundSite(Schema):
    """What a site can be watched by. Nothing was added."""

    home_url: str
    title: str
    ways: list[WayRow]
    generator: str
    zone: str = Field(description="empty where it does not say")
    stories: int | None
    warnings: list[str]
    source_id: int | None = Field(description="where it is watched already")


class WebhookDone(Done):
    """A signed webhook. The secret is in this answer and nowhere else."""

    push_id: int
    secret: str
    source: SourceRow


class WebhookBody(Schema):
    """Who will call: our own connector, or Ghost."""

    kind: Literal["webhook", "ghost"] = "webhook"


@router.post("/sources/look", response=told(FoundSite), summary="Look what a site offers")
def look_at_site(request: Asked, body: UrlBody) -> FoundSite:
    """Asks the site at once and adds nothing; it may take as long as a person would wait."""
    editor(request)
    found = _found(body.url)
    source = discover.known(found)
    return FoundSite(
        home_url=found.home_url, title=found.title, ways=[WayRow(kind=way.kind, url=way.url) for way in found.ways],
        generator=found.generator, zone=found.zone, stories=found.stories, warnings=list(found.warnings),
        source_id=source.id if source else None,
    )  # fmt: skip


@router.post("/sources/add", response=told(SourceDone), summary="Watch a site")
def add_source(request: Asked, body: AddBody) -> SourceDone:
    """By every way it offers. What is there already is the baseline and never told; a site we have keeps its terms."""
    actor = editor(request)
    found = _found(body.url)
    source, made = steer.add(found, name=body.name[:120], terms=body.terms(), actor=actor, now=timezone.now())
    said = "Added: its first look begins now." if made else "It was watched already; the ways it lacked were added."
    return done_to(source.id, made, said)


@router.post(f"{SITE}/change", response=told(SourceDone), summary="Change how a source is watched")
def change_source(request: Asked, source_id: Id, body: TermsBody) -> SourceDone:
    """All terms at once; what is left out takes its usual value."""
    actor = steering(request, source_id)
    changed = steer.change(source_id=source_id, terms=body.terms(), actor=actor, now=timezone.now())
    return done_to(source_id, *turned(bool(changed), said="Kept."))


@router.post(f"{SITE}/webhook", response=told(WebhookDone), summary="Open a signed webhook")
def open_webhook(request: Asked, source_id: Id, body: WebhookBody) -> WebhookDone:
    """A new secret for the one there is, where there is one: then the old secret is void."""
    actor = steering(request, source_id)
    push, secret = steer.open_webhook(source_id=source_id, kind=Push.Kind(body.kind), actor=actor, now=timezone.now())
    said = "Open. Give the site this secret: it is not shown again."
    return WebhookDone(done=True, message=said, push_id=push.id, secret=secret, source=source_row(source_id))


@router.post(f"{SITE}/webhooks/{{int:push_id}}/end", response=told(SourceDone), summary="End a webhook")
def end_webhook(request: Asked, source_id: Id, push_id: Id) -> SourceDone:
    """What it still sends is not heard."""
    actor = steering(request, source_id)
    done = steer.end_webhook(source_id=source_id, push_id=push_id, actor=actor, now=timezone.now())
    return done_to(source_id, *turned(done, said="Ended."))


def _found(url: str) -> Found:
    """Raises Refusing in the finder's own words."""
    try:
        with Patient(site_url=config().site_url, allow=config().fetch_allow) as client:
            return discover.discover(url, client=client)
    except NothingToWatch as error:
        hint = f"Check the address, or give the feed's own; what takes longer than {PATIENCE_S:g} s is not waited for."
        raise Refusing(422, "unread", str(error), kept="Nothing was added.", hint=hint) from error
