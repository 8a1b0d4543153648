"""A mail around its content: an envelope that answers for itself, ids nobody can guess, links that lead home."""

from __future__ import annotations

import email
import email.policy
import html
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from pipeline.audience.models import Subscriber
from pipeline.channels.base import MailServer
from pipeline.delivery.message import renderings
from pipeline.delivery.message.choices import chosen
from pipeline.delivery.message.mail import (
    NoMailServer,
    composer,
    domain_of,
    envelope_sender,
    message_id,
    read_envelope_sender,
    server,
    wire_address,
)
from pipeline.delivery.models import Delivery, Send
from pipeline.editions.models import Edition, Newsletter
from pipeline.engagement.models import Link
from pipeline.engagement.tokens import UNRECORDED, Kind, read
from pipeline.kernel.config import config
from pipeline.kernel.signing import Keyring
from tests.factories import articles, audience, editions
from tests.factories import delivery as deliveries

SECRET = "a secret of this installation, long enough"
NOW = datetime(2026, 4, 19, 4, 30, tzinfo=UTC)
numbers = st.integers(0, 2**32 - 1)


def sender(origin: int, ordinal: int, *, secret: str = SECRET) -> str:
    return envelope_sender(secret=secret, origin=origin, ordinal=ordinal, domain="bounce.example.org")


@given(origin=numbers, ordinal=numbers)
def test_a_bounce_names_its_delivery(origin: int, ordinal: int) -> None:
    address = sender(origin, ordinal)
    assert read_envelope_sender(address, secrets=[SECRET]) == (origin, ordinal)
    assert len(address.partition("@")[0]) <= 64, "RFC 5321 4.5.3.1.1"


@given(origin=numbers, ordinal=numbers, data=st.data())
def test_a_bounce_address_that_was_tampered_with_names_nobody(origin: int, ordinal: int, data: st.DataObject) -> None:
    local, _, domain = sender(origin, ordinal).partition("@")
    place = data.draw(st.integers(0, len(local) - 1))
    letter = data.draw(st.sampled_from("0123456789abcdef.+xé"))
    forged = local[:place] + letter + local[place + 1 :]
    found = read_envelope_sender(f"{forged}@{domain}", secrets=[SECRET])
    assert found == ((origin, ordinal) if forged == local else None)


@pytest.mark.parametrize(
    "address", ["", "@", "b+@x", "b+..@x", "b+1.2.@x", "bounce@example.org", "b+1.2.000000000000@x", "b+" * 400]
)
def test_what_is_no_bounce_address_of_ours_is_none(address: str) -> None:
    assert read_envelope_sender(address, secrets=[SECRET]) is None


def test_another_installations_bounces_are_not_ours() -> None:
    assert read_envelope_sender(sender(1, 2, secret="another secret"), secrets=[SECRET]) is None


def test_a_message_id_is_stable_and_each_is_its_own() -> None:
    def of(origin: int, ordinal: int, secret: str = SECRET) -> str:
        return message_id(secret=secret, origin=origin, ordinal=ordinal, domain="news.example")

    assert of(7, 1) == of(7, 1)
    ids = {of(origin, ordinal) for origin in range(40) for ordinal in range(40)}
    assert len(ids) == 1600
    assert all(re.fullmatch(r"<[0-9a-f]{30}@news\.example>", one) for one in ids)


def test_a_message_id_cannot_be_guessed_without_the_secret() -> None:
    """Whoever could predict it could send it first, and have ours dropped as a duplicate."""
    ours = message_id(secret=SECRET, origin=7, ordinal=1, domain="news.example")
    assert message_id(secret=SECRET + "!", origin=7, ordinal=1, domain="news.example") != ours
    assert "7" not in {ours[1:2] + ours[2:3]}, "the numbers themselves do not stand in it"
    assert sender(7, 1).partition(".")[2].partition("@")[0] not in ours


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("smtp://127.0.0.1", MailServer("127.0.0.1", 25, "plain")),
        ("smtp://relay.example:2525", MailServer("relay.example", 2525, "plain")),
        ("smtp+starttls://u%40x:p%3Aw@relay.example", MailServer("relay.example", 587, "starttls", "u@x", "p:w")),
        ("smtps://[::1]", MailServer("::1", 465, "tls")),
    ],
)  # fmt: skip
def test_the_relay_is_named_by_one_address(url: str, expected: MailServer) -> None:
    assert server(replace(config(), smtp_url=url)) == expected


def test_without_a_relay_it_says_how_to_set_one() -> None:
    with pytest.raises(NoMailServer, match="DATELINE_SMTP_URL"):
        server(replace(config(), smtp_url=""))


