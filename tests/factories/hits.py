"""A labelled day of an edition's links: every hit with True where a machine sent it.

Machines as the engagement reference 2.1 found them described: pairs of Safe Links, whole messages swept within
seconds, waves at the start of hours, followers of the hidden link, tokens mangled on the way, Apple's and Gmail's
pictures, chat previews, HEAD rounds, looking ahead, one host for many readers. People read in the programs people
read in, also from behind a gateway's browser isolation an hour later.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from pipeline.engagement.hits import Hit

SENT = datetime(2026, 11, 23, 5, 30, tzinfo=UTC)
CHROME = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0 Safari/537.36"
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
ANDROID = (
    "Mozilla/5.0 (Linux; Android 15; Pixel 9 Build/AP4A; wv) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/141.0.7390.97 Mobile Safari/537.36"
)
MPP = "Mozilla/5.0"
GMAIL = "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)"
UNFURLERS = [
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "WhatsApp/2.24.20.89 A",
    "TelegramBot (like TwitterBot)",
    "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "LinkedInBot/1.0 (compatible; Mozilla/5.0; Jakarta Commons-HttpClient/3.1 +http://www.linkedin.com)",
]
READERS = [
    CHROME,
    f"{IPHONE} Version/18.1 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/22B83 [FBAN/FBIOS;FBAV/487.0.0.30;FBDV/iPhone16,1]",
    f"{IPHONE} Mobile/22B83 Instagram 355.0.0.27 (iPhone16,1; iOS 18_1)",
    f"{IPHONE} Mobile/22B83 [LinkedInApp]/9.30",
    f"{IPHONE} GSA/342.0 Mobile/15E148 Safari/604.1",
    f"{IPHONE} Mobile/22B83 Twitter for iPhone/10.65",
    f"{ANDROID} [FB_IAB/FB4A;FBAV/490.0.0.63.82;]",
    f"{ANDROID} MetaIAB Facebook",
    f"{ANDROID} LinkedInApp/4.1.1020",
    f"{ANDROID} TwitterAndroid",
    f"{ANDROID} GSA/15.44",
    "Mozilla/5.0 (Windows NT 10.0; rv:128.0) Gecko/20100101 Thunderbird/128.4",
]


def labelled(seed: int, *, readers: int = 1500, links: int = 12) -> Iterator[tuple[Hit, bool]]:
    """A send: two readers in five sit behind a gateway of some kind, and most people never click."""
    chance = random.Random(seed)
    for number in range(readers):
        delivered = SENT + timedelta(seconds=chance.uniform(0, 600))
        facts = {"message": f"m{number}", "delivered_at": delivered, "links": links * (number % 2)}
        for machine in chance.sample(MACHINES, k=chance.choice([0, 0, 0, 1, 1])):
            yield from ((one, True) for one in machine(chance, facts, delivered, links))
        if chance.random() < 0.35:
            yield from ((one, False) for one in reader(chance, facts, delivered, links))
    for crowd in (farm(chance), *(wave(chance, hour=hour) for hour in (1, 2, 3, 4))):
        yield from ((one, True) for one in crowd)


def reader(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    """Reads after minutes or hours, clicks one to four stories with pauses; some from isolation, an hour later."""
    ua, ip = (
        chance.choice(READERS),
        f"100.{chance.randrange(64)}.{chance.randrange(256)}.{chance.randrange(256)}",
    )
    isolated = chance.random() < 0.03
    asn = 22843 if isolated else None
    ip = f"67.231.{chance.randrange(144, 160)}.{chance.randrange(256)}" if isolated else ip
    if not isolated and chance.random() < 0.05:  # behind a VPN
        ip = f"95.216.{chance.randrange(256)}.{chance.randrange(256)}"
    at = delivered + timedelta(seconds=max(chance.lognormvariate(7.8, 1.4), 3700 if asn else 0))
    for link in chance.sample(range(links), k=chance.choice([1, 1, 1, 2, 3, 4])):
        yield Hit(at=at, link=str(link), ua=ua, ip=ip, asn=asn, **facts)
        at += timedelta(seconds=6 + chance.lognormvariate(3.5, 1.0))


def safe_links(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    """Pairs in the same second from Exchange Online, the second one damaged; a browser's header."""
    for link in chance.sample(range(links), k=chance.randrange(1, links)):
        at = delivered + timedelta(seconds=chance.uniform(1, 1200))
        ip = f"40.107.{chance.randrange(256)}.{chance.randrange(256)}"
        yield Hit(at=at, link=str(link), ua=CHROME, ip=ip, **facts)
        yield Hit(at=at, link=str(link), ua=CHROME, ip=ip, mangled=True, **facts)


