from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from string import Formatter
from typing import Any

import pytest

from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.findings.words import _FIXES, _SENTENCES
from pipeline.editions.preflight import (
    BLOCK,
    CONFIRM,
    NOTE,
    Facts,
    Finding,
    Preflight,
    asked,
    broken,
    check,
    sentence,
)
from pipeline.editions.render import render
from pipeline.editions.rendered import Doors, LinkTable, Rendered

FACTS = Facts(doors=Doors.at(track="https://t.example.org", public="https://news.example.org"))
STORY = Story(headline="One river", url="https://chancery.example/1", standfirst="Five capitals", article_id=1)
CONTENT = EditionContent(
    masthead=Masthead(
        name="Dispatch",
        slug="dispatch",
        publisher="Review",
        home_url="https://chancery.example/",
        postal_address="14 Consulate Row\nLondon & Paris",
    ),
    slot_at=datetime(2026, 11, 23, 4, 30, tzinfo=UTC),
    subject="One river, five capitals",
    preheader="And more",
    blocks=(FilledBlock(kind="lead", stories=(STORY,)),),
)


def found(content: EditionContent = CONTENT, *, facts: Facts = FACTS) -> Preflight:
    return check(render(content, origin_links=LinkTable()), content, facts=facts)


def codes(findings: Preflight) -> set[tuple[str, str, str]]:
    return {(finding.code, finding.level, finding.where) for finding in findings.findings}


def with_story(**changes: object) -> EditionContent:
    return replace(CONTENT, blocks=(FilledBlock(kind="lead", stories=(replace(STORY, **changes),)),))  # type: ignore[arg-type]


def doctored(**changes: str) -> Preflight:
    rendered: Rendered = replace(render(CONTENT, origin_links=LinkTable()), **changes)  # type: ignore[arg-type]
    return check(rendered, CONTENT, facts=FACTS)


def test_a_good_edition_has_no_findings() -> None:
    assert found().findings == ()
    assert not found().blocked


def test_an_edition_without_stories_is_blocked() -> None:
    empty = found(replace(CONTENT, blocks=(FilledBlock(kind="top", title="Top"),)))
    assert codes(empty) == {("no_items", BLOCK, "blocks"), ("empty_block", CONFIRM, "block/1")}
    assert empty.blocked


def test_a_note_alone_fills_its_block() -> None:
    content = replace(CONTENT, blocks=(*CONTENT.blocks, FilledBlock(kind="note", note="Good morning.")))
    assert codes(found(content)) == set()


def test_a_part_without_a_way_to_leave_is_blocked() -> None:
    rendered = render(CONTENT, origin_links=LinkTable())
    html = rendered.html.replace("[[dl:leave]]", "https://x.example/")
    assert ("no_way_to_leave", BLOCK, "footer") in codes(doctored(html=html))
    assert codes(doctored(text="hello")) == {("no_way_to_leave", BLOCK, "footer")}


def test_a_missing_or_unprinted_postal_address_is_blocked() -> None:
    nowhere = replace(CONTENT, masthead=replace(CONTENT.masthead, postal_address=" \n"))
    assert codes(found(nowhere)) == {("no_postal_address", BLOCK, "footer")}
    rendered = render(CONTENT, origin_links=LinkTable())
    assert ("no_postal_address", BLOCK, "footer") in codes(doctored(html=rendered.html.replace("Consulate", "")))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (85_000, set()),
        (85_001, {("nearly_too_large", CONFIRM, "blocks")}),
        (100_000, {("nearly_too_large", CONFIRM, "blocks")}),
        (100_001, {("too_large", BLOCK, "blocks")}),
    ],
)
def test_size_is_measured_as_the_mailbox_will(size: int, expected: set[tuple[str, str, str]]) -> None:
    padding = "x" * (size - found().html_bytes)
    result = doctored(html=render(CONTENT, origin_links=LinkTable()).html + f"{padding}")
    assert (codes(result), result.html_bytes) == (expected, size)


