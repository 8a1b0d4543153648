"""Every template compiles, every letter is whole, and every design stands the sample edition without a gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from django.template import engines
from jinja2 import Environment, StrictUndefined, UndefinedError, meta
from lxml import html as lxml_html

from pipeline.commands.rendering.render_edition import edition_content, read_document
from pipeline.editions.content import EditionContent
from pipeline.editions.render import render, render_notice
from pipeline.editions.rendered import Doors, LinkTable, preview, preview_text, sample_reader
from pipeline.kernel.config import TEMPLATES
from pipeline.kernel.templating import environment

EMAIL, PAGES, SOCIAL = TEMPLATES / "email", TEMPLATES / "pages", TEMPLATES / "social"
LETTER = {"subject.txt", "preheader.txt", "body.mjml", "body.txt"}
LETTERS = sorted(path for kind in ("editions", "notices") for path in (EMAIL / kind).iterdir() if path.is_dir())
DESIGNS = [path.name for path in LETTERS if path.parent.name == "editions"]
NOTICES = [path.name for path in LETTERS if path.parent.name == "notices"]
MARKS = (".mjml", ".txt", ".html", ".xml")
DOORS = Doors.at(track="https://t.example.org", public="https://news.example.org/")
#: Gmail clips decoded HTML beyond about 102 KB, and with it the way to leave.
GMAIL_CLIPS_AT = 102_000
#: A value of each kind a notice may ask for, so that a new notice is tested before anybody sends it.
FACTS: Mapping[str, Any] = {
    "newsletter": "The Morning <Dispatch>",
    "edition_subject": "Five capitals & one river",
    "headlines": ["One", "<Two>"],
    "findings": ["The subject was used last week."],
    "stories": 12,
    "policy": "If nobody decides, it is held.",
    "title": "Please confirm: The Morning <Dispatch>",
    "teaser": "One click & you are on the list.",
    "opening": "Somebody asked us to send <it> to this address.",
    "button": "Yes, send it to me",
    "foot": "The link works for a week.",
    "door_url": "https://news.example.org/confirm/abc?x=1&y=2",
    "join_url": "https://news.example.org/desk/join/abc",
    "inviter": "Ada <editor>",
    "role": "desk head",
    "review_url": "https://news.example.org/desk/editions/7",
    "decide_url": "https://news.example.org/desk/decide/token",
    "expires_at": datetime(2026, 11, 25, 4, 30, tzinfo=UTC),
    "leaves_at": datetime(2026, 11, 25, 4, 30, tzinfo=UTC),
}


def templates(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in MARKS and "static" not in path.parts)


def named(path: Path) -> str:
    return str(path.relative_to(TEMPLATES))


def of_pages() -> Environment:
    engine: Any = engines.all()[0]
    made: Environment = engine.env
    return made


@pytest.fixture(scope="module")
def sample() -> EditionContent:
    """The shipped sample edition, as `dateline render-edition` reads it."""
    path = Path(__file__).parents[1] / "samples" / "edition.json"
    content, warnings = edition_content(read_document(path), newsletter="morning")
    assert warnings == []
    return content


@pytest.mark.parametrize("path", [*templates(EMAIL), *templates(SOCIAL)], ids=named)
def test_a_letter_or_post_template_compiles(path: Path) -> None:
    assert environment().undefined is StrictUndefined
    assert environment().get_template(named(path)).name


@pytest.mark.parametrize("path", templates(PAGES), ids=named)
def test_a_page_template_compiles(path: Path) -> None:
    assert of_pages().undefined is StrictUndefined
    assert of_pages().get_template(str(path.relative_to(PAGES))).name


@pytest.mark.parametrize("path", [p for p in TEMPLATES.rglob("*") if p.suffix in MARKS], ids=named)
def test_a_template_asks_only_for_templates_that_exist(path: Path) -> None:
    is_page = path.is_relative_to(PAGES)
    env, base = (of_pages(), PAGES) if is_page else (environment(), TEMPLATES)
    wanted = meta.find_referenced_templates(env.parse(path.read_text(encoding="utf-8")))
    # the demo's pages name their neighbours from their own folder
    places = [path.parent, base, *path.parents[:2]]
    assert [name for name in wanted if name and not any((place / name).is_file() for place in places)] == []


def test_there_are_letters_of_both_kinds() -> None:
    assert DESIGNS and NOTICES


@pytest.mark.parametrize("folder", LETTERS, ids=named)
def test_a_letter_has_its_four_files_and_no_other(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == LETTER


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_renders_the_sample_edition_whole(design: str, sample: EditionContent) -> None:
    content = replace(sample, masthead=replace(sample.masthead, design=design))
    rendered = render(content, origin_links=LinkTable())
    values = sample_reader(rendered)
    page = preview(rendered, doors=DOORS, values=values)
    text = " ".join(preview_text(rendered, doors=DOORS, values=values).split())
    seen = " ".join(lxml_html.fromstring(page.encode()).text_content().split())
    for headline in {story.headline for block in content.blocks for story in block.stories}:
        assert " ".join(headline.split()) in text
        assert " ".join(headline.split()) in seen
    assert len(page.encode()) < GMAIL_CLIPS_AT
    for part in (page, text):
        assert "https://news.example.org/u/" in part, "there is no way to leave"
        assert "{{" not in part and "{%" not in part
    assert content.masthead.postal_address.split("\n")[0] in text


@pytest.mark.parametrize("design", DESIGNS)
def test_a_design_stands_an_edition_of_bare_headlines(design: str, sample: EditionContent) -> None:
    """StrictUndefined: whatever an article may lack, no template asks for it unguarded."""
    bare = {"articles": [{"title": "Alone", "published": "2026-11-23"}]}
    content, _ = edition_content(bare, newsletter="morning")
    rendered = render(replace(content, masthead=replace(content.masthead, design=design)), origin_links=LinkTable())
    assert "Alone" in rendered.text and "Alone" in rendered.html and rendered.subject


@pytest.mark.parametrize("name", NOTICES)
def test_a_notice_renders_from_facts_and_refuses_a_gap(name: str, sample: EditionContent) -> None:
    rendered = render_notice(name, masthead=sample.masthead, facts=FACTS)
    assert rendered.subject and rendered.preheader and rendered.text and "<html" in rendered.html
    with pytest.raises(UndefinedError):
        render_notice(name, masthead=sample.masthead, facts={})


def test_no_page_holds_script_or_style_that_the_content_policy_would_stop() -> None:
    """The desk and the readers' pages are served under a policy without inline script, style or handlers."""
    guilty = []
    for folder in ("desk", "public", "errors"):
        for path in templates(PAGES / folder):
            markup = path.read_text(encoding="utf-8")
            inline = [word for word in ("<style", " style=", " onclick=", " onsubmit=", " onload=") if word in markup]
            scripts = [part for part in markup.split("<script")[1:] if "src=" not in part.split(">")[0]]
            if inline or scripts:
                guilty.append((named(path), inline, len(scripts)))
    assert guilty == []
