"""Asking a site: one request at a time, every answer that is no answer turned into a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from pipeline.articles.raw.markup import UnusableInput
from pipeline.kernel.limits import TooMuchCpu, cpu_seconds
from pipeline.kernel.outbound.http import Answer, Client, FetchError, Validators, retry_after_s
from pipeline.sources.formats.entries import Entry
from pipeline.sources.looks.conditional import Held

LIMIT_BYTES = 10_000_000
PARSE_CPU_S = 10.0
GAP_S = 1.0  #: between two requests for further pages, and between any two to a stranger
#: The longest that one more request and its reading may take; no other is begun when less of the lease is left.
ONE_MORE_S = 45.0
GONE, REFUSED = 410, frozenset({401, 403})
Read = TypeVar("Read")


class Failed(Exception):
    """A look that told nothing. The message is the sentence for the source; `is_gone` and `is_refused` go deeper."""

    def __init__(
        self,
        why: str,
        *,
        status: int = 0,
        wait_s: float | None = None,
        is_gone: bool = False,
        is_refused: bool = False,
    ) -> None:
        super().__init__(why)
        self.why, self.status, self.wait_s = why, status, wait_s
        self.is_gone, self.is_refused = is_gone, is_refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What one good look brought; nothing of it is kept yet.

    `digest` is "" for a 304 and `is_same` says that there is nothing in it we have not read. `archive` was there all
    along and is never news. `total` is X-WP-Total, `listed` how many posts new to us could explain its growth.
    `lacking` are posts of ours that the list should hold.
    """

    status: int
    is_full: bool
    held: Held = field(default_factory=Held)
    digest: str = ""
    is_same: bool = False
    entries: tuple[Entry, ...] = ()
    archive: tuple[Entry, ...] = ()
    note: str = ""
    moved_to: str | None = None
    generator: str = ""
    total: int | None = None
    listed: int = 0
    lacking: tuple[int, ...] = ()


@dataclass(slots=True, kw_only=True)
class Asker:
    """One look's way to the network. `lease_s` bounds how long it may go on asking."""

    client: Client
    now: datetime
    lease_s: float
    gap_s: float = GAP_S
    is_stranger: bool = False
    _began: float = field(default_factory=time.monotonic)
    _asked: int = 0

    def get(self, url: str, *, sent: Validators | None = None) -> Answer:
        """A 200, or the 304 we asked for. Raises Failed for everything else."""
        if self.is_stranger and self._asked:
            time.sleep(self.gap_s)
        self._asked += 1
        try:
            answer = self.client.get(url, validators=sent, limit_bytes=LIMIT_BYTES)
        except FetchError as error:
            raise Failed(str(error)) from error
        if answer.status == 200 or (answer.not_modified and sent is not None and sent.headers()):
            return answer
        raise Failed(
            _sentence(answer.status),
            status=answer.status,
            wait_s=retry_after_s(answer.headers, now=self.now),
            is_gone=answer.status == GONE,
            is_refused=answer.status in REFUSED,
        )

    def get_further(self, url: str) -> Answer | None:
        """One more page after a pause; None when the lease leaves no time for it."""
        if time.monotonic() - self._began > self.lease_s - ONE_MORE_S:
            return None
        if not self.is_stranger:
            time.sleep(self.gap_s)
        return self.get(url)


def parsed(read: Callable[[], Read], *, refused_if_unusable: bool = False) -> Read:
    """What a reader makes of an answer, under the CPU limit. Raises Failed where it makes nothing of it."""
    try:
        with cpu_seconds(PARSE_CPU_S):
            return read()
    except UnusableInput as error:
        raise Failed(str(error), status=200, is_refused=refused_if_unusable) from error
    except TooMuchCpu as error:
        raise Failed(f"reading what the site sent was given up: {error}", status=200) from error


def _sentence(status: int) -> str:
    if status == GONE:
        return "the site answered 410: this address is gone for good"
    return f"the site answered {status}"
