"""What a sending domain should look like against what it does: one row for each thing a receiver looks at. Pure.

Gmail, Yahoo and Microsoft ask bulk senders for all of it: SPF, DKIM, DMARC with alignment, reverse names, TLS and
unsubscribing with one click.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address

from pipeline.channels.domain.records import Policy, policy_of, public_key
from pipeline.channels.domain.spf import Names, records_of, result_of, with_mechanism

OK, LOOK, BAD, UNKNOWN = "ok", "look", "bad", "unknown"
_LONGEST_STRING = 255  #: of one character-string in a TXT record (RFC 1035 3.3)


class NotTold(Exception):
    """The name servers could not be asked; the message says why. Not the same as a name that does not exist."""


@dataclass(frozen=True, slots=True)
class Row:
    """One thing looked at. `record` is what to publish, ready to be copied; `mend` what to do besides."""

    what: str
    level: str
    expected: str
    found: str
    mend: str = ""
    record: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How we send: the From domain, the domain bounces come back to, and by what road.

    `addresses` are those receivers will see, [] where they are not known; `include` a provider's SPF name.
    `keys` are (selector, record) of each DKIM key of ours, none where somebody else signs for us.
    """

    domain: str
    bounce_domain: str
    site_url: str
    addresses: tuple[str, ...] = ()
    include: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    signs_as: str = ""
    tls: Secrecy | None = None
    outgoing: Outgoing | None = None


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Whether the readers' own servers can be reached: `host` greeted, or `said` is what went wrong.

    `address` is ours as that connection had it; with `known` False nobody could say where those servers are.
    """

    port: int
    host: str = ""
    address: str = ""
    said: str = ""
    known: bool = True


@dataclass(frozen=True, slots=True)
class Secrecy:
    """What a relay offers. `security` is what our setting asks for; `said` what went wrong, "" where nothing did."""

    host: str
    security: str
    version: str = ""
    said: str = ""
    local: bool = False


def rows(wanted: Wanted, names: Names) -> list[Row]:
    """Every row; a name that could not be looked up makes its own row unknown and no other."""
    checks: tuple[tuple[str, Callable[[Wanted, Names], Iterator[Row]]], ...] = (
        ("SPF", _spf), ("DKIM", _dkim), ("DMARC", _dmarc), ("reverse name", _reverse), ("MX", _mx), ("TLS", _tls),
        ("outgoing port", _outgoing), ("one click", _one_click),
    )  # fmt: skip
    found: list[Row] = []
    for what, check in checks:
        try:
            found += check(wanted, names)
        except NotTold as error:
            found.append(Row(what, UNKNOWN, "an answer from DNS", f"names could not be looked up: {error}"))
    return found


def _spf(wanted: Wanted, names: Names) -> Iterator[Row]:
    domain, mechanism = wanted.bounce_domain, _mechanism(wanted)
    records = records_of(names.texts(domain))
    if len(records) != 1:
        found = f"{len(records)} SPF records at {domain}" if records else f"no SPF record at {domain}"
        mend = "keep one: receivers use none of several" if records else ""
        yield Row("SPF", BAD, "exactly one record", found, mend, _txt(domain, with_mechanism("", mechanism or "mx")))
        return
    wished = _txt(domain, with_mechanism(records[0], mechanism)) if mechanism else ""
    if wanted.include and f"include:{wanted.include}" not in records[0].lower():
        yield Row("SPF", BAD, f"include:{wanted.include}", records[0], record=wished)
        return
    if not wanted.addresses:
        mend = "" if wanted.include else "the address receivers will see is not known here: ask whoever runs the relay"
        yield Row("SPF", OK if wanted.include else LOOK, "a record that names where we send from", records[0], mend)
        return
    for address in wanted.addresses:
        result, why = result_of(domain, address, names)
        found = f"{result} for {address}{': ' + why if why else ''} ({records[0]})"
        level = OK if result == "pass" else BAD if result == "permerror" else LOOK
        mend = "" if result == "pass" else "if the relay sends from other addresses, name those"
        yield Row("SPF", level, f"pass for {address}", found, mend, "" if result == "pass" else wished)


def _mechanism(wanted: Wanted) -> str:
    if wanted.include:
        return f"include:{wanted.include}"
    return " ".join(f"ip{ip_address(address).version}:{address}" for address in wanted.addresses)


def _dkim(wanted: Wanted, names: Names) -> Iterator[Row]:
    domain = wanted.signs_as or wanted.domain
    if not wanted.keys:
        mend = "let the relay or the provider sign, or set DATELINE_DKIM_KEY and DATELINE_DKIM_SELECTOR"
        yield Row("DKIM", LOOK, "every mail signed by its From domain", "Dateline signs nothing", mend)
    for selector, record in wanted.keys:
        name = f"{selector}._domainkey.{domain}"
        yield _key_row(name, record, names.texts(name))


def _key_row(name: str, record: str, texts: list[str]) -> Row:
    ours, wished = public_key(record), _txt(name, record)
    what = f"DKIM {name.partition('._domainkey')[0]}"
    if not texts:
        return Row(what, BAD, f"the public half of our key at {name}", "no record", record=wished)
    theirs = public_key(texts[0])
    if theirs.value != ours.value:
        found = theirs.problem or "another key: what we sign, nobody can verify"
        return Row(what, BAD, f"the public half of our key at {name}", found, record=wished)
    if len(texts) > 1:
        return Row(what, BAD, "one record", f"{len(texts)} records at {name}", "delete the others", wished)
    level = LOOK if theirs.problem else OK
    return Row(what, level, "a key of 2048 bits", theirs.problem or f"{theirs.algorithm}, {theirs.bits} bits")


def _dmarc(wanted: Wanted, names: Names) -> Iterator[Row]:
    policy = policy_of(wanted.domain, names.texts)
    if policy is None:
        record = _txt(f"_dmarc.{wanted.domain}", f"v=DMARC1; p=none; rua=mailto:dmarc@{wanted.domain}")
        yield Row("DMARC", BAD, "a policy, p=none at least", f"none at {wanted.domain} or above it", record=record)
        return
    known = policy.asks in ("none", "quarantine", "reject")
    found = f"{policy.asks} by _dmarc.{policy.at} ({policy.record})"
    yield Row("DMARC", OK if known else BAD, "p=none, quarantine or reject", found)
    yield _alignment(wanted, policy)


def _alignment(wanted: Wanted, policy: Policy) -> Row:
    signer = wanted.signs_as or wanted.domain
    by_spf = policy.aligned(wanted.bounce_domain, of=wanted.domain, strictly="aspf")
    by_dkim = bool(wanted.keys) and policy.aligned(signer, of=wanted.domain, strictly="adkim")
    found = ", ".join(
        f"{name} {'is' if fits else 'is not'} aligned ({domain})"
        for name, fits, domain in (("SPF", by_spf, wanted.bounce_domain), ("DKIM", by_dkim, signer))
    )
    mend = "" if by_spf else f"set DATELINE_BOUNCE_DOMAIN to a name below {policy.organisation}"
    level = OK if by_spf and by_dkim else LOOK if by_spf or by_dkim or not wanted.keys else BAD
    return Row("alignment", level, f"SPF and DKIM for {policy.organisation}", found, mend)


def _reverse(wanted: Wanted, names: Names) -> Iterator[Row]:
    if wanted.include:
        return
    if not wanted.addresses:
        yield Row("reverse name", UNKNOWN, "a name that leads back", "the address receivers will see is not known here")
    for address in wanted.addresses:
        pointers = names.pointers(address)
        back = [name for name in pointers if address in names.addresses(name)]
        if back:
            yield Row("reverse name", OK, "a name that leads back", f"{address} is {back[0]}")
            continue
        found = f"{address} is {', '.join(pointers)}, which leads elsewhere" if pointers else f"{address} has no name"
        record = f"{ip_address(address).reverse_pointer}. IN PTR mail.{wanted.domain}."
        mend = f"the owner of the address sets it; mail.{wanted.domain} must lead to {address}"
        yield Row("reverse name", BAD, "a name that leads back", found, mend, record)


def _mx(wanted: Wanted, names: Names) -> Iterator[Row]:
    yield _mx_row("MX of bounces", wanted.bounce_domain, names, without=BAD)
    if wanted.domain != wanted.bounce_domain:
        yield _mx_row("MX of the From domain", wanted.domain, names, without=LOOK)


def _mx_row(what: str, domain: str, names: Names, *, without: str) -> Row:
    hosts = names.mail_hosts(domain)
    record = f"{domain}. IN MX 10 mail.{domain}."
    if hosts in ([""], ["."]):
        return Row(what, BAD, "a server that takes mail", f"{domain} says it takes no mail (null MX)", record=record)
    if not hosts:
        return Row(what, without, "a server that takes mail", f"no MX at {domain}", record=record)
    alive = [host for host in hosts if names.addresses(host)]
    if not alive:
        return Row(what, BAD, "a server that takes mail", f"{', '.join(hosts)} has no address")
    return Row(what, OK, "a server that takes mail", ", ".join(alive))


def _tls(wanted: Wanted, _: Names) -> Iterator[Row]:
    relay = wanted.tls
    if relay is None:
        return
    if relay.said:
        yield Row("TLS", UNKNOWN if relay.local else BAD, f"{relay.host} over TLS", relay.said)
    elif relay.version:
        yield Row("TLS", OK, f"{relay.host} over TLS", relay.version)
    else:
        mend = "" if relay.local else "use smtp+starttls:// or smtps:// in DATELINE_SMTP_URL"
        yield Row("TLS", OK if relay.local else BAD, f"{relay.host} over TLS", "plain text", mend)


def _outgoing(wanted: Wanted, _: Names) -> Iterator[Row]:
    """Only where mail leaves straight for the readers' servers: most hosters keep that port closed until asked."""
    if (tried := wanted.outgoing) is None:
        return
    level = OK if tried.host else BAD if tried.known else UNKNOWN
    mend = "ask your hoster to open it, or send through a relay or a provider" if level == BAD else ""
    found = f"{tried.host} greets" if tried.host else tried.said
    yield Row("outgoing port", level, f"readers' servers answer on port {tried.port}", found, mend)


def _one_click(wanted: Wanted, _: Names) -> Iterator[Row]:
    https = wanted.site_url.startswith("https://")
    mend = "" if https else "RFC 8058 asks for https: set DATELINE_SITE_URL to where readers reach you"
    expected = "List-Unsubscribe with an https address, and List-Unsubscribe-Post"
    yield Row("one click", OK if https else BAD, expected, f"{wanted.site_url}/u/...", mend)


def _txt(name: str, value: str) -> str:
    """A TXT record as a zone file has it: long ones in strings of 255."""
    parts = [value[at : at + _LONGEST_STRING] for at in range(0, len(value), _LONGEST_STRING)]
    quoted = " ".join(f'"{part}"' for part in parts)
    return f"{name}. IN TXT {quoted}"


def as_text(found: list[Row]) -> str:
    """The records to publish, one a line, ready to be copied into a zone."""
    return "\n".join(dict.fromkeys(row.record for row in found if row.record and row.level in (BAD, LOOK)))
