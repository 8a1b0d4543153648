"""Whether a story is for an account at all, and whether it is for now. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

import regex

from pipeline.posts.rules.rules import BREAKING_WITHIN_S, Rules


def is_wanted(rules: Rules, *, sections: Iterable[str], path: Iterable[str], words: str) -> bool:
    """Whether an account takes a story of this section path. What it excludes outweighs what it takes.

    `sections` are the account's own, empty for all; `words` are headline and standfirst.
    """
    steps = {_folded(step) for step in path}
    if steps & {_folded(name) for name in rules.exclude} or says(words, rules.never):
        return False
    wanted = {_folded(name) for name in sections}
    return not wanted or bool(wanted & steps)


def is_breaking(rules: Rules, *, words: str, published_at: datetime | None, now: datetime) -> bool:
    """Whether a story takes the fast lane: an urgent word, none that rules it out, and not an hour old."""
    if published_at is None or now >= published_at + timedelta(seconds=BREAKING_WITHIN_S):
        return False
    return not says(words, rules.never) and says(words, rules.urgent)


def says(words: str, wanted: Iterable[str]) -> bool:
    """Whether one of `wanted` stands in `words` as whole words, whatever their case. "war" is not in "warning".

    In scripts written without blanks a word may stand anywhere.
    """
    folded = _folded(words)
    return any(_stands_in(_folded(one), folded) for one in wanted)


def _stands_in(word: str, text: str) -> bool:
    if regex.search(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]", word):
        return word in text
    return bool(regex.search(rf"(?<![\w]){regex.escape(word)}(?![\w])", text))


def _folded(words: str) -> str:
    return unicodedata.normalize("NFKC", words).casefold().replace("\u2019", "'").strip()
