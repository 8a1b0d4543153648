from __future__ import annotations

import pytest
from mjml import mjml2html

from pipeline.editions.own.tags import ALL_ATTRIBUTES, NOT_COMPILED, TAGS, holds_well

HEAD = sorted(TAGS["mj-head"].children - NOT_COMPILED - {"mj-raw"})


def wrapped(name: str) -> str:
    """The tag inside the shortest chain of tags it may stand in."""
    if name == "mjml":
        return "<mjml><mj-body></mj-body></mjml>"
    parent = next(other for other in ("mj-body", "mj-section", "mj-column", *TAGS) if name in TAGS[other].children)
    inside = f"<{name}></{name}>"
    while parent != "mjml":
        inside = f"<{parent}>{inside}</{parent}>"
        parent = next(other for other in ("mjml", "mj-body", "mj-section", *TAGS) if parent in TAGS[other].children)
    return f"<mjml>{inside}{'' if '<mj-body>' in inside else '<mj-body></mj-body>'}</mjml>"


@pytest.mark.parametrize("name", sorted(set(TAGS) - NOT_COMPILED))
def test_the_compiler_takes_every_tag_of_the_table_where_the_table_allows_it(name: str) -> None:
    assert "</html>" in mjml2html(wrapped(name))


@pytest.mark.parametrize("name", sorted(NOT_COMPILED - {"mj-selector", "mj-html-attribute"}))
def test_the_compiler_still_refuses_what_the_table_says_it_refuses(name: str) -> None:
    with pytest.raises(ValueError, match="unexpected"):
        mjml2html(wrapped(name))


def test_every_child_is_a_tag_of_the_table() -> None:
    assert {child for tag in TAGS.values() for child in tag.children} <= set(TAGS)


@pytest.mark.parametrize(
    ("attribute", "value", "good"),
    [
        ("padding", "10px 20px", True), ("padding", "10px 20", False), ("padding", "1px 2px 3px 4px 5px", False),
        ("padding-left", "0", True), ("width", "50%", True), ("width", "wide", False), ("font-size", "14px", True),
        ("color", "#9b1c2e", True), ("color", "tomato", True), ("color", "#12", False), ("color", "rgb(1, 2, 3)", True),
        ("align", "middle", False), ("align", "center", True), ("vertical-align", "middle", True),
        ("direction", "rtl", True), ("direction", "up", False), ("line-height", "1.5", True), ("line-height", "150%", True),
        ("letter-spacing", "-.02em", True), ("href", "anything at all", True), ("mode", "vertical", True),
    ],
)  # fmt: skip
def test_an_attribute_takes_values_of_its_kind(attribute: str, value: str, good: bool) -> None:
    assert attribute in ALL_ATTRIBUTES
    assert holds_well(attribute, value) is good
