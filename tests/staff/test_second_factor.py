from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from pipeline.staff import second_factor
from pipeline.staff.models import JournalEntry, User
from tests.factories import staff
from tests.staff.codes import shown

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 4, 19, 6, 0, 10, tzinfo=UTC)


@pytest.fixture
def ada() -> User:
    return staff.ada()


def switched_on(user: User) -> tuple[str, list[str]]:
    secret = second_factor.begin(user)
    codes = second_factor.confirm(user, code=shown(secret, at=NOW), now=NOW)
    assert codes
    return secret, codes


def test_the_secret_is_sealed_and_the_phone_is_told_it(ada: User) -> None:
    secret = second_factor.begin(ada)
    assert secret not in ada.totp
    assert second_factor.secret_of(ada) == secret
    told = urlsplit(second_factor.address_of(ada, secret))
    assert (told.scheme, told.netloc) == ("otpauth", "totp")
    assert parse_qs(told.query)["secret"] == [secret]


def test_a_wrong_code_switches_nothing_on(ada: User) -> None:
    secret = second_factor.begin(ada)
    right = shown(secret, at=NOW)
    wrong = f"{(int(right) + 1) % 1_000_000:06d}"
    for code in (wrong, "", "12345", "١٢٣٤٥٦", right + "0"):
        assert second_factor.confirm(ada, code=code, now=NOW) == []
    ada.refresh_from_db()
    assert ada.totp_confirmed_at is None


@pytest.mark.parametrize(("drift_s", "passes"), [(0, True), (-30, True), (30, True), (-90, False), (90, False)])
def test_a_clock_may_be_one_step_off(ada: User, drift_s: int, passes: bool) -> None:
    secret, _ = switched_on(ada)
    later = NOW + timedelta(minutes=5)
    code = shown(secret, at=later + timedelta(seconds=drift_s))
    assert second_factor.passes(ada, code=code, now=later) is passes


def test_a_code_opens_the_door_once(ada: User) -> None:
    secret, _ = switched_on(ada)
    later = NOW + timedelta(minutes=5)
    code = shown(secret, at=later)
    assert [second_factor.passes(ada, code=code, now=later) for _ in range(2)] == [True, False]


def test_a_recovery_code_opens_the_door_once_however_it_is_typed(ada: User) -> None:
    _, codes = switched_on(ada)
    assert second_factor.passes(ada, code=codes[0].upper().replace("-", " "), now=NOW)
    assert not second_factor.passes(ada, code=codes[0], now=NOW)
    assert second_factor.passes(ada, code=codes[1], now=NOW)
    assert JournalEntry.objects.filter(verb="recovery code used").count() == 2


def test_beginning_again_leaves_a_confirmed_secret_alone(ada: User) -> None:
    secret, _ = switched_on(ada)
    second_factor.begin(ada)
    assert second_factor.secret_of(ada) == secret


def test_taking_it_away_is_in_the_journal(ada: User) -> None:
    switched_on(ada)
    assert second_factor.end(ada, actor=ada, now=NOW, reason="phone lost")
    ada.refresh_from_db()
    assert (ada.totp, ada.totp_confirmed_at, ada.recovery) == ("", None, [])
    assert JournalEntry.objects.get(verb="second factor off").reason == "phone lost"
    assert not second_factor.end(ada, actor=ada, now=NOW)
