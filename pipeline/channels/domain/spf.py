"""Evaluating SPF (RFC 7208) for an address of ours, with the names it leads to asked through a given door. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Protocol

Address = IPv4Address | IPv6Address
_MOST_LOOKUPS, _MOST_VOID, _MOST_MX = 10, 2, 10  #: RFC 7208 4.6.4
_TERM = re.compile(r"(?P<sign>[+?~-]?)(?P<name>[a-z0-9]+)(?::(?P<domain>[^/]*))?(?P<cidr>(?:/\d{1,3}){0,2}(?://\d{1,3})?)", re.I)  # fmt: skip
_MODIFIER = re.compile(r"[a-z][\w.-]*=", re.IGNORECASE)
_RESULTS = {"+": "pass", "": "pass", "-": "fail", "~": "softfail", "?": "neutral"}


class Names(Protocol):
    """What name servers say; [] for what does not exist."""

    def texts(self, name: str) -> list[str]: ...
    def addresses(self, name: str) -> list[str]: ...
    def mail_hosts(self, name: str) -> list[str]: ...
    def pointers(self, address: str) -> list[str]: ...


class Permanent(Exception):
    """The record cannot be evaluated; the message says why."""


@dataclass(slots=True)
class _Budget:
    lookups: int = 0
    void: int = 0

    def spend(self) -> None:
        self.lookups += 1
        if self.lookups > _MOST_LOOKUPS:
            raise Permanent(f"more than {_MOST_LOOKUPS} lookups: most receivers stop there")

    def answered(self, found: Sequence[str]) -> Sequence[str]:
        self.void += not found
        if self.void > _MOST_VOID:
            raise Permanent(f"more than {_MOST_VOID} of its names do not exist")
        return found


def records_of(texts: Iterable[str]) -> list[str]:
    """The SPF records among TXT records."""
    return [text for text in texts if text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")]


def result_of(domain: str, address: str, names: Names) -> tuple[str, str]:
    """(pass, fail, softfail, neutral, none or permerror, why) for mail from `address` in the name of `domain`."""
    try:
        return _checked(domain, ip_address(address), names, _Budget()), ""
    except Permanent as error:
        return "permerror", str(error)


def with_mechanism(record: str, mechanism: str) -> str:
    """The record with one mechanism more, before whatever ends it."""
    if not record:
        return f"v=spf1 {mechanism} -all"
    terms = record.split()
    end = next((n for n, term in enumerate(terms) if term.lower().lstrip("+?~-") == "all" or "redirect=" in term.lower()), len(terms))  # fmt: skip
    return " ".join([*terms[:end], mechanism, *terms[end:]])


def _checked(domain: str, address: Address, names: Names, budget: _Budget) -> str:
    records = records_of(names.texts(domain))
    if len(records) > 1:
        raise Permanent(f"{domain} has {len(records)} SPF records: receivers use none of them")
    if not records:
        return "none"
    redirect = ""
    for term in records[0].split()[1:]:
        if _MODIFIER.match(term):
            name, _, value = term.partition("=")
            redirect = value if name.lower() == "redirect" else redirect
            continue
        found = _TERM.fullmatch(term)
        if found is None:
            raise Permanent(f"{term!r} is not a mechanism")
        if _matches(found, domain, address, names, budget):
            return _RESULTS[found["sign"]]
    if not redirect:
        return "neutral"
    budget.spend()
    answer = _checked(redirect, address, names, budget)
    if answer == "none":
        raise Permanent(f"redirect={redirect} leads to a name without SPF")
    return answer


def _matches(term: re.Match[str], domain: str, address: Address, names: Names, budget: _Budget) -> bool:
    name, target = term["name"].lower(), term["domain"] or domain
    if name == "all":
        return True
    if name in ("ip4", "ip6"):
        return _within(address, [_literal(term)], "")
    if name not in ("a", "mx", "include", "exists", "ptr"):
        raise Permanent(f"{name!r} is not a mechanism")
    if "%" in target:
        raise Permanent(f"{target!r} has a macro, which is not followed here")
    budget.spend()
    if name == "include":
        answer = _checked(target, address, names, budget)
        if answer == "none":
            raise Permanent(f"include:{target} leads to a name without SPF")
        return answer == "pass"
    if name == "exists":
        return bool(budget.answered(names.addresses(target)))
    if name == "ptr":
        return any(host == target or host.endswith("." + target) for host in names.pointers(str(address)))
    hosts = [target] if name == "a" else budget.answered(names.mail_hosts(target))[:_MOST_MX]
    return any(_within(address, budget.answered(names.addresses(host)), term["cidr"]) for host in hosts)


def _literal(term: re.Match[str]) -> str:
    text = f"{term['domain'] or ''}{term['cidr']}"
    try:
        ip_network(text, strict=False)
    except ValueError as error:
        raise Permanent(f"{term[0]!r} holds no network") from error
    return text


def _within(address: Address, networks: Iterable[str], cidr: str) -> bool:
    """`cidr` is /24, //64 or /24//64: for IPv4, for IPv6, or for both."""
    four, _, six = cidr.partition("//")
    for network in networks:
        suffix = (four if address.version == 4 else f"/{six}" if six else "") if cidr else ""
        try:
            if address in ip_network(f"{network}{suffix}", strict=False):
                return True
        except ValueError:
            continue
    return False
