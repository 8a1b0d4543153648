from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateNotFound, UndefinedError
from lxml import html as lxml_html

from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.render import UnusableTemplate, compiled, mjml_source, render, render_notice
from pipeline.editions.rendered import (
    BLANK,
    Doors,
    Link,
    LinkTable,
    Rendered,
    preview,
    preview_text,
    sample_reader,
)

DOORS = Doors.at(track="https://t.example.org", public="https://news.example.org/")
MASTHEAD = Masthead(
    name="The Morning Dispatch",
    slug="morning",
    publisher="The Chancery Review",
    home_url="https://chancery.example/",
    postal_address="The Chancery Review\n14 Consulate Row\nLondon",
    tagline="Before nine",
    zone="Africa/Addis_Ababa",
)
#: What MJML 4 documents for the elements our templates use; mrml passes anything else in silence.
KNOWN = {
    "mjml": {"lang", "dir"},
    "mj-head": set(),
    "mj-title": set(),
    "mj-attributes": set(),
    "mj-style": set(),
    "mj-raw": set(),
    "mj-all": {"font-family", "color"},
    "mj-body": {"background-color", "width", "css-class"},
    "mj-wrapper": {"css-class", "background-color", "border-top", "padding"},
    "mj-section": {"padding", "css-class", "background-color", "direction", "text-align"},
    "mj-column": {"width", "vertical-align", "padding", "direction"},
    "mj-text": {"padding", "font-size", "line-height", "align", "color"},
    "mj-spacer": {"height"},
    "mj-button": {"href", "padding", "inner-padding", "font-size", "font-weight", "border-radius", "align", "background-color", "color"},
}  # fmt: skip


def story(number: int, **changes: Any) -> Story:
    bare = Story(
        headline=f"Headline {number}",
        url=f"https://chancery.example/{number}",
        standfirst=f"Standfirst {number}",
        section=("World", "Africa"),
        authors=("Ada Lund",),
        place="Accra",
        article_id=number,
    )
    return replace(bare, **changes)


def edition(*blocks: FilledBlock, **masthead: Any) -> EditionContent:
    return EditionContent(
        masthead=replace(MASTHEAD, **masthead),
        slot_at=datetime(2026, 11, 23, 4, 30, tzinfo=UTC),
        subject="Five capitals, one river",
        preheader="And a visa for people who never stay",
        blocks=blocks,
    )


PICTURE = Picture(url="https://pictures.example/a.jpg?w=1&h=2", alt="A river", credit="Photograph: B")
FULL = edition(
    FilledBlock(kind="lead", stories=(story(1, picture=PICTURE, reading_minutes=4),)),
    FilledBlock(kind="note", title="From the editors", note="One.\n\nTwo <b>bold</b>."),
    FilledBlock(kind="top", stories=(story(2, picture=replace(PICTURE, alt="")), story(3), story(4, label="Update"))),
    FilledBlock(kind="section", title="Africa", stories=(story(5), story(6), story(7)), link="https://chancery.example/africa"),
    FilledBlock(kind="section", title="Asia", stories=(story(8),)),
    FilledBlock(kind="opinion", stories=(story(9),)),
    FilledBlock(kind="related", stories=(story(10), story(11))),
    FilledBlock(kind="sponsor", stories=(story(12, url="https://partner.example/", article_id=None),)),
    FilledBlock(kind="popular", stories=(story(1), story(5, label="from 2019"))),
)  # fmt: skip


def made(content: EditionContent = FULL, **options: Any) -> Rendered:
    return render(content, origin_links=LinkTable(), **options)


def seen(rendered: Rendered) -> Any:
    """The HTML a reader gets, parsed by something that is not ours."""
    return lxml_html.fromstring(preview(rendered, doors=DOORS, values=sample_reader(rendered)).encode())


def test_the_same_edition_gives_the_same_bytes() -> None:
    assert made() == made()


def test_every_story_of_every_block_is_shown_and_linked_once_or_more() -> None:
    tree, text = seen(made()), made().text
    for number in range(1, 13):
        assert tree.xpath(f"//a[normalize-space()='Headline {number}'][starts-with(@href,'https://t.example.org/c/')]")
        assert f"Headline {number}\n" in text


