"""LinkedIn: little text, cards, statistics, tokens. What all networks promise is in tests/contracts."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.channels.base import (
    Card,
    Expired,
    Gone,
    Message,
    Metrics,
    Permanent,
    Picture,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.pages.linkedin import Credentials, LinkedIn, little, plain

Script: TypeAlias = Any  # conftest.Script, which a test module cannot import
CARD = Card(url="https://a.example/1", title="Ferries run", description="After two days", picture=None)
MESSAGE = Message(key="k", text="Ferries run", marker="https://go.example.org/c/p1")
NOON = "Mon, 23 Nov 2026 12:00:00 GMT"


def page(script: Script, **keys: str) -> LinkedIn:
    given = Credentials(**{"access_token": "at", "organisation": "2414183", **keys})
    return LinkedIn(credentials=given, base_url=script.url, timeout_s=(2.0, 2.0))


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("Ferries (again) run", r"Ferries \(again\) run"),
        ("a_b *c* ~d~ <e> [f] {g} | h \\ i @j", r"a\_b \*c\* \~d\~ \<e\> \[f\] \{g\} \| h \\ i \@j"),
        ("#MiddleEast today", r"{hashtag|\#|MiddleEast} today"),
        ("now #Größe, #日本", r"now {hashtag|\#|Größe}, {hashtag|\#|日本}"),
        ("#2026 is no hashtag, nor is a#b", r"\#2026 is no hashtag, nor is a\#b"),
        ("https://a.example/x#top", r"https://a.example/x\#top"),
        ("#snake_case", r"{hashtag|\#|snake\_case}"),
    ],
)
def test_reserved_characters_are_escaped_and_hashtags_stay_alive(text: str, sent: str) -> None:
    assert little(text) == sent
    assert plain(sent) == text


@given(st.text(alphabet=st.sampled_from("ab1 \\|{}@[]()<>#*_~\n日ß")))
def test_what_readers_see_is_what_was_written(text: str) -> None:
    assert plain(little(text)) == text
    bare = re.sub(r"\{hashtag\|\\#\|(?:\\.|[^|}\\])+\}", "", little(text))
    assert not re.search(r"[|{}@\[\]()<>#*_~]", re.sub(r"\\.", "", bare, flags=re.S))


def test_a_card_is_described_by_us_with_an_uploaded_picture(script: Script) -> None:
    place = {"value": {"uploadUrl": f"{script.url}/put/1", "image": "urn:li:image:C4"}}
    script.say((200, place), (201, b""), (201, {}, {"x-restli-id": "urn:li:share:7"}))
    picture = Picture(content=b"\x89PNG", media_type="image/png", alt="A ferry")
    card = Card(url=CARD.url, title=CARD.title, description=CARD.description, picture=picture)
    placed = page(script).publish(Message(key="k", text="t", marker="m", card=card))
    begun, put, post = script.heard
    assert begun.json == {"initializeUploadRequest": {"owner": "urn:li:organization:2414183"}}
    assert (put.method, put.path, put.body) == ("PUT", "/put/1", b"\x89PNG")
    article = {"source": "https://a.example/1", "title": "Ferries run", "description": "After two days"}
    assert post.json["content"] == {"article": {**article, "thumbnail": "urn:li:image:C4"}}
    assert (post.json["author"], post.json["lifecycleState"]) == ("urn:li:organization:2414183", "PUBLISHED")
    assert placed.url == "https://www.linkedin.com/feed/update/urn:li:share:7"


def test_pictures_carry_their_words(script: Script) -> None:
    place = {"value": {"uploadUrl": f"{script.url}/put/1", "image": "urn:li:image:C4"}}
    script.say((200, place), (201, b""), (201, {}, {"x-restli-id": "urn:li:share:7"}))
    picture = Picture(content=b"x", media_type="image/jpeg", alt="A ferry")
    page(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    assert script.heard[2].json["content"] == {"media": {"id": "urn:li:image:C4", "altText": "A ferry"}}


def test_a_picture_that_fails_posts_nothing(script: Script) -> None:
    script.say((500, {}))
    picture = Picture(content=b"x", media_type="image/jpeg", alt="")
    with pytest.raises(Temporary):
        page(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    assert [one.path for one in script.heard] == ["/rest/images?action=initializeUpload"]


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"message": "bad"}, Permanent),
        (401, {"code": "REVOKED_ACCESS_TOKEN"}, Unauthorised),
        (403, {"message": "Not enough permissions"}, Permanent),
        (408, {}, Unknown),
        (409, {}, Unknown),
        (422, {"code": "DUPLICATE_POST", "message": "Content is a duplicate of urn:li:share:1"}, Unknown),
        (422, {"message": "too long"}, Permanent),
        (426, {"message": "Version Header is Deprecated"}, Permanent),
        (429, {}, RateLimited),
        (500, {}, Unknown),
        (502, b"<html>", Unknown),
        (503, {}, Unknown),
        (201, {}, Unknown),
        (307, {}, Permanent),
    ],
)
def test_an_answer_to_a_post_means(script: Script, status: int, body: Any, error: type[Exception]) -> None:
    script.say((status, body, {"Location": "/elsewhere"}))
    with pytest.raises(error):
        page(script).publish(MESSAGE)
    assert len(script.heard) == 1


def test_a_day_that_is_used_up_ends_at_midnight_utc(script: Script) -> None:
    script.say((429, {}, {"Date": NOON}))
    with pytest.raises(RateLimited) as limited:
        page(script).publish(MESSAGE)
    assert (limited.value.retry_after_s, limited.value.scope) == (12 * 3600, "app")


def test_a_token_that_can_be_renewed_is_expired_and_renewed(script: Script) -> None:
    keys = {"refresh_token": "rt", "client_id": "ci", "client_secret": "cs"}
    script.say(
        (401, {}), (200, {"access_token": "new", "expires_in": 5184000}, {"Date": NOON}), (200, {"elements": []})
    )
    account = page(script, **keys)
    with pytest.raises(Expired):
        account.publish(MESSAGE)
    renewed = account.refresh()
    account.find(MESSAGE)
    assert renewed.values == {
        "access_token": "new", "organisation": "2414183", "version": "202607", **keys,
    }  # fmt: skip
    assert renewed.until == datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(days=60)
    assert "Authorization" not in script.heard[1].headers
    assert script.heard[2].headers["Authorization"] == "Bearer new"
    assert "new" not in repr(renewed)


def test_a_refresh_that_is_refused_needs_a_person(script: Script) -> None:
    script.say((400, {"error": "invalid_grant", "error_description": "expired"}))
    with pytest.raises(Unauthorised):
        page(script, refresh_token="rt", client_id="ci", client_secret="cs").refresh()


def test_words_are_edited_and_read_back_without_escapes(script: Script) -> None:
    script.say((204, b""), (200, {"commentary": r"Ferries \(again\) {hashtag|\#|Sea}"}), (404, {}))
    account = page(script)
    account.edit("urn:li:share:7", Message(key="k", text="Ferries (again)", marker="m"))
    assert script.heard[0].path == "/rest/posts/urn%3Ali%3Ashare%3A7"
    assert script.heard[0].json == {"patch": {"$set": {"commentary": r"Ferries \(again\)"}}}
    assert script.heard[0].headers["X-RestLi-Method"] == "PARTIAL_UPDATE"
    assert account.read("urn:li:share:7") == "Ferries (again) #Sea"
    assert account.read("urn:li:share:8") is None


def test_an_edit_of_what_is_gone_says_so(script: Script) -> None:
    script.say((404, {"message": "no"}))
    with pytest.raises(Gone):
        page(script).edit("urn:li:share:7", MESSAGE)


def test_the_marker_is_found_in_a_card(script: Script) -> None:
    article = {"article": {"source": MESSAGE.marker}}
    script.say((200, {"elements": [{"id": "urn:li:share:9", "commentary": "Ferries", "content": article}]}))
    found = page(script).find(MESSAGE)
    assert found
    assert found.remote_id == "urn:li:share:9"


@pytest.mark.parametrize("body", [b"not json", {}, {"elements": None}])
def test_an_account_that_gave_no_list_was_not_read(script: Script, body: Any) -> None:
    script.say((200, body))
    with pytest.raises(Temporary):
        page(script).find(MESSAGE)


def test_counts_are_asked_in_rest_li_lists(script: Script) -> None:
    counts = {"likeCount": 3, "shareCount": 2, "commentCount": 1, "impressionCount": 90, "clickCount": 8}
    script.say((200, {"elements": [{"share": "urn:li:share:7", "totalShareStatistics": counts}]}))
    told = page(script).metrics(["urn:li:share:7", "urn:li:ugcPost:8"])
    assert told == {"urn:li:share:7": Metrics(likes=3, reposts=2, replies=1, impressions=90)}
    assert script.heard[0].path.endswith("&shares=List(urn%3Ali%3Ashare%3A7)&ugcPosts=List(urn%3Ali%3AugcPost%3A8)")


def test_secrets_are_not_shown() -> None:
    shown = repr(Credentials(access_token="at-1", organisation="1", refresh_token="rt-2", client_secret="cs-3"))
    assert not any(secret in shown for secret in ("at-1", "rt-2", "cs-3"))
