"""A message that left, as it may be shown now: to everybody with nothing of any reader's, to a reader as their own."""

from __future__ import annotations

import html
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from jinja2 import TemplateError
from lxml import html as lxml_html
from lxml.html import HtmlElement

from pipeline.articles.models import Version
from pipeline.delivery.message.renderings import frozen, shortened, without
from pipeline.editions.assemble import content_of, rendering_of
from pipeline.editions.content import EditionContent, FilledBlock, Story
from pipeline.editions.designs.cleaning import is_web
from pipeline.editions.models import Edition
from pipeline.editions.render import UnusableTemplate
from pipeline.editions.rendered import BLANK, ClosedTable, Link, LinkTable, Rendered, UnknownLink

log = logging.getLogger("dateline.public")
Said = Mapping[int, Mapping[str, str]]  #: headline, standfirst and address by article, as they were sent


@dataclass(frozen=True, slots=True)
class Words:
    """What stands where a reader's links stood: `join` says it, `door` leads there."""

    join: str
    door: str
    here: str  #: the address of the page itself


def shown(edition: Edition, *, withdrawn: frozenset[int]) -> Rendered | None:
    """What was sent; set again from its rows where a story was withdrawn, None where nothing is left to set.

    Then the subject is that of the first story left: an editor's own may speak of the one that is not there.
    """
    return _cut(edition, withdrawn, links=LinkTable()) if withdrawn else frozen(edition)


def shown_to(edition: Edition, *, withdrawn: frozenset[int], had: frozenset[int]) -> Rendered | None:
    """Likewise for one reader, whose copy left out what they `had`; its links keep their numbers, so they stay theirs."""
    if not withdrawn:
        return without(edition, had)
    return _cut(edition, withdrawn, had=had, links=ClosedTable(frozen(edition).links))


def _cut(
    edition: Edition, withdrawn: frozenset[int], *, links: LinkTable, had: frozenset[int] = frozenset()
) -> Rendered | None:
    content = shortened(content_of(edition), left_out=had, edited=edition.edited)
    left = _left(content, withdrawn, said=_said(edition))
    if left is None:
        return None
    try:
        made = rendering_of(edition.newsletter, left, origin_links=links)
    except (UnknownLink, UnusableTemplate, TemplateError) as error:
        log.warning("edition %s cannot be set again without what was withdrawn: %s", edition.id, error)
        return None
    return made


def _left(content: EditionContent, withdrawn: frozenset[int], *, said: Said) -> EditionContent | None:
    blocks = tuple(_less(block, withdrawn, said=said) for block in content.blocks)
    stories = [story for block in blocks for story in block.stories if story.article_id]
    if not stories:
        return None
    preheader = " · ".join(story.headline for story in stories[1:3])
    return replace(content, blocks=blocks, subject=stories[0].headline, preheader=preheader)


def _less(block: FilledBlock, withdrawn: frozenset[int], *, said: Said) -> FilledBlock:
    left = (story for story in block.stories if story.article_id not in withdrawn)
    return replace(block, stories=tuple(_as_sent(story, said) for story in left))


def _as_sent(story: Story, said: Said) -> Story:
    words = said.get(story.article_id or 0, {})
    headline, standfirst = words.get("headline", story.headline), words.get("standfirst", story.standfirst)
    return replace(story, headline=headline, standfirst=standfirst, url=words.get("url", story.url))


def _said(edition: Edition) -> Said:
    """The addresses, and the words of stories that have others now unless an editor had put their own in their place."""
    said = {link["article_id"]: {"url": str(link["url"])} for link in edition.rendering.links if link["article_id"]}
    items = [i for i in edition.items.filter(picked=True).select_related("article") if i.version != i.article.version]
    rows = Version.objects.filter(
        article__in=[item.article_id for item in items], number__in={i.version for i in items}
    )
    kept = {(row.article_id, row.number): row for row in rows.defer("text")}
    for item in items:
        if row := kept.get((item.article_id, item.version)):
            own = {name: getattr(row, name) for name in ("headline", "standfirst") if not item.overrides.get(name)}
            said.setdefault(item.article_id, {}).update(own)
    return said


