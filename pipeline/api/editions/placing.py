"""An editor's hand on the stories of an edition: where they stand, whether they are in, what they say."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from django.utils import timezone
from ninja import Field, Router
from pydantic import AfterValidator, StringConstraints

from pipeline.api.answers import Id, Line, one_line, told
from pipeline.api.bearer import Asked
from pipeline.api.editions.deciding import COMPOSING, AtRevision, decided, deciding
from pipeline.api.editions.shapes import EditionDone
from pipeline.editions.acts import ordering, placing
from pipeline.editions.models import Edition

router = Router(tags=["editions"])
STORY = "/editions/{int:edition_id}/stories/{int:article_id}"
Act = Callable[..., Edition]
Place = Annotated[int, Field(ge=1, le=500)]
Long = Annotated[str, StringConstraints(max_length=1000), AfterValidator(one_line)]


class PutBody(AtRevision):
    """Which block; without a place it becomes the last story of it."""

    block: Annotated[int, Field(ge=1, le=500, description="position of the block in the newsletter")]
    place: Place | None = None


class StepBody(AtRevision):
    """Which way."""

    to: Literal["up", "down"]


class StoryBody(AtRevision):
    """Words of this edition's own: null leaves a field as it is, empty gives the site's back."""

    headline: Line | None = None
    standfirst: Long | None = None
    picture: Annotated[str, StringConstraints(max_length=1000, pattern=r"^(https?://[^\s\x00]+)?$")] | None = None
    alt: Line | None = None

    def given(self) -> dict[str, str]:
        """The fields that were said."""
        said = {name: getattr(self, name) for name in placing.LONGEST}
        return {name: text for name, text in said.items() if text is not None}


@router.post(f"{STORY}/put", response=told(EditionDone), summary="Put a story into a block")
def put_story(request: Asked, edition_id: Id, article_id: Id, body: PutBody) -> EditionDone:
    """From another block or from those left out; where the block is full, its last story by rule makes room."""
    actor, now = deciding(request, edition_id), timezone.now()
    what = {"edition_id": edition_id, "revision": body.revision, "actor": actor, "article_id": article_id, "now": now}
    if body.place is None:
        return decided(edition_id, lambda: ordering.append(block=body.block, **what), said=COMPOSING)  # type: ignore[arg-type]
    place = body.place
    return decided(edition_id, lambda: placing.place(block=body.block, position=place, **what), said=COMPOSING)  # type: ignore[arg-type]


@router.post(f"{STORY}/move", response=told(EditionDone), summary="Move a story by one place")
def move_story(request: Asked, edition_id: Id, article_id: Id, body: StepBody) -> EditionDone:
    """Up or down within its block."""
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: ordering.step(
            edition_id=edition_id, revision=body.revision, actor=actor, article_id=article_id, up=body.to == "up",
            now=timezone.now(),
        ),
        said=COMPOSING,
    )  # fmt: skip


@router.post(f"{STORY}/leave-out", response=told(EditionDone), summary="Leave a story out")
def leave_story_out(request: Asked, edition_id: Id, article_id: Id, body: AtRevision) -> EditionDone:
    """Out of this edition; it is a candidate for the next."""
    return _placed(request, edition_id, article_id, body, placing.leave_out)


@router.post(f"{STORY}/let-rules-decide", response=told(EditionDone), summary="Take the hand off a story")
def let_rules_decide(request: Asked, edition_id: Id, article_id: Id, body: AtRevision) -> EditionDone:
    """The rules decide about it again."""
    return _placed(request, edition_id, article_id, body, placing.let_rules_decide)


@router.post(f"{STORY}/write", response=told(EditionDone), summary="Write words of our own for a story")
def write_story(request: Asked, edition_id: Id, article_id: Id, body: StoryBody) -> EditionDone:
    """A headline, standfirst or picture for this edition only; what the site says now is kept beside it."""
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: placing.override(
            edition_id=edition_id, revision=body.revision, actor=actor, article_id=article_id, words=body.given(),
            now=timezone.now(),
        ),
        said=COMPOSING,
    )  # fmt: skip


@router.post(f"{STORY}/take-new", response=told(EditionDone), summary="Take what the site says now")
def take_site_words(request: Asked, edition_id: Id, article_id: Id, body: AtRevision) -> EditionDone:
    """For what the site changed since; other words of our own stay."""
    return _placed(request, edition_id, article_id, body, ordering.take_changes)


@router.post(f"{STORY}/keep-ours", response=told(EditionDone), summary="Stay with our own words")
def keep_our_words(request: Asked, edition_id: Id, article_id: Id, body: AtRevision) -> EditionDone:
    """This change of the site is not mentioned again."""
    return _placed(request, edition_id, article_id, body, placing.keep_mine)


def _placed(request: Asked, edition_id: int, article_id: int, body: AtRevision, act: Act) -> EditionDone:
    actor = deciding(request, edition_id)
    return decided(
        edition_id,
        lambda: act(
            edition_id=edition_id, revision=body.revision, actor=actor, article_id=article_id, now=timezone.now()
        ),
        said=COMPOSING,
    )
