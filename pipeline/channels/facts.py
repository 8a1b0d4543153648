"""What each network allows, how it counts, and what it costs. Pure; every number has a date and a source."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from pipeline.channels import autolinks, counting
from pipeline.channels.counting import Link

_READ = date(2026, 11, 23)  #: when the sources below were last read


class UnknownNetworkError(ValueError):
    """No facts are kept for a network of this name; the message names those we know."""

    def __init__(self, name: str) -> None:
        super().__init__(f"unknown network {name!r}; known are {', '.join(sorted(NETWORKS))}")


@dataclass(frozen=True, slots=True)
class Price:
    """What one act costs, in US dollars, since `since`, as `source` says."""

    usd: Decimal
    since: date
    source: str


@dataclass(frozen=True, slots=True)
class Network:
    """The rules of one network for the words of a post.

    `limit` is in the network's own unit, `unit` its name for people. `byte_limit` (UTF-8) and `link_limit`
    (different addresses in one post) are None where there is none. `hashtags` is how many we add at most:
    the network's own limit where it has one, else what its readers put up with.
    """

    name: str
    title: str
    limit: int
    unit: str
    length: Callable[[str], int]
    links: Callable[[str], tuple[Link, ...]]
    source: str
    read_at: date = _READ
    byte_limit: int | None = None
    link_limit: int | None = None
    hashtags: int = 0
    editable: bool = False
    idempotency: str = ""  #: how a repeated request is recognised; "" where it is not
    forbidden: str = ""  #: characters that make a text invalid whatever its length


@dataclass(frozen=True, slots=True)
class Measure:
    """A text as one network counts it. `urls` are those the network itself finds; `why_not` is "" when valid."""

    length: int
    limit: int
    valid: bool
    urls: tuple[str, ...] = ()
    why_not: str = ""


NETWORKS: Mapping[str, Network] = MappingProxyType(
    {
        network.name: network
        for network in (
            Network(
                name="x",
                title="X",
                limit=280,
                unit="weighted characters",
                length=counting.weighted,
                links=lambda text: counting.links_on_x(counting.x_form(text)),
                source="docs.x.com/fundamentals/counting-characters; twitter-text config v3",
                hashtags=2,
                forbidden="\ufffe\ufeff\uffff",
            ),
            Network(
                name="mastodon",
                title="Mastodon",
                limit=500,  # the default; an instance tells its own in configuration.statuses.max_characters
                unit="characters",
                length=counting.mastodon,
                links=counting.links_on_mastodon,
                source="docs.joinmastodon.org/user/posting; status_length_validator.rb",
                hashtags=3,
                editable=True,
                idempotency="Idempotency-Key header, kept about an hour",
            ),
            Network(
                name="bluesky",
                title="Bluesky",
                limit=300,
                unit="graphemes",
                length=counting.graphemes,
                links=counting.links_with_scheme,
                source="lexicon app.bsky.feed.post",
                byte_limit=3000,
                hashtags=2,
                idempotency="record key chosen by the author, kept for ever",
            ),
            Network(
                name="threads",
                title="Threads",
                limit=500,
                unit="characters, emoji as UTF-8 bytes",
                length=counting.threads,
                links=autolinks.links,
                source="developers.facebook.com/documentation/threads/posts, 2026-04-14",
                link_limit=5,  # since 2025-12-22: THREADS_API__LINK_LIMIT_EXCEEDED
                hashtags=1,
            ),
            Network(
                name="linkedin",
                title="LinkedIn",
                limit=3000,
                # its documents say characters; its composer counts an emoji as 2, and its servers are Java's
                unit="UTF-16 units",
                length=counting.utf16_units,
                links=counting.links_with_scheme,
                source="learn.microsoft.com/linkedin Posts API (commentary)",
                hashtags=3,
                editable=True,
            ),
            Network(
                name="telegram",
                title="Telegram",
                limit=4096,
                unit="UTF-16 units",
                length=counting.utf16_units,
                links=autolinks.links,
                source="core.telegram.org/bots/api#sendmessage; TDLib MessageEntity.cpp",
                hashtags=3,
                editable=True,
            ),
            Network(
                name="discord",
                title="Discord",
                limit=2000,
                unit="code points",
                length=counting.code_points,
                links=counting.links_with_scheme,
                source="discord.com/developers (create message); discord-api-docs#1315",
                editable=True,
            ),
            Network(
                name="facebook",
                title="Facebook page",
                limit=63206,
                unit="UTF-16 units",  # unpublished: the stricter reading of "characters"
                length=counting.utf16_units,
                links=counting.links_with_scheme,
                source="developers.facebook.com/docs/graph-api (page feed)",
                hashtags=2,
                editable=True,
            ),
            Network(
                name="slack",
                title="Slack",
                limit=4000,  # 40,000 may be posted, but a message over 4,000 can no longer be corrected
                unit="UTF-16 units",
                length=counting.utf16_units,
                links=counting.links_with_scheme,
                source="docs.slack.dev chat.postMessage, chat.update",
                editable=True,
            ),
            Network(
                name="hook",
                title="Signed webhook",
                limit=10_000,  # ours: what a receiver may count on
                unit="code points",
                length=counting.code_points,
                links=counting.links_with_scheme,
                source="docs/channels.md",
                hashtags=3,
                editable=True,
                idempotency="Idempotency-Key header, kept as the receiver sees fit",
            ),
            Network(
                name="feed",
                title="Feed",
                limit=10_000,  # ours: no reader of feeds has a limit of its own
                unit="code points",
                length=counting.code_points,
                links=counting.links_with_scheme,
                source="docs/channels.md",
                hashtags=3,
                editable=True,
                idempotency="the row itself",
            ),
            Network(
                name="agora",
                title="Agora (pretend)",
                limit=500,
                unit="graphemes",
                length=counting.graphemes,
                links=counting.links_with_scheme,
                source="pipeline/demo/world/network.py",
                hashtags=2,
                idempotency="Idempotency-Key header, kept for ever",
            ),
        )
    }
)
_ALIASES = {"pretend": "agora", "twitter": "x"}

#: (network, act) -> price of one request, or of one post read. What is not here is free. X says "Interaction: Delete"
#: for 0.010 and "Content: Manage" for 0.005 without naming the routes: a deleted post is counted at the dearer.
PRICES: Mapping[tuple[str, str], Price] = MappingProxyType(
    {
        ("x", act): Price(usd=Decimal(usd), since=date(2026, 4, 20), source="docs.x.com/x-api/getting-started/pricing")
        for act, usd in (
            ("post", "0.015"),
            ("post with link", "0.200"),
            ("delete", "0.010"),
            ("read own post", "0.001"),
            ("read post", "0.005"),
            ("alt text", "0.005"),
        )
    }
)


def network_named(name: str) -> Network:
    """The facts of a network. Raises UnknownNetworkError."""
    try:
        return NETWORKS[_ALIASES.get(name, name)]
    except KeyError:
        raise UnknownNetworkError(name) from None


def measure(network: str, text: str, *, limit: int | None = None) -> Measure:
    """Length of a text by the network's own rule, and whether it would be taken.

    `limit` overrides the network's (a Mastodon instance, X Premium). Raises UnknownNetworkError, and ValueError for a
    text that is not Unicode (a lone surrogate), which no network can be sent.
    """
    facts = network_named(network)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("the text holds half of a surrogate pair and cannot be encoded")
    length, allowed = facts.length(text), facts.limit if limit is None else limit
    urls = tuple(link.url for link in facts.links(text))
    why_not = _objection(facts, text=text, length=length, limit=allowed, urls=urls)
    return Measure(length=length, limit=allowed, valid=not why_not, urls=urls, why_not=why_not)


def _objection(facts: Network, *, text: str, length: int, limit: int, urls: tuple[str, ...]) -> str:
    if not text.strip():
        return "empty"
    if length > limit:
        return f"{length:,} {facts.unit}; {facts.title} takes {limit:,}"
    if facts.byte_limit is not None and counting.utf8_bytes(text) > facts.byte_limit:
        return f"{counting.utf8_bytes(text):,} bytes; {facts.title} takes {facts.byte_limit:,}"
    if facts.link_limit is not None and len(set(urls)) > facts.link_limit:
        return f"{len(set(urls))} links; {facts.title} takes {facts.link_limit}"
    if any(character in facts.forbidden for character in text):
        return f"holds a character that {facts.title} refuses"
    return ""


def cost(network: str, text: str) -> Decimal:
    """US dollars for publishing this text: on X an address costs thirteen times a text without one."""
    facts = network_named(network)
    return price_of(facts.name, "post with link" if facts.links(text) else "post")


def price_of(network: str, act: str) -> Decimal:
    """US dollars for one act: "post", "post with link", "delete", "read own post", "read post", "alt text"."""
    price = PRICES.get((network_named(network).name, act))
    return price.usd if price else Decimal(0)
