"""What is furniture and what is the story, block by block; bylines; breadcrumbs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml.html import fragment_fromstring

from pipeline.articles.furniture import Related, breadcrumbs, bylines, clean, section_path, text_of

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
]  # fmt: skip

KEPT = [
    "<p>Follow the money, he said, and the harbour will follow you.</p>", "<p>Read more books, the minister told the children of the school.</p>", "<p>Related diseases were found in four of the nine villages.</p>",
    "<p>Shares fell by a tenth.</p>", "<p>More than <a href='/forty'>forty translators</a> came.</p>", "<p>Watch: what the minister did next surprised nobody.</p>", "<h3>What happens on Monday</h3>", "<p>Trending upwards, prices passed the mark of last year again.</p>",
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


def test_a_long_block_is_never_furniture() -> None:
    words, _ = left(f"<p>Also read: <a href='/x'>{'word ' * 70}</a></p>")
    assert words.count("word") == 70


def test_the_first_two_paragraphs_are_the_story_whatever_they_say() -> None:
    content = fragment_fromstring(
        f"<div><p>Follow us on the journey of a lifetime along the coast, by boat and by bus.</p>{STORY}</div>"
    )
    clean(content)
    assert text_of(content).startswith("Follow us on the journey")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("By Aiko Sato", ("Aiko Sato",)),
        ("BY AIKO SATO AND BEN OKRI", ("AIKO SATO", "BEN OKRI")),
        ("Aiko Sato, Ben Okri & Chen Li", ("Aiko Sato", "Ben Okri", "Chen Li")),
        ("Aiko Sato | Diplomatic Correspondent", ("Aiko Sato",)),
        ("Aiko Sato, with additional reporting by Chen Li", ("Aiko Sato", "Chen Li")),
        ("By Aiko Sato in Tokyo", ("Aiko Sato",)),
        ("admin", ()), ("News Desk", ()), ("Web Desk", ()), ("Staff Reporter", ()), ("Our Correspondent", ()), ("The Newspaper's Staff Reporter", ()), ("Agencies", ()), ("", ()),
        ("Sports Desk and Aiko Sato", ("Aiko Sato",)),
        ("Von Jana Vos", ("Jana Vos",)),
        ("Aiko Sato (Tokyo)", ("Aiko Sato",)),
        ("editor@gazette.example", ()),
        ("Anderson Cooper", ("Anderson Cooper",)),
        ("Alexandra", ("Alexandra",)),
    ],
)  # fmt: skip
def test_a_byline_names_people_not_desks(text: str, names: tuple[str, ...]) -> None:
    assert bylines(text) == names


def test_crumbs_lose_home_and_the_story() -> None:
    items = ["Home", " » ", "Diplomatic News", "Ambassadors", "Delegations meet in…"]
    assert section_path(items, title="Delegations meet in fish market") == (
        "Diplomatic News",
        "Ambassadors",
        "Delegations meet in…",
    )
    assert section_path([*items[:4], "Delegations meet in fish market"], title="Delegations meet in fish market") == (
        "Diplomatic News",
        "Ambassadors",
    )
    assert section_path(
        ["Home", "Trade", "Delegations meet in fish mar…"], title="Delegations meet in fish market"
    ) == ("Trade",)


@pytest.mark.parametrize(
    "markup",
    [
        "<div class='breadcrumbs'><a>Home</a> &gt; <a>Trade</a> &gt; <a>Ports</a></div>", "<nav aria-label='Breadcrumb'><ol><li>Home</li><li>Trade</li><li>Ports</li></ol></nav>",
        "<div id='breadcrumbs'>Home » Trade » Ports</div>", "<p class='yoast-breadcrumb'>Home / Trade / Ports</p>", "<div class='td-crumb-container'><span><a>Home</a></span><span><a>Trade</a></span><span><a>Ports</a></span></div>",
    ],
)  # fmt: skip
def test_the_section_path_is_read_from_common_themes(markup: str) -> None:
    assert breadcrumbs(fragment_fromstring(f"<div>{markup}</div>")) == ("Trade", "Ports")


@given(st.text(max_size=200))
def test_any_byline_is_read_without_an_error(text: str) -> None:
    assert all(name.strip() for name in bylines(text))
