"""The four designs: what every one of them owes its readers, and what each is known by."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from pipeline.commands.rendering.render_edition import edition_content, read_document
from pipeline.delivery.message.merge import EditionHeaders, compile_program
from pipeline.editions.clients import FIRST, unsupported
from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.designs.placing import KINDS
from pipeline.editions.render import compiled, mjml_source, render
from pipeline.editions.rendered import Doors, LinkTable, Rendered, preview, preview_text, sample_reader

DESIGNS = ("morning", "section", "weekly", "breaking")
DOORS = Doors.at(track="https://t.example.org", public="https://news.example.org/")
PICTURE = Picture(url="https://pictures.example/a.jpg?w=1&h=2", alt="A river", credit="Photograph: B")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
SPAMASSASSIN = shutil.which("spamassassin")
every_design = pytest.mark.parametrize("design", DESIGNS)
every_kind = pytest.mark.parametrize("kind", KINDS)


def story(number: int, **changes: Any) -> Story:
    bare = Story(
        headline=f"Headline {number}", url=f"https://chancery.example/{number}", standfirst=f"Standfirst {number}.",
        section=("World", "Africa"), authors=("Ada Lund",), place="Accra", article_id=number, reading_minutes=4,
    )  # fmt: skip
    return replace(bare, **changes)


def edition(design: str, *blocks: FilledBlock, **masthead: Any) -> EditionContent:
    look = Masthead(
        name="The Morning Dispatch", slug="morning", publisher="The Chancery Review", home_url="https://chancery.example/",
        postal_address="14 Consulate Row\nLondon", tagline="Before nine", zone="Africa/Addis_Ababa", design=design,
    )  # fmt: skip
    slot_at = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    return EditionContent(replace(look, **masthead), slot_at, "Five capitals, one river", "And a visa", blocks)


def full(design: str, **masthead: Any) -> EditionContent:
    return edition(
        design,
        FilledBlock(kind="lead", stories=(story(1, picture=PICTURE),)),
        FilledBlock(kind="note", note="One.\n\nTwo."),
        FilledBlock(kind="top", stories=(story(2, picture=replace(PICTURE, alt="")), story(3), story(4, label="Update"))),
        FilledBlock(kind="section", title="Africa", stories=(story(5), story(6, picture=PICTURE), story(7)), link="https://chancery.example/africa"),
        FilledBlock(kind="section", stories=(story(8),)),
        FilledBlock(kind="opinion", stories=(story(9),)),
        FilledBlock(kind="related", stories=(story(10), story(11))),
        FilledBlock(kind="sponsor", stories=(story(12, url="https://partner.example/", picture=PICTURE, article_id=None),)),
        FilledBlock(kind="popular", stories=(story(1), story(5, label="from 2019"))),
        **masthead,
    )  # fmt: skip


def made(content: EditionContent) -> Rendered:
    return render(content, origin_links=LinkTable())


def page(content: EditionContent | Rendered, **options: Any) -> str:
    rendered = content if isinstance(content, Rendered) else made(content)
    return preview(rendered, doors=DOORS, values=sample_reader(rendered), **options)


def tree(content: EditionContent | Rendered, **options: Any) -> Any:
    return lxml_html.fromstring(page(content, **options).encode())


def text(content: EditionContent) -> str:
    rendered = made(content)
    return preview_text(rendered, doors=DOORS, values=sample_reader(rendered))


@every_design
def test_every_story_is_shown_linked_and_told_in_the_text(design: str) -> None:
    shown, told = tree(full(design)), text(full(design))
    for number in range(1, 13):
        assert shown.xpath(f"//a[normalize-space()='Headline {number}'][starts-with(@href,'https://t.example.org/c/')]")
        assert re.search(rf"Headline {number}$", told, re.MULTILINE)
    assert all(len(line) <= 72 for line in told.splitlines() if "https://" not in line)
    assert "<" not in told and "&" not in told


@every_design
@every_kind
def test_headings_begin_with_the_name_and_leave_out_no_level(design: str, kind: str) -> None:
    block = FilledBlock(kind=kind, note="A note." if kind == "note" else "", stories=(story(1, picture=PICTURE),))
    for content in (full(design), edition(design, block)):
        levels = [int(heading.tag[1]) for heading in tree(content).xpath("//h1|//h2|//h3|//h4")]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(below - above <= 1 for above, below in pairwise(levels)), levels


@every_design
def test_readers_by_ear_get_an_article_with_a_language_and_no_tables(design: str) -> None:
    shown = tree(full(design))
    (article,) = shown.xpath("//div[@role='article'][@aria-roledescription='email']")
    assert (article.get("lang"), article.get("dir")) == ("en", "ltr")
    assert not shown.xpath("//table[not(@role='presentation')]")
    assert not re.search(r"<table(?![^>]*role=\"presentation\")", page(full(design))), "nor in Outlook's comments"
    assert not shown.xpath("//img[not(@alt)]")
    for link in shown.xpath("//a[not(@aria-hidden) and not(ancestor::*[@aria-hidden])]"):
        assert link.text_content().strip() or link.xpath(".//img[@alt!='']")


@every_design
def test_colours_survive_inversion_and_text_is_never_small(design: str) -> None:
    body = page(full(design)).partition("<body")[2]
    assert not re.search(r"#(?:000000|ffffff|000|fff)\b", body, re.IGNORECASE)
    sizes = {int(size) for size in re.findall(r"font(?:-size)?:[^;\"/]*?(\d+)px", body)}
    assert min(size for size in sizes if size > 1) >= 14


@every_design
def test_the_night_has_a_style_element_of_its_own_that_gmail_may_drop(design: str) -> None:
    sheets = re.findall(r"<style[^>]*>(.*?)</style>", page(full(design)), re.DOTALL)
    (night,) = [sheet for sheet in sheets if "prefers-color-scheme" in sheet]
    assert "data-ogsc" in night and "data-ogsb" in night
    assert not any("data-og" in sheet for sheet in sheets if sheet is not night)
    dark = set(re.findall(r"\.([a-z]+)", night.partition("[data")[0]))
    drawn = {name for names in tree(full(design)).xpath("//@class") for name in names.split()}
    assert dark - drawn <= {"band"}, "a rule for a class no element has"


@every_design
def test_outlook_keeps_its_comments_and_they_are_joined(design: str) -> None:
    markup = page(full(design))
    assert "<!--[if mso | IE]>" in markup
    assert not re.search(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>", markup)
    assert markup.count("<!--[if") == markup.count("<![endif]")


@every_design
def test_a_reader_may_have_the_blocks_in_any_order_and_any_number(design: str) -> None:
    rendered = made(full(design))
    numbers = list(rendered.segments()[0].blocks)
    assert numbers == list(rendered.segments()[1].blocks) == list(range(1, 10))
    for arrangement in ([], [3], list(reversed(numbers)), [5, 1, 9, 2]):
        markup = page(rendered, blocks=arrangement)
        assert "[[dl:b" not in markup
        marks = re.findall(r"<!--\[if|<!\[endif\]", markup)
        assert marks == ["<!--[if", "<![endif]"] * (len(marks) // 2), "Outlook's comments open and close in turn"
        for outlook in (
            re.sub(r"<!--\[if mso \| IE\]>|<!\[endif\]-->", "", markup),
            re.sub(r"<!--.*?-->", "", markup, flags=re.DOTALL),
        ):
            for tag in ("table", "tr", "td", "div"):
                assert len(re.findall(rf"<{tag}\b", outlook)) == outlook.count(f"</{tag}>"), (arrangement, tag)
        headings = [found.text_content() for found in tree(rendered, blocks=arrangement).xpath("//h2/a|//h3/a")]
        shown = {int(found.removeprefix("Headline ")) for found in headings}
        of = {1: {1}, 2: set(), 3: {2, 3, 4}, 4: {5, 6, 7}, 5: {8}, 6: {9}, 7: {10, 11}, 8: {12}, 9: {1, 5}}
        assert shown == set().union(*(of[number] for number in arrangement))


def sample(design: str) -> EditionContent:
    path = Path(__file__).parents[1] / "samples" / "edition.json"
    content, _ = edition_content(read_document(path), newsletter="morning")
    return replace(content, masthead=replace(content.masthead, design=design))


@every_design
def test_a_morning_of_twelve_stories_is_at_most_sixty_kilobytes(design: str) -> None:
    assert len(sample(design).stories()) >= 11
    assert len(page(sample(design)).encode()) <= 60_000


@every_design
def test_nothing_is_used_that_gmail_apple_mail_or_outlook_lack_without_a_fallback(design: str) -> None:
    for content in (full(design), full(design, language="ur", direction="rtl", logo_url="https://x.example/logo.png")):
        lacking = [found for found in unsupported(page(content)) if set(found.clients) & set(FIRST)]
        assert lacking
        assert [found for found in lacking if not found.fallback] == []


@every_design
def test_only_what_mjml_knows_is_asked_of_it(design: str) -> None:
    from tests.editions.test_render import KNOWN

    source = mjml_source(full(design), origin_links=LinkTable())
    assert compiled(source)
    for tag, attributes in re.findall(r"<(mj[a-z-]*)\b((?:[^>\"]|\"[^\"]*\")*?)/?>", source):
        assert set(re.findall(r"([a-z-]+)=\"", attributes)) <= KNOWN[tag], tag


NASTY = (
    "Ministers & <script>alert('x')</script> \"agree\"",
    "AT&amp;T's {{ 7 * 7 }} {% raw %} *|FNAME|* </mj-text><mj-include path='x'/>",
    ".hidden =3D leading dot and trailing spaces   ",
    "عاجل: اتفاق \u202e على المياه",
    "🇪🇹👩‍👩‍👧 family talks",
    "A" * 180,
    "Ministers who had promised never to meet again met again on Tuesday in a room with no windows " * 2,
    "[[dl:leave]] [[dl:c0]] [[dl:b3]] wants my token",
    "\x00\x01\x0b\ud800 controls ]]> <!-- x --> -->",
)


@every_design
@pytest.mark.parametrize("words", NASTY)
def test_a_nasty_story_is_shown_as_it_was_written(design: str, words: str) -> None:
    nasty = story(1, headline=words, standfirst=words, place=words, section=(words,), authors=(words,), label=words, picture=replace(PICTURE, alt=words, credit=words))  # fmt: skip
    blocks = [FilledBlock(kind=kind, title=words, note=words, stories=(nasty,)) for kind in KINDS]
    rendered = made(edition(design, *blocks, name=words, tagline=words, publisher=words))
    plain = " ".join(re.sub(r"[\x00\x01\x0b\ud800]", "", words).split()).replace("[[dl:", "[[ dl:")
    shown = [" ".join(found.text_content().split()) for found in tree(rendered).xpath("//h2/a|//h3/a")]
    assert shown == [plain] * (len(KINDS) - 1)
    assert not tree(rendered).xpath("//script|//mj-include|//h2/a/*|//h3/a/*")
    assert plain in " ".join(rendered.text.split())
    assert list(rendered.segments()[0].blocks) == list(range(1, len(KINDS) + 1))


def tags(content: EditionContent) -> list[str]:
    return [element.tag for element in tree(content).iter() if isinstance(element.tag, str)]


#: Letters enough to be shown, and too few to be set smaller or elsewhere.
words_of_any_kind = st.text(min_size=1, max_size=50).map(lambda drawn: f"x{drawn}x")


@settings(max_examples=25, deadline=None)
@given(words=words_of_any_kind, design=st.sampled_from(DESIGNS))
def test_no_text_whatever_changes_the_structure_of_a_letter(words: str, design: str) -> None:
    def of(words: str) -> EditionContent:
        told = story(1, headline=words, standfirst=words, place=words, section=(words,), authors=(words,), label=words, picture=replace(PICTURE, alt=words, credit=words))  # fmt: skip
        blocks = [
            FilledBlock(
                kind=kind, title=words, note=words.replace("\n", " "), stories=(told,), link="https://x.example"
            )
            for kind in KINDS
        ]
        return edition(design, *blocks, name=words, tagline=words)

    assert tags(of(re.sub(r"\s", " ", words))) == tags(of("plain"))


@every_design
def test_two_megabytes_in_one_field_do_not_reach_a_reader(design: str) -> None:
    content = edition(design, FilledBlock(kind="lead", stories=(story(1, headline="w " * 1_000_000, standfirst="y " * 1_000_000),)))  # fmt: skip
    assert len(page(content).encode()) < 60_000
    assert "…" in text(content)


@every_design
def test_what_a_story_lacks_leaves_no_hole(design: str) -> None:
    bare = Story(headline="Alone", url="https://chancery.example/")
    blocks = [FilledBlock(kind=kind, stories=(bare,)) for kind in KINDS if kind != "note"]
    shown = tree(edition(design, *blocks, tagline=""))
    assert [image.get("width") for image in shown.xpath("//img")] == ["1"], "the pixel alone"
    assert not shown.xpath("//p[not(normalize-space())]")
    assert not shown.xpath("//h1[not(normalize-space())]|//h2[not(normalize-space())]|//h3[not(normalize-space())]")


@every_design
@pytest.mark.parametrize("language", ["ar", ""])
def test_a_story_that_runs_the_other_way_is_set_so_even_if_nobody_said(design: str, language: str) -> None:
    arabic = story(1, headline="عاجل: اتفاق على المياه", standfirst="نص قصير", language=language)
    (heading,) = tree(edition(design, FilledBlock(kind="top", stories=(arabic,)))).xpath("//h3")
    assert heading.get("dir") == "rtl"
    assert heading.get("lang") == (language or None)
    assert "text-align:right" in heading.get("style")
    assert "Naskh" in heading.get("style")
    latin = story(1, language="en")
    (heading,) = tree(edition(design, FilledBlock(kind="top", stories=(latin,)), language="ar", direction="rtl")).xpath("//h3")  # fmt: skip
    assert (heading.get("dir"), heading.get("lang")) == ("ltr", "en")
    assert "text-align:left" in heading.get("style")
    assert "Georgia" in heading.get("style")


@every_design
def test_right_to_left_turns_the_whole_letter(design: str) -> None:
    markup = page(full(design, language="ur", direction="rtl"))
    assert tree(full(design, language="ur", direction="rtl")).get("dir") == "rtl"
    assert "letter-spacing" not in markup
    assert "italic" not in markup
    assert "small-caps" not in markup
    assert "Noto Nastaliq Urdu" in markup
    assert "رکنیت ختم کریں" in markup


@every_design
def test_a_newsletter_chooses_paper_type_colour_and_logo(design: str) -> None:
    plain, dressed = page(full(design)), page(full(design, paper="rose", typeface="sans", accent="#1d4e6b"))
    assert "#fffdf8" in plain and "Georgia" in plain
    assert "#fff5ec" in dressed and "#1d4e6b" in dressed and "Georgia" not in dressed
    odd = page(full(design, paper="url(x)", typeface='"><script>', accent="red;}"))
    assert odd == plain


@pytest.mark.parametrize("design", ["morning", "section", "weekly"])
def test_a_logo_stands_on_a_plate_that_forced_inversion_leaves_alone(design: str) -> None:
    (logo,) = tree(full(design, logo_url="https://x.example/logo.png")).xpath("//h1//img")
    assert logo.get("alt") == "The Morning Dispatch"
    assert "linear-gradient(#fffdf8,#fffdf8)" in logo.get("style")
    assert "background-color:#fffdf8" in logo.get("style")


def test_the_weekly_names_its_week_its_long_reads_and_its_sections() -> None:
    shown = tree(full("weekly"))
    headings = [" ".join(heading.text_content().split()) for heading in shown.xpath("//h2")]
    assert "Long reads" in headings and "Africa" in headings and "Also this week" in headings
    assert "The week to 23 November 2026" in shown.text_content()
    assert "The week to 23 November 2026" in text(full("weekly"))


def test_the_section_opens_its_stories_with_the_place() -> None:
    paragraphs = [" ".join(p.text_content().split()) for p in tree(full("section")).xpath("//p")]
    assert "Accra — Standfirst 3." in paragraphs
    assert "In brief" in tree(full("section")).text_content()


def test_breaking_says_when_in_the_newsrooms_time_and_keeps_it_short() -> None:
    long = "What it means is plain. " + "And then it goes on for a good while longer than anybody will read. " * 5
    content = edition("breaking", FilledBlock(kind="lead", stories=(story(1, standfirst=long),)), FilledBlock(kind="note", note="One.\n\nTwo.\n\nThree."), FilledBlock(kind="related", stories=(story(2),)))  # fmt: skip
    shown = tree(content)
    assert [found.text_content() for found in shown.xpath("//p[contains(@class,'clock')]")] == ["07:30"]
    assert "EAT" in shown.text_content()
    brief = next(p.text_content() for p in shown.xpath("//p") if p.text_content().startswith("What it means"))
    assert brief.endswith("anybody will read.")
    assert len(brief) <= 170
    assert len(shown.xpath("//td[contains(text(),'•')]")) == 3
    assert {"What we know", "Also read"} <= {" ".join(h.text_content().split()) for h in shown.xpath("//h2")}
    assert text(content).startswith("BREAKING NEWS: 07:30 EAT\n")
    assert "* One." in text(content)
    nameless = text(replace(content, masthead=replace(content.masthead, zone="Asia/Almaty")))
    assert nameless.startswith("BREAKING NEWS: 09:30 UTC+05\n"), "not every zone has a name"


@pytest.mark.skipif(SPAMASSASSIN is None, reason="needs SpamAssassin")
@every_design
def test_a_spam_filter_has_nothing_against_a_design(design: str) -> None:
    content = sample(design)
    rendered = made(content)
    headers = EditionHeaders(
        sender_name="The Morning Dispatch", sender="news@example.org", doors=DOORS, date=content.slot_at,
        list_name="The Morning Dispatch", list_id="morning.example.org",
    )  # fmt: skip
    message = compile_program(rendered, headers=headers).message(sample_reader(rendered))
    judged = subprocess.run([SPAMASSASSIN, "-L", "-t"], input=message, capture_output=True, check=True, timeout=60)
    report = judged.stdout.decode("utf-8", "replace")
    found = re.search(r"^X-Spam-Status: .*?score=(-?[\d.]+)", report, re.MULTILINE | re.DOTALL)
    assert found is not None
    assert float(found[1]) < 1.0, report[-1500:]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"])  # fmt: skip
        yield opened
        opened.close()


@pytest.mark.browser
@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium, which is not on PATH")
@every_design
def test_no_screen_has_to_be_scrolled_sideways(design: str, browser: Any) -> None:
    monsters = [story(1, headline=words, standfirst=words, place=words[:60], picture=PICTURE) for words in NASTY[:6]]
    blocks = [
        FilledBlock(kind=kind, title="Extraordinary " * 40, note="B" * 200, stories=tuple(monsters)) for kind in KINDS
    ]
    for content in (edition(design, *blocks), edition(design, *blocks, language="ar", direction="rtl")):
        for width in (360, 680):
            opened = browser.new_page(viewport={"width": width, "height": 800})
            opened.route("**/*", lambda route: route.abort())
            opened.set_content(page(content))
            assert opened.evaluate("document.documentElement.scrollWidth") <= width
            opened.close()
