"""A card brings its picture where its network wants one, and goes without it rather than not at all."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from pipeline.channels.base import Card
from pipeline.channels.registry import Can
from pipeline.delivery.posting.pictures import LARGEST, card_of
from tests.factories.web_site import reaching, serving

KEPT = {"url": "https://go.example.org/c/1", "title": "Rain", "description": "It fell.", "alt": "Rain on a roof"}
PLAIN = Card(url=KEPT["url"], title="Rain", description="It fell.")


def test_a_picture_is_brought_with_its_words() -> None:
    with serving() as site, reaching(site) as client:
        site.put("/p.png", "png!", kind="image/png")
        card = card_of({**KEPT, "picture": f"{site.url}/p.png"}, can=Can(card=True, media=True), client=client)
    assert card is not None and card.picture is not None
    assert (card.picture.content, card.picture.media_type, card.picture.alt) == (b"png!", "image/png", "Rain on a roof")


@pytest.mark.parametrize(
    ("path", "body", "kind"),
    [("/gone.png", "", ""), ("/p.html", "<p>", "text/html"), ("/p.svg", "<svg/>", "image/svg+xml"), ("/big.png", "x" * (LARGEST + 1), "image/png")],
)  # fmt: skip
def test_a_picture_that_cannot_be_had_is_left_out(path: str, body: str, kind: str) -> None:
    with serving() as site, reaching(site) as client:
        if kind:
            site.put(path, body, kind=kind)
        assert card_of({**KEPT, "picture": site.url + path}, can=Can(card=True, media=True), client=client) == PLAIN


def test_a_site_that_is_away_costs_the_picture_only() -> None:
    with ExitStack() as stack:
        with serving() as site:
            address, client = f"{site.url}/p.png", stack.enter_context(reaching(site))
        assert card_of({**KEPT, "picture": address}, can=Can(card=True, media=True), client=client) == PLAIN


@pytest.mark.parametrize(
    ("can", "card"), [(Can(), None), (Can(card=True), PLAIN), (Can(media=True), None)], ids=["neither", "card", "media"]
)
def test_what_a_network_does_not_want_is_not_fetched(can: Can, card: Card | None) -> None:
    with serving() as site, reaching(site) as client:
        assert card_of({**KEPT, "picture": f"{site.url}/p.png"}, can=can, client=client) == card
        assert site.asked == []


def test_no_card_was_kept() -> None:
    assert card_of({}, can=Can(card=True, media=True)) is None
