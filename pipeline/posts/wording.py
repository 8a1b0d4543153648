"""The words of a post: made from its article, kept as variants, made again when the article says something else."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from pipeline.articles.models import Article
from pipeline.channels import facts
from pipeline.channels.registry import ADAPTERS, Can
from pipeline.engagement.models import Link, Origin
from pipeline.engagement.tokens import NOBODY, Kind, Minter
from pipeline.kernel.config import TEMPLATES, config
from pipeline.posts.models import Account, Post, Variant
from pipeline.posts.rules import room
from pipeline.posts.rules.rules import Rules
from pipeline.posts.variants import Brief, CannotFitError, Text
from pipeline.posts.words.formats import Material
from pipeline.posts.words.kept import Words
from pipeline.posts.words.offers import Offer, Voice, offers, topics_of, unlinked


@dataclass(frozen=True, slots=True)
class Said:
    """What became of the words: what was left out, what asks for a person."""

    shortened: tuple[str, ...]
    objections: tuple[str, ...]
    topics: frozenset[str]


def word(post: Post, *, now: datetime, unlike: frozenset[str] = frozenset()) -> Said:
    """Make the variants of a post and choose one, in the caller's transaction. Saves nothing of the post itself.

    Raises CannotFitError, UnusableRules, jinja2.TemplateError, OSError and ValueError.
    """
    article, voice = post.article, voice_of(post.account)
    if not post.marker:
        post.marker = tracked_link(post, url=article.url, now=now)
    brief = brief_of(article, link=post.marker, breaking=post.is_breaking)
    made = offers(brief, material=_material(article), voice=voice, turn=article.id)
    fresh = [offer for offer in made if plain(offer.text.text, post.marker) not in unlike]
    if not fresh:
        raise CannotFitError("all it could say was said before, and a text is never repeated")
    _keep(post, [fresh[0], *(offer for offer in made if offer is not fresh[0])], tone=voice.rules.tone)
    post.format, post.version = fresh[0].format, article.version
    return Said(fresh[0].text.shortened, fresh[0].objections, topics_of(brief, voice))


def said_now(post: Post) -> Text:
    """How a live post's story would be said now under its own link: in the format it was told in, if that is still there.

    Raises as `word` does.
    """
    brief = brief_of(post.article, link=post.marker, breaking=post.is_breaking)
    made = offers(brief, material=_material(post.article), voice=voice_of(post.account), turn=post.article_id)
    return next((offer.text for offer in made if offer.format == post.format), made[0].text)


def _keep(post: Post, made: list[Offer], *, tone: str) -> None:
    Variant.objects.filter(post=post).delete()
    card = card_of(post)
    Variant.objects.bulk_create(
        Variant(
            post=post, tone=f"{tone} {offer.format}"[:20], text=offer.text.text, parts=list(offer.parts), card=card,
            length=offer.text.length, chosen=number == 0,
        )
        for number, offer in enumerate(made)
    )  # fmt: skip


def choose_unlinked(post: Post) -> bool:
    """Say the same without a link where that costs less; False where it does not."""
    voice = voice_of(post.account)
    text = unlinked(brief_of(post.article, link=post.marker, breaking=post.is_breaking), voice=voice)
    if text is None:
        return False
    Variant.objects.filter(post=post, chosen=True).update(chosen=False)
    Variant.objects.create(post=post, tone="no link", text=text.text, length=text.length, chosen=True)
    return True


def texts_of(post: Post) -> list[str]:
    """What would leave, part by part; nothing for a post without words."""
    chosen = Variant.objects.filter(post=post, chosen=True).first()
    return [chosen.text, *chosen.parts] if chosen else []


def plain(text: str, marker: str) -> str:
    """A text without its link, to compare by: networks refuse repeated words, whatever the address."""
    return " ".join(text.replace(marker, " ").split()) if marker else " ".join(text.split())


def said_before(*, article_id: int, account_id: int) -> frozenset[str]:
    """All that an account has said of a story, in a form to compare by."""
    known = Variant.objects.filter(post__article_id=article_id, post__account_id=account_id, chosen=True)
    return frozenset(plain(text, marker) for text, marker in known.values_list("text", "post__marker"))


def tracked_link(post: Post, *, url: str, now: datetime) -> str:
    """One short link per post: it counts, it can be led elsewhere after a correction, and it finds the post again."""
    post.origin = Origin.objects.create(id=secrets.randbelow(2**32 - 1) + 1, kind=Origin.Kind.POST, started_at=now)
    Link.objects.create(origin=post.origin, number=0, url=url, kind="story", slot="post", article=post.article)
    token = Minter(config().keyring, kind=Kind.CLICK, origin=post.origin.id)(NOBODY, 0)
    return f"{config().track_url}/c/{token}"


def brief_of(article: Article, *, link: str, breaking: bool = False) -> Brief:
    """A story as an editor would jot it down."""
    return Brief(
        headline=article.headline,
        link=link,
        standfirst=article.standfirst,
        section=tuple(article.section_path),
        place=article.dateline.get("place") or "",
        language=article.language or "en",
        breaking=breaking,
    )


def card_of(post: Post) -> dict[str, str]:
    """What a link shows where the author builds its card; the alternative text is never empty where a picture is."""
    article, picture = post.article, post.article.picture or {}
    card = {"url": post.marker, "title": article.headline, "description": article.standfirst[:300]}
    if picture.get("url"):
        card |= {"picture": picture["url"], "alt": picture.get("alt") or f"Picture to: {article.headline}"}
    return card


def voice_of(account: Account) -> Voice:
    """How an account speaks, within what its server takes. Raises UnusableRules, UnknownNetworkError and OSError."""
    can = can_of(account)
    return Voice(
        network=account.network,
        rules=room.within(Rules.of(account.rules), account),
        words=Words.of(account.words),
        template=account.template or own_template(account),
        parts=parts(),
        cards=can.card,
        threads=can.thread,
    )


def can_of(account: Account) -> Can:
    """What the account's network can do; nothing but find where we have no adapter."""
    adapter = ADAPTERS.get(account.network)
    return adapter.can if adapter else Can()


def _material(article: Article) -> Material:
    return Material(
        headline=article.headline, standfirst=article.standfirst, text=article.text, language=article.language or "en"
    )


def own_template(account: Account) -> str:
    """What an account without a template of its own is set in: its network's. Raises UnknownNetworkError, OSError."""
    return _template(facts.network_named(account.network).name)


@cache
def _template(network: str) -> str:
    return (TEMPLATES / "social" / f"{network}.txt").read_text(encoding="utf-8")


@cache
def parts() -> Mapping[str, str]:
    """The templates of formats by name."""
    found = sorted((TEMPLATES / "social" / "formats").glob("*.txt"))
    return {path.stem: path.read_text(encoding="utf-8") for path in found}