@pytest.mark.parametrize(
    ("address", "wire", "domain"),
    [
        ("cleo@example.org", "cleo@example.org", "example.org"),
        ("cleo@bücher.example", "cleo@xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("jürgen@example.org", "jürgen@example.org", "example.org"),
    ],
)  # fmt: skip
def test_domains_travel_as_dns_writes_them(address: str, wire: str, domain: str) -> None:
    assert wire_address(address) == wire
    assert domain_of(address) == domain


@pytest.fixture
def sent(db: None) -> Send:
    newsletter = editions.newsletter()
    for n in range(4):
        articles.article(headline=f"Überschrift {n} – “quoted”", standfirst="Été à Tōkyō.")
    audience.readers(count=3, follows=newsletter.topic)
    return deliveries.send(edition=editions.composed(newsletter=newsletter))


def parsed(send: Send, *, ordinal: int = 1, now: datetime = NOW) -> tuple[str, EmailMessage]:
    edition = Edition.objects.select_related("rendering", "newsletter").get(id=send.edition_id)
    row = Delivery.objects.get(send=send, ordinal=ordinal)
    envelope, data = composer(edition, config=config(), now=now)(row.ordinal, row.address)
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert all(not part.defects for part in message.walk())
    return envelope, message


def part(message: EmailMessage, kind: str) -> str:
    found = message.get_body((kind,))
    assert found is not None
    return str(found.get_content())


def test_a_composed_mail_is_read_back_by_the_standard_library(sent: Send) -> None:
    envelope, message = parsed(sent)
    assert read_envelope_sender(envelope, secrets=[config().secret_key]) == (sent.origin_id, 1)
    sender_ = message["From"].addresses[0]
    assert (sender_.display_name, sender_.addr_spec) == ("The Meridian Dispatch", "brief@dispatch.example")
    assert message["To"].addresses[0].addr_spec == sent.deliveries.get(ordinal=1).address
    assert message["Subject"] == sent.edition.subject
    assert re.fullmatch("Überschrift [0-3] – “quoted”", message["Subject"])
    assert message["Date"].datetime == NOW
    assert message["Message-ID"] == message_id(
        secret=config().secret_key, origin=sent.origin_id, ordinal=1, domain="dispatch.example"
    )
    assert message["Content-Language"] == "en"
    assert "morning-brief.dispatch.example" in message["List-ID"]
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    for kind in ("plain", "html"):
        assert "Été à Tōkyō." in part(message, kind)


@pytest.mark.parametrize("is_archived", [True, False])
def test_a_newsletters_mail_names_its_public_archive_if_it_has_one(
    sent: Send, client: Client, *, is_archived: bool
) -> None:
    Newsletter.objects.update(is_archived=is_archived)
    _, message = parsed(sent)
    here = f"{config().site_url}/archive/morning-brief/"
    assert message["List-Archive"] == (f"<{here}>" if is_archived else None)
    assert client.get(here.removeprefix(config().site_url)).status_code == (200 if is_archived else 404)


def test_every_retry_is_the_same_mail_but_for_its_date(sent: Send) -> None:
    _, first = parsed(sent)
    _, again = parsed(sent, now=NOW + timedelta(minutes=15))
    assert first["Message-ID"] == again["Message-ID"]
    assert part(first, "html") == part(again, "html")
    assert first["Date"] != again["Date"]


def test_every_link_of_a_mail_resolves_to_what_it_was_written_for(sent: Send) -> None:
    keyring = Keyring.from_secret(config().secret_key)
    table = {link.number: link for link in Link.objects.filter(origin=sent.origin)}
    for ordinal in (1, 2, 3):
        _, message = parsed(sent, ordinal=ordinal)
        for kind in ("plain", "html"):
            found = re.findall(rf"{re.escape(config().track_url)}/c/([\w-]{{26}})", part(message, kind))
            tokens = [read(keyring, token, kind=Kind.CLICK) for token in found]
            assert all(token.valid for token in tokens)
            assert {(token.origin, token.ordinal) for token in tokens} == {(sent.origin_id, ordinal)}
            stories = {table[token.link].article_id for token in tokens} - {None}
            assert stories == set(sent.edition.items.filter(picked=True).values_list("article_id", flat=True))
        assert {link.url for link in table.values() if link.article_id} == {
            item.article.url for item in sent.edition.items.filter(picked=True).select_related("article")
        }


def test_each_story_stands_behind_its_own_headline(sent: Send) -> None:
    keyring = Keyring.from_secret(config().secret_key)
    table = {link.number: link for link in Link.objects.filter(origin=sent.origin)}
    _, message = parsed(sent)
    text = part(message, "plain")
    for item in sent.edition.items.filter(picked=True).select_related("article"):
        after = text[text.index(item.article.headline) :]
        found = re.search(r"/c/([\w-]{26})", after)
        assert found
        assert table[read(keyring, found[1], kind=Kind.CLICK).link].article_id == item.article_id


@pytest.mark.parametrize(("kind", "path"), [(Kind.LEAVE, "/u/"), (Kind.VIEW, "/v/"), (Kind.OPEN, "/o/")])
def test_the_other_doors_know_the_reader_as_well_and_take_no_other_key(sent: Send, kind: Kind, path: str) -> None:
    _, message = parsed(sent, ordinal=2)
    found = re.search(rf"{re.escape(path)}([\w-]{{26}})", part(message, "html"))
    assert found
    token = read(Keyring.from_secret(config().secret_key), found[1], kind=kind)
    assert (token.valid, token.origin, token.ordinal) == (True, sent.origin_id, 2)
    assert not read(Keyring.from_secret(config().secret_key), found[1], kind=Kind.CLICK).valid


def test_who_is_not_recorded_has_the_links_of_all_who_are_not_and_doors_of_their_own(sent: Send) -> None:
    Subscriber.objects.filter(id=sent.deliveries.get(ordinal=2).subscriber_id).update(tracking="off")
    edition = Edition.objects.select_related("rendering", "newsletter", "send").get(id=sent.edition_id)
    compose = composer(edition, config=config(), now=NOW, chosen=chosen(edition, batch_id=sent.batches.get().id))
    ordinals = {}
    for row in sent.deliveries.order_by("ordinal"):
        markup = part(
            email.message_from_bytes(compose(row.ordinal, row.address)[1], policy=email.policy.default), "html"
        )
        ordinals[row.ordinal] = [
            {
                read(config().keyring, token, kind=kind).ordinal
                for token in re.findall(rf"/{door}/([\w-]{{26}})", markup)
            }
            for door, kind in (("c", Kind.CLICK), ("o", Kind.OPEN), ("u", Kind.LEAVE))
        ]
    named = [[{n}, {n}, {n}] for n in (1, 2, 3)]
    assert [ordinals[n] for n in (1, 2, 3)] == [named[0], [{UNRECORDED}, {UNRECORDED}, {2}], named[2]]


def test_mail_of_a_newsletter_that_records_nothing_leads_straight_to_the_stories(sent: Send, client: Client) -> None:
    _, recorded = parsed(sent)
    Newsletter.objects.update(tracking="off")
    _, message = parsed(sent, ordinal=2)
    urls = [item.article.url for item in sent.edition.items.filter(picked=True).select_related("article")]
    for kind in ("plain", "html"):
        said, before = part(message, kind), part(recorded, kind)
        assert f"{config().track_url}/c/" in before and urls[0] not in before
        assert not re.search(r"/[co]/[\w-]{26}", said)
        assert all(html.escape(url) in said for url in urls)
        assert re.search(r"/u/[\w-]{26}", said)
    markup = part(message, "html")
    assert len(re.findall("<img", part(recorded, "html"))) == len(re.findall("<img", markup)) + 1
    assert 'tabindex="-1"' in part(recorded, "html") and 'tabindex="-1"' not in markup
    (view,) = set(re.findall(r"/v/[\w-]{26}", markup))
    assert client.get(view).content.decode() == markup.replace("\r\n", "\n")


def test_the_way_out_stands_in_the_header_and_is_the_readers_own(sent: Send) -> None:
    seen = set()
    for ordinal in (1, 2, 3):
        _, message = parsed(sent, ordinal=ordinal)
        found = re.search(r"/u/([\w-]{26})>", str(message["List-Unsubscribe"]))
        assert found
        token = read(Keyring.from_secret(config().secret_key), found[1], kind=Kind.LEAVE)
        assert (token.valid, token.ordinal) == (True, ordinal)
        seen.add(found[1])
    assert len(seen) == 3


@pytest.mark.parametrize(
    ("masthead", "language", "direction"),
    [({}, "en", "ltr"), ({"language": ""}, "en", "ltr"), ({"language": "en_GB!"}, "en", "ltr"), ({"language": "ar", "direction": "rtl"}, "ar", "rtl"), ({"language": None, "direction": "up"}, "en", "ltr")],
)  # fmt: skip
def test_a_masthead_with_odd_values_still_gives_a_mail(
    sent: Send, masthead: dict[str, str], language: str, direction: str
) -> None:
    Newsletter.objects.update(masthead=masthead)
    _, message = parsed(sent)
    assert message["Content-Language"] == language
    edition = Edition.objects.select_related("rendering", "newsletter").get()
    assert renderings.frozen(edition).direction == direction


def test_a_sender_with_letters_dns_does_not_know_is_written_as_dns_writes_it(sent: Send) -> None:
    Newsletter.objects.update(from_address="brief@bücher.example")
    _, message = parsed(sent)
    assert message["From"].addresses[0].addr_spec == "brief@xn--bcher-kva.example"
    assert message["Message-ID"].endswith("@xn--bcher-kva.example>")
