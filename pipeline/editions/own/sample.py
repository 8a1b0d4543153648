"""Two editions to try a design on: one with everything a newsroom may put in it, one with hardly anything."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.designs.placing import KINDS

_HOME = "https://news.example.org/"
_MASTHEAD = Masthead(
    name="Morning & Evening",
    slug="sample",
    publisher="The Sample Press",
    home_url=_HOME,
    postal_address="14 Consulate Row\nLondon & Paris",
    tagline="What matters, and why",
)
_PICTURE = Picture(url=f"{_HOME}river.jpg", alt="A river at dawn", credit="A. Photographer", width=1200, height=800)


def _story(kind: str) -> Story:
    return Story(
        headline=f"What the {kind} said about <rivers> & “dams”",
        url=f"{_HOME}{kind}/1",
        standfirst="A standfirst of two sentences. It goes on for a while, as they do.",
        section=("World", "Africa"),
        authors=("Ada Writer", "Ben Reporter"),
        published_at=datetime(2026, 11, 23, 4, tzinfo=UTC),
        picture=_PICTURE,
        place="Lusaka",
        label="Update",
        reading_minutes=4,
        article_id=KINDS.index(kind) + 1,
    )


def _content(*blocks: FilledBlock, masthead: Masthead) -> EditionContent:
    return EditionContent(
        masthead=masthead,
        slot_at=datetime(2026, 11, 23, 4, 30, tzinfo=UTC),
        subject="One river, five capitals",
        preheader="And a dam that nobody wants",
        blocks=blocks,
    )


FULL = _content(
    *(
        FilledBlock(kind=kind, title=kind.title(), stories=(_story(kind),), link=f"{_HOME}{kind}/")
        for kind in KINDS
        if kind != "note"
    ),
    FilledBlock(kind="note", note="Good morning.\n\nThe editors"),
    masthead=_MASTHEAD,
)
BARE = _content(
    FilledBlock(kind="top", stories=(Story(headline="A headline alone", url=""),)),
    masthead=Masthead(
        name="Bare", slug="bare", publisher="", home_url="", postal_address="1 Street", language="ar", direction="rtl"
    ),
)


def _only(*stories: Story, title: str = "Top stories") -> tuple[FilledBlock, ...]:
    return (
        FilledBlock(kind="lead", stories=stories[:1]),
        FilledBlock(kind="top", title=title, stories=stories[1:] or stories[:1]),
    )


_LONG = (
    "Ministers, mayors and the harbour’s own pilots agree after eleven nights of talks that the old breakwater will be "
    "rebuilt in stone, not steel, and that the town pays half of what it costs"
)
_PLAIN = _story("top")
#: What breaks designs, by name: each is an edition of its own.
NASTY: dict[str, EditionContent] = {
    "long headline": replace(FULL, blocks=_only(replace(_PLAIN, headline=_LONG), replace(_PLAIN, headline=_LONG * 2))),
    "no picture": replace(FULL, blocks=_only(replace(_PLAIN, picture=None), replace(_PLAIN, picture=None, standfirst=""))),
    "right to left": replace(
        FULL,
        blocks=_only(
            replace(_PLAIN, headline="عودة العبّارات بعد ثلاثة أيام من العاصفة", standfirst="غادر القارب الأول عند الفجر.", language="ar", section=("العالم",)),
            replace(_PLAIN, headline="Zurück am Kai: فيري 27", language="de"),
        ),
    ),
    "emoji": replace(FULL, blocks=_only(replace(_PLAIN, headline="🚢 Ferries sail again 👩‍✈️🇵🇹", standfirst="“At last” 🎉"))),
    "apostrophes and &amp;": replace(
        FULL,
        blocks=_only(replace(_PLAIN, headline="It’s O'Brien &amp; Sons’ \"last\" dock <b>sale</b>", standfirst="R&D &lt;cut&gt; by 5 %; 'we''ll see'")),
    ),
}  # fmt: skip
