"""What surrounds a story on a newsroom's page, told apart from it: breadcrumbs, related links, bylines.

No extractor removes "Also read:", so it is done here, on the tree and by whole blocks. A block
of more than 60 words, and the first two paragraphs, are never removed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from lxml.html import HtmlElement

from pipeline.articles.raw.markup import absolute

MOST_WORDS = 60  #: in a block that may be furniture


@dataclass(frozen=True, slots=True)
class Related:
    """A link the newsroom put beside its story."""

    title: str
    url: str


_LEAD_WORDS = (
    *(
        "lire aussi",
        "à lire aussi",
        "lesen sie auch",
        "mehr zum thema",
        "lea también",
        "leer más",
        "leia também",
        "leia mais",
    ),
    *(
        "leggi anche",
        "lees ook",
        "baca juga",
        "ayrıca oku",
        "читайте также",
        "اقرأ أيضا",
        "اقرأ أيضًا",
        "اقرأ ايضا",
    ),
    *("مزید پڑھیں", "یہ بھی پڑھیں", "بیشتر بخوانید", "यह भी पढ़ें", "相关新闻", "関連記事", "관련 기사"),
)
_LEAD_IN = re.compile(
    r"^\W{0,4}(?:(?:also read|read also|read more|read next|recommended|related(?: (?:stor(?:y|ies)|articles?|posts?|news|topics?|coverage))?|must[ -]read"
    r"|see also|you (?:may|might) also like|in case you missed(?: it)?|icymi|don[’']t miss|more (?:on|from|about) [^:]{2,60}(?=:))\b"
    r"|(?:more|watch|listen)(?= ?[:|–—-])|" + "|".join(map(re.escape, _LEAD_WORDS)) + r")\s*[:：|>»–—-]*",
    re.IGNORECASE,
)
_FOLLOW = re.compile(
    r"^\W{0,4}(?:follow (?:us|[\w .&'’-]{2,40} on)\b.*|.{0,60}\bon (?:google news|whatsapp|telegram|youtube)\b.{0,80}$|subscribe (?:to|now|for)\b.*|sign up (?:to|for)\b.*(?:newsletter|alerts|inbox|updates).*"
    r"|join (?:our|us on|the) .{0,40}(?:channel|newsletter|group|whatsapp|telegram).*|download (?:the|our) .{0,30}app\b.*|get (?:the latest|our) .{0,60}(?:inbox|newsletter|app|alerts)\b.*|share (?:this|on|via|it)\b.*"
    r"|like us on\b.*|click here to (?:join|subscribe|follow|read)\b.*|suivez[- ]nous\b.*|folgen sie uns\b.*|síguenos\b.*|تابعونا.*|ہمیں فالو کریں.*|advertisement|sponsored|story continues below(?: advertisement)?|article continues (?:below|after).*|(?:this )?post views:?.*|loading\.{0,3}|print(?: this)?|\d+ shares?)$",
    re.IGNORECASE | re.DOTALL,
)
_LIST_HEADING = re.compile(
    r"^\W{0,3}(?:most (?:popular|read|viewed|shared)|trending(?: now| stories)?|latest (?:news|stories|posts|headlines)|recent (?:posts|news|articles|stories)|popular (?:posts|news|now)|top stories|editor[’']?s[’']? picks?|more (?:news|stories|from .{2,40})|you (?:may|might) (?:also )?like|related (?:articles|posts|stories|news)|recommended(?: for you)?|leave a (?:reply|comment)|comments?|tags:?|share(?: this)?(?: article| story)?:?|about the author)\W{0,3}$",
    re.IGNORECASE,
)
_CHROME_WORDS = re.compile(
    r"(?:^|[\s_-])(?:share|sharing|social|sharedaddy|jp-relatedposts|related|relatedposts|td-post-sharing|addtoany|newsletter|subscribe|subscription-box|follow-us|comments?|comment-respond|sidebar|td-ss-main-sidebar|widget|td-post-next-prev|post-navigation|nav-links|author-box|td-author-box|td_block_related_posts|tags?-links|td-post-source-tags|td-tags|outbrain|taboola|advert|ads?|ad-slot|adsbygoogle|cookie|consent|popup|modal|most-popular|trending|breadcrumbs?|td-crumb-container|pagination|print-link|skip-link|screen-reader-text|yarpp|promo|signup|td-post-views|entry-meta|post-meta|td-module-meta-info|byline-block|wp-block-latest-posts|td-g-rec|td-a-rec)(?:$|[\s_-])",
    re.IGNORECASE,
)
_CHROME = [
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "footer",
    "aside",
    "form",
    "iframe",
    "button",
    "select",
    "svg",
    "ins",
    "dialog",
    "object",
    "embed",
]
_BLOCKS = frozenset(
    [
        "p",
        "div",
        "ul",
        "ol",
        "section",
        "blockquote",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "figure",
        "table",
        "center",
    ]
)
_SEPARATORS = re.compile(r"\s*(?:»|›|>|/|\||→|::|\u00bb)\s*")
_HOME = frozenset(
    [
        "home",
        "homepage",
        "front page",
        "accueil",
        "startseite",
        "inicio",
        "início",
        "home page",
        "beranda",
        "anasayfa",
        "ana sayfa",
        "главная",
        "الرئيسية",
        "صفحۂ اول",
        "ہوم",
        "news home",
    ]
)

_ROLE = re.compile(
    r"^(?:the )?(?:admin(?:istrator)?|editor(?:ial)?(?: team| board| staff| desk)?|staff(?: reporter| writer| report| correspondent)?s?|(?:our|[\w’']{2,20}) (?:staff |special )?(?:correspondent|reporter)s?|correspondent|reporter|news ?(?:desk|room|team|editor)|web ?(?:desk|team|editor|master)|(?:[\w&.-]+ ){0,3}(?:desk|bureau|newsroom|monitoring)|agencies|news agencies|monitoring (?:desk|report)|wire services?|guest(?: author| writer| contributor)?|contributor|anonymous|unknown|redaktion|la rédaction|redacción|redação|redazione|webmaster|root|user|author|super ?user|wp[-_ ]?admin|news)$",
    re.IGNORECASE,
)
_BY = re.compile(
    r"^\W{0,3}(?:(?:written|reported|posted|words|text|story|edited|compiled) )?(?:by|von|par|por|di|door)\b:?\s+",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:,|;|\||/|&|\band\b|\bund\b|\bet\b|•)\s*", re.IGNORECASE)
_AFTER_NAME = re.compile(r"\s*[(<\[].*$|\s*[-–—]\s.*$|\s+in\s+[A-Z].*$")
_ALSO_BY = re.compile(r"[,;.]?\s*\(?(?:with )?additional reporting (?:by|from)\s+", re.IGNORECASE)
_ROLE_AFTER = re.compile(
    r"^(?:(?:senior|chief|political|diplomatic|foreign|staff|special|sports|business|science|health|deputy|managing|our|the|associate|contributing|national|world|city) )*(?:correspondent|reporter|editor|writer|columnist|journalist|analyst|contributor|photographer|producer|bureau chief|fellow|author|in [A-Z].{2,30})$",
    re.IGNORECASE,
)


def clean(content: HtmlElement, *, base: str | None = None) -> tuple[Related, ...]:
    """Remove furniture from a story's tree, in place; the related links that were in it.

    Scripts and chrome go first, by element and class; then blocks by their words; then "Most Popular" lists.
    """
    _drop_chrome(content)
    related: dict[str, Related] = {}
    paragraphs = 0
    for block in [element for element in content.iterdescendants() if element.tag in _BLOCKS]:
        if _is_gone(block, content):
            continue
        words = text_of(block)
        verdict = _verdict(block, words)
        if verdict == "chrome" and paragraphs < 2 and len(words.split()) >= 12:
            verdict = ""
        if verdict and len(words.split()) <= MOST_WORDS:
            for link in _links(block, base) if verdict == "related" else ():
                related.setdefault(link.url, link)
            _remove(block)
        elif block.tag == "p" and len(words.split()) > 8:
            paragraphs += 1
    for heading in content.xpath(".//h2|.//h3|.//h4|.//h5|.//strong|.//b|.//span"):
        _drop_list_after(heading, content, related, base)
    return tuple(related.values())


def text_of(element: HtmlElement) -> str:
    """The words of an element on one line."""
    return " ".join(str(element.text_content()).split())


def breadcrumbs(tree: HtmlElement, *, title: str = "") -> tuple[str, ...]:
    """The section path as the page shows it, without Home and the story itself."""
    found = tree.xpath(
        "//*[contains(concat(' ', @class, ' '), ' td-crumb-container ')]|//*[contains(@class, 'yoast-breadcrumb') or @id='breadcrumbs']"
        "|//nav[contains(@aria-label, 'readcrumb')]|//*[contains(concat(' ', @class, ' '), ' breadcrumb ') or contains(concat(' ', @class, ' '), ' breadcrumbs ')]|//*[contains(@class, 'breadcrumb')]"
    )[:3]
    for holder in found:
        linked = [text_of(link) for link in holder.xpath(".//a")]
        items = linked or [text_of(item) for item in holder.xpath(".//li")] or _SEPARATORS.split(text_of(holder))
        if path := section_path(items, title=title):
            return path
    return ()


def section_path(items: Iterable[str], *, title: str = "") -> tuple[str, ...]:
    """Crumbs as a path of sections: no Home, no separators, no story."""
    wanted = (_SEPARATORS.sub("", item).strip() if len(item) < 3 else item.strip(" »›>/|→") for item in items)
    own = title.casefold().rstrip(".… ")
    kept = [item for item in wanted if item and item.casefold() not in _HOME and not (own and _is_title(item, own))]
    return tuple(dict.fromkeys(item[:120] for item in kept[:8]))


def bylines(text: str) -> tuple[str, ...]:
    """The people of a byline: without "By", desks and roles; those of additional reporting come last."""
    main, *added = _ALSO_BY.split(" ".join(text.split())[:500])
    names: list[str] = []
    for part in (main, *added):
        part = _BY.sub("", part.strip(" .()"))  # noqa: PLW2901 - its names are next
        for name in _BETWEEN.split(part):
            bare = _AFTER_NAME.sub("", _BY.sub("", name)).strip(" .:")
            if _is_name(bare):
                names.append(bare)
    return tuple(dict.fromkeys(names))


def _is_name(text: str) -> bool:
    if not 1 < len(text) <= 60 or _ROLE.match(text) or _ROLE_AFTER.match(text) or "@" in text or "://" in text:
        return False
    return any(character.isalpha() for character in text) and len(text.split()) <= 6 and not re.search(r"\d{2,}", text)


def _is_title(item: str, own: str) -> bool:
    bare = item.casefold().rstrip(".… ")
    return bare == own or (len(bare) > 25 and own.startswith(bare))


def _drop_chrome(content: HtmlElement) -> None:
    for element in list(content.iterdescendants()):
        if (
            not isinstance(element.tag, str)
            or (element.tag in _CHROME or element.get("hidden") is not None or element.get("aria-hidden") == "true")
            or _is_chrome(element)
        ):
            _remove(element)


def _is_chrome(element: HtmlElement) -> bool:
    """By class or id; never an element that holds most of the story."""
    named = f"{element.get('class', '')} {element.get('id', '')} {element.get('role', '')}".replace(
        "elementor-widget", ""
    )
    if element.tag in {"body", "article", "main", "p"} or not _CHROME_WORDS.search(named[:500]):
        return False
    return len(element.xpath(".//p[string-length(normalize-space()) > 120]")) < 3


def _verdict(block: HtmlElement, words: str) -> str:
    """`related` and `chrome` are furniture; "" is the story."""
    if not words or len(words) > 600:
        return ""
    if (match := _LEAD_IN.match(words)) and match.end() > 2:
        linked = sum(len(text_of(link)) for link in block.xpath(".//a"))
        if linked * 2 >= max(1, len(words) - match.end()):
            return "related" if linked else "chrome" if len(words.split()) <= 6 else ""
    return "chrome" if _FOLLOW.match(words) and len(words.split()) <= 40 else ""


def _drop_list_after(heading: HtmlElement, content: HtmlElement, related: dict[str, Related], base: str | None) -> None:
    """A heading such as "Most Popular" and the list of links it announces."""
    words = text_of(heading)
    if len(words) > 60 or not _LIST_HEADING.match(words) or _is_gone(heading, content):
        return
    holder = heading if heading.tag.startswith("h") and heading.tag != "html" else heading.getparent()
    if holder is None or holder is content or text_of(holder) != words:
        return
    follower = holder.getnext()
    while follower is not None and follower.tag in {"ul", "ol", "div", "section", "table"} and _mostly_links(follower):
        after = follower.getnext()
        if words.casefold().startswith(("related", "recommended", "you ", "more ")):
            for link in _links(follower, base):
                related.setdefault(link.url, link)
        _remove(follower)
        follower = after
    _remove(holder)


def _mostly_links(element: HtmlElement) -> bool:
    words = text_of(element)
    return sum(len(text_of(link)) for link in element.xpath(".//a")) * 2 >= len(words)


def _links(block: HtmlElement, base: str | None) -> Iterable[Related]:
    for link in block.xpath(".//a[@href]")[:20]:
        url, title = absolute(link.get("href"), base=base), text_of(link)
        if url and title and not url.startswith("mailto:"):
            yield Related(title[:300], url)


def _is_gone(element: HtmlElement, content: HtmlElement) -> bool:
    top = element
    while top is not None and top is not content:
        top = top.getparent()
    return top is None


def _remove(element: HtmlElement) -> None:
    if element.getparent() is not None:
        element.drop_tree()
