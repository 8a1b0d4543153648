"""`dateline import-sources` against a site on loopback."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.commands.connecting import import_sources
from pipeline.commands.unusable import UnusableInput
from pipeline.sources.models import Channel, Source
from tests.factories.web_site import WebSite

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(site: WebSite, tmp_path: Path) -> Path:
    """Two feeds that answer, one that does not, one that is a web page; the first is said twice."""
    for name in ("harbour", "island"):
        site.put_feed(f"/{name}/feed/", title=name.title(), link=f"{{site}}/{name}/")
    site.put("/page/", "<html><head><title>Shop</title></head></html>")
    paths = ("/harbour/feed/", "/gone/feed/", "/page/", "/island/feed/", "/harbour/feed/")
    outlines = "".join(f'<outline text="{path[1:4]}" xmlUrl="{site.url}{path}"/>' for path in paths)
    path = tmp_path / "feeds.opml"
    path.write_text(f'<opml version="2.0"><body>{outlines}</body></opml>', encoding="utf-8")
    return path


def results(record: dict[str, Any], site: WebSite) -> list[tuple[str, str]]:
    return [(each["feed"].removeprefix(site.url), each["result"]) for each in record["sources"]]


def test_each_feed_becomes_a_source_and_a_bad_one_costs_itself(file: Path, site: WebSite) -> None:
    record = import_sources.run(file=file, dry_run=False)
    assert (record["feeds"], record["added"], record["known"], record["failed"]) == (4, 2, 0, 2)
    assert results(record, site) == [
        ("/harbour/feed/", "added"), ("/gone/feed/", "failed"), ("/page/", "failed"), ("/island/feed/", "added"),
    ]  # fmt: skip
    assert record["warnings"] == ["feed is listed twice"]
    assert "answered 404" in record["sources"][1]["why"]
    assert sorted(Source.objects.values_list("name", flat=True)) == ["har", "isl"]
    assert set(Channel.objects.values_list("last_checked_at", flat=True)) == {None}  # the workers take the baseline


def test_repeating_it_is_harmless_and_asks_nobody_twice(file: Path, site: WebSite) -> None:
    import_sources.run(file=file, dry_run=False)
    site.asked.clear()
    record = import_sources.run(file=file, dry_run=False)
    assert (record["added"], record["known"], record["failed"]) == (0, 2, 2)
    assert "/harbour/feed/" not in site.asked
    assert Source.objects.count() == 2


def test_a_dry_run_looks_and_adds_nothing(file: Path, site: WebSite) -> None:
    record = import_sources.run(file=file, dry_run=True)
    assert (record["added"], record["failed"], record["dry_run"]) == (2, 2, True)
    assert "/harbour/feed/" in site.asked
    assert not Source.objects.exists()


def test_feeds_of_strangers_are_asked_rarely_and_their_robots_obeyed(file: Path, site: WebSite) -> None:
    site.put("/robots.txt", "User-agent: *\nDisallow: /island/\n", kind="text/plain")
    record = import_sources.run(file=file, dry_run=False, is_ours=False)
    assert results(record, site)[0] == ("/harbour/feed/", "added")
    assert results(record, site)[3] == ("/island/feed/", "failed")
    assert Source.objects.get().poll_s == 900


@pytest.mark.parametrize("words", ["<html></html>", "", "words"])
def test_a_file_that_is_no_list_is_named(words: str, tmp_path: Path) -> None:
    path = tmp_path / "list.opml"
    path.write_text(words, encoding="utf-8")
    with pytest.raises(UnusableInput):
        import_sources.run(file=path, dry_run=False)


def test_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput, match="is not a file"):
        import_sources.run(file=tmp_path / "none.opml", dry_run=False)
