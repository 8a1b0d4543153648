"""The console script `dateline`: reads arguments, calls one function, prints, chooses the exit code.

The pure verbs import neither Django nor Celery, so that they answer in a fraction of a second.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a newsroom's articles to its readers, and back.",
)

Files = Annotated[list[Path], typer.Argument(help="files to read")]
Url = Annotated[str | None, typer.Option(help="the address the file came from")]

UNUSABLE = 2


@app.command("read-feed")
def read_feed(
    files: Files,
    url: Url = None,
    header: Annotated[list[str] | None, typer.Option(help="K:V, as the site sent it")] = None,
) -> None:
    """Read feeds (RSS, Atom, RDF, JSON Feed): one JSON object a line, a line a file."""
    from pipeline.commands import read_feed as command

    _print_lines(lambda: command.lines(files, url=url, headers=header or []))


@app.command("read-page")
def read_page(files: Files, url: Url = None) -> None:
    """Read article pages: one JSON object a line, a line a file."""
    from pipeline.commands import read_page as command

    _print_lines(lambda: command.lines(files, url=url))


@app.command()
def replay(
    folder: Annotated[Path, typer.Argument(help="numbered HTTP responses, see docs/replay.md")],
    settle: Annotated[float, typer.Option(help="seconds a story waits before it is told", min=0, max=86_400)] = 60,
) -> None:
    """What would be announced, held or ignored for a folder of responses, and why."""
    from pipeline.commands import replay as command

    _print_lines(lambda: command.lines(folder, settle_s=settle))


@app.command("measure-post")
def measure_post(network: Annotated[str, typer.Option(help="x, mastodon, bluesky, ...")]) -> None:
    """Measure texts (JSON lines on standard input) as a network counts them."""
    from pipeline.commands import measure_post as command

    _print_lines(lambda: command.measure(sys.stdin, network=network))


@app.command("classify-hits")
def classify_hits() -> None:
    """Tell people from machines: hits as JSON lines on standard input, a verdict with rule ids a line."""
    from pipeline.commands import classify_hits as command

    _print_lines(lambda: command.lines(sys.stdin))


@app.command("read-bounce")
def read_bounce(files: Files) -> None:
    """Read bounces, complaints and auto-replies: one JSON object a line, a line a file."""
    from pipeline.commands import read_bounce as command

    _print_lines(lambda: command.lines(files))


@app.command("render-edition")
def render_edition(
    articles: Annotated[Path, typer.Option(help="articles as JSON, see tests/samples/edition.json")],
    newsletter: Annotated[str, typer.Option(help="the newsletter's name")],
    out: Annotated[Path, typer.Option(help="folder for the html, txt, eml and preflight.json")],
) -> None:
    """Render an edition from articles alone, exactly as it would be sent."""
    from pipeline.commands import render_edition as command

    with _words():
        warnings = command.render_edition(articles=articles, newsletter=newsletter, out=out)
        print(json.dumps({"out": str(out), "warnings": warnings}, ensure_ascii=False))


@app.command()
def up() -> None:
    """Run everything in this terminal: engines, web, track, workers, beat."""
    from pipeline.commands import up as command

    with _words():
        command.run(_config())


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="one whole round, then a table and an exit code")] = False,
    source: Annotated[str | None, typer.Option(help="a real feed or site instead of the sample newsroom")] = None,
) -> None:
    """The main job from end to end on a sample newsroom: watch, post, send, click, rank."""
    from pipeline.demo import stage

    with _words():
        raise typer.Exit(stage.run(once=once, source=source))


@app.command()
def doctor(
    domain: Annotated[bool, typer.Option("--domain", help="what DNS says of the domains we send as, too")] = False,
) -> None:
    """Check everything Dateline needs, and say in words what is wrong and how to mend it."""
    from pipeline.commands import doctor as command

    raise typer.Exit(command.run(domain=domain))


@app.command("create-editor")
def create_editor(
    email: str,
    name: Annotated[str, typer.Option(help="as colleagues know them")] = "",
    role: Annotated[str, typer.Option(help="admin, head, editor, social or viewer")] = "editor",
    password_file: Annotated[Path | None, typer.Option(help="read the password from here instead of asking")] = None,
) -> None:
    """(db) Make a staff account for the desk."""
    with _database("create_editor") as command:
        print(command.run(email=email, name=name, role=role, password_file=password_file))


@app.command()
def watch(
    url: str,
    name: Annotated[str, typer.Option(help="as the newsroom calls the site")] = "",
    every: Annotated[int, typer.Option(help="seconds between looks", min=1)] = 120,
    settle: Annotated[
        int | None, typer.Option(help="seconds a story waits before it is told; 0 for breaking news", min=0, max=3600)
    ] = None,
    not_ours: Annotated[
        bool, typer.Option("--not-ours", help="its owner was not asked: every 15 minutes at most")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """(db) Watch a site or feed: shows what was found and asks. What is there now is a baseline, never announced."""
    with _database("watch") as command:
        _print(command.run(url=url, name=name, every_s=every, settle_s=settle, is_ours=not not_ours, yes=yes))


@app.command("import-sources")
def import_sources(
    file: Annotated[Path, typer.Argument(help="an OPML list of feeds")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="look and report, add nothing")] = False,
    not_ours: Annotated[bool, typer.Option("--not-ours", help="their owners were not asked")] = False,
) -> None:
    """(db) Watch every feed of an OPML list; harmless to repeat."""
    with _database("import_sources") as command:
        _print(command.run(file=file, dry_run=dry_run, is_ours=not not_ours))


@app.command("add-push")
def add_push(
    source: Annotated[str, typer.Argument(help="the source's number or its front page")],
    kind: Annotated[str, typer.Option(help="webhook (signed; WordPress plugin too), ghost or ping")] = "webhook",
) -> None:
    """(db) An address where a site tells us its news, with a fresh secret it signs with; see docs/pushes.md."""
    with _database("add_push") as command:
        _print(command.run(source=source, kind=kind))


@app.command("add-hook")
def add_hook(
    url: str,
    event: Annotated[list[str], typer.Option(help="what it is told; repeat the option; docs/webhooks.md lists them")],
    name: Annotated[str, typer.Option(help="as the newsroom calls it")] = "",
) -> None:
    """(db) Tell another program what happens here, signed; the same address again gets a new secret and is woken."""
    with _database("add_hook") as command:
        _print(command.run(url=url, name=name, events=event))


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
    with _database("create_newsletter") as command:
        _print(
            command.run(
                name=name, sender=sender, publisher=publisher, at=at, zone=zone, every_s=every, home_url=home,
                approval=approval, kind=kind, design=design,
            )
        )  # fmt: skip


@app.command("add-account")
def add_account(
    network: Annotated[
        str,
        typer.Argument(
            help="x, mastodon, bluesky, linkedin, facebook, threads, telegram, discord, slack, hook, feed, agora"
        ),
    ],
    handle: str,
    credentials: Annotated[Path, typer.Option(help="JSON file with the account's keys; they are stored sealed")],
    base_url: Annotated[str, typer.Option(help="where the network is, for agora and tests")] = "",
    approval: Annotated[bool, typer.Option("--approval", help="a person approves each post")] = False,
    rules: Annotated[Path | None, typer.Option(help="JSON file with its rules and words")] = None,
    zone: Annotated[str, typer.Option(help="IANA zone of its quiet hours and its month")] = "",
    budget_usd: Annotated[float | None, typer.Option(help="dollars it may cost in a month", min=0)] = None,
    app_name: Annotated[str, typer.Option("--app", help="accounts of one app share its limits")] = "",
    authorise: Annotated[bool, typer.Option("--authorise", help="consent in a browser; the file is the app's")] = False,
    redirect: Annotated[str, typer.Option(help="where the browser is led back to, as the app names it")] = "",
    paste: Annotated[bool, typer.Option("--paste", help="read that address from standard input")] = False,
) -> None:
    """(db) Connect a social account."""
    from decimal import Decimal

    with _database("add_account") as command:
        browser = command.Browser(redirect=redirect or command.REDIRECT, paste=paste) if authorise else None
        _print(
            command.run(
                network=network,
                handle=handle,
                credentials=credentials,
                base_url=base_url,
                approval=approval,
                rules=rules,
                zone=zone,
                budget_usd=None if budget_usd is None else Decimal(str(budget_usd)),
                app=app_name,
                browser=browser,
            )
        )


@app.command("add-transport")
def add_transport(
    name: str,
    kind: Annotated[str, typer.Option(help="esp, mx (straight to readers' servers) or relay")],
    settings: Annotated[Path, typer.Option(help="JSON file with its keys; they are stored sealed")],
    provider: Annotated[str, typer.Option(help="for an esp: ses, mailgun, postmark, sendgrid, brevo")] = "",
    rank: Annotated[int, typer.Option(help="the lowest that answers is used; the environment's relay is 0")] = 1,
) -> None:
    """(db) Add a way out for mail, and print the address for its webhook."""
    with _database("add_transport") as command:
        _print(command.run(name=name, kind=kind, provider=provider, settings=settings, rank=rank))


@app.command("import-subscribers")
def import_subscribers(
    file: Path,
    topic: Annotated[str, typer.Option(help="slug of the newsletter they follow")],
    origin: Annotated[str, typer.Option(help="where their consent comes from; the file's name if not given")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", "--rehearse", help="report, change nothing")] = False,
    report: Annotated[Path | None, typer.Option(help="write the refused rows and why here, as CSV")] = None,
) -> None:
    """(db) Enter readers from CSV, TSV or XLSX, or an export of listmonk, Mailchimp, Ghost or MailPoet; goes on where it stopped."""
    with _database("import_subscribers") as command:
        _print(command.run(file=file, topic=topic, origin=origin, dry_run=dry_run, report=report))


@app.command("export-subscribers")
def export_subscribers(
    file: Path, topic: Annotated[str, typer.Option()], segment: Annotated[str, typer.Option()] = ""
) -> None:
    """(db) Write whom a newsletter reaches (only a segment of them) as CSV that no spreadsheet runs."""
    with _database("export_subscribers") as command:
        _print(command.run(file=file, topic=topic, segment=segment))


@app.command("export-reader")
def export_reader(address: str) -> None:
    """(db) Everything held about one reader, as JSON."""
    with _database("erase_reader") as command:
        _print(command.everything(address=address))


@app.command("erase-reader")
def erase_reader(address: str, yes: Annotated[bool, typer.Option("--yes", help="erase it")] = False) -> None:
    """(db) What erasing a reader would touch; with --yes it is done, and the address stays suppressed as a keyed hash."""
    with _database("erase_reader") as command:
        _print(command.run(address=address, yes=yes))


@app.command()
def send(
    newsletter: Annotated[str, typer.Argument(help="slug of the newsletter")],
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
) -> None:
    """(db) Compose an edition now and send it, with progress; asks before anything leaves."""
    with _database("send") as command:
        _print(command.run(slug=newsletter, yes=yes, config=_config()))


@app.command()
def popular(
    window: Annotated[str, typer.Option(help="now, today, week or trending")] = "today",
    section: Annotated[str, typer.Option(help="only this section")] = "",
) -> None:
    """(db) Most Popular as JSON."""
    with _database("popular") as command:
        _print(command.run(window=window, section=section))


@app.command("rebuild-ranking")
def rebuild_ranking(
    check: Annotated[bool, typer.Option("--check", help="compare only; exit 1 where they differ")] = False,
) -> None:
    """(db) Recount the tallies from the events, or check that they are equal."""
    with _database("rebuild_ranking") as command:
        report = command.run(check=check)
        _print(report)
        raise typer.Exit(0 if report["equal"] or not check else 1)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def manage(context: typer.Context) -> None:
    """Django's own commands: migrate, makemigrations, check, shell ..."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pipeline.settings")
    from django.core.management import execute_from_command_line

    from pipeline.kernel.processes.engines import running

    with _words(), running(_config()):
        execute_from_command_line(["dateline manage", *context.args])


