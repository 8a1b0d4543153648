"""One message per reader as a join of chunks that were encoded once (RFC 5322, 2045 to 2047, 2369, 2919, 8058)."""

from __future__ import annotations

import hashlib
import html
import re
import textwrap
from binascii import b2a_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import format_datetime
from operator import itemgetter

from pipeline.editions.rendered import (
    LEAVE,
    NAME,
    NAME_IN_MARKUP,
    TOKEN_LENGTH,
    Doors,
    Pieces,
    ReaderValues,
    Rendered,
    pieces,
)

__all__ = ["EditionHeaders", "Program", "ReaderValues", "UnusableHeader", "UnusableReader", "compile_program"]

#: RFC 2045 6.7: an encoded line holds 76 characters, the last of them free for the `=` of a soft break.
_LINE = 75
_FOLD = 78
#: RFC 5321 4.5.3.1.3: a path is 256 octets with its angle brackets.
LONGEST_ADDRESS = 254
LONGEST_MESSAGE_ID = 250
#: Characters of a reader's name that are used; the rest is left out.
LONGEST_NAME = 60

_TOKEN_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_ADDRESS = re.compile(_ATOM + r"@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_MESSAGE_ID = re.compile(rf"<{_ATOM}@{_ATOM}>")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_FEEDBACK = re.compile(r"[A-Za-z0-9._:-]{1,120}")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{2,35}")

#: Places for a token, and for a name whose length is not known, while lines are laid out; never in encoded text.
_TOKEN_PLACE = "\x00" * TOKEN_LENGTH
_NAME_PLACE = "\x01"
_PLACES = re.compile(f"{_TOKEN_PLACE}|{_NAME_PLACE}")
#: All but printable ASCII; the second of two spaces and the last of a line, so that relaxed DKIM changes nothing.
_UNSAFE = re.compile(r"[^\x20-\x3c\x3e-\x7e\r\n]+|(?<= ) +| +(?=[\r\n]|\Z)")
_HARD = re.compile(r"\r\n|\r|\n")

#: A message's pool: its header values, then those the blanks of the parts point into.
_TO, _MESSAGE, _DATE, _SHIFT = range(4)


class UnusableReader(ValueError):
    """A reader's values cannot stand in a message; the other readers are not concerned."""


class UnusableHeader(ValueError):
    """A newsletter's own settings cannot stand in a header."""


@dataclass(frozen=True, slots=True)
class EditionHeaders:
    """What the headers say that the edition does not. Without `list_id` the message is a letter, not a list's.

    `list_id` is stable per newsletter (RFC 2919), "morning.news.example"; `leave_mailbox` takes leave requests by
    mail at local+token@domain; `feedback_id` is Gmail's edition:newsletter:type:sender, the last of them stable.
    """

    sender_name: str
    sender: str
    doors: Doors
    date: datetime
    reply_to: str = ""
    list_name: str = ""
    list_id: str = ""
    leave_mailbox: str = ""
    feedback_id: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """An edition compiled for merging: constants at the even places of `chunks`, one reader's values at the odd."""

    chunks: tuple[bytes, ...]
    order: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    date: bytes
    links: int
    names: bool

    def at(self, moment: datetime) -> Program:
        """The same program with another Date header."""
        return replace(self, date=format_datetime(moment.astimezone(UTC)).encode("ascii"))

    def message(self, reader: ReaderValues) -> bytes:
        """The whole message for one reader, as `channels.base.Envelope.data` wants it. Raises UnusableReader."""
        tokens = (reader.open_token, reader.leave_token, reader.view_token, *reader.tokens)
        self._check(reader, tokens)
        name, name_in_markup = _names(reader.name) if self.names else (b"", b"")
        address, message_id = reader.address.encode("ascii"), reader.message_id.encode("ascii")
        merged = list(self.chunks)
        merged[1::2] = self.order((address, message_id, self.date, *tokens[:3], name, name_in_markup, *tokens[3:]))
        return b"".join(merged)

    def _check(self, reader: ReaderValues, tokens: tuple[bytes, ...]) -> None:
        """Refuse whatever could end a header early, or shift a line of the layout."""
        if len(reader.address) > LONGEST_ADDRESS or not _ADDRESS.fullmatch(reader.address):
            raise UnusableReader("the address cannot stand in a header")
        if len(reader.message_id) > LONGEST_MESSAGE_ID or not _MESSAGE_ID.fullmatch(reader.message_id):
            raise UnusableReader("the Message-ID is malformed")
        if len(reader.tokens) < self.links:
            raise UnusableReader(f"{len(reader.tokens)} tokens for {self.links} links")
        if set(map(len, tokens)) != {TOKEN_LENGTH} or b"".join(tokens).translate(None, _TOKEN_LETTERS):
            raise UnusableReader("a token is not 26 characters of base64url")


def compile_program(rendered: Rendered, *, headers: EditionHeaders) -> Program:
    """Encode once what is the same for every reader. Raises UnusableHeader."""
    digest = hashlib.blake2b(f"{rendered.subject}\0{rendered.html}\0{rendered.text}".encode(), digest_size=12)
    #: "=_" cannot stand in quoted-printable, so no story can end a part (RFC 2045 6.7).
    boundary = f"=_dateline_{digest.hexdigest()}"
    parts: Pieces = [""]
    for piece in _message(rendered, headers=headers, boundary=boundary):
        if isinstance(piece, str):
            parts[-1] = f"{parts[-1]}{piece}"
        else:
            parts += [piece, ""]
    values = [piece for piece in parts if isinstance(piece, int)]
    return Program(
        chunks=tuple(piece.encode("ascii") if isinstance(piece, str) else b"" for piece in parts),
        order=itemgetter(*values),
        date=b"",
        links=len(rendered.links),
        names=not {_SHIFT + NAME, _SHIFT + NAME_IN_MARKUP}.isdisjoint(values),
    ).at(headers.date)


