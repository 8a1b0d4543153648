"""A new secret key: what is out, sealed and signed under the old one stays good for as long as it is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import Client

from pipeline.audience.joining import seals
from pipeline.audience.subscribe import hash_of
from pipeline.channels import feed
from pipeline.delivery.feedback import webhooks
from pipeline.delivery.message import mail
from pipeline.delivery.models import Delivery, Transport
from pipeline.engagement.tokens import Kind, mint
from pipeline.kernel.config import config
from pipeline.kernel.secrets import Sealed, seal, unseal
from pipeline.posts.acts import notes
from pipeline.public.letters import letter_of
from pipeline.staff import second_factor
from pipeline.staff.models import User
from tests.factories import articles, audience, editions, staff
from tests.factories import delivery as deliveries

pytestmark = pytest.mark.django_db
NEW = "a new secret after an incident, as long as one has to be in production"


@contextmanager
def secrets(newest: str, *older: str) -> Iterator[None]:
    """The environment of every process after it was started again."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATELINE_SECRET_KEY", newest)
        patch.setenv("DATELINE_SECRET_KEY_FALLBACKS", ",".join(older))
        config.cache_clear()
        yield
    config.cache_clear()


@pytest.fixture
def copy() -> Delivery:
    newsletter = editions.newsletter()
    audience.readers(count=1, follows=newsletter.topic)
    for _ in range(4):
        articles.article()
    return deliveries.send(edition=editions.composed(newsletter=newsletter)).deliveries.get()


def test_a_letter_that_is_out_still_opens_its_readers_door(copy: Delivery) -> None:
    named: dict[str, Any] = {"origin": int(copy.send.origin_id), "ordinal": copy.ordinal, "link": 0}
    token = mint(config().keyring, kind=Kind.LEAVE, **named)
    with secrets(NEW, config().secret_key):
        found = letter_of(token, kind=Kind.LEAVE)
        assert found is not None and found.delivery == copy
        assert Client().get(f"/u/{token}").status_code == 200
        assert mint(config().keyring, kind=Kind.LEAVE, **named) != token
        made = mail.reader_values(copy.send.edition, config=config(), unrecorded=())(copy.ordinal, copy.address, "")
        assert letter_of(made.leave_token.decode(), kind=Kind.LEAVE) == found
    with secrets(NEW):
        assert letter_of(token, kind=Kind.LEAVE) is None, "unless the old secret is forgotten"


def test_mail_that_comes_back_still_names_its_copy() -> None:
    sender = mail.envelope_sender(secret=config().secret_key, origin=7, ordinal=3, domain="bounce.example")
    with secrets(NEW, config().secret_key):
        assert mail.read_envelope_sender(sender, secrets=config().secrets) == (7, 3)
    with secrets(NEW):
        assert mail.read_envelope_sender(sender, secrets=config().secrets) is None


def test_signed_addresses_without_a_key_number_still_lead_somewhere() -> None:
    told = (seals.reader_door(5), feed.token_of(6, secret=config().secret_key), notes.address(7).rpartition("/")[2])

    def read() -> tuple[int | None, ...]:
        door, account, article = told
        known = config().secrets
        return seals.reader_of(door), feed.account_of(account, secrets=known), notes.article_of(article, secrets=known)

    with secrets(NEW, "one in between that signed nothing of these, and is long enough", config().secret_key):
        assert read() == (5, 6, 7)
    with secrets(NEW):
        assert read() == (None, None, None)


def test_a_provider_goes_on_posting_where_it_was_told_to() -> None:
    row = Transport.objects.create(name="main", kind="esp", provider="brevo", created_at=editions.NOW)
    token = webhooks.token_of("main", config=config())
    with secrets(NEW, config().secret_key):
        assert webhooks.transport_of(provider="brevo", token=token, config=config()) == row
        assert webhooks.token_of("main", config=config()) != token
    with secrets(NEW):
        assert webhooks.transport_of(provider="brevo", token=token, config=config()) is None


def test_sealed_credentials_stay_readable_and_are_sealed_anew_with_the_new_key() -> None:
    sealed = seal({"token": "t"}, secrets=config().secrets, bound_to="account 1")
    with secrets(NEW, config().secret_key):
        assert unseal(sealed, secrets=config().secrets, bound_to="account 1") == {"token": "t"}
        again = seal({"token": "t"}, secrets=config().secrets, bound_to="account 1")
    with secrets(NEW):
        assert unseal(again, secrets=config().secrets, bound_to="account 1") == {"token": "t"}
        with pytest.raises(Sealed):
            unseal(sealed, secrets=config().secrets, bound_to="account 1")


def test_whoever_is_never_to_be_mailed_again_is_known_under_every_later_secret() -> None:
    before = hash_of("cleo@example.org")
    with secrets(NEW, config().secret_key):
        assert hash_of("cleo@example.org") == before
    with secrets(NEW):
        assert hash_of("cleo@example.org") != before


def test_a_recovery_code_on_paper_is_still_good_once() -> None:
    ada: User = staff.ada()
    code = "abcd-efgh-ijkl-mnop"
    User.objects.filter(id=ada.id).update(recovery=[second_factor._hash(code, secret=config().secret_key), "other"])
    with secrets(NEW, config().secret_key):
        assert second_factor.passes(ada, code=code, now=editions.NOW)
        assert not second_factor.passes(ada, code=code, now=editions.NOW)
    assert User.objects.get(id=ada.id).recovery == ["other"]
