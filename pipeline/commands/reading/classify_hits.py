"""Judge a list of hits kept as JSON lines: one ruling and its rules for each, in order.

A line is an object with `at`, `message` and `link`, and where known `delivered_at`, `method` (GET), `ua`, `ip`,
`headers`, `honeypot`, `mangled`, `links`, `asn`, `network`. Instants are ISO 8601 (without a zone: UTC) or seconds
since 1970. A `link` of null, "", "open" or "pixel" is the open picture; "honeypot" is the hidden link; other links
may be numbers or text. Lines are judged together, because a burst shows only beside its neighbours.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from pipeline.engagement.hits import PRODUCTION, Hit, Thresholds
from pipeline.engagement.verdicts import judge

_OPENS = {"", "open", "pixel"}
#: What gateways and mail programs take into an address that stood in brackets, quotes or at a sentence's end.
_JUNK = re.compile(r"(?:%2[0279e]|%3e|%5d|&amp;|[&'\">)\].,;\s])+$", re.IGNORECASE)


def lines(input_lines: Iterable[str], *, thresholds: Thresholds = PRODUCTION) -> Iterator[dict[str, Any]]:
    """Yield {verdict, rules} for every line that is not blank; ill-formed ones are unknown, with warnings."""
    read = [_read(line.removeprefix("\ufeff")) for line in input_lines if line.strip()]
    verdicts = iter(judge([hit for hit in read if isinstance(hit, Hit)], thresholds=thresholds))
    for one in read:
        if isinstance(one, Hit):
            found = next(verdicts)
            yield {"verdict": str(found.verdict), "rules": list(found.rules)}
        else:
            yield {"verdict": "unknown", "rules": ["ill-formed"], "warnings": [one]}


def _read(line: str) -> Hit | str:
    """A hit, or a sentence about what is wrong with the line."""
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return "not JSON"
    if not isinstance(record, Mapping):
        return "not an object"
    try:
        return _hit(record)
    except KeyError as error:
        return f"{error.args[0]} is missing"
    except (TypeError, ValueError, OverflowError, OSError) as error:
        return str(error) or "a value is out of range"


def _hit(record: Mapping[str, Any]) -> Hit:
    link, damaged = _link(record["link"])
    delivered = record.get("delivered_at")
    return Hit(
        at=_instant(record["at"], "at"),
        delivered_at=None if delivered is None else _instant(delivered, "delivered_at"),
        message=_text(record["message"], "message"),
        link=link,
        method=_text(record.get("method") or "GET", "method").strip(),
        ua=_text(record.get("ua"), "ua"),
        ip=_text(record.get("ip"), "ip"),
        headers=_headers(record.get("headers")),
        honeypot=record.get("honeypot") in {True, "true"} or link.lower() == "honeypot",
        mangled=record.get("mangled") is True or damaged,
        network=None if record.get("network") is None else _text(record["network"], "network"),
        asn=_number(record.get("asn"), "asn"),
        links=_number(record.get("links"), "links") or 0,
    )


def _instant(value: Any, name: str) -> datetime:
    if isinstance(value, int | float) and not isinstance(value, bool):
        moment = datetime.fromtimestamp(value, UTC)
    elif isinstance(value, str):
        moment = datetime.fromisoformat(value)
    else:
        raise TypeError(f"{name} is neither a time nor a number")
    if not 1970 <= moment.year < 2200:
        raise ValueError(f"{name} is out of range")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: Any, name: str) -> str:
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError(f"{name} is not text")
    return str(value)


def _number(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} is not a whole number")
    return int(value)


def _link(value: Any) -> tuple[str, bool]:
    """The link's name without what a gateway hung on it, and whether anything was hung on it."""
    text = _text(value, "link")
    if text.lower() in _OPENS:
        return "", False
    bare = _JUNK.sub("", text)
    return bare or text, bare != text


def _headers(value: Any) -> dict[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise TypeError("headers is not an object")
    return {str(name): str(content) for name, content in value.items()}
