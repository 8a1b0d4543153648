"""Django's admin behind our own door: who comes in, signed in by whom."""

# ruff: noqa: ARG002 - the arguments are Django’s

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from pipeline.desk.sign_in import SignOut
from pipeline.staff.models import Role


class BehindTheDesk(AdminSite):
    """No sign-in of its own: the desk's has the throttle and the second factor."""

    site_header = "Dateline, behind the desk"
    site_title = "Dateline"
    index_title = "Every table"
    site_url = "/desk/"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        """Administrators, whatever Django's own flags say."""
        return request.user.is_active and getattr(request.user, "role", "") == Role.ADMIN

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """To the desk's door and back; who is in already and no administrator has no business here."""
        if request.user.is_authenticated:
            if self.has_permission(request):
                return redirect("admin:index")
            raise PermissionDenied
        return redirect_to_login(request.GET.get("next") or reverse("admin:index"), settings.LOGIN_URL)

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:  # type: ignore[override]
        """The desk's."""
        return SignOut.as_view()(request)

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """The desk's: it ends other sessions."""
        return redirect("desk:account")

    def password_change_done(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # type: ignore[override]
        """Nothing to tell here."""
        return redirect("desk:account")


site = BehindTheDesk(name="admin")