def test_links_are_numbered_from_zero_with_their_kind_and_slot() -> None:
    links = made().links
    assert [link.number for link in links] == list(range(len(links)))
    slots = {link.slot: link for link in links}
    assert slots["lead/1"] == Link(slots["lead/1"].number, "https://chancery.example/1", "story", "lead/1", 1)
    assert slots["section/4"].article_id == 8
    assert slots["more/4"].kind == "section"
    assert slots["sponsor/1"].kind == "sponsor"
    assert slots["popular/1"].url == slots["lead/1"].url
    assert slots["popular/1"].number != slots["lead/1"].number
    assert slots["masthead/1"].kind == "home"


def test_no_address_of_a_story_is_left_in_what_is_sent() -> None:
    rendered = made()
    assert "chancery.example" not in rendered.html + rendered.text
    assert "partner.example" not in rendered.html + rendered.text


def test_rendering_again_keeps_the_meaning_of_numbers_that_are_already_out() -> None:
    first = made()
    shorter = replace(FULL, blocks=(FilledBlock(kind="lead", stories=(story(99),)), *FULL.blocks[1:]))
    second = render(shorter, origin_links=LinkTable(first.links))
    assert second.links[: len(first.links)] == first.links
    assert [link.article_id for link in second.links[len(first.links) :]] == [99]


def test_a_link_a_design_wrote_by_itself_is_numbered_too() -> None:
    from pipeline.editions.render import number_strays

    table = LinkTable()
    markup = '<a class="x" href="https://a.example/?b=1&amp;c=2">x</a><link href="https://fonts.example/f">'
    assert (
        number_strays(markup, links=table) == '<a class="x" href="[[dl:c0]]">x</a><link href="https://fonts.example/f">'
    )
    assert table.links() == (Link(0, "https://a.example/?b=1&c=2", "web", "web/1"),)


def test_the_trap_is_out_of_sight_and_reach_and_can_be_left_out() -> None:
    (trap,) = seen(made()).xpath("//a[@rel='nofollow']")
    assert trap.get("tabindex") == "-1"
    assert trap.getparent().get("aria-hidden") == "true"
    assert "display:none" in trap.getparent().get("style")
    assert any(link.kind == "honeypot" for link in made().links)
    assert not any(link.kind == "honeypot" for link in made(honeypot=False).links)
    assert "nofollow" not in made(honeypot=False).html


def test_leaving_choosing_and_asking_why_are_personal_and_not_counted() -> None:
    for part in (made().html, made().text):
        for name in ("leave", "prefs", "why", "view"):
            assert f"[[dl:{name}]]" in part
    assert "[[dl:open]]" in made().html
    assert "[[dl:open]]" not in made().text


def test_a_story_without_a_web_address_is_shown_unlinked() -> None:
    for url in ("", "javascript:alert(1)", "data:text/html,x", "https://a b", 'https://a"onclick='):
        rendered = made(edition(FilledBlock(kind="lead", stories=(story(1, url=url),))))
        assert not seen(rendered).xpath("//a[normalize-space()='Headline 1']")
        assert not [link for link in rendered.links if link.kind == "story"]
        assert "javascript:" not in rendered.html


def test_a_picture_that_is_not_on_the_web_is_left_out() -> None:
    rendered = made(edition(FilledBlock(kind="lead", stories=(story(1, picture=Picture(url="javascript:x")),))))
    assert "javascript" not in rendered.html


def test_every_picture_has_alternative_text_and_decoration_is_silent() -> None:
    tree = seen(made())
    assert all(image.get("alt") is not None for image in tree.xpath("//img"))
    (decorative,) = tree.xpath("//a[@aria-hidden='true'][img]")
    assert decorative.get("tabindex") == "-1"
    for link in tree.xpath("//a[not(@aria-hidden) and not(ancestor::*[@aria-hidden])]"):
        assert link.text_content().strip() or link.xpath(".//img[@alt!='']")


def test_layout_tables_say_that_they_are_layout() -> None:
    tables = re.findall(r"<table[^>]*>", made().html)
    assert tables
    assert all('role="presentation"' in table for table in tables)


def test_text_is_never_smaller_than_fourteen_pixels() -> None:
    sizes = {int(size) for size in re.findall(r"font(?:-size)?:[^;\"]*?(\d+)px", made().html)}
    assert min(size for size in sizes if size > 1) >= 14


def test_no_colour_is_pure_black_or_white() -> None:
    body = made().html.partition("<body")[2]
    assert not re.search(r"#(?:000000|ffffff|000|fff)\b", body)


