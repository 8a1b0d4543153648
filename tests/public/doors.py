"""Every public route, made of the very urlpatterns, and what opens each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import timezone

from pipeline.articles.gates import bulletins
from pipeline.articles.models import Bulletin
from pipeline.audience.joining import confirming, limits, seals
from pipeline.audience.joining.asking import Wish, ask_to_join
from pipeline.channels import feed
from pipeline.delivery.feedback.webhooks import address_of
from pipeline.delivery.models import Transport
from pipeline.delivery.transports import sealed_settings
from pipeline.editions.models import Edition
from pipeline.engagement.tokens import Kind, mint
from pipeline.kernel.config import config
from pipeline.posts.acts import notes
from pipeline.public.urls import urlpatterns
from pipeline.ranking.models import Chart
from pipeline.ranking.rank import WINDOWS
from pipeline.sources.models import Push, Source
from pipeline.sources.pushes import owners
from tests.factories import posts
from tests.factories.provider_server import SETTINGS
from tests.public.readers.conftest import Mail

QUERY: Mapping[str, tuple[str, ...]] = {
    "join": ("topic", "lang"),
    "archive": ("page", "lang"),
    "popular": ("window", "section"),
    "websub": ("hub.mode", "hub.topic", "hub.challenge", "hub.lease_seconds"),
}


@dataclass
class Door:
    """One route: its path with {names}, and values that open it, by name."""

    path: str
    values: dict[str, list[Any]]

    @property
    def asks(self) -> tuple[str, ...]:
        """What it may read behind the question mark."""
        return next((names for start, names in QUERY.items() if self.path.startswith(f"/{start}")), ("lang",))

    def at(self, number: int = 0, **given: str) -> str:
        """Opened by the values of this number, but for those given."""
        path = self.path
        for name, values in self.values.items():
            path = path.replace(f"{{{name}}}", given.get(name, str(values[min(number, len(values) - 1)])))
        return path

    def openings(self) -> Iterator[str]:
        """Every address that opens it."""
        yield from (self.at(number) for number in range(max(map(len, self.values.values()), default=1)))


@pytest.fixture
def doors(mail: Mail, site: Source, monkeypatch: pytest.MonkeyPatch) -> list[Door]:
    """Every public route, each with what opens it."""
    monkeypatch.setattr(limits, "MOST_BARE", 10**6)
    monkeypatch.setattr(limits, "MOST_SEALED", 10**6)
    now, letter = timezone.now(), mail.delivery
    view = mint(config().keyring, kind=Kind.VIEW, origin=int(letter.send.origin_id), ordinal=letter.ordinal, link=0)
    edition = letter.send.edition
    Edition.objects.filter(id=edition.id).update(state=Edition.State.SENT, ended_at=now)
    for window in WINDOWS:
        Chart.objects.create(
            window=window,
            version="1",
            computed_at=now,
            changed_at=now,
            bodies=dict.fromkeys(("json", "rss", "html"), "x"),
        )
    hooks = [owners.open_hook(source_id=site.id, kind=kind, now=now)[0] for kind in (Push.Kind.WEBHOOK,)]
    providers = [transport(name) for name in SETTINGS]
    secret, article = config().secret_key, edition.items.filter(picked=True)[0].article
    bulletins.say(article, kind=Bulletin.Kind.CORRECTION, now=now, said="It was Tuesday.")
    opening: dict[str, list[Any]] = {
        "u": [mail.token, seals.reader_door(mail.reader.id)], "p": [mail.token, seals.reader_door(mail.reader.id)],
        "still": [seals.reader_door(mail.reader.id)], "v": [view], "w": [mail.token], "confirm": [question(mail)],
        "ping": [site.ping_token], "hooks": [hook.token for hook in hooks], "websub": [hook.token for hook in hooks],
        "esp": [address_of(row, config=config()).rpartition("/")[2] for row in providers],
        "note": [notes.token_of(article.id, secret=secret)], "posts": [feed.token_of(posts.account().id, secret=secret)],
    }  # fmt: skip
    shared = {"slug": ["morning-brief"], "edition_id": [edition.id], "provider": list(SETTINGS)}
    return [door(str(each.pattern), opening, shared) for each in urlpatterns]


def door(route: str, opening: Mapping[str, list[Any]], shared: Mapping[str, list[Any]]) -> Door:
    names = re.findall(r"<\w+:(\w+)>", route)
    values = {name: shared[name] if name in shared else opening[route.partition("/")[0]] for name in names}
    return Door("/" + re.sub(r"<\w+:(\w+)>", r"{\1}", route), values)


def transport(name: str) -> Transport:
    keys = {**SETTINGS[name], **({"webhook_key": "signing"} if name == "mailgun" else {})}
    sealed = sealed_settings(name, keys, config=config())
    return Transport.objects.create(name=name, kind="esp", provider=name, settings=sealed, created_at=timezone.now())


def question(mail: Mail) -> str:
    wish = Wish("dido@example.org", (mail.topic.id,), "page", "o", "n", "fr", "w", "v")
    made = ask_to_join(wish, now=timezone.now())
    assert made is not None
    letter = confirming.take(confirmation_id=made.id, now=timezone.now())
    assert letter is not None
    return letter.token
