"""One file into one topic: chunk by chunk, a transaction each, which also moves the place to go on from."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from pathlib import Path

from django.db import connection, transaction
from django.db.models import F

from pipeline.audience.imports import layouts, rows, stage, tables
from pipeline.audience.imports.layouts import Columns
from pipeline.audience.imports.rows import Arrival, Fault
from pipeline.audience.imports.sheets import Unreadable
from pipeline.audience.imports.tables import Table
from pipeline.audience.models import Import, Topic
from pipeline.kernel.config import config

CHUNK = 5_000  #: rows a transaction

Progress = Callable[[int, int], None]  #: (done, of): bytes


class Busy(Exception):
    """Another process is entering this very file, or nobody wants it entered any more."""


def enter(
    *, file: Path, topic: Topic, now: datetime, origin: str = "", rehearse: bool = False,
    progress: Progress = lambda *_: None, goes_on: Callable[[], bool] = lambda: True, is_asked: bool = True,
) -> Import:  # fmt: skip
    """Take a file in, or go on where it stopped; a file that is done is gone through again, which is harmless.

    `origin` is kept with every consent ("" is the file's name). `goes_on` is asked after each chunk: at a no the rest
    waits for the next call; a rehearsal begins anew then, for what it pretends lives in this session. Without
    `is_asked` one that was stopped, or is done, is left alone. Raises Unreadable, with what was read before it kept,
    and Busy.
    """
    scanned = tables.scan(file)
    with tables.opened(file, encoding=scanned.encoding) as table:
        columns, first = _columns(table, file)
        made_in, fresh = Import.objects.get_or_create(
            digest=scanned.digest, topic=topic, is_rehearsal=rehearse,
            defaults={"name": file.name[:200], "layout": columns.layout, "state": Import.State.RUNNING, "started_at": now},
        )  # fmt: skip
        with _alone(made_in):
            made_in = _begun(made_in.id, file, columns, fresh=fresh, is_asked=is_asked, now=now)
            try:
                whole = _all(
                    made_in, table, columns, first, origin=origin or file.name, now=now, progress=progress,
                    goes_on=goes_on,
                )  # fmt: skip
            except Unreadable as error:
                _end(made_in, Import.State.FAILED, now=now, error=str(error))
                raise
            except KeyboardInterrupt:
                _end(made_in, Import.State.STOPPED, now=now)
                raise
            if whole:
                _end(made_in, Import.State.DONE, now=now)
            else:
                Import.objects.filter(id=made_in.id, state=Import.State.RUNNING).update(state=Import.State.WAITING)
    made_in.refresh_from_db()
    return made_in


def layout_of(file: Path) -> str:
    """Whose list a file is. Raises Unreadable where no column of it holds addresses."""
    with tables.opened(file, encoding=tables.scan(file).encoding) as table:
        return _columns(table, file)[0].layout


def _columns(table: Table, file: Path) -> tuple[Columns, list[tuple[int, list[str]]]]:
    """What the header says, and the first row where it is no header."""
    number, header = next(table.rows, (1, []))
    if found := layouts.columns(header, kind=table.kind, file_name=file.name):
        return found, []
    if bare := layouts.bare(header, kind=table.kind):
        return bare, [(number, header)]
    raise Unreadable(f"{file.name} has no column named email; its first line is {','.join(header)[:80]!r}")


@transaction.atomic
def _begun(import_id: int, file: Path, columns: Columns, *, fresh: bool, is_asked: bool, now: datetime) -> Import:
    """The row as it is now that nobody else enters it, made ready. Raises Busy."""
    made_in = Import.objects.select_for_update().get(id=import_id)
    if not is_asked and made_in.state not in (Import.State.WAITING, Import.State.RUNNING):
        raise Busy(f"{made_in.name} was stopped, or is in")
    anew = made_in.is_rehearsal or made_in.state == Import.State.DONE
    if not fresh and made_in.state != Import.State.WAITING and anew:
        made_in.faults.all().delete()
        made_in.position = made_in.added = made_in.known = made_in.refused = 0
        made_in.rows, made_in.started_at = None, now
    made_in.state, made_in.error, made_in.ended_at = Import.State.RUNNING, "", None
    made_in.name, made_in.layout = file.name[:200], columns.layout
    made_in.save()
    return made_in


@contextmanager
def _alone(made_in: Import) -> Iterator[None]:
    """A lock of the session's: it ends with the process, however that ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtext('dateline.import'), %s)", [made_in.id])
        if not cursor.fetchone()[0]:
            raise Busy(f"{made_in.name} is being entered by another process")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('dateline.import'), %s)", [made_in.id])


def _all(
    made_in: Import, table: Table, columns: Columns, first: list[tuple[int, list[str]]], *,
    origin: str, now: datetime, progress: Progress, goes_on: Callable[[], bool],
) -> bool:  # fmt: skip
    """Whether the file's end was reached."""
    stage.prepare()
    key, chunk = config().founding_secret.encode(), _Chunk()
    try:
        for number, cells in chain(first, table.rows):
            found = rows.read(number, cells, columns=columns, key=key, now=now) if number > made_in.position else None
            if found is None:
                continue
            if not chunk.holds(found):
                _commit(made_in, chunk, origin=origin, now=now)
                progress(table.done(), table.size)
                chunk = _Chunk()
                if not goes_on():
                    return False
            chunk.add(found)
    except Unreadable:
        _commit(made_in, chunk, origin=origin, now=now)
        raise
    _commit(made_in, chunk, origin=origin, now=now)
    progress(table.size, table.size)
    return True


class _Chunk:
    """Rows of one transaction. An address that says two things of itself is told in two chunks, in the file's order."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        self.faults: list[Fault] = []
        self.last = 0
        self._fates: dict[str, layouts.Fate] = {}

    def holds(self, found: Arrival | Fault) -> bool:
        """Whether there is room for it."""
        if len(self.arrivals) + len(self.faults) >= CHUNK:
            return False
        return isinstance(found, Fault) or self._fates.get(found.address, found.fate) == found.fate

    def add(self, found: Arrival | Fault) -> None:
        self.last = found.row
        if isinstance(found, Fault):
            self.faults.append(found)
        else:
            self.arrivals.append(found)
            self._fates[found.address] = found.fate


def _commit(made_in: Import, chunk: _Chunk, *, origin: str, now: datetime) -> None:
    if not chunk.last:
        return
    with transaction.atomic():
        counted = stage.take(
            chunk.arrivals, chunk.faults, made_in=made_in.id, topic=int(made_in.topic_id or 0),
            origin=origin[:120], now=now, rehearse=made_in.is_rehearsal,
        )  # fmt: skip
        Import.objects.filter(id=made_in.id).update(
            position=chunk.last,
            added=F("added") + counted.added,
            known=F("known") + counted.known,
            refused=F("refused") + counted.refused,
        )


def _end(made_in: Import, state: Import.State, *, now: datetime, error: str = "") -> None:
    done = {"rows": F("added") + F("known") + F("refused")} if state == Import.State.DONE else {}
    Import.objects.filter(id=made_in.id).update(state=state, error=error[:300], ended_at=now, **done)
