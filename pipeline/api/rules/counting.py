"""How Most Popular counts: weights, caps, ages; read, and changed with a reason readers may ask for."""

from __future__ import annotations

from typing import Annotated

from django.utils import timezone
from ninja import Field, Router, Schema

from pipeline.api.answers import Done, Reason, Refusing, told
from pipeline.api.bearer import Asked, head
from pipeline.ranking import method
from pipeline.ranking.method import MOST_CAP, MOST_DAYS, MOST_OF_SECTION, MOST_WEIGHT

SEEN = "Compare `current` with what you want, and send its `counting` as `seen`."
router = Router(tags=["popular"])
Weight = Annotated[int, Field(ge=0, le=MOST_WEIGHT)]


class Weights(Schema):
    """What a vote weighs, by where it was made."""

    email: Weight = 1
    social: Weight = 1
    site: Weight = 1


class Counting(Schema):
    """The way we count, whole."""

    weights: Weights
    box_weight: Annotated[int, Field(ge=0, le=1, description="whether a click in our own box counts")]
    age_cap_days: Annotated[int, Field(ge=1, le=MOST_DAYS)] | None = Field(description="null: no cap")
    per_section: Annotated[int, Field(ge=1, le=MOST_OF_SECTION, description="stories of one section among ten")]
    network_cap: Annotated[int, Field(ge=1, le=MOST_CAP, description="votes of one network an hour, outside mail")]


class MethodRow(Schema):
    """The way we count, in numbers and in sentences."""

    counting: Counting
    sentences: list[str]


class MethodBody(Schema):
    """Another way, whole: the way that was looked at, so that nobody's change is written over, and why."""

    seen: Counting = Field(description="`counting` of what you looked at")
    counting: Counting
    reason: Reason


class MethodDone(Done):
    """What came of a change, and the way we count after it."""

    method: MethodRow


@router.get("/popular/method", response=told(MethodRow), summary="How Most Popular counts")
def show_method(request: Asked) -> MethodRow:  # noqa: ARG001
    """In numbers and in sentences."""
    return _row(method.current())


@router.post("/popular/method/change", response=told(MethodDone), summary="Count otherwise")
def change_method(request: Asked, body: MethodBody) -> MethodDone:
    """From now on, if nobody changed it since it was seen; another cap of networks counts everything again."""
    actor, wanted = head(request), _counting(body.counting)
    if method.current() == wanted:
        return MethodDone(done=False, message="This is how we count already. Nothing was changed.", method=_row(wanted))
    try:
        said = method.change(to=wanted, actor=actor, now=timezone.now(), reason=body.reason, seen=_counting(body.seen))
    except method.Refused as error:
        raise Refusing(409, "conflict", str(error), hint=SEEN, current=_row(method.current())) from error
    return MethodDone(done=True, message=said, method=_row(method.current()))


def _row(kept: method.Counting) -> MethodRow:
    same = ("box_weight", "age_cap_days", "per_section", "network_cap")
    counting = Counting(weights=Weights(**kept.weights), **{name: getattr(kept, name) for name in same})
    return MethodRow(counting=counting, sentences=kept.sentences())


def _counting(body: Counting) -> method.Counting:
    return method.Counting(**body.model_dump())
