"""Who works here and who may do what. Everybody looks; administrators change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Model
from django.shortcuts import get_object_or_404
from django.utils import timezone
from ninja import Field, Router, Schema
from pydantic import AfterValidator, AwareDatetime, StringConstraints

from pipeline.api.answers import MOST_ROWS, Before, Done, Id, Line, Refusing, Size, WhyIfAny, among, part, told, turned
from pipeline.api.bearer import Asked, admin
from pipeline.editions.models import Newsletter
from pipeline.posts.models import Account
from pipeline.schedule.alarms.invitations import send_invitation
from pipeline.staff import invitations, people
from pipeline.staff.models import Grant, Invitation, Role, User

router = Router(tags=["people"])
PERSON = "/people/{int:user_id}"
OBJECTS: tuple[tuple[Grant.Kind, type[Model]], ...] = (
    (Grant.Kind.NEWSLETTER, Newsletter),
    (Grant.Kind.ACCOUNT, Account),
)


def _mailbox(said: str) -> str:
    try:
        validate_email(said.strip())
    except ValidationError as error:
        raise ValueError("this is no mail address") from error
    return said.strip().lower()


class ObjectsBody(Schema):
    """Newsletters and accounts by their numbers."""

    newsletters: list[Id] = Field([], max_length=MOST_ROWS)
    accounts: list[Id] = Field([], max_length=MOST_ROWS)

    def grants(self) -> list[tuple[Grant.Kind, int]]:
        """As the rooms of staff take them. Raises Refusing for a number that is nothing's."""
        pairs: list[tuple[Grant.Kind, int]] = []
        for (kind, model), wanted in zip(OBJECTS, (self.newsletters, self.accounts), strict=True):
            known = set(model._default_manager.filter(pk__in=wanted).values_list("pk", flat=True))
            if strange := sorted(set(wanted) - known):
                raise Refusing(
                    422, "unread", f"{kind.value}s: there is none with the number {strange[0]}.", hint="List them."
                )
            pairs += [(kind, pk) for pk in sorted(known)]
        return pairs


class InviteBody(ObjectsBody):
    """Whom to ask in, as what, and limited to what; nothing named is to all."""

    email: Annotated[str, StringConstraints(min_length=3, max_length=254), AfterValidator(_mailbox)]
    role: Annotated[Role, among(Role)] = Role.EDITOR


class RoleBody(WhyIfAny):
    """Another role."""

    role: Annotated[Role, among(Role)]


class LimitBody(ObjectsBody):
    """Whether they act on these newsletters and accounts alone."""

    is_limited: bool
    reason: Line = ""


class PersonRow(Schema):
    """Somebody who works here, or did."""

    id: int
    email: str
    name: str
    role: str
    is_active: bool
    is_limited: bool = Field(description="acts only on the newsletters and accounts named here")
    newsletters: list[int]
    accounts: list[int]
    has_second_factor: bool


class PeoplePage(Schema):
    """A page of people, the newest first."""

    people: list[PersonRow]
    next: int | None = Field(description="`before` of the next page")


class InvitationRow(Schema):
    """Somebody who is asked in and has not come."""

    id: int
    email: str
    role: str
    expires_at: AwareDatetime


class InvitationList(Schema):
    """Invitations that still work, those that end first before others, the first hundred."""

    invitations: list[InvitationRow]


class InvitationDone(Done):
    """What came of an invitation. Where no relay took the letter, `message` holds the link to hand over."""

    invitation: InvitationRow


class PersonDone(Done):
    """What came of an act, and the person after it."""

    person: PersonRow


@router.get("/people", response=told(PeoplePage), summary="List people")
def list_people(request: Asked, *, before: Before = None, size: Size = 25) -> PeoplePage:  # noqa: ARG001
    """Everybody who works here or did, with role and limits, the newest first."""
    rows, following = part(User.objects.prefetch_related("grants"), before=before, size=size)
    return PeoplePage(people=[_row(row) for row in rows], next=following)


