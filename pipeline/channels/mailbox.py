"""Reading a mailbox from where it was last read to, by IMAP (RFC 9051) or POP3 (RFC 1939). Nothing in it is changed."""

from __future__ import annotations

import contextlib
import imaplib
import poplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from pipeline.channels.base import Permanent, Temporary

SCHEMES = ("imaps", "imap+starttls", "imap", "pop3s", "pop3+starttls", "pop3")
PORTS = {"imaps": 993, "imap+starttls": 143, "imap": 143, "pop3s": 995, "pop3+starttls": 110, "pop3": 110}
PATIENCE_S = 20.0
LARGEST = 2_000_000  #: bytes of one mail that are fetched
_UID = re.compile(rb"\bUID (\d+)")
_VALIDITY = re.compile(rb"\d+")


@dataclass(frozen=True, slots=True)
class Place:
    """A mailbox, and where in it. `password` stays out of every text."""

    scheme: str
    host: str
    port: int
    user: str
    folder: str
    password: str = field(repr=False)

    @classmethod
    def of(cls, url: str) -> Place:
        """From `imaps://user:password@host/INBOX`; user and password percent-encoded where they need to be."""
        parts: SplitResult = urlsplit(url)
        return cls(
            scheme=parts.scheme,
            host=parts.hostname or "localhost",
            port=parts.port or PORTS[parts.scheme],
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            folder=unquote(parts.path.strip("/")) or "INBOX",
        )

    @property
    def name(self) -> str:
        """How it is known in a row and in words."""
        return f"{self.scheme}://{self.user}@{self.host}:{self.port}/{self.folder}"[:120]


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail: `mark` is to be kept once it is dealt with, `validity` says for how long marks mean something."""

    validity: str
    mark: str
    raw: bytes


def letters(place: Place, *, validity: str, read_to: str, most: int) -> Iterator[Letter]:
    """At most `most` mails after the mark `read_to`, oldest first; a mark from another validity begins anew.

    Raises Temporary where the mailbox could not be read, Permanent where it turned us away.
    """
    read = _by_pop3 if place.scheme.startswith("pop3") else _by_imap
    try:
        yield from read(place, validity=validity, read_to=read_to, most=most)
    except (imaplib.IMAP4.abort, OSError, EOFError) as error:
        raise Temporary(f"{place.name}: {error}") from error
    except (imaplib.IMAP4.error, poplib.error_proto) as error:
        raise Permanent(f"{place.name}: {error}") from error


def _by_imap(place: Place, *, validity: str, read_to: str, most: int) -> Iterator[Letter]:
    context = ssl.create_default_context()
    link = (
        imaplib.IMAP4_SSL(place.host, place.port, ssl_context=context, timeout=PATIENCE_S)
        if place.scheme == "imaps"
        else imaplib.IMAP4(place.host, place.port, timeout=PATIENCE_S)
    )
    try:
        if place.scheme == "imap+starttls":
            link.starttls(context)
        link.login(place.user, place.password)
        quoted = '"' + place.folder.replace("\\", "\\\\").replace('"', '\\"') + '"'
        done, said = link.select(quoted, readonly=True)
        if done != "OK":
            raise imaplib.IMAP4.error(f"the folder cannot be opened: {said!r}")
        valid = _validity(link)
        after = int(read_to) if valid == validity and read_to.isdigit() else 0
        for uid in _uids(link, after=after)[:most]:
            if (raw := _fetched(link, uid)) is not None:
                yield Letter(validity=valid, mark=str(uid), raw=raw)
    finally:
        with contextlib.suppress(imaplib.IMAP4.error, OSError):
            link.logout()
        with contextlib.suppress(OSError):
            link.shutdown()


def _validity(link: imaplib.IMAP4) -> str:
    """UIDVALIDITY of the open folder: another one means that uids begin anew (RFC 9051 2.3.1.1)."""
    told = link.response("UIDVALIDITY")[1] or [b""]
    found = _VALIDITY.search(told[0] or b"")
    return found[0].decode() if found else ""


def _uids(link: imaplib.IMAP4, *, after: int) -> list[int]:
    """New uids in order. `n:*` always names the last mail, even where it is older than n (RFC 9051 6.4.4)."""
    _, said = link.uid("SEARCH", f"UID {after + 1}:*")
    words = b" ".join(line for line in said if isinstance(line, bytes)).split()
    return sorted({int(word) for word in words if word.isdigit() and int(word) > after})


def _fetched(link: imaplib.IMAP4, uid: int) -> bytes | None:
    """The mail, cut at LARGEST; None if it is gone since."""
    done, said = link.uid("FETCH", str(uid), f"(UID BODY.PEEK[]<0.{LARGEST}>)")
    if done != "OK":
        return None
    return next((bytes(part[1])[:LARGEST] for part in said if isinstance(part, tuple)), None)


def _by_pop3(place: Place, *, validity: str, read_to: str, most: int) -> Iterator[Letter]:
    """UIDLs have no order but the list's; a mark that is gone from it begins anew, which repeats and harms nothing."""
    context = ssl.create_default_context()
    link: poplib.POP3 = (
        poplib.POP3_SSL(place.host, place.port, timeout=PATIENCE_S, context=context)
        if place.scheme == "pop3s"
        else poplib.POP3(place.host, place.port, timeout=PATIENCE_S)
    )
    try:
        if place.scheme == "pop3+starttls":
            link.stls(context)
        link.user(place.user)
        link.pass_(place.password)
        listed = [line.decode("ascii", "replace").split() for line in link.uidl()[1]]
        numbers = [(int(words[0]), words[1][:120]) for words in listed if len(words) == 2 and words[0].isdigit()]
        known = [mark for _, mark in numbers]
        start = known.index(read_to) + 1 if read_to in known else 0
        for number, mark in numbers[start : start + most]:
            try:
                raw = _retrieved(link, number)
            except poplib.error_proto as error:
                if "EOF" in str(error):  # poplib's word for a cut connection
                    raise EOFError("the connection was cut") from error
                # Gone, or a line too long for poplib: passed over, and nothing after it in this connection is sure.
                yield Letter(validity=validity, mark=mark, raw=b"")
                return
            yield Letter(validity=validity, mark=mark, raw=raw)
    finally:
        with contextlib.suppress(poplib.error_proto, OSError):
            link.quit()
        link.close()


def _retrieved(link: poplib.POP3, number: int) -> bytes:
    """Of a mail too large to be read whole, its headers and first lines: that is where a report is."""
    size = int(bytes(link.list(number)).split()[2])  # type: ignore[arg-type]  # one line, not typeshed's tuple
    lines = link.top(number, 2000)[1] if size > LARGEST else link.retr(number)[1]
    return b"\r\n".join(lines)[:LARGEST] + b"\r\n"
