"""The note tells a reader what was wrong, and of a killed story nothing but that it was withdrawn."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from lxml import html

from pipeline.articles.gates import bulletins, holds
from pipeline.articles.models import Article, Bulletin, Version
from pipeline.posts.acts import notes
from tests.factories import articles

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 12, 0, tzinfo=UTC)
WRONG, RIGHT = "Minister Sá resigns", "Minister Roux <i>resigns</i>"
SAID = "An earlier version named the wrong minister."


@pytest.fixture
def story() -> Article:
    made = articles.article(headline=WRONG, now=NOW)
    version(made, 1, Version.Kind.FIRST)
    return made


def version(story: Article, number: int, kind: str) -> None:
    Version.objects.create(
        article=story, number=number, kind=kind, at=NOW, fingerprint=f"{number:064}", headline=story.headline
    )


def corrected(story: Article, *, said: str = SAID) -> None:
    story.version, story.headline = 2, RIGHT
    story.save()
    version(story, 2, Version.Kind.CORRECTION)
    bulletins.say(story, kind=Bulletin.Kind.CORRECTION, now=NOW, said=said)


def taken_back(story: Article, kind: Bulletin.Kind, *, said: str) -> None:
    bulletins.say(story, kind=kind, now=NOW, said=said)
    Article.objects.filter(id=story.id).update(state=Article.State.GONE, killed_at=NOW)


def opened(story: Article) -> Any:
    return Client().get(urlsplit(notes.address(story.id)).path)


def words(story: Article) -> str:
    answer = opened(story)
    assert (answer.status_code, answer.headers["X-Robots-Tag"]) == (200, "noindex")
    return " ".join(" ".join(html.fromstring(answer.content).itertext()).split())


def links(story: Article) -> list[str]:
    return [str(link.get("href")) for link in html.fromstring(opened(story).content).iter("a")]


def test_a_correction_says_what_was_wrong_what_changed_and_when(story: Article) -> None:
    corrected(story)
    told = words(story)
    assert told.startswith("This story was corrected")
    assert SAID in told
    assert f"The headline was: {WRONG} It became: {RIGHT}" in told
    assert "Corrected on 19 April 2026, 12:00 UTC" in told
    assert links(story)[0] == story.url


def test_a_correction_without_a_note_of_the_sites_own_admits_it(story: Article) -> None:
    corrected(story, said="")
    assert "gave no note of its own" in words(story)


@pytest.mark.parametrize("was_corrected", [False, True])
def test_a_killed_story_was_withdrawn_and_nothing_of_it_is_repeated(story: Article, was_corrected: bool) -> None:
    if was_corrected:
        corrected(story)
    holds.kill(article_id=story.id, actor=None, now=NOW, reason="the lawyers of Mr Sá called")
    told = words(story)
    assert "The newsroom withdrew it on 19 April 2026, 12:00 UTC" in told
    assert not any(secret in told for secret in ("Minister", "lawyers", SAID))
    assert links(story) == [story.source.home_url]


def test_a_story_that_its_site_takes_back_is_quoted(story: Article) -> None:
    taken_back(story, Bulletin.Kind.RETRACTION, said="We were misled.")
    told = words(story)
    assert "We were misled." in told
    assert WRONG in told
    assert links(story)[0] == story.url


def test_a_page_that_is_gone_is_not_repeated(story: Article) -> None:
    taken_back(story, Bulletin.Kind.GONE, said="the site answers 410")
    told = words(story)
    assert "taken off the site" in told
    assert WRONG not in told
    assert "410" not in told


def test_a_page_that_is_back_is_where_its_note_leads(story: Article) -> None:
    taken_back(story, Bulletin.Kind.GONE, said="the site answers 404")
    Article.objects.filter(id=story.id).update(state=Article.State.ELIGIBLE)
    answer = opened(story)
    assert (answer.status_code, answer.headers["Location"]) == (302, story.url)


def test_there_is_no_note_where_nothing_was_corrected(story: Article) -> None:
    bulletins.say(story, kind=Bulletin.Kind.NEW, now=NOW)
    bulletins.say(story, kind=Bulletin.Kind.UPDATE, now=NOW)
    assert opened(story).status_code == 404


@pytest.mark.parametrize("token", ["{id}", "AAAA", "ö", "{good}x", "x{good}"])
def test_nobody_guesses_a_note(story: Article, token: str) -> None:
    corrected(story)
    good = notes.address(story.id).rpartition("/")[2]
    assert Client().get(f"/note/{token.format(id=story.id, good=good)}").status_code == 404
