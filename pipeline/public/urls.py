"""The readers' addresses."""

from __future__ import annotations

from django.urls import path

from pipeline.public import health, leave, letter_pages, popular
from pipeline.public.hooks import providers, sites
from pipeline.public.social import notes, posts_feed

urlpatterns = [
    path("healthz", health.healthz),
    path("u/<str:token>", leave.leave, name="leave"),
    path("p/<str:token>", leave.leave, name="preferences"),
    path("v/<str:token>", letter_pages.web_view, name="web_view"),
    path("w/<str:token>", letter_pages.why, name="why"),
    path("ping/<str:token>", sites.ping, name="ping"),
    path("hooks/<str:token>", sites.hook, name="hook"),
    path("websub/<str:token>", sites.hub, name="websub"),
    path("esp/<str:provider>/<str:token>", providers.hook, name="esp_hook"),
    path("note/<str:token>", notes.note, name="story_note"),
    path("posts/<str:token>.rss", posts_feed.as_rss, name="posts_feed"),
    path("popular.json", popular.as_json, name="popular_json"),
    path("popular.rss", popular.as_rss, name="popular_rss"),
    path("popular.html", popular.as_fragment, name="popular_fragment"),
]
