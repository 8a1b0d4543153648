"""Which addresses may join: judged by their spelling alone, so that a refusal says nothing about who is known."""

from __future__ import annotations

from pathlib import Path

import idna
from disposable_email_domains import blocklist

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.kernel.config import config

#: Mailboxes of functions (RFC 2142, and those no person reads): nobody there can agree for a reader.
FUNCTIONS = frozenset(
    {"abuse", "admin", "administrator", "daemon", "hostmaster", "mailer-daemon", "no-reply", "noc", "noreply",
     "postmaster", "root", "security", "spam", "webmaster"}
)  # fmt: skip
OWN_LIST = "refused-domains.txt"
ALLOWED = "!"  #: before a domain of the own list that may join all the same


class Unwelcome(ValueError):
    """An address that cannot join; `code` is one of address, role, throwaway."""

    def __init__(self, code: str, *, domain: str = "") -> None:
        super().__init__(f"{code} {domain}".strip())
        self.code, self.domain = code, domain


def usable(address: str) -> str:
    """The normal spelling of an address that may join. Raises Unwelcome."""
    try:
        spelled = normal(address[:320])
    except NotAnAddress as error:
        raise Unwelcome("address") from error
    local, _, domain = spelled.rpartition("@")
    if local.partition("+")[0] in FUNCTIONS:
        raise Unwelcome("role", domain=domain)
    if _is_throwaway(domain):
        raise Unwelcome("throwaway", domain=domain)
    return spelled


def _is_throwaway(domain: str) -> bool:
    """Subdomains of a listed domain are listed; the longest name that is listed anywhere decides."""
    labels = _travels(domain).split(".")
    own = own_list(config().data_dir)
    for name in (".".join(labels[at:]) for at in range(len(labels) - 1)):
        if f"{ALLOWED}{name}" in own:
            return False
        if name in own or name in blocklist:
            return True
    return False


def own_list(data_dir: Path) -> frozenset[str]:
    """The operator's domains, one a line, `#` before a remark and `!` before one that may join; read again each time, for it
    is short and may change.
    """
    try:
        lines = (data_dir / OWN_LIST).read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    names = (line.partition("#")[0].strip().lower() for line in lines)
    return frozenset(
        f"{ALLOWED if name[0] == ALLOWED else ''}{_travels(name.lstrip(ALLOWED))}" for name in names if name
    )


def _travels(domain: str) -> str:
    """As DNS writes it; what is no domain stays as it is, and is nobody's."""
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        return domain
