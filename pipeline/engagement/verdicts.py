"""Person or machine? Rules with names, over events that were all kept (DESIGN promise 7).

Single-event rules are certain at once. Contextual rules need the seconds after an event, so they are applied to a
list afterwards and may void what looked human: keep judging until `settled_at` has passed. Thresholds come from
practice reported by others and collected in the engagement reference 2.3; their names and sentences are in hits.py.

Deliberately no evidence: a click without an open (Thunderbird blocks pictures), an open and a click within
milliseconds (real clients do that), Do Not Track and Global Privacy Control.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil

from pipeline.engagement.asking import agents, networks
from pipeline.engagement.crowds import Click, crowded
from pipeline.engagement.hits import PRODUCTION, RULES, Hit, Ruling, Thresholds, Verdict

_Indexes = Iterable[int]


def settled_at(hit: Hit, *, thresholds: Thresholds = PRODUCTION) -> datetime:
    """When no later event can make this hit a person or cease to be one (a second damaged link may still convict)."""
    return hit.at + timedelta(seconds=max(thresholds.honeypot_network_s, thresholds.crowd_s, thresholds.sweep_s))


def counts_from(hit: Hit, *, thresholds: Thresholds = PRODUCTION) -> datetime:
    """When a human click may enter a ranking: most bursts and hidden-link visits have shown themselves by then."""
    delivered_at = hit.delivered_at or hit.at - timedelta(seconds=thresholds.click_after_s)
    own = hit.at + timedelta(seconds=thresholds.quarantine_s)
    return max(own, delivered_at + timedelta(seconds=thresholds.click_after_s))


def judge(hits: Sequence[Hit], *, thresholds: Thresholds = PRODUCTION) -> list[Verdict]:
    """One verdict per hit, in the order given (any order); each depends on its neighbours in this list only."""
    marks = [_alone(hit, thresholds) for hit in hits]
    by_time = sorted(range(len(hits)), key=lambda index: hits[index].at)
    for order in _grouped(hits, by_time, lambda hit: hit.message):
        one = _Message(hits, order, marks, thresholds)
        one.hidden_link()
        one.bursts()
        one.hosted()
        one.damage()
    for order in _grouped(hits, by_time, lambda hit: _crowd_key(hit, thresholds)):
        for index in _crowds(hits, order, thresholds):
            marks[index].add("R9")
    return [_verdict(found) for found in marks]


def _verdict(found: set[str]) -> Verdict:
    rules = tuple(rule for rule in RULES if rule in found)
    if found & {"R2", "MPP"}:
        return Verdict(Ruling.PREFETCH, rules)
    if found - {"DAMAGED", "PROXY", "R10"}:
        return Verdict(Ruling.SCANNER, rules)
    return Verdict(Ruling.UNKNOWN if found else Ruling.HUMAN, rules)


def _alone(hit: Hit, thresholds: Thresholds) -> set[str]:
    """The rules that need nothing but the event itself."""
    network = _network(hit)
    gateway = networks.may_scan(network) or hit.asn in thresholds.slow_gateways
    tests = {
        "R1": hit.method.upper() != "GET",
        "R2": agents.fetching_ahead(hit.headers),
        "R4": hit.honeypot,
        "R5": networks.only_scans(network),
        "R6": _too_soon(hit, thresholds, gateway=gateway),
        "P1": hit.told,
        "R10": _is_hosted(hit) and _sooner(hit, thresholds.hosted_after_s),
        "DAMAGED": hit.mangled,
    }
    return {rule for rule, holds in tests.items() if holds} | _by_agent(hit)


def _network(hit: Hit) -> str:
    return networks.known_network(hit.ip) if hit.network is None else hit.network


def _by_agent(hit: Hit) -> set[str]:
    kind = agents.kind(hit.ua)
    if kind is agents.Kind.MAIL_PRIVACY:
        # For a click the same header is a web view of a Mac program, unless it is the bare "Mozilla/5.0"
        return {"MPP"} if hit.is_open else {"R3"} if " " not in hit.ua.strip() else set()
    if kind is agents.Kind.IMAGE_PROXY and hit.is_open:
        return {"PROXY"}
    return set() if kind is agents.Kind.PERSON else {"R3"}


def _too_soon(hit: Hit, thresholds: Thresholds, *, gateway: bool) -> bool:
    if hit.delivered_at is None:
        return False
    least = thresholds.open_after_s if hit.is_open else thresholds.click_after_s
    if gateway:
        least = thresholds.slow_gateway_s
    return _sooner(hit, least)


def _sooner(hit: Hit, after_s: float) -> bool:
    return hit.delivered_at is not None and hit.at - hit.delivered_at < timedelta(seconds=after_s)


def _is_hosted(hit: Hit) -> bool:
    """Of clicks only: pictures are fetched by servers for all the world."""
    if hit.is_open:
        return False
    return hit.asn in networks.HOSTING_ASNS or (networks.is_hosted(hit.ip) if hit.hosted is None else hit.hosted)


def _grouped(hits: Sequence[Hit], order: Sequence[int], key: Callable[[Hit], str]) -> Iterable[list[int]]:
    """Indexes by key, each group in the order given; the key "" is nobody and forms no group."""
    groups: defaultdict[str, list[int]] = defaultdict(list)
    for index in order:
        groups[key(hits[index])].append(index)
    groups.pop("", None)
    return groups.values()


def _drop(counts: Counter[str], key: str) -> None:
    counts[key] -= 1
    if not counts[key]:
        del counts[key]


def _spread(hits: Sequence[Hit], order: Sequence[int], *, span_s: float, links: int) -> set[int]:
    """Every event inside some stretch of `span_s` seconds with at least `links` different links. O(n)."""
    span, inside = timedelta(seconds=span_s), set[int]()
    counts: Counter[str] = Counter()
    low = taken = 0
    for high, index in enumerate(order):
        counts[hits[index].link] += 1
        while hits[index].at - hits[order[low]].at > span:
            _drop(counts, hits[order[low]].link)
            low += 1
        if len(counts) >= links:
            inside.update(order[max(low, taken) : high + 1])
            taken = high + 1
    return inside


def _crowd_key(hit: Hit, thresholds: Thresholds) -> str:
    known = bool(hit.message) and not hit.is_open and hit.network not in thresholds.shared_networks
    return networks.prefix(hit.ip) if known else ""


def _crowds(hits: Sequence[Hit], order: Sequence[int], thresholds: Thresholds) -> set[int]:
    """R9 over the clicks of one network, by time."""
    first = hits[order[0]]
    places = crowded(
        [Click(hits[index].at, hits[index].message, hits[index].ua) for index in order],
        span_s=thresholds.crowd_s,
        most_readers=thresholds.crowd_readers,
        gap_s=thresholds.crowd_gap_s,
        programs_of=lambda readers: min(thresholds.crowd_agents_share * readers, thresholds.crowd_agents),
        most_per_s=thresholds.crowd_rate,
        rented=_is_hosted(first) or networks.may_scan(_network(first)),
    )
    return {order[place] for place in places}


@dataclass(frozen=True, slots=True)
class _Message:
    """The events of one mail to one reader, by time, and the marks to add to."""

    hits: Sequence[Hit]
    order: Sequence[int]
    marks: list[set[str]]
    thresholds: Thresholds

    def hidden_link(self) -> None:
        """R4. Only real visits set the trap off: a HEAD round over all links may precede a reader's click."""
        traps = [i for i in self.order if self.hits[i].honeypot and not self.marks[i] & {"R1", "R2"}]
        self._near(traps, self.order, "R4", self.thresholds.honeypot_s, local=False)
        self._near(traps, self.order, "R4", self.thresholds.honeypot_network_s, local=True)

    def bursts(self) -> None:
        """R7. Link previews in a chat (R3), HEAD rounds (R1) and prefetching (R2) never speak against a reader."""
        unread, at = {"R1", "R2", "R3"}, self.thresholds
        clicks = [i for i in self.order if self.hits[i].link and not self.marks[i] & unread]
        found = _spread(self.hits, clicks, span_s=at.trio_s, links=3)
        found |= _spread(self.hits, clicks, span_s=at.sweep_s, links=self._sweep(clicks))
        for same_source in _grouped(self.hits, clicks, lambda hit: networks.prefix(hit.ip) or "?"):
            found |= _spread(self.hits, same_source, span_s=at.pair_s, links=2)
        for index in found:
            self.marks[index].add("R7")
        opens = [i for i in self.order if self.hits[i].is_open]
        self._near(sorted(found, key=lambda i: self.hits[i].at), opens, "R7", at.trio_s, local=True)

    def hosted(self) -> None:
        """R10, second half: it never convicts, it leaves in doubt."""
        clicks = [i for i in self.order if _is_hosted(self.hits[i])]
        if not clicks:
            return
        found = _spread(self.hits, clicks, span_s=self.thresholds.hosted_pair_s, links=2)
        for index in found | self._echoes(set(clicks)):
            self.marks[index].add("R10")

    def _echoes(self, among: set[int]) -> set[int]:
        """Clicks with one on the same link from elsewhere just before or after: a gateway looks where a reader went."""
        found, span = set[int](), timedelta(seconds=self.thresholds.hosted_pair_s)
        for same_link in _grouped(self.hits, self.order, lambda hit: hit.link):
            for order in (same_link, same_link[::-1]):
                other = last = None  # the nearest from elsewhere, the one just met
                for index in order:
                    if last is not None and networks.prefix(self.hits[last].ip) != networks.prefix(self.hits[index].ip):
                        other = last
                    if index in among and other is not None and abs(self.hits[index].at - self.hits[other].at) <= span:
                        found.add(index)
                    last = index
        return found

    def damage(self) -> None:
        """R8: two damaged links, or a damaged and a whole one from one source at once."""
        damaged = [i for i in self.order if self.hits[i].mangled]
        if len(damaged) > 1:
            for index in damaged:
                self.marks[index].add("R8")
        whole = [i for i in self.order if not self.hits[i].mangled and not self.hits[i].is_open]
        self._near(damaged, whole, "R8", self.thresholds.mangled_pair_s, local=True)
        self._near(whole, damaged, "R8", self.thresholds.mangled_pair_s, local=True)

    def _sweep(self, clicks: Sequence[int]) -> int:
        """How many different links within a minute are nearly all of this message."""
        total = max((self.hits[i].links for i in clicks), default=0)
        if not total:
            return self.thresholds.sweep_links_unknown_total
        return max(self.thresholds.sweep_links, ceil(self.thresholds.sweep_share * total))

    def _near(self, causes: _Indexes, others: _Indexes, rule: str, span_s: float, *, local: bool) -> None:
        """Mark those of `others` within `span_s` of a cause, where asked only from the cause's own network."""
        moments: defaultdict[str, list[datetime]] = defaultdict(list)
        for index in causes:
            moments[networks.prefix(self.hits[index].ip) if local else ""].append(self.hits[index].at)
        if local:
            moments.pop("", None)  # without an address nobody is a neighbour
        for index in others:
            known = moments.get(networks.prefix(self.hits[index].ip) if local else "", [])
            span, at = timedelta(seconds=span_s), self.hits[index].at
            if bisect_left(known, at - span) < bisect_right(known, at + span):
                self.marks[index].add(rule)
