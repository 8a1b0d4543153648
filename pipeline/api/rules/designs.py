"""A newsroom's own designs: listed, read, checked line by line, kept in versions, used by newsletters."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Annotated

from django.db.models import Max
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import AfterValidator, StringConstraints

from pipeline.api.answers import MOST_ROWS, NOTHING, Done, Id, Refusing, Word, one_line, told
from pipeline.api.bearer import Asked, head, head_of
from pipeline.api.house.newsletters import LETTER
from pipeline.editions.acts import designs
from pipeline.editions.models import Design, DesignVersion, Newsletter
from pipeline.editions.own.design import lint
from pipeline.editions.own.problems import ERROR, sentence
from pipeline.kernel.templating import LARGEST_SOURCE
from pipeline.schedule.newsletters.making import DESIGNS

router = Router(tags=["designs"])
DESIGN = "/designs/{int:design_id}"
Number = Annotated[int, Field(ge=1, le=2**31 - 1, description="of the version")]


def _lines(said: str) -> str:
    if "\x00" in said:
        raise ValueError("no zero bytes")
    return said.replace("\r\n", "\n")


Source = Annotated[str, StringConstraints(max_length=LARGEST_SOURCE), AfterValidator(_lines)]


class SourceBody(Schema):
    """MJML with marks and Jinja, as docs say."""

    source: Source


class BeginBody(SourceBody):
    """A design's name, and its first version."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=80), AfterValidator(one_line)]


class KeepBody(SourceBody):
    """The next version, and the number of the newest one that was looked at."""

    seen: Annotated[int, Field(ge=0, le=2**31 - 1)]
    said: Word = Field("", description="what is new in it")


class UseBody(Schema):
    """Which version."""

    design_id: Id
    number: Number


class VersionRow(Schema):
    """A version: it never changes."""

    number: int
    at: datetime
    by: str | None
    said: str
    newsletters: list[int] = Field(description="set in it")


class DesignRow(Schema):
    """A design of our own."""

    id: int
    name: str
    newest: int | None = Field(description="number of the newest version: `seen` of the next")


class DesignList(Schema):
    """Shipped ones by name, and our own, the first hundred."""

    shipped: list[str]
    designs: list[DesignRow]


class DesignWhole(DesignRow):
    """A design with its versions, the newest first, and the source of one."""

    versions: list[VersionRow]
    shown: int | None = Field(description="whose source this is")
    source: str


class ProblemRow(Schema):
    """Something that is wrong with a source."""

    line: int
    column: int
    level: str = Field(description="an error keeps it from being used; a warning does not")
    code: str
    said: str


class Checked(Schema):
    """What is wrong with a source, in the order of its lines."""

    is_usable: bool
    problems: list[ProblemRow]


class DesignDone(Done):
    """What came of an act, the design after it, and what is wrong with its newest version."""

    design: DesignRow
    checked: Checked


@router.get("/designs", response=told(DesignList), summary="List designs")
def list_designs(request: Asked) -> DesignList:  # noqa: ARG001
    """Shipped ones and our own."""
    rows = Design.objects.annotate(newest=Max("versions__number")).order_by("name", "id")[:MOST_ROWS]
    designs_ = rows.values("id", "name", "newest")
    return DesignList(shipped=list(DESIGNS), designs=[DesignRow(**row) for row in designs_])


@router.get(DESIGN, response=told(DesignWhole), summary="One design")
def show_design(request: Asked, design_id: Id, number: Number | None = None) -> DesignWhole:  # noqa: ARG001
    """Its versions, and the source of the newest, or of the one that is asked for."""
    row = get_object_or_404(Design, id=design_id)
    versions = list(row.versions.select_related("by").prefetch_related("newsletters").defer("source").order_by("-number")[:MOST_ROWS])  # fmt: skip
    shown = _found(row.id, number) if number is not None else row.versions.order_by("-number").first()
    return DesignWhole(
        id=row.id, name=row.name, newest=versions[0].number if versions else None, versions=[_version(one) for one in versions],
        shown=shown.number if shown else None, source=shown.source if shown else "",
    )  # fmt: skip


@router.post("/designs/check", response=told(Checked), summary="Check a design")
def check_design(request: Asked, body: SourceBody) -> Checked:
    """Every fault with its line and column, and what to do about it. Nothing is kept."""
    head(request)
    return checked(body.source)


