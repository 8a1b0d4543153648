"""Answers of WordPress's REST interface: what is read in them, and what is named unusable."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.articles.page.witnesses import Step
from pipeline.articles.raw.markup import UnusableInput
from pipeline.sources.formats import wordpress
from pipeline.sources.formats.entries import Entry
from pipeline.sources.formats.wordpress import Posts, Term

SAMPLES = Path(__file__).parents[2] / "samples" / "rest"
WHERE = "https://gazette.example/wp-json/wp/v2/posts"
PRETTY, PLAIN = "https://gazette.example/wp-json/", "https://gazette.example/index.php?rest_route=/"
NOON = datetime(2026, 4, 19, 12, 30, tzinfo=UTC)


def sample(name: str) -> bytes:
    return (SAMPLES / name).read_bytes()


def tree() -> dict[int, Term]:
    return wordpress.read_categories(sample("categories.json"))


def read(name: str, **kwargs: Any) -> Posts:
    return wordpress.read_posts(sample(name), url=WHERE, **{"tree": tree(), **kwargs})


def first(name: str, **kwargs: Any) -> Entry:
    return read(name, **kwargs).entries[0]


def test_a_post_is_read_whole() -> None:
    entry = first("posts.json")
    assert entry.wp_id == 4211
    assert entry.id == "https://gazette.example/?post_type=post&p=4211"
    assert entry.link == "https://gazette.example/2026/04/story-4211/"
    assert entry.title == "Kenya’s envoy walks Tokyo’s fish market & buys nothing"
    assert entry.published == datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
    assert entry.updated == datetime(2026, 4, 19, 4, 20, 31, tzinfo=UTC)
    assert entry.summary == "She came for the auction and stayed for the ice."
    assert entry.author == "Ada Quay, Ben Groyne"
    assert entry.image == "https://gazette.example/wp-content/uploads/market.jpg"
    assert entry.image_alt == "An ice-covered & empty stall"
    assert entry.image_credit == "Mika Sato"
    assert entry.language == "en-GB"
    assert entry.is_whole and not entry.is_paywalled


def test_the_path_of_the_deepest_category_comes_from_the_tree() -> None:
    entry = first("posts.json")
    assert entry.sections == (
        Step(name="Diplomatic News", slug="diplomatic-news", term_id=12),
        Step(name="Ambassadors & Envoys", slug="ambassadors", term_id=31),
    )
    assert entry.categories == ("Ambassadors & Envoys", "Harbour", "Diplomatic News", "Tokyo")


def test_without_a_tree_the_address_of_a_category_shows_how_deep_it_lies() -> None:
    assert first("posts.json", tree=None).sections == (
        Step(name="Ambassadors & Envoys", slug="ambassadors", term_id=31),
    )


@pytest.mark.parametrize("name", ["primary-by-breadcrumb.json", "primary-by-number.json"])
def test_the_category_a_plug_in_calls_primary_wins_over_the_deepest(name: str) -> None:
    assert [step.name for step in first(name).sections] == ["Harbour"]


def test_categories_that_were_not_embedded_are_looked_up_by_number() -> None:
    entry = first("not-embedded.json")
    assert [step.name for step in entry.sections] == ["Diplomatic News", "Ambassadors & Envoys"]
    assert entry.author is None


def test_uncategorised_is_no_section() -> None:
    assert first("uncategorised.json").sections == ()


def test_content_passes_the_allow_list_and_its_links_lead_to_the_site() -> None:
    content = first("posts.json").content_html or ""
    assert "<strong>Tokyo, 19 April 2026 (TDI):</strong>" in content
    assert 'href="https://gazette.example/2026/04/earlier/"' in content
    assert "script" not in content and "onclick" not in content and "track()" not in content


def test_totals_come_from_the_headers_in_any_case() -> None:
    posts = read("posts.json", headers={"X-WP-Total": "522", "x-wp-totalpages": "27"})
    assert (posts.total, posts.pages) == (522, 27)
    assert read("posts.json").total is None
    assert read("posts.json", headers={"X-WP-Total": "many"}).total is None


def test_one_post_is_an_answer_too() -> None:
    assert [entry.wp_id for entry in read("one-post.json").entries] == [77]


def test_authors_and_pictures_a_security_plug_in_hides_are_found_elsewhere() -> None:
    entry = first("authors-hidden.json")
    assert entry.author == "Carla Mole"
    assert entry.image == "https://gazette.example/share.jpg"


def test_a_protected_post_keeps_its_identity_and_loses_its_words() -> None:
    posts = read("protected.json")
    entry = posts.entries[0]
    assert (entry.wp_id, entry.content_html, entry.summary, entry.is_whole, entry.is_paywalled) == (
        9, None, None, False, True,
    )  # fmt: skip
    assert "post is protected by a password: its words are left out" in posts.warnings


def test_a_few_words_before_a_link_to_more_are_not_the_whole_story() -> None:
    entry = first("members-only.json")
    assert not entry.is_whole and entry.is_paywalled


def test_shortcodes_of_a_page_builder_send_us_to_the_page() -> None:
    posts = read("page-builder.json")
    assert not posts.entries[0].is_whole and not posts.entries[0].is_paywalled
    assert "content holds shortcodes of a page builder: the page is to be read instead" in posts.warnings


def test_without_date_gmt_the_sites_own_time_is_read_in_its_zone() -> None:
    posts = read("no-gmt.json", zone=ZoneInfo("Asia/Karachi"))
    assert posts.entries[0].published == datetime(2026, 4, 19, 4, 12, tzinfo=UTC)
    assert posts.entries[0].updated == datetime(2026, 4, 19, 4, 20, 31, tzinfo=UTC)
    assert "date_gmt is missing: date was read in the zone of the source" in posts.warnings


def test_what_is_not_published_is_left_out() -> None:
    posts = read("not-published.json")
    assert [entry.wp_id for entry in posts.entries] == [14]
    assert "post is not published: left out" in posts.warnings


def test_a_notice_before_the_json_costs_a_warning() -> None:
    posts = read("notice-first.txt")
    assert [entry.wp_id for entry in posts.entries] == [19]
    assert "text before the JSON was ignored" in posts.warnings


def test_right_to_left_titles_stay_as_written() -> None:
    assert (first("arabic.json").title, first("arabic.json").language) == ("ميناء جديد في عدن", "ar")


def test_wrong_types_cost_the_fields_they_are_in() -> None:
    posts = read("wrong-types.json")
    assert [(entry.wp_id, entry.link) for entry in posts.entries] == [(18, None), (None, "https://gazette.example/a/")]
    assert "post is not an object (4 times)" in posts.warnings
    assert "post without number and link: left out" in posts.warnings


UNUSABLE = {
    "block-page.html": "this is a web page (“Just a moment…”), not a REST answer",
    "forbidden.json": "the site refuses its REST interface: rest_forbidden, “Sorry, you are not allowed to do that.”",
    "no-route.json": "the site refuses its REST interface: rest_no_route",
    "cut-off.json": "it starts like JSON and is not",
    "index.json": "this is JSON, but no posts of WordPress",
}


@pytest.mark.parametrize(("name", "why"), UNUSABLE.items())
def test_what_holds_no_posts_is_named_in_one_line(name: str, why: str) -> None:
    with pytest.raises(UnusableInput) as caught:
        read(name)
    assert why in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "data",
    [b"", b"plain words", b"7", b"NaN", b'"x"', b"[" * 200_000, b'{"a":' * 100_000, b"[" + b"9" * 5000 + b"]x", b"\x00" * 9, b" " * 10_000_001],
    ids=["empty", "words", "number", "nan", "string", "deep list", "deep object", "digits", "zeros", "large"],
)  # fmt: skip
def test_hostile_bytes_are_named_unusable(data: bytes) -> None:
    with pytest.raises(UnusableInput):
        wordpress.read_posts(data, url=WHERE)


def test_not_a_number_is_no_number() -> None:
    data = b'[{"id":NaN,"link":"https://gazette.example/a/","title":Infinity,"content":{"rendered":-Infinity}}]'
    assert [(entry.wp_id, entry.title) for entry in wordpress.read_posts(data, url=WHERE).entries] == [(None, "")]


def test_of_a_hundred_thousand_posts_three_hundred_are_looked_at_within_two_seconds() -> None:
    many = [{"id": n, "link": f"https://gazette.example/{n}/", "title": {"rendered": "x"}} for n in range(1, 100_001)]
    data = json.dumps(many).encode()
    started = time.thread_time()
    posts = wordpress.read_posts(data, url=WHERE)
    assert len(posts.entries) == wordpress.MAX_POSTS
    assert "100000 posts: only the first 300 are looked at" in posts.warnings
    assert time.thread_time() - started < 2


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_NAMES = [
    *("id", "guid", "link", "title", "date", "date_gmt", "modified", "modified_gmt", "status", "content", "excerpt"),
    *("categories", "meta", "lang", "coauthors", "authors", "primary_category", "yoast_head_json"),
]
_EMBEDDED = st.dictionaries(st.sampled_from(["author", "wp:term", "wp:featuredmedia"]), _JSON)
_POST = st.fixed_dictionaries({"_embedded": _JSON | _EMBEDDED}, optional=dict.fromkeys(_NAMES, _JSON))


@given(st.lists(_POST, max_size=3))
def test_any_types_anywhere_make_entries_and_warnings(posts: list[dict[str, Any]]) -> None:
    found = wordpress.read_posts(json.dumps(posts).encode(), url=WHERE, tree=tree())
    assert len(found.entries) <= len(posts)
    assert all(isinstance(entry.title, str) and entry.id for entry in found.entries)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_named_unusable(data: bytes) -> None:
    for reader in (wordpress.read_posts, wordpress.read_categories, wordpress.read_site):
        try:
            reader(data)
        except UnusableInput as error:
            assert str(error)


def test_categories_know_their_parents() -> None:
    assert tree()[31] == Term(
        id=31, name="Ambassadors & Envoys", slug="ambassadors", parent=12,
        link="https://gazette.example/category/diplomatic-news/ambassadors/",
    )  # fmt: skip


def test_a_tree_that_loops_still_gives_paths() -> None:
    looped = wordpress.read_categories(sample("categories-in-a-loop.json"))
    assert set(looped) == {12, 31, 7}
    steps = first("not-embedded.json", tree=looped).sections
    assert [step.name for step in steps] == ["A", "B"]


@pytest.mark.parametrize("name", ["posts.json", "one-post.json", "forbidden.json", "block-page.html"])
def test_posts_and_refusals_are_no_categories(name: str) -> None:
    if name == "posts.json":
        assert wordpress.read_categories(sample(name)) == {}
    else:
        with pytest.raises(UnusableInput):
            wordpress.read_categories(sample(name))


def test_an_index_says_what_its_site_is_called_and_where_its_clocks_stand() -> None:
    site = wordpress.read_site(sample("index.json"))
    assert (site.name, site.home, site.zone) == (
        "The Harbour Gazette & Post", "https://gazette.example", "Asia/Karachi",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "offset", "zone"),
    [
        ("", 0, "UTC"),
        ("", 5, "Etc/GMT-5"),
        ("", "-3", "Etc/GMT+3"),
        ("", 5.5, "Asia/Kolkata"),
        ("", 3.25, ""),
        ("", None, ""),
        ("", float("nan"), ""),
        ("", float("inf"), ""),
        ("Mars/Olympus", 2, ""),
        ("../../etc/passwd", 2, ""),
    ],
)
def test_a_plain_offset_becomes_a_zone_where_there_is_one(name: str, offset: object, zone: str) -> None:
    told = {"name": "x", "namespaces": ["wp/v2"], "timezone_string": name, "gmt_offset": offset}
    found = wordpress.read_site(json.dumps(told).encode()).zone
    assert found == zone
    if found:
        assert NOON.astimezone(ZoneInfo(found)).utcoffset() == NOON.astimezone(ZoneInfo(zone)).utcoffset()


@pytest.mark.parametrize(
    ("address", "root"),
    [
        ("https://gazette.example/wp-json/", PRETTY),
        ("https://gazette.example/wp-json", PRETTY),
        ("https://gazette.example/wp-json/wp/v2/posts/4211", PRETTY),
        ("https://gazette.example:8443/blog/wp-json/wp/v2/posts/4211?_embed", "https://gazette.example:8443/blog/wp-json/"),
        ("https://gazette.example/index.php?rest_route=/", PLAIN),
        ("https://gazette.example/index.php?rest_route=%2Fwp%2Fv2%2Fposts%2F4211", PLAIN),
        ("https://gazette.example/?lang=fr&rest_route=/", "https://gazette.example/?lang=fr&rest_route=/"),
        ("/wp-json/", ""),
        ("ftp://gazette.example/wp-json/", ""),
        ("http://[broken/", ""),
    ],
)  # fmt: skip
def test_a_root_is_found_in_any_address_below_it(address: str, root: str) -> None:
    assert wordpress.root(address) == root


@pytest.mark.parametrize("root", [PRETTY, PLAIN], ids=["pretty", "plain"])
def test_addresses_ask_in_the_form_the_root_has(root: str) -> None:
    def asked(url: str) -> tuple[str, dict[str, str]]:
        parts, query = urlsplit(url), dict(parse_qsl(urlsplit(url).query))
        return (query.pop("rest_route", "") or parts.path.removeprefix("/wp-json")), query

    embedded = {"_embed": "author,wp:term,wp:featuredmedia"}
    assert asked(wordpress.newest(root)) == (
        "/wp/v2/posts", {"orderby": "id", "order": "desc", "per_page": "20", **embedded},
    )  # fmt: skip
    assert asked(wordpress.newest(root, count=5, page=2))[1] == {
        "orderby": "id", "order": "desc", "per_page": "5", "page": "2", **embedded,
    }  # fmt: skip
    karachi = NOON.astimezone(ZoneInfo("Asia/Karachi"))
    assert asked(wordpress.published_since(root, since=karachi))[1]["after"] == "2026-04-19T12:30:00Z"
    assert asked(wordpress.modified_since(root, since=NOON))[1]["modified_after"] == "2026-04-19T12:30:00Z"
    assert asked(wordpress.one(root, wp_id=4211)) == ("/wp/v2/posts/4211", embedded)
    assert asked(wordpress.categories(root))[0] == "/wp/v2/categories"
    assert asked(wordpress.index(root))[0] == "/"


def test_parameters_of_a_plain_root_are_kept() -> None:
    url = wordpress.one("https://gazette.example/?lang=fr&rest_route=/", wp_id=7)
    assert url.startswith("https://gazette.example/?lang=fr&rest_route=/wp/v2/posts/7&_embed=")