def _message(rendered: Rendered, *, headers: EditionHeaders, boundary: str) -> Iterator[str | int]:
    yield f"From: {_mailbox(headers.sender_name, headers.sender, room=_FOLD - 6)}\r\nTo: "
    yield _TO
    yield f"\r\nSubject: {_unstructured(rendered.subject, room=_FOLD - 9)}\r\nDate: "
    yield _DATE
    yield "\r\nMessage-ID: "
    yield _MESSAGE
    yield "\r\n"
    if headers.reply_to:
        yield f"Reply-To: {_plain(headers.reply_to, _ADDRESS)}\r\n"
    if headers.list_id:
        yield from _list_headers(headers)
    yield f"Auto-Submitted: auto-generated\r\nContent-Language: {_plain(rendered.language, _LANGUAGE)}\r\n"
    yield f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'
    for kind, part in (("plain", rendered.text), ("html", rendered.html)):
        yield f"--{boundary}\r\nContent-Type: text/{kind}; charset=utf-8\r\n"
        yield "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
        yield from _quoted(part, doors=headers.doors, markup=kind == "html")
        yield "\r\n"
    yield f"--{boundary}--\r\n"


def _list_headers(headers: EditionHeaders) -> Iterator[str | int]:
    """RFC 2919 and 8058; Precedence is what vacation programs still look at (RFC 3834 section 2)."""
    name = _phrase(headers.list_name, room=_FOLD - 9)
    yield f"List-ID: {name}\r\n <{_plain(headers.list_id, _DOMAIN)}>\r\nList-Unsubscribe: <{headers.doors.leave}"
    yield _SHIFT + LEAVE
    if headers.leave_mailbox:
        local, _, domain = _plain(headers.leave_mailbox, _ADDRESS).rpartition("@")
        yield f">,\r\n <mailto:{local}+"
        yield _SHIFT + LEAVE
        yield f"@{domain}"
    yield ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n"
    if headers.feedback_id:
        yield f"Feedback-ID: {_plain(headers.feedback_id, _FEEDBACK)}\r\n"


def _plain(value: str, shape: re.Pattern[str]) -> str:
    if not shape.fullmatch(value):
        raise UnusableHeader(f"cannot stand in a header: {value!r}")
    return value


def _unstructured(text: str, *, room: int) -> str:
    """A subject: folded at its spaces where it is ASCII and can be, in encoded words otherwise."""
    if _CONTROL.search(text):
        raise UnusableHeader(f"a control character in {text!r}")
    folded = textwrap.wrap(
        text, _FOLD - 1, initial_indent=" " * (_FOLD - room), break_long_words=False, break_on_hyphens=False
    )
    fits = all(len(line) < _FOLD for line in folded)
    if text.isascii() and "=?" not in text and text == " ".join(text.split()) and fits:
        return "\r\n ".join(folded).lstrip(" ")
    return _encoded_words(text, room=room)


def _phrase(text: str, *, room: int) -> str:
    """A display name (RFC 5322 3.2.5), quoted or encoded where it must be."""
    if _CONTROL.search(text):
        raise UnusableHeader(f"a control character in {text!r}")
    if not text.isascii() or "=?" in text or len(text) > room // 2:
        return _encoded_words(text, room=room)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mailbox(name: str, address: str, *, room: int) -> str:
    address = _plain(address, _ADDRESS)
    return f"{_phrase(name, room=room)}\r\n <{address}>" if name else address


def _encoded_words(text: str, *, room: int) -> str:
    """RFC 2047 base64 words of at most 75 characters, one a line; a character is never cut in two."""
    words: list[str] = []
    taken = b""
    for character in text:
        octets = character.encode()
        most = ((room if not words else _LINE) - len("=?utf-8?b??=")) // 4 * 3
        if len(taken) + len(octets) > most:
            words.append(_encoded_word(taken))
            taken = b""
        taken += octets
    return "\r\n ".join([*words, _encoded_word(taken)])


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(octets, newline=False).decode()}?="


def _quoted(part: str, *, doors: Doors, markup: bool) -> Iterator[str | int]:
    """A part in quoted-printable, its lines laid out around the values to come."""
    found = pieces(part, doors=doors, markup=markup)
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
        yield _SHIFT + value
    yield constants[-1]


def _octets(found: re.Match[str]) -> str:
    return "".join(f"={octet:02X}" for octet in found[0].encode())


def _softened(line: str) -> str:
    """One line with soft breaks, no physical line beginning with a dot or with what mbox takes for a new message."""
    made, at = [], 0
    while at < len(line):
        start = f"={ord(line[at]):02X}" if line[at] == "." or line.startswith("From ", at) else ""
        at += 1 if start else 0
        end = _cut(line, min(at + _LINE - len(start), len(line)))
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


def _names(name: str) -> tuple[bytes, bytes]:
    """A reader's name for the text and for the HTML, in quoted-printable lines of its own."""
    shown = " ".join(_CONTROL.sub(" ", name).split())[:LONGEST_NAME]
    return _quoted_name(shown), _quoted_name(html.escape(shown))


def _quoted_name(name: str) -> bytes:
    octets = [chr(octet) if chr(octet).isalnum() and octet < 0x80 else f"={octet:02X}" for octet in name.encode()]
    lines = ("".join(octets[at : at + 25]) for at in range(0, len(octets), 25))
    return "=\r\n".join(lines).encode("ascii")
