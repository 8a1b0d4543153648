"""Addresses: readers at the root, editors below /desk/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from pipeline.desk.admin.roll import registered

handler400 = "pipeline.public.faults.bad_request"
handler403 = "pipeline.public.faults.forbidden"
handler404 = "pipeline.public.faults.not_found"
handler500 = "pipeline.public.faults.broken"
urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/desk/", permanent=False)),
    path("desk/admin/", registered().urls),
    path("desk/", include("pipeline.desk.urls")),
    path("api/v1/", include("pipeline.api.urls")),
    path("", include("pipeline.public.urls")),
]
