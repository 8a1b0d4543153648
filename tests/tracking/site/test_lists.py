"""Most Popular from memory: the ranking room's bytes, under a strong ETag, with the database there or away."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline.tracking.app import DoorSettings
from pipeline.tracking.site import lists as listed
from pipeline.tracking.site.lists import Lists
from pipeline.tracking.site.sources import Drawn
from tests.tracking.opening import opened


@pytest.mark.parametrize(
    ("path", "media", "words"),
    [
        ("/popular.json", b"application/json; charset=utf-8", "json of today  1 – é"),
        ("/popular.rss?window=now", b"application/rss+xml; charset=utf-8", "rss of now  1 – é"),
        ("/popular.html?window=today&section=Afrique+%26+Asie", b"text/html; charset=utf-8", "html of today Afrique & Asie 1 – é"),
    ],
)  # fmt: skip
async def test_a_list_is_served_as_it_was_written(options: DoorSettings, path: str, media: bytes, words: str) -> None:
    async with opened(options) as door:
        answer = await door.get(path)
        again = await door.get(path, headers={"If-None-Match": f'"x", {answer.headers[b"etag"].decode()}'})
        weak = await door.get(path, headers={"If-None-Match": f"W/{answer.headers[b'etag'].decode()}"})
        other = await door.get(path, headers={"If-None-Match": '"x"'})
    assert (answer.status, answer.headers[b"content-type"], answer.body.decode()) == (200, media, words)
    assert answer.headers[b"access-control-allow-origin"] == b"*"
    assert answer.headers[b"cache-control"].startswith(b"public, max-age=10,")
    assert (listed.FRAME in answer.headers.items()) == (media == b"text/html; charset=utf-8")
    assert b"x-frame-options" not in answer.headers
    assert (again.status, again.body, again.headers[b"etag"]) == (304, b"", answer.headers[b"etag"])
    assert b"content-length" not in again.headers
    assert (weak.status, other) == (304, answer)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/popular.json?window=ever", 400),
        ("/popular.json?section=Nowhere", 404),
        ("/popular.xml", 404),
        ("/popular.json?window=now&window=%ff", 400),
    ],
)
async def test_what_there_is_not_is_said_and_not_cached(options: DoorSettings, path: str, status: int) -> None:
    async with opened(options) as door:
        answer = await door.get(path)
    assert answer.status == status
    assert b"etag" not in answer.headers and b"public" not in answer.headers[b"cache-control"]


async def test_a_list_is_read_only(options: DoorSettings) -> None:
    async with opened(options) as door:
        assert (await door.get("/popular.json", method="POST")).status == 405


async def told(lists: Lists, path: str = "/popular.json", query: bytes = b"") -> tuple[int, bytes]:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    await lists.answer({"path": path, "query_string": query, "method": "GET", "headers": []}, send)
    return sent[0]["status"], sent[1]["body"]


async def test_a_changed_list_replaces_the_old_and_one_that_is_gone_goes(site: Any, tmp_path: Path) -> None:
    lists = Lists(site, snapshot=tmp_path / "lists.json")
    await lists.refresh()
    before = await told(lists)
    section = await told(lists, query=b"section=Afrique+%26+Asie")
    site.drawn = [
        one._replace(mark="2", bodies={"json": "new"}) if one.window == "today" else one for one in site.drawn
    ]
    site.drawn = [one for one in site.drawn if not one.section]
    await lists.refresh()
    assert (before[0], section[0]) == (200, 200)
    assert await told(lists) == (200, b"new")
    assert (await told(lists, query=b"section=Afrique+%26+Asie"))[0] == 404


async def test_a_list_outlives_the_database_and_the_door(site: Any, tmp_path: Path) -> None:
    first = Lists(site, snapshot=tmp_path / "lists.json")
    await first.start()
    await first.close()
    site.away = True
    second = Lists(site, snapshot=tmp_path / "lists.json")
    await second.start()
    assert await told(second) == (200, "json of today  1 – é".encode())
    assert not await second.refresh()
    assert (await told(second))[0] == 200
    await second.close()


@pytest.mark.parametrize("kept", ["", "{", "[[1,2,3,4]]", '[["today","","m",{"json":7}]]', "null", '["x"]'])
async def test_a_damaged_snapshot_is_no_list(site: Any, tmp_path: Path, kept: str) -> None:
    (tmp_path / "lists.json").write_text(kept)
    site.away = True
    lists = Lists(site, snapshot=tmp_path / "lists.json")
    await lists.start()
    assert (await told(lists))[0] == 503
    await lists.close()


async def test_memory_does_not_grow_with_what_is_asked(site: Any, tmp_path: Path) -> None:
    lists = Lists(site, snapshot=tmp_path / "lists.json")
    await lists.refresh()
    for number in range(5000):
        assert (await told(lists, query=b"x=%d" % number))[0] == 200
    assert len(lists._asked) <= 2000


def test_a_snapshot_row_is_plain_json() -> None:
    assert json.loads(json.dumps(Drawn("now", "", "m", {}))) == ["now", "", "m", {}]
