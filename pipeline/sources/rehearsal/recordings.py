"""A folder of recorded answers, in order, each with its time, its address and what it can tell. Bodies stay on disk."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipeline.articles.addresses import normalise
from pipeline.articles.raw import dates
from pipeline.articles.raw.markup import UnusableInput
from pipeline.sources.rehearsal import answers, wire
from pipeline.sources.rehearsal.answers import Kind
from pipeline.sources.rehearsal.wire import Answer

MAX_FILES = 10_000
#: Between answers of which nobody noted the time.
APART = timedelta(seconds=60)
_NUMBER = re.compile(r"\d{1,18}")
_BUILT = re.compile(rb"<(lastBuildDate|updated|pubDate|published|dc:date|lastmod)\b[^<>]*>([^<]{1,100})<")
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One answer without its body. `at` is aware UTC and never before the answer before it.

    `kind` None is an answer that tells nothing: an error or a block page in place of a list.
    """

    path: Path
    status: int
    headers: dict[str, str] = field(repr=False)
    at: datetime
    kind: Kind | None
    url: str | None
    final_url: str | None
    warnings: tuple[str, ...] = ()

    def body(self) -> bytes:
        """Read and decoded anew at every call."""
        return wire.answer(content(self.path)).body

    @property
    def is_list(self) -> bool:
        return self.kind is not None and self.kind is not Kind.PAGE


def read(folder: Path) -> list[Recording]:
    """Every recording of a folder in the order of their numbers.

    Raises UnusableInput where there is no folder, no numbered file, or nothing in them that a site could have sent.
    """
    found: list[Recording] = []
    for path in _numbered(folder):
        found.append(_recording(path, wire.answer(content(path)), found[-1] if found else None))
    if not any(one.kind or one.status != 200 for one in found):
        raise UnusableInput(
            f"{found[0].path}: neither a feed, REST posts, a sitemap nor a page; nor is any file after it"
        )
    return list(_told_apart(found))


def content(path: Path) -> bytes:
    """A file's bytes, with room for its headers. Raises UnusableInput."""
    try:
        with path.open("rb") as file:
            return file.read(wire.MAX_BYTES + 100_000)
    except (OSError, ValueError) as error:
        raise UnusableInput(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _numbered(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UnusableInput(f"{folder}: not a folder of recorded responses")
    numbered = [(int(match[0]), path.name) for path in folder.iterdir() if (match := _NUMBER.match(path.name))]
    paths = [folder / name for _, name in sorted(numbered) if (folder / name).is_file()]
    if not paths:
        raise UnusableInput(f"{folder}: holds no files whose names begin with a number, like 0001.http")
    if len(paths) > MAX_FILES:
        raise UnusableInput(f"{folder}: more than {MAX_FILES:,} responses")
    return paths


def _recording(path: Path, said: Answer, before: Recording | None) -> Recording:
    warnings = list(said.warnings)
    at = _time(said, before, warnings)
    seems = answers.kind_of(said.body, url=said.url) if said.status == 200 else None
    kind = _declared(said, warnings) or seems
    url, final_url = said.url, said.final_url
    if kind is Kind.PAGE and url is None:
        url = final_url = answers.canonical(said.body, said.headers)
    return Recording(
        path=path, status=said.status, headers=said.headers, at=at, kind=kind, url=url, final_url=final_url,
        warnings=tuple(f"{path.name}: {warning}" for warning in warnings),
    )  # fmt: skip


def _declared(said: Answer, warnings: list[str]) -> Kind | None:
    name = said.headers.get("x-dateline-kind", "").lower()
    if not name or name in set(Kind):
        return Kind(name) if name else None
    warnings.append(f"X-Dateline-Kind {name[:40]!r} is none of {', '.join(Kind)}")
    return None


def _time(said: Answer, before: Recording | None, warnings: list[str]) -> datetime:
    noted = dates.parse(said.headers.get("x-dateline-at") or said.headers.get("date") or "")
    if noted is None:
        warnings.append("neither X-Dateline-At nor Date says when: a minute after the one before, or when it was built")
        return _guessed(said.body, before)
    at = noted.at.astimezone(UTC)
    if before and at < before.at:
        warnings.append("it is older than the one before: taken as of the same time")
        return before.at
    return at


def _guessed(body: bytes, before: Recording | None) -> datetime:
    """The newest date a first list names; afterwards a minute more, or when the list says it was built."""
    named = (dates.parse(text.decode("latin-1")) for _, text in _BUILT.findall(body[:2_000_000])[:2_000])
    moments = [moment.at.astimezone(UTC) for moment in named if moment]
    newest = max(moments, default=_LONG_AGO)
    if before is None:
        return newest
    return max(before.at + APART, newest) if newest < before.at + timedelta(days=31) else before.at + APART


def _told_apart(found: Iterable[Recording]) -> Iterator[Recording]:
    """A web page or an error at the address of a list is a look that failed; at a story's it tells of the story."""
    found = list(found)
    lists = {normalise(one.url) for one in found if one.is_list and one.url}
    for one in found:
        if one.kind is Kind.PAGE and "x-dateline-kind" not in one.headers and not _is_of_story(one.url, lists):
            yield replace(one, kind=None)
        elif one.kind is None and one.status not in (200, 304) and _is_of_story(one.url, lists):
            yield replace(one, kind=Kind.PAGE)
        elif one.kind is None and answers.post_of(one.url):
            yield replace(one, kind=Kind.REST)
        else:
            yield one


def _is_of_story(url: str | None, lists: set[str]) -> bool:
    return url is not None and normalise(url) not in lists and not answers.is_list_address(url)
