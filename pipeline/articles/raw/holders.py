"""Where the themes and publishing systems of newsrooms put a story's paragraphs."""

from __future__ import annotations

from collections.abc import Iterator

from lxml.html import HtmlElement

#: Class names, surest first: Newspaper, WordPress and its builders, Drupal, Ghost, Blogger, Arc, house-made ones.
_CLASSES = [
    "td-post-content",
    "tdb_single_content",
    "elementor-widget-theme-post-content",
    "wp-block-post-content",
    "et_pb_post_content",
    "entry-content",
    "jeg_post_content",
    "gh-content",
    "post-full-content",
    "kg-canvas",
    "field--name-body",
    "field-name-body",
    "com-content-article__body",
    "post-content",
    "article-content",
    "article-body",
    "article__body",
    "article__content",
    "articlebody",
    "article_body",
    "article-text",
    "articletext",
    "story-body",
    "story-content",
    "story__content",
    "story__body",
    "story-text",
    "b-article-body",
    "article-body-wrapper",
    "c-article-body",
    "c-entry-content",
    "single-content",
    "single-post-content",
    "post-body",
    "post__content",
    "post-text",
    "content-body",
    "body-copy",
    "content-inner",
    "news-content",
    "article-detail",
    "news-detail",
    "detail-content",
    "amp-wp-article-content",
    "content__article-body",
    "paywall-content",
    "main-article",
]


_RANK = {name: rank for rank, name in enumerate(_CLASSES)}
_IDS = "//*[@id='article-body' or @id='story-body' or @id='articleBody' or @id='content-body' or @id='article-content']"
_GENERIC = ("//main//article", "//article", "//*[@role='article']", "//main")
MOST = 20  #: of one kind that are looked at


def holders(tree: HtmlElement) -> Iterator[tuple[list[HtmlElement], bool]]:
    """Elements that may hold the story, the surest kind first; the flag says that their kind holds nothing else."""
    if found := tree.xpath("//*[@itemprop='articleBody']")[:MOST]:
        yield found, True
    for _, found in sorted(_by_class(tree).items()):
        yield found[:MOST], True
    if found := tree.xpath(_IDS)[:MOST]:
        yield found, True
    for path in _GENERIC:
        if found := tree.xpath(path)[:MOST]:
            yield found, False


def _by_class(tree: HtmlElement) -> dict[int, list[HtmlElement]]:
    found: dict[int, list[HtmlElement]] = {}
    for element in tree.iter("div", "section", "article", "main", "td", "amp-story-page"):
        names = (element.get("class") or "")[:500].lower().split()
        rank = min((_RANK[name] for name in names if name in _RANK), default=None)
        if rank is not None:
            found.setdefault(rank, []).append(element)
    return found
