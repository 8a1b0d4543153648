"""The second step of signing in: a code from the phone, or one from the paper."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth import login
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from pipeline.desk import sign_in
from pipeline.staff import second_factor
from pipeline.staff.models import User

WAITS = timedelta(minutes=5)
_KEY = "second_factor"
WRONG = "This code does not open the door. Use the newest one; a code works once, and the phone’s clock must be right."
WAITED = "The password was given too long ago. Sign in again; nothing else is wrong with your account."


class SignIn(sign_in.SignIn):
    """Address and password, then the code of whoever has a second factor."""

    def form_valid(self, form: AuthenticationForm) -> HttpResponse:
        """Let in, or ask for the code first."""
        user = form.get_user()
        if user.totp_confirmed_at is None:
            return super().form_valid(form)
        return ask(self.request, user, to=self.get_success_url(), now=timezone.now())


def ask(request: HttpRequest, user: User, *, to: str, now: datetime) -> HttpResponse:
    """Remember that the password was right, and ask for the code. The session knows nobody yet."""
    request.session.cycle_key()
    request.session[_KEY] = {"user": user.id, "until": (now + WAITS).timestamp(), "to": to, "hash": _proof(user)}
    return redirect("desk:code")


@never_cache
@require_http_methods(["GET", "POST"])
def code(request: HttpRequest) -> HttpResponse:
    """The form, and what is typed into it."""
    asked, now = request.session.get(_KEY), timezone.now()
    user = _asked(asked, now=now)
    if user is None or asked is None:
        request.session.pop(_KEY, None)
        return redirect("desk:sign_in")
    if request.method == "GET":
        return _page(request)
    keys = sign_in.keys_of(address=f"code of {user.email}", network=f"code {sign_in.network_of(request)}")
    wait_s = sign_in.count_try(keys)
    if wait_s:
        return _page(request, status=429, wait_min=-(-wait_s // 60), retry_after=wait_s)
    if not second_factor.passes(user, code=request.POST.get("code", "")[:40], now=now):
        return _page(request, wrong=WRONG)
    sign_in.forget(keys)
    return _let_in(request, user, to=asked["to"])


def _asked(asked: Any, *, now: datetime) -> User | None:
    """Whose password was right, while that is fresh and the password is still the same."""
    if not isinstance(asked, dict) or asked.get("until", 0) < now.timestamp():
        return None
    user = User.objects.filter(id=asked["user"], is_active=True).exclude(totp_confirmed_at=None).first()
    return user if user is not None and _proof(user) == asked["hash"] else None


def _let_in(request: HttpRequest, user: User, *, to: str) -> HttpResponse:
    request.session.pop(_KEY, None)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    ours = url_has_allowed_host_and_scheme(to, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return redirect(to if ours else settings.LOGIN_REDIRECT_URL)


def _proof(user: User) -> str:
    return str(user.get_session_auth_hash())


def _page(
    request: HttpRequest, *, status: int = 200, wrong: str = "", wait_min: int = 0, retry_after: int = 0
) -> HttpResponse:
    answer = render(request, "desk/people/code.html", {"wrong": wrong, "wait_min": wait_min}, status=status)
    if retry_after:
        answer.headers["Retry-After"] = str(retry_after)
    return answer
