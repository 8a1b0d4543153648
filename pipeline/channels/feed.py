"""An account that lives in its feed alone (/posts/<token>.rss): for networks without an API, and services that read RSS."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pipeline.channels.base import Limits, Message, Published
from pipeline.kernel.signing import number_in, numbered_token

_PERSON = b"dl-posts-feed"


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Feed:  # noqa: ARG001
    """There is nothing to connect to."""
    return Feed()


class Feed:
    """What is due is posted, and the feed shows it from then on: the rows are the network."""

    network = "feed"
    limits: Limits | None = None

    def publish(self, message: Message) -> Published:
        """Nothing is sent anywhere."""
        return Published(remote_id=message.key, url=None)

    def find(self, message: Message) -> Published | None:
        """It is there as soon as its row says so."""
        return self.publish(message)

    def edit(self, remote_id: str, message: Message) -> Published:  # noqa: ARG002
        """The feed shows the newest words by itself."""
        return Published(remote_id=remote_id, url=None)

    def delete(self, remote_id: str) -> None:
        """The feed leaves out what its row calls deleted."""


def token_of(account: int, *, secret: str) -> str:
    """What stands before `.rss` in the address of an account's feed: a channel of few must not be there for all."""
    return numbered_token(account, secret=secret, person=_PERSON)


def account_of(token: str, *, secrets: Iterable[str]) -> int | None:
    """The account whose feed this is, None for a token we never gave out."""
    return number_in(token, secrets=secrets, person=_PERSON)
