"""The picture of a story, its words and its credit, wherever a theme hides them."""

from __future__ import annotations

import pytest

from pipeline.articles.page.pictures import Picture, credit_of
from pipeline.articles.read import read
from pipeline.sources.formats.entries import Entry

WHERE = "https://gazette.example/a/"


@pytest.mark.parametrize(
    ("caption", "credit"),
    [
        ("The hall. Photo: Aiko Sato", "Aiko Sato"), ("The hall (AFP)", "AFP"), ("The hall. (Ben Okri/Reuters)", "Ben Okri/Reuters"), ("The hall © Harbour Gazette", "Harbour Gazette"), ("The hall | Getty Images", "Getty Images"), ("Foto: dpa", "dpa"),
        ("The hall. (Lou Ferrer/Gulch Courier)", "Lou Ferrer/Gulch Courier"), ("The hall. (Lou Ferrer via AP)", "Lou Ferrer via AP"), ("The hall (left) at night", ""), ("The hall (1931)", ""), ("", ""), ("تصوير: أحمد", "أحمد"),
    ],
)  # fmt: skip
def test_a_caption_says_whose_picture_it_is(caption: str, credit: str) -> None:
    assert credit_of(caption) == credit


@pytest.mark.parametrize(
    "image",
    [
        "<img src='/i.jpg' alt='A'>", "<img src='data:image/gif;base64,R0' data-src='/i.jpg' alt='A'>", "<img data-lazy-src='/i.jpg' alt='A'>", "<img src='/lazy-placeholder.png' data-original='/i.jpg' alt='A'>",
        "<img srcset='/i.jpg 640w, /j.jpg 1280w' alt='A'>", "<img src='data:x' data-srcset='/i.jpg 640w' alt='A'>", "<amp-img src='/i.jpg' alt='A'></amp-img>",
    ],
)  # fmt: skip
def test_a_lazy_picture_is_found_in_its_figure(image: str) -> None:
    page = f"<html><article><figure>{image}<figcaption>Hall. Photo: Aiko Sato</figcaption></figure></article></html>"
    assert read(page.encode(), url=WHERE).image == Picture("https://gazette.example/i.jpg", "A", "Aiko Sato", "Hall. Photo: Aiko Sato")  # fmt: skip


def test_a_channels_picture_borrows_the_pages_words_for_the_same_one() -> None:
    page = b"<html><article><figure><img src='/i-300x200.jpg' alt='A'><figcaption>Hall (AFP)</figcaption></figure></article>"
    entry = Entry(id="1", title="T", image="https://gazette.example/i.jpg")
    assert read(page, url=WHERE, entry=entry).image == Picture(
        "https://gazette.example/i.jpg", "A", "AFP", "Hall (AFP)"
    )
    told = Entry(id="1", title="T", image="/i.jpg", image_alt="B", image_credit="C", is_whole=True)
    assert read(page, url=WHERE, entry=told).image == Picture("https://gazette.example/i.jpg", "B", "C", "Hall (AFP)")
