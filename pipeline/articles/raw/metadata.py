"""What a page says about itself for machines: JSON-LD, Open Graph and meta elements, microdata.

JSON-LD in the wild is often broken (raw newlines, trailing commas, CDATA wrappers; the watching reference 6), so a
second, lenient try follows the first, and what still is no JSON is left out with a warning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from lxml.html import HtmlElement

from pipeline.articles.raw.markup import from_json, plain

ARTICLE_TYPES = frozenset(
    f"{kind}Article" for kind in ("News", "", "Reportage", "OpinionNews", "AnalysisNews", "BackgroundNews", "ReviewNews", "ReportageNews", "AskPublicNews", "Satirical", "AdvertiserContent", "Medical", "Tech", "Scholarly")
) | {"LiveBlogPosting", "BlogPosting", "Report", "SocialMediaPosting"}  # fmt: skip
MAX_SCRIPTS = 30
MAX_SCRIPT_CHARS = 1_000_000
MAX_NODES = 2_000
MAX_LEVELS = 12
MAX_SCOPES = 200  #: extruct asks every scope for all properties below it
MAX_WEIGHT = 6_000  #: of properties so asked for, and thousands of characters; 0.3 ms each

_WRAPPER = re.compile(
    r"^\s{0,50}(?:<!--|/\*|//)?\s{0,50}<!\[CDATA\[(?:\s{0,50}\*/)?|(?:/\*|//)?\s{0,50}\]\]>(?:\s{0,50}\*/)?\s{0,50}(?:-->)?$|^<!--|-->$"
)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_MISSING_COMMA = re.compile(r"(\"|\d|true|false|null|[}\]])([^\S\n]{0,50}\n\s{0,200})(\"[\w@:]{1,40}\"\s{0,50}:)")


@dataclass(frozen=True, slots=True)
class Metadata:
    """`article` is the JSON-LD (or microdata) node of the story, {} without one; `nodes` are all of them, by @id too.

    `meta` holds meta elements by lower-case property or name, Open Graph among them; first one wins.
    """

    article: dict[str, Any] = field(default_factory=dict)
    nodes: tuple[dict[str, Any], ...] = ()
    by_id: dict[str, dict[str, Any]] = field(default_factory=dict)
    meta: dict[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def of_type(self, *names: str) -> dict[str, Any]:
        """The first node of any of these types, or {}."""
        return next((node for node in self.nodes if types(node) & set(names)), {})

    def text(self, name: str) -> str:
        """A property of the article as words."""
        return words(self.article.get(name))

    def people(self, name: str) -> list[str]:
        """Names of the persons and organisations of a property, references followed."""
        return [found for each in listed(self.article.get(name)) if (found := self.name_of(each))]

    def name_of(self, value: object) -> str:
        if isinstance(value, dict):
            known = self.by_id.get(str(value.get("@id", "")), {})
            value = value.get("name") or known.get("name")
        return words(value)


def find(tree: HtmlElement, *, url: str | None = None) -> Metadata:
    """All of a page's metadata. Never raises: what cannot be read is missing, with a warning."""
    warnings: list[str] = []
    nodes = tuple(_json_ld(tree, warnings))
    by_id: dict[str, dict[str, Any]] = {}
    for node in nodes:
        known = by_id.setdefault(str(node.get("@id", "")), node)
        if len(node) > len(known):
            by_id[str(node.get("@id", ""))] = node
    by_id.pop("", None)
    article = _article(nodes, url)
    if not article:
        micro = tuple(_microdata(tree, url, warnings))
        nodes, article = nodes + micro, _article(micro, url)
    return Metadata(article=article, nodes=nodes, by_id=by_id, meta=_meta(tree), warnings=tuple(warnings))


def types(node: dict[str, Any]) -> set[str]:
    """The @type values of a node without their namespaces; the property may be a string or a list."""
    return {str(name).rsplit("/", 1)[-1].removeprefix("schema:") for name in listed(node.get("@type"))[:10]}


def listed(value: object) -> list[Any]:
    """A property as a list: one value, many, or none."""
    if value is None:
        return []
    if isinstance(value, dict) and set(value) == {"@list"}:
        value = value["@list"]
    return value[:100] if isinstance(value, list) else [value]


def words(value: object) -> str:
    """A property as one line of plain text; of several values the first that says anything."""
    for each in listed(value):
        if isinstance(each, dict):
            each = each.get("@value") or each.get("name") or each.get("text") or ""  # noqa: PLW2901 - unwrapped
        if isinstance(each, str | int | float) and not isinstance(each, bool) and (text := plain(str(each)[:20_000])):
            return text
    return ""


