"""What senders put into a request, read without trust."""

from __future__ import annotations

import json
import time
import xmlrpc.client
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.pushes import envelopes
from pipeline.sources.pushes.envelopes import Event, Unreadable, dateline_news, ghost_news, ping_method

PUBLISHED = datetime(2026, 4, 19, 4, 10, tzinfo=UTC)


def news_of(**said: Any) -> envelopes.News:
    return dateline_news(json.dumps(said).encode())


def ghost_post(*, before: str | None = "draft", after: str = "published", **said: Any) -> bytes:
    post = {"id": "65a1b2c3d4e5f60001000001", "title": "Port &amp; starboard", "url": "https://gazette.example/port/"}
    current = {**post, "status": after, "published_at": "2026-04-19T04:10:00.000Z", **said}
    previous = {"status": before} if before else {"title": "Port"}
    return json.dumps({"post": {"current": current, "previous": previous}}).encode()


# -- pings


@pytest.mark.parametrize("method", ["weblogUpdates.ping", "weblogUpdates.extendedPing"])
def test_a_ping_is_known_by_its_method(method: str) -> None:
    body = xmlrpc.client.dumps(("The Gazette", "https://gazette.example/"), method)
    assert ping_method(body.encode()) == method


def test_wordpress_own_words_are_a_ping() -> None:
    """As class-IXR-request.php writes them."""
    body = (
        b'<?xml version="1.0"?>\n<methodCall>\n<methodName>weblogUpdates.extendedPing</methodName>\n<params>\n'
        b"<param><value><string>The Gazette</string></value></param>\n"
        b"<param><value><string>http://gazette.example/</string></value></param>\n"
        b"<param><value><string>http://gazette.example/feed/</string></value></param>\n</params></methodCall>\n"
    )
    assert ping_method(body) == "weblogUpdates.extendedPing"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", envelopes.NOT_XML),
        (b"<methodCall>", envelopes.NOT_XML),
        (b'<?xml version="1.0" encoding="no-such"?><methodCall/>', envelopes.NOT_XML),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><methodCall><methodName>weblogUpdates.ping</methodName></methodCall>', envelopes.NOT_XML),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><methodCall/>', envelopes.NOT_XML),
        (b"<methodCall><methodName>system.listMethods</methodName></methodCall>", envelopes.NO_METHOD),
        (b"<methodCall><methodName/></methodCall>", envelopes.NO_METHOD),
        (b"<other><methodName>weblogUpdates.ping</methodName></other>", envelopes.NO_METHOD),
        (b"<a>" * 21_000, envelopes.NOT_XML),
        (b"<a>" * 9_000 + b"</a>" * 9_000, envelopes.NO_METHOD),
    ],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_ping_is_refused_with_a_code(body: bytes, code: int) -> None:
    with pytest.raises(Unreadable) as refused:
        ping_method(body)
    assert refused.value.code == code


def test_a_bomb_of_entities_costs_nothing() -> None:
    levels = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 12))
    bomb = f'<!DOCTYPE a [<!ENTITY a0 "boom">{levels}]><methodCall>&a11;</methodCall>'.encode()
    began = time.process_time()
    with pytest.raises(Unreadable):
        ping_method(bomb)
    assert time.process_time() - began < 0.2


def test_the_answers_are_xml_rpc_that_others_can_read() -> None:
    (struct,), _ = xmlrpc.client.loads(envelopes.thanks("Thanks & bye <3").decode())
    assert struct == {"flerror": False, "message": "Thanks & bye <3"}
    with pytest.raises(xmlrpc.client.Fault) as fault:
        xmlrpc.client.loads(envelopes.fault("no <method>", code=-32601).decode())
    assert (fault.value.faultCode, fault.value.faultString) == (-32601, "no <method>")


# -- our own webhook


def test_a_published_story_is_an_entry_with_its_names() -> None:
    told = news_of(
        event="published",
        id="https://gazette.example/?p=42",
        wp_id=42,
        url="https://gazette.example/port/",
        title="Port &amp; <b>starboard</b>\u0007",
        published_at="2026-04-19T06:10:00+02:00",
    )
    entry = told.entry
    assert told.event is Event.PUBLISHED
    assert (entry.id, entry.wp_id, entry.link) == ("https://gazette.example/?p=42", 42, "https://gazette.example/port/")
    assert (entry.title, entry.published, entry.is_whole) == ("Port & starboard", PUBLISHED, False)


