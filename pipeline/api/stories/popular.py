"""Most Popular with the hands laid on it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import MOST_ROWS, Done, Id, Moment, Reason, Why, Word, among, told, turned
from pipeline.api.bearer import Asked, editor
from pipeline.articles.models import Article
from pipeline.ranking import hands, method
from pipeline.ranking.models import Chart, Pin, Standing
from pipeline.ranking.reading import SIZE
from pipeline.ranking.score import Window

router = Router(tags=["popular"])


class PlaceRow(Schema):
    """A place of a list: the story, its count, and the reason it stands there as a code."""

    place: int
    article_id: int
    headline: str
    url: str
    value: int
    counted_in: str
    label: str
    code: str


class ChartRow(Schema):
    """A list of the whole site, or of one section."""

    window: str
    section: str
    computed_at: datetime
    changed_at: datetime
    places: list[PlaceRow]


class HandRow(Schema):
    """A pin or a ban in force: who laid it, why, until when; null is until further notice."""

    id: int
    kind: str
    article_id: int
    place: int
    until: datetime | None
    by: str | None
    reason: str


class Popular(Schema):
    """Most Popular as it stands, and what bends it."""

    charts: list[ChartRow]
    hands: list[HandRow]
    method: list[str] = Field(description="how we count, in sentences")


class HandBody(Schema):
    """A pin to a place, or a ban; with an end, or until further notice."""

    kind: Annotated[Pin.Kind, among(Pin.Kind)]
    place: Annotated[int, Field(ge=1, le=SIZE)] = 1
    until: Moment | None = None
    reason: Reason


class HandDone(Done):
    """What came of laying a hand on a story."""

    hand: HandRow


@router.get("/popular", response=told(Popular), summary="Most Popular")
def show_popular(request: Asked, section: Word = "", window: Window | None = None) -> Popular:  # noqa: ARG001
    """The lists of the whole site, or of one section; one window where asked."""
    found = Chart.objects.filter(section=section).order_by("window")
    charts = list(found.filter(window=window) if window else found)
    rows = Standing.objects.filter(chart__in=charts).select_related("article").order_by("place")
    places: dict[int, list[PlaceRow]] = {chart.id: [] for chart in charts}
    for row in rows.defer("article__text", "article__related", "article__likeness"):
        places[row.chart_id].append(_place(row))
    return Popular(
        charts=[_chart(chart, places[chart.id]) for chart in charts],
        hands=[_hand(pin) for pin in hands.in_force(now=timezone.now())[:MOST_ROWS]],
        method=list(method.current().sentences()),
    )


@router.post("/popular/articles/{int:article_id}/hand", response=told(HandDone), summary="Pin or ban a story")
def lay_hand(request: Asked, article_id: Id, body: HandBody) -> HandDone:
    """Instead of what a hand on this story said before; the lists follow within seconds."""
    actor = editor(request)
    get_object_or_404(Article.objects.only("id"), id=article_id)
    pin = hands.lay(
        kind=body.kind, article_id=article_id, actor=actor, now=timezone.now(), reason=body.reason, until=body.until,
        place=body.place,
    )  # fmt: skip
    return HandDone(done=True, message="Kept: the lists follow within seconds.", hand=_hand(pin))


@router.post("/popular/hands/{int:pin_id}/lift", response=told(Done), summary="End a pin or a ban")
def lift_hand(request: Asked, pin_id: Id, body: Why) -> Done:
    """The story stands where its count puts it. One that is not there has ended already."""
    actor = editor(request)
    ended = hands.lift(pin_id=pin_id, actor=actor, now=timezone.now(), reason=body.reason)
    done, message = turned(ended is not None, said="Ended.")
    return Done(done=done, message=message)


def _chart(chart: Chart, places: list[PlaceRow]) -> ChartRow:
    same = ("window", "section", "computed_at", "changed_at")
    return ChartRow(**{name: getattr(chart, name) for name in same}, places=places)


def _place(row: Standing) -> PlaceRow:
    same = ("place", "article_id", "value", "counted_in", "label", "code")
    known = {name: getattr(row, name) for name in same}
    return PlaceRow(**known, headline=row.article.headline, url=row.article.url)


def _hand(pin: Pin) -> HandRow:
    same = ("id", "kind", "article_id", "place", "until", "reason")
    return HandRow(**{name: getattr(pin, name) for name in same}, by=str(pin.by) if pin.by else None)
