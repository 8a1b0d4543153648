"""The environment is read once, whole: every problem is named before anything starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.kernel.config import ConfigError, load
from pipeline.kernel.signing import Keyring

SECRET = "x" * 50
HTTPS = {"DATELINE_SITE_URL": "https://news.example", "DATELINE_TRACK_URL": "https://go.news.example"}


@pytest.fixture
def here(tmp_path: Path) -> dict[str, str]:
    return {"DATELINE_DATA_DIR": str(tmp_path)}


def problems(environ: dict[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(environ)
    first, *listed = str(caught.value).splitlines()
    assert first == "Dateline cannot start with these settings:"
    assert all(line.startswith("  - ") for line in listed)
    return [line.removeprefix("  - ") for line in listed]


def test_an_empty_environment_is_a_house_of_its_own(here: dict[str, str], tmp_path: Path) -> None:
    config = load(here)
    assert (config.environment, config.debug) == ("development", True)
    assert (config.embedded_postgres, config.embedded_redis) == (True, True)
    assert config.database_url.startswith("postgresql://dateline@/dateline?host=")
    assert config.redis_url == f"unix://{tmp_path / 'run' / 'redis.sock'}?db=0"
    assert (config.site_url, config.track_url, config.bind) == (
        "http://127.0.0.1:8000",
        "http://127.0.0.1:8001",
        "127.0.0.1",
    )
    assert config.fetch_allow == frozenset()


def test_what_is_set_outside_is_not_started_here(here: dict[str, str]) -> None:
    config = load(here | {"DATABASE_URL": "postgresql://db.example/dateline", "REDIS_URL": "redis://cache.example/0"})
    assert (config.embedded_postgres, config.embedded_redis) == (False, False)
    assert (config.database_url, config.redis_url) == ("postgresql://db.example/dateline", "redis://cache.example/0")


def test_a_secret_is_made_once_and_found_again(here: dict[str, str], tmp_path: Path) -> None:
    first, second = load(here).secret_key, load(here).secret_key
    assert first == second
    assert len(first) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "secret_key").write_text("")
    assert len(load(here).secret_key) >= 50, "a file that a full disk left empty is written again"


def test_every_problem_is_listed_at_once(here: dict[str, str]) -> None:
    found = problems(
        here
        | {
            "DATELINE_ENV": "prod",
            "DATELINE_WEB_PORT": "80800",
            "DATELINE_TRACK_PORT": "eighty",
            "DATELINE_SITE_URL": "news.example",
            "DATELINE_SMTP_URL": "mail.example:25",
            "DATELINE_WORKERS": "0",
            "DATELINE_LOG_LEVEL": "loud",
            "DATELINE_X_BASE_URL": "ftp://x.example",
            "DATELINE_QUARANTINE_S": "-1",
        }
    )
    assert [line.partition("=")[0] for line in found] == [
        "DATELINE_ENV", "DATELINE_WEB_PORT", "DATELINE_TRACK_PORT", "DATELINE_SITE_URL", "DATELINE_SMTP_URL", "DATELINE_QUARANTINE_S",
        "DATELINE_WORKERS", "DATELINE_LOG_LEVEL", "DATELINE_X_BASE_URL",
    ]  # fmt: skip
    assert "DATELINE_WEB_PORT='80800': expected a whole number from 1 to 65535" in found
    assert "DATELINE_ENV='prod': expected one of development, production" in found
    assert any(line.endswith("expected an address that begins with http or https://") for line in found)


@pytest.mark.parametrize(("text", "number"), [("1", 1), ("64", 64), (" 8 ", 8), ("", 2)])
def test_a_number_within_its_bounds_is_taken(here: dict[str, str], text: str, number: int) -> None:
    assert load(here | {"DATELINE_WORKERS": text}).workers == number


@pytest.mark.parametrize("text", ["0", "65", "1.5", "2e1", "many", "+3"])
def test_any_other_is_refused_with_the_bounds(here: dict[str, str], text: str) -> None:
    assert problems(here | {"DATELINE_WORKERS": text}) == [
        f"DATELINE_WORKERS={text!r}: expected a whole number from 1 to 64"
    ]


def test_a_value_may_stand_in_a_file(here: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n", encoding="utf-8")
    (tmp_path / "workers").write_text(" 7\n", encoding="utf-8")
    given = {"DATELINE_SECRET_KEY_FILE": str(tmp_path / "key"), "DATELINE_WORKERS_FILE": str(tmp_path / "workers")}
    config = load(here | given | {"DATELINE_SECRET_KEY": "the file wins"})
    assert (config.secret_key, config.workers) == (SECRET, 7)


def test_a_file_that_is_not_there_is_a_problem_with_its_name(here: dict[str, str], tmp_path: Path) -> None:
    missing = tmp_path / "missing"
    assert problems(here | {"DATABASE_URL_FILE": str(missing)}) == [
        f"DATABASE_URL_FILE={missing}: No such file or directory"
    ]


@pytest.mark.parametrize("text", ["127.0.0.1:8010 10.0.0.1", "127.0.0.1:8010,10.0.0.1", " 127.0.0.1:8010 , 10.0.0.1 "])
def test_places_that_may_be_fetched_are_separated_by_blanks_or_commas(here: dict[str, str], text: str) -> None:
    assert load(here | {"DATELINE_FETCH_ALLOW": text}).fetch_allow == {"127.0.0.1:8010", "10.0.0.1"}


def test_production_needs_a_secret_encryption_and_a_closed_guard(here: dict[str, str], tmp_path: Path) -> None:
    found = problems(here | {"DATELINE_ENV": "production", "DATELINE_FETCH_ALLOW": "127.0.0.1"})
    assert [line.partition(":")[0] for line in found] == [
        "DATELINE_SECRET_KEY", "DATELINE_FETCH_ALLOW", "DATELINE_SITE_URL", "DATELINE_TRACK_URL",
    ]  # fmt: skip
    assert not (tmp_path / "secret_key").exists(), "production is never given a secret nobody chose"


@pytest.mark.parametrize(("secret", "good"), [(SECRET, True), (SECRET[1:], False)])
def test_production_with_all_of_it_starts(here: dict[str, str], secret: str, good: bool) -> None:
    environ = here | HTTPS | {"DATELINE_ENV": "production", "DATELINE_SECRET_KEY": secret}
    if good:
        assert not load(environ).debug
    else:
        assert len(problems(environ)) == 1


def test_nothing_secret_is_printed(here: dict[str, str]) -> None:
    given = {
        "DATELINE_SECRET_KEY": SECRET, "DATABASE_URL": "postgresql://u:db-pass@h/d", "REDIS_URL": "redis://:redis-pass@h/0",
        "DATELINE_SMTP_URL": "smtp://u:smtp-pass@h",
    }  # fmt: skip
    shown = repr(load(here | given))
    assert not [word for word in (SECRET, "db-pass", "redis-pass", "smtp-pass") if word in shown]


def test_an_address_loses_its_closing_slash(here: dict[str, str]) -> None:
    assert load(here | {"DATELINE_SITE_URL": "https://news.example/"}).site_url == "https://news.example"


def test_a_long_data_directory_keeps_its_sockets_where_the_system_can_name_them(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90)
    first, second = load({"DATELINE_DATA_DIR": str(deep)}), load({"DATELINE_DATA_DIR": str(tmp_path / ("e" * 90))})
    socket = first.redis_url.removeprefix("unix://").partition("?")[0]
    assert len(socket) < 100
    assert first.redis_url != second.redis_url


def test_older_secrets_keep_their_places_and_the_first_founds(here: dict[str, str]) -> None:
    config = load(here | {"DATELINE_SECRET_KEY": SECRET, "DATELINE_SECRET_KEY_FALLBACKS": "first, ,third"})
    assert config.older_secrets == ("first", "", "third")
    assert config.secrets == [SECRET, "third", "first"]
    assert config.founding_secret == "first"
    assert config.keyring.newest == 4
    body = b"x" * 11
    kept = Keyring.from_secret("third", older=["first", "second"])
    assert config.keyring.check(body, kept.mac(body, person=b"p", kid=3), person=b"p", kid=3)
    assert not config.keyring.check(body, kept.mac(body, person=b"p", kid=2), person=b"p", kid=2), "that one is retired"


def test_a_house_that_never_changed_its_secret_has_one(here: dict[str, str]) -> None:
    config = load(here | {"DATELINE_SECRET_KEY": SECRET})
    assert (config.secrets, config.founding_secret, config.keyring.newest) == ([SECRET], SECRET, 1)


def test_more_secrets_than_a_link_can_name_are_refused(here: dict[str, str]) -> None:
    told = here | {"DATELINE_SECRET_KEY": SECRET, "DATELINE_SECRET_KEY_FALLBACKS": ",".join(["s" * 50] * 15)}
    assert problems(told) == ["DATELINE_SECRET_KEY_FALLBACKS: 15 secrets, and a link can name 15"]
    load(told | {"DATELINE_SECRET_KEY_FALLBACKS": ",".join(["s" * 50] * 14)})
