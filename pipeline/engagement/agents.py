"""What a User-Agent header or an address says it is. Our own lists, written for mail links and open pixels.

The question is not "which browser" but "did a person ask for this?". Programs inside which people read (Facebook,
Instagram, LinkedIn, Google's search app, Slack's and Teams' desktops, Outlook, Thunderbird) are people; the
fetchers of the same companies (facebookexternalhit, LinkedInBot, Slackbot) are not. Lists alone never suffice:
gateways show the headers of a current browser, so verdicts.py looks at behaviour as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path

from pipeline.engagement import crawlers


class Kind(StrEnum):
    """Who is asking, as far as the header tells."""

    PERSON = "person"
    EMPTY = "empty"  #: nothing, or too little to be a browser
    LIBRARY = "library"  #: an HTTP library or command-line tool
    HEADLESS = "headless"  #: a browser driven by a program
    SCANNER = "scanner"  #: looks for malware or holes
    PREVIEWER = "previewer"  #: unfurls links in chats, feeds and office programs
    IMAGE_PROXY = "image proxy"  #: fetches pictures for a webmail, perhaps because someone reads
    MAIL_PRIVACY = "mail privacy"  #: Apple Mail Privacy Protection: fetches pictures whether or not anyone reads
    CRAWLER = "crawler"  #: search engines, archives, monitors and whatever calls itself a robot


# Traps on purpose left alone: "bot" in CUBOT phones, Avast's and Comodo's browsers, Dalvik (Android mail programs
# load pictures with it), "compatible; MSIE" (Outlook's picture loader), Electron desktops of chat programs.
_LIBRARIES = (
    r"^curl/|^wget/|^libcurl|^http(?:ie|x|ful)?/|^xh/|^aria2|^lynx/|^links \(|^w3m/",
    r"python-(?:requests|urllib|httpx)|\baiohttp/|^urllib3|^requests/|^scrapy/|^mechanize|pycurl|^tornado/",
    r"^go-http-client|^go-resty|^fasthttp|^colly|^java/|^jakarta|apache-httpclient|apache-httpasyncclient|^okhttp/",
    r"^ktor|^jersey/|^reactornetty|^spring|^unirest|^node(?:-fetch|-superagent|\.js)?(?:$|[/ ])|^axios/|^undici",
    r"^got[/ (]|^superagent|^needle/|^deno/|^bun/|libwww-perl|^lwp|^perl|^php[/ ]|^guzzlehttp|^symfony|^zend",
    r"^ruby|^faraday|^typhoeus|^httparty|^rest-client|^reqwest|^hyper/|^ureq|^dart/|^restsharp",
    r"winhttp|^microsoft-?winrt|windowspowershell|^powershell|^postmanruntime|^insomnia/|^lua-resty",
)
_HEADLESS = (
    r"headless|phantomjs|puppeteer|playwright|selenium|webdriver|slimerjs|htmlunit|cypress/|electron-fetch",
    r"browserless|prerender|rendertron|zombie\.js|jsdom/|nightmare",
)
_SCANNERS = (
    r"barracuda|mimecast|proofpoint|urldefense|trustwave|ironport|cisco-?(?:esa|umbrella|talos)|forcepoint|websense",
    r"bluecoat|symantec|sophos|fireeye|trellix|trend ?micro|forti(?:guard|gate|mail|edr|proxy)|zscaler|checkpoint|avanan|cloudmark",
    r"virustotal|urlscan|safe-?browsing|google-safety|netcraft|phishtank|phishlabs|cloudsek|bolster|opswat",
    r"palo ?alto|expanse|censys|zgrab|masscan|shodan|nmap|nessus|nikto|sqlmap|nuclei|zmeu|acunetix|qualys",
    r"kaspersky|bitdefender|\beset\b|mcafee|f-secure|drweb|webroot|webpulse|spamhaus",
    r"microsoft office (?:existence|protocol) discovery|\b(?:mail|link|url|malware|email|security)[ -]?scan(?:ner)?",
)
_PREVIEWERS = (
    r"facebookexternalhit|facebot|meta-external|whatsapp/|telegrambot|slackbot|slack-imgproxy|discordbot|twitterbot",
    r"linkedinbot|skypeuripreview|bingpreview|microsoftpreview|google web preview|google-pagerenderer|snap url preview",
    r"pinterestbot|redditbot|vkshare|viberbot|line-poker|kakaotalk-scrap|embedly|iframely|opengraph|unfurl|cardyb",
    r"mastodon/|pleroma|akkoma|misskey|hollo/|snac/|bookwyrm|gotosocial|iceshrimp|sharkey|mobilizon|friendica|lemmy/|pixelfed|peertube|synapse|matrix-media",
    r"link ?preview|url ?preview|outbrain|flipboardproxy|nuzzel|teamsbot|signal-desktop-preview|google-read-aloud",
)
_IMAGE_PROXIES = (
    r"googleimageproxy|yahoomailproxy|yandeximageresizer|mail\.ru ?image|outlookimageproxy|image[- ]?proxy|mail[- ]?proxy",
    r"github-camo|\bcamo\b|imgix|cloudimage|wsrv",
)
_CRAWLERS = (
    r"(?<!cu)bots?(?![a-z])|crawl|spider|slurp|archiver|archive\.org|wayback|heritrix|nutch|scrape|harvest|sitemap",
    r"fetch(?:er)?\b|validator|checker|monitor|uptime|pingdom|statuscake|site24x7|newrelicpinger|datadog|nagios",
    r"lighthouse|pagespeed|gtmetrix|ptst/|webpagetest|feed(?:ly|burner|fetcher|validator)|rss(?:owl|reader|ing)",
    r"inoreader|newsblur|miniflux|freshrss|tiny tiny rss|mediapartners|adsbot|apis-google|googleother|google-(?!app)",
    r"ia_archiver|yandex(?!search|browser)[a-z]+/|baidu(?:spider|-)|bytespider|sogou (?:web|inst)|petalbot|semrush",
    r"ahrefs|moz\.com|majestic|screaming frog|dataprovider|gptbot|chatgpt|oai-search|claude-|anthropic|perplexity",
    r"cohere-|diffbot|ccbot|timpi|omgili|dateline/|\+?https?://|[\w.]+@[\w-]+\.[a-z]{2,}",
    r"compatible;(?! *(?:msie|konqueror|opera|ms-office))",
)

_ORDER = (
    (Kind.IMAGE_PROXY, _IMAGE_PROXIES),
    (Kind.PREVIEWER, _PREVIEWERS),
    (Kind.HEADLESS, _HEADLESS),
    (Kind.SCANNER, _SCANNERS),
    (Kind.LIBRARY, _LIBRARIES),
    (Kind.CRAWLER, (*_CRAWLERS, *crawlers.NAMES)),
)
_PATTERNS = tuple((kind, re.compile("|".join(parts), re.IGNORECASE)) for kind, parts in _ORDER)

_APPLE_MAIL = re.compile(r"^Mozilla/5\.0 \([^()]*\) AppleWebKit/[\d.]+ \(KHTML, like Gecko\)$")


@lru_cache(maxsize=8192)
def kind(ua: str) -> Kind:
    """Judge one header. Cached: a few thousand distinct headers make up almost all hits of a day."""
    header = ua.strip()
    if header == "Mozilla/5.0" or _APPLE_MAIL.match(header):
        return Kind.MAIL_PRIVACY
    read = header[:1024]
    for named, pattern in _PATTERNS:
        if pattern.search(read):
            return named
    if len(header) < 10 or " " not in header or "/" not in header:
        return Kind.EMPTY
    return Kind.PERSON


#: What is kept of a header once its day is over: words that are judged as it was, and are everybody's of that kind.
STAND_INS: Mapping[Kind, str] = {
    Kind.PERSON: "Mozilla/5.0 (a person)", Kind.EMPTY: "", Kind.LIBRARY: "curl/", Kind.HEADLESS: "headless",
    Kind.SCANNER: "mail scanner", Kind.PREVIEWER: "link preview", Kind.IMAGE_PROXY: "image proxy",
    Kind.MAIL_PRIVACY: "Mozilla/5.0", Kind.CRAWLER: "crawler",
}  # fmt: skip


SCANNING_NETWORKS = {
    # Exchange Online Protection and Barracuda Email Gateway Defense; nothing else sends requests from these
    "microsoft-eop": (
        *("40.92.0.0/15", "40.107.0.0/16", "52.100.0.0/14", "104.47.0.0/17", "52.238.78.88/32"),
        *("2a01:111:f400::/48", "2a01:111:f403::/48"),
    ),
    "barracuda-egd": (
        *("209.222.82.0/24", "3.24.133.128/25", "15.222.16.128/25", "35.157.190.224/27", "18.185.115.192/26"),
        *("18.184.203.224/27", "13.200.136.128/25", "35.176.92.96/27", "18.133.136.128/26", "18.133.136.96/27"),
    ),
}
#: These scan as well, and readers behind their browser isolation come from them: suspicious only while a mail is new.
GATEWAY_NETWORKS = {
    "proofpoint": (
        *("67.231.144.0/20", "148.163.128.0/19", "205.220.160.0/19", "185.132.180.0/22", "185.183.28.0/22"),
    ),
    "mimecast": (
        *("207.211.30.0/23", "205.139.110.0/23", "91.220.42.0/24", "195.130.217.0/24", "146.101.78.0/24"),
        *("170.10.128.0/21", "63.128.21.0/24", "216.205.24.0/24", "185.58.84.0/22", "194.104.108.0/22"),
    ),
    "cisco-ironport": ("68.232.128.0/19", "216.71.128.0/19", "139.138.32.0/19"),
}
#: What the door says of an address where it keeps nothing else of it.
A_SCANNER, A_GATEWAY = "scanner", "gateway"
_KNOWN = [
    (ip_network(net), name)
    for networks in (SCANNING_NETWORKS, GATEWAY_NETWORKS)
    for name, nets in networks.items()
    for net in nets
]


#: Companies that rent out servers, by the numbers of their networks (asn) where somebody else looked that up.
HOSTING_ASNS = frozenset({16509, 14618, 396982, 14061, 24940, 16276, 63949, 20473, 12876})


Blocks = Mapping[int, Mapping[int, frozenset[int]]]
Net = IPv4Network | IPv6Network
#: An operator's line that takes in more of the world than this is a slip.
_WIDEST = {4: 8, 6: 16}


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where servers live: our own list and an operator's; what they took out wins. `faults` name the lines not used."""

    listed: int
    added: int
    taken_out: int
    faults: tuple[str, ...]
    blocks: Blocks
    spared: Blocks


