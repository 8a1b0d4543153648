"""Reading time: only of our pages, told by pages of that host, by who did not ask to be left alone."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engagement.records import Flag
from pipeline.engagement.tokens import mint
from pipeline.kernel.signing import Keyring
from pipeline.tracking.app import DoorSettings
from pipeline.tracking.site.beacon import MOST_SECONDS, Beacon
from tests.tracking.opening import Opened, opened

STORY = "https://www.example.org/story/7"
PAGE = f"/b/page?url={STORY}"
HERE = {"Origin": "https://www.example.org", "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/145.0"}


async def page_token(door: Opened) -> str:
    answer = await door.get(PAGE, headers=HERE)
    assert (answer.status, answer.headers[b"access-control-allow-origin"]) == (200, b"*")
    return str(json.loads(answer.body)["token"])


async def drops(door: Opened) -> dict[str, int]:
    found: dict[str, int] = json.loads((await door.get("/healthz")).body)["dropped"]
    return found


async def test_a_report_becomes_a_view_of_the_article_with_its_seconds(options: DoorSettings, valkey: Any) -> None:
    async with opened(options) as door:
        token = await page_token(door)
        first = await door.get(f"/b/{token}?s=12&n=0", method="POST", headers=HERE)
        await door.get(f"/b/{token}?s=3&n=1", headers={"Referer": STORY})
        one, two = valkey.events()
    assert (first.status, first.body) == (204, b"")
    assert (one.kind, one.origin, one.ordinal, one.link, one.seconds) == ("view", 0, 77, 0, 12)
    assert (two.ordinal, two.link, two.seconds) == (77, 1, 3)
    assert one.flags == Flag.MAC_OK | Flag.HEAD and two.flags == Flag.MAC_OK
    assert one.visitor != bytes(16)


async def test_a_page_left_open_all_day_was_not_read_all_day(options: DoorSettings, valkey: Any) -> None:
    async with opened(options) as door:
        await door.get(f"/b/{await page_token(door)}?s=86400", method="POST", headers=HERE)
        (record,) = valkey.events()
    assert record.seconds == MOST_SECONDS


@pytest.mark.parametrize(
    ("query", "method", "headers", "reason"),
    [
        ("?s=9", "POST", {"Origin": "https://elsewhere.example.net"}, "another site"),
        ("?s=9", "POST", {"Origin": "null"}, "another site"),
        ("?s=9", "POST", {}, "another site"),
        ("?s=9", "POST", {**HERE, "Sec-GPC": "1"}, "asked not to be measured"),
        ("?s=9", "POST", {**HERE, "DNT": "1"}, "asked not to be measured"),
        ("?s=9", "GET", {**HERE, "Sec-Purpose": "prefetch;prerender"}, "fetched ahead"),
        ("?s=9", "HEAD", HERE, "another method"),
        ("?s=0", "POST", HERE, "less than a second"),
        ("?s=-5", "POST", HERE, "less than a second"),
        ("?s=1e9", "POST", HERE, "less than a second"),
        ("", "POST", HERE, "less than a second"),
        ("'?s=9", "POST", HERE, "no token of ours"),
    ],
)
async def test_what_is_not_believed_is_counted_with_its_reason(
    options: DoorSettings, valkey: Any, query: str, method: str, headers: dict[str, str], reason: str
) -> None:
    async with opened(options) as door:
        answer = await door.get(f"/b/{await page_token(door)}{query}", method=method, headers=headers)
        assert await drops(door) == {f"view: {reason}": 1}
    assert answer.status == 204
    assert valkey.events() == []


async def test_a_token_has_its_day_and_its_door(options: DoorSettings, valkey: Any, keyring: Keyring) -> None:
    hour, mark = int(time.time()) // 3600, int.from_bytes(keyring.mac(b"example.org", person=b"dl-site", size=2), "big")

    def of(hour: int, kind: str = "view") -> str:
        return mint(keyring, kind=kind, origin=hour, ordinal=77, link=mark)

    async with opened(options) as door:
        for token in (of(hour - 26), of(hour + 3), of(hour, "click"), of(hour - 22)):
            await door.get(f"/b/{token}?s=5", method="POST", headers=HERE)
        assert await drops(door) == {"view: the token is too old": 2, "view: no token of ours": 1}
    assert len(valkey.events()) == 1


async def test_a_new_secret_does_not_void_the_pages_that_are_open(options: DoorSettings, valkey: Any) -> None:
    async with opened(options) as door:
        token = await page_token(door)
    rotated = replace(
        options, secret_key="another secret, the newer one, long enough", older_secrets=(options.secret_key,)
    )
    async with opened(rotated) as door:
        await door.get(f"/b/{token}?s=5", method="POST", headers=HERE)
    assert [record.ordinal for record in valkey.events()] == [77]


@pytest.mark.parametrize(
    ("url", "headers", "status", "reason"),
    [
        (STORY, {"Origin": "https://elsewhere.example.net"}, 403, "page: another site"),
        (STORY, {}, 403, "page: another site"),
        ("javascript:alert(1)", HERE, 403, "page: another site"),
        ("https://[", HERE, 403, "page: another site"),
        ("", HERE, 403, "page: another site"),
        ("https://www.example.org/about", HERE, 404, ""),
    ],
)
async def test_who_is_no_page_of_ours_gets_no_token(
    options: DoorSettings, url: str, headers: dict[str, str], status: int, reason: str
) -> None:
    async with opened(options) as door:
        answer = await door.get(f"/b/page?url={url}", headers=headers)
        assert await drops(door) == ({reason: 1} if reason else {})
    assert (answer.status, json.loads(answer.body)) == (status, {"token": None})


async def test_a_database_that_is_away_costs_a_token_and_no_more(options: DoorSettings, site: Any) -> None:
    async with opened(options) as door:
        site.away = True
        answer = await door.get(PAGE, headers=HERE)
        assert await drops(door) == {"page: could not be looked up": 1}
        site.away = False
        assert await page_token(door)
    assert (answer.status, answer.headers[b"cache-control"]) == (503, b"no-store")


async def test_one_network_cannot_read_for_a_city(options: DoorSettings, valkey: Any) -> None:
    async with opened(options) as door:
        token = await page_token(door)
        for _ in range(400):
            assert (await door.get(f"/b/{token}?s=5", method="POST", headers=HERE)).status == 204
        await door.get(f"/b/{token}?s=5", method="POST", headers=HERE, client="198.51.100.4")
        dropped = (await drops(door))["view: too many from one network"]
    assert 300 <= len(valkey.events()) - 1 <= 400 - dropped
    assert len({record.visitor for record in valkey.events()}) == 2


@settings(max_examples=200)
@given(text=st.text(max_size=60), query=st.binary(max_size=60), origin=st.binary(max_size=60))
def test_no_bytes_make_a_report_of_their_own(text: str, query: bytes, origin: bytes) -> None:
    told = SimpleNamespace(dropped=Counter())
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    keyring = Keyring.from_secret("a secret for the tests of the click door, and for nothing else")
    scope = {"method": "POST", "query_string": query, "headers": [(b"origin", origin)], "client": None}
    beacon = Beacon(keyring, None, told)  # type: ignore[arg-type]
    asyncio.run(beacon.answer(text.replace("page", ""), scope, send))
    assert sent[0]["status"] == 204
    assert sum(told.dropped.values()) >= 1
