"""Write the twelve acceptance cases as folders for `dateline replay`: python -m tests.samples.make_replays"""

from __future__ import annotations

import json
import shutil
from datetime import datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from pipeline.sources.formats import wordpress
from tests.factories.acceptance import CASES, Case
from tests.factories.paper import START, Paper, Story
from tests.factories.sites import Asked, Reply

REPLAYS = Path(__file__).parent / "replays"
SECOND_LOOK = timedelta(seconds=60)
#: More stories than this at once are no news whose pages anybody would look at.
READ_AT_MOST = 5


class Recorder:
    """Looks at a paper as Dateline does, and keeps every answer."""

    def __init__(self) -> None:
        self.paper = Paper("https://gazette.example/")
        self.now = START
        self.tape: list[bytes] = []
        self._etag = ""
        self._root = f"{self.paper.url}wp-json/"
        self._known: set[str] = set()
        self._news: dict[str, datetime | None] = {}
        self._looked_at = START

    def wait(self, *, minutes: float) -> None:
        """Pages of new stories are looked at once more when these have settled."""
        until = self.now + timedelta(minutes=minutes)
        for link, due in sorted(self._news.items(), key=lambda pair: (pair[1] or until, pair[0])):
            if due and due <= until:
                self.now = due
                self._get(link)
                self._news[link] = None
        self.now = until

    def look(self, *ways: str) -> None:
        shown: list[Story] = []
        for way in ways:
            shown += self._feed() if way == "feed" else self._rest()
        self._looked_at = self.now
        fresh = [story for story in dict.fromkeys(map(self.paper.link, shown)) if story not in self._known]
        self._known |= set(fresh)
        if len(fresh) <= READ_AT_MOST:
            for link in fresh:
                self._get(link)
                self._news[link] = self.now + SECOND_LOOK
        living = {self.paper.link(story) for story in self.paper.stories}
        for link in [link for link in self._news if link not in living and not self.paper.blocked]:
            self._get(link)

    def look_anew(self, *ways: str) -> None:
        self._etag = ""
        self.look(*ways)

    def _feed(self) -> list[Story]:
        reply = self._get(f"{self.paper.url}feed/", sent=self._etag)
        self._etag = reply.headers.get("ETag", self._etag)
        return self._shown(reply)

    def _rest(self) -> list[Story]:
        """The newest, further pages down to a known post, and what was modified since the last look."""
        shown = self._shown(self._get(wordpress.newest(self._root)))
        page = 1
        while shown and self.paper.link(shown[-1]) not in self._known and len(shown) < len(self.paper.stories):
            found = self._shown(self._get(wordpress.newest(self._root, count=100, page=page)))
            shown += [story for story in found if story not in shown]
            page += 1
        self._get(wordpress.modified_since(self._root, since=self._looked_at - timedelta(minutes=15)))
        return shown

    def _shown(self, reply: Reply) -> list[Story]:
        """In the order of the answer."""
        body = reply.body.decode()
        shown = [
            story
            for story in self.paper.stories
            if f"{self.paper.link(story)}<" in body or f'"{self.paper.link(story)}"' in body
        ]
        return sorted(shown, key=lambda story: body.index(self.paper.link(story)))

    def _get(self, url: str, *, sent: str = "") -> Reply:
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        reply = self.paper.answer(Asked(parts.path, query, {"if-none-match": sent} if sent else {}))
        words = {200: "OK", 301: "Moved Permanently", 304: "Not Modified", 404: "Not Found"}[reply.status]
        head = [
            f"HTTP/1.1 {reply.status} {words}",
            f"Date: {format_datetime(self.now, usegmt=True)}",
            f"X-Dateline-Url: {url}",
        ]
        head += [f"{name}: {value}" for name, value in reply.headers.items()]
        self.tape.append("\r\n".join([*head, "", ""]).encode() + reply.body)
        return reply


def files_of(case: Case) -> dict[str, bytes]:
    """File name -> content of a case's folder."""
    recorder = Recorder()
    case.play(recorder)
    expected = json.dumps({"case": case.tells, "expects": case.expects}, indent=2) + "\n"
    numbered = {f"{number:04}.http": answer for number, answer in enumerate(recorder.tape, 1)}
    return {**numbered, "expected.json": expected.encode()}


def write() -> None:
    """Every folder anew."""
    shutil.rmtree(REPLAYS, ignore_errors=True)
    for case in CASES:
        folder = REPLAYS / case.name
        folder.mkdir(parents=True)
        for name, content in files_of(case).items():
            (folder / name).write_bytes(content)


if __name__ == "__main__":
    write()
