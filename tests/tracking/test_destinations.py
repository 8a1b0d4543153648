from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tracking.destinations import Destinations, location
from pipeline.tracking.links import Row


def a_row(
    origin: int, number: int, revision: int, *, url: str = "https://www.example.org/a", kind: str = "story"
) -> Row:
    return Row(origin, number, url, revision, kind)


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def a_table(links: Any, place: Path, **settings: Any) -> Destinations:
    return Destinations(links, snapshot=place / "links.jsonl", **settings)


async def test_a_link_leads_where_its_row_says(links: Any, tmp_path: Path) -> None:
    table = a_table(links, tmp_path)
    assert await table.refresh()
    found = table.get(7, 3)
    assert found is not None
    assert (found.location, found.honeypot) == (b"https://www.example.org/story/3", False)
    assert table.get(7, 10) is None
    assert table.get(8, 3) is None
    assert len(table) == 10


async def test_a_corrected_link_leads_to_its_new_place(links: Any, tmp_path: Path) -> None:
    table = a_table(links, tmp_path)
    await table.refresh()
    links.rows.append(a_row(7, 3, 50, url="https://www.example.org/right"))
    await table.refresh()
    assert table.get(7, 3).location == b"https://www.example.org/right"
    assert len(table) == 10


async def test_a_row_that_became_visible_late_is_still_taken(links: Any, tmp_path: Path) -> None:
    """Revision 5 was drawn before 50, and committed after 50 had been read."""
    clock = Clock()
    table = a_table(links, tmp_path, clock=clock)
    links.rows = [a_row(1, 1, 50)]
    await table.refresh()
    links.rows.append(a_row(2, 1, 5))
    clock.now += 30
    await table.refresh()
    assert table.get(2, 1) is not None


async def test_old_rows_are_not_asked_for_for_ever(links: Any, tmp_path: Path) -> None:
    clock = Clock()
    table = a_table(links, tmp_path, clock=clock)
    for _ in range(4):
        await table.refresh()
        clock.now += 40
    assert links.asked[0] == "since 0"
    assert links.asked[-1] == "since 10"


async def test_many_rows_come_in_pages(links: Any, tmp_path: Path) -> None:
    links.rows = [a_row(n // 20, n % 20, n + 1) for n in range(4500)]
    table = a_table(links, tmp_path)
    await table.refresh()
    assert (len(table), links.asked) == (4500, ["since 0", "since 2000", "since 4000"])


async def test_an_unknown_origin_is_asked_for_once_by_all_who_wait(links: Any, tmp_path: Path) -> None:
    links.slow_s = 0.05
    table = a_table(links, tmp_path)
    found = await asyncio.gather(*(table.find(7, number) for number in range(10)))
    assert all(found)
    assert links.asked == ["of 7"]


async def test_an_origin_nobody_knows_is_not_asked_for_again_at_once(links: Any, tmp_path: Path) -> None:
    clock = Clock()
    table = a_table(links, tmp_path, clock=clock)
    for _ in range(5):
        assert await table.find(99, 1) is None
    assert links.asked == ["of 99"]
    clock.now += 31
    links.rows.append(a_row(99, 1, 99))
    assert await table.find(99, 1) is not None


async def test_a_thousand_unknown_origins_do_not_reach_the_database(links: Any, tmp_path: Path) -> None:
    table = a_table(links, tmp_path, clock=Clock())
    for origin in range(1000, 2000):
        await table.find(origin, 1)
    assert len(links.asked) <= 52


async def test_a_slow_database_costs_a_reader_no_more_than_the_cap(links: Any, tmp_path: Path) -> None:
    links.slow_s = 30.0
    table = a_table(links, tmp_path, on_demand_s=0.05)
    began = asyncio.get_running_loop().time()
    assert await table.find(7, 1) is None
    assert asyncio.get_running_loop().time() - began < 1.0
    await table.close()


async def test_a_restart_without_the_database_still_redirects(links: Any, tmp_path: Path) -> None:
    first = a_table(links, tmp_path)
    await first.start()
    links.rows.append(a_row(8, 1, 60, kind="honeypot", url="https://www.example.org/trap"))
    await first.refresh()
    await first.close()
    links.away = True
    second = a_table(links, tmp_path)
    await second.start()
    await second.close()
    assert [second.get(7, number) for number in range(10)] == [first.get(7, number) for number in range(10)]
    assert second.get(8, 1).honeypot


async def test_the_snapshot_does_not_grow_from_start_to_start(links: Any, tmp_path: Path) -> None:
    sizes = []
    for _ in range(3):
        table = a_table(links, tmp_path)
        await table.start()
        await table.refresh()
        await table.close()
        sizes.append((tmp_path / "links.jsonl").stat().st_size)
    assert sizes[0] == sizes[1] == sizes[2] > 0
    assert [path.name for path in tmp_path.iterdir()] == ["links.jsonl"]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[7, 3]",
        '[7, 3, "https://evil.example.net',
        '[7, 3, null, 99, "story"]',
        '[7, 3, "javascript:alert(1)", 99, "story"]',
        '[7, 3, "https://evil.example.net\\r\\nSet-Cookie: a=b", 99, "story"]',
        '["x", 3, "https://evil.example.net", 99, "story"]',
        "\xff\xfe",
    ],
)
async def test_a_damaged_snapshot_line_leads_nobody_astray(line: str, links: Any, tmp_path: Path) -> None:
    good = json.dumps([7, 1, "https://www.example.org/1", 1, "story"])
    (tmp_path / "links.jsonl").write_bytes(f"{good}\n{line}".encode("latin-1"))
    links.away = True
    table = a_table(links, tmp_path)
    await table.start()
    await table.close()
    assert table.get(7, 1).location == b"https://www.example.org/1"
    assert getattr(table.get(7, 3), "location", b"") == b""


