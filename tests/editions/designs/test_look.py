from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editions.designs.look import PAPERS, TYPEFACES, look_of, script_of
from pipeline.kernel.templating import contrast

colours = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@given(accent=colours, paper=st.sampled_from(sorted(PAPERS)))
def test_every_ink_can_be_read_on_every_ground_by_day_and_by_night(accent: str, paper: str) -> None:
    look = look_of(accent=accent, paper=paper, typeface="mixed", language="en")
    for ground in (look.paper, look.card, look.tint):
        assert min(contrast(ink, ground) for ink in (look.ink, look.soft)) >= 4.5
    for ground in (look.dark_paper, look.dark_card, look.dark_tint):
        assert min(contrast(ink, ground) for ink in (look.dark_ink, look.dark_soft)) >= 4.5
    assert min(contrast(look.accent, look.tint), contrast(look.accent, look.card)) >= 4.5
    assert min(contrast(look.glow, look.dark_tint), contrast(look.glow, look.dark_card)) >= 4.5


def test_no_ground_and_no_ink_is_pure_black_or_white() -> None:
    assert {"#000000", "#ffffff"}.isdisjoint(colour for paper in PAPERS.values() for colour in paper)


@pytest.mark.parametrize(
    ("language", "slant", "tracked", "face"),
    [("en", "italic", True, "Georgia"), ("ar", "normal", False, "Naskh"), ("ur-PK", "normal", False, "Nastaliq"), ("he", "normal", False, "Georgia"), ("ja", "normal", False, "Georgia")],
)  # fmt: skip
def test_a_script_is_set_by_its_own_customs(language: str, slant: str, tracked: bool, face: str) -> None:
    script = script_of(language, "mixed")
    assert (script.slant, script.tracked) == (slant, tracked)
    assert face in script.display


def test_nastaliq_has_more_room_between_its_lines_than_naskh_and_naskh_more_than_latin() -> None:
    latin, naskh, nastaliq = (script_of(language, "mixed") for language in ("en", "ar", "ur"))
    assert latin.air < naskh.air < nastaliq.air
    assert latin.font(15, 1.5) == "15px/1.5 Helvetica,Arial,sans-serif"
    assert nastaliq.font(15, 1.5, True).startswith("15px/2.4 Noto Nastaliq Urdu,")


@pytest.mark.parametrize("typeface", sorted(TYPEFACES))
@pytest.mark.parametrize("language", ["en", "ar", "ur", "he"])
def test_no_stack_of_fonts_could_end_an_attribute(typeface: str, language: str) -> None:
    script = script_of(language, typeface)
    assert not set("\"'<>&;") & set(script.display + script.text)
    assert script.display.endswith("serif") and script.text.endswith("serif")