def main() -> None:
    """Entry point of the console script."""
    app(prog_name="dateline")


def _config() -> Any:
    from pipeline.kernel.config import config

    return config()


@contextmanager
def _database(name: str) -> Iterator[Any]:
    """The module of a (db) verb, imported once engines answer and Django is set up."""
    from pipeline.commands import database

    with _words(), database.ready():
        yield import_module(f"pipeline.commands.{name}")


@contextmanager
def _words() -> Iterator[None]:
    """Errors a person can meet end in one clear line and exit code 2; bugs keep their traceback."""
    from pipeline.commands.unusable import UnusableInput
    from pipeline.kernel.config import ConfigError
    from pipeline.kernel.processes.faults import EngineError, PortTaken

    try:
        yield
    except (UnusableInput, ConfigError, EngineError, PortTaken, FileNotFoundError) as error:
        print(f"dateline: {error}", file=sys.stderr)
        raise typer.Exit(UNUSABLE) from None


def _print(record: dict[str, Any]) -> None:
    print(json.dumps(record, ensure_ascii=False))


def _print_lines(make: Callable[[], Iterable[dict[str, Any]]]) -> None:
    with _words():
        for record in make():
            print(json.dumps(record, ensure_ascii=False), flush=True)


if __name__ == "__main__":
    main()
