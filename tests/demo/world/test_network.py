from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from lxml import html

from pipeline.demo.world.network import PretendNetwork, graphemes
from pipeline.demo.world.pictures import picture

TEXT = "Eleven states agree on a single travel paper for herders https://link.example/c/abc"


def seek(page: html.HtmlElement, path: str) -> Any:
    """What an XPath finds; its type depends on the path, which the type checker cannot read."""
    return page.xpath(path)


@pytest.fixture
def network() -> Iterator[PretendNetwork]:
    agora = PretendNetwork()
    agora.start()
    yield agora
    agora.stop()


@pytest.fixture
def client(network: PretendNetwork) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer token-of-dispatch"}
    with httpx.Client(base_url=network.url, headers=headers, trust_env=False) as client:
        yield client


def say(client: httpx.Client, text: str = TEXT, *, key: str = "", **more: object) -> httpx.Response:
    headers = {"Idempotency-Key": key} if key else {}
    return client.post("/api/accounts/dispatch/posts", json={"text": text, "language": "en", **more}, headers=headers)


def test_a_post_is_made_read_found_and_deleted(client: httpx.Client) -> None:
    made = say(client)
    post = made.json()
    assert (made.status_code, post["account"], post["text"]) == (201, "dispatch", TEXT)
    assert client.get(f"/api/posts/{post['id']}").json() == post
    assert client.get("/api/accounts/dispatch/posts", params={"contains": "/c/abc"}).json()["posts"] == [post]
    assert client.get("/api/accounts/dispatch/posts", params={"contains": "/c/abd"}).json()["posts"] == []
    assert client.delete(f"/api/posts/{post['id']}").status_code == 204
    assert client.get(f"/api/posts/{post['id']}").status_code == 404


def test_the_same_key_gives_the_same_post(client: httpx.Client, network: PretendNetwork) -> None:
    first, again, other = say(client, key="k1"), say(client, key="k1"), say(client, key="k2")
    assert (first.status_code, again.status_code, other.status_code) == (201, 200, 201)
    assert first.json() == again.json()
    assert first.json()["id"] != other.json()["id"]
    assert len(network.posts) == 2


def test_without_a_key_two_posts_are_two_posts(client: httpx.Client, network: PretendNetwork) -> None:
    say(client), say(client)
    assert len(network.posts) == 2


def test_commit_then_drop_leaves_the_post_and_no_answer(client: httpx.Client, network: PretendNetwork) -> None:
    network.commit_then_drop(times=1)
    with pytest.raises(httpx.RemoteProtocolError):
        say(client, key="k1")
    assert [post.text for post in network.posts] == [TEXT]
    retried = say(client, key="k1")
    assert retried.status_code == 200
    assert len(network.posts) == 1


def test_refusals_store_nothing_and_end_by_themselves(client: httpx.Client, network: PretendNetwork) -> None:
    network.refuse(times=2, status=503)
    network.refuse(status=429, reason="slow down", retry_after_s=1.2)
    answers = [say(client) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [503, 503, 429, 201]
    assert answers[2].headers["retry-after"] == "2"
    assert answers[2].json() == {"error": "slow down"}
    assert len(network.posts) == 1


def test_mending_forgets_the_faults(client: httpx.Client, network: PretendNetwork) -> None:
    network.refuse(times=5)
    network.commit_then_drop(times=5)
    network.mend()
    assert say(client).status_code == 201


@pytest.mark.parametrize(
    ("text", "status"), [("👩‍👩‍👧‍👦" * 500, 201), ("é" * 501, 422), ("👩‍👩‍👧‍👦" * 501, 422), ("  ", 422)]
)
def test_five_hundred_graphemes_fit(client: httpx.Client, text: str, status: int) -> None:
    assert say(client, text).status_code == status


def test_length_is_what_a_reader_counts() -> None:
    assert graphemes("e\u0301👩‍👩‍👧‍👦🇨🇻") == 3


def test_an_account_belongs_to_its_first_token(client: httpx.Client, network: PretendNetwork) -> None:
    post = say(client).json()
    stranger = {"Authorization": "Bearer other"}
    assert client.delete(f"/api/posts/{post['id']}", headers=stranger).status_code == 403
    assert httpx.get(f"{network.url}/api/posts/{post['id']}", trust_env=False).status_code == 401
    assert len(network.posts) == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"text": "x", "media": [{"alt": "no picture"}]}', b"\xff"])
def test_what_is_not_a_post_is_refused(client: httpx.Client, body: bytes) -> None:
    assert client.post("/api/accounts/dispatch/posts", content=body).status_code == 400


def test_pictures_are_kept_and_shown_with_their_description(client: httpx.Client, network: PretendNetwork) -> None:
    png = picture(kind="hills", seed="post")
    media = [{"alt": "Three ridges", "media_type": "image/png", "content": base64.b64encode(png).decode()}]
    post = say(client, media=media).json()
    shown = httpx.get(post["media"][0]["url"], trust_env=False)
    assert (shown.content, shown.headers["content-type"]) == (png, "image/png")
    page = html.document_fromstring(httpx.get(network.url, trust_env=False).content)
    assert seek(page, "//article//img/@alt") == ["Three ridges"]
    assert say(client, media=media * 5).status_code == 422


def test_the_timeline_links_addresses_and_runs_nothing(client: httpx.Client, network: PretendNetwork) -> None:
    say(client, "Read <script>alert(1)</script> https://link.example/c/abc. More soon")
    answer = client.get("/@dispatch")
    page = html.document_fromstring(answer.content)
    assert seek(page, "//p[@class='text']/a/@href") == ["https://link.example/c/abc"]
    assert not seek(page, "//script")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert client.get("/@dispatch/1").status_code == 404


def test_requests_are_counted_for_tests_to_read(client: httpx.Client, network: PretendNetwork) -> None:
    say(client), say(client)
    assert network.requests["POST /api/accounts/dispatch/posts"] == 2
