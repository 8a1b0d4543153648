"""What a User-Agent header says it is. Our own lists, written for mail links and open pixels.

The question is not "which browser" but "did a person ask for this?". Programs inside which people read (Facebook,
Instagram, LinkedIn, Google's search app, Slack's and Teams' desktops, Outlook, Thunderbird) are people; the
fetchers of the same companies (facebookexternalhit, LinkedInBot, Slackbot) are not. Lists alone never suffice:
gateways show the headers of a current browser, so verdicts.py looks at behaviour as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from pipeline.engagement.asking import crawlers


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
    r"\bcurl\b|winhttp|^microsoft-?winrt|windowspowershell|^powershell|^postmanruntime|^insomnia/|^lua-resty",
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
    r"microsoft office (?:existence|protocol) discovery|\b(?:mail|link|url|malware|email|security)[ -]?scan(?:ner)?|\bscanner\b",
)
_PREVIEWERS = (
    r"facebookexternalhit|facebot|meta-external|^whatsapp/|telegrambot|slackbot|slack-imgproxy|discordbot|twitterbot",
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
    r"compatible;(?! *(?:msie|konqueror|opera|ms-office))|^mozilla/\d\.\d \(compatible\)$|^mozilla/\d\.\d [\w./-]+$",
    r"search console|catchpoint|cloudflare-?(?:observatory|diagnostics|healthchecks)|ruxitsynthetic|duplexweb",
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


def fetching_ahead(headers: Mapping[str, str]) -> bool:
    """True when a browser says in its headers that nobody has asked yet: prefetch, prerender, preview."""
    return any(
        word in value.lower()
        for name, value in headers.items()
        if name.lower().removeprefix("http_").replace("_", "-") in {"sec-purpose", "purpose", "x-purpose", "x-moz"}
        for word in ("prefetch", "prerender", "preview")
    )
