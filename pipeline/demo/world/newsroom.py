"""The Meridian Dispatch: a pretend WordPress magazine of diplomatic news, with a feed that behaves like one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import md5
from itertools import count

import httpx
from markupsafe import Markup

from pipeline.demo.world.pictures import picture
from pipeline.demo.world.serving import Answer, LocalServer, Request, redirect, stylesheet, templates
from pipeline.demo.world.stories import Story, authors, dateline, follow_up, slugify, stories

TITLE = "The Meridian Dispatch"
TAGLINE = "Diplomatic news from where it happens"
#: Items in one page of the feed (WordPress shows 10 unless its owner says otherwise).
FEED_ITEMS = 15
FIRST_NUMBER = 4101
#: Seconds the Most Popular fragment may take, and seconds it is kept.
POPULAR_WAIT_S, POPULAR_KEPT_S = 1.0, 5.0
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Release:
    """A story with its WordPress number and date; `also` is the story its "Also read" line points to."""

    number: int
    story: Story
    published_at: datetime
    also: Story | None

    @property
    def path(self) -> str:
        return f"/{self.story.slug}/"

    @property
    def guid_path(self) -> str:
        return f"/?p={self.number}"

    @property
    def image_path(self) -> str:
        return f"/wp-content/uploads/{self.published_at:%Y/%m}/{self.story.slug}.png"

    @property
    def dateline(self) -> str:
        return dateline(self.story, day=self.published_at.date())


class Newsroom:
    """Serves the magazine on 127.0.0.1.

    `archive` stories carry dates from two days ago back; the rest come out by `publish_next`, or one every
    `interval_s` seconds when that is above zero. `clock` gives aware UTC instants. `popular_url` may be set at
    any time: the page it names is put into the Most Popular box, or nothing where it does not answer.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        interval_s: float = 0,
        archive: int = 14,
        popular_url: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.popular_url = popular_url
        self._interval_s, self._clock = interval_s, clock
        self._server = LocalServer(answer=self._answer, port=port, name="newsroom")
        self._pages = templates("newsroom")
        self._pages.globals.update(title=TITLE, tagline=TAGLINE, slugify=slugify, rfc822=_rfc822)
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._editor: threading.Thread | None = None
        self._popular = _Fragment()
        self._stock, self._follow_ups = list(stories()[archive:]), count()
        self._released: list[Release] = []
        started_at = clock()
        for age, story in zip(range(archive - 1, -1, -1), stories(), strict=False):
            self._release(story, at=started_at - timedelta(hours=50 + 31 * age, minutes=17 * age))

    @property
    def url(self) -> str:
        return self._server.url

    @property
    def published(self) -> list[Release]:
        """Every release, oldest first."""
        with self._lock:
            return list(self._released)

    def start(self) -> None:
        """Bind, serve, and publish at the interval. Raises OSError where the port is taken."""
        self._stopping.clear()
        self._server.start()
        if self._interval_s > 0:
            self._editor = threading.Thread(target=self._edit, name="newsroom-editor", daemon=True)
            self._editor.start()

    def stop(self) -> None:
        """Stop publishing and release the port."""
        self._stopping.set()
        if self._editor is not None:
            self._editor.join()
            self._editor = None
        self._server.stop()

    def publish_next(self, now: datetime) -> Release:
        """The next story, dated `now`; when the stock is used up, a follow-up written from facts of two others.

        Two releases never share a second: WordPress tells its feed's age in whole seconds, so a reader who
        looked between them would be answered 304 until the next change (`the watching reference`, finding 2).
        """
        with self._lock:
            story = self._stock.pop(0) if self._stock else follow_up(number=next(self._follow_ups))
            last = self._released[-1].published_at if self._released else None
            at = now.astimezone(UTC).replace(microsecond=0)
            return self._release(story, at=max(at, last + timedelta(seconds=1)) if last else at)

    def _release(self, story: Story, *, at: datetime) -> Release:
        out = {release.story.slug: release.story for release in self._released}
        also = out.get(story.related) or next(reversed(out.values()), None)
        number = FIRST_NUMBER + 7 * len(self._released)
        release = Release(number, story, at.astimezone(UTC).replace(microsecond=0), also)
        self._released.append(release)
        return release

    def _edit(self) -> None:
        while not self._stopping.wait(self._interval_s):
            self.publish_next(self._clock())

    def _newest(self) -> list[Release]:
        return sorted(self.published, key=lambda release: release.published_at, reverse=True)

    def _answer(self, request: Request) -> Answer:
        if request.method != "GET":
            return Answer(b"Method not allowed", 405, _TEXT, (("Allow", "GET, HEAD"),))
        for shape, reply in (
            ("/feed/", self._feed),
            ("/category/", self._section),
            ("/author/", self._author),
            ("/wp-content/uploads/", self._image),
        ):
            if request.path.startswith(shape):
                return reply(request)
        return self._page(request)

    def _page(self, request: Request) -> Answer:
        if request.path == "/":
            return self._short_link(request.query["p"]) if "p" in request.query else self._front()
        fixed = {
            "/look.css": lambda: stylesheet("newsroom"),
            "/about/": lambda: self._shown("about.html", None, canonical="/about/"),
            "/robots.txt": lambda: Answer(b"User-agent: *\nDisallow: /wp-admin/\n", kind=_TEXT),
            "/feed": lambda: redirect("/feed/", status=301),
        }
        return fixed[request.path]() if request.path in fixed else self._article(request.path)

    def _front(self) -> Answer:
        newest = self._newest()
        pictured = next((release for release in newest[:4] if release.story.image), newest[0] if newest else None)
        rest = [release for release in newest if release is not pictured]
        return self._shown("front.html", None, canonical="/", lead=pictured, releases=rest[:18])

    def _short_link(self, number: str) -> Answer:
        """WordPress answers `?p=` with a permanent redirect to the story's address."""
        found = next((release for release in self.published if str(release.number) == number), None)
        return redirect(self.url + found.path, status=301) if found else self._missing()

    def _article(self, path: str) -> Answer:
        found = next((release for release in self.published if release.path == path), None)
        if found is None:
            slashed = next((release for release in self.published if release.path == path + "/"), None)
            return redirect(self.url + slashed.path, status=301) if slashed else self._missing()
        others = [release for release in self._newest() if release is not found]
        near = [release for release in others if release.story.section[0] == found.story.section[0]]
        bio = authors().get(found.story.author, "")
        return self._shown("article.html", found, canonical=path, near=(near or others)[:3], bio=bio)

    def _section(self, request: Request) -> Answer:
        slugs = [slug for slug in request.path.removeprefix("/category/").split("/") if slug]
        names = next((names for names in self._sections() if [slugify(name) for name in names] == slugs), None)
        if names is None:
            return self._missing()
        inside = [release for release in self._newest() if release.story.section[: len(names)] == names]
        return self._shown("listing.html", None, canonical=request.path, trail=names, note="", releases=inside)

    def _author(self, request: Request) -> Answer:
        slug = request.path.removeprefix("/author/").strip("/")
        name = next((name for name in authors() if slugify(name) == slug), None)
        if name is None:
            return self._missing()
        by = [release for release in self._newest() if release.story.author == name]
        note = authors()[name]
        return self._shown("listing.html", None, canonical=request.path, trail=(name,), note=note, releases=by)

    def _sections(self) -> list[tuple[str, ...]]:
        """Every section and its parents, in order of first appearance in the stock."""
        paths = (story.section[:depth] for story in stories() for depth in range(1, len(story.section) + 1))
        return list(dict.fromkeys(paths))

    def _missing(self) -> Answer:
        return self._shown("missing.html", None, status=404, canonical="/")

    def _shown(
        self, name: str, release: Release | None, *, status: int = 200, canonical: str, **data: object
    ) -> Answer:
        body = self._pages.get_template(name).render(
            base=self.url,
            canonical=self.url + canonical,
            sections=self._sections(),
            popular=Markup(self._popular.html(self.popular_url)),  # noqa: S704 - Dateline's own fragment
            year=self._clock().year,
            release=release,
            **data,
        )
        links = (("Link", f"<{self.url}{release.guid_path}>; rel=shortlink"),) if release else ()
        return Answer(body.encode(), status, headers=links)

    def _image(self, request: Request) -> Answer:
        found = next((each for each in self.published if each.image_path == request.path), None)
        if found is None or found.story.image is None:
            return self._missing()
        png = picture(kind=found.story.image.kind, seed=found.story.slug)
        return Answer(png, kind="image/png", headers=(("Cache-Control", "public, max-age=86400"),))

    def _feed(self, request: Request) -> Answer:
        newest = self._newest()
        page = int(request.query.get("paged", "1")) if request.query.get("paged", "1").isdigit() else 1
        items = newest[(page - 1) * FEED_ITEMS : page * FEED_ITEMS]
        if request.path != "/feed/" or not items:
            return self._missing()
        changed_at = newest[0].published_at
        headers = (("Last-Modified", _rfc822(changed_at)), ("ETag", _etag(changed_at)))
        if _unchanged(request, changed_at):
            return Answer(status=304, headers=headers)
        body = self._pages.get_template("feed.xml").render(base=self.url, items=items, changed_at=changed_at)
        return Answer(body.encode(), kind="application/rss+xml; charset=UTF-8", headers=headers)


