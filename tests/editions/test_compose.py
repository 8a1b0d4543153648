"""An edition put together from real rows: reasons for all, an editor's words kept, and the clock respected."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db.models import F

from pipeline.articles.models import Article
from pipeline.editions.acts.review import TAKEN_BACK
from pipeline.editions.assemble import content_of, masthead_of, story_of
from pipeline.editions.choosing import pool
from pipeline.editions.choosing.pool import candidates, cutoff_of, frame_of, rules_of
from pipeline.editions.compose import compose, waits_for_stories
from pipeline.editions.models import Edition, Item, Newsletter, Rendering
from pipeline.ranking.models import Chart, Standing
from tests.factories import articles, editions

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
SLOT = NOW + timedelta(minutes=18)
#: The factory's newsletter closes twenty minutes before its slot.
CUTOFF = SLOT - timedelta(minutes=20)
DRAFT = SLOT - timedelta(minutes=45)


@pytest.fixture
def newsletter() -> Newsletter:
    return editions.newsletter()


def stories(count: int = 4, **fields: Any) -> list[Article]:
    """The first is the newest."""
    return [articles.article(age_s=3600 + 60 * n, **fields) for n in range(count)]


def made(newsletter: Newsletter, *, now: datetime = NOW, **fields: Any) -> Edition:
    row = editions.edition(newsletter=newsletter, slot_at=SLOT, **fields)
    compose(edition_id=row.id, now=now)
    row.refresh_from_db()
    return row


def again(edition: Edition, *, now: datetime = NOW) -> str | None:
    state = compose(edition_id=edition.id, now=now)
    edition.refresh_from_db()
    return state


def picks(edition: Edition) -> list[int]:
    return list(
        edition.items.filter(picked=True).order_by("block__position", "position").values_list("article_id", flat=True)
    )


def popular(article: Article, *, place: int = 1, value: int = 5, window: str = "today") -> None:
    chart, _ = Chart.objects.get_or_create(
        window=window, section="", defaults={"version": "1", "computed_at": NOW, "changed_at": NOW}
    )
    Standing.objects.create(chart=chart, place=place, article=article, value=value, counted_in=window)


def test_an_edition_is_ready_with_its_words_its_bytes_and_a_reason_for_everyone(newsletter: Newsletter) -> None:
    told = stories(6)
    killed = articles.article(killed_at=NOW)
    edition = made(newsletter)
    assert (edition.state, edition.code, edition.composed_at, edition.revision) == ("ready", "", NOW, 1)
    assert picks(edition) == [one.id for one in told[:4]]
    assert edition.subject == told[0].headline
    assert edition.preheader == f"{told[1].headline} · {told[2].headline}"
    reasons = dict(edition.items.filter(picked=False).values_list("article_id", "code"))
    assert reasons == {told[4].id: "no_room", told[5].id: "no_room", killed.id: "killed"}
    assert set(edition.items.filter(picked=True).values_list("code", flat=True)) == {"newest"}


def test_what_is_rendered_carries_every_pick_and_leads_to_its_article(newsletter: Newsletter) -> None:
    told = stories(4, text="word " * 500, authors=["Ada"], standfirst="What happened next.")
    rendering = made(newsletter).rendering
    assert [link["number"] for link in rendering.links] == list(range(len(rendering.links)))
    assert {link["article_id"]: link["url"] for link in rendering.links if link["kind"] == "story"} == {
        one.id: one.url for one in told
    }
    for one in told:
        assert one.headline in rendering.html
        assert one.headline in rendering.text
        assert one.url not in rendering.html, "readers follow counted links only"
    assert rendering.revision == 1


def test_composing_again_replaces_and_never_doubles(newsletter: Newsletter) -> None:
    stories()
    edition = made(newsletter)
    late = articles.article(age_s=60, now=CUTOFF)
    assert again(edition) == "ready"
    assert picks(edition)[0] == late.id
    assert edition.subject == late.headline
    assert edition.items.count() == 5
    assert (Rendering.objects.count(), edition.revision, edition.rendering.revision) == (1, 2, 2)


def test_composing_what_comes_out_as_it_was_is_the_same_revision(newsletter: Newsletter) -> None:
    stories()
    edition = made(newsletter, now=DRAFT)
    seen, rendered_at = edition.revision, edition.rendering.rendered_at
    assert again(edition) == "ready"
    assert (edition.revision, edition.rendering.rendered_at) == (seen, rendered_at), "who looks at it may approve it"
    assert edition.composed_at == NOW, "it was settled at the cut-off all the same"
    Article.objects.filter(announced_at__isnull=False).update(headline="Put right")
    assert again(edition) == "ready"
    assert (edition.revision, edition.rendering.revision) == (seen + 1, seen + 1)


def test_an_editors_words_outlive_every_composing(newsletter: Newsletter) -> None:
    stories()
    edition = made(newsletter)
    Edition.objects.filter(id=edition.id).update(
        edited=True, subject="Harbour wakes", preheader="And more", note="First.\n\nSecond.", state="collecting"
    )
    articles.article(age_s=60, now=CUTOFF)
    again(edition)
    assert (edition.subject, edition.preheader) == ("Harbour wakes", "And more")
    assert edition.rendering.subject == "Harbour wakes"
    content = content_of(edition)
    assert (content.blocks[0].kind, content.blocks[0].note) == ("note", "First.\n\nSecond.")


@pytest.mark.parametrize("state", ["approved", "sending", "sent", "skipped", "held", "expired", "cancelled", "killed"])
def test_an_edition_that_is_not_open_is_left_as_it_is(newsletter: Newsletter, state: str) -> None:
    stories()
    edition = made(newsletter)
    Edition.objects.filter(id=edition.id).update(state=state)
    Item.objects.all().delete()
    assert compose(edition_id=edition.id, now=NOW) is None
    edition.refresh_from_db()
    assert (edition.state, edition.revision, edition.items.count()) == (state, 1, 0)


def test_too_few_stories_at_the_draft_only_wait_and_those_that_come_are_taken(newsletter: Newsletter) -> None:
    stories(2)
    edition = made(newsletter, now=DRAFT)
    assert (edition.state, edition.code, edition.params) == ("collecting", "below_minimum", {"found": 2, "minimum": 3})
    assert edition.ended_at is None
    late = articles.article(age_s=30, now=CUTOFF)
    assert again(edition, now=CUTOFF) == "ready"
    assert edition.code == ""
    assert late.id in picks(edition)


def test_too_few_stories_at_the_cutoff_skip_the_slot_and_say_how_many(newsletter: Newsletter) -> None:
    stories(2)
    edition = made(newsletter, now=CUTOFF)
    assert (edition.state, edition.code, edition.params) == ("skipped", "below_minimum", {"found": 2, "minimum": 3})
    assert edition.ended_at == CUTOFF
    assert edition.items.filter(picked=True).count() == 2, "what would have gone is kept for whoever asks"
    assert again(edition) is None


def test_most_popular_alone_is_no_news(newsletter: Newsletter) -> None:
    for place, one in enumerate(stories(5, state=Article.State.ARCHIVED, eligible_at=None), start=1):
        popular(one, place=place)
    assert made(newsletter).code == "below_minimum"


@pytest.mark.parametrize(
    ("code", "composed_s", "now_s", "waits"),
    [("below_minimum", 0, 30, True), ("below_minimum", 0, 60, False), ("below_minimum", 1490, 1501, False), ("", 0, 30, False), ("below_minimum", None, 30, False)],
)  # fmt: skip
def test_it_looks_again_every_minute_and_at_the_cutoff(
    newsletter: Newsletter, code: str, composed_s: float | None, now_s: float, waits: bool
) -> None:
    composed_at = None if composed_s is None else DRAFT + timedelta(seconds=composed_s)
    edition = editions.edition(newsletter=newsletter, slot_at=SLOT, code=code, composed_at=composed_at)
    assert waits_for_stories(edition, now=DRAFT + timedelta(seconds=now_s)) is waits


def test_a_story_told_after_the_cutoff_waits_for_the_next_edition(newsletter: Newsletter) -> None:
    stories()
    late = articles.article(age_s=-60, now=CUTOFF)
    edition = made(newsletter)
    assert edition.items.get(article=late).code == "missed_cutoff"
    following = editions.edition(newsletter=newsletter, slot_at=SLOT + timedelta(days=1))
    compose(edition_id=following.id, now=NOW + timedelta(days=1))
    assert following.items.get(article=late).picked


@pytest.mark.parametrize(
    ("state", "again_"), [("sent", True), ("sending", True), ("approved", True), ("skipped", False), ("held", False), ("cancelled", False)]
)  # fmt: skip
def test_what_left_before_is_not_news_again_and_what_did_not_leave_is(
    newsletter: Newsletter, state: str, again_: bool
) -> None:
    told = stories(4)
    first = editions.edition(newsletter=newsletter, slot_at=SLOT - timedelta(hours=6), state=state)
    block = newsletter.blocks.get(kind="top")
    editions.item(edition=first, article=told[0], block=block)
    edition = made(newsletter)
    assert edition.items.get(article=told[0]).code == ("already_sent" if again_ else "newest")


def test_what_developed_since_it_left_is_an_update_and_says_so(newsletter: Newsletter) -> None:
    told = stories(4)
    first = editions.edition(newsletter=newsletter, slot_at=SLOT - timedelta(hours=6), state="sent")
    editions.item(edition=first, article=told[0], block=newsletter.blocks.get(kind="top"))
    Article.objects.filter(id=told[0].id).update(version=F("version") + 1)
    edition = made(newsletter)
    item = edition.items.get(article=told[0])
    assert (item.code, item.label, item.version) == ("developed", "Update", 2)
    assert "Update" in edition.rendering.html


def test_what_another_newsletter_sent_is_news_here(newsletter: Newsletter) -> None:
    told, other = stories(4), editions.newsletter(slug="evening")
    gone = editions.edition(newsletter=other, slot_at=SLOT - timedelta(hours=6), state="sent")
    editions.item(edition=gone, article=told[0], block=other.blocks.get(kind="top"))
    assert made(newsletter).items.get(article=told[0]).picked


def test_what_readers_loved_is_listed_even_behind_many_new_stories(
    newsletter: Newsletter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "MOST_CANDIDATES", 4)
    stories(8)
    loved = articles.article(age_s=3600 * 24 * 20, state=Article.State.ARCHIVED)
    unloved = articles.article(age_s=3600 * 24 * 20, state=Article.State.ARCHIVED)
    dead = articles.article(state=Article.State.KILLED)
    popular(loved, place=1)
    popular(dead, place=2)
    popular(unloved, place=3, value=0)
    edition = made(newsletter)
    assert edition.items.get(article=loved).code == "popular"
    assert not edition.items.filter(article__in=[unloved, dead]).exists()
    assert edition.items.count() == 5


def test_only_todays_list_of_the_whole_site_makes_a_story_popular(newsletter: Newsletter) -> None:
    stories()
    popular(articles.article(age_s=3600 * 24 * 20, state=Article.State.ARCHIVED), window="week")
    assert not any(
        one.popular_place
        for one in candidates(editions.edition(newsletter=newsletter, slot_at=SLOT), rules=rules_of(newsletter))
    )


def test_a_check_that_blocks_holds_the_edition_with_its_findings() -> None:
    newsletter = editions.newsletter(masthead={"postal_address": " \n "})
    stories()
    edition = made(newsletter)
    assert (edition.state, edition.code) == ("held", "preflight")
    assert "no_postal_address" in [finding["code"] for finding in edition.preflight]
    assert all(finding["sentence"] for finding in edition.preflight)


def test_an_approval_taken_back_stays_so_when_it_is_composed_again(newsletter: Newsletter) -> None:
    stories()
    edition = made(newsletter, now=DRAFT)
    Edition.objects.filter(id=edition.id).update(code=TAKEN_BACK)
    assert again(edition, now=CUTOFF) == "ready"
    assert edition.code == TAKEN_BACK


def test_the_first_edition_reaches_back_as_far_as_the_newsletter_says_and_its_cutoff_is_no_earlier_than_its_beginning() -> (
    None
):
    newsletter = editions.newsletter(first_window_h=3)
    Newsletter.objects.filter(id=newsletter.id).update(created_at=NOW)
    newsletter.refresh_from_db()
    edition = editions.edition(newsletter=newsletter, slot_at=NOW + timedelta(minutes=5))
    assert frame_of(edition).since == NOW - timedelta(hours=3)
    assert cutoff_of(edition) == frame_of(edition).cutoff_at == NOW
    later = editions.edition(newsletter=newsletter, slot_at=NOW + timedelta(days=1))
    assert cutoff_of(later) == later.slot_at - timedelta(minutes=20)


def test_the_masthead_fills_its_gaps_from_the_newsletter() -> None:
    newsletter = editions.newsletter(masthead={"tagline": "What moved", "publisher": "", "accent": "#102030"})
    head = masthead_of(newsletter)
    assert (head.name, head.slug, head.publisher) == ("Morning Brief", "morning-brief", "The Meridian Dispatch")
    assert (head.tagline, head.accent, head.language) == ("What moved", "#102030", "en")


@pytest.mark.parametrize(("words", "minutes"), [(0, None), (10, 1), (238, 1), (500, 2), (2380, 10)])
def test_reading_takes_as_long_as_adults_need(newsletter: Newsletter, words: int, minutes: int | None) -> None:
    assert story_of(articles.article(text="word " * words)).reading_minutes == minutes


def test_without_a_picture_there_is_none_and_not_an_empty_one(newsletter: Newsletter) -> None:
    assert story_of(articles.article(picture={"url": ""})).picture is None
    shown = story_of(articles.article(picture={"url": "https://img.example/1.jpg", "alt": "A quay"})).picture
    assert shown is not None
    assert (shown.alt, shown.credit) == ("A quay", "")


def pinned(edition: Edition) -> list[int]:
    return list(edition.items.filter(picked=True, pinned=True).values_list("article_id", flat=True))


@pytest.mark.parametrize(
    ("policy", "state", "carries"),
    [("skip", "skipped", 0), ("shorten", "ready", 1), ("ask", "held", 1), ("fill", "ready", 3)],
)
def test_below_its_minimum_the_newsletters_policy_decides_at_the_cutoff(
    newsletter: Newsletter, policy: str, state: str, carries: int
) -> None:
    Newsletter.objects.update(below_minimum=policy)
    newsletter.refresh_from_db()
    stories(1)
    for day in (40, 50):
        articles.article(now=NOW, age_s=day * 86400, state=Article.State.BASELINE, is_evergreen=True)
    edition = made(newsletter, now=SLOT)
    assert edition.state == state
    if carries:
        assert edition.items.filter(picked=True).count() == carries


def test_an_edition_that_asks_may_be_approved_and_says_what_it_lacks(newsletter: Newsletter) -> None:
    Newsletter.objects.update(below_minimum="ask")
    newsletter.refresh_from_db()
    stories(1)
    edition = made(newsletter, now=SLOT)
    assert (edition.code, edition.params["found"]) == ("asks_below_minimum", 1)
    assert Rendering.objects.filter(edition=edition).exists()


def test_a_block_that_asks_holds_the_edition_at_the_cutoff_only(newsletter: Newsletter) -> None:
    block = newsletter.blocks.get(title="Africa")
    block.rule = {"count": 2, "minimum": 1, "sections": ["Africa"], "fallback": "ask"}
    block.save()
    for number in range(4):
        articles.article(now=NOW, age_s=3600 + number, section_path=["Europe"])
    early = made(newsletter, now=DRAFT)
    assert early.state == "ready"
    assert again(early, now=SLOT) == "held"
    early.refresh_from_db()
    assert early.code == "asks_short_block"


def test_a_rule_that_cannot_be_meant_holds_the_edition_and_names_the_block(newsletter: Newsletter) -> None:
    newsletter.blocks.filter(title="Africa").update(rule={"count": 2, "setcions": ["Africa"]})
    stories(4)
    edition = made(newsletter)
    assert (edition.state, edition.code) == ("held", "unusable_rule")
    assert "setcions" in edition.params["said"]


def test_a_story_without_room_waits_for_the_next_edition_and_then_is_given_up(newsletter: Newsletter) -> None:
    newsletter.blocks.exclude(kind="top").delete()
    newsletter.blocks.update(rule={"count": 1})
    Newsletter.objects.update(minimum=1)
    newsletter.refresh_from_db()
    late = articles.article(now=NOW, age_s=30 * 3600, headline="The one that waits")
    fates = []
    for day in range(3):
        now = NOW + timedelta(days=day)
        articles.article(now=now, age_s=600, headline=f"News of day {day}")
        edition = editions.composed(newsletter=newsletter, slot_at=SLOT + timedelta(days=day), now=now)
        Edition.objects.filter(id=edition.id).update(state="sent")
        item = edition.items.filter(article=late).first()
        fates.append((item.code, item.carried) if item else None)
    assert fates == [("no_room", 1), ("waited_too_long", 2), None]


def test_a_story_that_waited_is_carried_though_it_is_older_than_the_newsletter_takes(newsletter: Newsletter) -> None:
    newsletter.blocks.exclude(kind="top").delete()
    newsletter.blocks.update(rule={"count": 1})
    Newsletter.objects.update(minimum=1)
    newsletter.refresh_from_db()
    late = articles.article(now=NOW, age_s=30 * 3600)
    articles.article(now=NOW, age_s=600)
    first = editions.composed(newsletter=newsletter, slot_at=SLOT, now=NOW)
    Edition.objects.filter(id=first.id).update(state="sent")
    tomorrow = timedelta(days=1)
    second = editions.composed(newsletter=newsletter, slot_at=SLOT + tomorrow, now=NOW + tomorrow)
    assert second.items.get(picked=True).article_id == late.id
    assert second.items.get(picked=True).code == "carried"


def test_more_on_this_is_what_the_leads_own_page_points_to(newsletter: Newsletter) -> None:
    from pipeline.articles.identity import identify
    from pipeline.articles.identity.names import url_name

    newsletter.blocks.create(position=9, kind="related", title="More on this", rule={"count": 3})
    older = articles.article(now=NOW, age_s=90 * 86400, state=Article.State.ARCHIVED)
    identify.add_names(older, [url_name(older.url)])
    stories(3)
    articles.article(now=NOW, age_s=300, related=[{"title": "Before", "url": older.url + "?utm_source=x"}])
    edition = made(newsletter)
    item = edition.items.get(article=older)
    assert (item.picked, item.code, item.block.kind) == (True, "related", "related")


def test_an_alerted_story_is_marked_in_the_next_digest(newsletter: Newsletter) -> None:
    told = stories(4)[0]
    alerts = editions.newsletter(slug="alerts", name="Alerts", kind="alert")
    sent = editions.edition(newsletter=alerts, slot_at=NOW - timedelta(minutes=40), state="sent")
    editions.item(edition=sent, article=told)
    edition = made(newsletter)
    assert edition.items.get(article=told).params["alerted"].startswith("2026-04-19T03:32")


def test_what_was_told_in_a_pause_stays_there_when_the_newsletter_resumes(newsletter: Newsletter) -> None:
    before, after = articles.article(now=NOW, age_s=7200), articles.article(now=NOW, age_s=1800)
    newsletter.cadence = {"kind": "daily", "at": ["06:30"], "collects_from": (NOW - timedelta(hours=1)).isoformat()}
    newsletter.minimum = 1
    newsletter.save()
    edition = made(newsletter)
    assert edition.items.get(article=before).code == "before_window"
    assert edition.items.get(article=after).picked
