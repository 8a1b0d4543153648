"""Pictures of the four designs for docs/designs.md, from the sample newsroom's stories: needs Chromium, asks no network.

The same stories, day and fonts give the same pictures; another machine's fonts give slightly other ones.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Route, sync_playwright

from pipeline.demo.world import pictures
from pipeline.demo.world.stories import Story as Copy
from pipeline.demo.world.stories import stories
from pipeline.editions.content import EditionContent, FilledBlock, Masthead, Picture, Story
from pipeline.editions.render import render
from pipeline.editions.rendered import Doors, LinkTable, preview, sample_reader

HERE = Path(__file__).parent / "designs"
DOORS = Doors.at(track="https://track.example.org", public="https://meridian.example.org")
SITE, SHELF = "https://meridian.example.org", "https://pictures.example.org"
WIDTHS, SCHEMES, TALLEST, QUALITY = (360, 680), ("light", "dark"), 1400, 68
SLOT = datetime(2026, 11, 23, 6, 30, tzinfo=UTC)
COPY: dict[str, Copy] = {copy.slug: copy for copy in stories()}


def story(slug: str, *, pictured: bool = True, label: str = "") -> Story:
    """A story of the sample newsroom, with its picture's address on the shelf this script serves."""
    copy = COPY[slug]
    image = (
        Picture(url=f"{SHELF}/{copy.image.kind}/{slug}.png", alt=copy.image.caption)
        if copy.image and pictured
        else None
    )
    return Story(
        headline=copy.title,
        url=f"{SITE}/{slug}/",
        standfirst=copy.summary,
        section=copy.section,
        authors=(copy.author,),
        picture=image,
        place=copy.place,
        language=copy.language,
        label=label,
        reading_minutes=copy.reading_minutes,
    )


def plain(*slugs: str) -> tuple[Story, ...]:
    """Stories without their pictures, as sections and lists show them."""
    return tuple(story(slug, pictured=False) for slug in slugs)


def masthead(design: str, name: str, tagline: str, **looks: str) -> Masthead:
    """One of the sample newsroom's newsletters."""
    return Masthead(
        name=name, slug=design, design=design, tagline=tagline, publisher="The Meridian Dispatch", home_url=SITE,
        postal_address="The Meridian Dispatch\n3 Harbour Row\nValletta", zone="Europe/Malta", **looks,
    )  # fmt: skip


def morning() -> EditionContent:
    """A weekday's briefing."""
    note = "Good morning. The herders’ paper was signed at ten to five, so the lead was set while it was still being translated; if a comma changes, so will we."
    blocks = (
        FilledBlock(kind="lead", stories=(story("herders-travel-paper-horn-of-africa"),)),
        FilledBlock(kind="note", note=note),
        FilledBlock(kind="top", stories=(story("geneva-hearing-aid-standard"), story("kenya-envoy-tokyo-fish-market"), story("reykjavik-night-desk-shared-consulate", pictured=False))),
        FilledBlock(kind="section", title="Trade", link=f"{SITE}/trade/", stories=plain("rotterdam-montevideo-paperless-fruit", "mombasa-weighbridge-truce")),
        FilledBlock(kind="opinion", stories=plain("opinion-translation-is-policy")),
        FilledBlock(kind="popular", stories=plain("samarkand-map-returns-diplomatic-bag", "wellington-embassy-garden-library", "canberra-cycling-envoy-heat", "quito-glacier-water-bonds")),
    )  # fmt: skip
    return EditionContent(masthead("morning", "The Morning Dispatch", "What the world’s embassies read before nine"), SLOT, "Eleven states, one paper", "And two rival plugs", blocks)  # fmt: skip


def section() -> EditionContent:
    """One section's page."""
    blocks = (
        FilledBlock(kind="lead", stories=(story("vienna-seed-lending-agreement"),)),
        FilledBlock(kind="top", stories=(story("cape-verde-embassy-sardine-cannery"), story("ottawa-long-service-envoy-farewell"), story("geneva-hearing-aid-standard"))),
        FilledBlock(kind="section", stories=plain("canberra-cycling-envoy-heat", "reykjavik-night-desk-shared-consulate", "wellington-embassy-garden-library")),
        FilledBlock(kind="popular", stories=plain("kenya-envoy-tokyo-fish-market", "colombo-tea-and-treaties-canteen")),
    )  # fmt: skip
    look = masthead("section", "Diplomatic News", "Postings, credentials and the small print of treaties", accent="#1d4e6b", paper="white")  # fmt: skip
    return EditionContent(look, SLOT, "A text that nobody loves", "And a sardine cannery", blocks)


