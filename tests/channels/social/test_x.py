"""What X's answers mean, one by one; the promises shared with other networks are in tests/contracts/test_channel.py."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

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
    Unauthorised,
    Unknown,
)
from pipeline.channels.social.x import Credentials, Grant, X

DUPLICATE = {"detail": "You are not allowed to create a Tweet with duplicate content.", "status": 403}
CAPPED = {"title": "UsageCapExceeded", "type": "https://api.twitter.com/2/problems/usage-capped"}
MESSAGE = Message(key="post-1", text="Ferries run https://go.example.org/s/p1", marker="https://go.example.org/s/p1")


@dataclass
class Script:
    """Answers given in order (status, body, headers); the last is repeated. `heard` is method, path and body."""

    answers: list[tuple[int, Any, dict[str, str]]]
    heard: list[tuple[str, str, bytes]] = field(default_factory=list)
    url: str = ""

    def next(self) -> tuple[int, Any, dict[str, str]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def script() -> Iterator[Script]:
    told = Script(answers=[(200, {}, {})])

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            told.heard.append((self.command, self.path, body))
            status, content, headers = told.next()
            raw = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_DELETE = do  # noqa: N815 - http.server asks for these names

        def log_message(self, format: str, *args: Any) -> None:
            """Nothing to say."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield told
    server.shutdown()
    thread.join()
    server.server_close()


def account(script: Script) -> X:
    credentials = Credentials(
        consumer_key="ck", consumer_secret="cs", access_token="4711-at", access_token_secret="ats"
    )
    return X(credentials=credentials, base_url=script.url, timeout_s=(2.0, 2.0))


_Answer: TypeAlias = tuple[int, Any, dict[str, str]]


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
def test_a_picture_that_fails_posts_nothing(script: Script, answer: _Answer, error: type[Exception]) -> None:
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