class _Fragment:
    """The Most Popular box, fetched at most once in POPULAR_KEPT_S."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept, self._until = "", 0.0

    def html(self, url: str | None) -> str:
        if url is None:
            return ""
        with self._lock:
            if time.monotonic() >= self._until:
                self._kept = self._fetched(url)
                self._until = time.monotonic() + POPULAR_KEPT_S
            return self._kept

    def _fetched(self, url: str) -> str:
        try:
            answer = httpx.get(url, timeout=POPULAR_WAIT_S, trust_env=False)
        except httpx.HTTPError:
            return ""
        return answer.text if answer.is_success else ""


def _rfc822(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


def _etag(moment: datetime) -> str:
    """WordPress hashes the Last-Modified line itself (class-wp.php, send_headers)."""
    return f'"{md5(_rfc822(moment).encode(), usedforsecurity=False).hexdigest()}"'


def _unchanged(request: Request, changed_at: datetime) -> bool:
    """WordPress's rule: with both validators both must agree; a list or a weak ETag never matches."""
    etag, since = request.headers.get("if-none-match"), _moment(request.headers.get("if-modified-since"))
    same, fresh = etag == _etag(changed_at), since is not None and since >= changed_at
    return same and fresh if etag is not None and since is not None else same or fresh


def _moment(header: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(header).astimezone(UTC) if header else None
    except ValueError:
        return None
