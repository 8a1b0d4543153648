"""Which addresses may join: judged by their spelling alone, so that a refusal says nothing about who is known."""

from __future__ import annotations

from pathlib import Path

import idna

from pipeline.audience.addresses import NotAnAddress, normal
from pipeline.kernel.config import config

#: Mailboxes of functions (RFC 2142, and those no person reads): nobody there can agree for a reader.
FUNCTIONS = frozenset(
    {"abuse", "admin", "administrator", "daemon", "hostmaster", "mailer-daemon", "no-reply", "noc", "noreply",
     "postmaster", "root", "security", "spam", "webmaster"}
)  # fmt: skip
#: The best known places that give an address away for minutes. An operator's own list adds to them.
THROWAWAY = frozenset(
    {"10minutemail.com", "discard.email", "dispostable.com", "fakeinbox.com", "getnada.com", "guerrillamail.com",
     "guerrillamail.info", "guerrillamail.net", "guerrillamail.org", "mailcatch.com", "maildrop.cc", "mailinator.com",
     "mailnesia.com", "mintemail.com", "mohmal.com", "sharklasers.com", "spambox.us", "temp-mail.org", "tempmail.com",
     "tempr.email", "throwawaymail.com", "trashmail.com", "trashmail.de", "yopmail.com", "yopmail.fr"}
)  # fmt: skip
OWN_LIST = "refused-domains.txt"


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
    """Subdomains of a listed domain are listed."""
    labels = idna.encode(domain, uts46=True).decode("ascii").split(".")
    listed = THROWAWAY | own_list(config().data_dir)
    return any(".".join(labels[at:]) in listed for at in range(len(labels) - 1))


def own_list(data_dir: Path) -> frozenset[str]:
    """The operator's domains, one a line, `#` before a remark; read again each time, for it is short and may change."""
    try:
        lines = (data_dir / OWN_LIST).read_text(encoding="utf-8").splitlines()
    except OSError:
        return frozenset()
    return frozenset(filter(None, (line.partition("#")[0].strip().lower() for line in lines)))
