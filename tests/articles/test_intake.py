"""From seen to eligible on real pages, with the gates asked of real rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pipeline.articles import intake
from pipeline.articles.gates import announce
from pipeline.articles.identity import identify
from pipeline.articles.models import Article, Bulletin, GateCount, Hold, Section, Version
from pipeline.articles.page.witnesses import Step
from pipeline.articles.visit import Visit
from pipeline.kernel.outbound.http import Client
from pipeline.sources.formats.entries import Entry
from pipeline.sources.models import Source
from pipeline.staff.models import Stop
from tests.articles.conftest import BODY, Site
from tests.factories import sources

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
pytestmark = pytest.mark.django_db


@pytest.fixture
def source(site: Site) -> Source:
    return sources.source(home_url=site.url, now=NOW, settle_s=60)


def seen(source: Source, link: str, *, title: str = "", now: datetime = NOW, **fields: object) -> int:
    known = {"id": link, "title": title or link, "link": link, "published": now - timedelta(minutes=1)}
    told = Entry(**{**known, **fields})  # type: ignore[arg-type]
    return identify.observe(source_id=source.id, told=[told], now=now, baseline=False).fresh[0]


def words_of(number: int) -> str:
    """A body unlike any other."""
    return " ".join(
        f"Paragraph {number} has sentence {n} about harbour {number * 31 + n} and its keepers." for n in range(12)
    )


def taken(source: Source, site: Site, client: Client, number: int, **fields: object) -> Article:
    link = site.write(f"/{number}/", f"The harbour towns of region {number} agree", words_of(number))
    article_id = seen(source, link, title=f"The harbour towns of region {number} agree", **fields)
    intake.take_in(article_id=article_id, now=NOW, client=client)
    return Article.objects.get(id=article_id)


def test_a_new_story_is_read_from_its_page_and_waits_until_it_is_told(
    source: Source, site: Site, client: Client
) -> None:
    link = site.write(
        "/envoy/", "Envoy opens the fish market", BODY, lead="TOKYO, Nov 25 (TDI) — The envoy spoke first."
    )
    article_id = seen(source, link, title="Envoy opens the fish market")
    assert intake.take_in(article_id=article_id, now=NOW, client=client) == "eligible"
    article = Article.objects.get()
    assert article.headline == "Envoy opens the fish market"
    assert article.dateline["place"] == "TOKYO"
    assert article.settles_at == NOW + timedelta(seconds=60)
    assert article.announced_at is None
    assert Version.objects.get().number == 1


def test_a_source_that_settles_in_no_time_tells_twice_a_minute_at_once(
    source: Source, site: Site, client: Client
) -> None:
    Source.objects.update(settle_s=0)
    told = [taken(source, site, client, number).announced_at for number in (1, 2, 3)]
    assert [bool(at) for at in told] == [True, True, False]
    assert Bulletin.objects.filter(kind="new").count() == 2


def test_workers_that_meet_one_fault_at_once_have_tried_once(
    source: Source, site: Site, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    article_id = seen(source, site.write("/ports/", "Ministers agree on river ports"))
    site.pages["/ports/"] = (503, "")
    visit, more = intake.visit.visit, iter(range(4))

    def slow(asked: Article, **how: Any) -> Visit:
        for _ in more:  # other workers, rung for by the sweep, while this one waits for the page
            intake.take_in(article_id=article_id, now=NOW, client=client)
        return visit(asked, **how)

    monkeypatch.setattr(intake.visit, "visit", slow)
    assert intake.take_in(article_id=article_id, now=NOW, client=client) == "seen"
    assert Article.objects.get().tries == 1


def test_a_story_told_whole_needs_no_page(source: Source, site: Site, client: Client) -> None:
    path = (
        Step(name="Diplomatic News", slug="diplomatic-news", term_id=4),
        Step(name="Ambassadors", slug="ambassadors", term_id=9),
    )
    html = "<p>TOKYO, Nov 25 (TDI) — The envoy spoke first.</p>" + f"<p>{BODY}</p>"
    article_id = seen(
        source, site.url + "envoy/", title="Envoy opens", content_html=html, is_whole=True, sections=path, wp_id=7
    )
    assert intake.take_in(article_id=article_id, now=NOW, client=client) == "eligible"
    article = Article.objects.get()
    assert site.asked == []
    assert article.section_path == ["Diplomatic News", "Ambassadors"]
    assert article.section is not None and article.section.term_id == 9
    assert article.dateline["place"] == "TOKYO" and BODY[:40] in article.text


def test_a_renamed_section_is_the_same_section(source: Source) -> None:
    first = intake._section(source.id, [Step(name="Envoys", slug="envoys", term_id=3)])
    again = intake._section(source.id, [Step(name="Ambassadors", slug="ambassadors", term_id=3)])
    assert first is not None and again is not None and first.id == again.id
    assert Section.objects.get().name == "Ambassadors"


def test_nothing_is_decided_before_the_second_good_look(source: Source, site: Site, client: Client) -> None:
    Source.objects.update(looks=1)
    article = taken(source, site, client, 1)
    assert article.state == Article.State.SEEN
    Source.objects.update(looks=2)
    assert intake.take_in(article_id=article.id, now=NOW, client=client) == "eligible"


def test_an_old_story_is_archived_and_counted(source: Source, site: Site, client: Client) -> None:
    article = taken(source, site, client, 1, published=NOW - timedelta(days=3))
    assert (article.state, article.code) == ("archived", "old")
    assert GateCount.objects.get().count == 1


def test_a_page_that_is_not_there_is_asked_for_three_times_and_then_not_told(
    source: Source, site: Site, client: Client
) -> None:
    article_id = seen(source, site.url + "away/")
    states = [intake.take_in(article_id=article_id, now=NOW, client=client) for _ in range(3)]
    assert states == ["seen", "seen", "archived"]
    assert Article.objects.get().code == "gone_before_told"


def test_a_page_that_cannot_be_read_costs_only_its_details(source: Source, site: Site, client: Client) -> None:
    site.pages["/broken/"] = (500, "")
    article_id = seen(source, site.url + "broken/", title="Told by the feed")
    states = [intake.take_in(article_id=article_id, now=NOW, client=client) for _ in range(3)]
    assert states == ["seen", "seen", "eligible"]
    assert Article.objects.get().headline == "Told by the feed"


def test_the_same_words_under_the_same_title_are_no_news(source: Source, site: Site, client: Client) -> None:
    first = taken(source, site, client, 1)
    link = site.write("/copy/", first.headline, words_of(1))
    article_id = seen(source, link, title=first.headline)
    assert intake.take_in(article_id=article_id, now=NOW, client=client) == "duplicate"
    assert Article.objects.get(id=article_id).params["article"] == first.id


def test_a_story_that_was_read_late_is_not_told_after_its_copy(source: Source, site: Site, client: Client) -> None:
    title = "The harbour towns of region 1 agree"
    late = seen(source, site.write("/late/", title, words_of(1)), title=title)
    sooner = seen(source, site.write("/sooner/", title, words_of(1)), title=title)
    assert intake.take_in(article_id=sooner, now=NOW, client=client) == "eligible"
    assert intake.take_in(article_id=late, now=NOW, client=client) == "duplicate"


def test_a_theme_that_gives_every_page_one_address_loses_no_story(source: Source, site: Site, client: Client) -> None:
    claim = f'<link rel="canonical" href="{site.url}news/">'
    states = []
    for word in ("salt", "grain", "timber"):
        text = " ".join(f"{word}{n} {word}{n * n}" for n in range(40))
        link = site.write(f"/{word}/", f"The harbour towns agree on {word}", text, more=claim)
        states.append(intake.take_in(article_id=seen(source, link), now=NOW, client=client))
    assert states == ["eligible"] * 3


def test_a_copy_of_a_page_that_names_its_original_is_no_news(source: Source, site: Site, client: Client) -> None:
    first = taken(source, site, client, 1)
    claim = f'<link rel="canonical" href="{first.url}">'
    link = site.write("/print/1/", "Print: a title of its own", words_of(1) + " Printed today.", more=claim)
    assert intake.take_in(article_id=seen(source, link), now=NOW, client=client) == "duplicate"


def test_a_story_that_is_back_is_read_when_the_caches_have_forgotten(
    source: Source, site: Site, client: Client
) -> None:
    link = site.write("/envoy/", "Envoy opens the fish market")
    article_id = seen(source, link, title="Envoy opens the fish market")
    Article.objects.update(missing_at=NOW)
    assert intake.take_in(article_id=article_id, now=NOW + timedelta(seconds=40), client=client) == "seen"
    assert site.asked == []
    assert intake.take_in(article_id=article_id, now=NOW + timedelta(seconds=60), client=client) == "eligible"
    assert Article.objects.get().missing_at is None


def test_a_market_report_with_other_numbers_is_news(source: Source, site: Site, client: Client) -> None:
    report = " ".join(f"The index of port {n} closed at {{a{n}}} points after a quiet day." for n in range(20))
    texts = [report.format(**{f"a{n}": base + n for n in range(20)}) for base in (100, 900)]
    for day, text in enumerate(texts):
        link = site.write(f"/market-{day}/", f"Markets on day {day}", text)
        article_id = seen(source, link, title=f"Markets on day {day}")
        assert intake.take_in(article_id=article_id, now=NOW, client=client) == "eligible"


def test_a_burst_is_held_whole_with_its_first_story(source: Source, site: Site, client: Client) -> None:
    articles = [taken(source, site, client, number) for number in range(1, 8)]
    assert {row.state for row in Article.objects.all()} == {"held"}, [a.code for a in articles]
    assert {hold.code for hold in Hold.objects.all()} == {"burst"}
    assert len({hold.batch for hold in Hold.objects.all()}) == 1


def test_an_import_of_old_stories_is_no_burst(source: Source, site: Site, client: Client) -> None:
    for number in range(20):
        seen(source, site.url + f"old/{number}/", published=NOW - timedelta(days=400))
    assert taken(source, site, client, 1).state == "eligible"


def test_the_batch_that_was_seen_and_not_read_yet_counts(source: Source, site: Site, client: Client) -> None:
    for number in range(20):
        seen(source, site.url + f"new/{number}/")
    assert (taken(source, site, client, 1).state, Hold.objects.get().code) == ("held", "burst")


@pytest.mark.parametrize(
    ("lead", "code"),
    [("EMBARGOED UNTIL 0600 GMT 26 November 2026", "embargo"), ("This article has been removed.", "retraction")],
)
def test_a_marked_story_waits_for_a_person(source: Source, site: Site, client: Client, lead: str, code: str) -> None:
    link = site.write("/marked/", "The treaty text", BODY, lead=lead)
    article_id = seen(source, link)
    assert intake.take_in(article_id=article_id, now=NOW, client=client) == "held"
    assert Hold.objects.get().code == code


def test_a_cautious_source_holds_everything_as_one_event(source: Source, site: Site, client: Client) -> None:
    Source.objects.update(cautious_until=NOW + timedelta(hours=1), cautious_because="generator changed")
    assert {taken(source, site, client, n).state for n in (1, 2)} == {"held"}
    assert Hold.objects.values("batch").distinct().count() == 1
    assert Article.objects.first().params["because"] == "generator changed"  # type: ignore[union-attr]


def test_the_daily_budget_holds_the_next_story(source: Source, site: Site, client: Client) -> None:
    Source.objects.update(daily_budget=2)
    states = [taken(source, site, client, n).state for n in (1, 2, 3)]
    assert states == ["eligible", "eligible", "held"]


def test_the_global_stop_holds_what_comes(source: Source, site: Site, client: Client) -> None:
    Stop.objects.create(kind=Stop.Kind.TELLING, at=NOW)
    assert taken(source, site, client, 1).code == "stopped"


def test_taking_in_twice_decides_once(source: Source, site: Site, client: Client) -> None:
    article = taken(source, site, client, 1)
    assert intake.take_in(article_id=article.id, now=NOW, client=client) is None
    assert Version.objects.count() == 1
    assert GateCount.objects.get().count == 1


def test_a_strangers_page_is_left_alone_where_the_story_was_told_whole(
    source: Source, site: Site, client: Client
) -> None:
    Source.objects.update(is_ours=False, settle_s=1)
    html = f"<p>{BODY}</p>"
    article_id = seen(source, site.url + "envoy/", title="Envoy opens", content_html=html, is_whole=True)
    intake.take_in(article_id=article_id, now=NOW, client=client)
    announce.tell(article_id=article_id, now=NOW + timedelta(seconds=5), client=client)
    assert site.asked == []
    assert Article.objects.get().announced_at is not None
