"""Whatever anybody sends to any of our public doors, the answer is never that we broke.

One OpenAPI document is made of the very urlpatterns; schemathesis draws requests from it, good and bad, with tokens that
open and tokens that do not. What it cannot write (torn bodies, lying lengths, bytes that are no text) is written by hand
and sent to every door as well. All of it in this process, over WSGI, and the same in every run.
"""

from __future__ import annotations

import io
import json
import traceback
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from django.core.signals import got_request_exception, request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.generation import GenerationMode

from pipeline.public.urls import urlpatterns
from tests.public.conftest import counters, site
from tests.public.doors import Door, doors
from tests.public.readers.conftest import mail, uncounted

__all__ = ["counters", "doors", "mail", "site", "uncounted"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("counters", "uncounted")]
EACH = 4  #: requests drawn for each door and method
FIELDS: Mapping[str, list[str]] = {
    "address": ["cleo@example.org", "ä@bücher.example", "a@b", "x" * 400],
    "topics": ["morning-brief", "weekly"],
    "language": ["ar", "en"],
    "seal": [""],
    "website": [""],
    "form": ["site"],
    "all": ["1"],
    "List-Unsubscribe": ["One-Click"],
    "zone": ["Europe/Brussels", "../etc/passwd"],
    "wants_at": ["07:30", "25:61"],
    "tracking": ["off", "consented"],
    "seen": [""],
}
#: What stands where a token should: no text, too much of it, and what other programs choke on.
ODD = (
    "\x00",
    "%00",
    "\udcff\udcfe",
    "é",
    "x" * 5000,
    "..",
    "%2e%2e%2f",
    "𝕏",
    "9" * 30,
    "-1",
    "1e9",
    "' OR 1=1--",
    "\r\nX: y",
)
BODIES: tuple[tuple[str, bytes], ...] = (
    ("", b""),
    ("application/json", b"{" * 5000),
    ("application/json", b'{"address": "\\u0000", "topics": [{}], "language": "\\ud800"}'),
    ("application/json; charset=nope", b"\xff\xfe[]"),
    ("application/json", b'{"address": 1e999, "topics": {"a": NaN}}'),
    ("application/x-www-form-urlencoded", b"address=%00&topics=%ff&seen=%00&language=%00&zone=%00"),
    ("application/x-www-form-urlencoded; charset=nope", b"a=b"),
    ("application/x-www-form-urlencoded; charset=utf-16", b"a=b"),
    ("application/x-www-form-urlencoded", b"&".join(b"f%d=1" % n for n in range(1500))),
    ("application/x-www-form-urlencoded", b"address=" + b"x" * 3_000_000),
    ("multipart/form-data", b"--x\r\n\r\n--x--"),
    ("multipart/form-data; boundary=" + "x" * 300, b""),
    ("multipart/form-data; boundary=é", b"--x"),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="a"; filename="../x"\r\n\r\n\x00'),
    ("multipart/form-data; boundary=x", b'--x\r\nContent-Disposition: form-data; name="address"\r\nContent-Transfer-Encoding: base64\r\n\r\n!\r\n--x--'),
    ("text/xml", b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><methodCall>&b;</methodCall>'),
    ("text/xml; charset=utf-7", b"<a" + b"<a>" * 3000),
    ("\x00/\xff", b"\xff\x00"),
)  # fmt: skip
HEADERS: tuple[Mapping[str, str], ...] = (
    {"HTTP_IF_MODIFIED_SINCE": "junk", "HTTP_IF_NONE_MATCH": '"', "HTTP_IF_MATCH": "x"},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 99 Nov 99999 99:99:99 GMT", "HTTP_IF_UNMODIFIED_SINCE": "0", "HTTP_RANGE": "bytes=9-1"},
    {"HTTP_ACCEPT_LANGUAGE": "x;q=y," * 3000, "HTTP_REFERER": "http://[::1", "HTTP_ORIGIN": "\xff\x00"},
    {"HTTP_X_FORWARDED_FOR": "::::, 1.2.3.4.5, %00", "HTTP_COOKIE": "=\x00; sessionid=\xff; messages=x", "REMOTE_ADDR": ""},
    {"HTTP_HOST": "evil.example\x00", "HTTP_CONTENT_ENCODING": "gzip", "HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": "%ff"},
    {"CONTENT_LENGTH": "-1"},
    {"CONTENT_LENGTH": "9" * 40},
    {"CONTENT_LENGTH": "é"},
)  # fmt: skip
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND", "get", "\xff")


@pytest.fixture
def broken() -> Iterator[list[str]]:
    """What raised, and where."""
    found: list[str] = []

    def heard(request: Any = None, **_: Any) -> None:
        found.append(f"{request.method if request else ''} {traceback.format_exc(limit=-4)}")

    got_request_exception.connect(heard)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)  # as Django's own client does: the test's transaction lives on it
    yield found
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)
    got_request_exception.disconnect(heard)


