"""Whose choices a link leads to: one from a mail, or one of our own letters and pages."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.audience.joining import seals
from pipeline.audience.models import Subscriber
from pipeline.engagement.tokens import Kind
from pipeline.public.letters import Letter, letter_of
from pipeline.public.readers import visitors


@dataclass(frozen=True, slots=True)
class Door:
    """One reader; `letter` where the link stood in an edition."""

    reader: Subscriber
    token: str
    letter: Letter | None = None

    @property
    def publisher(self) -> str:
        """The sender the reader knows."""
        return str(self.letter.delivery.send.edition.newsletter.from_name) if self.letter else visitors.publisher()


def door_of(token: str) -> Door | None:
    """None for what we did not sign, and for a reader whose data was erased."""
    letter = letter_of(token, kind=Kind.LEAVE)
    if letter is not None:
        reader = letter.delivery.subscriber
        return None if reader.state == Subscriber.State.ERASED else Door(reader, token, letter)
    found = Subscriber.objects.filter(id=seals.reader_of(token) or 0).exclude(state=Subscriber.State.ERASED).first()
    return Door(found, token) if found else None
