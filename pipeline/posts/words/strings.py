"""The further parts of a thread: the story's first sentences, packed whole, each in the network's measure."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from pipeline.channels import facts

MOST_PARTS = 4  #: after the first
_END = regex.compile(r"(?<=(?:\w{4}[.]|[!?。！？])[”’»\"]?)\s+|\n+")


def further_parts(
    text: str, *, network: str, limit: int | None, said: str = "", most: int = MOST_PARTS
) -> tuple[str, ...]:
    """Parts two and on, each marked as "2/4"; none where the text gives none. Sentences in `said` are not repeated.

    A sentence that is too long for a part by itself ends the thread: it is never cut.
    """
    room = " 9/9"

    def fits(words: str) -> bool:
        return facts.measure(network, words + room, limit=limit).valid

    parts: list[str] = []
    for sentence in _fresh(text, said):
        if not fits(sentence):
            break
        joined = f"{parts[-1]} {sentence}" if parts else ""
        if joined and fits(joined):
            parts[-1] = joined
        elif len(parts) < most:
            parts.append(sentence)
        else:
            break
    return tuple(f"{part} {number}/{len(parts) + 1}" for number, part in enumerate(parts, start=2))


def sentences(text: str) -> Iterator[str]:
    """A text's sentences and headings, their blanks made single."""
    for piece in _END.split(text):
        if sentence := " ".join(piece.split()):
            yield sentence


def _fresh(text: str, said: str) -> Iterator[str]:
    known = " ".join(said.split())
    yield from (sentence for sentence in sentences(text) if sentence not in known)