def document(doors: list[Door]) -> dict[str, Any]:
    """What may be sent where, as OpenAPI."""
    text = {"type": "string"}
    known = {name: {"anyOf": [{"enum": values}, text]} for name, values in FIELDS.items()}
    form = {"schema": {"type": "object", "properties": known}}
    anything = {"schema": {"anyOf": [form["schema"], {"type": "array"}, text, {"type": "number"}]}}
    content = {"application/json": anything, "application/x-www-form-urlencoded": form, "multipart/form-data": form}
    answers = {"responses": {"default": {"description": "anything but a fault of ours"}}}
    paths = {
        door.path: {
            "parameters": [
                *({"name": name, "in": "query", "schema": text} for name in door.asks),
                *(_parameter(name, values) for name, values in door.values.items()),
            ],
            "get": answers,
            "post": answers | {"requestBody": {"content": content}},
        }
        for door in doors
    }
    return {"openapi": "3.1.0", "info": {"title": "Public", "version": "1"}, "paths": paths}


def _parameter(name: str, values: list[Any]) -> dict[str, Any]:
    kind = "integer" if isinstance(values[0], int) else "string"
    return {"name": name, "in": "path", "required": True, "schema": {"anyOf": [{"enum": values}, {"type": kind}]}}


def test_no_request_drawn_from_our_own_routes_breaks_us(doors: list[Door], broken: list[str]) -> None:
    schema = schemathesis.openapi.from_dict(document(doors))
    schema.app = get_wsgi_application()
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == 2 * len(urlpatterns)
    seen: list[tuple[int, str]] = []
    for operation in operations:
        drawn = [
            operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        ]

        @settings(
            max_examples=EACH,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(drawn))
        def sent(case: Any) -> None:
            with transaction.atomic():
                answer = case.call(base_url="http://localhost")
                seen.append((answer.status_code, f"{case.method} {answer.request.url}"))

        sent()
    assert ([each for each in seen if each[0] >= 500], broken) == ([], [])
    assert len(seen) >= 2 * len(operations)
    assert {status for status, _ in seen} >= {200, 400, 404, 405}


def environ(
    method: str, path: str, *, query: str = "", body: tuple[str, bytes] = ("", b""), **more: str
) -> dict[str, Any]:
    """As PEP 3333 has it: text of one byte a character."""
    wide = path.encode("utf-8", "surrogateescape").decode("latin-1")
    return {
        "REQUEST_METHOD": method, "SCRIPT_NAME": "", "PATH_INFO": wide, "QUERY_STRING": query, "SERVER_NAME": "localhost",
        "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "localhost",
        "CONTENT_TYPE": body[0], "CONTENT_LENGTH": str(len(body[1])), "wsgi.version": (1, 0), "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body[1]), "wsgi.errors": io.StringIO(), "wsgi.multithread": False,
        "wsgi.multiprocess": True, "wsgi.run_once": False, **more,
    }  # fmt: skip


def hostile(door: Door) -> Iterator[dict[str, Any]]:
    """What no polite program would send to this door."""
    here = door.at()
    yield from (environ(method, here) for method in METHODS)
    yield from (environ("POST", key, body=body) for key in door.openings() for body in BODIES)
    yield from (environ("POST" if n % 2 else "GET", here, **headers) for n, headers in enumerate(HEADERS))
    yield from (environ("GET", here, **headers) for headers in HEADERS[:2])
    for name in door.values:
        yield from (environ(method, door.at(**{name: odd})) for method in ("GET", "POST") for odd in ODD)
    odd = ("%00", "%ff%fe", "x" * 70_000, "&".join(f"a{n}=1" for n in range(3000)), "=&;&&", "%ud800")
    known = ("&".join(f"{name}={value}" for name in door.asks) for value in ("%00", "%ff", "9" * 50))
    yield from (environ("GET", here, query=query) for query in (*odd, *known))


def almost_right(door: Door) -> Iterator[tuple[str, bytes]]:
    """Forms or JSON that would be taken, but for one field PostgreSQL or Unicode cannot take."""
    right = {name: values[0] for name, values in FIELDS.items()}
    for said in ({**right, name: wrong} for name in FIELDS for wrong in ("a\x00b", "\ud800")):
        if door.path.startswith("/api/"):
            yield "application/json", json.dumps({**said, "topics": [said["topics"]]}).encode()
        else:
            yield "application/x-www-form-urlencoded", urlencode(said, errors="surrogatepass").encode()


def test_no_request_that_is_almost_right_breaks_us(doors: list[Door], broken: list[str]) -> None:
    application, seen = get_wsgi_application(), []
    for each in doors:
        if each.path.startswith(("/join/", "/api/", "/p/", "/confirm/", "/u/", "/still/")):
            seen += [send(application, environ("POST", each.at(), body=body)) for body in almost_right(each)]
    assert ([one for one in seen if one[0] >= "500"], broken) == ([], [])
    assert {status[:3] for status, _, _ in seen} >= {"200", "202", "422"}


def send(application: Any, asked: dict[str, Any]) -> tuple[str, str, str]:
    """Status, method and path."""
    told: list[str] = []
    with transaction.atomic():
        answer = application(asked, lambda status, _headers: told.append(status))
        b"".join(answer)
        answer.close()
    return told[0], asked["REQUEST_METHOD"], asked["PATH_INFO"][:80]


def test_no_hostile_request_at_any_door_breaks_us(doors: list[Door], broken: list[str]) -> None:
    application = get_wsgi_application()
    seen = [send(application, asked) for each in doors for asked in hostile(each)]
    assert ([each for each in seen if each[0] >= "500"], broken) == ([], [])
    assert len({each[0] for each in seen}) >= 6
