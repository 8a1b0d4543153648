"""The people who work here: who may do what, and changing it. Administrators only change."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone
from pipeline.editions.models import Newsletter
from pipeline.posts.models import Account
from pipeline.schedule.alarms.invitations import send_invitation
from pipeline.staff import invitations, people, second_factor
from pipeline.staff.models import Grant, Invitation, Role, User

NOT_YOURS = "Only an administrator changes who may do what. Nothing was changed."
MAY = {
    Role.ADMIN: "everything, and who may do what",
    Role.HEAD: "editions, posts, sources, brakes and rules; may waive what blocks sending",
    Role.EDITOR: "editions, posts and stories",
    Role.SOCIAL: "posts and accounts, not mail",
    Role.VIEWER: "looks at everything, changes nothing",
}


class InvitationForm(forms.Form):
    """Whom to ask in, as what, and limited to what."""

    email = forms.EmailField(label="Email", max_length=254)
    role = forms.ChoiceField(label="Role", choices=Role.choices, initial=Role.EDITOR)
    only = forms.MultipleChoiceField(label="Only these (none chosen: all)", required=False)

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.fields["only"].choices = _objects()  # type: ignore[attr-defined]

    def grants(self) -> list[tuple[Grant.Kind, int]]:
        """What was ticked."""
        return _grants(self.cleaned_data["only"])


def _objects() -> list[tuple[str, str]]:
    """What somebody may be limited to, as choices."""
    letters = [(f"newsletter:{row.id}", f"Newsletter: {row.name}") for row in Newsletter.objects.order_by("name")]
    accounts = [(f"account:{row.id}", f"Account: {row}") for row in Account.objects.order_by("network", "handle")]
    return letters + accounts


def _grants(ticked: list[str]) -> list[tuple[Grant.Kind, int]]:
    pairs = (one.split(":") for one in ticked)
    return [(Grant.Kind(kind), int(pk)) for kind, pk in pairs]


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """Everybody, and who is asked in."""
    return _page(request, InvitationForm())


@sign_in.required
@require_POST
def invite(request: sign_in.Guest) -> HttpResponse:
    """Send an invitation; where the relay does not take it, the link is shown to hand over."""
    if request.user.role != Role.ADMIN:
        messages.error(request, NOT_YOURS)
        return redirect("desk:people")
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        made, token = invitations.invite(
            email=form.cleaned_data["email"], role=Role(form.cleaned_data["role"]), by=request.user,
            now=timezone.now(), grants=form.grants(),
        )  # fmt: skip
    except invitations.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, send_invitation(made, token=token, inviter=request.user))
    return redirect("desk:people")


@sign_in.required
@require_POST
def change_role(request: sign_in.Guest, user_id: int) -> HttpResponse:
    """Another role."""
    role = request.POST.get("role", "")
    if role not in Role.values:
        messages.error(request, "Choose a role from the list. Nothing was changed.")
        return redirect("desk:people")
    return _changed(
        request, user_id, lambda **how: people.change_role(role=Role(role), **how), f"The role is now {Role(role).label.lower()}."
    )  # fmt: skip


@sign_in.required
@require_POST
def limit(request: sign_in.Guest, user_id: int) -> HttpResponse:
    """Only some newsletters and accounts; none ticked is all."""
    ticked = request.POST.getlist("only")
    if not set(ticked) <= {value for value, _ in _objects()}:
        messages.error(request, "Choose from the list: one of them is gone. Nothing was changed.")
        return redirect("desk:people")
    said = (
        f"They act on {len(set(ticked))} of the newsletters and accounts now."
        if ticked
        else "They act on everything their role allows."
    )
    return _changed(request, user_id, lambda **how: people.limit(grants=_grants(ticked) or None, **how), said)


@sign_in.required
@require_POST
def close(request: sign_in.Guest, user_id: int) -> HttpResponse:
    """No longer let in."""
    return _changed(request, user_id, people.close, "The account is closed; its sessions have ended.")


@sign_in.required
@require_POST
def open_again(request: sign_in.Guest, user_id: int) -> HttpResponse:
    """Let in again."""
    return _changed(request, user_id, people.open_again, "The account is open again, with the role it had.")


@sign_in.required
@require_POST
def end_second_factor(request: sign_in.Guest, user_id: int) -> HttpResponse:
    """For a lost phone."""

    def act(*, user_id: int, by: User, now: datetime, reason: str) -> None:
        second_factor.end(User.objects.get(id=user_id), actor=by, now=now, reason=reason)

    return _changed(request, user_id, act, "The second factor is off; they can set it up anew.")


def _changed(request: sign_in.Guest, user_id: int, act: Callable[..., object], said: str) -> HttpResponse:
    if request.user.role != Role.ADMIN:
        messages.error(request, NOT_YOURS)
        return redirect("desk:people")
    get_object_or_404(User, id=user_id)
    try:
        act(user_id=user_id, by=request.user, now=timezone.now(), reason=request.POST.get("reason", "")[:500].strip())
    except people.Refused as error:
        messages.error(request, str(error))
    else:
        messages.success(request, said)
    return redirect("desk:people")


def _page(request: sign_in.Guest, form: InvitationForm, *, status: int = 200) -> HttpResponse:
    now = timezone.now()
    everybody = list(User.objects.prefetch_related("grants").order_by("-is_active", "email"))
    context = {
        "form": form,
        "objects": _objects(),
        "held": {row.id: {f"{one.kind}:{one.object_id}" for one in row.grants.all()} for row in everybody},
        "now": now,
        "zone": newsroom_zone(),
        "people": everybody,
        "waiting": Invitation.objects.filter(used_at=None, expires_at__gt=now).order_by("expires_at"),
        "roles": [(role.value, role.label, MAY[role]) for role in Role],
        "is_admin": request.user.role == Role.ADMIN,
    }
    return render(request, "desk/people/people.html", context, status=status)