def weekly() -> EditionContent:
    """The week's best."""
    blocks = (
        FilledBlock(kind="lead", stories=(story("samarkand-map-returns-diplomatic-bag"),)),
        FilledBlock(kind="popular", stories=plain("wellington-embassy-garden-library", "herders-travel-paper-horn-of-africa", "hanoi-motorbike-battery-standard", "dakar-school-ferry-casamance", "canberra-cycling-envoy-heat")),
        FilledBlock(kind="top", stories=(story("pacific-islands-tide-gauges-insurers"), story("oaxaca-travelling-looms-exhibition"))),
        FilledBlock(kind="section", title="Security", stories=plain("baltic-cable-keepers-rehearse", "valletta-rescue-at-sea-handbook")),
        FilledBlock(kind="section", title="Trade", link=f"{SITE}/trade/", stories=plain("mombasa-weighbridge-truce", "izmir-olive-oil-laboratories", "tbilisi-walnut-certificate-correction")),
        FilledBlock(kind="opinion", stories=plain("opinion-minutes-most-useful-diplomat")),
    )  # fmt: skip
    look = masthead("weekly", "The Meridian Weekly", "Six days of dispatches, in one sitting", accent="#6b2d5c", paper="rose", typeface="serif")  # fmt: skip
    return EditionContent(look, SLOT, "A map goes home", "And what readers liked best", blocks)


def breaking() -> EditionContent:
    """An alert."""
    known = (
        "Cables to three islands went dark at 06:12; no vessel was reported in the area.\n\n"
        "Both ministries call it a rehearsal that was not announced to the night shift.\n\n"
        "Hospitals and air traffic have run on reserve lines since 06:14."
    )
    blocks = (
        FilledBlock(kind="lead", stories=(story("baltic-cable-keepers-rehearse"),)),
        FilledBlock(kind="note", note=known),
        FilledBlock(kind="related", stories=plain("valletta-rescue-at-sea-handbook", "djibouti-port-languages-safety-drill", "pacific-islands-tide-gauges-insurers")),
    )  # fmt: skip
    look = masthead("breaking", "Meridian Alerts", "", accent="#b3261e", paper="white", typeface="sans")
    return EditionContent(look, SLOT, "Baltic cables go dark", "", blocks)


EDITIONS = (morning, section, weekly, breaking)


def page_of(content: EditionContent) -> str:
    """The HTML a reader gets."""
    rendered = render(content, origin_links=LinkTable())
    return preview(rendered, doors=DOORS, values=sample_reader(rendered))


def shelf(route: Route) -> None:
    """Answers for the sample newsroom's pictures, and for nothing else."""
    parts = urlsplit(route.request.url)
    if f"{parts.scheme}://{parts.netloc}" != SHELF:
        route.abort()
        return
    kind, _, name = parts.path.strip("/").partition("/")
    route.fulfill(body=pictures.picture(kind=kind, seed=name.removesuffix(".png")), content_type="image/png")


def photographs(browser: Browser, markup: str, *, tallest: int) -> Iterator[tuple[int, str, bytes]]:
    """Width, scheme and JPEG of one letter, cut off at `tallest` pixels."""
    for width in WIDTHS:
        for scheme in SCHEMES:
            page = browser.new_page(
                viewport={"width": width, "height": 800}, color_scheme="dark" if scheme == "dark" else "light"
            )
            page.route("**/*", shelf)
            page.set_content(markup, wait_until="load")
            high = min(tallest, int(page.evaluate("document.documentElement.scrollHeight")))
            clip = {"x": 0, "y": 0, "width": width, "height": high}
            yield width, scheme, page.screenshot(full_page=True, clip=clip, type="jpeg", quality=QUALITY)  # type: ignore[arg-type]
            page.close()


def main(*, out: Path, tallest: int) -> None:
    """Write <design>-<width>-<scheme>.jpg for every design into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        for edition in EDITIONS:
            for width, scheme, taken in photographs(browser, page_of(edition()), tallest=tallest):
                (out / f"{edition.__name__}-{width}-{scheme}.jpg").write_bytes(taken)
        browser.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE)
    parser.add_argument("--tallest", type=int, default=TALLEST, help="pixels; what is below is cut off")
    asked = parser.parse_args()
    main(out=asked.out, tallest=asked.tallest)