def test_the_largest_message_a_reader_can_get_is_what_counts() -> None:
    assert codes(found(facts=replace(FACTS, largest_bytes=100_001))) == {("too_large", BLOCK, "blocks")}
    assert found(facts=replace(FACTS, largest_bytes=5)).html_bytes == found().html_bytes


def test_size_counts_addresses_at_their_full_length() -> None:
    long = Facts(doors=Doors.at(track="https://" + "t" * 60 + ".example.org", public="https://news.example.org"))
    assert found(facts=long).html_bytes > found().html_bytes + 60 * 3


def test_a_picture_without_alternative_text_is_counted() -> None:
    rendered = render(CONTENT, origin_links=LinkTable())
    result = doctored(html=rendered.html.replace("</body>", '<img src="https://x/a.png"><img data-alt="x"></body>'))
    (finding,) = result.findings
    assert (finding.code, finding.params) == ("no_alt", {"count": 2})


def test_a_picture_nobody_described_is_noted() -> None:
    content = with_story(picture=Picture(url="https://p.example/a.jpg"))
    assert codes(found(content)) == {("picture_without_words", NOTE, "story/1/1")}


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("", {("empty_subject", BLOCK, "subject")}),
        ("x" * 70, set()),
        ("x" * 71, {("long_subject", CONFIRM, "subject")}),
        ("Last WEEK", {("repeated_subject", CONFIRM, "subject")}),
    ],
)
def test_a_subject_is_present_short_and_new(subject: str, expected: set[tuple[str, str, str]]) -> None:
    facts = replace(FACTS, recent_subjects=("Last week ",))
    assert codes(found(replace(CONTENT, subject=subject), facts=facts)) == expected


def test_an_empty_preview_line_is_noted() -> None:
    assert codes(found(replace(CONTENT, preheader=""))) == {("empty_preheader", NOTE, "preheader")}


def test_a_killed_or_embargoed_story_is_blocked_where_it_stands() -> None:
    assert codes(found(facts=replace(FACTS, killed=frozenset({1})))) == {("killed_item", BLOCK, "story/1/1")}
    assert codes(found(facts=replace(FACTS, embargoed=frozenset({1})))) == {("embargoed_item", BLOCK, "story/1/1")}


def test_a_story_needs_a_headline_and_an_address() -> None:
    assert codes(found(with_story(headline=" "))) == {("empty_headline", BLOCK, "story/1/1")}
    assert codes(found(with_story(url="ftp://x"))) == {("no_address", CONFIRM, "story/1/1")}


def test_a_story_placed_twice_is_noted_at_its_second_place() -> None:
    content = replace(CONTENT, blocks=(*CONTENT.blocks, FilledBlock(kind="popular", stories=(STORY,))))
    assert codes(found(content)) == {("repeated_item", NOTE, "story/2/1")}


@pytest.mark.parametrize("mark", ["{{ name }}", "{% if x %}", "*|FNAME|*", "<mj-text", "[[dl:nobody]]"])
def test_a_mark_that_came_from_nowhere_is_blocked(mark: str) -> None:
    rendered = render(CONTENT, origin_links=LinkTable())
    assert codes(doctored(html=rendered.html + mark)) == {("unresolved_mark", BLOCK, "html")}
    assert codes(doctored(text=rendered.text + mark)) == {("unresolved_mark", BLOCK, "text")}
    assert codes(doctored(subject="Hello " + mark)) == {("unresolved_mark", BLOCK, "subject")}


def test_a_mark_a_newsroom_wrote_is_asked_about_and_not_blocked() -> None:
    result = found(with_story(headline="What {{ braces }} mean"))
    assert {finding.code for finding in result.findings} == {"mark_in_content"}
    assert not result.blocked


def test_a_blank_in_the_subject_is_a_mark() -> None:
    assert codes(doctored(subject="[[dl:leave]]")) == {("unresolved_mark", BLOCK, "subject")}