@lru_cache(maxsize=4)
def hosting(own: str = "") -> Hosting:
    """hosting.txt and an operator's `own` networks: one a line or between commas, with - before those that are not."""
    lines = Path(__file__).with_name("hosting.txt").read_text(encoding="ascii").splitlines()
    nets = [ip_network(line) for line in lines if line and line[0] not in "#["]
    added, spared, faults = set[Net](), set[Net](), []
    for number, line in enumerate(own.splitlines(), start=1):
        for entry in filter(None, map(str.strip, line.partition("#")[0].split(","))):
            try:
                (spared if entry[0] == "-" else added).add(_wanted(entry.removeprefix("-").strip()))
            except ValueError as error:
                faults.append(f"line {number}: {error}")
    return Hosting(
        len(nets), len(added), len(spared), tuple(faults), _by_size([*nets, *added]), _by_size(spared)
    )  # fmt: skip


def _wanted(text: str) -> Net:
    """Raises ValueError in words."""
    net = ip_network(text)
    if net.prefixlen < _WIDEST[net.version]:
        raise ValueError(f"{text} is wider than /{_WIDEST[net.version]}")
    return net


def _by_size(nets: Iterable[Net]) -> Blocks:
    """By address version and length of the prefix: an address is looked up, not compared with each."""
    found: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
    for net in nets:
        first = int(net.network_address) >> net.max_prefixlen - net.prefixlen
        found[net.version].setdefault(net.prefixlen, set()).add(first)
    return {version: {size: frozenset(each) for size, each in sizes.items()} for version, sizes in found.items()}