def page(rendered: Rendered, *, words: Words, head: str, bar: str) -> str:
    """The message as a page: `head` goes into its head, `bar` above its text; both are markup of ours."""
    tree = lxml_html.document_fromstring(rendered.segments()[0].whole())
    _without_pictures_of_readers(tree)
    links = {link.number: link for link in rendered.links}
    for anchor in list(tree.iter("a")):
        _turn(anchor, links, words=words)
    return BLANK.sub(lambda found: _filled(found[1], found[2], links, words=words), _topped(tree, head=head, bar=bar))


def topped(markup: str, *, head: str, bar: str) -> str:
    """A reader's own copy with `head` and `bar` in it likewise."""
    return _topped(lxml_html.document_fromstring(markup), head=head, bar=bar)


def _topped(tree: HtmlElement, *, head: str, bar: str) -> str:
    top, body = next(tree.iter("head")), next(tree.iter("body"))
    for part in reversed(lxml_html.fragments_fromstring(bar)):
        body.insert(0, part)
    top.extend(lxml_html.fragments_fromstring(head))
    return str(lxml_html.tostring(tree, encoding="unicode", doctype="<!doctype html>"))


def _without_pictures_of_readers(tree: HtmlElement) -> None:
    for picture in list(tree.iter("img")):
        if "[[dl:open]]" in (picture.get("src") or ""):
            picture.drop_tree()


def _turn(anchor: HtmlElement, links: Mapping[int, Link], *, words: Words) -> None:
    """One link: to its story, to where anybody can join, or out."""
    blank = BLANK.fullmatch((anchor.get("href") or "").strip())
    if blank is None or anchor.getparent() is None:
        return
    if blank[1]:
        _lead(anchor, links.get(int(blank[1])))
    elif blank[2] in ("leave", "view"):
        _invite(anchor, words=words)
    else:
        _forget(anchor)


def _lead(anchor: HtmlElement, link: Link | None) -> None:
    if link is None or link.kind == "honeypot" or not is_web(link.url):
        anchor.drop_tree()
        return
    anchor.set("href", link.url)
    if link.kind == "sponsor":
        anchor.set("rel", "sponsored nofollow")


def _invite(anchor: HtmlElement, *, words: Words) -> None:
    """A paragraph of nothing but doors becomes one door."""
    line = anchor.getparent()
    if line is not None and line.tag == "p" and all(_is_door(each) for each in line.iter("a")):
        for child in list(line):
            line.remove(child)
        line.text = anchor.tail = None
        line.append(anchor)
    for child in list(anchor):
        anchor.remove(child)
    anchor.text = words.join
    anchor.set("href", words.door)


def _forget(anchor: HtmlElement) -> None:
    """Why somebody got it and what they chose is said to nobody else: the sentence goes with its link."""
    line = anchor.getparent()
    if (
        line is not None
        and line.tag == "p"
        and line.getparent() is not None
        and _only(line.iter("a"), ("why", "prefs"))
    ):
        line.drop_tree()
    else:
        anchor.drop_tree()


def _is_door(anchor: HtmlElement) -> bool:
    return _only([anchor], ("leave", "view", "prefs", "why"))


def _only(anchors: Iterable[HtmlElement], names: tuple[str, ...]) -> bool:
    return all((anchor.get("href") or "") in {f"[[dl:{name}]]" for name in names} for anchor in anchors)


def _filled(number: str | None, name: str, links: Mapping[int, Link], *, words: Words) -> str:
    """What stands in no link: buttons for Outlook, pictures behind text, a name in a greeting."""
    if number:
        link = links.get(int(number))
        return html.escape(link.url) if link and link.kind != "honeypot" and is_web(link.url) else ""
    return {"leave": html.escape(words.door), "prefs": html.escape(words.door), "view": html.escape(words.here)}.get(
        name, ""
    )
