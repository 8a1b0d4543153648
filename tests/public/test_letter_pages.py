"""A reader's own copy on the web: theirs as long as it may be, and never what was withdrawn since."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from lxml import html

from pipeline.articles.gates import bulletins
from pipeline.articles.models import Article, Bulletin, Version
from pipeline.editions.models import Item, Newsletter
from pipeline.engagement.tokens import Kind, mint
from pipeline.kernel.config import config
from tests.factories import editions
from tests.public.readers.conftest import Mail, mail, uncounted

__all__ = ["mail", "uncounted"]
pytestmark = pytest.mark.django_db
LATER = editions.NOW + timedelta(hours=5)


def token(letter: Mail, kind: Kind, link: int = 0) -> str:
    origin, ordinal = int(letter.delivery.send.origin_id), letter.delivery.ordinal
    return mint(config().keyring, kind=kind, origin=origin, ordinal=ordinal, link=link)


def copy(letter: Mail) -> Any:
    answer = Client().get(f"/v/{token(letter, Kind.VIEW)}")
    assert answer.status_code == 200 and answer.headers["X-Robots-Tag"] == "noindex"
    assert "[[" not in answer.content.decode()
    return answer


def words(page: Any) -> str:
    return " ".join(" ".join(page.itertext()).split())


def picked(letter: Mail) -> list[Item]:
    items = letter.delivery.send.edition.items.filter(picked=True).select_related("article")
    return list(items.order_by("block__position", "position"))


def withdraw(story: Article, kind: Bulletin.Kind = Bulletin.Kind.KILL) -> None:
    bulletins.say(story, kind=kind, now=LATER, said="LIBEL")
    Article.objects.filter(id=story.id).update(state=Article.State.KILLED, killed_at=LATER)


def put_right(story: Article, **now_says: str) -> None:
    keep(story, 1, Version.Kind.FIRST)
    Article.objects.filter(id=story.id).update(version=2, **now_says)
    story.refresh_from_db()
    keep(story, 2, Version.Kind.CORRECTION)
    bulletins.say(story, kind=Bulletin.Kind.CORRECTION, now=LATER, said="It was Tuesday.")


def keep(story: Article, number: int, kind: Version.Kind) -> None:
    Version.objects.create(
        article=story, number=number, kind=kind, at=LATER, fingerprint=f"{number:064}", headline=story.headline,
        standfirst=story.standfirst,
    )  # fmt: skip


def test_nothing_of_a_killed_story_is_shown_to_who_got_it_and_the_rest_stays_theirs(mail: Mail) -> None:
    killed, *others = (item.article for item in picked(mail))
    links = {link["article_id"]: link["number"] for link in mail.delivery.send.edition.rendering.links}
    withdraw(killed)
    answer = copy(mail)
    markup, page = answer.content.decode(), html.fromstring(answer.content)
    assert not any(
        word in markup for word in (killed.headline, killed.url, "LIBEL", token(mail, Kind.CLICK, links[killed.id]))
    )
    assert "Removed: the newsroom withdrew a story, 19 April 2026, 11:12 CEST" in words(page)
    assert others
    for story in others:
        assert story.headline in words(page)
        assert token(mail, Kind.CLICK, links[story.id]) in markup
    assert f"/u/{mail.token}" in markup and f"/o/{token(mail, Kind.OPEN)}.gif" in markup
    assert "script" not in answer.headers["Content-Security-Policy"]


def test_a_correction_is_told_above_a_copy_that_stays_as_it_was(mail: Mail) -> None:
    story, before = picked(mail)[0].article, copy(mail).content.decode()
    assert "dl-notes" not in before
    headline = story.headline
    put_right(story, headline="Put right")
    page = html.fromstring(copy(mail).content)
    [bar] = page.xpath("//body/*[1][@class='dl-archive']")
    assert f"It was Tuesday. The headline was: {headline} It became: Put right" in words(bar)
    bar.drop_tree()
    assert headline in words(page) and "Put right" not in words(page)
    assert re.findall(r"/c/[\w-]{26}", before) == re.findall(r"/c/[\w-]{26}", html.tostring(page).decode())


def test_what_is_left_says_and_leads_where_it_did_when_it_was_sent(mail: Mail) -> None:
    killed, other = (item.article for item in picked(mail)[:2])
    links = {link["article_id"]: link["number"] for link in mail.delivery.send.edition.rendering.links}
    put_right(other, headline="Said later", url="https://gazette.example/moved")
    withdraw(killed)
    page = html.fromstring(copy(mail).content)
    for bar in page.xpath("//div[@class='dl-archive']"):
        bar.drop_tree()
    assert other.headline == "Said later" and "Said later" not in words(page)
    assert page.xpath(f"//a[contains(@href, '{token(mail, Kind.CLICK, links[other.id])}')]")


def test_a_copy_of_withdrawn_stories_only_has_its_notes_left(mail: Mail) -> None:
    for item in picked(mail):
        withdraw(item.article)
    page = html.fromstring(copy(mail).content)
    assert "Nothing of this edition can be shown any more" in words(page)
    assert "Removed: the newsroom withdrew a story" in words(page)
    assert not any(item.article.headline in words(page) for item in picked(mail))


def test_a_newsletter_without_an_archive_withdraws_from_its_readers_copies_too(mail: Mail) -> None:
    Newsletter.objects.update(is_archived=False)
    killed = picked(mail)[0].article
    withdraw(killed, Bulletin.Kind.RETRACTION)
    page = html.fromstring(copy(mail).content)
    [bar] = page.xpath("//div[@class='dl-archive']")
    assert killed.headline in words(bar) and not bar.xpath(".//a[contains(@href, '/archive/')]")
    bar.drop_tree()
    assert killed.headline not in words(page)


def test_the_notes_speak_the_readers_language(mail: Mail) -> None:
    mail.reader.language = "ar"
    mail.reader.save()
    withdraw(picked(mail)[0].article)
    [bar] = html.fromstring(copy(mail).content).xpath("//div[@class='dl-archive']")
    assert (bar.get("lang"), bar.get("dir")) == ("ar", "rtl")
