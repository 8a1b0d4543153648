"""An authorisation server on loopback for X, LinkedIn, Facebook and Threads, as strict as RFC 6749 and 7636 ask."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.factories.stage import Handler

APP = {"client_id": "ci-public", "client_secret": "cs-secret"}


class ConsentServer:
    """`refuses` is the person's answer; `expired` makes codes run out at once; `state` is told instead of the one sent.

    `codes` maps each code that was given to what was asked for it; a code is taken once.
    """

    def __init__(self) -> None:
        self.refuses = self.expired = False
        self.state = ""
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.url = ""

    def take(self, request: Handler, method: str, body: bytes) -> None:
        route = urlsplit(request.path)
        query, form = dict(parse_qsl(route.query)), dict(parse_qsl(body.decode()))
        if "response_type" in query:
            return self._authorise(request, query)
        if form.get("code"):
            return self._exchange(request, route.path, form)
        return self._lengthen(request, route.path, {**query, **form})

    def _authorise(self, request: Handler, query: dict[str, str]) -> None:
        assert query["response_type"] == "code"
        assert query["client_id"] == APP["client_id"]
        self.asked.append(query)
        number = f"code-{len(self.codes)}"
        self.codes[number] = query
        said = (
            {"error": "access_denied", "error_description": "The user denied it"} if self.refuses else {"code": number}
        )
        request.send_response(302)
        answer = urlencode({**said, "state": self.state or query["state"]})
        request.send_header("Location", f"{query['redirect_uri']}?{answer}")
        request.send_header("Content-Length", "0")
        request.end_headers()

    def _exchange(self, request: Handler, path: str, form: dict[str, str]) -> None:
        known = self.codes.pop(form["code"], None)
        if known is None or self.expired or form["redirect_uri"] != known["redirect_uri"]:
            why = "Value passed for the authorization code was invalid."
            return request.say(400, {"error": "invalid_request", "error_description": why})
        if "code_challenge" in known and not _proves(form.get("code_verifier", ""), known):
            return request.say(400, {"error": "invalid_grant", "error_description": "the verifier does not match"})
        if not _is_the_app(request, form):
            return request.say(401, {"error": "invalid_client"})
        more = {"user_id": 4711} if path == "/oauth/access_token" else {}
        if path in ("/2/oauth2/token", "/oauth/v2/accessToken"):
            more = {"refresh_token": "given-refresh", "expires_in": 7200}
        return request.say(200, {"access_token": "given-short", "token_type": "bearer", **more})

    def _lengthen(self, request: Handler, path: str, asked: dict[str, str]) -> None:
        """Meta's second steps: a longer token for the short one, and a page's by its person's."""
        if path.endswith("/page-9"):
            assert request.headers["Authorization"] == "Bearer given-long"
            return request.say(200, {"access_token": "given-page", "id": "page-9"})
        token = asked.get("fb_exchange_token") or asked["access_token"]
        assert (token, asked["client_secret"]) == ("given-short", APP["client_secret"])
        return request.say(200, {"access_token": "given-long", "expires_in": 5_184_000})


def _proves(verifier: str, known: dict[str, str]) -> bool:
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    return known["code_challenge_method"] == "S256" and 43 <= len(verifier) <= 128 and digest == known["code_challenge"]


def _is_the_app(request: Handler, form: dict[str, str]) -> bool:
    basic = base64.b64encode(":".join(APP.values()).encode()).decode()
    by_header = request.headers.get("Authorization") == f"Basic {basic}"
    return form["client_id"] == APP["client_id"] and (by_header or form.get("client_secret") == APP["client_secret"])


@contextmanager
def consenting() -> Iterator[ConsentServer]:
    """Run one."""
    told = ConsentServer()

    class Bound(Handler):
        answer = staticmethod(told.take)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bound)
    told.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield told
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
