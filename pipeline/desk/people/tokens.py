"""Tokens of one's own for programs: made here, shown once, revoked here. An administrator sees everybody's."""

from __future__ import annotations

from datetime import datetime, timedelta

from django import forms
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.desk import sign_in
from pipeline.desk.frame import newsroom_zone
from pipeline.desk.words import Badge
from pipeline.staff import tokens
from pipeline.staff.models import ApiToken, Role

MOST_SHOWN = 100
LASTS = {"30": "30 days", "90": "90 days", "365": "a year", "": "until it is revoked"}


class TokenForm(forms.Form):
    """What uses it, what it may, and for how long."""

    name = forms.CharField(label="What uses it", max_length=80)
    role = forms.ChoiceField(label="It may do what this role may", choices=Role.choices)
    days = forms.ChoiceField(label="It works for", choices=list(LASTS.items()), initial="90", required=False)

    def __init__(self, *args: object, owner_role: str, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        most = tokens.RANKS.index(Role(owner_role))
        self.fields["role"].choices = [(role.value, role.label) for role in tokens.RANKS[: most + 1]]  # type: ignore[attr-defined]

    def ends(self, now: datetime) -> datetime | None:
        """When it stops working; None is never."""
        days = self.cleaned_data["days"]
        return now + timedelta(days=int(days)) if days else None


@sign_in.required
@require_safe
def listing(request: sign_in.Guest) -> HttpResponse:
    """The tokens there are, and the form for another."""
    return _page(request, TokenForm(owner_role=request.user.role))


@sign_in.required
@require_POST
def make(request: sign_in.Guest) -> HttpResponse:
    """Make one; its text is in this answer and nowhere else."""
    form, now = TokenForm(request.POST, owner_role=request.user.role), timezone.now()
    if not form.is_valid():
        return _page(request, form, status=422)
    try:
        made, text = tokens.issue(
            owner=request.user, name=form.cleaned_data["name"], role=Role(form.cleaned_data["role"]),
            expires_at=form.ends(now), now=now,
        )  # fmt: skip
    except tokens.Refused as error:
        messages.error(request, str(error))
        return _page(request, form, status=409)
    return _page(request, TokenForm(owner_role=request.user.role), made=made, text=text)


@sign_in.required
@require_POST
def revoke(request: sign_in.Guest, token_id: int) -> HttpResponse:
    """No longer let it in."""
    try:
        ended = tokens.revoke(token_id=token_id, by=request.user, now=timezone.now())
    except ApiToken.DoesNotExist as error:
        raise Http404("There is no such token of yours.") from error
    if ended:
        messages.success(request, "Revoked: whoever uses it is turned away from now on.")
    else:
        messages.warning(request, "It was revoked before. Nothing was changed.")
    return redirect("desk:tokens")


def _page(
    request: sign_in.Guest, form: TokenForm, *, status: int = 200, made: ApiToken | None = None, text: str = ""
) -> HttpResponse:
    now = timezone.now()
    found = list(tokens.seen_by(request.user)[:MOST_SHOWN])
    context = {
        "form": form,
        "rows": [_row(token, now=now) for token in found],
        "made": made,
        "text": text,
        "is_admin": request.user.role == Role.ADMIN,
        "zone": newsroom_zone(),
        "now": now,
    }
    return render(request, "desk/people/tokens.html", context, status=status)


def _row(token: ApiToken, *, now: datetime) -> dict[str, object]:
    return {
        "id": token.id,
        "name": token.name,
        "owner": str(token.owner),
        "role": Role(tokens.lesser(token.role, token.owner.role)).label,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "last_used_at": token.last_used_at,
        "badge": _badge(token, now=now),
        "live": token.revoked_at is None,
    }


def _badge(token: ApiToken, *, now: datetime) -> Badge:
    if token.revoked_at:
        return Badge("revoked", "off")
    if token.expires_at and token.expires_at <= now:
        return Badge("expired", "off")
    return Badge("works", "done") if token.owner.is_active else Badge("account closed", "off")
