"""What the reading verbs take, for the console script."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.terminal import print_lines

app = typer.Typer()

Files = Annotated[list[Path], typer.Argument(help="files to read")]
Url = Annotated[str | None, typer.Option(help="the address the file came from")]


@app.command("read-feed")
def read_feed(
    files: Files,
    url: Url = None,
    header: Annotated[list[str] | None, typer.Option(help="K:V, as the site sent it")] = None,
) -> None:
    """Read feeds (RSS, Atom, RDF, JSON Feed): one JSON object a line, a line a file."""
    from pipeline.commands.reading import read_feed as command

    print_lines(lambda: command.lines(files, url=url, headers=header or []))


@app.command("read-page")
def read_page(files: Files, url: Url = None) -> None:
    """Read article pages: one JSON object a line, a line a file."""
    from pipeline.commands.reading import read_page as command

    print_lines(lambda: command.lines(files, url=url))


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="numbered HTTP responses, see docs/replay.md")],
    settle: Annotated[float, typer.Option(help="seconds a story waits before it is told", min=0, max=86_400)] = 60,
) -> None:
    """What would be announced, held or ignored for a folder of responses, and why."""
    from pipeline.commands.reading import replay as command

    print_lines(lambda: command.lines(folder, settle_s=settle))


@app.command("measure-post")
def measure_post(network: Annotated[str, typer.Option(help="x, mastodon, bluesky, ...")]) -> None:
    """Measure texts (JSON lines on standard input) as a network counts them."""
    from pipeline.commands.reading import measure_post as command

    print_lines(lambda: command.measure(sys.stdin, network=network))


@app.command("classify-hits")
def classify_hits() -> None:
    """Tell people from machines: hits as JSON lines on standard input, a verdict with rule ids a line."""
    from pipeline.commands.reading import classify_hits as command

    print_lines(lambda: command.lines(sys.stdin))


@app.command("read-bounce")
def read_bounce(files: Files) -> None:
    """Read bounces, complaints and auto-replies: one JSON object a line, a line a file."""
    from pipeline.commands.reading import read_bounce as command

    print_lines(lambda: command.lines(files))
