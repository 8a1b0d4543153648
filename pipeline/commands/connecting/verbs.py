"""What the connecting verbs take, for the console script."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.commands.terminal import database, print_record

app = typer.Typer()


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
    with database("connecting.watch") as command:
        print_record(command.run(url=url, name=name, every_s=every, settle_s=settle, is_ours=not not_ours, yes=yes))


@app.command("import-sources")
def import_sources(
    file: Annotated[Path, typer.Argument(help="an OPML list of feeds")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="look and report, add nothing")] = False,
    not_ours: Annotated[bool, typer.Option("--not-ours", help="their owners were not asked")] = False,
) -> None:
    """(db) Watch every feed of an OPML list; harmless to repeat."""
    with database("connecting.import_sources") as command:
        print_record(command.run(file=file, dry_run=dry_run, is_ours=not not_ours))


@app.command("add-push")
def add_push(
    source: Annotated[str, typer.Argument(help="the source's number or its front page")],
    kind: Annotated[str, typer.Option(help="webhook (signed; WordPress plugin too), ghost or ping")] = "webhook",
) -> None:
    """(db) An address where a site tells us its news, with a fresh secret it signs with; see docs/pushes.md."""
    with database("connecting.add_push") as command:
        print_record(command.run(source=source, kind=kind))


@app.command("add-hook")
def add_hook(
    url: str,
    event: Annotated[list[str], typer.Option(help="what it is told; repeat the option; docs/webhooks.md lists them")],
    name: Annotated[str, typer.Option(help="as the newsroom calls it")] = "",
) -> None:
    """(db) Tell another program what happens here, signed; the same address again gets a new secret and is woken."""
    with database("connecting.add_hook") as command:
        print_record(command.run(url=url, name=name, events=event))


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

    with database("connecting.add_account") as command:
        browser = command.Browser(redirect=redirect or command.REDIRECT, paste=paste) if authorise else None
        print_record(
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
    with database("connecting.add_transport") as command:
        print_record(command.run(name=name, kind=kind, provider=provider, settings=settings, rank=rank))
