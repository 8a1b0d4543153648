"""What render-edition takes, for the console script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.terminal import in_words

app = typer.Typer()


@app.command("render-edition")
def render_edition(
    articles: Annotated[Path, typer.Option(help="articles as JSON, see tests/samples/edition.json")],
    newsletter: Annotated[str, typer.Option(help="the newsletter's name")],
    out: Annotated[Path, typer.Option(help="folder for the html, txt, eml and preflight.json")],
) -> None:
    """Render an edition from articles alone, exactly as it would be sent."""
    from pipeline.commands.rendering import render_edition as command

    with in_words():
        warnings = command.render_edition(articles=articles, newsletter=newsletter, out=out)
        print(json.dumps({"out": str(out), "warnings": warnings}, ensure_ascii=False))