def test_the_worst_comes_first_and_everything_is_plain_data() -> None:
    content = replace(with_story(picture=Picture(url="https://p.example/a.jpg")), subject="x" * 80)
    plain = json.loads(json.dumps(found(content, facts=replace(FACTS, killed=frozenset({1}))).as_json()))
    assert [finding["level"] for finding in plain["findings"]] == ["block", "confirm", "note"]
    assert plain["blocked"] is True
    assert plain["findings"][0]["sentence"] == "“One river” has been killed and must not be sent. Take it out."


@pytest.mark.parametrize("code", sorted(_SENTENCES))
def test_every_finding_has_a_sentence(code: str) -> None:
    names = {name for _, name, _, _ in Formatter().parse(_SENTENCES[code]) if name}
    said = sentence(Finding(code=code, level=NOTE, where="", params=dict.fromkeys(names, "x")))
    assert said[0].isupper() or said[0] in "“x"
    assert "{" not in said


def test_every_finding_has_a_remedy() -> None:
    assert set(_FIXES) == set(_SENTENCES)


def stories(*changes: dict[str, Any], kind: str = "top") -> EditionContent:
    made = tuple(replace(STORY, **{"url": f"https://c.example/{n}", **each}) for n, each in enumerate(changes))
    return replace(CONTENT, blocks=(FilledBlock(kind=kind, title="Block", stories=made),))


def test_a_long_subject_is_shown_as_gmail_and_a_phone_will() -> None:
    (finding,) = found(replace(CONTENT, subject="abcde " * 13)).findings
    assert finding.params["phone"] == ("abcde " * 8)[:46] + "…"
    assert len(finding.params["gmail"]) == 71


@pytest.mark.parametrize(
    ("preheader", "repeats"),
    [
        ("One river, five capitals", True),
        ("ONE RIVER — five capitals, and a dam", True),
        ("Five capitals, one river", True),
        ("And a dam nobody wants", False),
        ("River without end", False),
    ],
)
def test_a_preview_line_that_says_the_subject_again_is_noted(preheader: str, repeats: bool) -> None:
    expected = {("repeated_preheader", NOTE, "preheader")} if repeats else set()
    assert codes(found(replace(CONTENT, preheader=preheader))) == expected


def test_a_story_the_site_changed_after_an_editor_rewrote_it_is_asked_about() -> None:
    assert codes(found(facts=replace(FACTS, changed=frozenset({1})))) == {("changed_item", CONFIRM, "story/1/1")}


def test_a_short_block_leads_to_the_block_of_its_title() -> None:
    content = replace(CONTENT, blocks=(*CONTENT.blocks, FilledBlock(kind="note", title="Africa", note="Hello")))
    short = replace(FACTS, short_blocks=(("Africa", 1, 3), ("Gone", 0, 2)))
    assert codes(found(content, facts=short)) == {
        ("short_block", CONFIRM, "block/2"),
        ("short_block", CONFIRM, "blocks"),
    }


def test_links_that_do_not_answer_and_pictures_that_weigh_too_much_are_told_where_they_stand() -> None:
    picture = Picture(url="https://p.example/a.jpg", alt="A river")
    facts = replace(
        FACTS,
        dead_links={STORY.url: "it says 404"},
        heavy_pictures={picture.url: 2_400_000},
        missing_pictures={picture.url: "it says 403"},
    )
    result = found(with_story(picture=picture), facts=facts)
    assert codes(result) == {
        ("dead_link", CONFIRM, "story/1/1"),
        ("heavy_picture", CONFIRM, "story/1/1"),
        ("missing_picture", CONFIRM, "story/1/1"),
    }
    assert "weighs 2.4 MB" in " ".join(sentence(finding) for finding in result.findings)
    assert asked(with_story(picture=picture), facts=facts) == result.findings


