"""What is judged and what comes of it: a hit, the rules by name, their thresholds, a verdict.

A change of a rule's meaning raises RULES_VERSION.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

RULES_VERSION = 4
RULES: Mapping[str, str] = {
    "R1": "Not a GET: nothing was shown to anyone.",
    "R2": "The browser said it was fetching ahead (Sec-Purpose, Purpose, X-Purpose or X-Moz).",
    "R3": "The User-Agent is missing, too short for a browser, or names a program.",
    "R4": "The hidden link of this message was followed within seconds, or from the same network within minutes.",
    "R5": "It came from a network that only scans mail.",
    "R6": "It came too soon after the mail was accepted for anyone to have read it.",
    "R7": "Different links of one message were followed faster than a person can.",
    "R8": "Links of this message arrived damaged, twice or beside an undamaged one: gateways try what happens.",
    "R9": "One network followed links of many readers in quick succession, with few programs.",
    "R10": "It came from where servers live, faster than readers usually do or as an echo of another's click: a doubt, for VPNs end there as well.",
    "P1": "The mail provider said that a machine did it.",
    "MPP": "Apple Mail fetched the picture by itself, whether or not anyone read.",
    "DAMAGED": "The link arrived damaged once, which proves nothing.",
    "PROXY": "A webmail's picture proxy fetched it: perhaps for a reader.",
}


class Ruling(StrEnum):
    """What an event counts as. Only `human` ever reaches a ranking."""

    HUMAN = "human"
    PREFETCH = "prefetch"
    SCANNER = "scanner"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Hit:
    """One request for a tracked link or picture.

    `delivered_at` is when the reader's server accepted the mail (None: no mail, or not known). `message` names one
    mail to one reader; "" is nobody in particular (a social post), where rules about one reader do not apply.
    `link` is "" for the open picture. `ip` is an address or an opaque key of its prefix. `network` is what
    `networks.known_network` said at the door, else None. `links`: how many the message carries, 0 where not known. `told`: the
    mail provider's own word that it was a machine. `hosted`: what `networks.is_hosted` said at the door, None to ask here.
    """

    at: datetime
    delivered_at: datetime | None
    message: str
    link: str
    method: str = "GET"
    ua: str = ""
    ip: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    honeypot: bool = False
    mangled: bool = False
    network: str | None = None
    asn: int | None = None
    links: int = 0
    told: bool = False
    hosted: bool | None = None

    @property
    def is_open(self) -> bool:
        """True for the open picture, False for a link."""
        return not self.link


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a hit counts as, and the rules that said so."""

    verdict: Ruling
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Durations in seconds. The demo shortens them; production keeps the defaults."""

    honeypot_s: float = 10.0
    honeypot_network_s: float = 600.0
    click_after_s: float = 30.0
    open_after_s: float = 60.0
    slow_gateway_s: float = 600.0
    #: Proofpoint, Mimecast, Cisco: scan late, but a reader behind browser isolation comes from there as well
    slow_gateways: frozenset[int] = frozenset({22843, 26211, 52129, 30031, 39588, 42427, 60492, 16417})
    pair_s: float = 5.0
    trio_s: float = 10.0
    sweep_s: float = 60.0
    sweep_share: float = 0.8
    sweep_links: int = 4
    sweep_links_unknown_total: int = 6
    mangled_pair_s: float = 2.0
    #: from where servers live: alone nothing, but sooner after acceptance than most read, or two links sooner than most
    hosted_after_s: float = 120.0
    hosted_pair_s: float = 15.0
    crowd_s: float = 600.0
    crowd_readers: int = 20
    crowd_gap_s: float = 2.0
    #: many people read in many programs, one for every third of them and a dozen in any crowd
    crowd_agents_share: float = 0.35
    crowd_agents: int = 12
    #: but not this many clicks a second: 1,500 colleagues whose letter has just come make 2.5
    crowd_rate: float = 5.0
    #: where thousands of people share one address: capped elsewhere, never called machines
    shared_networks: frozenset[str] = frozenset({"apple-relay", "cgnat"})
    #: an email click counts no sooner than this after itself, nor than click_after_s after acceptance
    quarantine_s: float = 15.0


PRODUCTION = Thresholds()
