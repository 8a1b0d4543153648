from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.editions.content import EditionContent, FilledBlock, Picture, Story
from pipeline.editions.designs.compiling import UnusableTemplate
from pipeline.editions.own.design import render_own, written
from pipeline.editions.own.sample import BARE, FULL
from pipeline.editions.preflight import Facts, check
from pipeline.editions.render import mjml_source, render
from pipeline.editions.rendered import Doors, LinkTable, Rendered
from tests.editions.own.designs import GOOD, letter

DOORS = Doors.at(track="https://t.example.org", public="https://news.example.org")


def made(source: str = GOOD, content: EditionContent = FULL) -> Rendered:
    return render_own(source, content, origin_links=LinkTable())


@pytest.mark.parametrize("design", ["morning", "weekly", "section", "breaking"])
@pytest.mark.parametrize("sample", [FULL, BARE], ids=["full", "bare"])
def test_the_shipped_designs_hold_to_the_table(design: str, sample: EditionContent) -> None:
    content = replace(sample, masthead=replace(sample.masthead, design=design))
    source = mjml_source(content, origin_links=LinkTable())
    assert list(written(source, is_template=False)) == []


def test_an_own_design_goes_the_way_of_the_shipped_ones() -> None:
    rendered, shipped = made(), render(FULL, origin_links=LinkTable())
    assert rendered.html.startswith("<!doctype html>")
    assert "[[dl:c" in rendered.html
    assert [link.url for link in rendered.links] == [link.url for link in shipped.links]
    assert (rendered.subject, rendered.preheader, rendered.text) == (shipped.subject, shipped.preheader, shipped.text)
    assert not check(rendered, FULL, facts=Facts(doors=DOORS)).blocked


def test_its_blocks_can_be_moved_for_a_reader() -> None:
    markup, text = made().segments()
    assert list(markup.blocks) == list(text.blocks) == [1, 2, 3, 4, 5, 6, 7, 8]


def test_the_same_source_and_content_give_the_same_bytes() -> None:
    assert made() == made()


def test_a_link_of_the_design_is_counted_like_any_other() -> None:
    rendered = made(GOOD.replace("{{ why }}", '<a href="https://elsewhere.example/?a=1&amp;b=2">x</a>'))
    assert [(link.kind, link.url) for link in rendered.links if link.kind == "web"] == [
        ("web", "https://elsewhere.example/?a=1&b=2")
    ]


def test_rules_marked_inline_are_written_into_their_elements() -> None:
    styled = GOOD.replace("</mj-head>", '<mj-style inline="inline">.q{color:#123456}</mj-style></mj-head>')
    rendered = made(styled.replace("{{ why }}", '<span class="q">{{ why }}</span>'))
    assert 'style="color: #123456;"' in rendered.html


def test_an_unusable_design_says_where() -> None:
    with pytest.raises(UnusableTemplate, match=r"Line 2, column 4: There is nothing called “nobody”"):
        made(letter("{{ nobody }}"))
    with pytest.raises(UnusableTemplate, match="Line 2, column 13: There is no tag"):
        made("<mjml><mj-body>\n<mj-section><mj-foo/></mj-section></mj-body></mjml>")


def test_markup_that_a_value_would_make_is_text() -> None:
    story = Story(headline="<script>alert(1)</script>", url="https://x.example/1", article_id=1)
    rendered = made(content=replace(FULL, blocks=(FilledBlock(kind="lead", stories=(story,)),)))
    assert "<script" not in rendered.html
    assert "&lt;script&gt;" in rendered.html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "ftp://x.example/", "data:text/html,x"])
def test_an_address_that_is_none_is_never_printed(url: str) -> None:
    story = Story(headline="Kept", url=url, picture=Picture(url=url), article_id=1)
    raw = GOOD.replace("{{ placed.href }}", "{{ placed.story.url }}")
    rendered = made(raw, replace(FULL, blocks=(FilledBlock(kind="lead", stories=(story,)),)))
    assert "Kept" in rendered.html
    assert url not in rendered.html


def test_what_a_template_puts_together_is_judged_as_what_it_comes_to() -> None:
    with pytest.raises(UnusableTemplate, match="no address for a letter"):
        made(GOOD.replace("[[dl:view]]", "java{{ 'script' }}:x"))
    with pytest.raises(UnusableTemplate, match="loop"):
        made(letter("{% for letter in masthead.name %}{% endfor %}"))


def test_a_loop_that_never_seems_to_end_is_stopped() -> None:
    many = tuple(Story(headline=f"H{n}", url=f"https://x.example/{n}") for n in range(120))
    content = replace(FULL, blocks=tuple(FilledBlock(kind="section", stories=many) for _ in range(120)))
    silent = letter("{% for block in blocks %}{% for placed in block.stories %}{% endfor %}{% endfor %}")
    with pytest.raises(UnusableTemplate, match="more than 8000 turns"):
        made(silent, content)


def test_a_design_that_grows_without_end_is_stopped() -> None:
    many = tuple(Story(headline=f"H{n}", url=f"https://x.example/{n}") for n in range(400))
    content = replace(FULL, blocks=(FilledBlock(kind="section", stories=many),))
    with pytest.raises(UnusableTemplate, match="more than 400000 characters"):
        made(GOOD.replace("{{ placed.story.headline }}", "{{ placed.story.headline }}" + "x" * 2000), content)


def test_markup_deep_enough_to_end_the_process_never_reaches_the_compiler() -> None:
    with pytest.raises(UnusableTemplate, match="too deep"):
        made(GOOD.replace("{{ why }}", "<b>" * 8_000 + "</b>" * 8_000))
    looped = "{% for a in words.months %}{% for b in words.months %}<b>{% endfor %}{% endfor %}"
    with pytest.raises(UnusableTemplate, match="too deep"):
        made(GOOD.replace("{{ why }}", looped + looped.replace("<b>", "</b>")))


WORDS = st.text(max_size=40)
STORIES = st.builds(
    Story,
    headline=WORDS,
    url=st.sampled_from(["https://x.example/1", "", "javascript:x"]) | WORDS,
    standfirst=WORDS,
    label=WORDS,
    picture=st.none() | st.builds(Picture, url=st.just("https://x.example/a.jpg") | WORDS, alt=WORDS),
    authors=st.tuples(WORDS),
    section=st.tuples(WORDS),
    language=st.sampled_from(["", "ar", "en", "xx-!!"]),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(STORIES, min_size=1, max_size=3), WORDS, WORDS)
def test_a_good_design_takes_whatever_newsrooms_write(stories: list[Story], subject: str, name: str) -> None:
    content = replace(
        FULL,
        subject=subject,
        masthead=replace(FULL.masthead, name=name, publisher=name, tagline=name),
        blocks=(FilledBlock(kind="top", title=name, stories=tuple(stories)), FilledBlock(kind="note", note=subject)),
    )
    assert "[[dl:leave]]" in made(content=content).html
