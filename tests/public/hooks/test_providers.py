"""Providers' webhooks in their own shapes, signed as they sign; what becomes of them once, and who is turned away."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.audience.models import Subscription, Suppression
from pipeline.channels.esp.sns import NotAmazon, check
from pipeline.delivery.feedback.webhooks import address_of
from pipeline.delivery.models import Delivery, Feedback, Transport
from pipeline.delivery.transports import sealed_settings
from pipeline.engagement import tally
from pipeline.engagement.models import Event as EngagementEvent
from pipeline.engagement.models import Report
from pipeline.engagement.tokens import Kind, Minter
from pipeline.kernel.config import config
from pipeline.kernel.signing import Keyring
from pipeline.public.hooks import providers as esp_hooks
from tests.delivery.feedback.test_apply import accepted
from tests.factories import articles
from tests.factories.certificates import Authority, authority
from tests.factories.engagement import event as engagement_event
from tests.factories.provider_server import SETTINGS

pytestmark = pytest.mark.django_db
NAMES = sorted(SETTINGS)
AT = int(datetime(2026, 11, 16, 7, tzinfo=UTC).timestamp())
SENDGRID_KEY = ec.generate_private_key(ec.SECP256R1())
CERTIFICATE = "https://sns.eu-west-1.amazonaws.com/SimpleNotificationService-abc.pem"
USER_UNKNOWN = "smtp; 550 5.1.1 user unknown"


@pytest.fixture(scope="module")
def amazon(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return authority(tmp_path_factory.mktemp("sns"), name="sns.amazonaws.com")


@pytest.fixture
def client(amazon: Authority, monkeypatch: pytest.MonkeyPatch) -> Client:
    """A sender without cookies; Amazon's certificate comes from here."""
    asked: list[str] = []

    def fetch(address: str) -> bytes:
        asked.append(address)
        return amazon.pem

    monkeypatch.setattr(esp_hooks, "_fetch", fetch)
    made = Client(enforce_csrf_checks=True)
    made.asked = asked  # type: ignore[attr-defined]
    return made


def transport(name: str) -> Transport:
    public = SENDGRID_KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    keys = {"sendgrid": {"webhook_key": base64.b64encode(public).decode()}, "mailgun": {"webhook_key": "signing"}}
    sealed = sealed_settings(name, SETTINGS[name] | keys.get(name, {}), config=config())
    return Transport.objects.create(name=name, kind="esp", provider=name, settings=sealed, created_at=timezone.now())


# -- each provider's own shapes. `what` is hard, soft, complaint, delivered, left or opened.


def mailgun(what: str, copy: Delivery) -> dict[str, Any]:
    kind = {"hard": "failed", "soft": "failed", "complaint": "complained", "left": "unsubscribed", "opened": "opened"}
    said = {"hard": "550 5.1.1 user unknown", "soft": "552 5.2.2 mailbox full"}.get(what, "")
    return {
        "event": kind.get(what, "delivered"), "id": f"mg-{what}", "timestamp": AT, "recipient": copy.address,
        "severity": "permanent", "reason": "bounce", "user-variables": {"delivery": str(copy.id)},
        "message": {"headers": {"message-id": f"{copy.id}@news.example"}}, "delivery-status": {"message": said},
    }  # fmt: skip


def postmark(what: str, copy: Delivery) -> dict[str, Any]:
    kind = {"hard": ("Bounce", "HardBounce"), "soft": ("Bounce", "SoftBounce"), "complaint": ("SpamComplaint", "SpamComplaint"),
            "left": ("SubscriptionChange", ""), "opened": ("Open", "")}  # fmt: skip
    record, sort = kind.get(what, ("Delivery", ""))
    body = {
        "RecordType": record, "Type": sort, "MessageID": f"pm-{copy.id}", "Metadata": {"delivery": str(copy.id)},
        "Email": copy.address, "BouncedAt": "2026-11-16T07:00:00Z", "Details": USER_UNKNOWN if what == "hard" else "full",
        "SuppressSending": True, "SuppressionReason": "ManualSuppression",
    }  # fmt: skip
    return body | ({"ID": 4242} if what in ("hard", "soft", "complaint") else {})