def test_comments_for_outlook_survive_and_are_merged() -> None:
    assert "<!--[if mso | IE]>" in made().html
    assert not re.search(r"<!\[endif\]-->\s*<!--\[if mso \| IE\]>", made().html)
    assert made().html.count("<!--[if") == made().html.count("<![endif]")


def test_right_to_left_turns_the_whole_letter() -> None:
    rendered = made(replace(FULL, masthead=replace(MASTHEAD, language="ar", direction="rtl")))
    tree = seen(rendered)
    assert tree.get("dir") == "rtl"
    assert tree.get("lang") == "ar"
    assert tree.xpath("//div[@role='article'][@dir='rtl'][@lang='ar']")
    assert "border-right:3px" in rendered.html
    assert "border-left:3px" not in rendered.html
    assert "letter-spacing" not in rendered.html
    assert "الاثنين 23 نوفمبر 2026" in rendered.text
    assert "إلغاء الاشتراك" in rendered.html


def test_a_story_in_another_language_says_so() -> None:
    tree = seen(made(edition(FilledBlock(kind="lead", stories=(story(1, language="ar"),)))))
    assert tree.xpath("//h2[@lang='ar'][@dir='rtl']")
    assert not seen(made()).xpath("//h2[@lang]")


@pytest.mark.parametrize("language", ["en", "fr", "de", "es", "ar", "ur", "xx", "pt-BR"])
def test_every_language_has_every_word(language: str) -> None:
    rendered = made(replace(FULL, masthead=replace(MASTHEAD, language=language)))
    assert rendered.language == language
    assert "2026" in rendered.text


def test_the_date_is_the_newsrooms() -> None:
    late = replace(FULL, slot_at=datetime(2026, 11, 22, 22, 0, tzinfo=UTC))
    assert "Monday 23 November 2026" in made(late).text


def test_the_text_part_is_written_and_not_stripped() -> None:
    text = made().text
    assert "<" not in text.replace("<b>bold</b>", "")
    assert "&" not in text
    assert all(len(line) <= 72 for line in text.splitlines() if "[[dl:" not in line)
    assert text.startswith("THE MORNING DISPATCH\n")


NASTY = (
    "Ministers & <script>alert('x')</script> \"agree\"",
    "AT&amp;T's {{ 7 * 7 }} {% raw %} *|FNAME|* </mj-text><mj-include path='x'/>",
    ".hidden =3D leading dot and trailing spaces   ",
    "عاجل: اتفاق \u202e على المياه",
    "🇪🇹👩‍👩‍👧 family talks",
    "A" * 180,
    "[[dl:leave]] [[dl:c0]] wants my token",
    "line\r\nBcc: everyone@example.org",
    "\x00\x01\x0b\ud800 controls ]]> <!-- x --> -->",
)


@pytest.mark.parametrize("headline", NASTY)
def test_a_nasty_headline_is_shown_as_it_was_written(headline: str) -> None:
    rendered = made(edition(FilledBlock(kind="lead", stories=(story(1, headline=headline, standfirst=headline, picture=replace(PICTURE, alt=headline)),))))  # fmt: skip
    plain = " ".join(re.sub(r"[\x00\x01\x0b\ud800]", "", headline).split()).replace("[[dl:", "[[ dl:")
    (shown,) = seen(rendered).xpath("//h2[contains(@class,'first') or contains(@class,'second')]/a")
    assert " ".join(shown.text_content().split()) == plain
    assert seen(rendered).xpath("//h2[contains(@class,'first') or contains(@class,'second')]/a/*") == []
    assert " ".join(plain.split()) in " ".join(rendered.text.split())
    assert len(BLANK.findall(rendered.html)) == len(BLANK.findall(made(edition(FilledBlock(kind="lead", stories=(story(1, picture=PICTURE),)))).html))  # fmt: skip


def test_a_subject_is_one_line_and_not_escaped() -> None:
    rendered = made(replace(FULL, subject="Q&A: <b>\r\nBcc: x@example.org"))
    assert rendered.subject == "Q&A: <b> Bcc: x@example.org"


@settings(max_examples=60, deadline=None)
@given(
    text=st.text(max_size=80),
    kind=st.sampled_from(["lead", "top", "section", "popular", "opinion", "sponsor", "odd"]),
)
def test_any_text_renders_and_keeps_the_footer(text: str, kind: str) -> None:
    block = FilledBlock(
        kind=kind, title=text, note=text, stories=(story(1, headline=text, standfirst=text, place=text),)
    )
    rendered = made(edition(block, name=text, tagline=text))
    assert seen(rendered).xpath("//a[starts-with(@href,'https://news.example.org/u/')]")


