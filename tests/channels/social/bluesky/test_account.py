"""What a PDS's answers mean, one by one; the promises shared with other networks are in tests/contracts."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from pipeline.channels.base import (
    Card,
    Expired,
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
from pipeline.channels.social.bluesky.account import Bluesky, Session, connect
from tests.factories.scripted import Script, scripted

DID = "did:plc:zvo7ybbrsieza3sv7srokmea"
CID = "bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"
URI = f"at://{DID}/app.bsky.feed.post/3kabcdefghijk"
LINK = "https://go.example.org/s/p1"
NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
NOON_S = 1_795_435_200
MESSAGE = Message(key="post-1", text=f"Fähren {LINK}", marker=LINK, created_at=NOON)
BLOB = {"blob": {"$type": "blob", "ref": {"$link": CID}, "mimeType": "image/png", "size": 1}}
PLACED = (200, {"uri": URI, "cid": CID}, {})


@pytest.fixture
def script() -> Iterator[Script]:
    with scripted() as told:
        yield told


def account(script: Script, **session: str) -> Bluesky:
    kept = {"did": DID, "access_jwt": "a.b.c", "refresh_jwt": "r.s.t", **session}
    return Bluesky(session=Session("harbour.test", "pass-word", **kept), base_url=script.url, timeout_s=(2.0, 2.0))


def put(script: Script) -> dict[str, Any]:
    """The body of the one putRecord that was heard."""
    (body,) = [body for _, path, body in script.heard if path.endswith("putRecord")]
    return dict(json.loads(body))


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (400, {"error": "ExpiredToken", "message": "Token has expired"}, Expired),
        (401, {"error": "InvalidToken"}, Expired),
        (400, {"error": "AccountDeactivated"}, Unauthorised),
        (401, {"error": "AccountTakedown"}, Unauthorised),
        (403, {}, Unauthorised),
        (400, {"error": "InvalidRequest", "message": "grapheme too big"}, Permanent),
        (404, b"<html>", Permanent),
        (413, {}, Permanent),
        (429, {"error": "RateLimitExceeded"}, RateLimited),
        (409, {}, Unknown),
        (500, {"error": "InternalServerError"}, Unknown),
        (502, b"<html>", Unknown),
        (503, b"", Unknown),
        (307, {}, Permanent),
        (200, b"not json", Unknown),
        (200, {}, Unknown),
        (200, [], Unknown),
    ],
)
def test_answer_to_a_post_means(script: Script, status: int, body: Any, error: type[Exception]) -> None:
    script.answers = [(status, body, {"Location": "/elsewhere"} if status == 307 else {})]
    with pytest.raises(error) as raised:
        account(script).publish(MESSAGE)
    assert raised.type is error
    assert len(script.heard) == 1


def test_a_retry_sends_the_same_bytes(script: Script) -> None:
    script.answers = [(500, {}, {}), PLACED]
    with pytest.raises(Unknown):
        account(script).publish(MESSAGE)
    assert account(script).publish(MESSAGE).remote_id == URI
    assert script.heard[0] == script.heard[1]
    assert put_of(script.heard[0])["swapRecord"] is None


def put_of(heard: tuple[str, str, bytes]) -> dict[str, Any]:
    return dict(json.loads(heard[2]))


def test_another_record_of_that_name_is_not_written_over(script: Script) -> None:
    other = {"uri": URI, "cid": CID, "value": {"text": "another", "createdAt": "2026-11-23T12:00:00.000000Z"}}
    script.answers = [(400, {"error": "InvalidSwap"}, {}), (200, other, {})]
    with pytest.raises(Permanent, match="another post"):
        account(script).publish(MESSAGE)


def test_a_record_that_is_ours_already_is_the_post(script: Script) -> None:
    ours = {"uri": URI, "cid": CID, "value": {"text": MESSAGE.text, "createdAt": "2026-11-23T12:00:00.000000Z"}}
    script.answers = [(400, {"error": "InvalidSwap"}, {}), (200, ours, {})]
    assert account(script).publish(MESSAGE).remote_id == URI


def test_a_record_under_our_name_without_the_marker_is_not_ours(script: Script) -> None:
    script.answers = [(200, {"uri": URI, "cid": CID, "value": {"text": f"see {LINK}2"}}, {})]
    assert account(script).find(MESSAGE) is None


def test_a_card_is_built_with_its_picture_and_one_too_heavy_is_left_out(script: Script) -> None:
    for size, thumbs in ((10, 1), (1_000_001, 0)):
        script.answers, script.heard = [(200, BLOB, {})] * thumbs + [PLACED], []
        picture = Picture(content=b"x" * size, media_type="image/png", alt="")
        card = Card(url=LINK, title="Ferries", description="Today", picture=picture)
        account(script).publish(Message(key="k", text="t", marker=LINK, card=card, created_at=NOON))
        external = put(script)["record"]["embed"]["external"]
        assert (external["uri"], external["title"], external["description"]) == (LINK, "Ferries", "Today")
        assert ("thumb" in external) == bool(thumbs)
    assert script.headers[0]["Content-Type"] == "image/png"


def test_pictures_go_first_and_carry_their_words(script: Script) -> None:
    script.answers = [(200, BLOB, {}), PLACED]
    picture = Picture(content=b"x", media_type="image/png", alt="A ferry")
    account(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,), created_at=NOON))
    assert put(script)["record"]["embed"]["images"] == [{"alt": "A ferry", "image": BLOB["blob"]}]


def test_a_picture_that_fails_posts_nothing(script: Script) -> None:
    script.answers = [(500, {}, {})]
    picture = Picture(content=b"x", media_type="image/png", alt="")
    with pytest.raises(Temporary):
        account(script).publish(Message(key="k", text="t", marker="m", pictures=(picture,), created_at=NOON))
    assert [path for _, path, _ in script.heard] == ["/xrpc/com.atproto.repo.uploadBlob"]


def test_a_mention_leads_to_an_account_and_a_handle_of_nobody_stays_words(script: Script) -> None:
    script.answers = [(200, {"did": DID}, {}), (400, {"error": "InvalidRequest"}, {}), PLACED]
    text = "by @harbour.test and @nobody.test"
    account(script).publish(Message(key="k", text=text, marker="m", created_at=NOON))
    (facet,) = put(script)["record"]["facets"]
    assert facet["features"] == [{"$type": "app.bsky.richtext.facet#mention", "did": DID}]
    assert facet["index"] == {"byteStart": 3, "byteEnd": 16}


def test_an_answer_to_nothing_is_gone(script: Script) -> None:
    script.answers = [(400, {"error": "RecordNotFound"}, {})]
    with pytest.raises(Gone):
        account(script).publish(Message(key="k", text="t", marker="m", reply_to=URI, created_at=NOON))


def test_without_a_session_nothing_is_asked(script: Script) -> None:
    for act in ("publish", "find"):
        with pytest.raises(Expired):
            getattr(account(script, access_jwt=""), act)(MESSAGE)
    assert script.heard == []


def test_a_post_without_its_moment_is_permanent(script: Script) -> None:
    with pytest.raises(Permanent):
        account(script).publish(Message(key="k", text="t", marker="m"))


def token(expires: int) -> str:
    def part(content: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'HS256'})}.{part({'exp': expires})}.c2ln"


def test_a_session_is_opened_by_the_password_and_says_when_it_ends(script: Script) -> None:
    script.answers = [(200, {"did": DID, "accessJwt": token(NOON_S), "refreshJwt": "r2"}, {})]
    keys = account(script, did="", access_jwt="", refresh_jwt="").refresh()
    assert [path.rpartition(".")[2] for _, path, _ in script.heard] == ["createSession"]
    assert json.loads(script.heard[0][2]) == {"identifier": "harbour.test", "password": "pass-word"}
    assert keys.until == NOON
    assert (keys.values["did"], keys.values["refresh_jwt"]) == (DID, "r2")
    assert isinstance(connect(keys=keys.values, handle="@x", base_url=script.url), Bluesky)


def test_a_session_is_renewed_by_its_token_and_reopened_where_that_has_run_out(script: Script) -> None:
    opened = (200, {"did": DID, "accessJwt": token(NOON_S), "refreshJwt": "r2"}, {})
    script.answers = [opened, (400, {"error": "ExpiredToken"}, {}), opened]
    account(script).refresh()
    account(script).refresh()
    names = [path.rpartition(".")[2] for _, path, _ in script.heard]
    assert names == ["refreshSession", "refreshSession", "createSession"]
    assert script.headers[0]["Authorization"] == "Bearer r.s.t"
    assert "Authorization" not in script.headers[2]


def test_a_password_that_is_no_longer_taken_needs_a_person(script: Script) -> None:
    script.answers = [(401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}, {})]
    with pytest.raises(Unauthorised):
        account(script, refresh_jwt="").refresh()


def test_limits_and_patience_are_told_by_headers(script: Script) -> None:
    headers = {"RateLimit-Remaining": "0", "RateLimit-Reset": str(NOON_S + 90), "Date": "Mon, 23 Nov 2026 12:00:00 GMT"}
    script.answers = [(429, {"error": "RateLimitExceeded"}, headers)]
    channel = account(script)
    with pytest.raises(RateLimited) as limited:
        channel.publish(MESSAGE)
    assert limited.value.retry_after_s == 90
    assert channel.limits == Limits(0, datetime.fromtimestamp(NOON_S + 90, UTC))


def test_metrics_are_asked_for_in_twenty_fives(script: Script) -> None:
    counts = {"likeCount": 3, "repostCount": 2, "quoteCount": 1, "replyCount": 4}
    script.answers = [(200, {"posts": [{"uri": URI, **counts}]}, {}), (200, {"posts": []}, {})]
    uris = [URI, *(f"{URI[:-2]}{number}" for number in range(22, 48))]
    assert account(script).metrics(uris) == {URI: Metrics(likes=3, reposts=3, replies=4)}
    assert len(script.heard) == 2


def test_secrets_are_not_shown(script: Script) -> None:
    shown = repr(Session("harbour.test", "pass-word", did=DID, access_jwt="a.b.c", refresh_jwt="r.s.t"))
    assert not any(secret in shown for secret in ("pass-word", "a.b.c", "r.s.t"))
