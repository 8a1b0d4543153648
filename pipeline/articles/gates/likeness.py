"""How like two texts are: MinHash by one permutation, small enough to keep beside every article.

Measured on 600-word texts (the watching reference 2.4): one word mended .97, a third shared .20. Below FEWEST_WORDS a
figure would mean nothing, so there is none.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import Counter
from typing import Protocol

BINS = 128
FEWEST_WORDS = 48
MOST_WORDS = 4_000
SIMILAR = 0.85  #: of two texts under one title: one word fixed in 600 is .97, a third shared .20
NEARLY = 0.97  #: one word mended in 600; below it, a piece that returns every day under its title names other numbers
SAME_TEXT = 0.95  #: under another title; templates such as market reports stay below, for their numbers differ
SAME_FAMILY = 0.3  #: of the words of two headlines: a mended typo stays, another story does not
SAME_PAGE = 0.3  #: of two texts that claim one address: below, the address is a fault of the theme
_EMPTY = 0xFFFFFFFF
_WORD = re.compile(r"\w+")
_LETTERS_WITHOUT_SPACES = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def words(text: str) -> list[str]:
    """A text's words, folded; where a script writes no spaces, its characters."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return _WORD.findall(_LETTERS_WITHOUT_SPACES.sub(r" \g<0> ", folded))


def title_key(title: str) -> str:
    """The same 40 characters for titles with the same words, whatever their case and punctuation; "" for no words."""
    folded = " ".join(words(title))
    return hashlib.sha256(folded.encode()).hexdigest()[:40] if folded else ""


def sketch(text: str) -> bytes:
    """128 minima of the hashes of three-word pieces, 512 bytes; b"" for a text too short to judge."""
    said = words(text)[:MOST_WORDS]
    if len(said) < FEWEST_WORDS:
        return b""
    minima = array("I", [_EMPTY]) * BINS
    for piece in {" ".join(said[n : n + 3]) for n in range(len(said) - 2)}:
        number = int.from_bytes(hashlib.blake2b(piece.encode(), digest_size=8).digest(), "big")
        place, value = number % BINS, (number >> 32) % _EMPTY
        minima[place] = min(minima[place], value)
    return minima.tobytes()


def similarity(one: bytes, other: bytes) -> float:
    """The estimated share of pieces two sketched texts have in common, 0 to 1; 0.0 where either is b""."""
    if not one or not other:
        return 0.0
    left, right = array("I", bytes(one)), array("I", bytes(other))
    pairs = [(a, b) for a, b in zip(left, right, strict=True) if a != _EMPTY or b != _EMPTY]
    return sum(a == b for a, b in pairs) / len(pairs) if pairs else 0.0


class Text(Protocol):
    """A story, as far as telling one from another goes."""

    @property
    def title_key(self) -> str: ...
    @property
    def text(self) -> str: ...


def is_same(one: Text, other: Text, *, how_like: float) -> bool:
    """Are two stories with texts this alike one story? Unless they are nearly one text under one title, they must name
    the same numbers too: the gold price is another one every day."""
    is_titled_alike = one.title_key == other.title_key
    if is_titled_alike and how_like >= NEARLY:
        return True
    return how_like >= (SIMILAR if is_titled_alike else SAME_TEXT) and _numbers(one.text) == _numbers(other.text)


def same_family(one: str, other: str) -> bool:
    """Could one headline be the other after editing?"""
    left, right = set(words(one)), set(words(other))
    return not left or not right or len(left & right) >= SAME_FAMILY * min(len(left), len(right))


def shares_page(one: str, other: str, *, texts: tuple[bytes, bytes]) -> bool:
    """May two stories under these headlines, whose pages claim one address, be one? Themes exist that give every page
    the address of its section. `texts` are their sketches; where one is missing, the headlines must do."""
    return (
        same_family(one, other)
        if not all(texts)
        else similarity(*texts) >= SAME_PAGE or title_key(one) == title_key(other)
    )


def is_page_of(headline: str, *, title: str, text: str) -> bool:
    """Few words under another headline are a block page or a login, not the story we know."""
    return not headline or not title or same_family(headline, title) or len(words(text)) >= FEWEST_WORDS


def _numbers(text: str) -> Counter[str]:
    return Counter(word for word in text.split() if any(character.isdigit() for character in word))
