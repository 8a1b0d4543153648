"""One post of WordPress's REST interface to an entry. Every field may be missing, or be of any type."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any
from urllib.parse import urlsplit

from pipeline.articles.page.pictures import credit_of
from pipeline.articles.page.witnesses import Step
from pipeline.articles.raw import dates
from pipeline.articles.raw.markup import absolute, clean_html, plain
from pipeline.sources.formats.entries import Entry, Notes

SHORT_WORDS = 120  #: a content of fewer words that ends in a link to more is an excerpt
SUMMARY_CHARS = 2_000
MAX_LEVELS = 12  #: of a section path; a tree that loops ends here at the latest

_MORE_LINK = re.compile(
    r"<a\b[^<>]{0,1000}(?:\bmore-link\b|#more-\d)[^<>]{0,1000}>.{0,300}?</a>", re.IGNORECASE | re.DOTALL
)
_CUT_MARK = re.compile(
    r"<!--\s*more\b|\bmore-link\b|#more-\d|\b(?:paywall|content-restricted|members-only)\b", re.IGNORECASE
)
_UNRENDERED = re.compile(r"\[/?(?:vc_|et_pb_|fusion_|td_block|av_section)\w*")
_ELLIPSIS = re.compile(r"([.!?…]?)\s*\[\s*(?:…|\.\.\.)\s*\]\s*$")
_IMAGE = re.compile(r"<img\b[^<>]*\ssrc=\"([^\"<>]+)\"")
_NAKED_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2})?")
#: Where plug-ins (Yoast, Rank Math, themes) say which category is the first one.
_PRIMARY = (
    "primary_category",
    "yoast_wpseo_primary_category",
    "_yoast_wpseo_primary_category",
    "rank_math_primary_category",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A category. `parent` 0 is none; embedded terms do not tell it, so it comes from the tree alone."""

    id: int
    name: str
    slug: str
    parent: int = 0
    link: str | None = None


def entry(post: dict[str, Any], *, base: str | None, zone: tzinfo, tree: Mapping[int, Term], notes: Notes) -> Entry:
    """What one post says. What is doubted or missing is noted."""
    link = absolute(text(post.get("link")), base=base)
    if link is None:
        notes.add("post without a link")
    told = post.get("content")
    markup, is_closed = _rendered(told), isinstance(told, dict) and told.get("protected") is True
    content = clean_html(markup, base=link or base) if markup and not is_closed else ""
    is_cut, post_id = _is_cut(markup, content), number(post.get("id"))
    if is_closed:
        notes.add("post is protected by a password: its words are left out")
    if not post_id:
        notes.add("post without a number")
    picture = _picture(post)
    terms = _terms(post, "category", tree)
    primary = _primary(post, terms, tree)
    return Entry(
        id=html.unescape(_rendered(post.get("guid"))).strip(),
        wp_id=post_id or None,
        link=link,
        title=plain(_rendered(post.get("title")))[:1000],
        published=_instant(post, "date", zone=zone, notes=notes),
        updated=_instant(post, "modified", zone=zone, notes=notes),
        author=_authors(post) or None,
        categories=_categories(post, terms, primary),
        summary=None if is_closed else _summary(_rendered(post.get("excerpt"))) or None,
        content_html=content or None,
        image=_image(post, picture, content, base),
        image_alt=plain(text(picture.get("alt_text")))[:500] or None,
        image_credit=_credit(picture) or None,
        sections=_path(primary, tree) if primary else (),
        language=_language(post),
        is_whole=not is_closed and not is_cut and _is_complete(markup, content, notes),
        is_paywalled=is_cut or is_closed,
    )


