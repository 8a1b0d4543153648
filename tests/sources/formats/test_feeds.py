"""Sample feeds, one for each fault of the watching reference 1.5 and 2.2, and what must be read in them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.formats import feeds
from pipeline.sources.formats.entries import MAX_ENTRIES, Entry, Feed

SAMPLES = Path(__file__).parents[2] / "samples" / "feeds"
WHERE = "https://gazette.example/feed/"
MORNING = datetime(2026, 4, 23, 8, 15, tzinfo=UTC)

UNUSABLE = {
    "html-page.xml": "this is a web page, not a feed; it points to the feed https://gazette.example/feed/",
    "block-page.xml": "this is a web page, not a feed",
    "sitemap.xml": "this is a sitemap, not a feed",
    "opml.xml": "this is an OPML list, not a feed",
    "empty.xml": "empty",
    "plain-words.xml": "not a feed: it is neither XML nor JSON",
    "rest-answer.json": "this is an answer of the WordPress REST interface, not a feed",
    "deeply-nested.xml": "nested 1000 deep",
    "crowded-tag.xml": "attributes",
}

TITLES = {
    "arabic.xml": "ميناء جديد في عدن",
    "atom-03.xml": "Still here",
    "bom-and-blank.xml": "Ferry timetable changes in May",
    "cdf.xml": "Pushed",
    "control-characters.xml": "Bell and record separators stay out",
    "cp1252-labelled-utf8.xml": "“Smart quotes” – from a word processor’s paste",
    "external-entity.xml": "Host &file; stays unread",
    "gb2312.xml": "渡轮恢复运营",
    "hostile.xml": "Quiet title",
    "latin1.xml": "Café à Orléans",
    "own-entity.xml": "The Harbour Gazette turns forty",
    "php-warning-first.xml": "Ferry timetable changes in May",
    "rdf.rdf": "Graphs are back",
    "rss-091.xml": "Modem sounds",
    "shift-jis.xml": "フェリー運航再開",
    "stray-ampersands.xml": "AT&T and R&D at M&S: café & bar open",
    "urdu.xml": "کراچی: بندرگاہ پر نیا ٹرمینل",
    "utf16.xml": "Ferry — back",
    "utf8-label-wrong-name.xml": "Çeşme feribotu",
    "windows-1251.xml": "Паром возобновил рейсы",
}


def read(name: str, **kwargs: object) -> Feed:
    return feeds.read((SAMPLES / name).read_bytes(), url=WHERE, **kwargs)  # type: ignore[arg-type]


def first(name: str) -> Entry:
    return read(name).entries[0]


def test_every_sample_is_read_or_named_unusable() -> None:
    names = {path.name for path in SAMPLES.iterdir()}
    assert len(names) >= 48
    for name in sorted(names - set(UNUSABLE)):
        assert all(entry.id and (entry.title or entry.content_html) for entry in read(name).entries), name


@pytest.mark.parametrize(("name", "why"), UNUSABLE.items())
def test_what_is_no_feed_is_named_in_one_line(name: str, why: str) -> None:
    with pytest.raises(feeds.UnusableInput, match=why) as caught:
        read(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "title"), TITLES.items())
def test_a_title_is_read_as_the_newsroom_wrote_it(name: str, title: str) -> None:
    assert first(name).title == title


def test_a_wordpress_feed_gives_every_field() -> None:
    feed = read("wordpress.xml")
    entry = feed.entries[0]
    assert (feed.title, feed.link, feed.language, feed.warnings) == (
        "Harbour Gazette",
        "https://gazette.example",
        "en-GB",
        (),
    )
    assert feed.generator == "https://wordpress.org/?v=6.9"
    assert entry.id == "https://gazette.example/?p=4711"
    assert entry.published == MORNING
    assert entry.author == "Aiko Sato"
    assert entry.categories == ("Diplomatic News", "Ambassadors")
    assert entry.summary == "The envoy said the market “smells of work”. […]"
    assert entry.content_html is not None
    assert '<img alt="Fish" src="https://gazette.example/wp-content/uploads/fish.jpg">' in entry.content_html
    assert "onerror" not in entry.content_html
    assert "track" not in entry.content_html


def test_an_atom_entry_keeps_its_own_id_and_both_dates() -> None:
    feed = read("atom.xml")
    locks, maths = feed.entries
    assert feed.hubs == ("https://hub.example/",)
    assert (locks.title, locks.link, locks.author) == (
        "Lock keepers strike on Friday",
        "https://atom.example/locks",
        "Jana Vos, Piet Maas",
    )
    assert locks.published == datetime(2026, 4, 23, 7, 30, tzinfo=UTC)
    assert locks.updated == datetime(2026, 4, 23, 8, 0, tzinfo=UTC)
    assert locks.content_html is not None
    assert 'href="https://atom.example/map.html"' in locks.content_html
    assert (maths.id, maths.title, maths.published) == ("77", "a < b & c", None)


def test_an_rdf_date_is_the_publication() -> None:
    assert first("rdf.rdf").published == datetime(2026, 4, 22, 23, 0, tzinfo=UTC)


def test_a_json_feed_is_read_by_our_own_reader() -> None:
    feed = read("json-feed.json")
    cafe, other = feed.entries
    assert (feed.title, feed.link, feed.language) == ("JSON Times", "https://json.example/", "fr")
    assert feed.warnings == ("item is not an object",)
    assert (cafe.id, cafe.author, cafe.categories) == ("12345", "Line, Ode", ("Ville",))
    assert cafe.published == datetime(2026, 4, 23, 8, 0, tzinfo=UTC)
    assert cafe.image == "https://gazette.example/i.jpg"
    assert "script" not in (cafe.content_html or "")
    assert (other.link, other.content_html) == ("https://other.example/b", "<p>1 &lt; 2</p>")


def test_a_json_feed_without_version_and_with_raw_line_breaks_is_still_one() -> None:
    assert (first("json-feed-lenient.json").title, first("json-feed-lenient.json").id) == ("Line break", "1")


def test_halves_of_characters_are_left_out() -> None:
    entry = first("json-half-characters.json")
    assert (entry.id, entry.title) == ("a-", "Half a fish")
    assert entry.content_html == "<p>The other half  swam 🐟 on.</p>"


def test_divisions_that_are_cleaned_away_leave_their_blank_lines() -> None:
    content = first("blogger-divs.xml").content_html
    assert content is not None
    assert "The council bought a plough.\n\n<br>\n\nIt will be used on sand." in content


def test_markup_written_in_numbers_is_markup() -> None:
    entry = first("numeric-markup.xml")
    assert (entry.title, entry.content_html) == ("One < two & three", "<p>Written <em>in numbers</em>.</p>")
    assert entry.published == MORNING


def test_of_long_entries_fewer_are_looked_at() -> None:
    entry = (
        "<item><title>{}</title><link>https://a.example/{}</link><description>"
        + "&lt;p>x" * 900
        + "</description></item>"
    )
    feed = feeds.read(f"<rss><channel>{''.join(entry.format(n, n) for n in range(400))}</channel></rss>".encode())
    assert [entry.title for entry in feed.entries[:2]] == ["0", "1"]
    assert len(feed.entries) == 100
    assert "400 entries: only the first and last 50 are looked at" in feed.warnings


def test_one_guid_on_all_items_makes_links_the_ids() -> None:
    feed = read("guid-on-every-item.xml")
    assert [entry.id for entry in feed.entries] == [entry.link for entry in feed.entries]
    assert len({entry.id for entry in feed.entries}) == 3
    assert feed.warnings == ("several entries share one id: their links are their ids (3 times)",)


def test_one_guid_and_link_on_all_items_makes_words_the_ids() -> None:
    ids = [entry.id for entry in read("guid-and-link-on-every-item.xml").entries]
    assert len(set(ids)) == 3
    assert all(each.startswith("sha256:") for each in ids)


def test_entries_without_id_and_link_are_told_apart_by_their_words() -> None:
    feed = read("no-guid-no-link.xml")
    assert len({entry.id for entry in feed.entries}) == 2
    assert feed.entries[0].id == read("no-guid-no-link.xml").entries[0].id


def test_an_entry_without_guid_is_its_link() -> None:
    assert first("no-guid.xml").id == "https://gazette.example/2026/04/story-1/"


def test_a_guid_that_is_no_address_is_not_resolved_like_one() -> None:
    entry = first("guid-not-permalink.xml")
    assert (entry.id, entry.link) == ("98765", "https://gazette.example/2026/04/numbered")


def test_an_entry_said_twice_is_kept_once() -> None:
    feed = read("said-twice.xml")
    assert len(feed.entries) == 2
    assert feed.warnings == ("entry is said twice",)


def test_an_entry_the_end_of_the_file_cuts_off_is_left_out() -> None:
    feed = read("cut-off.xml")
    assert [entry.title for entry in feed.entries] == ["Ferry timetable changes in May"]
    assert "the feed is cut off: its last entry is left out" in feed.warnings


def test_dates_are_read_in_every_style_and_doubts_are_told() -> None:
    feed = read("dates.xml")
    assert [entry.published for entry in feed.entries] == [
        *[MORNING] * 7, MORNING.replace(hour=0, minute=0), None, None, None, MORNING
    ]  # fmt: skip
    assert set(feed.warnings) == {
        "date with no zone (2 times)", "date with impossible time", "date cannot be read (2 times)", "date with unknown zone XYZT"
    }  # fmt: skip


def test_a_date_without_a_zone_is_in_the_sources_own() -> None:
    feed = feeds.read((SAMPLES / "dates.xml").read_bytes(), zone=ZoneInfo("Asia/Karachi"))
    assert feed.entries[4].published == datetime(2026, 4, 23, 3, 15, tzinfo=UTC)


def test_a_pakistani_newsrooms_zone_is_not_utc() -> None:
    assert first("urdu.xml").published == MORNING


def test_the_newest_entries_are_considered_wherever_they_stand() -> None:
    feed = read("many.xml")
    assert len(feed.entries) == MAX_ENTRIES
    oldest = min(entry.published for entry in feed.entries if entry.published)
    assert oldest >= datetime(2026, 1, 4, tzinfo=UTC)
    assert feed.warnings == ("only the newest 300 of 320 entries are considered",)


def test_a_long_feed_is_read_from_both_ends() -> None:
    items = "".join(f"<item><title>{n}</title><link>https://a.example/{n}</link></item>" for n in range(100_000))
    started = time.process_time()
    feed = feeds.read(f"<rss version='2.0'><channel>{items}</channel></rss>".encode())
    assert time.process_time() - started < 10
    assert len(feed.entries) == MAX_ENTRIES


def test_hostile_markup_is_left_with_its_words() -> None:
    entry = first("hostile.xml")
    assert entry.link is None
    assert entry.content_html == '<p>Hi <a rel="noopener noreferrer nofollow">there</a></p><p></p>'


def test_a_feed_counters_detour_is_not_the_link() -> None:
    assert first("feedburner.xml").link == "https://gazette.example/real/"


def test_a_picture_comes_from_media_elements() -> None:
    assert first("media.xml").image == "https://cdn.example/b.jpg"


def test_a_picture_in_the_text_will_do_when_none_is_declared() -> None:
    assert first("wordpress.xml").image == "https://gazette.example/wp-content/uploads/fish.jpg"


def test_the_line_wordpress_puts_under_an_excerpt_is_no_part_of_it() -> None:
    tail = "<p>The post <a href='/a'>The post office opens</a> appeared first on <a href='/'>The Gazette</a>.</p>"
    body = f"<rss version='2.0'><channel><item><title>The post office opens</title><description><![CDATA[<p>Stamps are back.</p>{tail}]]></description></item></channel></rss>"
    entry = feeds.read(body.encode(), url=WHERE).entries[0]
    assert (entry.summary, entry.content_html) == ("Stamps are back.", "<p>Stamps are back.</p>")


def test_relative_links_are_resolved_against_the_feed() -> None:
    assert first("relative-links.xml").link == "https://gazette.example/2026/relative/"
    assert (
        feeds.read((SAMPLES / "relative-links.xml").read_bytes()).entries[0].link
        == "https://gazette.example/2026/relative/"
    )


def test_an_empty_channel_is_a_feed_without_entries() -> None:
    assert read("empty-channel.xml").entries == ()


def test_the_charset_of_the_response_is_used_and_its_type_ignored() -> None:
    body = "<rss version='2.0'><channel><item><title>Žluťoučký kůň</title></item></channel></rss>".encode("iso-8859-2")
    feed = feeds.read(body, headers={"Content-Type": "text/html; charset=ISO-8859-2"})
    assert feed.entries[0].title == "Žluťoučký kůň"


def test_a_feed_that_declares_utf8_and_is_utf8_is_not_spoilt_by_the_servers_default() -> None:
    body = '<?xml version="1.0" encoding="utf-8"?><rss version="2.0"><channel><item><title>Café</title></item></channel></rss>'.encode()
    assert feeds.read(body, headers={"CONTENT-TYPE": "text/xml; charset=ISO-8859-1"}).entries[0].title == "Café"


def test_too_large_a_body_is_refused_before_it_is_read() -> None:
    with pytest.raises(feeds.UnusableInput, match="too large"):
        feeds.read(b" " * (feeds.MAX_BYTES + 1))


@pytest.mark.parametrize(
    "middle",
    [
        "<a <a " * 30_000, "<![CDATA[" * 150_000, "<!--" * 150_000, "]]>" * 900_000, "<category>x</category>" * 20_000, " " * 5_000_000, "<a " + "x=1 " * 100_000,
        "😀" * 2_000_000, "</description><title>&lt;" + "a" * 2_000_000 + "</title><description>", "&lt;p>The post " + "x " * 900_000, "[" * 2_000_000, "/" * 2_000_000, "A, " * 700_000,
    ],
    ids=range(13),
)  # fmt: skip
def test_no_body_takes_ten_seconds(middle: str) -> None:
    body = f"<rss version='2.0'><channel><item><title>t</title><description>{middle}</description></item></channel></rss>".encode()
    started = time.process_time()
    try:
        feeds.read(body[: feeds.MAX_BYTES], url=WHERE)
    except feeds.UnusableInput as error:
        assert str(error)
    assert time.process_time() - started < 10


PIECES = ["<rss>", "<channel>", "<item>", "</item>", "<title>", "</title>", "<guid>", "x", "&", "&amp;", "<![CDATA[", "]]>", "<feed xmlns='http://www.w3.org/2005/Atom'>",
          "<entry>", "<id>1</id>", "<link href='/a'/>", "<!DOCTYPE rss [", "<!ENTITY a 'b'>", "]>", "\x00", "é", "<pubDate>1</pubDate>", "{", '"items":[', "}", "<?xml version='1.0' encoding='", "'?>", "<content type='xhtml'>", "<div>"]  # fmt: skip


@given(st.binary(max_size=400))
def test_any_bytes_are_a_feed_or_unusable(data: bytes) -> None:
    try:
        assert isinstance(feeds.read(data, url=WHERE), Feed)
    except feeds.UnusableInput as error:
        assert str(error)


@given(
    st.lists(st.sampled_from(PIECES), max_size=30),
    st.sampled_from(["", "text/xml; charset=x", "a; charset=utf-16", "charset=idna"]),
)
def test_any_mix_of_markup_is_a_feed_or_unusable(pieces: list[str], content_type: str) -> None:
    try:
        feed = feeds.read("".join(pieces).encode(), url=WHERE, headers={"content-type": content_type})
    except feeds.UnusableInput as error:
        assert str(error)
    else:
        assert len({entry.id for entry in feed.entries}) == len(feed.entries)
