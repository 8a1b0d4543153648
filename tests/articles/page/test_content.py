"""Where a story is found on a page, and how a channel's own HTML becomes the same paragraphs."""

from __future__ import annotations

import pytest

from pipeline.articles.furniture import Related
from pipeline.articles.page import content
from pipeline.articles.raw.markup import clean_html
from pipeline.articles.raw.trees import page_tree

LONG = (
    "The two delegations met on Thursday in a converted fish market, the only hall in the port that was large enough."
)
MORE = (
    "Talks on the harbour treaty will go on until Monday, the host said, and nobody may leave before the last chapter."
)
LAST = (
    "Fishing crews who waited outside said they would believe in a treaty when the buoys had been moved by both sides."
)
STORY = [LONG, MORE, LAST]
PARAGRAPHS = "".join(f"<p>{text}</p>" for text in STORY)


def found(body: str) -> list[str]:
    return list(content.story(page_tree(f"<html><body>{body}</body></html>")).blocks)


@pytest.mark.parametrize(
    "body",
    [
        f"<div class='entry-content'>{PARAGRAPHS}</div>",
        f"<div class='Article-Body'>{PARAGRAPHS}</div>",
        f"<main><article>{PARAGRAPHS}</article></main>",
        f"<div itemprop='articleBody'>{LONG}<br><br>{MORE}<br/>{LAST}</div>",
        f"<div class='post-body'><div>{LONG}</div><div><br></div><div>{MORE}</div><div>{LAST}</div></div>",
        f"<div class='entry-content'><p>{LONG}</p>{MORE}<p>{LAST}</p></div>",
        f"<div class='entry-content'><span><p>{LONG}</p></span><font>{MORE}</font><p>{LAST}</p></div>",
        f"<div class='story-body'><p>{LONG}</p></div><div class='ad'>Ad</div><div class='story-body'><p>{MORE}</p><p>{LAST}</p></div>",
        f"<div class='entry-content'>{PARAGRAPHS}</div><div class='entry-content'><h1>Next</h1>{PARAGRAPHS * 9}</div>",
        f"<div class='entry-content'><p>{LONG[:60]}</p></div><section><div class='entry-content'>{PARAGRAPHS * 1}</div></section>",
        f"<article><p>{LONG}</p><table><tr><td>{MORE}</td></tr></table><p>{LAST}</p></article>",
    ],
)
def test_a_story_is_found_wherever_themes_put_it(body: str) -> None:
    assert found(body) == STORY


def test_a_story_of_one_short_line_is_found_in_its_holder() -> None:
    assert found("<div class='entry-content'><p>This article has been removed.</p></div>") == ["This article has been removed."]  # fmt: skip


def test_a_list_item_is_kept_once_with_what_stands_before_its_own_list() -> None:
    body = (
        f"<div class='entry-content'>{PARAGRAPHS}<ul><li>{LONG}<ul><li>Buoys</li></ul></li><li>Chairs</li></ul></div>"
    )
    assert found(body) == [*STORY, LONG, "Buoys", "Chairs"]


MARKUP = f"""<div class="sharedaddy"><h3>Share this:</h3><ul><li><a href="#">Click to share on X</a></li></ul></div>
<p>{LONG}</p>
<p><strong>Also Read:</strong> <a href="/rain/">A jar of rain</a></p>
<div>{MORE}</div><figure><img src="/jar.jpg"><figcaption>A jar</figcaption></figure>

{LAST}
<p>Follow us on <a href="#">X</a></p>"""


@pytest.mark.parametrize("markup", [MARKUP, clean_html(MARKUP, base="https://n.example/")], ids=["raw", "cleaned"])
def test_a_channels_own_html_is_cleaned_as_a_page_is(markup: str) -> None:
    story = content.from_markup(markup, base="https://n.example/")
    assert list(story.blocks) == STORY
    assert story.related == (Related("A jar of rain", "https://n.example/rain/"),)


@pytest.mark.parametrize("body", ["One.\n\nTwo.\n", "<p>One.</p><p>Two.</p>", "One.<br>Two.", "One.\nTwo."])
def test_an_article_body_has_paragraphs_too(body: str) -> None:
    assert list(content.from_words(body).blocks) == ["One.", "Two."]
    assert content.from_words(None).blocks == ()


def test_a_story_has_an_end() -> None:
    assert sum(map(len, found(f"<div class='entry-content'>{PARAGRAPHS * 3000}</div>"))) <= content.MAX_TEXT
