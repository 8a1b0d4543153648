from __future__ import annotations

import pytest
from lxml import html as lxml_html

from pipeline.editions.designs.compiling import UnusableTemplate, compiled

LETTER = """<mjml><mj-head>{head}</mj-head><mj-body><mj-section><mj-column>
<mj-text><p class="x" style="color:#111111">[[dl:name]]</p><a href="[[dl:c0]]">y</a></mj-text></mj-column></mj-section>
<mj-raw>[[dl:b0]]</mj-raw></mj-body></mjml>"""
INLINE = '<mj-style inline="inline">.x{margin:3px;color:red}</mj-style>'
OUTSIDE = "<mj-style>.x{padding:9px}@media screen{.x{padding:0}}</mj-style>"


def test_rules_marked_inline_are_written_into_their_elements_and_the_others_stay() -> None:
    made = compiled(LETTER.format(head=INLINE + OUTSIDE))
    (paragraph,) = lxml_html.fromstring(made).xpath("//p")
    assert "margin:3px" in paragraph.get("style").replace(" ", "")
    assert "#111111" in paragraph.get("style"), "what the element says itself is stronger"
    assert "padding" not in paragraph.get("style")
    assert "padding:9px" in made and "@media screen" in made
    assert "margin:3px;color:red}" not in made


def test_blanks_markers_and_outlooks_comments_survive_inlining() -> None:
    made = compiled(LETTER.format(head=INLINE))
    for kept in ("[[dl:name]]", 'href="[[dl:c0]]"', "[[dl:b0]]", "<!--[if mso | IE]>", "<!--[if !mso]><!-->"):
        assert kept in made
    assert made.count("<!--[if") == made.count("<![endif]") == compiled(LETTER.format(head="")).count("<!--[if")


def test_without_rules_marked_inline_nothing_is_inlined() -> None:
    (paragraph,) = lxml_html.fromstring(compiled(LETTER.format(head=OUTSIDE))).xpath("//p")
    assert paragraph.get("style") == "color:#111111"


@pytest.mark.parametrize("source", ["<mjml><mj-body><mj-text>5 < 6</mj-text></mj-body></mjml>", '<mjml><mj-body><mj-include path="/etc/hostname"/></mj-body></mjml>', "", "<p>"])  # fmt: skip
def test_what_mjml_cannot_compile_says_so(source: str) -> None:
    with pytest.raises(UnusableTemplate):
        compiled(source)


def test_a_stylesheet_somewhere_else_is_never_fetched() -> None:
    head = INLINE + '<mj-raw><link rel="stylesheet" href="http://127.0.0.1:9/x.css"/></mj-raw>'
    assert "127.0.0.1:9" in compiled(LETTER.format(head=head))
