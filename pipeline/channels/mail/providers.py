"""Who runs a domain's mail servers, what they let us do, and how our pace follows what they say. Pure.

The figures of CAPS and RULES are those of KumoMTA's published shaping data as read in August 2026, the warm-up plan
is what senders of newsletters report of Gmail and Yahoo in 2026. They go stale: see docs/sending.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from tld import get_fld

READ_ON = "2026-08"
LONGEST_GROUP = 60


@dataclass(frozen=True, slots=True)
class Caps:
    """The most a group of servers is asked for. `per_minute` messages (0: no limit of ours), `per_connection` ditto."""

    connections: int = 10
    per_connection: int = 100
    per_minute: int = 6000
    tls: bool = False  #: never in the clear

    def shared(self, *, by: int) -> Caps:
        """The part of one of several processes that send at the same time."""
        rate = max(1, self.per_minute // by) if self.per_minute else 0
        return replace(self, connections=max(1, self.connections // by), per_minute=rate)


CAPS: dict[str, Caps] = {
    "google": Caps(5, 50, tls=True),
    "yahoo": Caps(per_connection=20),
    "outlook": Caps(5, 50),
    "office365": Caps(5, 50),
    "icloud": Caps(10, 5),
    "comcast": Caps(25, 1000),
    "gmx": Caps(4, 20, tls=True),
    "orange": Caps(2, 100),
    "mimecast": Caps(10, 100),
    "yahoo.co.jp": Caps(2, per_minute=600),
}

#: The end of an MX host's name -> its group; the longest that fits counts.
ROLL_UP: dict[str, str] = {
    "google.com": "google", "googlemail.com": "google", "psmtp.com": "google",
    "yahoodns.net": "yahoo", "yahoo.co.jp": "yahoo.co.jp",
    "olc.protection.outlook.com": "outlook", "hotmail.com": "outlook",
    "mail.protection.outlook.com": "office365", "mx.microsoft": "office365",
    "icloud.com": "icloud", "me.com": "icloud", "apple.com": "icloud",
    "comcast.net": "comcast",
    "gmx.net": "gmx", "web.de": "gmx", "mail.com": "gmx", "kundenserver.de": "ionos",
    "orange.fr": "orange", "wanadoo.fr": "orange",
    "mimecast.com": "mimecast", "mimecast.co.za": "mimecast",
    "pphosted.com": "proofpoint", "ppe-hosted.com": "proofpoint", "messagelabs.com": "messagelabs",
    "protonmail.ch": "proton", "messagingengine.com": "fastmail", "mail.ru": "mail.ru", "yandex.net": "yandex",
    "yandex.ru": "yandex", "qq.com": "qq", "zoho.com": "zoho", "zoho.eu": "zoho", "t-online.de": "t-online",
}  # fmt: skip


class NullMX(Exception):
    """The domain says that it takes no mail at all (RFC 7505): no try will ever change that."""


def hosts_of(domain: str, answers: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    """Where mail of a domain goes, the preferred first; without an MX the domain itself (RFC 5321 5.1).

    Raises NullMX.
    """
    named = [(preference, host.rstrip(".").lower()) for preference, host in answers]
    if any(not host for _, host in named):
        raise NullMX(f"{domain} takes no mail (null MX)")
    return tuple(dict.fromkeys(host for _, host in sorted(named, key=lambda pair: pair[0]))) or (domain.lower(),)


def group_of(hosts: Sequence[str]) -> str:
    """The provider behind a domain's servers: a known one, or the registered domain of the preferred server."""
    labels = hosts[0].split(".")
    for at in range(len(labels)):
        if known := ROLL_UP.get(".".join(labels[at:])):
            return known
    registered = get_fld(hosts[0], fix_protocol=True, fail_silently=True) or ".".join(labels[-2:])
    return str(registered)[-LONGEST_GROUP:]


def caps_of(group: str) -> Caps:
    """What a group is asked for at most."""
    return CAPS.get(group, Caps())


# -- pace -----------------------------------------------------------------------------------------------------

#: A connection more after each stretch without a complaint, and twice the rate.
CLEAN_S = 120
#: Complaints that come together are one: a provider says the same on every connection.
INCIDENT_S = 5
#: "Unusual rate" counts the second time within this.
REPEATED_S = 3600
_FASTEST = 6000  #: a rate that grew beyond it is no limit any more


@dataclass(frozen=True, slots=True)
class Rule:
    """What a provider's words cost: silence for `pause_s`, or a crawl for `for_s` before it may grow again."""

    words: re.Pattern[str]
    pause_s: int = 0
    connections: int = 1
    per_minute: int = 0
    for_s: int = 0
    at: int = 1  #: the how-manieth time within REPEATED_S


