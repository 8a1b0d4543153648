"""Trees of strangers' markup: what glued words become, and what is too much to build."""

from __future__ import annotations

import pytest

from pipeline.articles.raw.markup import UnusableInput
from pipeline.articles.raw.trees import fragment_tree, page_tree, says, text_of


@pytest.mark.parametrize(
    ("markup", "words"),
    [
        ("<h1>Talks<br>resume</h1>", "Talks resume"),
        ("<ul><li>a</li><li>b</li></ul>", "a b"),
        ("<p><b>W</b>ords</p>", "Words"),
        ("<div><h4>Also read</h4><a>Ropes</a></div>", "Also read Ropes"),
        ("<p> \n a<!-- b --> c</p>", "a c"),
        ("", ""),
    ],
)
def test_blocks_and_line_breaks_part_words(markup: str, words: str) -> None:
    assert text_of(fragment_tree(markup)) == words


def test_only_the_first_words_are_looked_at_when_only_they_are_asked_for() -> None:
    tree = fragment_tree("<p> \n" + "word " * 1_000 + "</p>")
    assert says(tree, most=8) == "word word"
    assert len(text_of(tree)) == 4_999


def test_programs_and_styles_are_left_out_and_json_ld_is_not() -> None:
    markup = (
        "<html><SCRIPT>'<p>'</SCRIPT ><style>p{}</style><script type='application/ld+json'>{}</script><p>a</p><script>b"
    )
    tree = page_tree(markup)
    assert [script.text for script in tree.iter("script")] == [None, "{}", "b"]
    assert text_of(tree.find(".//p")) == "a"


@pytest.mark.parametrize(
    ("markup", "why"),
    [
        ("<p>" + "<i>" * 500, "deeper"),
        ("<p>" + "<br>" * 80_001, "more or deeper"),
        ("<p " + "a " * 2_000 + ">", "attributes"),
        ("<p a=b c=d e=f>" * 60_000, "attributes"),
        ("words", "no HTML"),
        ("  ", "empty"),
    ],
)
def test_what_costs_too_much_is_no_page(markup: str, why: str) -> None:
    with pytest.raises(UnusableInput, match=why):
        page_tree(markup)


@pytest.mark.parametrize("markup", ["<i>" * 500 + "a", "<p " + "b " * 2_000 + ">a", "<br>" * 80_001 + "a"])
def test_a_fragment_that_costs_too_much_is_its_words(markup: str) -> None:
    assert text_of(fragment_tree(markup)).endswith("a")