def sendgrid(what: str, copy: Delivery) -> dict[str, Any]:
    kind = {"hard": ("bounce", "bounce"), "soft": ("bounce", "blocked"), "complaint": ("spamreport", ""), "left": ("unsubscribe", ""),
            "opened": ("open", "")}  # fmt: skip
    event, sort = kind.get(what, ("delivered", ""))
    return {
        "event": event, "type": sort, "email": copy.address, "timestamp": AT, "sg_event_id": f"sg-{what}", "delivery": str(copy.id),
        "reason": "550 5.1.1 user unknown" if what == "hard" else "552 mailbox full", "sg_message_id": "x",
    }  # fmt: skip


def brevo(what: str, copy: Delivery) -> dict[str, Any]:
    kind = {
        "hard": "hard_bounce",
        "soft": "soft_bounce",
        "complaint": "spam",
        "left": "unsubscribe",
        "opened": "opened",
    }
    return {
        "event": kind.get(what, "delivered"), "email": copy.address, "ts_epoch": AT * 1000, "message-id": f"<{copy.id}@b.example>",
        "reason": "550 5.1.1 user unknown" if what == "hard" else "full",
        "X-Mailin-custom": json.dumps({"delivery": str(copy.id)}),
    }  # fmt: skip


def ses(what: str, copy: Delivery) -> dict[str, Any]:
    kind = {"hard": "Bounce", "soft": "Bounce", "complaint": "Complaint", "opened": "Open"}.get(what, "Delivery")
    bounced = {
        "emailAddress": copy.address,
        "diagnosticCode": USER_UNKNOWN if what == "hard" else "smtp; 552 5.2.2 full",
    }
    mail = {
        "messageId": f"ses-{copy.id}", "destination": [copy.address],
        "headers": [{"name": "X-Metadata", "value": json.dumps({"delivery": str(copy.id)})}],
    }  # fmt: skip
    return {
        "eventType": kind, "mail": mail, "open": {}, "delivery": {"recipients": [copy.address], "smtpResponse": "250 ok"},
        "complaint": {"complainedRecipients": [{"emailAddress": copy.address}], "complaintFeedbackType": "abuse"},
        "bounce": {"bounceType": "Permanent" if what == "hard" else "Transient", "bounceSubType": "General", "bouncedRecipients": [bounced]},
    }  # fmt: skip


SHAPES: dict[str, Callable[[str, Delivery], dict[str, Any]]] = {
    "mailgun": mailgun, "postmark": postmark, "sendgrid": sendgrid, "brevo": brevo, "ses": ses,
}  # fmt: skip


# -- each provider's own signature


def as_sns(message: str, amazon: Authority, *, kind: str = "Notification", **more: str) -> tuple[bytes, dict[str, str]]:
    body = {"Type": kind, "MessageId": hashlib.sha256(message.encode()).hexdigest()[:20], "TopicArn": "arn:aws:sns:eu-west-1:1:ses",
            "Message": message, "Timestamp": "2026-11-16T07:00:00.000Z", "SignatureVersion": "2", **more}  # fmt: skip
    names = ("Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type")
    text = "".join(f"{name}\n{body[name]}\n" for name in names if name in body)
    signature = amazon.key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    body |= {"Signature": base64.b64encode(signature).decode(), "SigningCertURL": CERTIFICATE}
    return json.dumps(body).encode(), {"x-amz-sns-message-type": kind, "x-amz-sns-message-id": body["MessageId"]}


def signed(name: str, event: dict[str, Any], amazon: Authority, *, attempt: int = 1) -> tuple[bytes, dict[str, str]]:
    if name == "ses":
        return as_sns(json.dumps(event), amazon)
    if name == "mailgun":
        token = f"token-{attempt}"
        mac = hmac.new(b"signing", f"{AT}{token}".encode(), hashlib.sha256).hexdigest()
        return json.dumps(
            {"signature": {"timestamp": str(AT), "token": token, "signature": mac}, "event-data": event}
        ).encode(), {}
    if name == "sendgrid":
        body = json.dumps([event]).encode()
        mac = SENDGRID_KEY.sign(str(AT).encode() + body, ec.ECDSA(hashes.SHA256()))
        return body, {
            "X-Twilio-Email-Event-Webhook-Signature": base64.b64encode(mac).decode(),
            "X-Twilio-Email-Event-Webhook-Timestamp": str(AT),
        }
    return json.dumps(event).encode(), {}


