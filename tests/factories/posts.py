"""Social accounts and their posts, and a network in memory that does what it is told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.articles.models import Article
from pipeline.channels.base import Keys, Limits, Message, Metrics, Permanent, Published
from pipeline.posts.models import Account, Post, Variant

NOW = datetime(2026, 4, 19, 4, 12, tzinfo=UTC)


def account(*, network: str = "agora", handle: str = "@dispatch", now: datetime = NOW, **fields: Any) -> Account:
    """An active account without credentials."""
    return Account.objects.create(network=network, handle=handle, **{"created_at": now - timedelta(days=30), **fields})


def post(*, article: Article, account: Account, text: str = "", now: datetime = NOW, **fields: Any) -> Post:
    """A post with its chosen words: the headline where no others are given."""
    made = Post.objects.create(article=article, account=account, **{"due_at": now, "created_at": now, **fields})
    words = text or article.headline
    Variant.objects.create(post=made, text=words, length=len(words), chosen=True)
    return made


@dataclass
class Live:
    """One post as readers see it."""

    id: str
    text: str
    marker: str
    reply_to: str = ""


class Network:
    """Somebody else's network, in memory. Errors in `faults` are raised by the next writes, one each; one in `lost`
    is raised after the write was done, as when the answer does not come."""

    network = "agora"

    def __init__(self) -> None:
        self.limits: Limits | None = None
        self.live: list[Live] = []
        self.asked: list[str] = []
        self.faults: list[Exception | None] = []
        self.lost: list[Exception | None] = []
        self.counts = Metrics(likes=3, reposts=1, replies=0)
        self.unreadable = False
        self._number = 0

    def publish(self, message: Message) -> Published:
        self._before("publish")
        self._number += 1
        self.live.append(Live(f"p{self._number}", message.text, message.marker, message.reply_to))
        self._after()
        return Published(self.live[-1].id, f"https://agora.example/{self.live[-1].id}")

    def find(self, message: Message) -> Published | None:
        self.asked.append("find")
        if self.unreadable:
            raise Permanent("this network cannot be read back")
        found = [one for one in self.live if one.marker == message.marker]
        return Published(found[0].id, None) if found else None

    def delete(self, remote_id: str) -> None:
        self._before(f"delete {remote_id}")
        self.live = [one for one in self.live if one.id != remote_id]
        self._after()

    def edit(self, remote_id: str, message: Message) -> Published:
        self._before(f"edit {remote_id}")
        [one] = [one for one in self.live if one.id == remote_id]
        one.text = message.text
        self._after()
        return Published(remote_id, None)

    def read(self, remote_id: str) -> str | None:
        self.asked.append(f"read {remote_id}")
        return next((one.text for one in self.live if one.id == remote_id), None)

    def metrics(self, remote_ids: Sequence[str]) -> dict[str, Metrics]:
        self.asked.append(f"metrics {len(remote_ids)}")
        return {one.id: self.counts for one in self.live if one.id in remote_ids}

    def _before(self, what: str) -> None:
        self.asked.append(what)
        if self.faults and (fault := self.faults.pop(0)):
            raise fault

    def _after(self) -> None:
        if self.lost and (fault := self.lost.pop(0)):
            raise fault


class Renewing(Network):
    """A network whose token runs out; `keys` are what a refresh gives, or the error it raises."""

    def __init__(self, keys: Keys | Exception) -> None:
        super().__init__()
        self._keys = keys

    def refresh(self) -> Keys:
        self.asked.append("refresh")
        if isinstance(self._keys, Exception):
            raise self._keys
        return self._keys