def text(value: object) -> str:
    """A string as it is; anything else says nothing."""
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """A positive number that a database holds, also when written as text; 0 for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) < 19:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else 0


def _rendered(value: object) -> str:
    return text(value.get("rendered")) if isinstance(value, dict) else text(value)


def _dicts(value: object, *, most: int = 100) -> list[dict[str, Any]]:
    return [part for part in value[:most] if isinstance(part, dict)] if isinstance(value, list) else []


def _part(value: object, *names: str) -> Any:
    """What lies at a path of names; None where the way ends early."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _embedded(post: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """What a site embeds; a refusal embedded in its place (security plug-ins hide authors) is nothing."""
    return [part for part in _dicts(_part(post, "_embedded", name)) if "code" not in part]


def _instant(post: dict[str, Any], name: str, *, zone: tzinfo, notes: Notes) -> datetime | None:
    """`date_gmt` has no zone and is UTC; where it is missing or all zeros, `date` is the site's own time."""
    gmt, local = text(post.get(f"{name}_gmt")).strip(), text(post.get(name)).strip()
    if gmt and not gmt.startswith("0000"):
        return notes.when(f"{gmt}Z" if _NAKED_TIME.fullmatch(gmt) else gmt, zone=UTC)
    if not local or local.startswith("0000"):
        return None
    notes.add(f"{name}_gmt is missing: {name} was read in the zone of the source")
    moment = dates.parse(local, zone=zone)
    if moment is None:
        notes.add("date cannot be read")
    return moment.at if moment else None


def _summary(markup: str) -> str:
    """An excerpt's words, without the link to the rest that themes put behind them."""
    words = plain(_MORE_LINK.sub("", markup))
    return _ELLIPSIS.sub(lambda match: match[1] or "…", words)[:SUMMARY_CHARS]


def _is_cut(markup: str, content: str) -> bool:
    return bool(markup) and len(plain(content).split()) < SHORT_WORDS and bool(_CUT_MARK.search(markup))


def _is_complete(markup: str, content: str, notes: Notes) -> bool:
    if _UNRENDERED.search(markup):
        notes.add("content holds shortcodes of a page builder: the page is to be read instead")
        return False
    return bool(plain(content))


def _authors(post: dict[str, Any]) -> str:
    """Names, not logins: embedded authors, those of co-author plug-ins, then what Yoast says."""
    several = [
        text(person.get("display_name"))
        for key in ("coauthors", "authors")
        for person in _dicts(post.get(key), most=20)
    ]
    embedded = [text(person.get("name")) for person in _embedded(post, "author")]
    told = [name for name in several if name] or [name for name in embedded if name]
    names = (plain(name)[:200] for name in told or [text(_part(post, "yoast_head_json", "author"))])
    return ", ".join(dict.fromkeys(name for name in names if name))


def _terms(post: dict[str, Any], taxonomy: str, tree: Mapping[int, Term]) -> list[Term]:
    """A post's terms in the site's order; their parents are the tree's to tell. Without embedded ones, by number."""
    groups = _part(post, "_embedded", "wp:term")
    nodes = [node for group in (groups[:20] if isinstance(groups, list) else []) for node in _dicts(group)]
    found = [term for node in nodes if node.get("taxonomy") == taxonomy and (term := _term(node, tree))]
    if found or taxonomy != "category":
        return found
    numbers = post.get("categories")
    return [tree[n] for value in (numbers[:100] if isinstance(numbers, list) else []) if (n := number(value)) in tree]


def _term(node: dict[str, Any], tree: Mapping[int, Term]) -> Term | None:
    term_id, name = number(node.get("id")), plain(text(node.get("name")))[:200]
    known = tree.get(term_id)
    if not term_id or not (name or known):
        return None
    return Term(
        id=term_id,
        name=name or (known.name if known else ""),
        slug=text(node.get("slug"))[:200] or (known.slug if known else ""),
        parent=known.parent if known else 0,
        link=absolute(text(node.get("link")), base=None) or (known.link if known else None),
    )