@router.post("/designs/begin", response=told(DesignDone), summary="Begin a design")
def begin_design(request: Asked, body: BeginBody) -> DesignDone:
    """With its first version, also of a source that cannot be used yet. No newsletter is set in it before you say so."""
    made = designs.begin(name=body.name, source=body.source, actor=head(request), now=timezone.now())
    return _done(made.id, True, f"“{made.name}” is begun. No newsletter is set in it before you say so.")


@router.post(f"{DESIGN}/keep", response=told(DesignDone), summary="Keep the next version")
def keep_design(request: Asked, design_id: Id, body: KeepBody) -> DesignDone:
    """If nobody kept one since `seen`. Newsletters stay with the version they are set in."""
    actor = head(request)
    newest = get_object_or_404(Design, id=design_id).versions.order_by("-number").first()
    if newest is not None and newest.source == body.source:
        return _done(design_id, False, f"It is the same as version {newest.number}. Nothing was kept.")
    made = designs.keep(
        design_id=design_id, seen=body.seen, source=body.source, said=body.said, actor=actor, now=timezone.now()
    )
    return _done(design_id, True, f"Kept as version {made.number}. Newsletters stay with the version they are set in.")


@router.post(f"{DESIGN}/versions/{{int:number}}/restore", response=told(DesignDone), summary="Restore a version")
def restore_design(request: Asked, design_id: Id, number: Number) -> DesignDone:
    """As the newest one; newsletters stay as they are set."""
    actor, version = head(request), _found(design_id, number)
    made = designs.restore(version_id=version.id, actor=actor, now=timezone.now())
    return _done(
        design_id, True, f"Version {made.number} is as version {number} was. Newsletters stay as they are set."
    )


@router.post(f"{LETTER}/design/use", response=told(Done), summary="Set a newsletter in a design")
def use_design(request: Asked, newsletter_id: Id, body: UseBody) -> Done:
    """In this version, from its next draft on. One with errors is refused."""
    actor, row = head_of(request, newsletter_id), get_object_or_404(Newsletter, id=newsletter_id)
    version = DesignVersion.objects.filter(design_id=body.design_id, number=body.number).first()
    if version is None:
        raise Refusing(422, "unread", "There is no such version of this design.", hint="GET /designs/{id} lists them.")
    if row.design_version_id == version.id and row.own_design == version.source:
        return _so()
    return _acted(lambda now: designs.use(version_id=version.id, newsletter_id=row.id, actor=actor, now=now))


@router.post(f"{LETTER}/design/use-shipped", response=told(Done), summary="Back to the shipped design")
def use_shipped(request: Asked, newsletter_id: Id) -> Done:
    """The one its settings name, from its next draft on."""
    actor, row = head_of(request, newsletter_id), get_object_or_404(Newsletter, id=newsletter_id)
    if not row.own_design:
        return _so()
    return _acted(lambda now: designs.use_shipped(newsletter_id=row.id, actor=actor, now=now))


def design_row(design_id: int) -> DesignRow:
    """The design as it is now."""
    row = Design.objects.get(id=design_id)
    newest = row.versions.order_by("-number").values_list("number", flat=True).first()
    return DesignRow(id=row.id, name=row.name, newest=newest)


def checked(source: str) -> Checked:
    """What is wrong with a source."""
    problems = [
        ProblemRow(line=one.line, column=one.column, level=one.level, code=one.code, said=sentence(one))
        for one in lint(source)
    ]
    return Checked(is_usable=not any(one.level == ERROR for one in problems), problems=problems)


def _so() -> Done:
    return Done(done=False, message=f"It was so already. {NOTHING}")


def _acted(act: Callable[[datetime], str]) -> Done:
    return Done(done=True, message=act(timezone.now()))


def _found(design_id: int, number: int) -> DesignVersion:
    return get_object_or_404(DesignVersion, design_id=design_id, number=number)


def _done(design_id: int, done: bool, message: str) -> DesignDone:
    newest = DesignVersion.objects.filter(design_id=design_id).order_by("-number").first()
    return DesignDone(
        done=done, message=message, design=design_row(design_id), checked=checked(newest.source if newest else "")
    )


def _version(row: DesignVersion) -> VersionRow:
    used = sorted(one.id for one in row.newsletters.all())
    return VersionRow(number=row.number, at=row.at, by=str(row.by) if row.by else None, said=row.note, newsletters=used)
