"""The door as an ASGI application, called as a server would call it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.engagement.records import Flag
from pipeline.engagement.tokens import mint
from pipeline.tracking.app import PIXEL, DoorSettings, create_app
from pipeline.tracking.links import Row
from tests.tracking.opening import Answer, opened

HOME = b"https://www.example.org"
STORIES = {b"https://www.example.org/story/%d" % number for number in range(10)}


@pytest.fixture
def token(keyring: Any) -> str:
    return mint(keyring, kind="click", origin=7, ordinal=42, link=3)


async def test_a_click_is_redirected_and_written_down(options: DoorSettings, valkey: Any, token: str) -> None:
    async with opened(options) as door:
        answer = await door.get(f"/c/{token}", headers={"User-Agent": "UA/1", "Referer": "https://mail.example.org/x"})
        (record,) = valkey.events()
    assert (answer.status, answer.body) == (302, b"")
    assert answer.headers == {
        b"location": b"https://www.example.org/story/3",
        b"cache-control": b"private, no-store",
        b"x-robots-tag": b"noindex, nofollow",
        b"referrer-policy": b"strict-origin-when-cross-origin",
        b"content-length": b"0",
    }
    assert (record.origin, record.ordinal, record.link, record.kind) == (7, 42, 3, "click")
    assert (record.flags, record.method) == (Flag.MAC_OK, "GET")
    assert (record.user_agent, record.referrer) == ("UA/1", "mail.example.org")
    assert record.visitor != bytes(16)
    assert abs(record.at_ms / 1000 - time.time()) < 30


async def test_a_door_that_opens_throws_away_the_salts_of_days_long_past(options: DoorSettings) -> None:
    spool = options.data_dir / "spool"
    spool.mkdir(parents=True, exist_ok=True)
    (spool / "salt-20000").write_bytes(b"s" * 32)
    async with opened(options):
        assert [path.name for path in spool.glob("salt-*")] == [f"salt-{time.time_ns() // 86_400_000_000_000}"]


@pytest.mark.parametrize("suffix", ["", ".gif"])
async def test_an_open_is_a_pixel_and_written_down(
    options: DoorSettings, valkey: Any, keyring: Any, suffix: str
) -> None:
    async with opened(options) as door:
        answer = await door.get(f"/o/{mint(keyring, kind='open', origin=7, ordinal=42, link=0)}{suffix}")
        (record,) = valkey.events()
    assert (answer.status, answer.headers[b"content-type"], answer.body) == (200, b"image/gif", PIXEL)
    assert answer.headers[b"cache-control"] == b"private, no-store"
    assert (record.kind, record.ordinal, record.flags) == ("open", 42, Flag.MAC_OK)


@pytest.mark.parametrize("wish", ["Sec-GPC", "DNT"])
async def test_who_asks_for_privacy_is_counted_when_clicking_and_not_when_opening(
    options: DoorSettings, valkey: Any, keyring: Any, token: str, wish: str
) -> None:
    async with opened(options) as door:
        opening = mint(keyring, kind="open", origin=7, ordinal=42, link=0)
        assert (await door.get(f"/o/{opening}", headers={wish: "1"})).body == PIXEL
        await door.get(f"/c/{token}", headers={wish: "1"})
        health = json.loads((await door.get("/healthz")).body)
    assert [(record.kind, record.flags) for record in valkey.events()] == [("click", Flag.MAC_OK | Flag.PRIVATE)]
    assert health["dropped"] == {"open: asked not to be measured": 1}


async def test_a_flood_from_one_network_is_redirected_and_counted_up_to_its_limit(
    options: DoorSettings, valkey: Any, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.tracking.recorder.AT_ONCE", 20)
    monkeypatch.setattr("pipeline.tracking.recorder.PER_S", 0.01)
    async with opened(options) as door:
        flood = [await door.get(f"/c/{token}") for _ in range(50)]
        others = [await door.get(f"/c/{token}", client=f"198.51.{n}.1") for n in range(5)]
        health = json.loads((await door.get("/healthz")).body)
    assert {answer.headers[b"location"] for answer in flood + others} == {b"https://www.example.org/story/3"}
    assert health["dropped"] == {"too many from one network": 30}
    assert len(valkey.events()) == 25


async def test_mail_that_is_out_counts_under_a_new_secret_and_leads_on_under_a_lost_one(
    options: DoorSettings, valkey: Any, token: str
) -> None:
    new = "next year's secret, as long as a secret has to be"
    for older in ((options.secret_key,), ()):
        async with opened(replace(options, secret_key=new, older_secrets=older)) as door:
            answer = await door.get(f"/c/{token}")
        assert answer.headers[b"location"] == b"https://www.example.org/story/3"
    assert [record.flags for record in valkey.events()] == [Flag.MAC_OK, Flag.MANGLED]


async def test_a_scanners_network_is_marked(options: DoorSettings, valkey: Any, token: str) -> None:
    async with opened(options) as door:
        await door.get(f"/c/{token}", client="40.92.1.2")
        (record,) = valkey.events()
    assert record.flags == Flag.MAC_OK | Flag.SCANNER


def test_the_pixel_is_the_smallest_gif_there_is() -> None:
    assert len(PIXEL) == 43
    assert PIXEL[:6] == b"GIF89a"
    assert PIXEL[6:10] == b"\x01\x00\x01\x00"


@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "POST", "PROPFIND"])
async def test_another_method_gets_the_same_answer_and_is_marked(
    options: DoorSettings, valkey: Any, token: str, method: str
) -> None:
    async with opened(options) as door:
        answer = await door.get(f"/c/{token}", method=method)
        (record,) = valkey.events()
        assert answer == await door.get(f"/c/{token}")
    assert record.flags == Flag.MAC_OK | Flag.HEAD
    assert record.method == (method if method != "PROPFIND" else "OTHER")


@pytest.mark.parametrize(
    ("path", "purpose", "flags"),
    [
        ("/c/{}", "prefetch", Flag.MAC_OK | Flag.PREFETCH),
        ("/c/{}'", "", Flag.MAC_OK | Flag.MANGLED),
        ("/c/{}/", "", Flag.MAC_OK | Flag.MANGLED),
        ("/c/{:.20}", "", Flag.MANGLED),
    ],
)
async def test_what_the_verdicts_need_is_kept(
    options: DoorSettings, valkey: Any, token: str, path: str, purpose: str, flags: Flag
) -> None:
    async with opened(options) as door:
        answer = await door.get(path.format(token), headers={"Sec-Purpose": purpose})
        (record,) = valkey.events()
    assert answer.headers[b"location"] == b"https://www.example.org/story/3"
    assert record.flags == flags


async def test_a_honeypot_is_marked(options: DoorSettings, links: Any, valkey: Any, keyring: Any) -> None:
    links.rows.append(Row(7, 20, "https://www.example.org/trap", 99, "honeypot"))
    async with opened(options) as door:
        answer = await door.get(f"/c/{mint(keyring, kind='click', origin=7, ordinal=1, link=20)}")
        (record,) = valkey.events()
    assert answer.headers[b"location"] == b"https://www.example.org/trap"
    assert record.flags == Flag.MAC_OK | Flag.HONEYPOT


async def test_an_unknown_link_leads_home_and_is_written_down_if_it_is_ours(
    options: DoorSettings, valkey: Any, keyring: Any
) -> None:
    async with opened(options) as door:
        ours = await door.get(f"/c/{mint(keyring, kind='click', origin=8, ordinal=1, link=1)}")
        absent = await door.get(f"/c/{mint(keyring, kind='click', origin=7, ordinal=1, link=99)}")
        forged = await door.get(f"/c/{'A' * 26}")
        assert [record.origin for record in valkey.events()] == [8, 7]
    assert {answer.headers[b"location"] for answer in (ours, absent, forged)} == {HOME}


async def test_a_fresh_origin_is_fetched_while_the_reader_waits(
    options: DoorSettings, links: Any, keyring: Any
) -> None:
    async with opened(options) as door:
        links.rows.append(Row(9, 1, "https://www.example.org/fresh", 99, "story"))
        answer = await door.get(f"/c/{mint(keyring, kind='click', origin=9, ordinal=1, link=1)}")
    assert answer.headers[b"location"] == b"https://www.example.org/fresh"


async def test_forged_tokens_never_reach_the_database_or_the_stream(
    options: DoorSettings, links: Any, valkey: Any
) -> None:
    async with opened(options) as door:
        before = [what for what in links.asked if what.startswith("of")]
        for number in range(200):
            await door.get(f"/c/EQAA{number:04d}{'x' * 17}A")
        assert [what for what in links.asked if what.startswith("of")] == before == []
        assert valkey.events() == []


async def test_a_token_for_one_door_counts_at_no_other(options: DoorSettings, valkey: Any, keyring: Any) -> None:
    async with opened(options) as door:
        await door.get(f"/c/{mint(keyring, kind='open', origin=7, ordinal=1, link=1)}")
        (record,) = valkey.events()
    assert record.flags == Flag.MANGLED


async def test_an_unreadable_pixel_is_still_a_pixel(options: DoorSettings, valkey: Any) -> None:
    async with opened(options) as door:
        assert (await door.get("/o/nonsense.gif")).body == PIXEL
        assert valkey.events() == []


@pytest.mark.parametrize("path", ["/", "/c", "/x/abc", "/admin/", "/c/" + "a" * 5000, "*", ""])
async def test_anything_else_is_a_small_not_found(options: DoorSettings, path: str) -> None:
    async with opened(options) as door:
        answer = await door.get(path)
    assert (answer.status, answer.body) == (404, b"Not found\n")


async def test_robots_are_asked_to_stay_away(options: DoorSettings) -> None:
    async with opened(options) as door:
        assert (await door.get("/robots.txt")).body == b"User-agent: *\nDisallow: /\n"


async def test_health_tells_what_is_wrong_and_redirects_go_on(options: DoorSettings, valkey: Any, token: str) -> None:
    async with opened(options) as door:
        well = json.loads((await door.get("/healthz")).body)
        valkey.kill()
        answers = [await door.get(f"/c/{token}") for _ in range(5)]
        ill = json.loads((await door.get("/healthz")).body)
    assert well == {"redis": True, "journal_lag": 0, "destinations": 10, "lists": 5, "dropped": {}}
    assert ill == {"redis": False, "journal_lag": 5, "destinations": 10, "lists": 5, "dropped": {}}
    assert {answer.headers[b"location"] for answer in answers} == {b"https://www.example.org/story/3"}


async def test_a_full_disk_drops_the_count_and_never_the_reader(options: DoorSettings, valkey: Any, token: str) -> None:
    async with opened(replace(options, journal_limit=0)) as door:
        valkey.kill()
        answers = [await door.get(f"/c/{token}") for _ in range(3)]
        health = json.loads((await door.get("/healthz")).body)
    assert {answer.headers[b"location"] for answer in answers} == {b"https://www.example.org/story/3"}
    assert health["dropped"] == {"no journal and no Redis": 3}


async def test_a_proxy_of_ours_is_believed_only_when_there_is_one(
    options: DoorSettings, valkey: Any, token: str
) -> None:
    async def visitors(hops: int) -> int:
        async with opened(replace(options, trusted_hops=hops)) as door:
            for network in ("198.51.100.1", "203.0.114.1"):
                await door.get(f"/c/{token}", headers={"X-Forwarded-For": network})
        found = len({record.visitor for record in valkey.events()})
        valkey.client.delete("dateline:events")
        return found

    assert (await visitors(0), await visitors(1)) == (1, 2)


async def test_a_door_that_cannot_open_says_why(options: DoorSettings) -> None:
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    await create_app(replace(options, home_url="javascript:alert(1)"))({"type": "lifespan"}, receive, send)
    assert sent[0]["type"] == "lifespan.startup.failed"
    assert "front page" in sent[0]["message"]


hostile = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "//evil.example.net",
            "https://evil.example.net",
            "/\\evil.example.net",
            "?url=https://evil.example.net",
            "\r\nLocation: https://evil.example.net",
            "%0d%0aLocation:%20https://evil.example.net",
            "..//evil.example.net/%2e%2e",
            "\u2025/evil.example.net",
            "@evil.example.net",
        ]
    ),
)


def test_no_request_chooses_where_it_is_sent(options: DoorSettings, token: str) -> None:
    """Paths, hosts and headers of all sorts: Location is one of our links, or home, or there is none."""
    allowed = {HOME, *STORIES}

    async def one(path: str, method: str, headers: dict[str, str]) -> Answer:
        async with opened(options) as door:
            return await door.get(path, method=method, headers=headers)

    @settings(max_examples=150, deadline=None)
    @given(
        path=st.builds(
            lambda a, b: a + b,
            st.sampled_from(
                ["/c/", f"/c/{token}", f"/c/{token[:18]}", "/o/", "/b/", "/b/page?url=", "/popular.json?section=", ""]
            ),
            hostile,
        ),
        method=st.sampled_from(["GET", "HEAD", "POST", "CONNECT"]),
        hosts=st.fixed_dictionaries(
            {},
            optional={
                name: hostile.map(lambda text: text.encode("latin-1", "replace").decode("latin-1"))
                for name in (
                    "Host",
                    "X-Forwarded-Host",
                    "Referer",
                    "Forwarded",
                    "X-Original-URL",
                    "User-Agent",
                )
            },
        ),
    )
    def every(path: str, method: str, hosts: dict[str, str]) -> None:
        answer = asyncio.run(one(path, method, hosts))
        assert answer.status in (200, 204, 302, 403, 404, 405)
        assert answer.headers.get(b"location", HOME) in allowed
        assert (b"location" in answer.headers) == (answer.status == 302)
        assert b"set-cookie" not in answer.headers
        assert b"evil" not in b"".join(answer.headers.values()) + answer.body

    every()


def test_the_door_needs_neither_django_nor_settings_to_be_imported() -> None:
    script = (
        "import sys, pipeline.tracking.app;"
        "heavy = {'django', 'celery', 'redis', 'httpx'} & {name.partition('.')[0] for name in sys.modules};"
        "assert not heavy, heavy; assert 'pipeline.kernel.config' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