def post(client: Client, address: str, body: bytes, headers: dict[str, str]) -> int:
    path = address.removeprefix(config().site_url)
    return client.post(path, data=body, content_type="application/json", headers=headers).status_code


def tell(client: Client, row: Transport, what: str, copy: Delivery, amazon: Authority, *, attempt: int = 1) -> int:
    body, headers = signed(row.provider, SHAPES[row.provider](what, copy), amazon, attempt=attempt)
    return post(client, address_of(row, config=config()), body, headers)


def state(copy: Delivery) -> str:
    copy.refresh_from_db()
    return copy.state


@pytest.mark.parametrize("name", NAMES)
def test_a_hard_bounce_told_twice_suppresses_once(name: str, client: Client, amazon: Authority) -> None:
    gone, other = accepted(readers=2)
    row = transport(name)
    assert [tell(client, row, "hard", gone, amazon, attempt=n) for n in (1, 2, 3)] == [200, 200, 200]
    kept = Feedback.objects.get()
    assert (kept.kind, kept.way, kept.delivery_id) == ("hard", "webhook", gone.id)
    assert state(gone) == Delivery.State.BOUNCED and state(other) == Delivery.State.ACCEPTED
    assert Suppression.objects.get().reason == "bounced"


@pytest.mark.parametrize("name", NAMES)
def test_a_soft_bounce_suppresses_nobody(name: str, client: Client, amazon: Authority) -> None:
    [full] = accepted()
    assert tell(client, transport(name), "soft", full, amazon) == 200
    assert Feedback.objects.get().kind == "soft" and not Suppression.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_complaint_ends_it(name: str, client: Client, amazon: Authority) -> None:
    [angry] = accepted()
    assert tell(client, transport(name), "complaint", angry, amazon) == 200
    assert state(angry) == Delivery.State.COMPLAINED and Suppression.objects.get().reason == "complained"


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ses"])
def test_a_providers_unsubscribe_link_leaves(name: str, client: Client, amazon: Authority) -> None:
    [leaving] = accepted()
    assert tell(client, transport(name), "left", leaving, amazon) == 200
    assert Subscription.objects.get().left_at is not None and not Suppression.objects.exists()


@pytest.mark.parametrize("name", NAMES)
def test_word_of_a_delivery_settles_a_doubt_and_an_open_is_not_ours_to_count(
    name: str, client: Client, amazon: Authority
) -> None:
    [copy] = accepted()
    Delivery.objects.update(state=Delivery.State.UNKNOWN)
    row = transport(name)
    assert tell(client, row, "opened", copy, amazon) == 200
    assert not Feedback.objects.exists()
    assert tell(client, row, "delivered", copy, amazon) == 200
    assert Feedback.objects.get().kind == "delivered" and state(copy) == Delivery.State.ACCEPTED


# -- what a provider takes for a machine


def flagged(name: str, what: str, copy: Delivery, url: str = "") -> dict[str, Any]:
    """An open or click with the provider's own word that no person did it."""
    event = SHAPES[name](what, copy)
    if name == "brevo":
        return event | {"event": "unique_proxy_open"}
    if name == "sendgrid":
        return event | {"event": "open" if what == "opened" else "click", "sg_machine_open": True, "url": url}
    return event | {"event": "opened" if what == "opened" else "clicked", "url": url, "client-info": {"bot": "generic"}}


def judged(copy: Delivery, **fields: Any) -> EngagementEvent:
    known = {"kind": "click", "link": 3, "at": datetime.fromtimestamp(AT + 2, UTC), "ordinal": copy.ordinal} | fields
    return engagement_event(origin=copy.send.origin, **known)