@router.get("/people/invitations", response=told(InvitationList), summary="Who is asked in")
def list_invitations(request: Asked) -> InvitationList:  # noqa: ARG001
    """Invitations nobody has used yet."""
    rows = Invitation.objects.filter(used_at=None, expires_at__gt=timezone.now()).order_by("expires_at", "id")
    return InvitationList(invitations=[_invited(row) for row in rows[:MOST_ROWS]])


@router.post("/people/invite", response=told(InvitationDone), summary="Ask somebody in")
def invite_person(request: Asked, body: InviteBody) -> InvitationDone:
    """Mails a link that works once, for a week; an older invitation to the address ends."""
    actor = admin(request)
    made, token = invitations.invite(
        email=body.email, role=body.role, by=actor, now=timezone.now(), grants=body.grants()
    )
    message = send_invitation(made, token=token, inviter=actor)
    return InvitationDone(done=True, message=message, invitation=_invited(made))


@router.post(f"{PERSON}/role", response=told(PersonDone), summary="Change a role")
def change_role(request: Asked, user_id: Id, body: RoleBody) -> PersonDone:
    """From the next request on, tokens among them. The last administrator stays one."""
    said = f"The role is now {Role(body.role).label.lower()}."
    return _changed(
        request, user_id, people.change_role, so={"role": body.role}, said=said, role=body.role, reason=body.reason
    )


@router.post(f"{PERSON}/limit", response=told(PersonDone), summary="Limit somebody to some")
def limit_person(request: Asked, user_id: Id, body: LimitBody) -> PersonDone:
    """They act on these newsletters and accounts alone, or with `is_limited` false on all."""
    actor = admin(request)
    get_object_or_404(User.objects.only("id"), id=user_id)
    grants = body.grants() if body.is_limited else None
    done = people.limit(user_id=user_id, grants=grants, by=actor, now=timezone.now(), reason=body.reason)
    return _done(user_id, *turned(done, said="Limited." if body.is_limited else "Not limited any more."))


@router.post(f"{PERSON}/close", response=told(PersonDone), summary="Close an account")
def close_account(request: Asked, user_id: Id, body: WhyIfAny) -> PersonDone:
    """Sessions and tokens end with their next request. The last administrator and one's own stay open."""
    said = "The account is closed; its sessions and tokens have ended."
    return _changed(request, user_id, people.close, so={"is_active": False}, said=said, reason=body.reason)


@router.post(f"{PERSON}/open", response=told(PersonDone), summary="Open an account again")
def open_account(request: Asked, user_id: Id, body: WhyIfAny) -> PersonDone:
    """With the role it had."""
    said = "The account is open again, with the role it had."
    return _changed(request, user_id, people.open_again, so={"is_active": True}, said=said, reason=body.reason)


def person_row(user_id: int) -> PersonRow:
    """The person as they are now."""
    return _row(User.objects.prefetch_related("grants").get(id=user_id))


def _changed(
    request: Asked, user_id: int, act: Callable[..., None], *, so: dict[str, Any], said: str, **how: Any
) -> PersonDone:
    """Act, where it is not so already."""
    actor = admin(request)
    get_object_or_404(User.objects.only("id"), id=user_id)
    is_so = User.objects.filter(id=user_id, **so).exists()
    if not is_so:
        act(user_id=user_id, by=actor, now=timezone.now(), **how)
    return _done(user_id, *turned(not is_so, said=said))


def _done(user_id: int, done: bool, message: str) -> PersonDone:
    return PersonDone(done=done, message=message, person=person_row(user_id))


def _row(row: User) -> PersonRow:
    same = ("id", "email", "name", "role", "is_active", "is_limited")
    grants = sorted((grant.kind, grant.object_id) for grant in row.grants.all())
    return PersonRow(
        **{name: getattr(row, name) for name in same}, has_second_factor=row.totp_confirmed_at is not None,
        newsletters=[pk for kind, pk in grants if kind == Grant.Kind.NEWSLETTER],
        accounts=[pk for kind, pk in grants if kind == Grant.Kind.ACCOUNT],
    )  # fmt: skip


def _invited(row: Invitation) -> InvitationRow:
    return InvitationRow(**{name: getattr(row, name) for name in InvitationRow.model_fields})
