"""One message per reader as a join of chunks that were encoded once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from operator import itemgetter

from pipeline.delivery.message.headers import (
    LONGEST_MESSAGE_ID,
    MESSAGE_ID,
    NOTHING,
    SHIFT,
    EditionHeaders,
    UnusableHeader,
    head,
    is_address,
)
from pipeline.delivery.message.quoted import names, quoted
from pipeline.editions.rendered import NAME, NAME_IN_MARKUP, TOKEN_LENGTH, Doors, ReaderValues, Rendered

__all__ = ["EditionHeaders", "Program", "ReaderValues", "UnusableHeader", "UnusableReader", "compile_program"]

#: Arrangements a program keeps, the latest used: a few kilobytes each, for they share their chunks.
MOST_ARRANGEMENTS = 64

_TOKEN_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


class UnusableReader(ValueError):
    """A reader's values cannot stand in a message; the other readers are not concerned."""


@dataclass(frozen=True, slots=True)
class Strip:
    """A stretch of a message: a constant and a value by turns. `chunks` has room for the values at its odd places."""

    chunks: tuple[bytes, ...]
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """What the messages of an edition are put together from."""

    opening: Strip  #: the headers, and the text before its first block
    between: Strip  #: from the end of the text's blocks to the first of the HTML
    closing: Strip
    texts: Mapping[int, Strip]
    markups: Mapping[int, Strip]

    def strips(self, blocks: Iterable[int]) -> list[Strip]:
        """The strips of a message with these blocks; positions it does not know are left out."""
        known = [position for position in blocks if position in self.texts]
        return [
            self.opening,
            *[self.texts[position] for position in known],
            self.between,
            *[self.markups[position] for position in known],
            self.closing,
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """An edition compiled for merging: constants at the even places of `chunks`, one reader's values at the odd."""

    sheet: Sheet
    chunks: list[bytes]
    order: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    date: bytes
    links: int
    names: bool
    _kept: dict[tuple[int, ...], Program] = field(init=False, default_factory=dict, repr=False)

    def at(self, moment: datetime) -> Program:
        """The same program with another Date header."""
        return replace(self, date=format_datetime(moment.astimezone(UTC)).encode("ascii"))

    def arranged(self, blocks: tuple[int, ...]) -> Program:
        """The same edition with these blocks in this order, at no cost worth mentioning: nothing is encoded again."""
        made = self._kept.pop(blocks, None)
        if made is None:
            chunks, order = _joined(self.sheet.strips(blocks))
            made = Program(self.sheet, chunks, order, self.date, self.links, self.names)
            if len(self._kept) >= MOST_ARRANGEMENTS:
                self._kept.pop(next(iter(self._kept)), None)
        self._kept[blocks] = made
        return made

    def message(self, reader: ReaderValues) -> bytes:
        """The whole message for one reader, as `channels.base.Envelope.data` wants it. Raises UnusableReader."""
        tokens = (reader.open_token, reader.leave_token, reader.view_token, *reader.tokens)
        self._check(reader, tokens)
        name, name_in_markup = names(reader.name) if self.names else (b"", b"")
        address, message_id = reader.address.encode(), reader.message_id.encode("ascii")
        merged = self.chunks.copy()
        merged[1::2] = self.order((address, message_id, self.date, b"", *tokens[:3], name, name_in_markup, *tokens[3:]))
        return b"".join(merged)

    def _check(self, reader: ReaderValues, tokens: tuple[bytes, ...]) -> None:
        """Refuse whatever could end a header early, or shift a line of the layout."""
        if not is_address(reader.address):
            raise UnusableReader("the address cannot stand in a header")
        if len(reader.message_id) > LONGEST_MESSAGE_ID or not MESSAGE_ID.fullmatch(reader.message_id):
            raise UnusableReader("the Message-ID is malformed")
        if len(reader.tokens) < self.links:
            raise UnusableReader(f"{len(reader.tokens)} tokens for {self.links} links")
        if set(map(len, tokens)) != {TOKEN_LENGTH} or b"".join(tokens).translate(None, _TOKEN_LETTERS):
            raise UnusableReader("a token is not 26 characters of base64url")


def compile_program(rendered: Rendered, *, headers: EditionHeaders) -> Program:
    """Encode once what is the same for every reader. Raises UnusableHeader."""
    sheet = _sheet(rendered, headers=headers)
    chunks, order = _joined(sheet.strips(sheet.texts))
    named = {SHIFT + NAME, SHIFT + NAME_IN_MARKUP}
    strips = sheet.strips(sheet.texts)
    return Program(
        sheet=sheet,
        chunks=chunks,
        order=order,
        date=b"",
        links=len(rendered.links),
        names=any(not named.isdisjoint(strip.values) for strip in strips),
    ).at(headers.date)


def _joined(strips: Iterable[Strip]) -> tuple[list[bytes], Callable[[tuple[bytes, ...]], tuple[bytes, ...]]]:
    chunks: list[bytes] = []
    values: list[int] = []
    for strip in strips:
        chunks += strip.chunks
        values += strip.values
    return chunks, itemgetter(*values)


def _sheet(rendered: Rendered, *, headers: EditionHeaders) -> Sheet:
    digest = hashlib.blake2b(f"{rendered.subject}\0{rendered.html}\0{rendered.text}".encode(), digest_size=12)
    #: "=_" cannot stand in quoted-printable, so no story can end a part (RFC 2045 6.7).
    boundary = f"=_dateline_{digest.hexdigest()}"
    markup, text = rendered.segments()

    def laid(segment: str, *, markup: bool) -> Iterator[str | int]:
        return _shifted(segment, doors=headers.doors, markup=markup)

    start = head(rendered, headers=headers, boundary=boundary)
    return Sheet(
        opening=_strip(*start, _part("plain", boundary), *laid(text.head, markup=False)),
        between=_strip(
            *laid(text.tail, markup=False), "\r\n", _part("html", boundary), *laid(markup.head, markup=True)
        ),
        closing=_strip(*laid(markup.tail, markup=True), f"\r\n--{boundary}--\r\n"),
        texts={position: _strip(*laid(block, markup=False)) for position, block in text.blocks.items()},
        markups={position: _strip(*laid(block, markup=True)) for position, block in markup.blocks.items()},
    )


def _part(kind: str, boundary: str) -> str:
    return (
        f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
    )


def _shifted(segment: str, *, doors: Doors, markup: bool) -> Iterator[str | int]:
    for piece in quoted(segment, doors=doors, markup=markup):
        yield SHIFT + piece if isinstance(piece, int) else piece


def _strip(*stretch: str | int) -> Strip:
    """Constants that meet become one; a strip ends in a value, so that the next can follow it."""
    parts: list[str | int] = [""]
    for piece in stretch:
        if isinstance(piece, str):
            parts[-1] = f"{parts[-1]}{piece}"
        else:
            parts += [piece, ""]
    values = [piece for piece in parts if isinstance(piece, int)]
    if parts[-1]:
        values.append(NOTHING)
        parts.append("")
    else:
        parts.pop()
    return Strip(
        chunks=tuple(piece.encode("ascii") if isinstance(piece, str) else b"" for piece in parts),
        values=tuple(values),
    )
