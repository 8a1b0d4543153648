"""What X's answers mean, one by one; the promises shared with other networks are in tests/contracts/test_channel.py."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from pipeline.channels.base import (
    Expired,
    Gone,
    Limits,
    Message,
    Metrics,
    Permanent,
    Picture,
    RateLimited,
    Spent,
    Temporary,
    Unanswerable,
    Unauthorised,
    Unknown,
)
from pipeline.channels.social.x import Credentials, Grant, X, connect
from tests.factories.scripted import Answer, Script

DUPLICATE = {"detail": "You are not allowed to create a Tweet with duplicate content.", "status": 403}
CAPPED = {"title": "UsageCapExceeded", "type": "https://api.twitter.com/2/problems/usage-capped"}
MESSAGE = Message(key="post-1", text="Ferries run https://go.example.org/s/p1", marker="https://go.example.org/s/p1")


def account(script: Script) -> X:
    credentials = Credentials(
        consumer_key="ck", consumer_secret="cs", access_token="4711-at", access_token_secret="ats"
    )
    return X(credentials=credentials, base_url=script.url, timeout_s=(2.0, 2.0))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"errors": [{"message": "text is missing"}]}, Permanent),
        (401, {"title": "Unauthorized"}, Unauthorised),
        (402, {"title": "CreditsDepleted", "detail": "no credits"}, Spent),
        (403, {"detail": "You are not permitted to perform this action."}, Permanent),
        (403, DUPLICATE, Unknown),
        (403, {"title": "SpendCapReached", "detail": "reached its billing cycle spend cap"}, Spent),
        (403, {"title": "Forbidden", "detail": "Your account is suspended."}, Unauthorised),
        (403, {"reason": "client-not-enrolled", "title": "Client Forbidden"}, Unauthorised),
        (404, {}, Gone),
        (408, {}, Unknown),
        (409, {}, Unknown),
        (413, b"too large", Permanent),
        (422, {}, Permanent),
        (429, {}, RateLimited),
        (429, CAPPED, Spent),
        (500, {}, Unknown),
        (502, b"<html>bad gateway</html>", Unknown),
        (503, {"title": "Service Unavailable"}, Unknown),
        (504, b"", Unknown),
        (400, [1, 2], Unknown),
        (201, {"data": {}}, Unknown),
        (201, {"errors": [{"detail": "half done"}]}, Unknown),
        (201, b"not json", Unknown),
        (201, [], Unknown),
    ],
)
def test_answer_to_a_post_means(script: Script, status: int, body: Any, error: type[Exception]) -> None:
    script.answers = [(status, body, {})]
    with pytest.raises(error) as raised:
        account(script).publish(MESSAGE)
    assert raised.type is error
    assert len(script.heard) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {}, Permanent),
        (403, DUPLICATE, Permanent),
        (404, {}, Permanent),
        (429, {}, RateLimited),
        (500, {}, Temporary),
        (503, b"", Temporary),
        (200, b"not json", Temporary),
        (200, {"errors": [{"detail": "not now"}]}, Temporary),
    ],
)
def test_answer_to_a_look_means(script: Script, status: int, body: Any, error: type[Exception]) -> None:
    script.answers = [(status, body, {})]
    with pytest.raises(error):
        account(script).find(MESSAGE)


def test_a_redirect_is_not_followed(script: Script) -> None:
    script.answers = [(307, {}, {"Location": "/2/elsewhere"})]
    with pytest.raises(Permanent):
        account(script).publish(MESSAGE)
    assert [path for _, path, _ in script.heard] == ["/2/tweets"]


NOON = "Mon, 23 Nov 2026 12:00:00 GMT"
NOON_S = 1_795_435_200  # the same instant, in epoch seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Date": NOON, "x-rate-limit-reset": str(NOON_S + 90)}, 90),
        ({"Date": NOON, "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(NOON_S + 90)}, 90),
        (
            {
                "Date": NOON,
                "x-rate-limit-remaining": "12",
                "x-rate-limit-reset": str(NOON_S + 90),
                "x-app-limit-24hour-remaining": "0",
                "x-app-limit-24hour-reset": str(NOON_S + 7200),
            },
            7200,
        ),
        ({"Date": NOON, "x-rate-limit-reset": str(NOON_S - 5)}, 1),
        ({"Date": NOON}, None),
    ],
)
def test_patience_is_told_in_seconds_by_the_clock_of_x(
    script: Script, headers: dict[str, str], seconds: float | None
) -> None:
    script.answers = [(429, {"title": "Too Many Requests"}, headers)]
    with pytest.raises(RateLimited) as limited:
        account(script).publish(MESSAGE)
    assert limited.value.retry_after_s == seconds


def test_a_reset_nobody_can_read_leaves_the_post_unknown(script: Script) -> None:
    """tweepy turns the header into a number before we see the answer."""
    script.answers = [(429, {}, {"x-rate-limit-reset": "soon"})]
    with pytest.raises(Unknown):
        account(script).publish(MESSAGE)


def test_pictures_go_first_and_carry_their_words(script: Script) -> None:
    script.answers = [
        (200, {"data": {"id": "77"}}, {}),
        (200, {"data": {"id": "77"}}, {}),
        (201, {"data": {"id": "1"}}, {}),
    ]
    picture = Picture(content=b"\x89PNG-bytes", media_type="image/png", alt="A ferry leaves the quay")
    account(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    upload, words, post = script.heard
    assert [path for _, path, _ in script.heard] == ["/2/media/upload", "/2/media/metadata", "/2/tweets"]
    assert b"\x89PNG-bytes" in upload[2]
    assert json.loads(words[2]) == {"id": "77", "metadata": {"alt_text": {"text": "A ferry leaves the quay"}}}
    assert json.loads(post[2]) == {"text": "t", "media": {"media_ids": ["77"]}}


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((500, {}, {}), Temporary),
        ((400, {}, {}), Permanent),
        ((200, {}, {}), Temporary),
        ((429, {}, {}), RateLimited),
    ],
)
def test_a_picture_that_fails_posts_nothing(script: Script, answer: Answer, error: type[Exception]) -> None:
    script.answers = [answer]
    picture = Picture(content=b"x", media_type="image/png", alt="")
    with pytest.raises(error):
        account(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    assert [path for _, path, _ in script.heard] == ["/2/media/upload"]


@pytest.mark.parametrize(
    "post",
    [
        {"id": "5", "text": "t.co", "entities": {"urls": [{"expanded_url": MESSAGE.marker}]}},
        {"id": "5", "text": "t.co", "entities": {"urls": [{"expanded_url": "https://t.co", "unwound_url": MESSAGE.marker}]}},
        {"id": "5", "text": f"see {MESSAGE.marker}"},
        {"id": "5", "text": "", "entities": {"urls": [{"expanded_url": f"{MESSAGE.marker}?utm=x"}]}},
    ],
)  # fmt: skip
def test_marker_is_found_wherever_x_keeps_it(script: Script, post: dict[str, Any]) -> None:
    script.answers = [(200, {"data": [{"id": "9", "text": "other"}, post], "meta": {}}, {})]
    found = account(script).find(MESSAGE)
    assert found
    assert (found.remote_id, found.url) == ("5", "https://x.com/i/status/5")


def test_looking_reads_the_own_account_and_at_most_a_hundred_posts(script: Script) -> None:
    """Each post read costs $0.001: an account with thousands must not be read to its end."""
    page = [{"id": str(number), "text": "other"} for number in range(20)]
    script.answers = [(200, {"data": page, "meta": {"next_token": "more"}}, {})]
    assert account(script).find(MESSAGE) is None
    assert len(script.heard) == 5
    assert all(path.startswith("/2/users/4711/tweets?") and "max_results=20" in path for _, path, _ in script.heard)


def test_secrets_are_not_shown() -> None:
    shown = repr(Credentials("ck-1", "cs-2", "at-3", "ats-4"))
    assert not any(secret in shown for secret in ("ck-1", "cs-2", "at-3", "ats-4"))


def granted(script: Script, **keys: str) -> X:
    grant = Grant(client_id="ci", access_token="old-at", refresh_token="old-rt", **keys)
    return X(credentials=grant, base_url=script.url, timeout_s=(2.0, 2.0))


def test_an_oauth_2_token_is_the_bearer_of_posts_and_pictures(script: Script) -> None:
    script.answers = [(200, {"data": {"id": "77"}}, {}), (201, {"data": {"id": "1"}}, {})]
    picture = Picture(content=b"x", media_type="image/png", alt="")
    granted(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,)))
    assert [sent["Authorization"] for sent in script.headers] == ["Bearer old-at"] * 2


def test_an_oauth_2_token_that_is_refused_is_expired(script: Script) -> None:
    script.answers = [(401, {"title": "Unauthorized"}, {})]
    with pytest.raises(Expired):
        granted(script).publish(MESSAGE)


def test_an_account_that_only_its_token_names_is_asked_once(script: Script) -> None:
    script.answers = [(200, {"data": {"id": "4711"}}, {}), (200, {"meta": {"result_count": 0}}, {})]
    channel = granted(script)
    assert channel.find(MESSAGE) is None
    assert channel.find(MESSAGE) is None
    paths = [path.partition("?")[0] for _, path, _ in script.heard]
    assert paths == ["/2/users/me", "/2/users/4711/tweets", "/2/users/4711/tweets"]


@pytest.mark.parametrize(("secret", "signed"), [("", False), ("cs", True)])
def test_a_token_is_renewed_whole_and_used_from_then_on(script: Script, secret: str, signed: bool) -> None:
    script.answers = [
        (200, {"access_token": "new-at", "refresh_token": "new-rt", "expires_in": 7200}, {}),
        (201, {"data": {"id": "1"}}, {}),
    ]
    channel = granted(script, **({"client_secret": secret} if secret else {}))
    keys = channel.refresh()
    channel.publish(MESSAGE)
    _, path, body = script.heard[0]
    assert path == "/2/oauth2/token"
    assert parse_qs(body.decode()) == {
        "grant_type": ["refresh_token"], "refresh_token": ["old-rt"], "client_id": ["ci"]
    }  # fmt: skip
    assert ("Authorization" in script.headers[0]) is signed
    assert (keys.values["access_token"], keys.values["refresh_token"]) == ("new-at", "new-rt")
    assert keys.until
    assert abs(keys.until - datetime.now(UTC) - timedelta(hours=2)) < timedelta(seconds=30)
    assert script.headers[1]["Authorization"] == "Bearer new-at"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "invalid_request", "error_description": "Value passed for the token was invalid."}, Unauthorised),
        (401, {"error": "unauthorized_client"}, Unauthorised),
        (429, {}, RateLimited),
        (503, b"", Temporary),
        (200, {}, Temporary),
    ],
)  # fmt: skip
def test_answer_to_a_renewal_means(script: Script, status: int, body: Any, error: type[Exception]) -> None:
    script.answers = [(status, body, {})]
    with pytest.raises(error):
        granted(script).refresh()


def test_an_oauth_1_token_is_not_renewed(script: Script) -> None:
    with pytest.raises(Unauthorised):
        account(script).refresh()
    assert script.heard == []


def test_an_answer_to_a_post_names_it(script: Script) -> None:
    script.answers = [(201, {"data": {"id": "2"}}, {})]
    account(script).publish(Message(key="k", text="t", marker="m", reply_to="1"))
    assert json.loads(script.heard[0][2]) == {"text": "t", "reply": {"in_reply_to_tweet_id": "1"}}


@pytest.mark.parametrize(
    "detail",
    [
        "Reply to this conversation is not allowed because you have not been mentioned or otherwise engaged by the author"
        " of the post you are replying to.",
        "You attempted to reply to a Tweet that is deleted or not visible to you.",
    ],
)
def test_an_answer_that_x_refuses_says_that_only_the_answer_was(script: Script, detail: str) -> None:
    script.answers = [(403, {"detail": detail, "title": "Forbidden", "status": 403}, {})]
    with pytest.raises(Unanswerable, match="403"):
        account(script).publish(Message(key="k", text="t", marker="m", reply_to="1"))


def test_a_post_reads_as_written_without_its_t_co_and_escapes(script: Script) -> None:
    post = {
        "id": "5",
        "text": "Fish &amp; chips &lt;3 https://t.co/a https://t.co/b",
        "entities": {
            "urls": [
                {"url": "https://t.co/a", "expanded_url": "https://go.example.org/s/p1"},
                {"url": "https://t.co/b", "expanded_url": "https://x.com/h/status/5/photo/1", "media_key": "3_1"},
            ]
        },
    }
    script.answers = [(200, {"data": [post], "meta": {}}, {})]
    assert account(script).read("5") == "Fish & chips <3 https://go.example.org/s/p1"
    assert "since_id=4" in script.heard[0][1]
    assert "until_id=6" in script.heard[0][1]


def test_a_post_that_is_gone_reads_as_none(script: Script) -> None:
    script.answers = [(200, {"meta": {"result_count": 0}}, {})]
    assert account(script).read("5") is None


def test_metrics_are_the_public_counts_of_those_asked_for(script: Script) -> None:
    counts = {"like_count": 3, "retweet_count": 2, "quote_count": 1, "reply_count": 4, "impression_count": 99}
    posts = [{"id": "7", "text": "a", "public_metrics": counts}, {"id": "6", "text": "not asked for"}]
    script.answers = [(200, {"data": posts, "meta": {}}, {})]
    assert account(script).metrics(["5", "7"]) == {"7": Metrics(likes=3, reposts=3, replies=4, impressions=99)}
    assert account(script).metrics([]) == {}
    assert len(script.heard) == 1


def test_limits_are_those_of_the_tightest_window(script: Script) -> None:
    headers = {
        "x-rate-limit-remaining": "99",
        "x-rate-limit-reset": str(NOON_S),
        "x-app-limit-24hour-remaining": "7",
        "x-app-limit-24hour-reset": str(NOON_S + 60),
    }
    script.answers = [(201, {"data": {"id": "2"}}, headers)]
    channel = account(script)
    assert channel.limits is None
    channel.publish(MESSAGE)
    assert channel.limits == Limits(7, datetime(2026, 11, 23, 12, 1, tzinfo=UTC), "app")


def test_an_app_that_must_wait_says_so(script: Script) -> None:
    headers = {"Date": NOON, "x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": str(NOON_S + 7200)}
    script.answers = [(429, {}, {**headers, "x-rate-limit-remaining": "3"})]
    with pytest.raises(RateLimited) as limited:
        account(script).publish(MESSAGE)
    assert (limited.value.scope, limited.value.retry_after_s) == ("app", 7200)


def test_keys_choose_the_way_in() -> None:
    one = {"consumer_key": "a", "consumer_secret": "b", "access_token": "4711-c", "access_token_secret": "d"}
    assert isinstance(
        connect(keys={**one, "client_secret": "e"}, handle="h", base_url="http://localhost")._keys, Credentials
    )
    two = {"client_id": "a", "access_token": "b", "refresh_token": "c"}
    assert isinstance(connect(keys=two, handle="h", base_url="http://localhost")._keys, Grant)
