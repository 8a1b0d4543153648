"""The picture of a link's card, fetched where the author has to bring it; a post never waits for it or fails by it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import replace

from pipeline.channels.base import Card, Picture
from pipeline.channels.registry import Can
from pipeline.kernel.outbound import client as outbound
from pipeline.kernel.outbound.guard import FetchError
from pipeline.kernel.outbound.http import Client

log = logging.getLogger("dateline.posts")

#: What the strictest of the networks takes (Bluesky's lexicon, `external.thumb`).
LARGEST = 1_000_000
KINDS = ("image/jpeg", "image/png", "image/webp")


def card_of(kept: Mapping[str, str], *, can: Can, client: Client | None = None) -> Card | None:
    """The card as kept with the words, with its picture where the network takes one; None where it builds its own."""
    if not kept or not can.card:
        return None
    card = Card(url=kept["url"], title=kept["title"], description=kept.get("description", ""))
    if not can.media or not kept.get("picture"):
        return card
    return replace(card, picture=_fetched(kept["picture"], alt=kept.get("alt", ""), client=client))


def _fetched(url: str, *, alt: str, client: Client | None) -> Picture | None:
    try:
        answer = (client or outbound.client()).get(url, limit_bytes=LARGEST)
    except FetchError as error:
        log.info("a card goes without its picture: %s", error)
        return None
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status != 200 or kind not in KINDS or not answer.body:
        return None
    return Picture(content=answer.body, media_type=kind, alt=alt)
