from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from string import Formatter

import pytest

from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.preflight import (
    _SENTENCES,
    BLOCK,
    CLIPPED_BYTES,
    CONFIRM,
    NOTE,
    Facts,
    Finding,
    Preflight,
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


@pytest.mark.parametrize(("stories", "expected"), [(30, set()), (38, {"nearly_too_large"}), (60, {"too_large"})])
def test_size_is_measured_as_the_mailbox_will(stories: int, expected: set[str]) -> None:
    many = tuple(replace(STORY, url=f"https://c.example/{n}", standfirst="word " * 60) for n in range(stories))
    result = found(replace(CONTENT, blocks=(FilledBlock(kind="top", stories=many),)))
    assert {finding.code for finding in result.findings} == expected
    assert result.blocked == (result.html_bytes > CLIPPED_BYTES)


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
    assert plain["findings"][0]["sentence"] == "“One river” has been killed and must not be sent."


@pytest.mark.parametrize("code", sorted(_SENTENCES))
def test_every_finding_has_a_sentence(code: str) -> None:
    names = {name for _, name, _, _ in Formatter().parse(_SENTENCES[code]) if name}
    said = sentence(Finding(code=code, level=NOTE, where="", params=dict.fromkeys(names, "x")))
    assert said[0].isupper() or said[0] in "“x"
    assert "{" not in said