def _primary(post: dict[str, Any], terms: Sequence[Term], tree: Mapping[int, Term]) -> Term | None:
    """The category a plug-in calls primary; else the deepest, of equals the first."""
    filed = [term for term in terms if term.slug != "uncategorized" and term.name.casefold() != "uncategorized"]
    by_id = {term.id: term for term in filed}
    for told in _told_primary(post):
        if term := by_id.get(number(told)):
            return term
    crumbs = {name: place for place, name in enumerate(_crumbs(post))}
    if on_trail := [term for term in filed if term.name in crumbs]:
        return max(on_trail, key=lambda term: crumbs[term.name])
    return max(filed, key=lambda term: _depth(term, tree), default=None)


def _told_primary(post: dict[str, Any]) -> Iterator[object]:
    for holder in (post, _part(post, "meta"), _part(post, "yoast_head_json")):
        for name in _PRIMARY:
            value = _part(holder, name)
            yield (value.get("term_id") or value.get("id")) if isinstance(value, dict) else value


def _crumbs(post: dict[str, Any]) -> list[str]:
    """The trail Yoast prints, which follows the primary category; the post itself, its last crumb, left out."""
    for node in _dicts(_part(post, "yoast_head_json", "schema", "@graph")):
        if node.get("@type") == "BreadcrumbList":
            crumbs = _dicts(node.get("itemListElement"), most=MAX_LEVELS + 2)
            return [plain(text(crumb.get("name"))) for crumb in crumbs[:-1]]
    return []


def _depth(term: Term, tree: Mapping[int, Term]) -> int:
    """Levels below the top; for a term the tree does not hold, what its address shows."""
    if term.id in tree:
        return len(_line(term, tree))
    try:
        return len(urlsplit(term.link or "").path.strip("/").split("/")) - 1
    except ValueError:
        return 0


def _line(term: Term, tree: Mapping[int, Term]) -> list[Term]:
    """From a term up to the outermost; a loop ends where it closes."""
    line, seen = [term], {term.id}
    while (above := tree.get(line[-1].parent)) and above.id not in seen and len(line) < MAX_LEVELS:
        line.append(above)
        seen.add(above.id)
    return line


def _path(term: Term, tree: Mapping[int, Term]) -> tuple[Step, ...]:
    return tuple(Step(name=one.name, slug=one.slug, term_id=one.id) for one in reversed(_line(term, tree)))


def _categories(post: dict[str, Any], terms: Sequence[Term], primary: Term | None) -> tuple[str, ...]:
    """Names of categories, the primary one first, then tags, as a feed mixes them."""
    first = [primary] if primary else []
    names = (term.name for term in [*first, *terms, *_terms(post, "post_tag", {})])
    return tuple(dict.fromkeys(name for name in names if name))[:50]


def _picture(post: dict[str, Any]) -> dict[str, Any]:
    """The embedded featured image; {} where there is none, or it is no image."""
    for media in _embedded(post, "wp:featuredmedia"):
        if text(media.get("media_type")) in {"", "image"}:
            return media
    return {}


def _image(post: dict[str, Any], picture: dict[str, Any], content: str, base: str | None) -> str | None:
    shared = _dicts(_part(post, "yoast_head_json", "og_image"), most=1)
    first = _IMAGE.search(content)
    told = (picture.get("source_url"), post.get("jetpack_featured_media_url"), *(each.get("url") for each in shared))
    found = (absolute(text(address), base=base) for address in told)
    return next((address for address in found if address), html.unescape(first[1]) if first else None)


def _credit(picture: dict[str, Any]) -> str:
    """Whose the picture is: its caption, else what the camera or the agency wrote into the file."""
    meta = _part(picture, "media_details", "image_meta")
    written = plain(text(_part(meta, "credit")) or text(_part(meta, "copyright")))
    return (credit_of(plain(_rendered(picture.get("caption")))) or written)[:200]


def _language(post: dict[str, Any]) -> str | None:
    told = text(post.get("lang")) or text(_part(post, "yoast_head_json", "og_locale"))
    return told.replace("_", "-") if re.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8}){0,2}", told) else None
