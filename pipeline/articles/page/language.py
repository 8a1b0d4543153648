"""The language of a story: what its site says, unless the letters it is written in say otherwise.

Newsrooms that write Urdu or Arabic on a WordPress set up in English declare `lang="en-US"` on every page.
"""

from __future__ import annotations

import re

from pipeline.articles.page.witnesses import Page

SAMPLE_CHARS = 3_000
FEWEST_LETTERS = 20

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
#: Ranges of letters, and the languages that are written in them.
_SCRIPTS = (
    ("arabic", re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]"), "ar ur fa ps sd ug ckb ku pnb bal dv"),
    ("hebrew", re.compile("[\u0590-\u05ff]"), "he iw yi"),
    ("kana", re.compile("[\u3040-\u30ff]"), "ja"),
    ("hangul", re.compile("[\uac00-\ud7af]"), "ko"),
    ("han", re.compile("[\u4e00-\u9fff]"), "zh ja yue"),
    ("devanagari", re.compile("[\u0900-\u097f]"), "hi ne mr sa kok bho mai"),
    ("bengali", re.compile("[\u0980-\u09ff]"), "bn as"),
    ("thai", re.compile("[\u0e00-\u0e7f]"), "th"),
    ("greek", re.compile("[\u0370-\u03ff]"), "el"),
    ("cyrillic", re.compile("[\u0400-\u04ff]"), "ru uk bg sr mk be kk ky tg mn uz az"),
)  # fmt: skip
#: Letters that one language of a script has and its sisters have not, likeliest first.
_TELLING = {
    "arabic": (("ur", "ٹڈڑںےہھ"), ("fa", "پچژگکی"), ("ar", "ةىأإكي")),
    "cyrillic": (("uk", "їєґ"), ("be", "ў"), ("ru", "ыэё")),
    "devanagari": (("hi", "\u0939\u0948"),),
}
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")


def language(page: Page, text: str) -> str | None:
    """A language tag (BCP 47), or None where neither the site nor the letters say."""
    told = _told(page)
    script, written = written_in(text)
    if told and (script is None or told.split("-")[0].casefold() in _languages(script)):
        return told
    return written or told


def written_in(text: str) -> tuple[str | None, str | None]:
    """The script most of the letters are of, and the language it gives away; None for Latin letters and few ones."""
    sample = text[:SAMPLE_CHARS]
    counts = [(len(pattern.findall(sample)), name) for name, pattern, _ in _SCRIPTS]
    most, script = max(counts)
    if {name: count for count, name in counts}["kana"] * 10 > most:
        script, most = "kana", most + 1
    if most < FEWEST_LETTERS or most < len(_LATIN.findall(sample)):
        return None, None
    for code, letters in _TELLING.get(script, ()):
        if sum(sample.count(letter) for letter in letters) * 100 > len(sample):
            return script, code
    return script, _languages(script)[0]


def _languages(script: str) -> list[str]:
    return next(languages.split() for name, _, languages in _SCRIPTS if name == script)


def _told(page: Page) -> str | None:
    candidates = (
        page.whole.language if page.whole else None,
        page.said.text("inLanguage"),
        page.pick("//html/@lang", "//html/@xml:lang"),
        page.first("og:locale"),
        page.headers.get("content-language", ""),
        page.entry.language if page.entry else None,
    )
    for candidate in candidates:
        told = (candidate or "").split(",")[0].strip().replace("_", "-")
        if _TAG.fullmatch(told):
            return told
    return None
