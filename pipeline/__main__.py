"""The console script `dateline`: gathers the verbs of pipeline/commands, room by room.

The pure verbs import neither Django nor Celery, so that they answer in a fraction of a second.
"""

from __future__ import annotations

import typer

from pipeline.commands.connecting import verbs as connecting
from pipeline.commands.newsroom import verbs as newsroom
from pipeline.commands.readers import verbs as readers
from pipeline.commands.reading import verbs as reading
from pipeline.commands.rendering import verbs as rendering
from pipeline.commands.running import verbs as running

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a newsroom's articles to its readers, and back.",
)
for room in (running, connecting, newsroom, readers, reading, rendering):
    app.add_typer(room.app)


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="dateline")


if __name__ == "__main__":
    main()
