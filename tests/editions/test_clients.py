from __future__ import annotations

import pytest

from pipeline.editions.clients import CLIENTS, FEATURES, FIRST, unsupported


def found(html: str) -> dict[str, tuple[str, ...]]:
    return {each.feature: each.clients for each in unsupported(html)}


def test_every_feature_is_judged_for_every_client() -> None:
    assert set(FIRST) < set(CLIENTS)
    for name, feature in FEATURES.items():
        assert len(feature.support) == len(CLIENTS), name
        assert set(feature.support) <= set("yanu"), name


@pytest.mark.parametrize(
    ("html", "feature"),
    [
        ('<div style="display: flex">', "css display:flex"),
        ("<div style='position:absolute'>", "css position"),
        ('<p style="color:var(--ink)">', "css var()"),
        ("<style>@font-face{font-family:x}</style>", "@font-face"),
        ("<style>a[href]{color:red}</style>", "selector [attribute]"),
        ("<style>p{float:left}@media (prefers-color-scheme:dark){p{color:red}}</style>", "@media prefers-color-scheme"),
        ("<style>@media screen{p{object-fit:cover}}</style>", "css object-fit"),
        ('<img alt="a > b" style="aspect-ratio:1">', "css aspect-ratio"),
        ("<VIDEO src=x>", "html video"),
        ('<meta name="color-scheme" content="light dark">', "html meta color-scheme"),
        ("<table role=presentation>", "html role"),
    ],
)
def test_what_a_client_lacks_is_found(html: str, feature: str) -> None:
    assert feature in found(html)


def test_what_nobody_ever_heard_of_is_lacked_by_all() -> None:
    assert found('<blink style="colour:red">') == {"css colour": CLIENTS, "html blink": CLIENTS}


def test_plain_letters_and_outlooks_own_words_are_nobodys_trouble() -> None:
    assert found('<p style="color:red;mso-hide:all;text-align:left">x</p><!--[if mso]><v:rect style="position:x"/><![endif]-->') == {}  # fmt: skip


def test_a_fallback_is_told_where_the_table_has_one() -> None:
    told = {each.feature: each.fallback for each in unsupported('<p style="border-radius:2px;position:fixed">')}
    assert told["css border-radius"] == "square corners"
    assert told["css position"] == ""
