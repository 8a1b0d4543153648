"""Colours and type by newsletter and by language. No pure black or white: what a client inverts by force stays readable."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from markupsafe import Markup

from pipeline.kernel.templating import direction, legible

DEFAULT_PAPER, DEFAULT_TYPEFACE = "ivory", "mixed"


@dataclass(frozen=True, slots=True)
class Script:
    """How a language is set. `air` multiplies the leading a Latin text would have; `slant` is what opinion stands in."""

    display: str  #: font stack of headlines
    text: str  #: font stack of everything else
    air: float
    slant: str
    tracked: bool  #: whether capitals and letter-spacing mean something
    small_caps: bool = False  #: whether headlines are in a face whose small capitals are worth seeing

    def font(self, size: int, leading: float, display: bool = False) -> str:
        """What stands in a `font` property after slant and weight, `size` in px."""
        return _font(size, round(leading * self.air, 2), self.display if display else self.text)


@lru_cache(maxsize=1024)
def _font(size: int, leading: float, stack: str) -> Markup:
    """Marked as markup so that it is not escaped a hundred times a letter; a stack holds nothing to escape."""
    return Markup(f"{size}px/{leading:g} {stack}")  # noqa: S704 - numbers and our own table


@dataclass(frozen=True, slots=True)
class Look:
    """A newsletter's colours, by day and by night, and the script of its own language."""

    paper: str
    card: str
    tint: str
    ink: str
    soft: str
    line: str
    dark_paper: str
    dark_card: str
    dark_tint: str
    dark_ink: str
    dark_soft: str
    dark_line: str
    accent: str  #: the newsletter's own colour, darkened until it can be read on every light ground
    glow: str  #: the same by night
    script: Script


Colours = tuple[str, str, str, str, str, str, str, str, str, str, str, str]
#: Grounds from the page outwards in, then ink; the second half is the night.
PAPERS: dict[str, Colours] = {
    "ivory": ("#f1ede5", "#fffdf8", "#f7f2e8", "#211d18", "#5d554a", "#ddd5c6",
              "#12110f", "#1c1a17", "#26231f", "#f0ebe1", "#b9b0a2", "#3b3630"),
    "white": ("#eceef1", "#fdfdfc", "#f3f5f7", "#191d22", "#525a64", "#d7dce2",
              "#0f1113", "#181b1e", "#22262a", "#eceef0", "#aab2bb", "#363c42"),
    "rose": ("#f3e1d2", "#fff5ec", "#fae9db", "#26201b", "#615347", "#e4ccb9",
             "#14110f", "#1f1b18", "#2a2420", "#f3e9e0", "#c0b2a6", "#40372f"),
}  # fmt: skip
_GEORGIA = "Georgia,Times New Roman,serif"
_HELVETICA = "Helvetica,Arial,sans-serif"
_NASKH = "Geeza Pro,Noto Naskh Arabic,Traditional Arabic,Times New Roman,serif"
_KUFI = "Segoe UI,Geeza Pro,Noto Sans Arabic,Tahoma,Arial,sans-serif"
_NASTALIQ = "Noto Nastaliq Urdu,Jameel Noori Nastaleeq,Urdu Typesetting,Geeza Pro,Tahoma,serif"
#: Font stacks of headlines and of text, by typeface.
TYPEFACES: dict[str, tuple[str, str]] = {
    "mixed": (_GEORGIA, _HELVETICA),
    "serif": (_GEORGIA, _GEORGIA),
    "sans": (_HELVETICA, _HELVETICA),
}
_ARABIC: dict[str, tuple[str, str]] = {"mixed": (_NASKH, _KUFI), "serif": (_NASKH, _NASKH), "sans": (_KUFI, _KUFI)}
#: Written in Nastaliq by custom: its words slope, so its lines need half as much again.
_SLOPING = frozenset({"ks", "ur"})
_NOT_ARABIC = frozenset({"dv", "he", "yi"})
_WITHOUT_ITALICS = frozenset({"ja", "ko", "zh"})


@lru_cache(maxsize=256)
def script_of(language: str, typeface: str) -> Script:
    """How a text in `language` (BCP 47) is set in a newsletter with this typeface."""
    tongue = language.partition("-")[0].lower()
    turned = direction(tongue) == "rtl"
    if tongue in _SLOPING:
        return Script(display=_NASTALIQ, text=_NASTALIQ, air=1.6, slant="normal", tracked=False)
    if turned and tongue not in _NOT_ARABIC:
        display, text = _ARABIC[typeface]
        return Script(display=display, text=text, air=1.2, slant="normal", tracked=False)
    display, text = TYPEFACES[typeface]
    upright = turned or tongue in _WITHOUT_ITALICS
    return Script(
        display=display, text=text, air=1.0, slant="normal" if upright else "italic", tracked=not upright,
        small_caps=display == _GEORGIA and not upright,
    )  # fmt: skip


@lru_cache(maxsize=256)
def look_of(*, accent: str, paper: str, typeface: str, language: str) -> Look:
    """The look of a masthead whose values are settled. Raises KeyError for a paper or typeface there is not."""
    day, night = PAPERS[paper][:6], PAPERS[paper][6:]
    return Look(*day, *night, legible(accent, day[2]), legible(accent, night[2]), script_of(language, typeface))
