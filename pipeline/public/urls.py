"""The readers' addresses."""

from __future__ import annotations

from django.urls import path

from pipeline.public import health, leave, letter_pages, popular
from pipeline.public.archive import feeds, pages
from pipeline.public.hooks import providers, sites
from pipeline.public.readers import api, confirm, join, prefer, still
from pipeline.public.social import notes, posts_feed

urlpatterns = [
    path("healthz", health.healthz),
    path("u/<str:token>", leave.leave, name="leave"),
    path("u/<str:token>/back", leave.come_back, name="come_back"),
    path("p/<str:token>", prefer.prefer, name="preferences"),
    path("p/<str:token>/leave", leave.leave_all, name="leave_all"),
    path("join/", join.page, name="join"),
    path("join/frame/", join.frame, name="join_frame"),
    path("join/snippet.txt", join.snippet, name="join_snippet"),
    path("api/join", api.join_by_script, name="join_api"),
    path("confirm/<str:token>", confirm.confirm, name="confirm"),
    path("still/<str:token>", still.still, name="still"),
    path("v/<str:token>", letter_pages.web_view, name="web_view"),
    path("w/<str:token>", letter_pages.why, name="why"),
    path("ping/<str:token>", sites.ping, name="ping"),
    path("hooks/<str:token>", sites.hook, name="hook"),
    path("websub/<str:token>", sites.hub, name="websub"),
    path("esp/<str:provider>/<str:token>", providers.hook, name="esp_hook"),
    path("note/<str:token>", notes.note, name="story_note"),
    path("posts/<str:token>.rss", posts_feed.as_rss, name="posts_feed"),
    path("archive/", pages.front, name="archive"),
    path("archive/sitemap.xml", feeds.sitemap, name="archive_sitemap"),
    path("archive/<slug:slug>/", pages.newsletter, name="archive_newsletter"),
    path("archive/<slug:slug>/feed.xml", feeds.as_rss, name="archive_feed"),
    path("archive/<slug:slug>/<int:edition_id>/", pages.edition, name="archive_edition"),
    path("robots.txt", feeds.robots, name="robots"),
    path("popular.json", popular.as_json, name="popular_json"),
    path("popular.rss", popular.as_rss, name="popular_rss"),
    path("popular.html", popular.as_fragment, name="popular_fragment"),
]
