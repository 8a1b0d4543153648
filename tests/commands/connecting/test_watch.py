"""`dateline watch` against a site on loopback."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pipeline.articles.models import Article
from pipeline.commands.connecting import watch
from pipeline.commands.unusable import UnusableInput
from pipeline.kernel.config import config
from pipeline.sources.models import Source
from tests.factories.web_site import WebSite

pytestmark = pytest.mark.django_db
KEYS = {
    "source",
    "name",
    "home",
    "feed",
    "new",
    "stories",
    "newest",
    "announced",
    "warnings",
    "ways",
    "ping_url",
    "hint",
}


def run(site: WebSite, **options: Any) -> dict[str, Any]:
    url = site.url if "/" in site.pages else f"{site.url}/feed/"
    return watch.run(**{"url": url, "name": "", "every_s": 60, "yes": True, **options})


def test_a_site_is_added_and_its_stories_are_a_baseline(site: WebSite) -> None:
    site.put_feed()
    record = run(site, name="Gazette", settle_s=0)
    source = Source.objects.get()
    assert set(record) == KEYS
    assert (record["source"], record["name"], record["new"], record["announced"]) == (source.id, "Gazette", True, 0)
    assert (record["home"], record["feed"]) == (f"{site.url}/", f"{site.url}/feed/")
    assert (record["stories"], record["newest"]) == (3, "Story 3")
    assert record["ways"] == [{"kind": "feed", "url": f"{site.url}/feed/"}]
    assert source.baseline_at and source.settle_s == 0
    assert set(Article.objects.values_list("state", flat=True)) == {Article.State.BASELINE}
    assert record["hint"] is None  # it is no WordPress


def test_a_wordpress_is_told_where_to_ping_us(site: WebSite, capsys: pytest.CaptureFixture[str]) -> None:
    site.put_wordpress()
    record = run(site)
    source = Source.objects.get()
    assert record["ping_url"] == f"{config().site_url}/ping/{source.ping_token}"
    assert record["ping_url"] in record["hint"] and "Update Services" in record["hint"]
    assert [way["kind"] for way in record["ways"]] == ["feed", "rest", "sitemap"]
    shown, said = capsys.readouterr()
    assert shown == ""  # standard output is for the record alone
    for words in (
        "The Gazette",
        "REST interface",
        "wp-sitemap.xml",
        "522",
        "Story 9",
        "Asia/Karachi",
        "Update Services",
    ):
        assert words in said


def test_watching_again_changes_nothing(site: WebSite) -> None:
    site.put_feed()
    first = run(site)
    again = run(site, name="Another")
    assert (again["source"], again["new"], again["announced"], again["stories"]) == (first["source"], False, None, 3)
    assert Source.objects.count() == 1


@pytest.mark.parametrize(("answer", "added"), [("y", True), ("Yes", True), ("n", False), ("", False), ("\x04", False)])
def test_at_a_terminal_a_person_decides(
    answer: str, added: bool, site: WebSite, types: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    site.put_feed()
    types(answer)
    record = run(site, yes=False)
    assert "Watch it?" in capsys.readouterr().err
    assert Source.objects.exists() is added
    assert record["new"] is added
    assert set(record) == KEYS
    assert ("not added: the answer was no" in record["warnings"]) is not added


def test_at_a_terminal_nobody_is_asked_who_said_yes(
    site: WebSite, types: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    site.put_feed()
    types("n")
    assert run(site, yes=True)["new"]
    assert "Watch it?" not in capsys.readouterr().err


def test_a_strangers_site_is_asked_rarely_and_gets_no_hint(site: WebSite) -> None:
    site.put_wordpress()
    record = run(site, is_ours=False)
    source = Source.objects.get()
    assert (source.is_ours, source.poll_s, record["hint"]) == (False, 900, None)


def test_a_strangers_robots_are_obeyed(site: WebSite) -> None:
    site.put_feed()
    site.put("/robots.txt", "User-agent: *\nDisallow: /\n", kind="text/plain")
    with pytest.raises(UnusableInput, match="asks us not to read"):
        run(site, is_ours=False)
    assert not Source.objects.exists()
    record = run(site)
    assert record["new"] and f"robots.txt asks us not to read {site.url}/feed/" in record["warnings"]


def test_an_address_that_leads_nowhere_adds_nothing(site: WebSite) -> None:
    with pytest.raises(UnusableInput, match="answered 404"):
        run(site, url=site.url)
    assert not Source.objects.exists()