@pytest.mark.parametrize("name", ["brevo", "mailgun", "sendgrid"])
def test_an_open_the_provider_takes_for_a_machine_is_voided_once(name: str, client: Client, amazon: Authority) -> None:
    copy, other = accepted(readers=2)
    row, way = judged(copy, kind="open", link=0), transport(name)
    near = [judged(other, kind="open", link=0), judged(copy, kind="open", link=0, at=row.at + timedelta(minutes=1))]
    for attempt in (1, 2):
        body, headers = signed(name, flagged(name, "opened", copy), amazon, attempt=attempt)
        assert post(client, address_of(way, config=config()), body, headers) == 200
    row.refresh_from_db()
    assert (row.verdict, row.rules) == ("scanner", ["P1"])
    assert {EngagementEvent.objects.get(id=one.id).verdict for one in near} == {"human"}
    assert Feedback.objects.count() == 1


@pytest.mark.parametrize("name", ["mailgun", "sendgrid"])
def test_a_click_the_provider_takes_for_a_machine_gives_its_vote_back(
    name: str, client: Client, amazon: Authority
) -> None:
    [copy] = accepted()
    story = articles.article()
    row, other = judged(copy, article=story), judged(copy, link=4, article=articles.article())
    tally.rebuild()
    minter = Minter(config().keyring, kind=Kind.CLICK, origin=copy.send.origin_id)
    body, headers = signed(
        name, flagged(name, "clicked", copy, f"https://t.example/c/{minter(copy.ordinal, 3)}"), amazon
    )
    assert post(client, address_of(transport(name), config=config()), body, headers) == 200
    row.refresh_from_db(), other.refresh_from_db()
    assert (row.verdict, row.rules, row.counted) == ("scanner", ["P1"], False)
    assert (other.verdict, other.counted) == ("human", True)
    assert tally.kept() == tally.recount()
    assert sum(count.n for count in tally.kept()) == 1
    assert Report.objects.get(origin=copy.send.origin).stale_since is not None


def test_a_machines_click_we_never_saw_or_cannot_read_counts_nothing(client: Client, amazon: Authority) -> None:
    [copy] = accepted()
    way = address_of(transport("mailgun"), config=config())
    minter = Minter(Keyring.from_secret("somebody else's secret"), kind=Kind.CLICK, origin=copy.send.origin_id)
    for attempt, url in enumerate(["https://news.example/a", f"https://t.example/c/{minter(copy.ordinal, 3)}"]):
        body, headers = signed("mailgun", flagged("mailgun", "clicked", copy, url), amazon, attempt=attempt)
        assert post(client, way, body, headers) == 200
    assert not Feedback.objects.exists()
    body, headers = signed("mailgun", flagged("mailgun", "opened", copy), amazon, attempt=9)
    assert post(client, way, body, headers) == 200
    assert not EngagementEvent.objects.exists() and not tally.kept()


# -- who is turned away


@pytest.mark.parametrize("name", ["mailgun", "sendgrid", "ses"])
def test_what_the_provider_did_not_sign_is_refused(
    name: str, client: Client, amazon: Authority, tmp_path: Path
) -> None:
    [copy] = accepted()
    address = address_of(transport(name), config=config())
    body, headers = signed(name, SHAPES[name]("hard", copy), amazon)
    if name == "mailgun":
        altered, changed = body.replace(b"token-1", b"token-9"), headers
    elif name == "sendgrid":
        altered, changed = body.replace(b"user unknown", b"USER unknown"), headers
    else:
        altered, changed = as_sns(json.dumps(ses("hard", copy)), authority(tmp_path, name="evil.example"))
    assert post(client, address, altered, changed) == 403
    assert not Feedback.objects.exists() and not Suppression.objects.exists()
    assert post(client, address, body, headers) == 200


@pytest.mark.parametrize("name", ["sendgrid", "ses"])
def test_a_missing_signature_is_refused(name: str, client: Client, amazon: Authority) -> None:
    [copy] = accepted()
    body, _ = signed(name, SHAPES[name]("hard", copy), amazon)
    assert post(client, address_of(transport(name), config=config()), body, {}) in (400, 403)
    assert not Feedback.objects.exists()


