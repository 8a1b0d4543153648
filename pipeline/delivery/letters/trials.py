"""One letter to an editor: the whole way of an edition, from design to final dot, with the server's own answer.

It takes the way out a batch would take, signed as a batch is, and leaves no delivery behind. Its links lead straight to
the stories and count nothing; its ways to leave open nobody's door.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import uuid4

from pipeline.channels.base import Envelope, Outcome, Permanent, Receipt, Temporary
from pipeline.channels.mail.dkim import Signer, UnusableKey, keys
from pipeline.delivery import paces, transports
from pipeline.delivery.course import brake
from pipeline.delivery.message import mail
from pipeline.delivery.message.headers import EditionHeaders
from pipeline.delivery.message.merge import UnusableHeader, UnusableReader, compile_program
from pipeline.delivery.message.straight import straight
from pipeline.editions.assemble import rendering_of
from pipeline.editions.content import EditionContent
from pipeline.editions.models import Newsletter
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import LinkTable, sample_reader
from pipeline.kernel.config import Config

STOPPED = "Sending is stopped by a person, and a test is mail like any other. Let go of the brake first."


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a letter: `said` is the server's answer, or ours where none was asked; `way` is "" for the relay."""

    taken: bool
    said: str
    way: str = ""
    stories: int = 0


class _Unwritten:
    """A journal for one letter: nobody comes after us to read it."""

    def dot(self, key: int) -> None:
        pass

    def answer(self, receipt: Receipt) -> None:
        pass


def send(newsletter: Newsletter, content: EditionContent, *, address: str, config: Config, now: datetime) -> Told:
    """Hand this edition to one address, now. Never raises for what a server, a design or a setting says."""
    if brake.is_pulled():
        return Told(False, STOPPED)
    stories, way = len(content.stories()), None
    try:
        data = _signed(_written(newsletter, content, address=address, config=config, now=now), newsletter, config, now)
        ways = transports.exits(config=config)
        way = transports.chosen(ways, began_on=None, in_doubt=False, asked="", now=now)
        if way is None:
            return Told(False, "There is no way out for mail yet. Name a relay first.")
        receipt = _handed_over(way, data, newsletter, address=address, config=config)
    except (UnusableTemplate, UnusableHeader, UnusableReader, UnusableKey, mail.NoMailServer) as error:
        return Told(False, f"The letter could not be written: {error}.")
    except (Temporary, Permanent) as error:
        return Told(False, f"No server took it: {error}.", way or "", stories)
    return Told(receipt.outcome is Outcome.ACCEPTED, _words(receipt), way, stories)


def _written(newsletter: Newsletter, content: EditionContent, *, address: str, config: Config, now: datetime) -> bytes:
    rendered = straight(rendering_of(newsletter, content, origin_links=LinkTable()))
    domain = mail.domain_of(newsletter.from_address)
    headers = EditionHeaders(
        sender_name=newsletter.from_name, sender=mail.wire_address(newsletter.from_address), doors=mail.doors(config),
        date=now,
    )  # fmt: skip
    reader = replace(
        sample_reader(rendered), address=mail.wire_address(address), message_id=f"<{uuid4().hex}@{domain}>"
    )
    return compile_program(rendered, headers=headers).message(reader)


def _signed(message: bytes, newsletter: Newsletter, config: Config, now: datetime) -> bytes:
    if not config.dkim_key:
        return message
    found = keys(config.dkim_key, selectors=config.dkim_selector)
    domain = config.dkim_domain or mail.domain_of(newsletter.from_address)
    return Signer(found, domain=domain, now=now).sign(message)


def _handed_over(way: str, data: bytes, newsletter: Newsletter, *, address: str, config: Config) -> Receipt:
    name = mail.domain_of(newsletter.from_address)
    channel = transports.channel_for(way, config=config, client_name=name)
    wire = mail.wire_address(address)
    paces.prepare(channel, (wire,))
    sender = mail.envelope_sender(secret=config.secret_key, origin=0, ordinal=0, domain=config.bounce_domain)
    answers: list[Receipt] = []
    envelope = Envelope(key=0, sender=sender, recipient=wire, data=data, seven_bit=True)
    channel.submit([envelope], journal=_Unwritten(), record=answers.append, stopping=lambda: False)
    return answers[0] if answers else Receipt(0, Outcome.UNSENT)


def _words(receipt: Receipt) -> str:
    told = " ".join(part for part in (str(receipt.code or ""), receipt.enhanced, receipt.text) if part)
    if receipt.outcome is Outcome.ACCEPTED:
        return f"The server took it: {told}" if told else "The server took it."
    if receipt.outcome is Outcome.UNKNOWN:
        return f"The connection broke after the last word: it may have arrived. {told}".strip()
    return f"The server did not take it: {told or 'it gave no answer'}"
