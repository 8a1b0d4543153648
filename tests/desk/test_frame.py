from __future__ import annotations

from typing import Any

import pytest

from pipeline.desk import frame
from pipeline.editions.models import Newsletter
from tests.factories import editions, sources


@pytest.mark.parametrize(
    ("cadence", "masthead", "zone"),
    [
        ({"zone": "Africa/Addis_Ababa"}, {"zone": "Europe/Brussels"}, "Africa/Addis_Ababa"),
        ({}, {"zone": "Europe/Brussels"}, "Europe/Brussels"),
        ({}, {}, "UTC"),
        ({"zone": "Atlantis/Capital"}, {}, "UTC"),
        ({"zone": "../../etc/passwd"}, {}, "UTC"),
        ({"zone": 7}, {}, "UTC"),
    ],
)
def test_a_newsletter_lives_by_the_clock_it_names(cadence: dict[str, Any], masthead: dict[str, Any], zone: str) -> None:
    assert frame.zone_of(Newsletter(cadence=cadence, masthead=masthead)) == zone


@pytest.mark.django_db
def test_the_desk_tells_the_time_of_its_first_newsletter() -> None:
    assert frame.newsroom_zone() == "UTC"
    sources.source(zone="Asia/Tokyo")
    assert frame.newsroom_zone() == "Asia/Tokyo"
    editions.newsletter(zone="Africa/Nairobi")
    assert frame.newsroom_zone() == "Africa/Nairobi"


@pytest.mark.parametrize("url", ["javascript:alert(1)", " https://x.example", "//x.example", "data:text/html,x", ""])
def test_a_link_that_is_not_of_the_web_is_not_followed(url: str) -> None:
    assert frame.safe_link(url) == ""


def test_a_web_address_may_be_followed() -> None:
    assert frame.safe_link("HTTPS://x.example/a") == "HTTPS://x.example/a"