async def test_memory_is_bounded_and_the_oldest_origins_go(links: Any, tmp_path: Path) -> None:
    links.rows = [a_row(n // 10, n % 10, n + 1) for n in range(1000)]
    table = a_table(links, tmp_path, limit=100)
    await table.refresh()
    assert len(table) == 100
    assert not table.knows(89)
    assert table.knows(90)
    assert table.knows(99)
    assert await table.find(5, 5) is not None, "what was dropped is asked for by its origin"


async def test_a_bad_address_is_reported_once_not_every_second(
    links: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    links.rows = [a_row(7, 1, 1, url="mailto:editor@example.org")]
    table = a_table(links, tmp_path)
    for _ in range(5):
        await table.refresh()
    assert table.get(7, 1).location == b""
    assert sum("leads nowhere" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.example.org/a?b=c&d=%C3%A9#e", b"https://www.example.org/a?b=c&d=%C3%A9#e"),
        ("http://www.example.org", b"http://www.example.org"),
        ("https://www.example.org/café?q=naïve", b"https://www.example.org/caf%C3%A9?q=na%C3%AFve"),
        ("https://bücher.example:8443/x", b"https://xn--bcher-kva.example:8443/x"),
        ('https://www.example.org/"><script>', b"https://www.example.org/%22%3E%3Cscript%3E"),
        ("https://[::1]:80/x", b"https://[::1]:80/x"),
    ],
)
def test_an_address_becomes_a_header_value(url: str, expected: bytes) -> None:
    assert location(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/relative",
        "//www.example.org/x",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://",
        "https:///x",
        "ftp://www.example.org/",
        "https://www.example.org/\r\nSet-Cookie: a=b",
        "https://www.example.org/a b",
        "https://www.example.org\\@evil.example.net/",
        "https://[::1/x",
        "https://www.example.org:99999/",
        " https://www.example.org/",
    ],
)
def test_what_is_no_plain_web_address_leads_nowhere(url: str) -> None:
    assert location(url) == b""


@given(url=st.text(max_size=60).map(lambda text: "https://www.example.org/" + text) | st.text(max_size=60))
def test_no_text_can_write_a_header_of_its_own(url: str) -> None:
    place = location(url)
    assert not place or place.startswith((b"http://", b"https://"))
    assert all(32 < byte < 127 for byte in place)