def only_scans(network: str) -> bool:
    """Whether a network by that name never carries a person's request."""
    return network == A_SCANNER or network in SCANNING_NETWORKS


def may_scan(network: str) -> bool:
    """Whether a network by that name carries scanners and readers."""
    return network == A_GATEWAY or network in GATEWAY_NETWORKS


@lru_cache(maxsize=65536)
def known_network(ip: str) -> str:
    """The name of the scanning or gateway network an address belongs to, "" for any other and for no address."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ""
    return next((name for net, name in _KNOWN if address in net), "")


@lru_cache(maxsize=65536)
def is_hosted(ip: str, own: str = "") -> bool:
    """Whether servers live at this address; readers come from there by way of a VPN, so it proves nothing alone."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    known = hosting(own)
    return _stands_in(address, known.blocks) and not _stands_in(address, known.spared)


def _stands_in(address: IPv4Address | IPv6Address, nets: Blocks) -> bool:
    number, bits = int(address), address.max_prefixlen
    return any(number >> bits - size in blocks for size, blocks in nets[address.version].items())


@lru_cache(maxsize=65536)
def prefix(ip: str) -> str:
    """The /24 or /48 an address is in; anything else is taken to be a prefix's key already."""
    try:
        address = ip_address(ip)
    except ValueError:
        return ip
    return str(ip_network((address, 24 if address.version == 4 else 48), strict=False))


def fetching_ahead(headers: Mapping[str, str]) -> bool:
    """True when a browser says in its headers that nobody has asked yet: prefetch, prerender, preview."""
    return any(
        word in value.lower()
        for name, value in headers.items()
        if name.lower() in {"sec-purpose", "purpose", "x-purpose", "x-moz"}
        for word in ("prefetch", "prerender", "preview")
    )
