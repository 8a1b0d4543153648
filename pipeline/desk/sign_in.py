"""The door: address and password, a few tries, and the way out."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache, wraps
from hashlib import blake2b
from ipaddress import ip_address, ip_network
from typing import Any

import redis
from django import forms
from django.contrib.auth import views as auth_views
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.cache import never_cache
from django_htmx.middleware import HtmxDetails

from pipeline.kernel.config import config
from pipeline.kernel.processes.redis_link import redis_link
from pipeline.staff.models import User

log = logging.getLogger("dateline.desk")

MOST_FAILURES = 5
WINDOW_S = 15 * 60
PREFIX = "dateline:signin:"
View = Callable[..., HttpResponseBase]


class Guest(HttpRequest):
    """A request behind `required`: its user is signed in. For the type checker; nothing makes one."""

    user: User
    htmx: HtmxDetails


def required(view: View) -> View:
    """Let only signed-in users in, and keep what they see out of caches."""
    return never_cache(login_required(wraps(view)(view)))


class SignInForm(AuthenticationForm):
    """Django's form, asked for an address instead of a user name."""

    username = forms.EmailField(
        label="Email",
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    error_messages = {  # noqa: RUF012 - as Django declares it
        "invalid_login": "This address and password do not go together. Capital letters count in the password.",
        "inactive": "This account is closed. An administrator can open it again.",
    }

    def clean_username(self) -> str:
        """Accounts are kept in small letters."""
        return str(self.cleaned_data["username"]).lower()


class SignIn(auth_views.LoginView):
    """Sign in. A try is counted before the password is looked at, so that many at once are no way around."""

    form_class = SignInForm
    template_name = "desk/sign_in.html"
    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        keys = keys_of(address=request.POST.get("username", ""), network=network_of(request))
        wait_s = count_try(keys)
        if wait_s:
            return self._wait(wait_s)
        response: HttpResponse = super().post(request, *args, **kwargs)
        if response.status_code == 302:
            forget(keys)
        return response

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Of a house nobody works in yet the page says how the first account is made: on the machine, by its owner."""
        return super().get_context_data(is_new=not User.objects.exists(), **more)

    def _wait(self, wait_s: int) -> HttpResponse:
        context = self.get_context_data(form=self.get_form_class()(self.request), wait_min=-(-wait_s // 60))
        answer = self.render_to_response(context, status=429)
        answer.headers["Retry-After"] = str(wait_s)
        return answer


class SignOut(auth_views.LogoutView):
    """Sign out, by POST."""

    next_page = "desk:sign_in"


def network_of(request: HttpRequest) -> str:
    """The sender's /24 or /64.

    In production one proxy stands in front (settings trust its X-Forwarded-Proto): the last entry of
    X-Forwarded-For is what it saw, earlier ones are hearsay.
    """
    said = "" if config().debug else request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    address = said or request.META.get("REMOTE_ADDR", "")
    try:
        size = 24 if ip_address(address).version == 4 else 64
        return str(ip_network(f"{address}/{size}", strict=False))
    except ValueError:
        return "nowhere"


def keys_of(*, address: str, network: str) -> list[str]:
    """Where tries are counted. Hashed: Redis need not know who works here."""
    named = {"address": address.strip().lower(), "network": network}
    return [f"{PREFIX}{kind}:{blake2b(value.encode(), digest_size=12).hexdigest()}" for kind, value in named.items()]


def count_try(keys: list[str]) -> int:
    """Count a try under every key; the seconds to wait if one of them is used up, else 0.

    The window runs from the first try. With Redis away everyone may try: an editor kept out at 06:00 is worse
    than a guess more at a slow hash.
    """
    try:
        with _redis().pipeline(transaction=True) as pipe:
            for key in keys:
                pipe.set(key, 0, nx=True, ex=WINDOW_S)
                pipe.incr(key)
                pipe.ttl(key)
            answers = pipe.execute()
    except redis.RedisError as error:
        log.warning("sign-in tries are not being counted: Redis is away (%s)", type(error).__name__)
        return 0
    waits = [ttl for tries, ttl in zip(answers[1::3], answers[2::3], strict=True) if tries > MOST_FAILURES]
    return max(1, *waits) if waits else 0


def forget(keys: list[str]) -> None:
    """Start counting afresh after a success."""
    try:
        _redis().delete(*keys)
    except redis.RedisError as error:
        log.warning("sign-in tries were not cleared: Redis is away (%s)", type(error).__name__)


@lru_cache(maxsize=1)
def _redis() -> redis.Redis:
    return redis_link()
