"""A post as Bluesky stores it: a record, and a name of our own choice that stays the same. Pure.

The same message gives the same name and the same bytes, so that a retry can only ever meet itself.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from pipeline.channels.base import Card, Message
from pipeline.channels.social.bluesky.facets import Facet

COLLECTION = "app.bsky.feed.post"
_SORTABLE = "234567abcdefghijklmnopqrstuvwxyz"
_FEATURES = {"link": "uri", "tag": "tag", "mention": "did"}


def tid(created_at: datetime, *, key: str) -> str:
    """A record's name: a TID of that second whose microseconds and clock id come from the key.

    Posts planned in one second share nothing but the second: with 30 bits of the key, thirty of them meet once in
    two million times, and then are not overwritten (`account.Bluesky.publish`). atproto.com/specs/tid.
    """
    drawn = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8])
    micros = int(created_at.timestamp()) * 1_000_000 + drawn % 1_000_000
    number = (micros & (1 << 53) - 1) << 10 | drawn // 1_000_000 % 1024
    return "".join(_SORTABLE[number >> shift & 31] for shift in range(60, -1, -5))


def record(
    message: Message,
    *,
    created_at: datetime,
    facets: Sequence[Facet],
    embed: Mapping[str, Any] | None,
    reply: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """The record of a message. Facets of mentions hold a DID by now; `embed` and `reply` are as the lexicon has them."""
    optional = {"facets": [_facet(facet) for facet in facets], "embed": embed, "reply": reply}
    return {
        "$type": COLLECTION,
        "text": message.text,
        "createdAt": created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "langs": [message.language],
        **{name: value for name, value in optional.items() if value},
    }


def _facet(facet: Facet) -> dict[str, Any]:
    return {
        "index": {"byteStart": facet.start, "byteEnd": facet.end},
        "features": [{"$type": f"app.bsky.richtext.facet#{facet.kind}", _FEATURES[facet.kind]: facet.value}],
    }


def card_embed(card: Card, *, thumb: Mapping[str, Any] | None) -> dict[str, Any]:
    """The card below a post; nobody draws it for us. `thumb` is an uploaded blob of at most 1,000,000 bytes."""
    external = {"uri": card.url, "title": card.title, "description": card.description}
    return {"$type": "app.bsky.embed.external", "external": {**external, **({"thumb": thumb} if thumb else {})}}


def picture_embed(pictures: Sequence[tuple[str, Mapping[str, Any]]]) -> dict[str, Any]:
    """Pictures as (alt text, uploaded blob)."""
    return {"$type": "app.bsky.embed.images", "images": [{"alt": alt, "image": blob} for alt, blob in pictures]}


def reply_refs(parent: Mapping[str, Any]) -> dict[str, Any]:
    """Root and parent for an answer to a post, given as getRecord gives it (uri, cid, value)."""
    ref = {"uri": parent["uri"], "cid": parent["cid"]}
    above = (parent.get("value") or {}).get("reply") or {}
    return {"root": above.get("root") or ref, "parent": ref}


def carries(value: Mapping[str, Any], marker: str) -> bool:
    """Whether the marker stands, whole, in the words, the links or the card of a record."""
    places = [str(value.get("text", ""))]
    places += re.findall(r'"uri": "([^"]*)"', json.dumps([value.get("facets"), value.get("embed")], ensure_ascii=False))
    whole = re.compile(rf"{re.escape(marker)}(?![\w-])")
    return any(whole.search(place) for place in places)


def encoded(body: Mapping[str, Any]) -> bytes:
    """The bytes of a body, the same for the same body; None stays null."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def address(uri: str) -> str:
    """Where a person can open the post at://did/app.bsky.feed.post/rkey."""
    did, _, rkey = uri.removeprefix("at://").partition(f"/{COLLECTION}/")
    return f"https://bsky.app/profile/{did}/post/{rkey}"