@pytest.mark.parametrize(
    ("second", "same"),
    [
        ("https://p.example/a-800x600.jpg", True),
        ("https://P.example/a-scaled.jpg?w=600", True),
        ("https://p.example/b.jpg", False),
    ],
)
def test_one_picture_under_two_stories_is_noted_whatever_its_size(second: str, same: bool) -> None:
    content = stories(
        {"headline": "Rain", "picture": Picture(url="https://p.example/a.jpg", alt="A")},
        {"headline": "Sun", "picture": Picture(url=second, alt="B")},
    )
    assert codes(found(content)) == ({("repeated_picture", NOTE, "story/1/2")} if same else set())


@pytest.mark.parametrize(
    ("authors", "kind", "repeats"),
    [(("Ada Writer",), "top", True), (("Reuters",), "top", False), (("Ada Writer",), "section", False)],
)
def test_a_byline_over_two_stories_at_the_top_is_noted(authors: tuple[str, ...], kind: str, repeats: bool) -> None:
    content = stories({"headline": "Rain", "authors": authors}, {"headline": "Sun", "authors": authors}, kind=kind)
    assert codes(found(content)) == ({("repeated_byline", NOTE, "story/1/2")} if repeats else set())


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Zambezi accord signed by five capitals", "Five capitals sign the Zambezi accord", True),
        ("Zambezi accord signed by five capitals", "Markets fall as rates rise again", False),
        ("Rain", "Rain", False),
    ],
)
def test_two_stories_on_one_event_are_noted(one: str, other: str, alike: bool) -> None:
    expected = {("one_event", NOTE, "story/1/2")} if alike else set()
    assert codes(found(stories({"headline": one}, {"headline": other}))) == expected


def test_a_story_that_leads_to_a_name_dressed_as_another_is_asked_about() -> None:
    assert codes(found(with_story(url="https://xn--80ak6aa92e.com/"))) == {("lookalike_address", CONFIRM, "story/1/1")}


def test_words_that_cannot_be_read_where_they_stand_are_asked_about() -> None:
    pale = '<p style="color:#999999;background-color:#ffffff">Hardly seen</p></body>'
    result = doctored(html=render(CONTENT, origin_links=LinkTable()).html.replace("</body>", pale))
    assert codes(result) == {("low_contrast", CONFIRM, "design")}
    assert "“Hardly seen” is #999999 on #ffffff, a contrast of 2.8" in sentence(result.findings[0])


def test_an_accent_that_had_to_be_darkened_is_noted() -> None:
    content = replace(CONTENT, masthead=replace(CONTENT.masthead, accent="#ffcc00"))
    assert codes(found(content)) == {("accent_changed", NOTE, "masthead")}


def test_what_clients_will_not_show_is_told_with_their_names() -> None:
    rendered = render(CONTENT, origin_links=LinkTable())
    (finding,) = doctored(html=rendered.html.replace("</body>", "<video></video></body>")).findings
    assert (finding.code, finding.level) == ("unsupported", CONFIRM)
    assert "Gmail on the web" in sentence(finding)


def test_the_warnings_of_an_own_design_lead_to_their_lines() -> None:
    facts = replace(FACTS, design_warnings=((12, "A picture has no alt."),))
    assert codes(found(facts=facts)) == {("design_warning", NOTE, "design:12")}


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ("Line 4, column 2: no", "design:4"),
        ("What the design comes to: Line 9, column 1: x", "design:9"),
        ("no", "design"),
    ],
)
def test_a_design_that_cannot_be_used_blocks_and_leads_to_its_line(said: str, where: str) -> None:
    assert codes(broken(ValueError(said))) == {("broken_template", BLOCK, where)}
    assert broken(ValueError(said)).blocked


def test_the_same_thing_is_not_said_for_ever_unless_it_blocks() -> None:
    content = stories(*({"headline": f"Headline {n}", "url": "ftp://x", "article_id": n} for n in range(40)))
    facts = replace(FACTS, killed=frozenset(range(40)))
    said = [finding.code for finding in found(content, facts=facts).findings]
    assert said.count("killed_item") == 40
    assert said.count("no_address") == 12