def _json_ld(tree: HtmlElement, warnings: list[str]) -> Iterator[dict[str, Any]]:
    left = MAX_NODES
    for script in tree.xpath("//script[contains(@type, 'ld+json')]")[:MAX_SCRIPTS]:
        data = _loads((script.text_content() or "")[:MAX_SCRIPT_CHARS])
        if data is None:
            warnings.append("JSON-LD cannot be read")
            continue
        for node in _nodes(data, left):
            left -= 1
            yield node


def _loads(text: str) -> Any:
    """JSON, or what JSON was meant: without wrappers, comments and the commas people leave or forget."""
    text = text.strip()
    mended = _TRAILING_COMMA.sub(r"\1", _WRAPPER.sub("", _WRAPPER.sub("", text)))
    for attempt in (text, mended, _MISSING_COMMA.sub(r"\1,\2\3", mended), mended.replace("&quot;", '"')):
        try:
            return from_json(attempt.strip().rstrip(";"))
        except ValueError:
            continue
    return None


def _nodes(data: object, most: int) -> Iterator[dict[str, Any]]:
    """Every typed object, outer ones first, through @graph and properties."""
    queue: list[tuple[object, int]] = [(data, 0)]
    found = 0
    for value, level in queue:
        if found >= most or len(queue) > MAX_NODES * 10:
            return
        if isinstance(value, dict):
            if "@type" in value or "@id" in value:
                found += 1
                yield value
            value = list(value.values())  # noqa: PLW2901 - its parts are next
        if isinstance(value, list) and level < MAX_LEVELS:
            queue.extend((each, level + 1) for each in value[:MAX_NODES] if isinstance(each, dict | list))


def _article(nodes: tuple[dict[str, Any], ...], url: str | None) -> dict[str, Any]:
    """The node of this page's own story: the one that names its address, else the first with a headline."""
    stories = [node for node in nodes if types(node) & ARTICLE_TYPES]
    own = [node for node in stories if url and _tail(url) in {_tail(address) for address in _addresses(node)}]
    named = [node for node in own or stories if node.get("headline") or node.get("name")]
    return (named or own or stories or [{}])[0]


def _addresses(node: dict[str, Any]) -> Iterator[str]:
    for name in ("url", "mainEntityOfPage", "@id"):
        for each in listed(node.get(name)):
            value = (each.get("@id") or each.get("url")) if isinstance(each, dict) else each
            if isinstance(value, str) and value.startswith("http"):
                yield value


def _tail(url: str) -> str:
    return url.split("#", 1)[0].split("://", 1)[-1].removeprefix("www.").rstrip("/")


def _meta(tree: HtmlElement) -> dict[str, str]:
    found: dict[str, str] = {}
    for element in tree.xpath("//meta[@content][@property or @name or @itemprop]")[:500]:
        name = (element.get("property") or element.get("name") or element.get("itemprop") or "").strip().lower()
        value = " ".join((element.get("content") or "").split())[:5_000]
        if name and value:
            found.setdefault(name, value)
    return found


def _microdata(tree: HtmlElement, url: str | None, warnings: list[str]) -> Iterator[dict[str, Any]]:
    """Microdata in the shape of JSON-LD. extruct is imported late: it brings rdflib, and few pages need it."""
    scopes = tree.xpath("//*[@itemscope]")[: MAX_SCOPES + 1]
    if not 0 < len(scopes) <= MAX_SCOPES or sum(_weight(scope) for scope in scopes) > MAX_WEIGHT:
        return
    from extruct.w3cmicrodata import MicrodataExtractor

    try:
        items = MicrodataExtractor(strict=False).extract_items(tree, base_url=url or "")
        yield from _nodes([_as_json_ld(item, 0) for item in items[:100]], MAX_NODES)
    except Exception as error:  # of extruct on a stranger's markup: anything
        warnings.append(f"microdata cannot be read: {type(error).__name__}")


def _weight(scope: HtmlElement) -> float:
    return float(scope.xpath("count(.//*[@itemprop]) + string-length() div 1000"))


def _as_json_ld(item: Any, level: int) -> Any:
    if isinstance(item, list):
        return [_as_json_ld(each, level + 1) for each in item[:100]] if level < MAX_LEVELS else []
    if not isinstance(item, dict):
        return item
    properties = item.get("properties", {})
    inside = {name: _as_json_ld(value, level + 1) for name, value in properties.items()} if level < MAX_LEVELS else {}
    return {"@type": item.get("type", ""), **inside}
