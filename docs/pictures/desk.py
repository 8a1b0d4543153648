"""Pictures of every screen of the desk for docs/desk.md, on a morning's rows in a house of its own: needs Chromium.

Each is taken at 360 px and at a desk, by day and by night, and cut off below TALLEST pixels.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent / "desk"
WIDTHS, SCHEMES, TALLEST, QUALITY = (360, 1280), ("light", "dark"), 1500, 55
#: File name and address; what stands in braces is a row of the morning.
SCREENS = {
    "today": "/desk/",
    "edition": "/desk/editions/{ready}/",
    "queue": "/desk/queue/",
    "send": "/desk/queue/{leaving}/",
    "results": "/desk/editions/{leaving}/results/",
    "calendar": "/desk/calendar/",
    "newsletter": "/desk/newsletters/{newsletter}/",
    "settings": "/desk/newsletters/{newsletter}/settings",
    "articles": "/desk/articles/",
    "posts": "/desk/posts/",
    "account": "/desk/posts/accounts/{account}/",
    "popular": "/desk/popular/",
    "readers": "/desk/readers/",
    "segments": "/desk/readers/segments/",
    "sources": "/desk/sources/",
    "designs": "/desk/designs/",
    "design": "/desk/designs/{design}/",
    "hooks": "/desk/hooks/",
    "people": "/desk/people/",
    "status": "/desk/status/",
    "journal": "/desk/journal/",
    "guide": "/desk/guide/",
}


def photographs(browser: Any, *, site: str, morning: Any, user: Any) -> Iterator[tuple[str, bytes]]:
    """File name and JPEG of each screen, width and scheme."""
    from tests.desk.test_pages import address
    from tests.journeys.screens import signed_in

    for width in WIDTHS:
        for scheme in SCHEMES:
            page = signed_in(browser, site=site, user=user, width=width, scheme=scheme)
            page.set_viewport_size({"width": width, "height": TALLEST})  # what is below it has frames unpainted
            for name, url in SCREENS.items():
                page.goto(site + address(url, morning), wait_until="networkidle")
                high = min(TALLEST, int(page.evaluate("document.body.getBoundingClientRect().bottom")))
                clip = {"x": 0, "y": 0, "width": width, "height": high}
                yield (
                    f"{name}-{width}-{scheme}.jpg",
                    page.screenshot(full_page=True, clip=clip, type="jpeg", quality=QUALITY),
                )
            page.context.close()


@contextmanager
def served() -> Iterator[str]:
    """The desk on loopback, from this process's database; its address."""
    from django.test.testcases import LiveServerThread, _StaticFilesHandler

    thread = LiveServerThread("localhost", _StaticFilesHandler)
    thread.daemon = True
    thread.start()
    thread.is_ready.wait()
    if thread.error:
        raise thread.error
    yield f"http://localhost:{thread.port}"
    thread.terminate()


def main(*, out: Path) -> None:
    """Write <screen>-<width>-<scheme>.jpg for every screen into `out`."""
    os.environ.update(DATELINE_DEBUG="1", DJANGO_ALLOW_ASYNC_UNSAFE="true")  # Playwright keeps an event loop here
    from benchmarks import engines

    out.mkdir(parents=True, exist_ok=True)
    with engines.running():
        from django.utils import timezone

        from pipeline.demo.world.stories import stories
        from pipeline.staff.models import Role
        from tests.factories import mornings, staff
        from tests.journeys.screens import chromium

        headlines = [copy.title for copy in stories()][:9]
        morning, ada = mornings.morning(now=timezone.now(), headlines=headlines), staff.user(role=Role.ADMIN)
        with served() as site, chromium() as browser:
            for name, taken in photographs(browser, site=site, morning=morning, user=ada):
                (out / name).write_bytes(taken)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=HERE)
    main(out=parser.parse_args().out)
