"""How simulated readers, mail scanners and picture proxies behave: pure functions of mail, address and seed."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from random import Random
from urllib.parse import urlsplit

from lxml import html

#: Shares of addresses: whose gateway follows every link; whose pictures a proxy fetches on delivery.
SCANNED, PROXIED = 0.08, 0.3
#: Of people who do not click, the share who open; of those who click, the share whose client loads pictures.
OPENING, SHOWING = 0.45, 0.88
#: Each place further down a mail is this much less likely to be chosen.
PLACE = 0.88

#: Fewer characters than this are a button, a section's name or the masthead, not a headline.
SHORTEST_HEADLINE = 24
#: Longer than this, words such as "leave" are more likely news than housekeeping.
LONGEST_NOTICE = 48
_HOUSEKEEPING = re.compile(
    r"\b(unsubscribe|leave|opt.?out|preferences|manage|change|view|browser|why|privacy|imprint|confirm)\b",
    re.I,
)
_SYSTEMS = (
    "Windows NT 10.0; Win64; x64",
    "Macintosh; Intel Mac OS X 10_15_7",
    "X11; Linux x86_64",
    "Linux; Android 14; SM-S921B",
    "Linux; Android 15; Pixel 9",
    "iPhone; CPU iPhone OS 18_1 like Mac OS X",
    "iPad; CPU OS 17_6 like Mac OS X",
)
#: Ten browsers on seven systems: seventy headers a newsroom's log would show.
BROWSERS = tuple(
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) {engine}"
    for system, engine in product(
        _SYSTEMS,
        (
            *(f"Chrome/{major}.0.0.0 Safari/537.36" for major in (139, 140, 141, 142)),
            *(f"Chrome/{major}.0.0.0 Safari/537.36 Edg/{major}.0.0.0" for major in (140, 141, 142)),
            "Chrome/140.0.0.0 Safari/537.36 OPR/124.0.0.0",
            "Version/18.1 Safari/605.1.15",
            "Version/17.6 Safari/605.1.15",
        ),
    )
)
SCANNERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36",
    "Mozilla/5.0 (compatible; LinkCheck/2.1; +https://gateway.example/linkcheck)",
    "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 6.1)",
    "python-requests/2.32.3",
)
#: What Apple's mail privacy proxy says when it fetches every picture of a mail (`the engagement reference`, 2.1).
PROXY = "Mozilla/5.0"


@dataclass(frozen=True, slots=True)
class Link:
    """A story link as a reader sees it: where it leads and the longest words (or picture text) on it."""

    url: str
    words: str


@dataclass(frozen=True, slots=True)
class Sight:
    """What a mail shows: `stories` in reading order, `every` http address a machine would find, `pixel` if any."""

    stories: tuple[Link, ...]
    every: tuple[str, ...]
    pixel: str


@dataclass(frozen=True, slots=True)
class Act:
    """One request, `after_s` seconds (already scaled) after the mail came."""

    after_s: float
    kind: str  # scan, proxy, open or click
    method: str
    url: str
    agent: str
    address: str
    language: str = "en-GB,en;q=0.9"


def plan(*, sight: Sight, reader: str, seed: str, clicking: float, scale: float) -> tuple[Act, ...]:
    """What happens to one mail: pure, and the same for the same mail, reader and seed."""
    nature = _share(seed, "nature", reader)
    # Headlines, not addresses: tokens differ from run to run, and the same seed should give the same readers.
    rng = Random(f"{seed}/{reader}/{'/'.join(link.words for link in sight.stories)}")
    acts: list[Act] = []
    if nature < SCANNED:
        acts += _scan(sight, rng)
    elif nature < SCANNED + PROXIED and sight.pixel:
        acts.append(
            Act(
                0.0,
                "proxy",
                "GET",
                sight.pixel,
                PROXY,
                f"172.224.{rng.randrange(224, 240)}.{rng.randrange(256)}",
            )
        )
    return (*acts, *_person(sight, rng, reader=reader, seed=seed, clicking=clicking, scale=scale))


def _scan(sight: Sight, rng: Random) -> list[Act]:
    """Every address of the mail within a second, HEAD first for some, from a gateway's own network."""
    agent, address = rng.choice(SCANNERS), f"40.107.{rng.randrange(256)}.{rng.randrange(256)}"
    methods = ("HEAD", "GET") if rng.random() < 0.3 else ("GET",)
    return [
        Act(0.05 * place, "scan", method, url, agent, address)
        for place, (url, method) in enumerate(product(sight.every, methods))
        if place < 200
    ]


