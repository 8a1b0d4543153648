"""From an edition's rows to what it says: previews, tests and sends all start here."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipeline.articles.models import Article
from pipeline.editions.choosing.rules import SPONSOR
from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.models import Block, Edition, Item, Newsletter
from pipeline.editions.own.design import render_own
from pipeline.editions.render import render
from pipeline.editions.rendered import LinkTable, Rendered
from pipeline.kernel.config import config

#: Reading speed of adults in their own language, words a minute (Brysbaert 2019: 238 for English non-fiction).
WORDS_A_MINUTE = 238
#: What an editor may put in place of the site's own words, and where the site keeps it.
OVERRIDABLE = ("headline", "standfirst", "picture")


def content_of(edition: Edition) -> EditionContent:
    """What the edition says, from its kept items."""
    blocks = [filled for block in edition.newsletter.blocks.all() if (filled := _filled(edition, block))]
    if edition.note:
        blocks.insert(0, FilledBlock(kind="note", note=edition.note))
    lead = next((story for block in blocks for story in block.stories), None)
    return EditionContent(
        masthead=masthead_of(edition.newsletter),
        slot_at=edition.slot_at,
        subject=(edition.subject if edition.edited else "") or (lead.headline if lead else edition.newsletter.name),
        preheader=(edition.preheader if edition.edited else "") or _preheader(blocks),
        blocks=tuple(blocks),
    )


def _filled(edition: Edition, block: Block) -> FilledBlock | None:
    if block.kind == SPONSOR:
        return _sponsor(block)
    items = edition.items.filter(block=block, picked=True)
    stories = tuple(_as_edited(item) for item in items.select_related("article").order_by("position"))
    topic = str(block.rule.get("topic", ""))
    return FilledBlock(kind=block.kind, title=block.title, stories=stories, topic=topic) if stories else None


def _sponsor(block: Block) -> FilledBlock | None:
    """A promised place: what the order says, or nothing."""
    order: dict[str, Any] = block.rule.get("story") or {}
    if not order.get("headline"):
        return None
    picture = Picture(url=order["picture"], alt=order.get("alt", "")) if order.get("picture") else None
    story = Story(
        headline=order["headline"], url=order.get("url", ""), standfirst=order.get("text", ""), picture=picture
    )
    return FilledBlock(kind=SPONSOR, title=block.title, stories=(story,))


def _as_edited(item: Item) -> Story:
    """A story with an editor's own headline, standfirst and picture where they wrote some."""
    story = story_of(item.article, label=item.label)
    words = {name: item.overrides[name] for name in ("headline", "standfirst") if item.overrides.get(name)}
    if picture := item.overrides.get("picture"):
        own = story.picture if story.picture and story.picture.url == picture else None
        words["picture"] = Picture(url=picture, alt=item.overrides.get("alt", ""), credit=own.credit if own else "")
    return replace(story, **words)


def rendering_of(newsletter: Newsletter, content: EditionContent, *, origin_links: LinkTable) -> Rendered:
    """The edition in its newsletter's design, the editors' own where they wrote one. Raises UnusableTemplate."""
    if newsletter.own_design:
        return render_own(newsletter.own_design, content, origin_links=origin_links)
    return render(content, origin_links=origin_links)


def parts_of(content: EditionContent) -> list[dict[str, Any]]:
    """The blocks that are rendered, by the numbers their markers carry, with the topic readers follow them by."""
    filled = ((n, block) for n, block in enumerate(content.blocks, start=1) if block.stories or block.note)
    return [{"block": number, "topic": block.topic} for number, block in filled]


def changed_since(item: Item) -> dict[str, tuple[str, str]]:
    """What the site changed after an editor overrode it: field -> (as it was then, as it is now)."""
    now = site_words(item.article)
    return {
        name: (str(item.site[name]), now[name])
        for name in item.overrides
        if name in item.site and item.site[name] != now[name]
    }


def site_words(article: Article) -> dict[str, str]:
    """The site's own words for what an editor may override."""
    return {
        "headline": article.headline,
        "standfirst": article.standfirst,
        "picture": str(article.picture.get("url", "")),
    }


def _preheader(blocks: list[FilledBlock]) -> str:
    stories = [story for block in blocks for story in block.stories][1:3]
    return " · ".join(story.headline for story in stories)


def masthead_of(newsletter: Newsletter) -> Masthead:
    """The newsletter's looks; what it does not say comes from the newsletter and the installation."""
    kept = {name: value for name, value in newsletter.masthead.items() if value}
    defaults = {
        "name": newsletter.name,
        "slug": newsletter.slug,
        "publisher": newsletter.from_name,
        "home_url": config().site_url,
        "postal_address": config().postal_address,
    }
    if newsletter.kind == Newsletter.Kind.ALERT:
        defaults["design"] = "breaking"
    return Masthead(**{**defaults, **kept})


def story_of(article: Article, *, label: str = "") -> Story:
    """An article as a digest shows it."""
    picture = article.picture
    return Story(
        headline=article.headline,
        url=article.url,
        standfirst=article.standfirst,
        section=tuple(article.section_path),
        authors=tuple(article.authors),
        published_at=article.published_at,
        picture=Picture(url=picture["url"], alt=picture.get("alt", ""), credit=picture.get("credit", ""))
        if picture.get("url")
        else None,
        place=article.dateline.get("place") or "",
        language=article.language,
        label=label,
        reading_minutes=max(1, round(len(article.text.split()) / WORDS_A_MINUTE)) if article.text else None,
        article_id=article.id,
    )
