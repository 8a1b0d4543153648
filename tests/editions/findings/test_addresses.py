from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.editions.findings.addresses import lookalike


@pytest.mark.parametrize(
    "url",
    [
        "https://xn--80ak6aa92e.com/",  # apple in Cyrillic
        "https://аррӏе.com/",
        "https://news.gооgle.com/",  # two Cyrillic letters in a Latin word
        "https://xn--pypal-4ve.com/login",
        "https://gοοgle.com/",  # Greek
    ],
)
def test_a_name_made_to_look_like_another_is_found(url: str) -> None:
    assert lookalike(url)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/",
        "https://münchen.example/",
        "https://новости.рф/",
        "https://日本のニュース.example/",
        "https://뉴스news.example/",
        "https://الأخبار.example/",
        "https://xn--/",
        "https://[::1",
        "mailto:x@example.org",
        "",
    ],
)
def test_an_honest_name_in_any_script_is_left_alone(url: str) -> None:
    assert lookalike(url) is None


def test_a_name_is_told_as_it_travels_and_as_it_is_shown() -> None:
    assert lookalike("https://www.аррӏе.com/x") == ("www.xn--80ak6aa92e.com", "www.аррӏе.com")


@given(st.text(max_size=60))
def test_no_address_is_too_odd_to_look_at(text: str) -> None:
    lookalike(text)
    lookalike(f"https://{text}/")
