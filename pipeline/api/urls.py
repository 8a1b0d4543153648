"""Addresses of the door for programs, below whatever the wiring gives it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.urls import URLPattern, re_path
from django.views.decorators.csrf import csrf_exempt

from pipeline.api.door import api, not_that_way, nowhere

View = Callable[..., HttpResponseBase]


def _speaking(view: View) -> View:
    """Whoever comes with a method that is not taken is told so in the shape of every refusal."""

    @wraps(view)
    def spoken(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        answer = view(request, *args, **kwargs)
        return not_that_way(request, answer.headers["Allow"]) if answer.status_code == 405 else answer

    return spoken


app_name = "api"
patterns, _, _ = api.urls
for _pattern in patterns:
    if isinstance(_pattern, URLPattern):
        _pattern.callback = _speaking(_pattern.callback)
urlpatterns = [*patterns, re_path(r"^.*$", csrf_exempt(nowhere))]