def test_a_hook_with_its_content_is_whole_and_clean() -> None:
    html = '<p onclick="x()">In port.<script>steal()</script> <a href="/more">More</a></p>'
    entry = news_of(event="updated", url="https://gazette.example/port/", content_html=html).entry
    assert entry.is_whole
    assert entry.content_html is not None and "script" not in entry.content_html and "onclick" not in entry.content_html
    assert 'href="https://gazette.example/more"' in entry.content_html


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"event": "deleted", "url": "https://gazette.example/port/"},
        {"event": "published"},
        {"event": "published", "url": "ftp://gazette.example/"},
        {"event": "published", "url": "javascript:alert(1)"},
        {"event": "published", "url": "https://name:word@gazette.example/"},
        {"event": "published", "url": "https://gazette.example:99999/"},
        {"event": "published", "url": "https://[::1/"},
        {"event": "published", "url": "https://gazette.example/" + "a" * 3000},
        {"event": "published", "url": 7},
        {"event": "unpublished"},
        {"event": ["published"], "url": "https://gazette.example/port/"},
    ],
    ids=str,
)
def test_a_hook_that_does_not_say_which_story_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(Unreadable):
        news_of(**said)


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'"x"', b"\xff\xfe", b"{", b"[" * 100_000, b'{"a":' * 50_000])
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    for read in (dateline_news, ghost_news):
        with pytest.raises(Unreadable):
            read(body)


@pytest.mark.parametrize("wp_id", [0, -1, True, "42", 4.2, 2**63, None])
def test_only_a_whole_number_is_a_wordpress_id(wp_id: object) -> None:
    assert news_of(event="published", url="https://gazette.example/port/", wp_id=wp_id).entry.wp_id is None


def test_an_unpublished_story_needs_only_a_name() -> None:
    told = news_of(event="unpublished", id=42)
    assert (told.event, told.entry.id, told.entry.link) == (Event.UNPUBLISHED, "42", None)


@pytest.mark.parametrize("date", ["1795-01-01", "soon", 12, 1e300, {}, "2026-04-19T04:10:00Z" * 40])
def test_a_date_that_is_none_is_left_out(date: object) -> None:
    assert news_of(event="published", url="https://gazette.example/port/", published_at=date).entry.published is None


def test_seconds_since_1970_are_a_date() -> None:
    url = "https://gazette.example/port/"
    assert news_of(event="published", url=url, published_at=PUBLISHED.timestamp()).entry.published == PUBLISHED


# -- Ghost


@pytest.mark.parametrize(
    ("before", "after", "event"),
    [
        ("draft", "published", Event.PUBLISHED),
        ("scheduled", "published", Event.PUBLISHED),
        ("draft", "sent", Event.PUBLISHED),
        ("published", "published", Event.UPDATED),
        (None, "published", Event.UPDATED),
        ("published", "draft", Event.UNPUBLISHED),
    ],
)
def test_ghost_tells_its_event_by_what_changed(before: str | None, after: str, event: Event) -> None:
    told = ghost_news(ghost_post(before=before, after=after))
    assert told is not None and told.event is event
    assert told.entry.id == "65a1b2c3d4e5f60001000001"


def test_ghost_content_counts_only_where_everybody_may_read_it() -> None:
    open_ = ghost_news(ghost_post(html="<p>In port.</p>", visibility="public"))
    paid = ghost_news(ghost_post(html="<p>In port.</p>", visibility="paid"))
    assert open_ is not None and (open_.entry.is_whole, open_.entry.is_paywalled) == (True, False)
    assert paid is not None and (paid.entry.content_html, paid.entry.is_paywalled) == (None, True)


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b'{"page": {"current": {"id": "1", "url": "https://gazette.example/about/", "status": "published"}}}',
        b'{"post": []}',
        b'{"post": {"current": {"status": "draft"}, "previous": {}}}',
        ghost_post(type="page"),
    ],
)
def test_what_ghost_says_of_other_things_is_no_news(body: bytes) -> None:
    assert ghost_news(body) is None


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    ["event", "id", "url", "title", "published_at", "modified_at", "wp_id", "content_html", "summary", "post", "current", "status"]
)  # fmt: skip


@given(said=st.dictionaries(_KEYS, _JSON, max_size=8), event=st.sampled_from([*Event, "x"]))
def test_no_json_object_raises_anything_else(said: dict[str, Any], event: str) -> None:
    for record in (said, {"url": "https://gazette.example/a", **said, "event": event}, {"post": {"current": said}}):
        for read in (dateline_news, ghost_news):
            try:
                read(json.dumps(record).encode())
            except Unreadable as error:
                assert str(error)
