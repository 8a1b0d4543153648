"""Everything about a mail that is not its content: server, headers, envelope, each reader's tokens."""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import idna

from pipeline.channels.base import MailServer
from pipeline.delivery.message.choices import MOST_COHORTS, Choice, Chosen
from pipeline.delivery.message.merge import EditionHeaders, Program, ReaderValues, compile_program
from pipeline.delivery.message.renderings import frozen, without
from pipeline.delivery.message.straight import as_recorded
from pipeline.editions.models import Edition, Newsletter
from pipeline.editions.rendered import Doors
from pipeline.engagement.models import Mode
from pipeline.engagement.tokens import UNRECORDED, Kind, Minter
from pipeline.kernel.config import Config

DEFAULT_PORTS = {"smtp": 25, "smtp+starttls": 587, "smtps": 465}
#: Nobody's copy differs.
AS_IT_IS = Chosen()
SECURITY = {"smtp": "plain", "smtp+starttls": "starttls", "smtps": "tls"}


class NoMailServer(Exception):
    """No mail server is set; the message says how to set one."""


def server(config: Config) -> MailServer:
    """The relay named by DATELINE_SMTP_URL. Raises NoMailServer."""
    if not config.smtp_url:
        raise NoMailServer(
            "no mail server: set DATELINE_SMTP_URL, for example smtp+starttls://user:password@mail.example.org:587"
        )
    return server_at(config.smtp_url)


def server_at(url: str) -> MailServer:
    """The mail server of an address like DATELINE_SMTP_URL. Raises KeyError for a scheme that is none of those."""
    parts = urlsplit(url)
    return MailServer(
        host=parts.hostname or "localhost",
        port=parts.port or DEFAULT_PORTS[parts.scheme],
        security=SECURITY[parts.scheme],
        username=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )


@lru_cache(maxsize=8)
def _keyed(secret: str, purpose: bytes) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=purpose).digest()


def message_id(*, secret: str, origin: int, ordinal: int, domain: str) -> str:
    """Stable across retries and not guessable: a predictable one would let a stranger suppress our mail."""
    digest = hmac.digest(_keyed(secret, b"dl-message-id"), b"%d|%d" % (origin, ordinal), "sha256")
    return f"<{digest[:15].hex()}@{domain}>"


def envelope_sender(*, secret: str, origin: int, ordinal: int, domain: str) -> str:
    """VERP: a bounce names its delivery, and a MAC keeps strangers from forging bounces."""
    body = f"{origin:x}.{ordinal:x}"
    return f"b+{body}.{_verp_mac(body, secret=secret)}@{domain}"


def _verp_mac(body: str, *, secret: str) -> str:
    return hmac.digest(_keyed(secret, b"dl-verp"), body.encode(), "sha256")[:6].hex()


def read_envelope_sender(address: str, *, secrets: Iterable[str]) -> tuple[int, int] | None:
    """(origin, ordinal) of a bounce address of ours; None if it is not, or was tampered with."""
    local = address.partition("@")[0]
    body, _, mac = local.removeprefix("b+").rpartition(".")
    origin, _, ordinal = body.partition(".")
    signed = [_verp_mac(body, secret=secret).encode() for secret in secrets]
    if not local.startswith("b+") or not any(hmac.compare_digest(mac.encode(), expected) for expected in signed):
        return None
    return int(origin, 16), int(ordinal, 16)


Compose = Callable[[int, str], tuple[str, bytes]]  #: (ordinal, address) -> (envelope sender, message)


def composer(edition: Edition, *, config: Config, now: datetime, chosen: Chosen = AS_IT_IS) -> Compose:
    """The function that makes each reader's message of a frozen edition, as each chose.

    It raises UnusableReader for a bad address.
    """
    program_of = _programs(edition, config=config, now=now)
    origin, secret = int(edition.origin_id or 0), config.secret_key
    domain = domain_of(edition.newsletter.from_address)
    values = reader_values(edition, config=config, unrecorded=chosen.unrecorded)

    def compose(ordinal: int, address: str) -> tuple[str, bytes]:
        sender = envelope_sender(secret=secret, origin=origin, ordinal=ordinal, domain=config.bounce_domain)
        identity = message_id(secret=secret, origin=origin, ordinal=ordinal, domain=domain)
        program = program_of(chosen.copies.get(ordinal))
        return sender, program.message(values(ordinal, wire_address(address), identity))

    return compose


