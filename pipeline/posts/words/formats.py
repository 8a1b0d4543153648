"""What a story offers beside its headline, in its own words: a question it asks, somebody's words, a figure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import regex

from pipeline.kernel.templating import sandbox

_LONGEST_LEAD = 240  #: code points; what is longer is no lead
_FEWEST_QUOTED = 5  #: words; less is a term in quotation marks, not somebody's words
_OPENING = 4000  #: code points of the text that are looked at: what comes later is not the point of the story

_SENTENCE = regex.compile(r"[^.!?。！？\n]+(?:[.](?=\d)[^.!?。！？\n]*)*[.!?。！？]+[”’»\"]?")
_QUOTED = regex.compile(r"“[^“”\n]{20,240}”|«[^«»\n]{20,240}»|„[^„“”\n]{20,240}[“”]|\"[^\"\n]{20,240}\"")
_NAME = r"(?P<speaker>\p{Lu}[\p{L}'’.-]+(?:\s(?:(?:de|van|von|der|al|bin|da|dos|du|la|le)\s)*\p{Lu}[\p{L}'’.-]+){0,3})"
_SAID = (
    r"(?:said|says|told|added|adds|wrote|sagte|sagt|dit|a\sdit|déclare|a\sdéclaré|dijo|dice|disse|ha\sdetto|zei|zegt)"
)
_AFTER = regex.compile(rf"^[,.]?\s*(?:{_SAID}\s+{_NAME}|{_NAME}\s+{_SAID})\b")
_BEFORE = regex.compile(rf"{_NAME}(?:,[^,.\n]{{2,60}},)?\s+{_SAID}[,:]?\s*$")
_PRONOUNS = frozenset(["he", "she", "they", "it", "we", "you", "i", "er", "sie", "il", "elle", "ils", "elles", "on"])
#: A figure people stop at: a share, money, or a count of four digits and more that is no year.
_FIGURE = regex.compile(
    r"\d[\d.,]*\s?(?:%|per\scent|percent|Prozent|pour\scent|por\sciento|million|billion|Millionen|Milliarden|millions|milliards|millones)\b"
    r"|[$€£¥₹]\s?\d|\d[\d.,]*\s?(?:€|euros?|dollars?)|\b\d{1,3}(?:[,.\u202f\u00a0]\d{3})+\b|(?<!\w)\d+(?:[.,]\d+)?\s?%"
)


@dataclass(frozen=True, slots=True)
class Material:
    """A story's own words. `text` is plain, with paragraphs on lines of their own."""

    headline: str
    standfirst: str = ""
    text: str = ""
    language: str = "en"


def lead(material: Material, *, format_: str, part: str) -> str | None:
    """The words that take the headline's place in this format; None where the story has none.

    `part` is the source of templates/social/formats/<format>.txt, or an editor's, run in the sandbox.
    """
    values = _FOUND[format_](material)
    if values is None:
        return None
    told = sandbox().overlay(autoescape=False).from_string(part).render(**values, headline=material.headline).strip()
    return told if 0 < len(told) <= _LONGEST_LEAD else None


def _question(material: Material) -> Mapping[str, str] | None:
    for words in (material.headline, *_sentences(material.standfirst)):
        if regex.search(r"^[^“”«»„\"]+[?？؟]$", words.strip()):  # what somebody else asks is a quote
            return {"question": words.strip()}
    return None


def _quote(material: Material) -> Mapping[str, str] | None:
    """The first words in quotation marks whose speaker stands beside them by name."""
    for whole in (material.standfirst, material.text[:_OPENING]):
        for found in _QUOTED.finditer(whole):
            beside = _AFTER.search(whole[found.end() : found.end() + 120]) or _BEFORE.search(
                whole[max(0, found.start() - 160) : found.start()]
            )
            if beside and beside["speaker"].casefold() not in _PRONOUNS and len(found[0].split()) >= _FEWEST_QUOTED:
                return {"quote": _closed(found[0]), "speaker": beside["speaker"].rstrip(".,")}
    return None


def _closed(quoted: str) -> str:
    """Without the comma that led on to "she said"."""
    return regex.sub(r"[,;]\s*([”»“\"])$", r"\1", quoted)


def _number(material: Material) -> Mapping[str, str] | None:
    paragraphs = [line for line in material.text[:_OPENING].splitlines() if line.strip()][:3]
    for words in (material.standfirst, *paragraphs):
        for sentence in _sentences(words):
            if _FIGURE.search(sentence) and len(sentence) <= _LONGEST_LEAD and sentence != material.headline:
                return {"sentence": sentence}
    return None


def _sentences(words: str) -> list[str]:
    return [found[0].strip() for found in _SENTENCE.finditer(words)]


_FOUND = {"question": _question, "quote": _quote, "number": _number}
