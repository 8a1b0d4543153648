"""Simulated readers at work: they react to what arrives in the inbox, as `habits` says they would.

They only ever GET and HEAD, and only addresses found in a mail or the story a redirect leads to.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from urllib.parse import urljoin, urlsplit

import httpx

from pipeline.demo.world.habits import Act, Sight, plan, sight
from pipeline.demo.world.inbox import Inbox, Mail

AT_ONCE = 8


@dataclass(slots=True)
class Counts:
    """What was done so far. `by_article` has people's clicks by the path they were led to."""

    opened: int = 0
    clicked: int = 0
    scanned: int = 0
    proxied: int = 0
    failed: int = 0
    strayed: int = 0
    by_article: Counter[str] = field(default_factory=Counter)


class Readers:
    """Watches `inbox` and lets readers react, at most AT_ONCE requests at a time.

    `clicking` is the share of people who follow one to three stories of a mail. `scale` multiplies every delay of
    people (0 makes them instant); machines do not wait in any case. `newsroom_url`, where given, is what
    redirects must lead to: others are counted as strayed; with `visiting` the story itself is fetched too.
    """

    def __init__(
        self,
        *,
        inbox: Inbox,
        seed: int | str,
        clicking: float = 0.35,
        scale: float = 1.0,
        newsroom_url: str | None = None,
        visiting: bool = False,
    ) -> None:
        self._inbox, self._seed, self._clicking, self._scale = inbox, str(seed), clicking, scale
        self._newsroom, self._visiting = newsroom_url, visiting
        self._counts, self._lock = Counts(), threading.Lock()
        self._due: list[tuple[float, int, Act]] = []
        self._turn, self._pending, self._seen = count(), 0, 0
        self._changed = threading.Condition(self._lock)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pool: ThreadPoolExecutor | None = None
        self._client: httpx.Client | None = None

    def start(self) -> None:
        """From the next mail on; mails already in the inbox are read too."""
        limits = httpx.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
        self._client = httpx.Client(limits=limits, timeout=10, trust_env=False, follow_redirects=False)
        self._pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="reader")
        self._stopping.clear()
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._watch, self._dispatch)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Nobody acts any more; requests under way are finished."""
        self._stopping.set()
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()
        if self._pool is not None and self._client is not None:
            self._pool.shutdown(cancel_futures=True)
            self._client.close()
        self._threads, self._pool, self._client = [], None, None

    @property
    def counts(self) -> Counts:
        """A copy of the present counts."""
        with self._lock:
            now = self._counts
            return Counts(
                now.opened,
                now.clicked,
                now.scanned,
                now.proxied,
                now.failed,
                now.strayed,
                now.by_article.copy(),
            )

    def settle(self, *, timeout_s: float) -> bool:
        """Wait until every mail received by now is read and every act done; False after `timeout_s` seconds."""
        received = self._inbox.total
        with self._changed:
            return self._changed.wait_for(lambda: self._seen >= received and self._pending == 0, timeout_s)

    def _watch(self) -> None:
        while not self._stopping.is_set():
            for mail in self._inbox.wait(after=self._seen, timeout_s=0.25):
                self._plan(mail)

    def _plan(self, mail: Mail) -> None:
        try:
            acts = plan(
                sight=_sight_of(mail),
                reader=mail.recipient,
                seed=self._seed,
                clicking=self._clicking,
                scale=self._scale,
            )
        except FileNotFoundError:  # crowded out of the inbox before anybody looked
            acts = ()
        now = time.monotonic()
        with self._changed:
            for act in acts:
                heapq.heappush(self._due, (now + act.after_s, next(self._turn), act))
            self._pending += len(acts)
            self._seen = mail.number
            self._changed.notify_all()

    def _dispatch(self) -> None:
        while not self._stopping.is_set():
            with self._changed:
                wait = self._due[0][0] - time.monotonic() if self._due else 0.25
                if wait > 0:
                    self._changed.wait(min(wait, 0.25))
                    continue
                act = heapq.heappop(self._due)[2]
            if self._pool is not None:
                self._pool.submit(self._do, act)

    def _do(self, act: Act) -> None:
        try:
            answer = self._fetch(act)
        except httpx.HTTPError:
            self._note(act, None)
        else:
            self._note(act, answer)

    def _fetch(self, act: Act) -> httpx.Response:
        if self._client is None:
            raise httpx.TransportError("readers have stopped")
        answer = self._client.request(act.method, act.url, headers=_headers(act))
        if self._visiting and act.kind == "click" and self._home(answer, act.url):
            self._client.get(urljoin(act.url, answer.headers["location"]), headers=_headers(act))
        return answer

    def _home(self, answer: httpx.Response, asked: str) -> str:
        """The path on the newsroom an answer redirects to, or nothing."""
        target = urljoin(asked, answer.headers.get("location", "")) if answer.has_redirect_location else ""
        if not target or (self._newsroom and not target.startswith(self._newsroom.rstrip("/") + "/")):
            return ""
        return urlsplit(target).path

    def _note(self, act: Act, answer: httpx.Response | None) -> None:
        with self._changed:
            self._pending -= 1
            if answer is None or answer.status_code >= 400:
                self._counts.failed += 1
            else:
                self._count(act, answer)
            self._changed.notify_all()

    def _count(self, act: Act, answer: httpx.Response) -> None:
        name = {"scan": "scanned", "proxy": "proxied", "open": "opened", "click": "clicked"}[act.kind]
        setattr(self._counts, name, getattr(self._counts, name) + 1)
        if act.kind == "click":
            home = self._home(answer, act.url)
            self._counts.by_article.update([home] if home else [])
            self._counts.strayed += not home


def _sight_of(mail: Mail) -> Sight:
    message = mail.message
    part = message.get_body(preferencelist=("html",))
    text = str(part.get_content()) if part is not None else ""
    return sight(html_text=text, unsubscribe=str(message.get("List-Unsubscribe", "")))


def _headers(act: Act) -> dict[str, str]:
    """As a browser or machine sends them; the address travels as a proxy in front of Dateline would tell it."""
    told = {"User-Agent": act.agent, "X-Forwarded-For": act.address, "Accept-Encoding": "gzip"}
    if act.kind == "click":
        told |= {
            "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
            "Accept-Language": act.language,
            "Upgrade-Insecure-Requests": "1",
            "Sec-Fetch-Mode": "navigate",
            "Sec-Fetch-Dest": "document",
        }
    return told
