"""Reading a known story again: versions, bulletins, and what is gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from pipeline.articles import intake, revise
from pipeline.articles.identity import identify
from pipeline.articles.models import Article, Bulletin, Hold, Version
from pipeline.articles.visit import Visit
from pipeline.kernel.outbound.http import Client
from pipeline.sources.formats.entries import Entry
from pipeline.sources.models import Source
from tests.articles.conftest import BODY, Site
from tests.factories import sources

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
HEADLINE = "Ministers agree on river ports"
pytestmark = pytest.mark.django_db


@pytest.fixture
def source(site: Site) -> Source:
    return sources.source(home_url=site.url, now=NOW, settle_s=0)


@pytest.fixture
def told(source: Source, site: Site, client: Client) -> Article:
    """A story that was told."""
    link = site.write("/ports/", HEADLINE, BODY)
    entry = Entry(id="urn:1", title=HEADLINE, link=link, published=NOW, wp_id=41)
    [article_id] = identify.observe(source_id=source.id, told=[entry], now=NOW, baseline=False).fresh
    intake.take_in(article_id=article_id, now=NOW, client=client)
    article = Article.objects.get()
    assert article.announced_at == NOW
    return article


def again(article: Article, client: Client, *, now: datetime = LATER, unpublished: bool = False) -> str | None:
    return revise.look_again(article_id=article.id, now=now, client=client, unpublished=unpublished)


def kinds() -> list[str]:
    return list(Bulletin.objects.order_by("id").values_list("kind", flat=True))


def test_an_unchanged_page_makes_no_version(told: Article, client: Client) -> None:
    assert again(told, client) is None
    assert Version.objects.count() == 1


def test_a_mended_word_is_cosmetic_and_nobody_hears_of_it(told: Article, site: Site, client: Client) -> None:
    site.write("/ports/", HEADLINE, BODY.replace("agreed upon", "agreed on", 1))
    assert again(told, client) == "cosmetic"
    assert Article.objects.get().version == 1
    assert kinds() == ["new"]


def test_a_development_is_told_as_an_update_and_not_as_new(told: Article, site: Site, client: Client) -> None:
    site.write("/ports/", "Ministers abandon the plan for river ports after 14 hours", BODY)
    assert again(told, client) == "material"
    article = Article.objects.get()
    assert (article.version, article.headline[:17]) == (2, "Ministers abandon")
    assert kinds() == ["new", "update"]
    assert again(told, client) is None


def test_a_correction_carries_the_sites_own_words(told: Article, site: Site, client: Client) -> None:
    note = "Correction: an earlier version of this article gave the wrong river."
    site.write("/ports/", HEADLINE, f"{BODY}\n\n{note}")
    assert again(told, client) == "correction"
    assert Bulletin.objects.get(kind="correction").said.startswith("Correction:")


def test_a_worker_that_was_slow_does_not_undo_a_correction_and_looks_again(
    told: Article, site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    visit, rung = revise.visit.visit, list[dict[str, int]]()

    def slow(article: Article, **asked: Client) -> Visit:
        monkeypatch.setattr(revise.visit, "visit", visit)
        found = visit(article, **asked)
        site.write("/ports/", HEADLINE, f"{BODY}\n\nCorrection: an earlier version gave the wrong river.")
        assert again(told, client) == "correction"  # another worker, between this one's page and its lock
        return found

    monkeypatch.setattr(revise.visit, "visit", slow)
    monkeypatch.setattr(revise, "wake", lambda _job, **ids: rung.append(ids))
    assert again(told, client, now=LATER + timedelta(seconds=1)) is None
    assert "wrong river" in Article.objects.get().text
    assert kinds() == ["new", "correction"]
    assert rung == [{"article_id": told.id}]
    assert again(told, client, now=LATER + timedelta(seconds=2)) is None
    assert Version.objects.count() == 2


def test_a_retraction_takes_the_story_out_of_all_that_has_not_left(told: Article, site: Site, client: Client) -> None:
    site.write("/ports/", HEADLINE, "This article has been removed.")
    assert again(told, client) == "retraction"
    article = Article.objects.get()
    assert (article.state, article.code, article.killed_at) == ("gone", "retracted", LATER)
    assert kinds() == ["new", "retraction"]


def test_a_retracted_story_stays_taken_back_while_its_page_says_so(told: Article, site: Site, client: Client) -> None:
    site.write("/ports/", HEADLINE, BODY, lead="This article has been retracted.")
    again(told, client)
    site.write("/ports/", f"{HEADLINE} at last", BODY, lead="This article has been retracted.")
    again(told, client, now=LATER + timedelta(hours=1))
    article = Article.objects.get()
    assert (article.state, article.code) == ("gone", "retracted")
    assert article.killed_at is not None


def test_a_page_missing_twice_is_gone(told: Article, site: Site, client: Client) -> None:
    del site.pages["/ports/"]
    assert again(told, client, now=NOW) is None
    Source.objects.update(last_success_at=NOW + timedelta(minutes=9))
    assert again(told, client, now=NOW + timedelta(minutes=5)) is None
    assert again(told, client, now=NOW + timedelta(minutes=11)) == "gone"
    assert kinds() == ["new", "gone"]
    assert Article.objects.get().killed_at is not None


def test_a_site_that_is_down_as_a_whole_loses_no_story(told: Article, site: Site, client: Client) -> None:
    del site.pages["/ports/"]
    again(told, client, now=NOW)
    Source.objects.update(last_success_at=NOW - timedelta(minutes=1))
    assert again(told, client, now=LATER) is None
    assert Article.objects.get().state == "eligible"


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
def test_a_refusal_is_no_absence(told: Article, site: Site, client: Client, status: int) -> None:
    site.pages["/ports/"] = (status, "<html><body>Just a moment</body></html>")
    for hour in range(3):
        assert again(told, client, now=NOW + timedelta(hours=hour)) is None
    assert Article.objects.get().state == "eligible"
    assert Article.objects.get().missing_at is None


def test_the_owners_word_and_a_missing_page_are_enough(told: Article, site: Site, client: Client) -> None:
    del site.pages["/ports/"]
    assert revise.unpublished(source_id=told.source_id, names=[("wp_id", "41")], now=NOW)
    assert again(told, client, now=NOW) == "gone"


def test_the_owners_word_alone_is_not_enough(told: Article, client: Client) -> None:
    assert revise.unpublished(source_id=told.source_id, names=[("wp_id", "41")], now=NOW)
    assert again(told, client, now=NOW) is None
    assert Article.objects.get().state == "eligible"


def test_a_story_that_comes_back_is_not_told_again(told: Article, site: Site, client: Client) -> None:
    page = site.pages.pop("/ports/")
    again(told, client, now=NOW, unpublished=True)
    again(told, client, now=NOW, unpublished=True)
    assert Article.objects.get().state == "gone"
    site.pages["/ports/"] = page
    assert again(told, client) == "back"
    article = Article.objects.get()
    assert (article.state, article.killed_at, article.announced_at) == ("eligible", None, NOW)
    assert kinds().count("new") == 1


def test_posts_missing_from_the_sites_list_are_looked_at(told: Article) -> None:
    assert revise.suspect_gone(source_id=told.source_id, wp_ids=[41, 42], now=NOW) == 1
    assert revise.suspect_gone(source_id=told.source_id, wp_ids=[41], now=NOW) == 0
    assert revise.sweep(now=NOW + timedelta(minutes=9)) == 0
    assert revise.sweep(now=NOW + timedelta(minutes=10)) == 1


def test_twenty_one_bulk_edits_are_no_versions(source: Source, client: Client) -> None:
    html = f"<p>{BODY}</p>"
    known = {"content_html": html, "is_whole": True, "published": NOW}
    told = [
        Entry(id=f"urn:{n}", title=f"Story of harbour {n}", link=f"{source.home_url}{n}/", wp_id=n, **known)  # type: ignore[arg-type]
        for n in range(1, 22)
    ]
    identify.observe(source_id=source.id, told=told, now=NOW, baseline=True)
    Article.objects.update(state=Article.State.ELIGIBLE)
    moved = [Entry(**{**{f: getattr(e, f) for f in Entry.__dataclass_fields__}, "updated": LATER}) for e in told]
    assert identify.observe(source_id=source.id, told=moved, now=LATER, baseline=False) == identify.Seen((), ())


def test_a_story_that_is_held_is_mended_in_its_place(told: Article, site: Site, client: Client) -> None:
    Article.objects.update(state=Article.State.HELD, announced_at=None, code="burst")
    Hold.objects.create(article=told, code="burst", at=NOW, batch="b")
    site.write("/ports/", "Ministers abandon the plan for river ports", BODY)
    assert again(told, client) == "material"
    assert Article.objects.get().headline.startswith("Ministers abandon")
    assert kinds() == ["new"]


def test_versions_end_after_twenty_four(told: Article, site: Site, client: Client) -> None:
    for turn in range(30):
        site.write("/ports/", HEADLINE, f"{BODY}\n\nIt is now {turn} past the hour of noon.")
        again(told, client, now=NOW + timedelta(minutes=turn))
    assert Version.objects.count() == 24


def test_the_owners_word_is_enough_for_a_story_that_was_not_told(source: Source, site: Site, client: Client) -> None:
    link = site.write("/early/", HEADLINE, BODY)
    entry = Entry(id="urn:9", title=HEADLINE, link=link, published=NOW, wp_id=77)
    identify.observe(source_id=source.id, told=[entry], now=NOW, baseline=False)
    assert revise.unpublished(source_id=source.id, names=[("wp_id", "77")], now=NOW)
    article = Article.objects.get()
    assert (article.state, article.code) == ("archived", "gone_before_told")
    assert intake.take_in(article_id=article.id, now=NOW, client=client) is None
