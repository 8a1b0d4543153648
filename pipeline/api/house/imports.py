"""Lists of readers coming in: handed in, rehearsed, entered by a worker, followed, stopped, every refused row with why."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, File, Form, Router, Schema, UploadedFile

from pipeline.api.answers import Before, Done, Id, Refusing, Size, part, told, turned
from pipeline.api.bearer import Asked, caller, forbidden
from pipeline.audience.care import finding, steering
from pipeline.audience.imports import arriving, exports
from pipeline.audience.imports.sheets import Unreadable
from pipeline.audience.models import Import, ImportFault, Topic
from pipeline.staff.models import User

router = Router(tags=["readers"])
LIST = "/imports/{int:import_id}"
MOST_FAULTS, MOST_REFUSALS = 20, 1000
NOTHING_IN = "Nothing was entered."
NOT_HERE = "Its file is not here: it came by the command line, or a week has passed."
LIVE = (Import.State.WAITING, Import.State.RUNNING)


class ImportForm(Schema):
    """What the file is for. `agreed` says that these readers asked for it: the law asks us to know."""

    topic: Annotated[str, Field(max_length=80, pattern=r"^[\w-]+$", description="slug of what they follow")]
    agreed: bool
    rehearse: bool = Field(True, description="tell what would happen, and enter nobody")


class ImportRow(Schema):
    """A list on its way in, and how far it is."""

    id: int
    name: str
    layout: str
    topic: str | None
    state: str
    is_rehearsal: bool
    position: int = Field(description="rows gone through")
    rows: int | None = Field(description="lines of the file; null of a workbook")
    added: int
    known: int
    refused: int
    error: str
    started_at: datetime
    ended_at: datetime | None


class FaultRow(Schema):
    """A row that was refused, or taken with a remark."""

    row: int
    given: str = Field(description="hidden in part from whoever does not act for readers")
    code: str
    why: str


class ImportWhole(ImportRow):
    """A list with the first of what was wrong with it."""

    is_here: bool = Field(description="whether its file is still kept, so that it can be entered or go on")
    faults: list[FaultRow] = Field(description=f"the first {MOST_FAULTS}")


class ImportPage(Schema):
    """A page of lists, the newest first."""

    imports: list[ImportRow]
    next: int | None = Field(description="`before` of the next page")


class ImportDone(Done):
    """What came of an act, and the list after it."""

    received: ImportRow


class RefusalsBody(Schema):
    """Which of the refused rows."""

    after: Annotated[int, Field(ge=0, le=2**31 - 1, description="`next` of the page before")] = 0
    size: Annotated[int, Field(ge=1, le=MOST_REFUSALS)] = MOST_REFUSALS


class RefusalsPage(Schema):
    """Refused rows in the file's order."""

    refusals: list[FaultRow]
    next: int | None = Field(description="`after` of the next page")


@router.get("/imports", response=told(ImportPage), summary="List imports")
def list_imports(request: Asked, *, before: Before = None, size: Size = 25) -> ImportPage:  # noqa: ARG001
    """Lists that came in or are coming, the newest first."""
    rows, following = part(Import.objects.select_related("topic"), before=before, size=size)
    return ImportPage(imports=[_row(row) for row in rows], next=following)


@router.get(LIST, response=told(ImportWhole), summary="One import")
def show_import(request: Asked, import_id: Id) -> ImportWhole:
    """How far it is, and the first of what was wrong. Ask again while it is `waiting` or `running`."""
    row, whole = get_object_or_404(Import.objects.select_related("topic"), id=import_id), steering.may(caller(request))
    faults = [_fault(fault, whole=whole) for fault in row.faults.order_by("row")[:MOST_FAULTS]]
    return ImportWhole(**_row(row).dict(), is_here=arriving.is_here(row), faults=faults)


