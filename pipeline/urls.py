"""Addresses: readers at the root, editors below /desk/."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(url="/desk/", permanent=False)),
    path("desk/", include("pipeline.desk.urls")),
    path("", include("pipeline.public.urls")),
]
