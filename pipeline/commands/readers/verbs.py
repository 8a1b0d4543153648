"""What the verbs for readers take, for the console script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.terminal import database, print_record

app = typer.Typer()


@app.command("import-subscribers")
def import_subscribers(
    file: Path,
    topic: Annotated[str, typer.Option(help="slug of the newsletter they follow")],
    origin: Annotated[str, typer.Option(help="where their consent comes from; the file's name if not given")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", "--rehearse", help="report, change nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="write the refused rows and why here, as CSV")] = None,
) -> None:
    """(db) Enter readers from CSV, TSV or XLSX, or an export of listmonk, Mailchimp, Ghost or MailPoet; goes on where it stopped."""
    with database("readers.import_subscribers") as command:
        print_record(command.run(file=file, topic=topic, origin=origin, dry_run=dry_run, report=report))


@app.command("export-subscribers")
def export_subscribers(
    file: Path, topic: Annotated[str, typer.Option()], segment: Annotated[str, typer.Option()] = ""
) -> None:
    """(db) Write whom a newsletter reaches (only a segment of them) as CSV that no spreadsheet runs."""
    with database("readers.export_subscribers") as command:
        print_record(command.run(file=file, topic=topic, segment=segment))


@app.command("export-reader")
def export_reader(address: str) -> None:
    """(db) Everything held about one reader, as JSON."""
    with database("readers.erase_reader") as command:
        print_record(command.everything(address=address))


@app.command("erase-reader")
def erase_reader(address: str, yes: Annotated[bool, typer.Option("--yes", help="erase it")] = False) -> None:
    """(db) What erasing a reader would touch; with --yes it is done, and the address stays suppressed as a keyed hash."""
    with database("readers.erase_reader") as command:
        print_record(command.run(address=address, yes=yes))
