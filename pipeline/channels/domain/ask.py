"""Asking: name servers through dnspython, the relay through smtplib, the readers' servers by a knock."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any

import dns.exception
import dns.resolver
import dns.reversename

from pipeline.channels.base import MailServer
from pipeline.channels.domain.checks import NotTold, Outgoing, Secrecy

PATIENCE_S = 5.0
#: Most readers are at one of them, and a closed port is closed for all three.
KNOCKED_AT = ("gmail.com", "outlook.com", "yahoo.com")
_NOTHING = (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer)


class NameServers:
    """The machine's own resolver, or the one given. Once it did not answer it is not waited for again.

    With `rooted` it must know the root of DNS first: behind a wall there are name servers that call every name missing.
    """

    def __init__(self, resolver: dns.resolver.Resolver | None = None, *, rooted: bool | None = None) -> None:
        self._resolver, self._silent = resolver, ""
        self._rooted = (resolver is None) if rooted is None else rooted

    def texts(self, name: str) -> list[str]:
        return [b"".join(row.strings).decode("utf-8", "replace") for row in self._asked(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        return [row.address for kind in ("A", "AAAA") for row in self._asked(name, kind)]

    def mail_hosts(self, name: str) -> list[str]:
        found = sorted((row.preference, row.exchange.to_text().rstrip(".")) for row in self._asked(name, "MX"))
        return [host for _, host in found]

    def pointers(self, address: str) -> list[str]:
        name = dns.reversename.from_address(address).to_text()
        return [row.target.to_text().rstrip(".") for row in self._asked(name, "PTR")]

    def _find_root(self, resolver: dns.resolver.Resolver) -> None:
        if not self._rooted:
            return
        try:
            resolver.resolve(".", "NS", lifetime=PATIENCE_S)
        except _NOTHING as error:
            raise NotTold("the name servers of this machine do not know the root of DNS") from error
        self._rooted = False

    def _asked(self, name: str, kind: str) -> Sequence[Any]:
        """Raises NotTold where no name server answered."""
        if self._silent:
            raise NotTold(self._silent)
        try:
            self._resolver = self._resolver or dns.resolver.Resolver()
            self._find_root(self._resolver)
            return list(self._resolver.resolve(name, kind, lifetime=PATIENCE_S, search=False))
        except _NOTHING:
            return []
        except NotTold as error:
            self._silent = str(error)
            raise
        except (dns.resolver.NoResolverConfiguration, dns.exception.Timeout, OSError) as error:
            self._silent = str(error) or type(error).__name__
            raise NotTold(self._silent) from error
        except (dns.exception.DNSException, UnicodeError) as error:  # one broken zone is not a broken resolver
            raise NotTold(f"{name}: {error}") from error


def secrecy_of(server: MailServer) -> Secrecy:
    """What the relay offers to somebody who checks certificates. Never raises."""
    local = _is_local(server.host)
    if server.security == "plain":
        return Secrecy(server.host, server.security, local=local)
    context = ssl.create_default_context()
    try:
        if server.security == "tls":
            with smtplib.SMTP_SSL(server.host, server.port, timeout=PATIENCE_S, context=context) as link:
                return Secrecy(server.host, server.security, version=_version(link), local=local)
        with smtplib.SMTP(server.host, server.port, timeout=PATIENCE_S) as link:
            link.starttls(context=context)
            return Secrecy(server.host, server.security, version=_version(link), local=local)
    except (OSError, smtplib.SMTPException) as error:
        return Secrecy(server.host, server.security, said=f"{type(error).__name__}: {error}", local=local)


def _version(link: smtplib.SMTP) -> str:
    line = link.sock
    return str(line.version()) if isinstance(line, ssl.SSLSocket) else ""


def outgoing_of(names: NameServers, *, port: int = 25) -> Outgoing:
    """Knock at the servers of a few great providers until one greets; nothing is sent. Never raises."""
    said, known = "none of them has a server", False
    for domain in KNOCKED_AT:
        try:
            host, place = _door_of(domain, names)
        except NotTold as error:
            said = said if known else f"names could not be looked up: {error}"
            continue
        if not place:
            continue
        known = True
        try:
            with socket.create_connection((place, port), timeout=PATIENCE_S) as link:
                greeting = link.recv(500).decode("ascii", "replace").strip()
                if greeting.startswith("220"):
                    return Outgoing(port, host=host, address=link.getsockname()[0])
                said = f"{host}: {greeting or 'it hung up'}"
        except OSError as error:
            said = f"{host}: {error}"
    return Outgoing(port, said=said, known=known)


def _door_of(domain: str, names: NameServers) -> tuple[str, str]:
    """A domain's first server and an address of it; ("", "") where it has none. Raises NotTold."""
    for host in names.mail_hosts(domain):
        for address in names.addresses(host)[:1]:
            return host, address
    return "", ""


def _is_local(host: str) -> bool:
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host == "localhost" or "." not in host


def seen_addresses(server: MailServer, names: NameServers) -> tuple[str, ...]:
    """The addresses receivers will likely see: the relay's own, where they are public. () where that is not known."""
    try:
        found = [server.host] if _is_number(server.host) else names.addresses(server.host)
    except NotTold:
        return ()
    return tuple(address for address in found if ip_address(address).is_global)


def _is_number(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
