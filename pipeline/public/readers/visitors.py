"""Who asks, as far as we want to know: a cut network, a place, a language."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from django.http import HttpRequest

from pipeline.audience import words
from pipeline.editions.models import Newsletter
from pipeline.kernel.config import config


def network_of(request: HttpRequest) -> str:
    """The sender's /24 or /48; "" where there is none. Proxies are believed as far as DATELINE_TRUSTED_HOPS says."""
    hops = config().trusted_hops
    passed = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    told = passed[-hops] if 0 < hops <= len(passed) else request.META.get("REMOTE_ADDR", "")
    try:
        size = 24 if ip_address(told).version == 4 else 48
        return str(ip_network(f"{told}/{size}", strict=False))
    except ValueError:
        return ""


def origin_of(request: HttpRequest) -> str:
    """The page a form stood on, without its query; our own address where a browser does not say."""
    said = request.headers.get("Referer") or request.headers.get("Origin") or ""
    try:
        parts = urlsplit(said)
    except ValueError:
        parts = urlsplit("")
    there = f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.scheme in ("http", "https") else ""
    printable = "".join(character for character in there if character.isprintable())
    return (printable or f"{config().site_url}{request.path}")[:120]


def language_of(request: HttpRequest, *, known: str = "") -> words.Words:
    """What was asked for by ?lang=, else what the reader chose, else what the browser likes."""
    asked = request.GET.get("lang", "")
    if words.is_offered(asked):
        return words.words(asked)
    return words.words(known or words.preferred(request.headers.get("Accept-Language", "")))


def publisher() -> str:
    """Who answers for the mail of this house."""
    first = Newsletter.objects.filter(state=Newsletter.State.ACTIVE).order_by("id").values_list("from_name", flat=True)
    return next(iter(first[:1]), "Dateline")
