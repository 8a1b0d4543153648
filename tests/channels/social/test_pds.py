"""A day on a real Bluesky PDS (npm @atproto/pds), with its directory of names and a small AppView.

The server is installed beforehand, which takes minutes and is left out of .ci/run: docs/channels.md and the reason of the
skip say how. It is looked for in the folder that TEST_PDS names, else in var/pds.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from pipeline.channels.base import Card, Expired, Message, Metrics, Permanent, Picture, Unauthorised
from pipeline.channels.social.bluesky.account import Bluesky, Session, connect

START = Path(__file__).parent / "pds" / "start.js"
INSTALLED = Path(os.environ.get("TEST_PDS") or Path(__file__).parents[3] / "var" / "pds")
LINK = "https://go.example.org/s/p1"
FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466"  # one grapheme, 25 bytes
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489"
    "0000000d49444154789c6360606060000000050001a5f645400000000049454e44ae426082"
)
HANDLE, PASSWORD = "harbour.test", "pass-word-1"

pytestmark = [
    pytest.mark.journey,
    pytest.mark.skipif(
        not (shutil.which("node") and (INSTALLED / "node_modules" / "@atproto" / "pds").is_dir()),
        reason="needs a Bluesky PDS in $TEST_PDS or var/pds: mkdir -p var/pds && cp tests/channels/social/pds/package.json"
        " var/pds/ && (cd var/pds && npm install --no-audit --no-fund && npm rebuild better-sqlite3), once, with Node 20",
    ),
]


@pytest.fixture(scope="module")
def pds(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("pds")
    argv = [str(shutil.which("node")), str(START), str(folder)]
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(argv, cwd=INSTALLED, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log) as server,
    ):
        assert server.stdout
        assert server.stdin
        ready = next((line for line in server.stdout if line.startswith(b'{"url":"http')), None)
        assert ready, (folder / "log").read_text()[-2000:]
        url = json.loads(ready)["url"]
        asked = {"handle": HANDLE, "email": "desk@harbour.example", "password": PASSWORD}
        httpx.post(f"{url}/xrpc/com.atproto.server.createAccount", json=asked).raise_for_status()
        yield url
        server.stdin.close()


@pytest.fixture
def account(pds: str) -> Bluesky:
    channel = Bluesky(session=Session(HANDLE, PASSWORD), base_url=pds)
    keys = channel.refresh()
    assert keys.until
    assert keys.until > datetime.now(UTC)
    return connect(keys=keys.values, handle="", base_url=pds)


def message(key: str, text: str = f"{FAMILY} Fähren @{HANDLE} #Fähre {LINK}", **more: object) -> Message:
    planned = datetime(2026, 11, 23, 9, 0, 0, 123456, tzinfo=UTC)
    return replace(Message(key=key, text=text, marker=LINK, created_at=planned), **more)  # type: ignore[arg-type]


def test_a_post_with_its_card_is_placed_once_whatever_is_tried(account: Bluesky) -> None:
    picture = Picture(content=PNG, media_type="image/png", alt="")
    post = message("card", card=Card(url=LINK, title="Ferries", description="Today", picture=picture))
    placed = account.publish(post)
    assert account.publish(post) == placed
    assert account.find(post) == placed
    assert account.read(placed.remote_id) == post.text
    live = account._got(placed.remote_id.rpartition("/")[2])
    assert live
    assert live["value"]["embed"]["external"]["thumb"]["mimeType"] == "image/png"
    raw = post.text.encode()
    spans = [raw[facet["index"]["byteStart"] : facet["index"]["byteEnd"]].decode() for facet in live["value"]["facets"]]
    assert spans == [f"@{HANDLE}", "#Fähre", LINK]


def test_other_words_never_write_over_a_post(account: Bluesky) -> None:
    placed = account.publish(message("once"))
    with pytest.raises(Permanent, match="another post"):
        account.publish(message("once", "Other words"))
    assert account.read(placed.remote_id) == message("once").text


def test_a_correction_answers_the_post_and_its_own_answer_keeps_the_root(account: Bluesky) -> None:
    first = account.publish(message("first"))
    second = account.publish(message("second", "Correction: no ferries", reply_to=first.remote_id))
    third = account.publish(message("third", "Correction: some ferries", reply_to=second.remote_id))
    live = account._got(third.remote_id.rpartition("/")[2])
    assert live
    reply = live["value"]["reply"]
    assert (reply["root"]["uri"], reply["parent"]["uri"]) == (first.remote_id, second.remote_id)


def test_pictures_carry_their_words(account: Bluesky) -> None:
    picture = Picture(content=PNG, media_type="image/png", alt="A ferry leaves the quay")
    placed = account.publish(message("picture", pictures=(picture,)))
    live = account._got(placed.remote_id.rpartition("/")[2])
    assert live
    assert [image["alt"] for image in live["value"]["embed"]["images"]] == [picture.alt]


def test_a_post_is_measured_and_deleted_twice(account: Bluesky) -> None:
    placed = account.publish(message("gone"))
    assert account.metrics([placed.remote_id]) == {placed.remote_id: Metrics(likes=3, reposts=3, replies=4)}
    for _ in range(2):
        account.delete(placed.remote_id)
    assert account.find(message("gone")) is None
    assert account.read(placed.remote_id) is None


@pytest.mark.parametrize("text", ["a" * 301, FAMILY * 121])
def test_a_text_too_long_in_graphemes_or_bytes_is_permanent(account: Bluesky, text: str) -> None:
    with pytest.raises(Permanent, match=r"too big|too long|must not be longer"):
        account.publish(message("long", text))


def test_a_hundred_and_twenty_families_fit(account: Bluesky) -> None:
    placed = account.publish(message("families", FAMILY * 120))
    assert account.read(placed.remote_id) == FAMILY * 120


def test_a_session_is_renewed_and_a_wrong_password_needs_a_person(account: Bluesky, pds: str) -> None:
    assert account.refresh().values["refresh_jwt"]
    stranger = Bluesky(session=Session(HANDLE, "nope"), base_url=pds)
    with pytest.raises(Expired):
        stranger.publish(message("never"))
    with pytest.raises(Unauthorised):
        stranger.refresh()
