"""One's own account: the password, and the second factor."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from pipeline.desk import sign_in
from pipeline.kernel.secrets import Sealed
from pipeline.staff import journal, second_factor

NOT_THE_CODE = "This code was not right, so the second factor is still off. Type the newest code the phone shows."
NOT_YOURS = "This is not your password. Nothing was changed."
UNREADABLE = "The second factor was made under another secret key. An administrator can take it away."


@sign_in.required
@require_safe
def account(request: sign_in.Guest) -> HttpResponse:
    """What the account is, and its forms."""
    return _page(request, form=PasswordChangeForm(request.user))


@sign_in.required
@require_POST
def change_password(request: sign_in.Guest) -> HttpResponse:
    """Another password: every other session of the account ends."""
    form = PasswordChangeForm(request.user, request.POST)
    if not form.is_valid():
        return _page(request, form=form, status=422)
    form.save()
    update_session_auth_hash(request, request.user)
    journal.note(
        verb="change password", subject="user", subject_id=request.user.id, actor=request.user, now=timezone.now()
    )
    messages.success(request, "Your password is changed. Every other place you were signed in at is signed out.")
    return redirect("desk:account")


@sign_in.required
@require_POST
def begin(request: sign_in.Guest) -> HttpResponse:
    """A secret for the phone, shown until it is confirmed."""
    if request.user.totp_confirmed_at is None:
        second_factor.begin(request.user)
    return redirect("desk:account")


@sign_in.required
@require_POST
def confirm(request: sign_in.Guest) -> HttpResponse:
    """The phone has it: codes are asked for from the next sign-in on. The recovery codes are on this answer only."""
    try:
        codes = second_factor.confirm(request.user, code=request.POST.get("code", "")[:40], now=timezone.now())
    except Sealed:
        messages.error(request, UNREADABLE)
        return redirect("desk:account")
    if not codes:
        messages.error(request, NOT_THE_CODE)
        return redirect("desk:account")
    return render(request, "desk/people/recovery.html", {"codes": codes, "now": timezone.now()})


@sign_in.required
@require_POST
def end(request: sign_in.Guest) -> HttpResponse:
    """No second factor any more; asks for the password."""
    if not request.user.check_password(request.POST.get("password", "")):
        messages.error(request, NOT_YOURS)
    elif second_factor.end(request.user, actor=request.user, now=timezone.now()):
        messages.success(request, "The second factor is off: the password alone opens the desk.")
    else:
        messages.warning(request, "There was no second factor. Nothing was changed.")
    return redirect("desk:account")


def _page(request: sign_in.Guest, *, form: PasswordChangeForm, status: int = 200) -> HttpResponse:
    user = request.user
    context = {"form": form, "user": user, "now": timezone.now(), "left": len(user.recovery)}
    if user.totp and user.totp_confirmed_at is None:
        context |= _secret(request)
    return render(request, "desk/people/account.html", context, status=status)


def _secret(request: sign_in.Guest) -> dict[str, str]:
    try:
        secret = second_factor.secret_of(request.user)
    except Sealed:
        return {"unreadable": UNREADABLE}
    spaced = " ".join(secret[place : place + 4] for place in range(0, len(secret), 4))
    return {"secret": spaced, "otpauth": second_factor.address_of(request.user, secret)}
