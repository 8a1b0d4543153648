"""The signed webhook: what is signed, what is told, whom it will not ask. The rest is in tests/contracts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

import pytest

from pipeline.channels.base import Card, Message, Permanent, Picture, RateLimited, Unauthorised, Unknown
from pipeline.channels.pages.hook import Credentials, Hook, signature
from pipeline.sources.pushes.signatures import Check, check_dateline

Script: TypeAlias = Any  # conftest.Script, which a test module cannot import
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
MESSAGE = Message(key="dateline-7", text="Fähren fahren", marker="https://go.example.org/c/p1", language="de")


def receiver(script: Script, **changed: Any) -> Hook:
    keys = Credentials(url=f"{script.url}/in?from=us", secret="s3cret")
    given = {"allow": frozenset({script.url.removeprefix("http://")}), "timeout_s": (2.0, 2.0), **changed}
    return Hook(credentials=keys, clock=lambda: NOW, **given)


def test_the_signature_is_the_one_we_ask_of_others(script: Script) -> None:
    script.say((201, {"id": "9", "url": "https://there.example/9"}))
    placed = receiver(script).publish(MESSAGE)
    heard = script.heard[0]
    header = heard.headers["Dateline-Signature"]
    now = NOW + timedelta(seconds=30)
    assert check_dateline(header, secret="s3cret", body=heard.body, now=now).check is Check.GOOD
    assert check_dateline(header, secret="s3cret", body=heard.body + b" ", now=now).check is Check.BAD
    assert (placed.remote_id, placed.url) == ("9", "https://there.example/9")


def test_a_known_signature_is_made() -> None:
    """openssl dgst -sha256 -hmac s3cret over "1795435200.{}"."""
    mac = "5f3a4d04e655657365e92c45ddea39e149fe5a121d6400a6beb13674409da776"
    assert signature("s3cret", b"{}", at=NOW) == f"t=1795435200, v1={mac}"


def test_everything_there_is_to_know_is_told(script: Script) -> None:
    card = Card(url="https://a.example/1", title="Ferries", description="After two days")
    picture = Picture(content=b"\x89PNG", media_type="image/png", alt="A ferry")
    script.say((200, {}))
    placed = receiver(script).publish(
        Message(key="k-1", text="t", marker="m", language="de", card=card, pictures=(picture,), reply_to="8")
    )
    assert script.heard[0].headers["Idempotency-Key"] == "k-1"
    assert script.heard[0].json == {
        "event": "post",
        "key": "k-1",
        "text": "t",
        "link": "m",
        "language": "de",
        "reply_to": "8",
        "card": {"url": "https://a.example/1", "title": "Ferries", "description": "After two days"},
        "pictures": [{"content": "iVBORw==", "media_type": "image/png", "alt": "A ferry"}],
    }
    assert (placed.remote_id, placed.url) == ("k-1", None)


def test_a_question_signs_what_it_asks(script: Script) -> None:
    script.say((200, {"post": None}))
    assert receiver(script).find(MESSAGE) is None
    heard = script.heard[0]
    assert (heard.method, heard.path) == ("GET", "/in?from=us&key=dateline-7")
    asked = f"GET {heard.path}".encode()
    header = heard.headers["Dateline-Signature"]
    assert check_dateline(header, secret="s3cret", body=asked, now=NOW).check is Check.GOOD


@pytest.mark.parametrize(
    "answer", [(404, b"no such page"), (405, b""), (501, b""), (200, b"OK"), (200, {}), (200, {"post": "yes"})]
)
def test_a_receiver_that_cannot_say_leaves_it_to_a_person(script: Script, answer: Any) -> None:
    script.say(answer)
    with pytest.raises(Permanent, match="see whether it is there"):
        receiver(script).find(MESSAGE)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ((400, {"error": "what?"}), Permanent),
        ((401, {}), Unauthorised),
        ((404, {}), Permanent),
        ((410, {}), Permanent),
        ((429, {}, {"Retry-After": "30"}), RateLimited),
        ((500, {}), Unknown),
        ((302, {}, {"Location": "/other"}), Permanent),
    ],
)
def test_an_answer_to_a_post_means(script: Script, answer: Any, error: type[Exception]) -> None:
    script.say(answer)
    with pytest.raises(error):
        receiver(script).publish(MESSAGE)
    assert len(script.heard) == 1


@pytest.mark.parametrize("url", ["javascript:alert(1)", "no address", 7, None, "https://a.example/" + "x" * 600])
def test_only_an_address_is_taken_for_one(script: Script, url: Any) -> None:
    script.say((200, {"id": 9, "url": url}))
    placed = receiver(script).publish(MESSAGE)
    assert placed.remote_id == "9"
    assert placed.url is None or (placed.url.startswith("https://a.example/") and len(placed.url) <= 500)


def test_words_are_edited_and_read(script: Script) -> None:
    script.say((200, {}), (200, {"post": {"id": "9", "text": "Fähren"}}), (200, {"post": None}))
    account = receiver(script)
    account.edit("9", MESSAGE)
    assert (script.heard[0].json["event"], script.heard[0].json["id"]) == ("edit", "9")
    assert account.read("9") == "Fähren"
    assert account.read("8") is None


def test_an_address_of_our_own_is_not_asked(script: Script) -> None:
    with pytest.raises(Permanent, match="not asked"):
        receiver(script, allow=frozenset()).publish(MESSAGE)
    assert script.heard == []


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://a.example/in", "http://[::1/in"])
def test_what_is_no_address_is_permanent(url: str) -> None:
    with pytest.raises(Permanent, match="address"):
        Hook(credentials=Credentials(url=url, secret="s"), timeout_s=(1.0, 1.0)).publish(MESSAGE)


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(Credentials(url="https://a.example", secret="s3cret"))
