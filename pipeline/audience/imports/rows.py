"""One row of a list: a reader as it says, or why it is refused."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

from email_validator import SPECIAL_USE_DOMAIN_NAMES

from pipeline.audience.addresses import NotAnAddress, address_hash, normal
from pipeline.audience.imports.layouts import Columns, Fate, fate
from pipeline.kernel.clocks import zone_named

#: Most addresses are plain ASCII and need no validator, which takes ten times as long. tests hold the two equal.
_PLAIN = re.compile(r"(?=.{6,200}\Z)[a-z0-9_+]+(?:[.-][a-z0-9_+]+){0,8}@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,20}")
_SPECIAL = frozenset(name.rpartition(".")[2] for name in SPECIAL_USE_DOMAIN_NAMES)
_LONGEST_LOCAL, _LONGEST_LABEL = 64, 63
#: What our own export puts before a value a spreadsheet would run.
_DEFUSED = re.compile(r"'(?=[=+\-@])")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8})?")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]+")
_FIRST_YEAR = 1990


@dataclass(frozen=True, slots=True)
class Arrival:
    """A sound row."""

    row: int
    address: str
    hash: bytes
    fate: Fate
    name: str = ""
    language: str = "en"
    zone: str = "UTC"
    joined_at: datetime | None = None
    joined: str = ""  #: as the list says it, for the consent's evidence
    network: str = ""


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that is refused. `given` is kept only of what is no address: of others the row's number is enough."""

    row: int
    code: str
    given: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def read(number: int, cells: Sequence[str], *, columns: Columns, key: bytes, now: datetime) -> Arrival | Fault | None:
    """None for a row without an address. `key` is of the address hashes."""
    given = _cell(cells, columns.address)
    if not given:
        return None
    try:
        address = spelled(_DEFUSED.sub("", given, count=1))
    except NotAnAddress as error:
        return Fault(row=number, code="not_an_address", given=given[:254], params={"why": _why(error)})
    found = _fate(cells, columns)
    if not isinstance(found, Fate):
        return Fault(row=number, code="unknown_status", params={"status": found[:60]})
    if found == Fate.UNCONFIRMED:
        return Fault(row=number, code="unconfirmed")
    said = {
        name: _cell(cells, places[0]) if len(places) == 1 else " ".join(_cell(cells, place) for place in places)
        for name, places in columns.at.items()
    }
    joined = said.get("joined", "").strip()[:120]
    return Arrival(
        row=number,
        address=address,
        hash=address_hash(address, key=key),
        fate=found,
        name=(said.get("name") or f"{said.get('first', '')} {said.get('last', '')}").strip()[:120],
        language=_language(said.get("language", "")),
        zone=_zone(said.get("zone", "")),
        joined_at=_instant(joined, now=now),
        joined=joined,
        network=_network(said.get("network", "")),
    )


def spelled(given: str) -> str:
    """As `addresses.normal`, quicker. Raises NotAnAddress."""
    plain = given.strip().lower()
    if _PLAIN.fullmatch(plain):
        local, _, domain = plain.partition("@")
        labels = domain.split(".")
        if len(local) <= _LONGEST_LOCAL and max(map(len, labels)) <= _LONGEST_LABEL and labels[-1] not in _SPECIAL:
            return plain
    return normal(given)


def _cell(cells: Sequence[str], place: int) -> str:
    if place >= len(cells):
        return ""
    cell = cells[place]
    return (cell if cell.isprintable() else _CONTROL.sub(" ", cell)).strip()


def _fate(cells: Sequence[str], columns: Columns) -> Fate | str:
    """The first status that keeps the row out, or the word nobody knows."""
    if columns.everybody != Fate.WANTS:
        return columns.everybody
    if any(_cell(cells, place) for place in columns.at.get("deleted", ())):
        return Fate.LEFT
    for place in columns.at.get("status", ()):
        word = _cell(cells, place)
        found = fate(word)
        if found != Fate.WANTS:
            return word if found is None else found
    return Fate.WANTS


def _why(error: NotAnAddress) -> str:
    return str(error.__cause__ or error)[:200]


def _language(said: str) -> str:
    spelling = said.strip().lower().replace("_", "-")
    return spelling[:12] if _LANGUAGE.fullmatch(spelling) else "en"


@lru_cache(maxsize=1024)
def _zone(said: str) -> str:
    try:
        zone_named(said)
    except ValueError:
        return "UTC"
    return said if 0 < len(said) <= 64 else "UTC"


def _instant(said: str, *, now: datetime) -> datetime | None:
    """ISO 8601 and its kin; a day and month in doubt are nobody's joining date."""
    if not said:
        return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at if datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC) <= at <= now else None


def _network(said: str) -> str:
    """Cut to /24 or /48, as sign-ups keep it."""
    if not said.strip():
        return ""
    try:
        address = ip_address(said.strip())
    except ValueError:
        return ""
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False).network_address)
