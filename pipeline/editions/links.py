"""Whether what an edition links to answers: asked of the sites once it is ready, within seconds, and remembered a while."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from pipeline.editions.assemble import content_of
from pipeline.editions.content import EditionContent
from pipeline.editions.findings.pictures import HEAVY_BYTES
from pipeline.editions.models import Edition, Rendering
from pipeline.editions.preflight import ASKED, BLOCK, CONFIRM, NOTE, Facts, as_json, asked
from pipeline.editions.rendered import Doors
from pipeline.kernel.config import config
from pipeline.kernel.outbound.http import Client, FetchError, TooLarge
from pipeline.kernel.queue import Job, ring

RING_AFTER = timedelta(seconds=20)
#: Seconds one address may take, and all of them together.
LONGEST_ANSWER_S, LONGEST_LOOK_S = 5.0, 15.0
MOST_AT_ONCE = 12
#: Addresses asked for one edition; what is beyond is not judged.
MOST_ADDRESSES = 200
REMEMBERED = timedelta(minutes=10)
_MOST_REMEMBERED = 5_000
_LARGEST_PAGE = 1_000_000
#: What sites say to machines they do not know, and often not to people.
_PERHAPS_ONLY_US = frozenset({401, 403, 405, 429, 503})


@dataclass(frozen=True, slots=True)
class Looked:
    """What did not answer as it should, by address and in words. What was not asked in time is in none of them."""

    dead: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    heavy: dict[str, int] = field(default_factory=dict)  #: bytes, at least


@dataclass(frozen=True, slots=True)
class _Told:
    said: str = ""  #: "" for a good answer
    weight: int = 0


Key = tuple[str, bool]
_known: dict[Key, tuple[datetime, _Told]] = {}
_lock = threading.Lock()


def ask(*, edition_id: int, now: datetime) -> int | None:
    """Ask the sites about a ready edition and keep what they told in its preflight; how many findings that made.

    None where the edition is not ready, or was changed meanwhile. Takes at most 15 s and holds no row while it waits:
    call it outside a transaction.
    """
    edition = Edition.objects.select_related("newsletter").filter(id=edition_id, state=Edition.State.READY).first()
    if edition is None:
        return None
    content = content_of(edition)
    with _client() as client:
        looked = look(content, client=client, now=now)
    facts = Facts(
        doors=Doors.at(track=config().track_url, public=config().site_url),
        dead_links=looked.dead,
        missing_pictures=looked.missing,
        heavy_pictures=looked.heavy,
    )
    return _keep(edition, as_json(asked(content, facts=facts)), now=now)


def sweep(*, now: datetime) -> int:
    """Ring for ready editions whose addresses nobody has asked yet; how many."""
    since = now - RING_AFTER
    waiting = Edition.objects.filter(state=Edition.State.READY, composed_at__lt=since, rendering__asked_at=None)
    ids = list(waiting.order_by("slot_at").values_list("id", flat=True)[:20])
    for edition_id in ids:
        ring(Job.EDITIONS_ASK, edition_id=edition_id)
    return len(ids)


@transaction.atomic
def _keep(edition: Edition, told: list[dict[str, Any]], *, now: datetime) -> int | None:
    row = Edition.objects.select_for_update(of=("self",)).filter(id=edition.id, revision=edition.revision).first()
    if row is None or row.state != Edition.State.READY:
        return None
    order = (BLOCK, CONFIRM, NOTE)
    kept = [finding for finding in row.preflight if finding["code"] not in ASKED]
    row.preflight = sorted([*kept, *told], key=lambda finding: order.index(finding["level"]))
    row.save(update_fields=["preflight"])
    Rendering.objects.filter(edition_id=row.id).update(asked_at=now)
    return len(told)


def _client() -> Client:
    """A client in more of a hurry than the one that reads articles."""
    return Client(
        site_url=config().site_url,
        allow=config().fetch_allow,
        io_s=LONGEST_ANSWER_S,
        wall_s=LONGEST_ANSWER_S,
    )


def look(content: EditionContent, *, client: Client, now: datetime, at_most_s: float = LONGEST_LOOK_S) -> Looked:
    """What the stories' pages and pictures answer, each asked once; answers of the last ten minutes are believed."""
    keys = list(dict.fromkeys(_addresses(content)))[:MOST_ADDRESSES]
    told = {key: known for key in keys if (known := _remembered(key, now=now)) is not None}
    told |= _asked([key for key in keys if key not in told], client=client, now=now, at_most_s=at_most_s)
    looked = Looked()
    for (url, is_picture), answer in told.items():
        if answer.weight:
            looked.heavy[url] = answer.weight
        elif answer.said:
            (looked.missing if is_picture else looked.dead)[url] = answer.said
    return looked


def _addresses(content: EditionContent) -> Iterator[Key]:
    for story in content.stories():
        if story.url:
            yield story.url, False
        if story.picture is not None:
            yield story.picture.url, True


def _asked(keys: Iterable[Key], *, client: Client, now: datetime, at_most_s: float) -> dict[Key, _Told]:
    """The answers that came in time. Threads left behind end by themselves, each within its own few seconds."""
    pool = ThreadPoolExecutor(max_workers=MOST_AT_ONCE, thread_name_prefix="links")
    try:
        waiting = {pool.submit(_answer, key, client): key for key in keys}
        done, _ = wait(waiting, timeout=at_most_s)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    told = {waiting[future]: future.result() for future in done}
    with _lock:
        if len(_known) + len(told) > _MOST_REMEMBERED:
            _known.clear()
        _known.update({key: (now, answer) for key, answer in told.items()})
    return told


def _remembered(key: Key, *, now: datetime) -> _Told | None:
    with _lock:
        at, told = _known.get(key, (now, None))
    return told if now - at < REMEMBERED else None


def _answer(key: Key, client: Client) -> _Told:
    url, is_picture = key
    try:
        answer = client.get(url, limit_bytes=HEAVY_BYTES if is_picture else _LARGEST_PAGE)
    except TooLarge:
        return _Told(weight=HEAVY_BYTES) if is_picture else _Told()
    except FetchError as error:
        return _Told(said=str(error))
    if not 200 <= answer.status < 300:
        doubt = ", perhaps only to us" if answer.status in _PERHAPS_ONLY_US else ""
        return _Told(said=f"it answers {answer.status}{doubt}")
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if is_picture and not kind.startswith("image/"):
        return _Told(said=f"it is {kind or 'nothing we know'}, not a picture")
    return _Told()
