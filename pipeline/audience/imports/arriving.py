"""Files handed in at the desk: kept until they are in, entered by a worker in slices, gone afterwards.

The file lies in the data directory under its digest, so a killed worker, or the same file handed in again, goes on
where it stopped.
"""

from __future__ import annotations

import logging
import re
import shutil
import tempfile
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from django.db import transaction
from django.db.models.functions import Coalesce

from pipeline.audience.imports import enter, tables
from pipeline.audience.imports.sheets import Unreadable
from pipeline.audience.models import Import, ImportFault, Topic
from pipeline.kernel.config import config
from pipeline.kernel.queue import Job, wake
from pipeline.staff.journal import note
from pipeline.staff.models import User

log = logging.getLogger("dateline.audience")
LARGEST = 200 * 1024 * 1024  #: bytes of a file; a million readers are a quarter of it
SLICE_S = 20  #: other slow work goes between two slices
REHEARSAL_S = 100  #: a rehearsal cannot be divided, and a task has two minutes
#: Refused rows name people who are no readers: they are mended soon or never. The numbers of an import stay longer.
FAULTS_KEPT, IMPORTS_KEPT = timedelta(days=30), timedelta(days=400)
PORTION = 5_000
KEPT = timedelta(days=7)  #: a rehearsed file waits so long for its yes, a stopped one for someone to go on
TOO_LONG = (
    "It is too long to be rehearsed here; what was found so far stands below. "
    "`dateline import-subscribers --dry-run` has no limit."
)
State = Import.State


class TooLarge(ValueError):
    """The file is larger than LARGEST; nothing of it was kept."""


def receive(
    *, portions: Iterable[bytes], name: str, topic: Topic, rehearse: bool, actor: User, now: datetime
) -> Import:  # fmt: skip
    """Keep a file and have it entered. Raises Unreadable where no column holds addresses, and TooLarge."""
    folder = _folder()
    with tempfile.TemporaryDirectory(dir=folder) as place:
        file = Path(place) / _plain(name)
        lines = _written(file, portions)
        layout, digest = enter.layout_of(file), tables.scan(file).digest
        (folder / digest.hex()).mkdir(mode=0o700, exist_ok=True)
        file.replace(folder / digest.hex() / file.name)
    with transaction.atomic():
        row = _row(digest, file.name, layout, topic=topic, rehearse=rehearse, lines=lines, now=now)
        note(
            verb="rehearse import" if rehearse else "import", subject="import", subject_id=row.id, now=now, actor=actor,
            file=row.name, topic=topic.slug,
        )  # fmt: skip
        wake(Job.AUDIENCE_IMPORT)
    return row


def go_on(*, import_id: int, actor: User, now: datetime) -> bool:
    """Enter the rest of what was stopped or failed, if its file is still here."""
    return _turn(
        import_id, (State.STOPPED, State.FAILED), State.WAITING, verb="go on with import", actor=actor, now=now
    )


def stop(*, import_id: int, actor: User, now: datetime) -> bool:
    """Enter no more of it after the chunk under way; what is in stays in."""
    return _turn(import_id, (State.WAITING, State.RUNNING), State.STOPPED, verb="stop import", actor=actor, now=now)


@transaction.atomic
def enter_after_all(*, import_id: int, actor: User, now: datetime) -> Import | None:
    """Enter the file of a rehearsal that is done; None where it is not here any more."""
    tried = Import.objects.select_related("topic").get(id=import_id, is_rehearsal=True, state=State.DONE)
    if tried.topic is None or not is_here(tried):
        return None
    row = _row(
        bytes(tried.digest), tried.name, tried.layout, topic=tried.topic, rehearse=False, lines=tried.rows, now=now
    )
    note(
        verb="import", subject="import", subject_id=row.id, now=now, actor=actor, file=row.name, topic=tried.topic.slug
    )
    wake(Job.AUDIENCE_IMPORT)
    return row


def is_here(row: Import) -> bool:
    """Whether its file is still kept, so that it can go on."""
    return _file_of(row).is_file()


def enter_some(*, now: datetime, slice_s: float = SLICE_S) -> None:
    """Enter a slice of the oldest file that waits; rings again where more is to do."""
    for row in Import.objects.filter(state__in=(State.WAITING, State.RUNNING)).select_related("topic").order_by("id"):
        if row.topic is None or not is_here(row):
            continue  # the command line's, or nothing to go on with
        try:
            _entered(row, row.topic, slice_s=slice_s, now=now)
        except enter.Busy:
            continue
        wake(Job.AUDIENCE_IMPORT)
        return
    forget(now=now)


