"""WordPress's REST interface: sets of ids compared, and what each of the three questions finds."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from pipeline.articles.models import Article, Section
from pipeline.sources.models import Channel, Source
from tests.factories.sites import NOW, YESTERDAY, Asked, Post, Reply
from tests.sources.conftest import Watched

POSTS = "/wp-json/wp/v2/posts"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def sizes(watched: Watched) -> list[tuple[str, str]]:
    """(what was asked, how many) of each request for posts."""
    kinds = {"orderby": "id", "modified_after": "modified", "after": "after"}
    asked = [one.query for one in watched.site.asked if one.path == POSTS]
    return [
        (next(kind for name, kind in reversed(kinds.items()) if name in query), query["per_page"]) for query in asked
    ]


def missing() -> set[str]:
    return set(Article.objects.filter(missing_at__isnull=False).values_list("headline", flat=True))


def test_the_first_look_reads_the_newest_two_hundred_as_a_baseline(watched: Watched) -> None:
    watched.site.publish(230, at=YESTERDAY - DAY)
    watched.begin("rest", baseline=False)
    watched.look("rest")
    assert watched.states() == {"baseline": 200}
    assert [one.query["page"] for one in watched.site.asked if "page" in one.query] == ["2"]
    assert watched.source.posts_total == 230
    assert watched.source.baseline_at is not None


def test_a_channel_added_later_does_not_announce_the_archive(watched: Watched) -> None:
    watched.site.publish(40)
    watched.begin("feed")
    Channel.objects.create(
        source=watched.source, kind="rest", url=f"{watched.site.url}wp-json/", next_due_at=watched.now
    )
    assert watched.look("rest") == 0
    assert watched.states() == {"baseline": 40}
    watched.site.publish(at=watched.now)
    assert watched.look("rest") == 1


def test_a_quiet_look_asks_two_questions_and_a_hinted_or_hourly_one_all_three(watched: Watched) -> None:
    watched.site.publish(40)
    watched.begin("rest")
    watched.look("rest")
    assert sizes(watched) == [("id", "20"), ("modified", "100")]
    watched.site.asked.clear()
    watched.hint()
    watched.look("rest")
    assert sizes(watched) == [("id", "20"), ("modified", "100"), ("after", "100")]
    watched.site.asked.clear()
    watched.look("rest", after=HOUR)
    assert len(sizes(watched)) == 3


def test_five_hundred_old_dated_imports_are_found_at_one_look_and_are_all_old(watched: Watched) -> None:
    """The feed never shows them and no ping is sent (reference 0.2); the total and the ids do."""
    watched.site.publish(40)
    watched.begin("rest")
    watched.site.publish(500, at=NOW - 400 * DAY)
    assert watched.look("rest") == 500
    assert watched.source.posts_total == 540
    assert watched.source.cautious_because == ""
    found = Article.objects.exclude(state="baseline")
    assert {article.published_at.year for article in found if article.published_at} == {2025}


def test_a_backdated_post_is_found(watched: Watched) -> None:
    watched.site.publish(40)
    watched.begin("rest")
    watched.site.publish(at=NOW - 3 * DAY)
    assert watched.look("rest") == 1


def test_a_scheduled_post_released_late_behind_a_newer_one_is_found_once(watched: Watched) -> None:
    """Its id is old, its modification too: only its date, which a watermark may have passed, tells of it."""
    watched.site.posts.append(Post(id=50, title="Embargoed budget speech", at=NOW + 365 * DAY))
    scheduled = watched.site.posts.pop()
    watched.site.publish(40)
    watched.begin("rest")
    watched.site.publish(at=watched.now)
    assert watched.look("rest") == 1
    scheduled.at, scheduled.modified = watched.now - 2 * MINUTE, NOW - 3 * DAY
    watched.site.posts.append(scheduled)
    watched.hint()
    assert watched.look("rest") == 1
    assert watched.look("rest", after=HOUR) == 0


def test_an_edit_of_an_older_post_is_noticed_over_the_time_of_a_failure(watched: Watched) -> None:
    watched.site.publish(40)
    watched.begin("rest")
    old = watched.site.posts[0]
    Article.objects.update(state="eligible", read_at=NOW)
    watched.look("rest")
    edited_at = watched.now + MINUTE
    watched.site.routes[POSTS] = lambda _: Reply(503)
    watched.look("rest", after=2 * MINUTE)
    watched.look("rest", after=40 * MINUTE)
    del watched.site.routes[POSTS]
    old.title, old.modified = "Story 103, corrected", edited_at
    watched.look("rest")
    asked = next(one.query["modified_after"] for one in reversed(watched.site.asked) if "modified_after" in one.query)
    assert asked <= f"{edited_at:%Y-%m-%dT%H:%M:%SZ}"
    assert Article.objects.filter(told__entry__title="Story 103, corrected").exists()


def test_a_post_that_left_the_list_is_suspected(watched: Watched) -> None:
    watched.site.publish(40)
    watched.begin("rest")
    newest, older = watched.site.publish(2, at=watched.now)
    watched.look("rest")
    Article.objects.exclude(state="baseline").update(state="eligible")
    watched.site.posts.remove(newest)
    watched.look("rest")
    assert missing() == {newest.title}
    watched.site.posts.remove(older)
    watched.look("rest")
    assert missing() == {newest.title, older.title}, "the newest of all may go as well"


def test_a_closed_interface_asks_for_the_owner_while_the_feed_goes_on(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin("feed", "rest")
    replies = iter(
        [
            Reply(401, b'{"code":"rest_forbidden","message":"No."}'),
            Reply(200, b"<html><title>Blocked</title></html>"),
            Reply(403),
        ]
    )
    watched.site.routes[POSTS] = lambda _: next(replies)
    for _ in range(3):
        watched.look("rest")
    assert watched.channel("rest").state == "asking"
    assert watched.source.last_error.startswith("REST interface: ")
    watched.site.publish(at=watched.now)
    assert watched.look("feed") == 1
    assert "owner" in watched.source.last_error, "the feed's good answer does not hide the refusal"


def test_an_empty_list_makes_nothing_gone(watched: Watched) -> None:
    watched.site.publish(40)
    watched.begin("rest")
    Article.objects.update(state="eligible")
    watched.site.routes[POSTS] = lambda _: Reply(200, b"[]", {"X-WP-Total": "0"})
    watched.hint()
    watched.look("rest")
    assert missing() == set()


def test_more_posts_than_the_site_lists_make_the_source_cautious(watched: Watched) -> None:
    watched.site.publish(40)
    watched.begin("rest")

    def inflated(asked: object) -> Reply:
        reply = watched.site.rest(asked)  # type: ignore[arg-type]
        return Reply(200, reply.body, reply.headers | {"X-WP-Total": "900"})

    watched.site.routes[POSTS] = inflated
    watched.look("rest")
    assert watched.source.cautious_because == "more posts than the site lists"


def test_posts_that_the_feed_told_first_explain_the_total(watched: Watched) -> None:
    watched.site.publish(10)
    watched.begin("feed", "rest")
    watched.site.publish(9, at=watched.now)
    assert watched.look("feed", after=MINUTE) == 9
    watched.look("rest", after=MINUTE)
    assert watched.source.posts_total == 19
    assert watched.source.cautious_because == ""


def test_sections_have_the_parents_that_only_the_category_list_tells(watched: Watched) -> None:
    watched.site.publish(3)
    watched.begin("rest")
    told = Article.objects.first()
    assert told is not None
    assert [step["name"] for step in told.told["entry"]["sections"]] == ["Diplomatic News", "Ambassadors"]
    watched.site.publish(at=watched.now)
    watched.look("rest")
    assert "/wp-json/wp/v2/categories" not in watched.site.paths(), "the tree is good for an hour"
    watched.site.publish(at=watched.now)
    watched.look("rest", after=HOUR)
    assert "/wp-json/wp/v2/categories" in watched.site.paths()


CATEGORIES = "/wp-json/wp/v2/categories"
_OLD_TREE = b'[{"id": 1, "name": "Uncategorized", "slug": "uncategorized", "parent": 0}]'


def embed_terms(watched: Watched) -> None:
    """As WordPress does: a post brings its own terms, but not their parents."""
    term = {"id": 7, "name": "Ambassadors", "slug": "ambassadors", "taxonomy": "category"}

    def told(asked: Asked) -> Reply:
        plain = watched.site.rest(asked)
        posts = [post | {"_embedded": {"wp:term": [[term]]}} for post in json.loads(plain.body)]
        return Reply(plain.status, json.dumps(posts).encode(), plain.headers)

    watched.site.routes[POSTS] = told
    watched.site.routes[CATEGORIES] = lambda _: Reply(200, _OLD_TREE)


def test_a_section_made_since_the_tree_was_read_has_its_parents_at_once(watched: Watched) -> None:
    """Met on a real WordPress: the first stories of a new section stood at the top of the tree for an hour."""
    embed_terms(watched)
    watched.begin("rest")
    del watched.site.routes[CATEGORIES]
    watched.site.publish(at=watched.now)
    watched.look("rest")
    told = Article.objects.latest("id")
    assert [step["name"] for step in told.told["entry"]["sections"]] == ["Diplomatic News", "Ambassadors"]


def test_a_section_that_no_tree_has_is_sought_once_an_hour(watched: Watched) -> None:
    embed_terms(watched)
    watched.begin("rest")
    for asked in (1, 0, 0):
        watched.site.asked.clear()
        watched.site.publish(at=watched.now)
        watched.look("rest")
        assert watched.site.paths().count(CATEGORIES) == asked


def test_closed_categories_cost_the_parents_and_nothing_else(watched: Watched) -> None:
    watched.site.publish(3)
    watched.site.routes["/wp-json/wp/v2/categories"] = lambda _: Reply(403)
    watched.begin("rest")
    assert watched.states() == {"baseline": 3}
    assert Section.objects.count() == 0


@pytest.mark.parametrize("ours", [20, 60])
def test_many_revised_stories_at_once_make_the_source_cautious(watched: Watched, ours: int) -> None:
    watched.site.publish(ours)
    watched.begin("rest")
    Article.objects.update(state="eligible", read_at=NOW)
    for post in watched.site.posts[-8:]:
        post.title, post.modified = f"{post.title}, revised", watched.now
    watched.look("rest")
    assert watched.source.cautious_because == "many known articles changed at once"


def test_beside_a_feed_that_works_it_is_asked_every_five_minutes(watched: Watched) -> None:
    watched.now += 8 * HOUR
    watched.begin("feed", "rest")
    watched.look("rest")
    assert watched.wait_s(watched.now, "rest") == pytest.approx(300, rel=0.11)
    Channel.objects.filter(kind="feed").update(errors=2)
    watched.look("rest")
    assert watched.wait_s(watched.now, "rest") == pytest.approx(120, rel=0.11)
    assert Source.objects.get().looks > 2
