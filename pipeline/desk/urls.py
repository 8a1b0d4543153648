"""Addresses of the desk, below whatever the wiring gives it."""

from __future__ import annotations

from django.urls import path

from pipeline.desk import sign_in, status, today
from pipeline.desk.editions import acts, page, preview, results
from pipeline.desk.stories import articles, posts

app_name = "desk"
urlpatterns = [
    path("", today.today, name="today"),
    path("sign-in/", sign_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", sign_in.SignOut.as_view(), name="sign_out"),
    path("articles/", articles.listing, name="articles"),
    path("articles/held/<int:hold_id>/release", articles.release, name="release"),
    path("posts/", posts.listing, name="posts"),
    path("status/", status.status, name="status"),
    path("editions/", page.listing, name="editions"),
    path("editions/<int:edition_id>/", page.edition, name="edition"),
    path("editions/<int:edition_id>/message.html", preview.message, name="message"),
    path("editions/<int:edition_id>/message.txt", preview.text, name="message_text"),
    path("editions/<int:edition_id>/progress", results.fragment, name="progress"),
    path("editions/<int:edition_id>/deliveries/", results.deliveries, name="deliveries"),
    path("editions/<int:edition_id>/approve", acts.approve, name="approve"),
    path("editions/<int:edition_id>/undo", acts.undo, name="undo"),
    path("editions/<int:edition_id>/skip", acts.skip, name="skip"),
    path("editions/<int:edition_id>/write", acts.write, name="write"),
    path("editions/<int:edition_id>/pause", acts.pause, name="pause"),
    path("editions/<int:edition_id>/resume", acts.resume, name="resume"),
    path("editions/<int:edition_id>/cancel", acts.cancel, name="cancel"),
]
