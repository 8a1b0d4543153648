"""What the running verbs take, for the console script."""

from __future__ import annotations

import os
from typing import Annotated

import typer

from pipeline.commands.terminal import config, in_words

app = typer.Typer()


@app.command()
def up() -> None:
    """Run everything in this terminal: engines, web, track, workers, beat."""
    from pipeline.commands.running import up as command

    with in_words():
        command.run(config())


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="one whole round, then a table and an exit code")] = False,
    source: Annotated[str | None, typer.Option(help="a real feed or site instead of the sample newsroom")] = None,
) -> None:
    """The main job from end to end on a sample newsroom: watch, post, send, click, rank."""
    from pipeline.demo import stage

    with in_words():
        raise typer.Exit(stage.run(once=once, source=source))


@app.command()
def doctor(
    domain: Annotated[bool, typer.Option("--domain", help="what DNS says of the domains we send as, too")] = False,
) -> None:
    """Check everything Dateline needs, and say in words what is wrong and how to mend it."""
    from pipeline.commands.running import doctor as command

    raise typer.Exit(command.run(domain=domain))


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def manage(context: typer.Context) -> None:
    """Django's own commands: migrate, makemigrations, check, shell ..."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline.settings")
    from django.core.management import execute_from_command_line

    from pipeline.kernel.processes.engines import running

    with in_words(), running(config()):
        execute_from_command_line(["dateline manage", *context.args])
