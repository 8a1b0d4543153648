"""A site on loopback answers, refuses, drips or is not there; what it says stands in the edition's preflight."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.demo.world.serving import Answer, Hangup, LocalServer, Request
from pipeline.editions import links
from pipeline.editions.compose import compose
from pipeline.editions.content import EditionContent, FilledBlock, Picture, Story
from pipeline.editions.links import HEAVY_BYTES, REMEMBERED, ask, look
from pipeline.editions.models import Edition
from pipeline.editions.own.sample import FULL
from pipeline.kernel.config import config
from pipeline.kernel.outbound.http import Client
from tests.factories import articles, editions
from tests.factories.web_site import WebSite, serving

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def nothing_remembered() -> None:
    links._known.clear()


@pytest.fixture
def site() -> Iterator[WebSite]:
    with serving() as running:
        running.put("/good", "A story.")
        running.put("/picture.jpg", "x", kind="image/jpeg")
        yield running


def client_for(place: str) -> Client:
    return Client(site_url="https://news.example.org", allow=frozenset({place}), io_s=1, wall_s=1)


def content(*urls: str, pictures: tuple[str, ...] = ()) -> EditionContent:
    shown = [Story(headline=url, url=url) for url in urls]
    shown += [Story(headline=url, url="", picture=Picture(url=url)) for url in pictures]
    return replace(FULL, blocks=(FilledBlock(kind="top", stories=tuple(shown)),))


def test_what_answers_is_not_spoken_of(site: WebSite) -> None:
    with client_for(site.place) as client:
        looked = look(content(f"{site.url}/good", pictures=(f"{site.url}/picture.jpg",)), client=client, now=NOW)
    assert looked == links.Looked()


def test_a_page_that_is_gone_and_a_picture_that_is_none_are_told(site: WebSite) -> None:
    site.put("/locked", "Subscribers only.", status=403)
    site.put("/moved", "", status=301, headers={"Location": "{site}/good"})
    edition = content(
        f"{site.url}/gone", f"{site.url}/locked", f"{site.url}/moved",
        pictures=(f"{site.url}/good", f"{site.url}/none.jpg"),
    )  # fmt: skip
    with client_for(site.place) as client:
        looked = look(edition, client=client, now=NOW)
    assert looked.dead == {
        f"{site.url}/gone": "it answers 404",
        f"{site.url}/locked": "it answers 403, perhaps only to us",
    }
    assert looked.missing == {
        f"{site.url}/good": "it is text/html, not a picture",
        f"{site.url}/none.jpg": "it answers 404",
    }


def test_a_heavy_picture_is_told_and_a_long_page_is_not(site: WebSite) -> None:
    site.put("/heavy.jpg", "x" * (HEAVY_BYTES + 1), kind="image/jpeg")
    with client_for(site.place) as client:
        edition = content(f"{site.url}/heavy.jpg", pictures=(f"{site.url}/heavy.jpg",))
        looked = look(edition, client=client, now=NOW)
    assert looked == links.Looked(heavy={f"{site.url}/heavy.jpg": HEAVY_BYTES})


def test_what_is_not_on_the_public_internet_is_not_asked(site: WebSite) -> None:
    with Client(site_url="https://news.example.org") as client:
        looked = look(content(f"{site.url}/good", "ftp://x.example/"), client=client, now=NOW)
    assert set(looked.dead) == {f"{site.url}/good", "ftp://x.example/"}
    assert site.asked == []


def test_an_answer_is_believed_for_ten_minutes(site: WebSite) -> None:
    with client_for(site.place) as client:
        for minutes, times in ((0, 1), (9, 1), (10, 2)):
            look(content(f"{site.url}/good"), client=client, now=NOW + timedelta(minutes=minutes))
            assert site.asked.count("/good") == times
    assert timedelta(minutes=10) == REMEMBERED


def test_one_page_is_asked_once_however_often_it_is_linked(site: WebSite) -> None:
    with client_for(site.place) as client:
        look(content(*[f"{site.url}/good"] * 5), client=client, now=NOW)
    assert site.asked == ["/good"]


def test_a_site_that_never_answers_holds_nobody_up() -> None:
    def sleepy(request: Request) -> Answer:
        time.sleep(3)
        raise Hangup

    server = LocalServer(answer=sleepy, name="sleepy")
    server.start()
    try:
        started = time.monotonic()
        with client_for(server.url.removeprefix("http://")) as client:
            edition = content(*(f"{server.url}/{n}" for n in range(60)))
            looked = look(edition, client=client, now=NOW, at_most_s=1.5)
        assert time.monotonic() - started < 2.5
        assert 0 < len(looked.dead) < 60
        assert set(looked.dead.values()) == {"127.0.0.1 did not answer in time"}
    finally:
        server.stop()


@pytest.fixture
def ready(site: WebSite, monkeypatch: pytest.MonkeyPatch, db: None) -> Iterator[Edition]:
    """An edition of two stories on the site, one of which is gone."""
    monkeypatch.setenv("DATELINE_FETCH_ALLOW", site.place)
    config.cache_clear()
    for number, path in enumerate(("good", "gone", "good?again")):
        articles.article(age_s=3600 + 60 * number, url=f"{site.url}/{path}")
    row = editions.edition(newsletter=editions.newsletter(), slot_at=NOW + timedelta(minutes=18))
    assert compose(edition_id=row.id, now=NOW) == "ready"
    row.refresh_from_db()
    yield row
    monkeypatch.undo()
    config.cache_clear()


def test_what_the_sites_told_stands_in_the_preflight_once(ready: Edition) -> None:
    before = list(ready.preflight)
    for _ in range(2):
        assert ask(edition_id=ready.id, now=NOW) == 1
    after = Edition.objects.get(id=ready.id)
    told = [finding for finding in after.preflight if finding not in before]
    assert [(each["code"], each["level"], each["fix"]) for each in told] == [("dead_link", "confirm", "open_link")]
    assert "it answers 404" in told[0]["sentence"]
    assert len(after.preflight) == len(before) + 1
    assert after.revision == ready.revision


def test_an_edition_that_is_not_ready_is_not_asked_about(ready: Edition, site: WebSite) -> None:
    Edition.objects.filter(id=ready.id).update(state=Edition.State.APPROVED)
    assert ask(edition_id=ready.id, now=NOW) is None
    assert site.asked == []


def test_what_was_changed_meanwhile_is_left_alone(ready: Edition) -> None:
    stale = Edition.objects.get(id=ready.id)
    Edition.objects.filter(id=ready.id).update(revision=ready.revision + 1)
    assert links._keep(stale, [{"code": "dead_link", "level": "confirm"}], now=NOW) is None
    assert Edition.objects.get(id=ready.id).preflight == ready.preflight
