from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from pipeline.delivery.message.mail import doors
from pipeline.delivery.message.renderings import frozen
from pipeline.editions import rendered
from pipeline.editions.models import Rendering
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
