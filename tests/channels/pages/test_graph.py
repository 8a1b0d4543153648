"""Facebook pages and Threads: Graph's errors, limits, two steps, counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from pipeline.channels.base import (
    Card,
    Gone,
    Limits,
    Message,
    Metrics,
    Permanent,
    Picture,
    RateLimited,
    Temporary,
    Unauthorised,
    Unknown,
)
from pipeline.channels.pages import facebook, threads

Script: TypeAlias = Any  # conftest.Script, which a test module cannot import
CARD = Card(url="https://go.example.org/c/p1", title="Ferries run")
MESSAGE = Message(key="k", text="Ferries run", marker="https://go.example.org/c/p1", card=CARD)
PICTURE = Picture(content=b"\x89PNG", media_type="image/png", alt="A ferry")
NOON = "Mon, 23 Nov 2026 12:00:00 GMT"
HIDDEN = (400, {"error": {"message": "does not exist", "code": 100, "error_subcode": 33}})


def page(script: Script, **keys: str) -> facebook.Facebook:
    given = facebook.Credentials(access_token="at", page="4711", **keys)
    return facebook.Facebook(credentials=given, base_url=script.url, timeout_s=(2.0, 2.0))


def profile(script: Script) -> threads.Threads:
    given = threads.Credentials(access_token="at", user="4711")
    return threads.Threads(credentials=given, base_url=script.url, timeout_s=(2.0, 2.0))


@pytest.mark.parametrize(
    ("status", "code", "more", "error"),
    [
        (400, 1, {}, Unknown),
        (500, 2, {"is_transient": True}, Unknown),
        (400, 4, {}, RateLimited),
        (400, 17, {}, RateLimited),
        (400, 32, {}, RateLimited),
        (400, 613, {}, RateLimited),
        (400, 80001, {}, RateLimited),
        (400, 10, {}, Permanent),
        (403, 200, {}, Permanent),
        (400, 100, {}, Permanent),
        (400, 190, {"error_subcode": 463}, Unauthorised),
        (400, 368, {}, Permanent),
        (400, 506, {}, Unknown),
        (400, 9, {"is_transient": True}, Unknown),
        (200, 7, {}, Unknown),
    ],
)
def test_a_code_of_graph_means(
    script: Script, status: int, code: int, more: dict[str, Any], error: type[Exception]
) -> None:
    script.say((status, {"error": {"message": "no", "code": code, **more}}))
    with pytest.raises(error):
        page(script).publish(MESSAGE)


@pytest.mark.parametrize(("status", "body"), [(502, b"<html>"), (500, b""), (200, b"not json"), (200, {}), (408, {})])
def test_an_answer_without_sense_leaves_a_post_unknown(script: Script, status: int, body: Any) -> None:
    script.say((status, body))
    with pytest.raises(Unknown):
        page(script).publish(MESSAGE)


def test_a_page_is_given_the_address_its_card_is_drawn_from(script: Script) -> None:
    script.say((200, {"id": "4711_1"}))
    page(script).publish(MESSAGE)
    assert script.heard[0].path == "/v25.0/4711/feed"
    assert dict(parse_qsl(script.heard[0].body.decode())) == {"message": "Ferries run", "link": CARD.url}


def test_pictures_of_a_page_go_first_unpublished_and_carry_their_words(script: Script) -> None:
    script.say((200, {"id": "77"}), (200, {"id": "4711_1"}))
    page(script).publish(Message(key="k", text="t", marker="m", pictures=(PICTURE,)))
    upload, post = script.heard
    assert upload.path == "/v25.0/4711/photos"
    assert all(part in upload.body for part in (b"\x89PNG", b"A ferry", b'name="published"\r\n\r\nfalse'))
    assert json.loads(dict(parse_qsl(post.body.decode()))["attached_media"]) == [{"media_fbid": "77"}]


def test_the_apps_proof_is_the_tokens_hmac(script: Script) -> None:
    """HMAC-SHA256, key "secret", message "at": computed with openssl."""
    script.say((200, {"data": []}))
    page(script, app_secret="secret").find(MESSAGE)
    proof = "71d6183b3a7d28dab38dc8d16d1ece5a9b4d8ea9d6f1a13e2f3f703624fc324f"
    assert parse_qs(urlsplit(script.heard[0].path).query)["appsecret_proof"] == [proof]


def test_limits_are_told_in_percent_with_the_minutes_to_wait(script: Script) -> None:
    use = {"4711": [{"type": "pages", "call_count": 96, "total_time": 2, "estimated_time_to_regain_access": 9}]}
    headers = {"Date": NOON, "X-App-Usage": '{"call_count": 20}', "X-Business-Use-Case-Usage": json.dumps(use)}
    script.say((400, {"error": {"message": "busy", "code": 80001}}, headers))
    account = page(script)
    with pytest.raises(RateLimited) as limited:
        account.publish(MESSAGE)
    assert limited.value.retry_after_s == 9 * 60
    noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    assert account.limits == Limits(remaining=4, reset_at=noon + timedelta(minutes=9), scope="account")


def test_the_whole_apps_calls_are_the_apps_limit(script: Script) -> None:
    script.say((400, {"error": {"message": "busy", "code": 4}}, {"X-App-Usage": '{"call_count": 100}'}))
    account = page(script)
    with pytest.raises(RateLimited) as limited:
        account.publish(MESSAGE)
    assert limited.value.scope == "app"
    assert account.limits == Limits(remaining=0, scope="app")


@pytest.mark.parametrize(
    "header", ["nonsense", "[]", '{"call_count": "many"}', '{"a": [{"call_count": null}]}', '{"a": [7]}']
)
def test_limits_nobody_can_read_disturb_nothing(script: Script, header: str) -> None:
    script.say((200, {"id": "4711_1"}, {"X-App-Usage": header, "X-Business-Use-Case-Usage": header}))
    account = page(script)
    assert account.publish(MESSAGE).remote_id == "4711_1"
    assert account.limits is None


@pytest.mark.parametrize("make", [page, profile])
def test_a_deletion_is_done_only_if_the_account_is_still_ours(script: Script, make: Any) -> None:
    """Graph says "does not exist" of what a token may not see."""
    script.say(HIDDEN, (200, {"id": "4711"}))
    make(script).delete("4711_1")
    script.say(HIDDEN, HIDDEN)
    with pytest.raises(Permanent):
        make(script).delete("4711_1")


def test_the_marker_is_found_in_a_pages_card(script: Script) -> None:
    card = {"data": [{"unshimmed_url": MESSAGE.marker}]}
    script.say((200, {"data": [{"id": "4711_9", "message": "Ferries", "attachments": card}]}))
    found = page(script).find(MESSAGE)
    assert found
    assert found.remote_id == "4711_9"


def test_words_of_a_page_are_edited_and_read_back(script: Script) -> None:
    script.say((200, {"success": True}), (200, {"message": "Ferries run again"}), HIDDEN, (200, {"id": "4711"}))
    account = page(script)
    account.edit("4711_1", Message(key="k", text="Ferries run again", marker="m"))
    assert (script.heard[0].path, script.heard[0].body) == ("/v25.0/4711_1", b"message=Ferries+run+again")
    assert account.read("4711_1") == "Ferries run again"
    assert account.read("4711_2") is None


def test_an_edit_of_what_is_gone_says_so(script: Script) -> None:
    script.say(HIDDEN)
    with pytest.raises(Gone):
        page(script).edit("4711_1", MESSAGE)


def test_counts_of_a_page_are_asked_together_and_one_that_is_gone_costs_the_others_nothing(script: Script) -> None:
    post = {
        "id": "4711_1",
        "reactions": {"data": [], "summary": {"total_count": 12}},
        "comments": {"data": [], "summary": {"total_count": 4}},
        "shares": {"count": 3},
        "insights": {"data": [{"name": "post_media_view", "values": [{"value": 900}]}]},
    }
    script.say(HIDDEN, (200, {"4711_1": post}), HIDDEN)
    assert page(script).metrics(["4711_1", "4711_2"]) == {
        "4711_1": Metrics(likes=12, reposts=3, replies=4, impressions=900)
    }
    assert "ids=4711_1%2C4711_2" in script.heard[0].path


def test_threads_makes_a_container_and_publishes_it(script: Script) -> None:
    script.say((200, {"id": "c1"}), (200, {"id": "9"}), (200, {"permalink": "https://www.threads.com/@a/post/Xy"}))
    placed = profile(script).publish(Message(key="k", text="Ferries", marker="m", card=CARD, reply_to="8"))
    made, published, _ = script.heard
    assert dict(parse_qsl(made.body.decode())) == {
        "media_type": "TEXT", "text": "Ferries", "link_attachment": CARD.url, "reply_to_id": "8",
    }  # fmt: skip
    assert (published.path, published.body) == ("/v1.0/4711/threads_publish", b"creation_id=c1")
    assert (placed.remote_id, placed.url) == ("9", "https://www.threads.com/@a/post/Xy")


@pytest.mark.parametrize("answer", [(500, {}), (200, {}), (200, b"x"), (502, b"<html>")])
def test_a_container_that_is_lost_is_harmless(script: Script, answer: tuple[int, Any]) -> None:
    script.say(answer)
    with pytest.raises(Temporary):
        profile(script).publish(MESSAGE)
    assert [one.path for one in script.heard] == ["/v1.0/4711/threads"]


def test_a_container_that_is_not_ready_is_made_again_later(script: Script) -> None:
    early = {"error": {"message": "The media is not ready", "code": 24, "error_subcode": 4279009}}
    script.say((200, {"id": "c1"}), (400, early))
    with pytest.raises(Temporary):
        profile(script).publish(MESSAGE)


def test_a_post_whose_address_is_not_told_is_live_all_the_same(script: Script) -> None:
    script.say((200, {"id": "c1"}), (200, {"id": "9"}), (500, {}))
    placed = profile(script).publish(MESSAGE)
    assert (placed.remote_id, placed.url) == ("9", None)


def test_threads_refuses_pictures_before_it_asks_anything(script: Script) -> None:
    with pytest.raises(Permanent, match="public address"):
        profile(script).publish(Message(key="k", text="t", marker="m", pictures=(PICTURE,)))
    assert script.heard == []


def test_an_answer_is_sought_among_the_answers(script: Script) -> None:
    script.say((200, {"data": []}))
    profile(script).find(Message(key="k", text="t", marker="https://a.example/1", reply_to="8"))
    assert script.heard[0].path.startswith("/v1.0/4711/replies?")


def test_counts_of_threads_are_asked_one_by_one(script: Script) -> None:
    rows = [
        {"name": name, "values": [{"value": value}]}
        for name, value in (("views", 90), ("likes", 5), ("replies", 2), ("reposts", 3), ("quotes", 1))
    ]
    script.say((200, {"data": rows}), HIDDEN)
    assert profile(script).metrics(["9", "8"]) == {"9": Metrics(likes=5, reposts=4, replies=2, impressions=90)}
    assert script.heard[0].path.startswith("/v1.0/9/insights?metric=views")


def test_a_token_of_threads_lives_another_sixty_days(script: Script) -> None:
    script.say((200, {"access_token": "new", "expires_in": 5184000}, {"Date": NOON}), (200, {"data": []}))
    account = profile(script)
    renewed = account.refresh()
    account.find(MESSAGE)
    assert renewed.values == {"access_token": "new", "user": "4711"}
    assert renewed.until == datetime(2026, 11, 23, 12, tzinfo=UTC) + timedelta(days=60)
    assert script.heard[1].headers["Authorization"] == "Bearer new"


def test_a_token_of_threads_that_has_run_out_needs_a_person(script: Script) -> None:
    script.say((400, {"error": {"message": "expired", "code": 190}}))
    with pytest.raises(Unauthorised):
        profile(script).refresh()


def test_secrets_are_not_shown() -> None:
    shown = repr(facebook.Credentials(access_token="at-1", page="1", app_secret="as-2"))
    shown += repr(threads.Credentials(access_token="at-1", user="1"))
    assert not any(secret in shown for secret in ("at-1", "as-2"))