def forget(*, now: datetime) -> int:
    """Files nobody went on with; how many."""
    old = [place for place in _folder().iterdir() if place.stat().st_mtime < (now - KEPT).timestamp()]
    for place in old:
        shutil.rmtree(place, ignore_errors=True)
    return len(old)


def expire(*, now: datetime) -> int:
    """Delete what was refused a month ago, and imports of a year ago; how many refused rows. A stop or a kill is an end."""
    ended = Import.objects.annotate(last=Coalesce("ended_at", "started_at"))
    stale = ImportFault.objects.filter(made_in__in=ended.filter(last__lt=now - FAULTS_KEPT)).order_by("id")
    gone = 0
    while ids := list(stale.values_list("id", flat=True)[:PORTION]):
        gone += ImportFault.objects.filter(id__in=ids).delete()[0]
    ended.filter(last__lt=now - IMPORTS_KEPT).delete()
    return gone


def _entered(row: Import, topic: Topic, *, slice_s: float, now: datetime) -> None:
    ends = time.monotonic() + (max(slice_s, REHEARSAL_S) if row.is_rehearsal else slice_s)

    def goes_on() -> bool:
        return time.monotonic() < ends and Import.objects.filter(id=row.id, state=State.RUNNING).exists()

    try:
        done = enter.enter(
            file=_file_of(row), topic=topic, now=now, rehearse=row.is_rehearsal, goes_on=goes_on, is_asked=False
        )
    except Unreadable as error:
        log.warning("import %s cannot be read further: %s", row.id, error)
        Import.objects.filter(id=row.id).update(state=State.FAILED, error=str(error)[:300], ended_at=now)
        return
    if done.is_rehearsal and done.state == State.WAITING:
        Import.objects.filter(id=row.id).update(state=State.FAILED, error=TOO_LONG, ended_at=now)
    if done.state == State.DONE and not done.is_rehearsal:
        shutil.rmtree(_file_of(row).parent, ignore_errors=True)


@transaction.atomic
def _turn(
    import_id: int, old: tuple[Import.State, ...], new: Import.State, *, verb: str, actor: User, now: datetime
) -> bool:
    done = Import.objects.filter(id=import_id, state__in=old).update(state=new, ended_at=None)
    if done:
        note(verb=verb, subject="import", subject_id=import_id, now=now, actor=actor)
        wake(Job.AUDIENCE_IMPORT)
    return bool(done)


def _row(
    digest: bytes, name: str, layout: str, *, topic: Topic, rehearse: bool, lines: int | None, now: datetime
) -> Import:
    """The file's row, made ready; one that was done begins anew, one that stopped goes on."""
    fresh = {"name": name, "layout": layout, "started_at": now, "rows": lines}
    row, made = Import.objects.select_for_update().get_or_create(
        digest=digest, topic=topic, is_rehearsal=rehearse, defaults=fresh
    )
    if not made and row.state == State.DONE:
        row.faults.all().delete()
        row.position = row.added = row.known = row.refused = 0
        row.started_at, row.rows = now, lines
    if not made and row.state != State.RUNNING:
        row.state, row.error, row.ended_at, row.name = State.WAITING, "", None, name
        row.save()
    return row


def _written(file: Path, portions: Iterable[bytes]) -> int | None:
    """The lines of what was written; None for a workbook, whose rows are not lines."""
    size, lines, is_text = 0, 0, True
    with file.open("wb") as out:
        for portion in portions:
            is_text = is_text and not (size == 0 and portion.startswith(b"PK"))
            size, lines = size + len(portion), lines + portion.count(b"\n")
            if size > LARGEST:
                raise TooLarge
            out.write(portion)
    return lines if is_text else None


def _folder() -> Path:
    folder = config().data_dir / "imports"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _file_of(row: Import) -> Path:
    return _folder() / bytes(row.digest).hex() / row.name


def _plain(name: str) -> str:
    """A file's name that is only a name: layouts are known by it, so its words stay."""
    return re.sub(r"[^\w.()@+ -]", "_", name.strip().rpartition("/")[2]).lstrip(".")[-120:] or "list"
