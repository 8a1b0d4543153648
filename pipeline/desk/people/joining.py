"""An invited person's first page: a name and a password. Opening it changes nothing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.forms import SetPasswordMixin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pipeline.staff import invitations
from pipeline.staff.models import User


class JoinForm(forms.Form):
    """A name and a password, twice."""

    name = forms.CharField(label="Your name, as colleagues know you", max_length=120)
    password, again = SetPasswordMixin.create_password_fields("Password", "The same password again")

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email

    def clean(self) -> dict[str, Any]:
        """Refuse passwords that differ, or that the rules refuse."""
        values: dict[str, Any] = super().clean() or {}
        password = values.get("password", "")
        if password != values.get("again", ""):
            self.add_error("again", "The two passwords differ.")
            return values
        try:
            validate_password(password, User(email=self.email, name=values.get("name", "")))
        except ValidationError as error:
            self.add_error("password", error)
        return values


@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Choose a password by POST; a link that does not work any more says so in one way."""
    now = timezone.now()
    try:
        invitation = invitations.open_one(token=token, now=now)
        form = JoinForm(request.POST or None, email=invitation.email)
        if request.method == "GET" or not form.is_valid():
            status = 200 if request.method == "GET" else 422
            return _page(request, {"form": form, "invitation": invitation}, status=status)
        invitations.accept(token=token, name=form.cleaned_data["name"], password=form.cleaned_data["password"], now=now)
    except invitations.Refused as error:
        return _page(request, {"refused": str(error)}, status=410)
    messages.success(request, "Your account is made. Sign in with your address and the password you chose.")
    return redirect("desk:sign_in")


def _page(request: HttpRequest, context: dict[str, Any], *, status: int) -> HttpResponse:
    return render(request, "desk/people/join.html", context, status=status)
