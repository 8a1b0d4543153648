"""Quoted-printable laid out around values that are not known yet (RFC 2045 6.7)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from pipeline.editions.rendered import NAME, NAME_IN_MARKUP, TOKEN_LENGTH, Doors, pieces

#: RFC 2045 6.7: an encoded line holds 76 characters, the last of them free for the `=` of a soft break.
LINE = 75
#: Characters of a reader's name that are used; the rest is left out.
LONGEST_NAME = 60
#: What no header and no name may hold.
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

#: Places for a token, and for a name whose length is not known, while lines are laid out; never in encoded text.
_TOKEN_PLACE = "\x00" * TOKEN_LENGTH
_NAME_PLACE = "\x01"
_PLACES = re.compile(f"{_TOKEN_PLACE}|{_NAME_PLACE}")
#: All but printable ASCII; the second of two spaces and the last of a line, so that relaxed DKIM changes nothing.
_UNSAFE = re.compile(r"[^\x20-\x3c\x3e-\x7e\r\n]+|(?<= ) +| +(?=[\r\n]|\Z)")
_HARD = re.compile(r"\r\n|\r|\n")


def quoted(segment: str, *, doors: Doors, markup: bool) -> Iterator[str | int]:
    """A segment as constants and numbers of values by turns, its lines laid out around the values to come.

    What ends in a line's end is laid out the same whatever follows it.
    """
    found = pieces(segment, doors=doors, markup=markup)
    values = [piece for piece in found if isinstance(piece, int)]
    laid = "".join(
        _UNSAFE.sub(_octets, piece)
        if isinstance(piece, str)
        else _NAME_PLACE
        if piece in (NAME, NAME_IN_MARKUP)
        else _TOKEN_PLACE
        for piece in found
    )
    lines = "\r\n".join(
        f"=\r\n{_NAME_PLACE}=\r\n".join(map(_softened, line.split(_NAME_PLACE))) for line in _HARD.split(laid)
    )
    constants = _PLACES.split(lines)
    for constant, value in zip(constants, values, strict=False):
        yield constant
        yield value
    yield constants[-1]


def names(name: str) -> tuple[bytes, bytes]:
    """A reader's name for the text and for the HTML, in lines of its own."""
    shown = " ".join(CONTROL.sub(" ", name).split())[:LONGEST_NAME]
    return _quoted_name(shown), _quoted_name(html.escape(shown))


def _octets(found: re.Match[str]) -> str:
    return "".join(f"={octet:02X}" for octet in found[0].encode())


def _softened(line: str) -> str:
    """One line with soft breaks, no physical line beginning with a dot or with what mbox takes for a new message."""
    made, at = [], 0
    while at < len(line):
        start = f"={ord(line[at]):02X}" if line[at] == "." or line.startswith("From ", at) else ""
        at += 1 if start else 0
        end = _cut(line, min(at + LINE - len(start), len(line)))
        made.append(start + line[at:end])
        at = end
    return "=\r\n".join(made)


def _cut(line: str, end: int) -> int:
    """The last place at or before `end` that is inside neither an encoded octet nor a token."""
    if end == len(line):
        return end
    if "=" in line[end - 2 : end]:
        return end - 2 if line[end - 2] == "=" else end - 1
    if line[end] == line[end - 1] == "\x00":
        start = len(line[:end].rstrip("\x00"))
        return start + (end - start) // TOKEN_LENGTH * TOKEN_LENGTH
    return end


def _quoted_name(name: str) -> bytes:
    octets = [chr(octet) if chr(octet).isalnum() and octet < 0x80 else f"={octet:02X}" for octet in name.encode()]
    lines = ("".join(octets[at : at + 25]) for at in range(0, len(octets), 25))
    return "=\r\n".join(lines).encode("ascii")
