"""What is furniture and what is the story, block by block."""

from __future__ import annotations

import pytest
from lxml.html import fragment_fromstring

from pipeline.articles.furniture import Related, clean
from pipeline.articles.raw.trees import text_of

STORY = "<p>The delegations met in a fish market that had been empty since the summer.</p><p>They will meet there again on Monday, the host of the talks said.</p>"
WORDS = "The delegations met in a fish market that had been empty since the summer.They will meet there again on Monday, the host of the talks said."


def left(block: str) -> tuple[str, tuple[Related, ...]]:
    content = fragment_fromstring(f"<div>{STORY}{block}</div>")
    related = clean(content, base="https://n.example/")
    return text_of(content).replace(". They", ".They"), related


FURNITURE = [
    "<p>Follow us on <a href='/x'>X</a></p>", "<p>Follow The Gazette on Google News and Facebook</p>", "<p>Subscribe to our newsletter</p>", "<div class='sharedaddy'>Share <a href='/f'>Facebook</a></div>",
    "<p>Join our WhatsApp channel for breaking news</p>", "<p>Download the Gazette app</p>", "<p>Share this article</p>", "<h3>Most Popular</h3><ul><li><a href='/1'>One</a></li></ul>", "<h4>Recent Posts</h4><div><a href='/1'>One</a> <a href='/2'>Two</a></div>",
    "<p>Advertisement</p>", "<script>x()</script>", "<aside>Aside words</aside>", "<form><p>Your email</p></form>", "<div id='comments'><p>Nice.</p></div>", "<div class='yarpp-related'><a href='/y'>Y</a></div>", "<p>Click here to subscribe</p>", "<div aria-hidden='true'>Icon</div>",
    "<ul><li><a href='/f'>Facebook</a></li> <li><a href='/x'>X</a></li> <li>WhatsApp</li></ul>", "<p>Already a subscriber? Log in</p>", "<p>To continue reading, subscribe.</p>", "<p>Post Views: 1,204</p>", "<div class='article__share-bar'><p>Send it</p></div>",
    "<div style='display: none'><p>Hidden words</p></div>", "<p class='post-byline'>By Aiko Sato</p>", "<amp-ad>Ad</amp-ad>", "<p>Tags: <a href='/t'>fish</a></p>", "<p>Stay connected with us on Facebook</p>", "<div class='m-author-box author-box-wrap'><p>Aiko writes.</p></div>",
    "<div><div><h3>Most Popular</h3></div> <div><ul><li><a href='/1'>One</a></li></ul></div></div>", "<p><strong>Most Popular</strong></p> <ul><li><a href='/1'>One</a></li></ul>", "<p>We use cookies to improve your reading.</p>", "<h3>About the author</h3>",
]  # fmt: skip

KEPT = [
    "<p>Follow the money, he said, and the harbour will follow you.</p>", "<p>Read more books, the minister told the children of the school.</p>", "<p>Related diseases were found in four of the nine villages.</p>",
    "<p>Shares fell by a tenth.</p>", "<p>More than <a href='/forty'>forty translators</a> came.</p>", "<p>Watch: what the minister did next surprised nobody.</p>", "<h3>What happens on Monday</h3>", "<p>Trending upwards, prices passed the mark of last year again.</p>",
    "<p>The minister posted the video on YouTube.</p>", "<p>Topics discussed were ropes and nets.</p>", "<p>By continuing the talks, both sides lose time.</p>", "<p>Next story to be told is a sad one.</p>", "<p>It was the <strong>most popular</strong> boat.</p>",
    "<div class='share'><p>" + "A long paragraph of the story that stands in a strangely named box of its theme. " * 3 + "</p></div>",
]  # fmt: skip


@pytest.mark.parametrize("block", FURNITURE)
def test_furniture_leaves_the_story(block: str) -> None:
    assert left(block)[0] == WORDS


@pytest.mark.parametrize("block", KEPT)
def test_a_sentence_that_only_looks_like_furniture_stays(block: str) -> None:
    words, related = left(block)
    assert words != WORDS
    assert related == ()


@pytest.mark.parametrize(
    "lead",
    [
        "Also read:",
        "Also Read |",
        "READ MORE:",
        "Read also –",
        "See also",
        "Related:",
        "Must read:",
        "In case you missed it:",
        "Don’t miss:",
        "You may also like:",
        "More on harbours:",
        "Lesen Sie auch:",
        "À lire aussi :",
        "اقرأ أيضًا:",
        "مزید پڑھیں:",
        "Читайте также:",
    ],
)
def test_a_link_offered_beside_the_story_becomes_related(lead: str) -> None:
    assert left(f"<p><strong>{lead}</strong> <a href='/buoys/'>Who owns the buoys?</a></p>") == (
        WORDS,
        (Related("Who owns the buoys?", "https://n.example/buoys/"),),
    )


@pytest.mark.parametrize(
    "block",
    [
        "<p>Talks go on. <strong>Also read: <a href='/buoys/'>Who owns the buoys?</a></strong></p>",
        "<p>Talks go on. <em>Read more:</em> <a href='/buoys/'>Who owns the buoys?</a></p>",
        "<p>Talks go on.</p> <p><b>Also Read</b></p> <p><a href='/buoys/'>Who owns the buoys?</a></p>",
        "<p>Talks go on.</p> <div><span>Also Read</span> <a href='/buoys/'><h4>Who owns the buoys?</h4></a></div>",
        "<p>Talks go on.</p> <h4>Related stories</h4> <ul><li><a href='/buoys/'>Who owns the buoys?</a></li></ul>",
    ],
)
def test_an_offer_leaves_in_whatever_way_it_is_set(block: str) -> None:
    words, related = left(f" {block}")
    assert words == f"{WORDS} Talks go on."
    assert related == (Related("Who owns the buoys?", "https://n.example/buoys/"),)


def test_a_reference_inside_a_sentence_stays() -> None:
    sentence = "<p>Few people <em>read more than</em> <a href='/one/'>one paper</a> a day, the survey says.</p>"
    assert left(f" {sentence}") == (f"{WORDS} Few people read more than one paper a day, the survey says.", ())


def test_a_long_block_is_never_furniture() -> None:
    words, _ = left(f"<p>Also read: <a href='/x'>{'word ' * 70}</a></p>")
    assert words.count("word") == 70


def test_the_first_two_paragraphs_are_the_story_whatever_they_say() -> None:
    content = fragment_fromstring(
        f"<div><p>Follow us on the journey of a lifetime along the coast, by boat and by bus.</p>{STORY}</div>"
    )
    clean(content)
    assert text_of(content).startswith("Follow us on the journey")
