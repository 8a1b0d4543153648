"""Which adapter serves a network, the keys it needs and what it can do: one row each, nothing else to branch on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import MappingProxyType
from typing import Any, cast

from pipeline.channels.base import Channel, Permanent


class MissingKeysError(ValueError):
    """The keys do not open an account of this network; the message names what is missing, never a value."""


@dataclass(frozen=True, slots=True)
class Can:
    """What an adapter can do beside placing and removing a post.

    `find`: the account can be read back, so a lost answer is settled without a person. `edit`: readers see the
    change. `reply`: to a post of our own; `thread`: several parts in a row. `card`: the author builds the card of a
    link. `read`: one post by its id. `refresh`: keys run out and are renewed.
    """

    find: bool = True
    edit: bool = False
    reply: bool = False
    thread: bool = False
    read: bool = False
    metrics: bool = False
    card: bool = False
    media: bool = False
    refresh: bool = False


@dataclass(frozen=True, slots=True)
class Adapter:
    """One network's adapter.

    `module` has `connect(*, keys, handle, base_url) -> Channel`; it is loaded when an account of it is first used.
    `needs` are sets of keys, any one of which opens an account; `may` are keys that are kept beside them where the
    record has them, a session's among them. The first set that is complete counts.
    """

    module: str
    needs: tuple[tuple[str, ...], ...]
    can: Can
    may: tuple[str, ...] = ()


ADAPTERS: Mapping[str, Adapter] = MappingProxyType(
    {
        "x": Adapter(
            module="pipeline.channels.social.x",
            needs=(
                ("consumer_key", "consumer_secret", "access_token", "access_token_secret"),
                ("client_id", "access_token", "refresh_token"),
            ),
            may=("client_secret", "account_id"),
            # Since 2026-02-23 X lets apps answer only who asked them, and does not say whether one's own thread counts:
            # a refused answer is Unanswerable. Its edit is for Premium accounts, half an hour, under a new id: no edit.
            can=Can(reply=True, thread=True, read=True, metrics=True, media=True, refresh=True),
        ),
        "mastodon": Adapter(
            module="pipeline.channels.social.mastodon",
            needs=(("access_token",),),
            can=Can(edit=True, reply=True, thread=True, read=True, metrics=True, media=True),
        ),
        "bluesky": Adapter(
            module="pipeline.channels.social.bluesky.account",
            needs=(("app_password",),),
            may=("identifier", "did", "access_jwt", "refresh_jwt"),
            can=Can(reply=True, thread=True, read=True, metrics=True, card=True, media=True, refresh=True),
        ),
        "linkedin": Adapter(
            module="pipeline.channels.pages.linkedin",
            needs=(
                ("access_token", "organisation", "refresh_token", "client_id", "client_secret"),
                ("access_token", "organisation"),
            ),
            may=("version",),
            can=Can(edit=True, read=True, metrics=True, card=True, media=True, refresh=True),
        ),
        "facebook": Adapter(
            module="pipeline.channels.pages.facebook",
            needs=(("access_token", "page"),),
            may=("app_secret",),
            can=Can(edit=True, read=True, metrics=True, card=True, media=True),
        ),
        "threads": Adapter(
            module="pipeline.channels.pages.threads",
            needs=(("access_token", "user"),),
            can=Can(reply=True, thread=True, read=True, metrics=True, card=True, refresh=True),
        ),
        "telegram": Adapter(
            module="pipeline.channels.pages.telegram",
            needs=(("token",),),
            may=("chat",),
            can=Can(find=False, edit=True, reply=True, card=True, media=True),
        ),
        # A webhook alone cannot look back: `find` then says so, and a person is asked.
        "discord": Adapter(
            module="pipeline.channels.pages.discord",
            needs=(("webhook", "bot_token", "channel"), ("webhook",)),
            may=("server",),
            can=Can(edit=True, read=True, metrics=True, media=True),
        ),
        "slack": Adapter(
            module="pipeline.channels.pages.slack",
            needs=(("token", "channel"), ("webhook",)),
            can=Can(edit=True, reply=True, thread=True, read=True, metrics=True),
        ),
        "hook": Adapter(
            module="pipeline.channels.pages.hook",
            needs=(("url", "secret"),),
            can=Can(edit=True, reply=True, read=True, card=True, media=True),
        ),
        "feed": Adapter(module="pipeline.channels.feed", needs=((),), can=Can(edit=True)),
        "agora": Adapter(
            module="pipeline.channels.social.fake",
            needs=(("token",),),
            can=Can(media=True),
        ),
    }
)


def adapter_of(network: str) -> Adapter:
    """The row of a network. Raises Permanent for a network without an adapter."""
    try:
        return ADAPTERS[network]
    except KeyError:
        raise Permanent(f"no adapter for {network} yet; known are {', '.join(ADAPTERS)}") from None


def connect(network: str, *, keys: Mapping[str, str], handle: str, base_url: str = "") -> Channel:
    """The adapter of one account. Raises Permanent for a network without one, or keys that cannot open it."""
    adapter = adapter_of(network)
    try:
        opened = keys_of(network, keys)
    except MissingKeysError as error:
        raise Permanent(str(error)) from error
    return cast(Channel, import_module(adapter.module).connect(keys=opened, handle=handle, base_url=base_url))


def keys_of(network: str, record: Mapping[str, Any]) -> dict[str, str]:
    """The keys of a record that this network uses, all else left out. Raises MissingKeysError, Permanent."""
    adapter = adapter_of(network)
    for needed in adapter.needs:
        if all(record.get(name) for name in needed):
            return {name: str(record[name]) for name in (*needed, *adapter.may) if record.get(name)}
    lacking = min(([name for name in needed if not record.get(name)] for needed in adapter.needs), key=len)
    raise MissingKeysError(f"an account on {network} lacks {', '.join(lacking)}")
