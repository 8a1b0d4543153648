from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from pipeline.delivery.message.mail import doors
from pipeline.delivery.message.renderings import frozen
from pipeline.editions import rendered
from pipeline.editions.models import Edition, Newsletter, Rendering
from pipeline.kernel.config import config

pytestmark = pytest.mark.django_db


def test_the_preview_is_what_the_merge_would_make(desk: Client, morning: Any) -> None:
    message = frozen(morning.ready)
    nobody = rendered.sample_reader(message)
    markup = desk.get(f"/desk/editions/{morning.ready.id}/message.html").content.decode()
    text = desk.get(f"/desk/editions/{morning.ready.id}/message.txt").content.decode()
    assert markup == rendered.preview(message, doors=doors(config()), values=nobody)
    assert text == rendered.preview_text(message, doors=doors(config()), values=nobody)
    assert "[[dl:" not in markup + text


@pytest.mark.parametrize("part", ["message.html", "message.txt"])
def test_the_message_is_sealed(desk: Client, morning: Any, part: str) -> None:
    policy = desk.get(f"/desk/editions/{morning.ready.id}/{part}").headers["Content-Security-Policy"]
    rules = {rule.split()[0]: rule.split()[1:] for rule in policy.split("; ")}
    assert rules["default-src"] == ["'none'"]
    assert rules["sandbox"] == []
    assert "script-src" not in rules
    assert rules["frame-ancestors"] == ["'self'"]


def test_a_look_at_the_desk_fetches_pictures_but_is_no_open(desk: Client, morning: Any) -> None:
    html = f'<img src="https://pictures.example:8443/a.png"><table background="http://b.example/x.png"><td style="background:url(\'https://c.example/y\')">{morning.ready.rendering.html}'
    Rendering.objects.filter(edition=morning.ready).update(html=html)
    answer = desk.get(f"/desk/editions/{morning.ready.id}/message.html")
    policy = answer.headers["Content-Security-Policy"]
    pictures = next(rule.split()[1:] for rule in policy.split("; ") if rule.startswith("img-src"))
    assert pictures == ["data:", "http://b.example", "https://c.example", "https://pictures.example:8443"]
    assert config().track_url not in policy
    assert f'src="{config().track_url}/o/' in answer.content.decode()


def test_an_address_cannot_write_into_the_policy(desk: Client, morning: Any) -> None:
    Rendering.objects.filter(edition=morning.ready).update(
        html='<img src="https://x.example; script-src *//a"> [[dl:leave]]'
    )
    policy = desk.get(f"/desk/editions/{morning.ready.id}/message.html").headers["Content-Security-Policy"]
    assert "script-src" not in policy


def test_an_edition_without_a_message_has_no_preview(desk: Client, morning: Any) -> None:
    Rendering.objects.all().delete()
    assert desk.get(f"/desk/editions/{morning.ready.id}/message.html").status_code == 404


def test_a_readers_letter_has_their_blocks_first(desk: Client, brief: Edition) -> None:
    def place(query: str) -> tuple[int, int]:
        told = desk.get(f"/desk/editions/{brief.id}/message.txt{query}").content.decode()
        return told.index("Story B"), told.index("Story D")

    assert place("")[0] < place("")[1]
    assert place("?follows=trade")[0] > place("?follows=trade")[1]
    assert place("?follows=nothing&follows=%00") == place("")
    page = desk.get(f"/desk/editions/{brief.id}/?follows=trade").content.decode()
    assert "As a reader who follows Trade" in page
    assert f"/desk/editions/{brief.id}/message.html?follows=trade&amp;scheme=dark" in page
    assert f'href="/desk/editions/{brief.id}/?follows=africa&amp;follows=trade#look"' in page


def test_nobody_is_offered_a_choice_readers_do_not_have(desk: Client, brief: Edition) -> None:
    Newsletter.objects.update(reader_choice="all")
    assert "As a reader who follows" not in desk.get(f"/desk/editions/{brief.id}/?follows=trade").content.decode()


def test_a_dark_mailbox_is_shown_on_a_light_screen(desk: Client, morning: Any) -> None:
    said = "Type (prefers-color-scheme:dark) to see"
    html = f"<style>@media (prefers-color-scheme:dark){{p{{color:#fff}}}}</style><p>{said}</p>[[dl:leave]]"
    Rendering.objects.filter(edition=morning.ready).update(html=html)
    url = f"/desk/editions/{morning.ready.id}/message.html"
    dark, light = (desk.get(f"{url}?scheme={scheme}").content.decode() for scheme in ("dark", "light"))
    assert "@media (min-width:0){p" in dark and "@media (max-width:0){p" in light
    assert said in dark, "only the question in the styles is answered"
    assert desk.get(f"{url}?scheme=pink").content.decode() == desk.get(url).content.decode()