def sweeper(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    """Every link within seconds, from rotating addresses, minutes after acceptance; the picture too."""
    start = delivered + timedelta(seconds=chance.uniform(5, 3 * 3600))
    for link in ["", *map(str, range(links))]:
        ip = f"13.{chance.randrange(256)}.{chance.randrange(256)}.7"
        yield Hit(
            at=start + timedelta(seconds=chance.uniform(0, 8)),
            link=link,
            ua=CHROME,
            ip="13.0.0.7" if not link else ip,
            **facts,
        )


def trapped(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    """A few links and the hidden one, slowly."""
    at = delivered + timedelta(seconds=chance.uniform(60, 7200))
    for link in chance.sample(range(links), k=3):
        yield Hit(at=at, link=str(link), ua=CHROME, ip="18.5.5.5", **facts)
        at += timedelta(seconds=chance.uniform(6, 40))
    yield Hit(at=at, link="trap", ua=CHROME, ip="18.5.5.77", honeypot=True, **facts)


def damager(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    for link in chance.sample(range(links), k=3):
        at = delivered + timedelta(seconds=chance.uniform(60, 7200))
        yield Hit(at=at, link=str(link), ua=CHROME, ip=f"52.{link}.8.8", mangled=True, **facts)


def apple(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    at = delivered + timedelta(seconds=chance.uniform(1, 6 * 3600))
    yield Hit(at=at, link="", ua=MPP, ip="17.58.1.1", **facts)


def header_bots(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    agents = [
        "",
        "curl/8.9",
        "python-requests/2.32",
        "Slackbot-LinkExpanding 1.0 (+https://x)",
        f"{CHROME} HeadlessChrome/141",
    ]
    at = delivered + timedelta(seconds=chance.uniform(40, 7200))
    yield Hit(at=at, link="1", ua=chance.choice(agents), ip="3.3.3.3", **facts)
    yield Hit(at=at, link="2", ua=CHROME, ip="3.3.3.3", method="HEAD", **facts)
    yield Hit(at=at, link="3", ua=CHROME, ip="3.3.4.3", headers={"Sec-Purpose": "prefetch"}, **facts)


def early(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    late_gateway = chance.random() < 0.5
    at = delivered + timedelta(seconds=chance.uniform(0, 590 if late_gateway else 29))
    yield Hit(at=at, link="4", ua=CHROME, ip="5.5.5.5", asn=30031 if late_gateway else None, **facts)


def farm(chance: random.Random) -> Iterator[Hit]:
    """One host following a link of many readers."""
    for number in range(150):
        at = SENT + timedelta(seconds=9000 + number * chance.uniform(0.5, 1.5))
        yield Hit(at=at, delivered_at=SENT, message=f"f{number}", link="1", ua=CHROME, ip="9.9.9.9")


def wave(chance: random.Random, *, hour: int) -> Iterator[Hit]:
    """At the start of an hour one gateway follows a link or two of each of its readers, all within minutes."""
    start = SENT.replace(minute=0) + timedelta(hours=hour)
    for number in range(120):
        at = start + timedelta(seconds=number * chance.uniform(0.2, 1.2))
        for link in chance.sample(range(12), k=chance.choice([1, 2])):
            yield Hit(at=at, delivered_at=SENT, message=f"w{number}", link=str(link), ua=CHROME, ip="20.1.2.3")


def gateway(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    """Proofpoint, Mimecast and Cisco by address, once a message, minutes after acceptance; Barracuda at any time."""
    after_s, ip = chance.choice(
        [(590, "67.231.150.4"), (590, "205.139.110.9"), (590, "68.232.130.2"), (9000, "209.222.82.146")]
    )
    at = delivered + timedelta(seconds=chance.uniform(31, after_s))
    yield Hit(at=at, link=str(chance.randrange(links)), ua=CHROME, ip=ip, **facts)


def unfurlers(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    """A reader passes a link on in chats: each program looks at it by itself, the reader's own clicks stay."""
    at = delivered + timedelta(seconds=chance.uniform(600, 7200))
    for agent in UNFURLERS:
        ip = f"3.5.{chance.randrange(256)}.8"
        yield Hit(at=at + timedelta(seconds=chance.uniform(0, 3)), link="5", ua=agent, ip=ip, **facts)


def rented(chance: random.Random, facts: dict[str, Any], delivered: datetime, links: int) -> Iterator[Hit]:
    """A small scanner on a rented server: one link, not at once. Nothing but its address gives it away."""
    ip = f"45.77.{chance.randrange(256)}.{chance.randrange(256)}"
    at = delivered + timedelta(seconds=chance.uniform(31, 119))
    yield Hit(at=at, link=str(chance.randrange(links)), ua=CHROME, ip=ip, **facts)


MACHINES = [gateway, unfurlers, safe_links, sweeper, trapped, damager, apple, header_bots, early]
