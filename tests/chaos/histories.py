"""Random histories of readers and machines, and what they must add up to: a recount in a few lines, of our own records.

Of the database only two things are taken: what each event was judged to be, and up to when days are closed. Whose it
was, when, on which story and how often it was posted is known here.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from pipeline.engagement.records import Flag, Record, event_id
from pipeline.engagement.tokens import Kind

DAY_S, CAP = 86_400, 2
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
NETWORKS = [bytes(16), *(b"network-of-no-%02d" % n for n in range(12))]
BOOTS = (b"door-1", b"door-2", b"door-3")
Cell = tuple[int, int, str]  #: article, minute, channel


class Carrier(NamedTuple):
    """An origin as it was seeded. `links`: number -> story. `off`: ordinals of readers who want nothing recorded."""

    id: int
    kind: str
    readers: int
    links: Mapping[int, int]
    off: frozenset[int]


class Judged(NamedTuple):
    """What the database says of one event."""

    verdict: str
    rules: Sequence[str]


@dataclass(slots=True)
class Book:
    """Everything that was ever posted, by id, and what was told of days before they were removed."""

    carriers: Sequence[Carrier]
    stories: Sequence[int]
    dice: random.Random
    posted: dict[bytes, Record] = field(default_factory=dict)
    closed: Counter[Cell] = field(default_factory=Counter)
    cells: Counter[Cell] = field(default_factory=Counter)
    horizon: int = 0  #: as it was found at the last checkpoint
    _counters: Counter[bytes] = field(default_factory=Counter)

    def written(self, *, since: datetime, until: datetime, most: int) -> list[list[Record]]:
        """New events of each door, in the order in which it saw them: most of now, some told days late."""
        doors: dict[bytes, list[Record]] = {boot: [] for boot in BOOTS}
        while sum(map(len, doors.values())) < most:
            boot = self.dice.choice(BOOTS)
            doors[boot] += [self._recorded(boot, facts) for facts in self._act(since, until)]
        return [records for records in doors.values() if records]

    def _recorded(self, boot: bytes, facts: dict[str, Any]) -> Record:
        self._counters[boot] += 1
        known: dict[str, Any] = {"method": "GET", "user_agent": CHROME, "referrer": "", "flags": Flag.MAC_OK}
        made = Record(event_id=event_id(boot, self._counters[boot]), **{**known, **facts})
        self.posted[made.event_id] = made
        return made

    def last(self, boot: bytes) -> int:
        """The counter of a door's newest event."""
        return self._counters[boot]

    # -- what readers and machines do -----------------------------------------------------------------

    def _act(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        at = self._moment(since, until)
        if self.dice.random() < 0.1:
            return [self._beacon(at)]
        carrier = self.dice.choice(self.carriers)
        reader = self.dice.randint(1, carrier.readers) if carrier.readers else 0
        base = {"origin": carrier.id, "ordinal": reader, "visitor": self.dice.choice(NETWORKS), "at_ms": at}
        acts = self.dice.choices([self._click, self._open, self._sweep, self._machine], weights=[14, 3, 1, 2])
        return acts[0](base, carrier)

    def _moment(self, since: datetime, until: datetime) -> int:
        """In milliseconds: now and then of days ago, and once in a while of a day that is long gone."""
        late_h = self.dice.choices([0, self.dice.uniform(1, 70), 24 * 36], weights=[88, 11, 1])[0]
        at = since + (until - since) * self.dice.random()
        late = at - timedelta(hours=late_h)
        # a day past its time that nobody has removed yet may still be counted or not, as it comes
        told = late if late_h < 72 or late.timestamp() < self.horizon * 60 else at
        return int(told.timestamp() * 1000)

    def _click(self, base: dict[str, Any], carrier: Carrier) -> list[dict[str, Any]]:
        extra = self.dice.choices([Flag(0), Flag.HOSTED, Flag.PRIVATE, Flag.MANGLED], weights=[90, 4, 4, 2])[0]
        clicks = self.dice.sample(sorted(carrier.links), k=self.dice.choice([1, 1, 2]))
        return [
            {
                **base,
                "kind": Kind.CLICK,
                "link": link,
                "at_ms": base["at_ms"] + 40_000 * n,
                "flags": Flag.MAC_OK | extra,
            }
            for n, link in enumerate(clicks)
        ]

    def _open(self, base: dict[str, Any], _carrier: Carrier) -> list[dict[str, Any]]:
        return [{**base, "kind": Kind.OPEN, "link": 0}]

    def _sweep(self, base: dict[str, Any], carrier: Carrier) -> list[dict[str, Any]]:
        """Every link of one letter within seconds."""
        links = sorted(carrier.links)
        return [{**base, "kind": Kind.CLICK, "link": n, "at_ms": base["at_ms"] + 300 * k} for k, n in enumerate(links)]

    def _machine(self, base: dict[str, Any], carrier: Carrier) -> list[dict[str, Any]]:
        """One that says so, or whose link is not signed by us."""
        signs: list[dict[str, Any]] = [
            {"user_agent": "curl/8.9"}, {"method": "HEAD", "flags": Flag.MAC_OK | Flag.HEAD},
            {"flags": Flag.MAC_OK | Flag.PREFETCH}, {"flags": Flag.MAC_OK | Flag.SCANNER},
            {"flags": Flag.MANGLED, "ordinal": 0}, {"flags": Flag.MAC_OK | Flag.HONEYPOT},
        ]  # fmt: skip
        link = self.dice.choice(sorted(carrier.links))
        return [{**base, "kind": Kind.CLICK, "link": link, **self.dice.choice(signs)}]

    def _beacon(self, at_ms: int) -> dict[str, Any]:
        late = {"at_ms": max(at_ms, 0), "visitor": self.dice.choice(NETWORKS), "method": "POST"}
        return {
            **late, "kind": Kind.VIEW, "origin": 0, "ordinal": self.dice.choice(self.stories), "link": self.dice.randint(0, 1),
            "flags": Flag.MAC_OK | Flag.HEAD, "seconds": self.dice.randint(1, 600),
        }  # fmt: skip

    # -- what it must add up to -----------------------------------------------------------------------

    def counted(self, judged: Mapping[bytes, Judged], *, horizon: int) -> Counter[Cell]:
        """Every count: what the days behind the horizon were told to be, and all later ones from the records."""
        self.horizon = horizon
        for cell, n in self.cells.items():
            if cell[1] < horizon:
                self.closed[cell] = n
        people = [self.posted[key] for key, found in judged.items() if found.verdict == "human"]
        later = _votes([one for one in map(self._click_of, people) if one and one.minute >= horizon])
        self.cells = Counter({cell: n for cell, n in self.closed.items() if cell[1] < horizon} | later)
        return self.cells

    def _click_of(self, record: Record) -> _Click | None:
        carrier = next((one for one in self.carriers if one.id == record.origin), None)
        if record.kind is not Kind.CLICK or carrier is None or record.link not in carrier.links:
            return None
        channel = {"edition": "email", "post": "social", "box": "box"}[carrier.kind]
        person = (carrier.id, record.ordinal) if record.ordinal else record.visitor
        return _Click(record.at_ms, record.event_id, carrier.links[record.link], person, record.visitor, channel)

    def wants_nothing_kept(self, record: Record) -> bool:
        """Of the newsletter's or the reader's own choice."""
        return any(one.id == record.origin and record.ordinal in one.off for one in self.carriers)


class _Click(NamedTuple):
    at_ms: int
    id: bytes
    article: int
    person: object
    network: bytes
    channel: str

    @property
    def minute(self) -> int:
        return self.at_ms // 60_000


def _votes(clicks: Iterable[_Click]) -> Counter[Cell]:
    """A person's first click on a story a day, in our own box only where there is no other; of a network so many an hour."""
    first: dict[object, _Click] = {}
    for one in sorted(clicks, key=lambda click: (click.channel == "box", click.at_ms, click.id)):
        first.setdefault((one.article, one.person, one.at_ms // 1000 // DAY_S), one)
    heard, cells = Counter[object](), Counter[Cell]()
    for one in sorted(first.values()):
        crowd = one.article, one.network, one.at_ms // 3_600_000
        heard[crowd] += one.channel != "email"
        if one.channel == "email" or heard[crowd] <= CAP:
            cells[one.article, one.minute, one.channel] += 1
    return cells


def read(records: Iterable[Record]) -> Counter[tuple[int, int, str]]:
    """Views and seconds of each story and day, by the site's own reports."""
    told = Counter[tuple[int, int, str]]()
    for record in records:
        if record.seconds is not None:
            day = record.at_ms // 1000 // DAY_S
            told[record.ordinal, day, "views"] += record.link == 0
            told[record.ordinal, day, "seconds"] += record.seconds
    return told


def listed(cells: Mapping[Cell, int], *, now: datetime) -> dict[str, Counter[int]]:
    """What each list's window holds, the box weighing nothing: hours for the week, minutes for the others."""
    minute = int(now.astimezone(UTC).timestamp()) // 60
    oldest = {"now": minute - 59, "today": minute - 1439, "week": (minute // 60 - 167) * 60}
    found: dict[str, Counter[int]] = {window: Counter() for window in oldest}
    for (article, at, channel), n in cells.items():
        for window, since in oldest.items():
            if since <= at <= minute and channel != "box":
                found[window][article] += n
    return found