def test_a_hostile_masthead_cannot_write_markup() -> None:
    rendered = made(replace(FULL, masthead=replace(MASTHEAD, accent='red;}"><script>', language='"><script>', direction="up", logo_url="x")))  # fmt: skip
    assert "<script>" not in rendered.html
    assert rendered.language == "en"
    assert rendered.direction == "ltr"


def test_an_empty_block_is_not_shown() -> None:
    assert "Africa" not in made(edition(FilledBlock(kind="section", title="Africa"))).html


def test_twelve_stories_stay_far_from_the_size_mailboxes_clip() -> None:
    rendered = made()
    sent = preview(rendered, doors=DOORS, values=sample_reader(rendered))
    assert len(rendered.links) >= 14
    assert len(sent.encode()) <= 60_000


def test_our_templates_use_only_what_mjml_knows() -> None:
    sources = [mjml_source(FULL, origin_links=LinkTable())]
    for source in sources:
        assert compiled(source)
        for tag, attributes in re.findall(r"<(mj[a-z-]*)\b((?:[^>\"]|\"[^\"]*\")*?)/?>", source):
            assert tag in KNOWN
            assert set(re.findall(r"([a-z-]+)=\"", attributes)) <= KNOWN[tag], tag


def test_a_broken_design_says_so() -> None:
    with pytest.raises(UnusableTemplate):
        compiled("<mjml><mj-body><mj-text>5 < 6</mj-text></mj-body></mjml>")


def test_a_design_cannot_include_files() -> None:
    with pytest.raises(UnusableTemplate):
        compiled('<mjml><mj-body><mj-include path="/etc/hostname"/></mj-body></mjml>')


@pytest.mark.parametrize("design", ["absent", "../../pages", "/etc"])
def test_a_design_that_is_not_ours_is_refused(design: str) -> None:
    with pytest.raises(TemplateNotFound):
        made(replace(FULL, masthead=replace(MASTHEAD, design=design)))


CONFIRM = {
    "title": "Please confirm: The Morning <Dispatch>",
    "teaser": "One click & you are on the list.",
    "opening": "Somebody asked us to send <Two> to this address.",
    "button": "Yes, send it to me",
    "foot": "The link works until 07:30 EAT.",
    "door_url": "https://news.example.org/confirm/abc?x=1&y=2",
}
READY = {
    "newsletter": "The Morning Dispatch",
    "edition_subject": "Five capitals & one river",
    "headlines": ["One", "<Two>"],
    "findings": ["The subject was used last week."],
    "stories": 12,
    "policy": "If nobody decides, it is held.",
    "review_url": "https://news.example.org/desk/editions/7",
    "decide_url": "https://news.example.org/desk/decide/token",
    "leaves_at": datetime(2026, 11, 25, 4, 30, tzinfo=UTC),
}


@pytest.mark.parametrize(
    ("name", "facts", "urls"),
    [("confirm", CONFIRM, ["door_url"]), ("draft_ready", READY, ["review_url", "decide_url"])],
)
def test_a_notice_carries_its_links_untracked_in_both_parts(name: str, facts: dict[str, Any], urls: list[str]) -> None:
    rendered = render_notice(name, masthead=MASTHEAD, facts=facts)
    plain = preview_text(rendered, doors=DOORS, values=sample_reader(rendered))
    for url in urls:
        assert seen(rendered).xpath(f"//a[@href='{facts[url]}']")
        assert facts[url] in plain
    assert rendered.links == ()
    assert "07:30 EAT" in rendered.text
    assert "&lt;" not in rendered.subject + rendered.text
    assert "<Two>" not in rendered.html


def test_a_notice_that_lacks_a_fact_is_an_error() -> None:
    with pytest.raises(UndefinedError):
        render_notice("confirm", masthead=MASTHEAD, facts={})


@pytest.mark.parametrize("url", ["", "ftp://x/", "https://x/?a=", 'https://x/"', "https://x/c/\n"])
def test_a_door_is_a_plain_address(url: str) -> None:
    with pytest.raises(ValueError, match="carry a token"):
        replace(DOORS, click=url)
