"""What every answer is made of: one shape for refusals, one for acts, pages with an end, lines without control characters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar
from zoneinfo import ZoneInfo

from django.db.models import Model, QuerySet, TextChoices
from ninja import Field, Schema
from pydantic import AfterValidator, AwareDatetime, StringConstraints, WithJsonSchema

MOST_ROWS, USUAL_ROWS = 100, 25
LARGEST_ID = 2**63 - 1
EARLIEST, LATEST = 1900, 2200
NOTHING = "Nothing was changed."

Row = TypeVar("Row", bound=Model)
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]
Size = Annotated[int, Field(ge=1, le=MOST_ROWS, description=f"rows of the page, {MOST_ROWS} at most")]
Before = Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="`next` of the page before; none is the first")]


def among(choices: type[TextChoices]) -> WithJsonSchema:
    """For the description: the values there are. Choices of several rows have one name, and would take each other's."""
    return WithJsonSchema({"type": "string", "enum": list(choices.values)})


def one_of(values: Iterable[str]) -> tuple[AfterValidator, WithJsonSchema]:
    """One of these words, and the description that lists them."""
    known = list(values)

    def check(said: str) -> str:
        if said not in known:
            raise ValueError(f"one of {', '.join(word or 'nothing' for word in known)}")
        return said

    return AfterValidator(check), WithJsonSchema({"type": "string", "enum": known})


def one_line(said: str) -> str:
    """Printable text of one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in said).split())


def some_line(said: str) -> str:
    """One line that says something."""
    line = one_line(said)
    if not line:
        raise ValueError("say why, in a few words")
    return line


def several_lines(said: str) -> str:
    """Printable text that keeps its line breaks."""
    return "".join(c if c.isprintable() or c == "\n" else " " for c in said.replace("\r\n", "\n")).strip()


def within_reach(at: datetime) -> datetime:
    """In UTC, of the years newspapers think of: databases and calendars end somewhere."""
    if not EARLIEST < at.year < LATEST:
        raise ValueError(f"name a year between {EARLIEST} and {LATEST}")
    return at.astimezone(UTC)


def of_this_age(day: date) -> date:
    """A day of those years."""
    if not EARLIEST < day.year < LATEST:
        raise ValueError(f"name a year between {EARLIEST} and {LATEST}")
    return day


def zone_named(name: str) -> str:
    """A zone of the tz database."""
    try:
        return ZoneInfo(name).key
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("no such zone; name it as Continent/City, such as Europe/Brussels") from error


Zone = Annotated[str, StringConstraints(min_length=1, max_length=64), AfterValidator(zone_named)]
Day = Annotated[date, AfterValidator(of_this_age)]
Moment = Annotated[AwareDatetime, AfterValidator(within_reach)]
Line = Annotated[str, StringConstraints(max_length=300), AfterValidator(one_line)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=300), AfterValidator(some_line)]
Word = Annotated[str, StringConstraints(max_length=200), AfterValidator(one_line)]
Revision = Annotated[int, Field(ge=0, le=2**31 - 1, description="of the edition you looked at; another is a conflict")]
Paragraphs = Annotated[str, StringConstraints(max_length=5000), AfterValidator(several_lines)]


class Why(Schema):
    """The body of an act that stands in the journal with its reason."""

    reason: Reason


class WhyIfAny(Schema):
    """The body of an act that may have a reason."""

    reason: Line = ""


class Refusal(Schema):
    """Why not: the same shape for every answer that is no success."""

    error: str = Field(description="a code: unread, unknown_token, forbidden, not_found, conflict, too_many, broken")
    message: str = Field(description="what happened, in words")
    kept: str = Field(description="what became of the data")
    hint: str = Field(description="what to do")
    current: dict[str, Any] | None = Field(None, description="on a conflict: the row as it is now")


class Done(Schema):
    """What came of an act."""

    done: bool = Field(description="false where it was so already: nothing was changed")
    message: str = Field(description="what happened, in words")


@dataclass(slots=True)
class Refusing(Exception):
    """Turns a request down with a status and a whole Refusal."""

    status: int
    error: str
    message: str
    kept: str = NOTHING
    hint: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    current: Schema | None = None


#: For the `response` of every operation: what it may answer instead of its own row.
REFUSALS: dict[Any, Any] = {frozenset({400, 401, 403, 404, 409, 422, 429}): Refusal}


def told(shape: type[Any]) -> dict[Any, Any]:
    """The answers of an operation: its own shape, or a refusal."""
    return {200: shape, **REFUSALS}


def part(found: QuerySet[Row], *, before: int | None, size: int) -> tuple[list[Row], int | None]:
    """A page of rows, the newest first, and the number the next page begins before; None where it was the last."""
    asked = found.order_by("-id") if before is None else found.order_by("-id").filter(id__lt=before)
    rows = list(asked[: size + 1])
    return rows[:size], (rows[size - 1].pk if len(rows) > size else None)


def once(
    act: Callable[[], Any], *, refused: type[Exception], already: Callable[[], bool], said: str
) -> tuple[bool, str]:
    """Do an act; a refusal of what is so already is a repeat, and changes nothing."""
    try:
        act()
    except refused:
        if not already():
            raise
        return False, f"It was so already. {NOTHING}"
    return True, said


def turned(done: bool, *, said: str) -> tuple[bool, str]:
    """The answer of an act that tells by itself whether it changed something."""
    return done, said if done else f"It was so already. {NOTHING}"
