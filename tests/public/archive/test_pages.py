"""The public archive: what was sent, with the truth about it above it, and nothing of any reader."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from lxml import html

from pipeline.articles.gates import bulletins
from pipeline.articles.models import Article, Bulletin, Version
from pipeline.editions.models import Edition, Newsletter, Rendering
from pipeline.kernel.config import config
from tests.factories import articles, editions

pytestmark = pytest.mark.django_db
NOW = editions.NOW


@pytest.fixture
def paper() -> Newsletter:
    made = editions.newsletter()
    for number in range(6):
        articles.article(headline=f"Headline {number}", standfirst=f"Standfirst {number}", age_s=600 + number)
    return made


def left(newsletter: Newsletter, *, days: int = 0, **fields: Any) -> Edition:
    """An edition that wholly left."""
    slot_at = NOW + timedelta(days=days, minutes=18)
    made = editions.composed(newsletter=newsletter, slot_at=slot_at, now=NOW)
    known = {"state": Edition.State.SENT, "ended_at": slot_at + timedelta(minutes=2), **fields}
    Edition.objects.filter(id=made.id).update(**known)
    made.refresh_from_db()
    return made


def again(edition: Edition, *, days: int) -> Edition:
    """The same message of another day."""
    slot_at = edition.slot_at + timedelta(days=days)
    made = editions.edition(
        newsletter=edition.newsletter, slot_at=slot_at, state=Edition.State.SENT, ended_at=slot_at
    )  # fmt: skip
    row = Rendering.objects.get(edition=edition)
    row.pk, row.edition, row.subject = None, made, f"Day {days}"
    row.save()
    return made


@pytest.fixture
def sent(paper: Newsletter) -> Edition:
    return left(paper)


def lead(edition: Edition) -> Article:
    return edition.items.filter(picked=True, block__position=1).get().article


def get(path: str, **headers: str) -> Any:
    return Client().get(path, headers=headers)


def shown(edition: Edition) -> Any:
    answer = get(f"/archive/morning-brief/{edition.id}/")
    assert answer.status_code == 200
    return html.fromstring(answer.content)


def words(page: Any) -> str:
    return " ".join(" ".join(page.itertext()).split())


def test_the_web_view_is_the_message_with_the_stories_own_addresses(sent: Edition) -> None:
    page = shown(sent)
    stories = [item.article for item in sent.items.filter(picked=True).select_related("article")]
    links = [anchor.get("href") for anchor in page.iter("a")]
    for story in stories:
        assert story.headline in words(page)
        assert story.url in links
    assert page.xpath("//title")[0].text == sent.rendering.subject
    assert page.xpath("//link[@rel='canonical']/@href") == [f"{config().site_url}/archive/morning-brief/{sent.id}/"]
    assert page.xpath("//meta[@property='og:title']/@content") == [sent.rendering.subject]


def test_nothing_of_any_reader_is_in_it(sent: Edition) -> None:
    markup = get(f"/archive/morning-brief/{sent.id}/").content.decode()
    assert "[[" not in markup
    assert config().track_url not in markup.replace(config().site_url + "/archive", "")
    assert not re.search(r"/[cuopvw]/[\w-]{20,}", markup)
    page = html.fromstring(markup)
    assert {
        anchor.get("href") for anchor in page.iter("a") if "Get Morning Brief by mail" in anchor.text_content()
    } == {f"{config().site_url}/join/?topic=morning-brief"}
    said = words(page)
    assert not any(gone in said for gone in ("Unsubscribe", "Change what you get", "because you asked", "when and how"))
    assert not page.xpath("//img[@width='1']")
    assert not page.xpath("//a[@tabindex='-1']")


def test_it_cannot_run_or_send_anything_and_robots_may_read_it(sent: Edition) -> None:
    answer = get(f"/archive/morning-brief/{sent.id}/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "sandbox allow-popups" in policy and "script" not in policy
    assert "X-Robots-Tag" not in answer.headers and "noindex" not in answer.content.decode()
    assert not answer.cookies


@pytest.mark.parametrize("state", [state for state in Edition.State.values if state != Edition.State.SENT])
def test_what_did_not_wholly_leave_is_nowhere(sent: Edition, state: str) -> None:
    Edition.objects.filter(id=sent.id).update(state=state)
    assert get(f"/archive/morning-brief/{sent.id}/").status_code == 404
    assert str(sent.rendering.subject) not in get("/archive/morning-brief/").content.decode()
    assert f"/{sent.id}/" not in get("/archive/morning-brief/feed.xml").content.decode()
    assert f"/{sent.id}/" not in get("/archive/sitemap.xml").content.decode()


def test_a_newsletter_that_is_not_archived_is_nowhere(sent: Edition) -> None:
    Newsletter.objects.update(is_archived=False)
    for path in ("", f"{sent.id}/", "feed.xml"):
        assert get(f"/archive/morning-brief/{path}").status_code == 404
    for path in ("/archive/", "/archive/sitemap.xml"):
        assert "morning-brief" not in get(path).content.decode()


def test_an_edition_stands_below_its_own_newsletter_only(sent: Edition) -> None:
    editions.newsletter(slug="weekly", name="The Week")
    assert get(f"/archive/weekly/{sent.id}/").status_code == 404


def test_an_alert_is_archived_like_any_other(paper: Newsletter) -> None:
    sent = left(paper)
    Newsletter.objects.update(kind=Newsletter.Kind.ALERT)
    assert shown(sent) is not None


def test_a_correction_since_is_told_above_the_message_which_stays_as_it_was(sent: Edition) -> None:
    story = lead(sent)
    version(story, 1, Version.Kind.FIRST)
    before = story.headline
    story.headline, story.version = "Put right", 2
    story.save()
    version(story, 2, Version.Kind.CORRECTION)
    bulletins.say(story, kind=Bulletin.Kind.CORRECTION, now=NOW + timedelta(hours=3), said="It was <Tuesday>.")
    page = shown(sent)
    [note] = page.xpath("//section[@class='dl-notes']")
    told = words(note)
    assert "Corrected: 19 April 2026, 09:12 CEST" in told
    assert "It was <Tuesday>." in told
    assert f"The headline was: {before} It became: Put right" in told
    assert before in words(page.xpath("//h2[contains(@class, 'ink')]")[0])
    assert len(page.xpath(f"//a[normalize-space()='{before}']")) >= 1


def test_a_correction_that_was_in_what_readers_got_is_not_told(paper: Newsletter) -> None:
    story = Article.objects.order_by("id").first()
    assert story is not None
    Article.objects.filter(id=story.id).update(version=2)
    story.refresh_from_db()
    bulletins.say(story, kind=Bulletin.Kind.CORRECTION, now=NOW, said="Early.")
    assert "Early." not in words(shown(left(paper)))


def version(story: Article, number: int, kind: str) -> None:
    Version.objects.create(
        article=story, number=number, kind=kind, at=NOW, fingerprint=f"{number:064}", headline=story.headline,
        standfirst=story.standfirst,
    )  # fmt: skip


def withdrawn(story: Article, kind: Bulletin.Kind = Bulletin.Kind.KILL, *, said: str = "LIBEL") -> None:
    at = NOW + timedelta(hours=5)
    bulletins.say(story, kind=kind, now=at, said=said)
    Article.objects.filter(id=story.id).update(state=Article.State.KILLED, killed_at=at)


def test_nothing_of_a_killed_story_is_shown_anywhere(sent: Edition) -> None:
    story = lead(sent)
    Article.objects.filter(id=story.id).update(standfirst="Standfirst of the lead")
    withdrawn(story)
    for path in (f"{sent.id}/", "", "feed.xml"):
        markup = get(f"/archive/morning-brief/{path}").content.decode()
        for word in (story.headline, story.standfirst, story.url, "LIBEL"):
            assert word not in markup
    page = shown(sent)
    assert "Removed: the newsroom withdrew a story, 19 April 2026, 11:12 CEST" in words(page)
    others = [item.article.headline for item in sent.items.filter(picked=True).exclude(article=story)]
    assert others and all(headline in words(page) for headline in others)


def test_the_other_stories_of_a_cut_edition_say_what_was_sent(sent: Edition) -> None:
    other = sent.items.filter(picked=True, block__position=3).first()
    assert other is not None
    version(other.article, 1, Version.Kind.FIRST)
    Article.objects.filter(id=other.article_id).update(headline="Said later", version=2)
    withdrawn(lead(sent))
    said = words(shown(sent))
    assert other.article.headline in said and "Said later" not in said


def test_a_story_taken_back_in_public_is_named_and_left_out(sent: Edition) -> None:
    story = lead(sent)
    withdrawn(story, Bulletin.Kind.RETRACTION, said="We were wrong.")
    page = shown(sent)
    [note] = page.xpath("//section[@class='dl-notes']")
    assert story.headline in words(note) and "We were wrong." in words(note)
    note.drop_tree()
    assert story.headline not in words(page)


def test_a_story_dropped_while_the_edition_was_leaving_is_told(sent: Edition) -> None:
    item = sent.items.filter(picked=True, block__position=3).first()
    assert item is not None
    withdrawn(item.article)
    sent.items.filter(id=item.id).update(picked=False, code="killed")
    assert "Removed: the newsroom withdrew a story" in words(shown(sent))


def test_an_edition_of_withdrawn_stories_only_has_its_notes_left(sent: Edition) -> None:
    for item in sent.items.filter(picked=True).select_related("article"):
        withdrawn(item.article)
    said = words(shown(sent))
    assert "Nothing of this edition can be shown any more" in said
    assert "Headline" not in said


def test_editions_are_listed_newest_first_twenty_a_page(paper: Newsletter, django_assert_max_num_queries: Any) -> None:
    first = left(paper)
    for day in range(1, 23):
        again(first, days=day)
    with django_assert_max_num_queries(6):
        page = html.fromstring(get("/archive/morning-brief/").content)
    assert [" ".join(each.text_content().split()) for each in page.xpath("//li/h2")][:2] == ["Day 22", "Day 21"]
    assert len(page.xpath("//li/h2")) == 20
    assert "Page 1 of 2" in words(page)
    second = html.fromstring(get("/archive/morning-brief/?page=2").content)
    assert len(second.xpath("//li/h2")) == 3
    for number in ("0", "3", "x", "²", "9" * 40, "-1", ""):
        assert get(f"/archive/morning-brief/?page={number}").status_code == 404


@pytest.mark.parametrize("path", ["", "morning-brief/", "morning-brief/{}/", "morning-brief/feed.xml", "sitemap.xml"])
def test_who_has_it_is_told_so_until_it_changes(sent: Edition, path: str) -> None:
    path = f"/archive/{path.format(sent.id)}"
    first = get(path)
    etag, stamp = first.headers["ETag"], first.headers["Last-Modified"]
    assert etag.startswith('"') and first.headers["Cache-Control"] == "public, max-age=60"
    same = get(path, **{"If-None-Match": etag})
    assert (same.status_code, same.content, same.headers["ETag"]) == (304, b"", etag)
    assert get(path, **{"If-Modified-Since": stamp}).status_code == 304
    assert "Cookie" not in first.headers.get("Vary", "")
    withdrawn(lead(sent))
    Newsletter.objects.update(name="Another name", slug="morning-brief")
    if path.endswith((f"{sent.id}/", "feed.xml", "brief/")):
        assert get(path, **{"If-Modified-Since": stamp}).status_code == 200
        assert get(path, **{"If-None-Match": etag}).status_code == 200


@pytest.mark.parametrize("language", ["ar", "fr", "ur"])
def test_the_archive_speaks_its_newsletters_language_or_the_one_asked_for(sent: Edition, language: str) -> None:
    Newsletter.objects.update(masthead={"language": language})
    page = html.fromstring(get("/archive/morning-brief/").content)
    assert page.get("lang") == language
    asked = html.fromstring(get("/archive/?lang=" + language).content)
    assert asked.get("lang") == language
    [bar] = shown(sent).xpath("//div[@class='dl-archive']")
    assert bar.get("lang") == language