@router.post("/imports", response=told(ImportDone), summary="Hand in a list of readers")
def receive_import(request: Asked, about: Form[ImportForm], file: File[UploadedFile]) -> ImportDone:
    """A CSV, TSV or XLSX file, as multipart/form-data. Rehearsed unless said otherwise; the same file handed in again goes on."""
    actor = _steering(request)
    topic = Topic.objects.filter(slug=about.topic).first()
    if topic is None:
        raise _unread(
            "topic: there is no such topic.", hint="It is the slug of a newsletter, or of what readers choose."
        )
    if not about.agreed:
        raise _unread("agreed: say that these readers asked for it.", hint="The law asks us to know; send true.")
    try:
        row = arriving.receive(
            portions=file.chunks(), name=file.name or "list", topic=topic, rehearse=about.rehearse, actor=actor,
            now=timezone.now(),
        )  # fmt: skip
    except Unreadable as error:
        raise _unread(f"file: {error}.", hint="Send CSV, TSV or XLSX with a column of addresses.") from error
    except arriving.TooLarge as error:
        most = arriving.LARGEST // (1024 * 1024)
        raise _unread(f"file: it is larger than {most} MB.", hint="Divide it.") from error
    message = "A worker rehearses it: nobody is entered." if about.rehearse else "A worker enters it."
    return ImportDone(done=True, message=message, received=_row(row))


@router.post(f"{LIST}/enter", response=told(ImportDone), summary="Enter what was rehearsed")
def enter_import(request: Asked, import_id: Id) -> ImportDone:
    """The file of a rehearsal that is done; answers the new import."""
    actor = _steering(request)
    tried = get_object_or_404(Import, id=import_id, is_rehearsal=True, state=Import.State.DONE)
    same = Import.objects.filter(digest=tried.digest, topic=tried.topic_id, is_rehearsal=False, state__in=LIVE).first()
    if same is not None:
        return ImportDone(done=False, message="It is being entered already. Nothing was changed.", received=_row(same))
    row = arriving.enter_after_all(import_id=tried.id, actor=actor, now=timezone.now())
    if row is None:
        raise _gone(tried)
    return ImportDone(done=True, message="A worker enters it.", received=_row(row))


@router.post(f"{LIST}/stop", response=told(ImportDone), summary="Stop an import")
def stop_import(request: Asked, import_id: Id) -> ImportDone:
    """After the rows under way. What is in stays in; it can go on later."""
    return _turned(request, import_id, arriving.stop, said="Stopped after the rows under way. What is in stays in.")


@router.post(f"{LIST}/go-on", response=told(ImportDone), summary="Go on with an import")
def go_on_import(request: Asked, import_id: Id) -> ImportDone:
    """Enter the rest of one that was stopped or failed."""
    return _turned(request, import_id, arriving.go_on, said="It goes on where it stopped.")


@router.post(f"{LIST}/refusals", response=told(RefusalsPage), summary="Refused rows")
def export_refusals(request: Asked, import_id: Id, body: RefusalsBody) -> RefusalsPage:
    """Every refused row with its reason, a page at a time. Changes nothing; that somebody took them stands in the journal."""
    actor = _steering(request)
    row = get_object_or_404(Import, id=import_id)
    found = exports.refused(row, after=body.after, most=body.size, actor=actor, now=timezone.now())
    following = found[-1].row if len(found) == body.size else None
    return RefusalsPage(refusals=[_fault(fault, whole=True) for fault in found], next=following)


def import_row(import_id: int) -> ImportRow:
    """The list as it is now."""
    return _row(Import.objects.select_related("topic").get(id=import_id))


def _row(row: Import) -> ImportRow:
    same = [name for name in ImportRow.model_fields if name != "topic"]
    return ImportRow(**{name: getattr(row, name) for name in same}, topic=row.topic.slug if row.topic else None)


def _fault(fault: ImportFault, *, whole: bool) -> FaultRow:
    given = finding.shown(fault.given, whole=whole)
    return FaultRow(row=fault.row, given=given, code=fault.code, why=exports.why(fault))


def _turned(request: Asked, import_id: int, act: Callable[..., bool], *, said: str) -> ImportDone:
    actor, row = _steering(request), get_object_or_404(Import, id=import_id)
    if not arriving.is_here(row):
        raise _gone(row)
    done, message = turned(act(import_id=row.id, actor=actor, now=timezone.now()), said=said)
    return ImportDone(done=done, message=message, received=import_row(row.id))


def _steering(request: Asked) -> User:
    actor = caller(request)
    if not steering.may(actor):
        raise forbidden("acts for readers: a desk head's or an administrator's who is not limited")
    return actor


def _gone(row: Import) -> Refusing:
    return Refusing(409, "conflict", NOT_HERE, hint="Hand the file in again.", current=import_row(row.id))


def _unread(said: str, *, hint: str) -> Refusing:
    return Refusing(422, "unread", said, kept=NOTHING_IN, hint=hint)
