"""The section path: whose word counts, and by which key a section stays the same under another name."""

from __future__ import annotations

from typing import Any

import pytest
from lxml.html import fragment_fromstring

from pipeline.articles.page.sections import shown_path, slug_of, steps
from pipeline.articles.page.witnesses import Step
from pipeline.articles.read import read
from pipeline.sources.formats.entries import Entry

WHERE = "https://gazette.example/2026/04/fish-market/"


def names(found: tuple[Step, ...]) -> tuple[str, ...]:
    return tuple(step.name for step in found)


def page(body: str, head: str = "") -> bytes:
    return f"<html><head>{head}</head><body>{body}<article><h1>Fish</h1></article></body></html>".encode()


def test_crumbs_lose_home_and_the_story() -> None:
    items: list[tuple[str, str | None]] = [("Home", "/"), (" » ", None), ("Diplomatic News", None), ("Ambassadors", None)]  # fmt: skip
    title = "Delegations meet in fish market"
    assert names(steps([*items, (title, None)], title=title)) == ("Diplomatic News", "Ambassadors")
    assert names(steps([("Trade", None), ("Delegations meet in fish mar…", None)], title=title)) == ("Trade",)
    assert names(steps([*items, ("Short name", WHERE)], title=title, url=WHERE)) == ("Diplomatic News", "Ambassadors")


@pytest.mark.parametrize(
    "markup",
    [
        "<div class='breadcrumbs'><a>Home</a> &gt; <a>Trade</a> &gt; <a>Ports</a></div>", "<nav aria-label='Breadcrumb'><ol><li>Home</li><li>Trade</li><li>Ports</li></ol></nav>",
        "<div id='breadcrumbs'>Home » Trade » Ports</div>", "<p class='yoast-breadcrumb'>Home / Trade / Ports</p>", "<div class='td-crumb-container'><span><a>Home</a></span><span><a>Trade</a></span><span><a>Ports</a></span></div>",
        "<div class='tdb-breadcrumbs'><a>Home</a> › <a>Trade</a> › <a>Ports</a></div>",
    ],
)  # fmt: skip
def test_the_section_path_is_read_from_common_themes(markup: str) -> None:
    assert names(shown_path(fragment_fromstring(f"<div>{markup}</div>"))) == ("Trade", "Ports")


@pytest.mark.parametrize(
    ("link", "slug", "term_id"),
    [
        ("https://gazette.example/category/diplomatic-news/ambassadors/", "ambassadors", None),
        ("/ambassadors", "ambassadors", None),
        ("/section/ambassadors.html?x=1", "ambassadors", None),
        ("/?cat=12", "envoys", 12),
        ("/thema/%D8%B3%D9%81%D8%B1%D8%A7%D8%A1/", "سفراء", None),
        ("/", "envoys", None),
        ("http://[", "envoys", None),
        (None, "envoys", None),
    ],
)
def test_a_section_is_keyed_by_the_sites_own_address_of_it(link: str | None, slug: str, term_id: int | None) -> None:
    assert steps([("Envoys", link)]) == (Step(name="Envoys", slug=slug, term_id=term_id),)


def test_a_renamed_section_keeps_its_key() -> None:
    def keys(label: str) -> list[str]:
        crumb = f"<div class='breadcrumbs'><a href='/'>Home</a> <a href='/category/trade/'>{label}</a></div>"
        return [step.slug for step in read(page(crumb), url=WHERE).sections]

    assert keys("Trade") == keys("Trade and Ports") == ["trade"]


def test_a_page_without_a_path_has_the_one_section_it_names() -> None:
    told = "<meta property='article:section' content='Trade'>"
    reading = read(page("<a rel='category tag' href='/topic/trade-and-ports/'>Trade</a>", told), url=WHERE)
    assert (reading.section, reading.breadcrumbs) == ("Trade", ())
    assert reading.sections == (Step(name="Trade", slug="trade-and-ports"),)
    assert read(page("", told), url=WHERE).sections == (Step(name="Trade", slug="trade"),)


def test_a_label_becomes_a_key_in_any_script() -> None:
    assert [slug_of(name) for name in ("Foreign Affairs & Trade", "پاکستان", "政治")] == ["foreign-affairs-trade", "پاکستان", "政治"]  # fmt: skip


@pytest.mark.parametrize(
    ("whole", "wanted"),
    [
        (True, [("Envoys", "ambassadors", 7)]),
        (False, [("Trade", "trade", None)]),
    ],
)
def test_a_whole_entrys_path_is_believed_before_the_pages(whole: bool, wanted: list[Any]) -> None:
    entry = Entry(id="1", title="Fish", is_whole=whole, sections=(Step(name="Envoys", slug="ambassadors", term_id=7),))
    crumb = "<div class='breadcrumbs'><a href='/category/trade/'>Trade</a></div>"
    reading = read(page(crumb), url=WHERE, entry=entry)
    assert [(step.name, step.slug, step.term_id) for step in reading.sections] == wanted
    assert reading.breadcrumbs == tuple(name for name, _, _ in wanted)


def test_a_feeds_path_serves_where_the_page_shows_none() -> None:
    entry = Entry(id="1", title="Fish", sections=(Step(name="Envoys", slug="ambassadors", term_id=7),))
    assert read(page(""), url=WHERE, entry=entry).sections == (Step(name="Envoys", slug="ambassadors", term_id=7),)
