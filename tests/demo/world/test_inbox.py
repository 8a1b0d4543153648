from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import html

from pipeline.demo.world.inbox import Inbox
from pipeline.demo.world.serving import HOST

HTML = "<html><head><title>x</title></head><body><p>Grüße</p><script>alert(1)</script></body></html>"


def seek(page: html.HtmlElement, path: str) -> Any:
    """What an XPath finds; its type depends on the path, which the type checker cannot read."""
    return page.xpath(path)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    box = Inbox(keep=60)
    box.start()
    yield box
    box.stop()


@pytest.fixture
def client(inbox: Inbox) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=inbox.url, trust_env=False) as client:
        yield client


def letter(subject: str = "“Tea & Treaties” ☕", *, body: str = HTML) -> bytes:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        subject,
        "desk@dispatch.example",
        "reader@example.org",
    )
    message.set_content("Good morning.\n.\nA line that began with a dot.\n")
    message.add_alternative(body, subtype="html", cte="quoted-printable")
    message.set_boundary("the-same-each-time")
    return message.as_bytes(policy=message.policy.clone(linesep="\r\n"))


def send(inbox: Inbox, *recipients: str, raw: bytes = b"", times: int = 1) -> None:
    with smtplib.SMTP(HOST, inbox.smtp_port) as smtp:
        for _ in range(times):
            smtp.sendmail("bounces@dispatch.example", recipients, raw or letter())


def test_a_mail_is_kept_to_the_byte_once_for_each_recipient(inbox: Inbox) -> None:
    send(inbox, "ada@example.org", "ben@example.org")
    assert [mail.recipient for mail in inbox.mails()] == ["ben@example.org", "ada@example.org"]
    assert {mail.raw for mail in inbox.mails()} == {letter()}
    assert inbox.mails()[0].subject == "“Tea & Treaties” ☕"
    assert inbox.mails()[0].sender == "bounces@dispatch.example"


def test_only_the_newest_are_kept(inbox: Inbox, client: httpx.Client) -> None:
    send(inbox, "ada@example.org", times=61)
    assert inbox.total == 61
    assert [mail.number for mail in inbox.mails()][-1] == 2
    assert client.get("/mails/1").status_code == 404
    assert client.get("/mails/61").status_code == 200


def test_waiting_ends_as_soon_as_a_mail_comes(inbox: Inbox) -> None:
    waiting: list[int] = []
    thread = threading.Thread(target=lambda: waiting.extend(mail.number for mail in inbox.wait(after=0, timeout_s=10)))
    thread.start()
    send(inbox, "ada@example.org")
    thread.join(5)
    assert waiting == [1]
    assert inbox.wait(after=1, timeout_s=0.01) == []


def test_the_list_is_newest_first_searchable_and_paged(inbox: Inbox, client: httpx.Client) -> None:
    send(inbox, "ada@example.org", times=51)
    send(inbox, "ben@example.org")
    page = html.document_fromstring(client.get("/").content)
    shown = seek(page, "//ul[@class='mails']//span[@class='to']/text()")
    assert shown[:2] == ["ben@example.org", "ada@example.org"] and len(shown) == 50
    older = html.document_fromstring(client.get(seek(page, "//a[@rel='next']/@href")[0]).content)
    assert len(seek(older, "//ul[@class='mails']/li")) == 2
    found = html.document_fromstring(client.get("/?q=BEN@").content)
    assert seek(found, "//ul[@class='mails']//span[@class='to']/text()") == ["ben@example.org"]


def test_the_html_part_has_an_address_of_its_own_where_nothing_may_run(inbox: Inbox, client: httpx.Client) -> None:
    send(inbox, "ada@example.org")
    answer = client.get("/mails/1/html")
    policy = answer.headers["content-security-policy"]
    assert "script-src 'none'" in policy and "default-src 'none'" in policy
    assert "allow-scripts" not in policy and "sandbox" in policy
    assert "Grüße" in answer.text
    frame = seek(html.document_fromstring(client.get("/mails/1").content), "//iframe")[0]
    assert frame.get("src") == "/mails/1/html"
    assert "allow-scripts" not in frame.get("sandbox") and "allow-same-origin" not in frame.get("sandbox")


def test_the_viewer_itself_allows_no_script_and_escapes_what_mail_says(inbox: Inbox, client: httpx.Client) -> None:
    send(inbox, "ada@example.org", raw=letter("<script>alert(1)</script>"))
    for path in ("/", "/mails/1", "/mails/1/text", "/mails/1/headers"):
        answer = client.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "<script" not in answer.text, path


def test_text_headers_and_the_raw_mail_can_be_seen(inbox: Inbox, client: httpx.Client) -> None:
    send(inbox, "ada@example.org")
    assert "A line that began with a dot." in client.get("/mails/1/text").text
    assert "desk@dispatch.example" in client.get("/mails/1/headers").text
    raw = client.get("/mails/1/raw")
    assert raw.content == letter()
    assert raw.headers["content-type"] == "message/rfc822"
    assert "attachment" in raw.headers["content-disposition"]


def test_scripts_read_json(inbox: Inbox, client: httpx.Client) -> None:
    send(inbox, "ada@example.org", times=3)
    told = client.get("/api/mails.json?after=1&limit=1").json()
    assert told["total"] == 3
    assert [mail["id"] for mail in told["mails"]] == [3]
    one = client.get("/api/mails/2.json").json()
    assert one["to"] == "ada@example.org"
    assert "Grüße" in one["html"] and one["text"].startswith("Good morning.")
    assert ["From", "desk@dispatch.example"] in one["headers"]
    assert client.get("/api/mails/9.json").status_code == 404


def test_mails_can_be_kept_in_a_directory(tmp_path: Path) -> None:
    box = Inbox(directory=tmp_path / "mails")
    box.start()
    send(box, "ada@example.org")
    box.stop()
    assert [path.read_bytes() for path in (tmp_path / "mails").iterdir()] == [letter()]


def test_five_hundred_mails_are_taken_in_a_few_seconds() -> None:
    raw, box = letter(body="<p>" + "word é " * 5000), Inbox()
    box.start()
    started = time.monotonic()
    threads = [
        threading.Thread(target=send, args=(box, f"r{n}@example.org"), kwargs={"raw": raw, "times": 125})
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.monotonic() - started
    total = box.total
    box.stop()
    assert total == 500
    # 1.5 s alone on two cores; the bound leaves room for a busy machine, and vanilla aiosmtpd misses the measure.
    assert took < 12


def test_stopping_releases_both_ports() -> None:
    before = set(threading.enumerate())
    box = Inbox()
    box.start()
    ports = (box.smtp_port, int(box.url.rpartition(":")[2]))
    with smtplib.SMTP(HOST, box.smtp_port) as smtp:
        smtp.noop()
    box.stop()
    for port in ports:
        socket.create_server((HOST, port)).close()
    assert set(threading.enumerate()) <= before
