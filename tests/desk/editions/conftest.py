"""An edition to lay a hand on, in a house without workers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from lxml import html as lxml_html

from pipeline.articles.models import Article
from pipeline.desk.editions import acts
from pipeline.editions.compose import compose
from pipeline.editions.models import Edition
from tests.factories import articles, audience, editions

BLOCKS: tuple[dict[str, Any], ...] = (
    {"kind": "lead", "title": "", "rule": {"count": 1}},
    {"kind": "section", "title": "Africa", "rule": {"count": 2, "sections": ["Africa"], "topic": "africa"}},
    {"kind": "section", "title": "Trade", "rule": {"count": 2, "minimum": 2, "sections": ["Trade"], "topic": "trade"}},
    {"kind": "top", "title": "More news", "rule": {"count": 3}},
    {"kind": "sponsor", "title": "Partner", "rule": {"story": {"headline": "Buy this"}}},
)
Send = Callable[..., tuple[int, Any]]


@pytest.fixture(autouse=True)
def nobody_composes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs here: waiting for one is waiting for nothing."""
    monkeypatch.setattr(acts, "PATIENCE_S", 0)


@pytest.fixture
def brief(db: None) -> Edition:
    """A ready edition of stories A to H, the newest first; two are in Africa, one in Trade."""
    now = timezone.now()
    for slug in ("africa", "trade"):
        audience.topic(slug=slug, name=slug.title())
    for n, name in enumerate("ABCDEFGH"):
        path = ["Africa"] if name in "BC" else ["Trade"] if name == "D" else ["World"]
        picture = {"url": f"https://pictures.example/{name}.jpg", "alt": "", "credit": ""}
        articles.article(
            now=now, age_s=2400 + 60 * n, headline=f"Story {name}", standfirst=f"About {name}.", section_path=path,
            picture=picture,
        )  # fmt: skip
    newsletter = editions.newsletter(blocks=BLOCKS, reader_choice="first", cutoff_before_s=3600, now=now)
    return editions.composed(newsletter=newsletter, slot_at=now + timedelta(minutes=30), now=now)


@pytest.fixture
def act(desk: Client, brief: Edition) -> Send:
    """POST as Ada, compose as the worker does, and look: the status, and the page as a tree."""

    def send(verb: str, **data: Any) -> tuple[int, Any]:
        brief.refresh_from_db()
        known = {"revision": brief.revision, **data}
        answer = desk.post(f"/desk/editions/{brief.id}/{verb}", known, follow=True)
        compose(edition_id=brief.id, now=timezone.now())
        return answer.status_code, lxml_html.document_fromstring(answer.content.decode())

    return send


def number(headline: str) -> int:
    """The id of a story by its letter."""
    return Article.objects.get(headline=f"Story {headline}").id