def test_an_address_we_did_not_give_out_is_nothing(client: Client, amazon: Authority) -> None:
    [copy] = accepted()
    row, other = transport("postmark"), transport("brevo")
    right = address_of(row, config=config())
    body, headers = signed("postmark", postmark("hard", copy), amazon)
    wrong = [
        right[:-1] + ("A" if right[-1] != "A" else "B"),
        right.replace("/postmark/", "/brevo/"),
        right.replace("/postmark/", "/pigeon/"),
        right.rpartition("/")[0] + "/" + address_of(other, config=config()).rpartition("/")[2],
        right.rpartition("/")[0] + "/é",
    ]
    assert [post(client, address, body, headers) for address in wrong] == [404] * 5
    assert not Feedback.objects.exists()
    answers = {client.post(address.removeprefix(config().site_url)).content for address in wrong}
    assert len(answers) == 1
    assert client.get(right.removeprefix(config().site_url)).status_code == 200


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(body=st.one_of(st.binary(max_size=200), st.builds(lambda v: json.dumps(v).encode(), st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(
        ["RecordType", "Type", "Email", "Metadata", "MessageID", "event", "email", "reason", "bounce"]), inner, max_size=4)))))  # fmt: skip
@pytest.mark.parametrize("name", ["postmark", "brevo"])
def test_any_body_is_answered_without_a_fault(name: str, body: bytes, client: Client) -> None:
    row = Transport.objects.filter(name=name).first() or transport(name)
    assert post(client, address_of(row, config=config()), body, {}) in (200, 400)


def test_a_key_that_is_none_asks_the_provider_to_come_again(client: Client) -> None:
    row = Transport.objects.create(
        name="sendgrid", kind="esp", provider="sendgrid", created_at=timezone.now(),
        settings=sealed_settings("sendgrid", SETTINGS["sendgrid"] | {"webhook_key": "no key"}, config=config()),
    )  # fmt: skip
    path = urlsplit(address_of(row, config=config())).path
    answer = client.post(path, "[]", content_type="application/json")
    assert (answer.status_code, answer.content) == (503, b"not set up\n")


@pytest.mark.parametrize("provider", ["\x00", "ses\x00", "é", "../ses"])
def test_a_provider_nobody_has_is_nothing(provider: str, client: Client) -> None:
    assert client.post(f"/esp/{quote(provider, safe='')}/x", "{}", content_type="application/json").status_code == 404


def test_a_body_too_large_is_refused(client: Client) -> None:
    address = address_of(transport("brevo"), config=config())
    assert post(client, address, b" " * 3_000_000, {}) == 413


def test_amazon_is_answered_where_it_asks_to_confirm(client: Client, amazon: Authority) -> None:
    address = address_of(transport("ses"), config=config())
    url = (
        "https://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription&TopicArn=arn:aws:sns:eu-west-1:1:ses&Token=abc"
    )
    body, headers = as_sns(
        "You have chosen to subscribe", amazon, kind="SubscriptionConfirmation", SubscribeURL=url, Token="abc"
    )
    assert post(client, address, body, headers) == 200
    assert client.asked[-1] == url  # type: ignore[attr-defined]
    body, headers = as_sns(
        "x", amazon, kind="SubscriptionConfirmation", SubscribeURL="http://169.254.169.254/?a=1", Token="abc"
    )
    assert post(client, address, body, headers) == 403
    assert "http://169.254.169.254/?a=1" not in client.asked  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "address",
    [
        "http://sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com.evil.example/a.pem",
        "https://evil.example/sns.eu-west-1.amazonaws.com/a.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/a.pem",
        "",
    ],
)
def test_a_certificate_from_elsewhere_is_not_even_fetched(address: str) -> None:
    def fetch(_address: str) -> bytes:
        raise AssertionError("fetched")

    with pytest.raises(NotAmazon):
        check({"Type": "Notification", "SigningCertURL": address}, fetch=fetch)
