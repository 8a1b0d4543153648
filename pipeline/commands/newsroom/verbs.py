"""What an editor's verbs take, for the console script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.terminal import config, database, print_record

app = typer.Typer()


@app.command("create-editor")
def create_editor(
    email: str,
    name: Annotated[str, typer.Option(help="as colleagues know them")] = "",
    role: Annotated[str, typer.Option(help="admin, head, editor, social or viewer")] = "editor",
    password_file: Annotated[Path | None, typer.Option(help="read the password from here instead of asking")] = None,
) -> None:
    """(db) Make a staff account for the desk."""
    with database("newsroom.create_editor") as command:
        print(command.run(email=email, name=name, role=role, password_file=password_file))


@app.command("create-newsletter")
def create_newsletter(
    name: str,
    sender: Annotated[str, typer.Option("--from", help="address mails come from")],
    publisher: Annotated[str, typer.Option(help="name beside that address")] = "",
    at: Annotated[str, typer.Option(help="local time it leaves")] = "06:30",
    zone: Annotated[str, typer.Option(help="IANA zone, such as Europe/Brussels")] = "UTC",
    every: Annotated[int | None, typer.Option(help="seconds between editions instead of a time", min=5)] = None,
    home: Annotated[str, typer.Option(help="the site it belongs to")] = "",
    approval: Annotated[str, typer.Option(help="editor: a person approves; rules: leaves by itself")] = "editor",
    kind: Annotated[str, typer.Option(help="digest, or alert: one story at once, without a time")] = "digest",
    design: Annotated[str, typer.Option(help="morning, section, weekly or breaking")] = "",
) -> None:
    """(db) Make a newsletter: a lead, top stories, most popular."""
    with database("newsroom.create_newsletter") as command:
        print_record(
            command.run(
                name=name, sender=sender, publisher=publisher, at=at, zone=zone, every_s=every, home_url=home,
                approval=approval, kind=kind, design=design,
            )
        )  # fmt: skip


@app.command()
def send(
    newsletter: Annotated[str, typer.Argument(help="slug of the newsletter")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """(db) Compose an edition now and send it, with progress; asks before anything leaves."""
    with database("newsroom.send") as command:
        print_record(command.run(slug=newsletter, yes=yes, config=config()))


@app.command()
def popular(
    window: Annotated[str, typer.Option(help="now, today, week or trending")] = "today",
    section: Annotated[str, typer.Option(help="only this section")] = "",
) -> None:
    """(db) Most Popular as JSON."""
    with database("newsroom.popular") as command:
        print_record(command.run(window=window, section=section))


@app.command("rebuild-ranking")
def rebuild_ranking(
    check: Annotated[bool, typer.Option("--check", help="compare only; exit 1 where they differ")] = False,
) -> None:
    """(db) Recount the tallies from the events, or check that they are equal."""
    with database("newsroom.rebuild_ranking") as command:
        report = command.run(check=check)
        print_record(report)
        raise typer.Exit(0 if report["equal"] or not check else 1)