def _person(sight: Sight, rng: Random, *, reader: str, seed: str, clicking: float, scale: float) -> Iterable[Act]:
    """A look after a while, then perhaps up to three stories, a few seconds each."""
    agent = BROWSERS[int(_share(seed, "browser", reader) * len(BROWSERS))]
    # RFC 2544 sets 198.18.0.0/15 aside for tests: 512 neighbourhoods in which nobody lives.
    home = int(_share(seed, "home", reader) * 2**17)
    address = f"198.{18 + (home >> 16)}.{home >> 8 & 255}.{home & 255}"
    clicks = rng.random() < clicking and bool(sight.stories)
    at = scale * rng.lognormvariate(0.7, 0.9)
    if sight.pixel and rng.random() < (SHOWING if clicks else OPENING):
        yield Act(at, "open", "GET", sight.pixel, agent, address)
    for link in _chosen(sight.stories, rng, seed=seed) if clicks else ():
        at += scale * rng.uniform(0.8, 6.0)
        yield Act(at, "click", "GET", link.url, agent, address)


def _chosen(stories: tuple[Link, ...], rng: Random, *, seed: str) -> list[Link]:
    """One to three stories, by place in the mail and by the interest the story has for everybody."""
    left = list(enumerate(stories))
    chosen = []
    for _ in range(min(rng.choices((1, 2, 3), (6, 3, 1))[0], len(stories))):
        weights = [PLACE**place * interest(seed=seed, words=link.words) for place, link in left]
        picked = rng.choices(range(len(left)), weights)[0]
        chosen.append(left.pop(picked)[1])
    return chosen


def interest(*, seed: str, words: str) -> float:
    """How much a headline draws, 0.1 to 4: a few stories are read by many. The same for all readers."""
    return 0.1 + 3.9 * _share(seed, "interest", " ".join(words.split()).casefold()) ** 4


def sight(*, html_text: str, unsubscribe: str = "") -> Sight:
    """Read a mail's HTML; `unsubscribe` is its List-Unsubscribe header, which gateways follow as well."""
    page = html.document_fromstring(html_text) if html_text.strip() else html.Element("html")
    anchors = [anchor for anchor in page.iter("a") if _web(anchor.get("href"))]
    hrefs = [_address(anchor, "href") for anchor in anchors]
    named = [url for url in re.findall(r"<([^>]+)>", unsubscribe) if _web(url)]
    pixels = [_address(image, "src") for image in page.iter("img") if _is_pixel(image)]
    stories = _stories([anchor for anchor in anchors if not _hidden(anchor)])
    return Sight(stories, tuple(dict.fromkeys([*hrefs, *named])), pixels[0] if pixels else "")


def _stories(anchors: list[html.HtmlElement]) -> tuple[Link, ...]:
    """Links with a headline, one per address, under their longest words."""
    found: dict[str, str] = {}
    for anchor in anchors:
        words = " ".join([anchor.text_content(), *(image.get("alt") or "" for image in anchor.iter("img"))]).strip()
        url = _address(anchor, "href")
        found[url] = max(found.get(url, ""), words, key=len)
    return tuple(Link(url, words) for url, words in found.items() if _is_headline(words))


def _is_headline(words: str) -> bool:
    short = len(words) < LONGEST_NOTICE
    return len(words) >= SHORTEST_HEADLINE and not (short and _HOUSEKEEPING.search(words))


def _hidden(element: html.HtmlElement) -> bool:
    """Nobody clicks what nobody sees: a honeypot is followed by machines alone."""
    chain = [element, *element.iterancestors()]
    return any("display:none" in (each.get("style") or "").replace(" ", "").lower() for each in chain)


def _is_pixel(image: html.HtmlElement) -> bool:
    return _web(image.get("src")) and (image.get("width"), image.get("height")) == ("1", "1")


def _address(element: html.HtmlElement, name: str) -> str:
    return (element.get(name) or "").strip()


def _web(url: str | None) -> bool:
    return urlsplit((url or "").strip()).scheme in ("http", "https")


def _share(seed: str, kind: str, name: str) -> float:
    """A number in [0, 1) that belongs to a name."""
    digest = blake2b(f"{seed}/{kind}/{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64
