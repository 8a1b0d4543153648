"""What stands above a message, folded and encoded (RFC 5322, 2047, 2369, 2919, 8058)."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from binascii import b2a_base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from pipeline.delivery.message.quoted import CONTROL, LINE
from pipeline.editions.rendered import LEAVE, Doors, Rendered

#: RFC 5321 4.5.3.1.3: a path is 256 octets with its angle brackets.
LONGEST_ADDRESS = 254
LONGEST_MESSAGE_ID = 250
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
ADDRESS = re.compile(_ATOM + r"@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
MESSAGE_ID = re.compile(rf"<{_ATOM}@{_ATOM}>")

#: Of an internationalised address: what prints is an atom's, blanks, controls and half characters are nobody's.
_WIDE = re.compile(r"[^\x00-\x7f]")
_NEVER = "CZ"

#: Where one message's own header values stand in its pool; those the blanks of the parts point into follow.
TO, MESSAGE, DATE, NOTHING, SHIFT = range(5)

_FOLD = 78
_DOMAIN = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_FEEDBACK = re.compile(r"[A-Za-z0-9._:-]{1,120}")
#: Printable ASCII without blanks, angle brackets and commas, which would make it several (RFC 2369 section 2).
_ADDRESS_OF_PAGE = re.compile(r"https?://[!-+\--;=?-~]{1,900}")
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{2,35}")


class UnusableHeader(ValueError):
    """A newsletter's own settings cannot stand in a header."""


@dataclass(frozen=True, slots=True)
class EditionHeaders:
    """What the headers say that the edition does not. Without `list_id` the message is a letter, not a list's.

    `list_id` is stable per newsletter (RFC 2919), "morning.news.example"; `leave_mailbox` takes leave requests by
    mail at local+token@domain; `archive_url` is where anybody reads what was sent, "" for nowhere; `feedback_id` is Gmail's edition:newsletter:type:sender, the last of them stable.
    """

    sender_name: str
    sender: str
    doors: Doors
    date: datetime
    reply_to: str = ""
    list_name: str = ""
    list_id: str = ""
    leave_mailbox: str = ""
    archive_url: str = ""
    feedback_id: str = ""


def is_address(text: str) -> bool:
    """Whether one mailbox stands in a header with it; its local part may be internationalised (RFC 6531 3.3, 6532 3.2)."""
    if len(text) > LONGEST_ADDRESS:
        return False
    if text.isascii():
        return ADDRESS.fullmatch(text) is not None
    local, _, domain = text.rpartition("@")
    if any(unicodedata.category(letter)[0] in _NEVER for letter in _WIDE.findall(local)):
        return False
    return len(text.encode()) <= LONGEST_ADDRESS and ADDRESS.fullmatch(f"{_WIDE.sub('x', local)}@{domain}") is not None


def head(rendered: Rendered, *, headers: EditionHeaders, boundary: str) -> Iterator[str | int]:
    """Constants and numbers of values, down to the empty line. Raises UnusableHeader."""
    yield f"From: {_mailbox(headers.sender_name, headers.sender, room=_FOLD - 6)}\r\nTo: "
    yield TO
    yield f"\r\nSubject: {_unstructured(rendered.subject, room=_FOLD - 9)}\r\nDate: "
    yield DATE
    yield "\r\nMessage-ID: "
    yield MESSAGE
    yield "\r\n"
    if headers.reply_to:
        yield f"Reply-To: {_plain(headers.reply_to, ADDRESS)}\r\n"
    if headers.list_id:
        yield from _list_headers(headers)
    yield f"Auto-Submitted: auto-generated\r\nContent-Language: {_plain(rendered.language, _LANGUAGE)}\r\n"
    yield f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative;\r\n boundary="{boundary}"\r\n\r\n'


def _list_headers(headers: EditionHeaders) -> Iterator[str | int]:
    """RFC 2919, 2369 and 8058; Precedence is what vacation programs still look at (RFC 3834 section 2)."""
    name = _phrase(headers.list_name, room=_FOLD - 9)
    yield f"List-ID: {name}\r\n <{_plain(headers.list_id, _DOMAIN)}>\r\nList-Unsubscribe: <{headers.doors.leave}"
    yield SHIFT + LEAVE
    if headers.leave_mailbox:
        local, _, domain = _plain(headers.leave_mailbox, ADDRESS).rpartition("@")
        yield f">,\r\n <mailto:{local}+"
        yield SHIFT + LEAVE
        yield f"@{domain}"
    yield ">\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nPrecedence: bulk\r\n"
    if headers.archive_url:
        yield f"List-Archive: <{_plain(headers.archive_url, _ADDRESS_OF_PAGE)}>\r\n"
    if headers.feedback_id:
        yield f"Feedback-ID: {_plain(headers.feedback_id, _FEEDBACK)}\r\n"


def _plain(value: str, shape: re.Pattern[str]) -> str:
    if not shape.fullmatch(value):
        raise UnusableHeader(f"cannot stand in a header: {value!r}")
    return value


def _unstructured(text: str, *, room: int) -> str:
    """A subject: folded at its spaces where it is ASCII and can be, in encoded words otherwise."""
    if CONTROL.search(text):
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
    if CONTROL.search(text):
        raise UnusableHeader(f"a control character in {text!r}")
    if not text.isascii() or "=?" in text or len(text) > room // 2:
        return _encoded_words(text, room=room)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mailbox(name: str, address: str, *, room: int) -> str:
    address = _plain(address, ADDRESS)
    return f"{_phrase(name, room=room)}\r\n <{address}>" if name else address


def _encoded_words(text: str, *, room: int) -> str:
    """RFC 2047 base64 words of at most 75 characters, one a line; a character is never cut in two."""
    words: list[str] = []
    taken = b""
    for character in text:
        octets = character.encode()
        most = ((room if not words else LINE) - len("=?utf-8?b??=")) // 4 * 3
        if len(taken) + len(octets) > most:
            words.append(_encoded_word(taken))
            taken = b""
        taken += octets
    return "\r\n ".join([*words, _encoded_word(taken)])


def _encoded_word(octets: bytes) -> str:
    return f"=?utf-8?b?{b2a_base64(octets, newline=False).decode()}?="
