"""Records of Bluesky: names that stay the same, and bytes that do."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

from atproto_client.models.string_formats import validate_tid  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.base import Card, Message
from pipeline.channels.social.bluesky import records
from pipeline.channels.social.bluesky.facets import facets

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
LINK = "https://go.example.org/s/p1"


@given(
    st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2200, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.text(max_size=40),
)
def test_a_name_is_a_tid_of_its_own_second(at: datetime, key: str) -> None:
    name = records.tid(at, key=key)
    assert validate_tid(name, None) == name
    number = 0
    for letter in name:
        number = number << 5 | records._SORTABLE.index(letter)
    assert (number >> 10) // 1_000_000 == int(at.timestamp())
    assert name == records.tid(at.astimezone(timezone(timedelta(hours=9))), key=key)


def test_a_thousand_posts_of_one_second_have_a_thousand_names() -> None:
    assert len({records.tid(NOON, key=f"dateline-{number}") for number in range(1000)}) == 1000


def test_later_seconds_sort_later() -> None:
    names = [records.tid(NOON + timedelta(seconds=second), key="k") for second in range(0, 100_000, 997)]
    assert names == sorted(names)


def test_a_record_is_the_same_bytes_each_time() -> None:
    message = Message(key="k", text=f"Größe {LINK}", marker=LINK, language="de")
    made = [
        records.encoded(records.record(message, created_at=NOON, facets=facets(message.text), embed=None, reply=None))
        for _ in range(2)
    ]
    assert made[0] == made[1]
    assert "Größe".encode() in made[0]
    assert b'"createdAt":"2026-11-23T12:00:00.000000Z"' in made[0]
    assert b"null" not in made[0]


def test_the_marker_is_found_whole_in_words_links_and_cards() -> None:
    card = records.card_embed(Card(url=LINK, title="t"), thumb=None)
    facet = {"features": [{"uri": LINK}]}
    for value in ({"text": f"see {LINK}"}, {"text": "", "facets": [facet]}, {"text": "", "embed": card}):
        assert records.carries(value, LINK)
        assert not records.carries(value, LINK[:-1])
    assert not records.carries({"text": "https://go.example.org/s/p12"}, LINK)


def test_an_answer_to_an_answer_keeps_the_root() -> None:
    root, parent = {"uri": "at://r", "cid": "c1"}, {"uri": "at://p", "cid": "c2"}
    assert records.reply_refs({**root, "value": {}}) == {"root": root, "parent": root}
    above = {"reply": {"root": root, "parent": root}}
    assert records.reply_refs({**parent, "value": above}) == {"root": root, "parent": parent}


def test_the_address_can_be_opened_by_a_person() -> None:
    opened = records.address("at://did:plc:abc/app.bsky.feed.post/3kabc")
    assert re.fullmatch(r"https://bsky\.app/profile/did:plc:abc/post/3kabc", opened)
