"""Sites added and changed by programs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.api.house import watching
from pipeline.kernel.config import config
from pipeline.sources.models import Channel, Push, Source
from pipeline.staff.models import JournalEntry
from tests.api.conftest import Ask
from tests.api.table import NOWHERE, TERMS
from tests.factories.mornings import Morning
from tests.factories.web_site import WebSite, serving


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebSite]:
    """A WordPress that may be reached on this machine."""
    with serving() as running:
        reachable = replace(config(), fetch_allow=frozenset({running.place}))
        monkeypatch.setattr(watching, "config", lambda: reachable)
        running.put_wordpress()
        yield running


def test_a_site_is_looked_at_before_it_is_added_once(ask: Ask, house: Morning, site: WebSite) -> None:
    known = Source.objects.count()
    seen = ask("POST", "/sources/look", {"url": site.url}).json()
    assert {way["kind"] for way in seen["ways"]} >= {"feed"} and seen["source_id"] is None
    assert Source.objects.count() == known
    body = {"url": site.url, "name": "Gazette", "daily_budget": 40, **TERMS}
    first, again = (ask("POST", "/sources/add", body).json() for _ in range(2))
    assert (first["done"], again["done"]) == (True, False)
    made = Source.objects.get(id=first["source"]["id"])
    assert (made.name, made.zone, made.daily_budget, made.is_ours) == ("Gazette", "Asia/Tokyo", 40, True)
    assert Channel.objects.filter(source=made).exists()
    assert ask("POST", "/sources/look", {"url": site.url}).json()["source_id"] == made.id
    assert JournalEntry.objects.filter(verb="add", subject="source", subject_id=made.id).exists()


def test_what_cannot_be_watched_is_said_and_nothing_is_added(ask: Ask, house: Morning) -> None:
    known = Source.objects.count()
    answer = ask("POST", "/sources/add", {"url": NOWHERE, **TERMS})
    assert (answer.status_code, answer.json()["kept"]) == (422, "Nothing was added.")
    assert Source.objects.count() == known


def test_terms_are_changed_once(ask: Ask, house: Morning) -> None:
    path = f"/sources/{house.held.article.source_id}/change"
    first, again = (ask("POST", path, {"poll_s": 600, **TERMS}).json() for _ in range(2))
    assert (first["done"], again["done"], again["source"]["poll_s"]) == (True, False, 600)
    assert ask("POST", path, {**TERMS, "zone": "Atlantis/Central"}).status_code == 422


def test_a_webhook_is_opened_and_ended(ask: Ask, house: Morning) -> None:
    path = f"/sources/{house.held.article.source_id}"
    opened = ask("POST", f"{path}/webhook", {}).json()
    assert opened["secret"] and Push.objects.get(id=opened["push_id"]).state != Push.State.ENDED
    ends = [ask("POST", f"{path}/webhooks/{opened['push_id']}/end").json()["done"] for _ in range(2)]
    assert ends == [True, False]