RULES: tuple[Rule, ...] = (
    Rule(re.compile(r"\[TSS04\]", re.I), pause_s=7200),
    Rule(re.compile(r"unusual rate", re.I), per_minute=10, for_s=1800, at=2),
    Rule(re.compile(r"temporarily deferred|server busy", re.I), per_minute=1, for_s=5400),
)


@dataclass(frozen=True, slots=True)
class Pace:
    """What one group is asked for now: halved when it complains, one more for each clean stretch (AIMD).

    Between 1 and `caps`; `per_minute` 0 is no limit. `clean_since` lies ahead while a crawl lasts.
    """

    caps: Caps
    connections: int
    per_minute: int
    clean_since: datetime
    slowed_at: datetime | None = None
    warned_at: datetime | None = None
    paused_until: datetime | None = None
    said: str = ""

    @classmethod
    def full(cls, caps: Caps, *, now: datetime) -> Pace:
        return cls(caps=caps, connections=caps.connections, per_minute=caps.per_minute, clean_since=now)

    def within(self, caps: Caps) -> Pace:
        """The same under other caps."""
        rate = min(filter(None, (self.per_minute, caps.per_minute)), default=0)
        return replace(self, caps=caps, connections=max(1, min(self.connections, caps.connections)), per_minute=rate)

    def paused(self, *, now: datetime) -> bool:
        return self.paused_until is not None and now < self.paused_until

    def heard(self, *, code: int, enhanced: str, text: str, now: datetime) -> Pace:
        """After an answer that was no 250. Only 421, x.7.x of class 4 and the words of RULES are about our pace."""
        rule = next((rule for rule in RULES if rule.words.search(text)), None) if 400 <= code < 500 else None
        if rule is None and code != 421 and not enhanced.startswith("4.7."):
            return self
        said = f"{code} {enhanced} {text}".replace("  ", " ")[:300]
        if rule is not None and rule.at > 1 and not self._repeated(now):
            return replace(self._halved(now), warned_at=now, said=said)
        if rule is None:
            return replace(self._halved(now), said=said)
        if rule.pause_s:
            until = now + timedelta(seconds=rule.pause_s)
            return replace(self._halved(now), paused_until=until, clean_since=until, said=said)
        rate = min(filter(None, (self.per_minute, rule.per_minute)))
        later = max(self.clean_since, now + timedelta(seconds=rule.for_s))
        return replace(self, connections=rule.connections, per_minute=rate, clean_since=later, slowed_at=now, said=said)

    def grown(self, *, now: datetime) -> Pace:
        """What a time without complaints has earned."""
        steps = int((now - self.clean_since).total_seconds() // CLEAN_S)
        if steps < 1:
            return self
        rate = self.per_minute * 2 ** min(steps, 16)
        rate = min(rate, self.caps.per_minute) if self.caps.per_minute else rate if rate < _FASTEST else 0
        return replace(
            self,
            connections=min(self.caps.connections, self.connections + steps),
            per_minute=rate,
            clean_since=self.clean_since + timedelta(seconds=CLEAN_S * steps),
            said=self.said if rate != self.caps.per_minute or self.connections < self.caps.connections else "",
        )

    def _repeated(self, now: datetime) -> bool:
        return self.warned_at is not None and INCIDENT_S <= (now - self.warned_at).total_seconds() <= REPEATED_S

    def _halved(self, now: datetime) -> Pace:
        since = max(self.clean_since, now)
        if self.slowed_at is not None and (now - self.slowed_at).total_seconds() < INCIDENT_S:
            return replace(self, clean_since=since)
        return replace(self, connections=max(1, self.connections // 2), clean_since=since, slowed_at=now)


# -- warm-up --------------------------------------------------------------------------------------------------

WARM_AFTER_DAYS = 28
_DOUBLES_EVERY_DAYS = 2
_HOURS_A_DAY = 10  #: a day's mail goes in about ten hours
_FIRST_PER_HOUR = {"google": 200, "yahoo": 100}
_FIRST_ELSEWHERE = 150


@dataclass(frozen=True, slots=True)
class WarmUp:
    """What a new sending address may hand one group."""

    per_day: int
    per_minute: int


def warm_up(group: str, *, day: int) -> WarmUp | None:
    """The plan `day` days (from 0) after warming began: doubling every second day; None once it is over."""
    if day >= WARM_AFTER_DAYS:
        return None
    per_hour = _FIRST_PER_HOUR.get(group, _FIRST_ELSEWHERE) * 2 ** (max(0, day) // _DOUBLES_EVERY_DAYS)
    return WarmUp(per_day=per_hour * _HOURS_A_DAY, per_minute=max(1, per_hour // 60))
