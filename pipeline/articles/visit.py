"""Going to a story's page: what came back, and what it says."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from pipeline.articles.gates.likeness import is_page_of
from pipeline.articles.identity import telling
from pipeline.articles.models import Article
from pipeline.articles.page.witnesses import Entry
from pipeline.articles.read import Reading, UnusableInput, read, read_entry
from pipeline.kernel.limits import TooMuchCpu, cpu_seconds
from pipeline.kernel.outbound.client import client as our_client
from pipeline.kernel.outbound.http import Answer, Client, FetchError

log = logging.getLogger("dateline.articles")

PAGE_BYTES = 5_000_000
CPU_S = 10
MISSING = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Visit:
    """`status` is 0 where nothing answered; `reading` is None where there was no story to read."""

    status: int
    final_url: str = ""
    reading: Reading | None = None

    @property
    def is_missing(self) -> bool:
        """The site says that there is no such page. A refusal, a fault or a block page does not say that."""
        return self.status in MISSING

    @property
    def is_unreachable(self) -> bool:
        """Nothing was learned: no answer, or the server's own fault."""
        return self.status == 0 or self.status >= 500 or self.status == 429


def visit(article: Article, *, client: Client | None = None, is_first: bool = False) -> Visit:
    """Fetch an article's page and read it. At the first visit what its channel told is one of the witnesses; later
    that may be older than the page. A stranger's page is left alone where its channel told the story whole."""
    if not article.source.is_ours and (reading := told(article)):
        return Visit(200, article.url, reading)
    try:
        answer = (client or our_client()).get(article.url, limit_bytes=PAGE_BYTES)
    except FetchError as error:
        log.info("%s could not be read: %s", article.url, error)
        return Visit(0)
    if answer.status != 200:
        log.info("%s answered %s", article.url, answer.status)
        return Visit(answer.status, answer.final_url)
    return Visit(200, answer.final_url, _read(article, answer, entry=telling.entry_of(article) if is_first else None))


def told(article: Article) -> Reading | None:
    """The story as its channel told it whole, or None where only its page has it."""
    entry = telling.entry_of(article)
    if entry is None or not entry.is_whole:
        return None
    try:
        with cpu_seconds(CPU_S):
            return read_entry(entry, url=article.url, zone=ZoneInfo(article.source.zone))
    except (UnusableInput, TooMuchCpu) as error:
        log.info("%s: %s", article.url, error)
        return None


def _read(article: Article, answer: Answer, *, entry: Entry | None) -> Reading | None:
    zone = ZoneInfo(article.source.zone)
    try:
        with cpu_seconds(CPU_S):
            reading = read(answer.body, url=answer.final_url, headers=answer.headers, entry=entry, zone=zone)
    except (UnusableInput, TooMuchCpu) as error:
        log.info("%s: %s", answer.final_url, error)
        return None
    return reading if is_page_of(article.headline, title=reading.title or "", text=reading.text) else None