def reader_values(
    edition: Edition, *, config: Config, unrecorded: Collection[int]
) -> Callable[[int, str, str], ReaderValues]:
    """The function that mints one reader's tokens: (ordinal, address, message id) -> values.

    Where a reader (`unrecorded`, by ordinal) wants nothing recorded, links and picture have the address that all such
    readers share: the message is compiled once for all. Everywhere else they are the reader's own, also where clicks
    are only counted: a person counts once, and a scanner shows itself by what it does to one letter; whose it was is
    forgotten when the day after next begins. A newsletter that records nothing has neither in its mail (`straight`).
    The way out and the web view are the reader's own in any case: they are the reader's doors.
    """
    keyring, origin = config.keyring, int(edition.origin_id or 0)
    minters = {kind: Minter(keyring, kind=kind, origin=origin) for kind in Kind}
    numbers = range(len(edition.rendering.links))
    is_off = edition.newsletter.tracking == Mode.OFF
    shared = minters[Kind.CLICK].mint_row(UNRECORDED, numbers), minters[Kind.OPEN](UNRECORDED, 0).encode()

    def values(ordinal: int, address: str, identity: str) -> ReaderValues:
        if is_off or ordinal in unrecorded:
            tokens, open_token = shared
        else:
            tokens = minters[Kind.CLICK].mint_row(ordinal, numbers)
            open_token = minters[Kind.OPEN](ordinal, 0).encode()
        return ReaderValues(
            address=address,
            tokens=tokens,
            open_token=open_token,
            leave_token=minters[Kind.LEAVE](ordinal, 0).encode(),
            view_token=minters[Kind.VIEW](ordinal, 0).encode(),
            message_id=identity,
        )

    return values


def doors(config: Config) -> Doors:
    """Where readers' addresses begin."""
    return Doors.at(track=config.track_url, public=config.site_url)


def domain_of(address: str) -> str:
    """The part behind the last @, as DNS writes it."""
    return idna.encode(address.rpartition("@")[2], uts46=True).decode("ascii")


def wire_address(address: str) -> str:
    """An address as the envelope carries it: the domain in A-labels (RFC 5890)."""
    if address.isascii():
        return address
    local, _, domain = address.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode('ascii')}"


def _programs(edition: Edition, *, config: Config, now: datetime) -> Callable[[Choice | None], Program]:
    """The program of each choice: compiled once for every set of stories left out, arranged for every order."""
    headers = _headers(edition.newsletter, config=config, now=now)
    base = compile_program(as_recorded(frozen(edition), edition.newsletter), headers=headers)
    shorter: dict[frozenset[int], Program] = {frozenset(): base}

    def program_of(choice: Choice | None) -> Program:
        if choice is None:
            return base
        if choice.left_out not in shorter:
            shorter[choice.left_out] = _shorter(edition, choice.left_out, headers=headers)
        program = shorter[choice.left_out]
        return program if choice.blocks is None else program.arranged(choice.blocks)

    return program_of


_NO_DATE = datetime.fromtimestamp(0, UTC)
#: Kept from batch to batch, the latest used: some 200 kB each.
_COMPILED: OrderedDict[tuple[int, int, str, frozenset[int], EditionHeaders], Program] = OrderedDict()


def _shorter(edition: Edition, left_out: frozenset[int], *, headers: EditionHeaders) -> Program:
    newsletter = edition.newsletter
    key = (edition.id, edition.rendering.revision, newsletter.tracking, left_out, replace(headers, date=_NO_DATE))
    if key not in _COMPILED:
        _COMPILED[key] = compile_program(as_recorded(without(edition, left_out), newsletter), headers=headers)
    _COMPILED.move_to_end(key)
    while len(_COMPILED) > MOST_COHORTS:
        _COMPILED.popitem(last=False)
    return _COMPILED[key].at(headers.date)


def _headers(newsletter: Newsletter, *, config: Config, now: datetime) -> EditionHeaders:
    domain = domain_of(newsletter.from_address)
    return EditionHeaders(
        sender_name=newsletter.from_name,
        sender=wire_address(newsletter.from_address),
        doors=doors(config),
        date=now,
        reply_to=wire_address(newsletter.reply_to),
        list_name=newsletter.name,
        list_id=f"{newsletter.slug}.{domain}",
        leave_mailbox=f"leave@{config.bounce_domain}",
        archive_url=f"{config.site_url}/archive/{newsletter.slug}/" if newsletter.is_archived else "",
        feedback_id=f"{newsletter.slug}:digest:dateline",
    )
