"""Mastodon, Bluesky and X with OAuth 2.0 on loopback, as strict with tokens, names and keys as they are."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from pipeline.channels.base import Channel
from pipeline.channels.social.bluesky.account import Bluesky, Session
from pipeline.channels.social.mastodon import Mastodon
from tests.factories.stage import SECRETS, TIMEOUT_S, Handler, Post, Stage

TOKEN, PASSWORD, ACCESS, REFRESH = 1, 1, 2, 3  #: indices among SECRETS
DID = "did:plc:zvo7ybbrsieza3sv7srokmea"
CID = "bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku"


class MastodonServer(Stage):
    """Keys are kept, timelines are HTML in pages of forty, the reset of a limit is ISO 8601."""

    network = "mastodon"
    answer_to_repeat = "same"
    secrets_used = (TOKEN,)
    reads_one = edits = answers = True
    limit = 500

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, Post] = {}

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        return Mastodon(base_url=self.url, token=secrets[TOKEN], timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        return request.headers["Authorization"] == f"Bearer {SECRETS[TOKEN]}"

    def refuse(self, request: Handler, status: int) -> None:
        reset = (datetime.now(UTC) + timedelta(seconds=7)).isoformat().replace("+00:00", "Z")
        request.say(status, {"error": "no"}, **({"X_RateLimit_Reset": reset} if status == 429 else {}))

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        route = urlsplit(request.path)
        if method == "POST":
            asked = dict(parse_qsl(body.decode()))
            return self._post(request.headers["Idempotency-Key"], asked["status"], asked.get("in_reply_to_id", ""))
        if route.path == "/api/v1/accounts/verify_credentials":
            return 200, {"id": "77", "username": "harbour"}
        if route.path == "/api/v1/accounts/77/statuses":
            return 200, self._page({name: values[0] for name, values in parse_qs(route.query).items()})
        return self._one(route.path.split("/")[4], method, route.path, body)

    def _one(self, post_id: str, method: str, path: str, body: bytes) -> tuple[int, Any]:
        found = next((post for post in self.posts if post.id == post_id), None)
        if found is None:
            return 404, {"error": "Record not found"}
        if method == "DELETE":
            self.remove(post_id)
        if method == "PUT":
            text = dict(parse_qsl(body.decode()))["status"]
            self.posts = [Post(post.id, text) if post is found else post for post in self.posts]
        if path.endswith("/source"):
            return 200, {"id": found.id, "text": found.text, "spoiler_text": ""}
        return 200, self._shown(found)

    def _post(self, key: str, text: str, parent: str) -> tuple[int, Any]:
        if key not in self.keys:
            if len(text) > self.limit:
                return 422, {"error": "Validation failed: Text character limit of 500 exceeded"}
            self.keys[key] = self.below(parent, self.store(text))
        return 200, self._shown(self.keys[key])

    def _page(self, asked: dict[str, str]) -> list[dict[str, Any]]:
        older = [post for post in self.posts if int(post.id) < int(asked.get("max_id", 1 << 60))]
        return [self._shown(post) for post in older[::-1][: min(40, int(asked["limit"]))]]

    def _shown(self, post: Post) -> dict[str, Any]:
        linked = re.sub(
            r"https://(\S+)",
            r'<a href="https://\1"><span class="invisible">https://</span><span>\1</span></a>',
            post.text,
        )
        return {"id": post.id, "url": f"{self.url}/@harbour/{post.id}", "content": f"<p>{linked}</p>"}


class BlueskyServer(Stage):
    """Records under names their author chose, written over only by who knows them; tokens run out."""

    network = "bluesky"
    answer_to_repeat = "same"
    secrets_used = (ACCESS,)
    renews = reads_one = answers = True
    limit = 300

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[str, dict[str, Any]] = {}
        self.refresh, self.password = SECRETS[REFRESH], SECRETS[PASSWORD]

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        session = Session(
            "harbour.test", secrets[PASSWORD], did=DID, access_jwt=secrets[ACCESS], refresh_jwt=secrets[REFRESH]
        )
        return Bluesky(session=session, base_url=self.url, timeout_s=TIMEOUT_S)

    def publishes(self, request: Handler, method: str) -> bool:
        return request.path.endswith("putRecord")

    def knows(self, request: Handler, method: str) -> bool:
        if request.path.endswith("createSession"):
            return True
        token = self.refresh if request.path.endswith("refreshSession") else self.access
        return request.headers["Authorization"] == f"Bearer {token}"

    def refuse(self, request: Handler, status: int) -> None:
        names = {401: "ExpiredToken", 429: "RateLimitExceeded"}
        limits = {"RateLimit_Reset": str(int(time.time()) + 7), "RateLimit_Remaining": "0"} if status == 429 else {}
        # An expired token is a 400 there.
        status = 400 if status == 401 else status
        request.say(status, {"error": names.get(401 if status == 400 else status, "InternalServerError")}, **limits)

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        route = urlsplit(request.path)
        name = route.path.rpartition(".")[2]
        if method == "GET":
            asked = dict(parse_qsl(route.query))
            assert (name, asked["repo"], asked["collection"]) == ("getRecord", DID, "app.bsky.feed.post")
            return self._shown(asked["rkey"])
        if name in ("createSession", "refreshSession"):
            return self._session(json.loads(body) if body else {}, new=name == "createSession")
        asked = json.loads(body)
        assert (asked["repo"], asked["collection"]) == (DID, "app.bsky.feed.post")
        if name == "deleteRecord":
            self.records.pop(asked["rkey"], None)
            self.remove(_uri(asked["rkey"]))
            return 200, {}
        return self._put(asked["rkey"], asked["record"], fresh=asked["swapRecord"] is None)

    def store(self, text: str) -> Post:
        return self._kept(f"3kother{len(self.posts):06d}", {"text": text})

    def _kept(self, rkey: str, record: dict[str, Any]) -> Post:
        self.records[rkey] = record
        self.posts.append(Post(id=_uri(rkey), text=record["text"]))
        return self.below((record.get("reply") or {}).get("parent", {}).get("uri", ""), self.posts[-1])

    def _put(self, rkey: str, record: dict[str, Any], *, fresh: bool) -> tuple[int, Any]:
        assert re.fullmatch("[234567abcdefghij][234567a-z]{12}", rkey), rkey
        if len(record["text"]) > self.limit:
            return 400, {"error": "InvalidRequest", "message": "grapheme too big (maximum 300)"}
        if self.records.get(rkey, record) != record and fresh:
            return 400, {"error": "InvalidSwap", "message": f"Record was at {CID}"}
        if rkey not in self.records:
            self._kept(rkey, record)
        return 200, {"uri": _uri(rkey), "cid": CID}

    def _shown(self, rkey: str) -> tuple[int, Any]:
        if rkey not in self.records:
            return 400, {"error": "RecordNotFound", "message": "Could not locate record"}
        return 200, {"uri": _uri(rkey), "cid": CID, "value": self.records[rkey]}

    def _session(self, asked: dict[str, str], *, new: bool) -> tuple[int, Any]:
        if new and asked["password"] != self.password:
            return 401, {"error": "AuthenticationRequired", "message": "Invalid identifier or password"}
        self.access, self.refresh = "renewed-access", "renewed-refresh"
        return 200, {"did": DID, "handle": "harbour.test", "accessJwt": self.access, "refreshJwt": self.refresh}


def _uri(rkey: str) -> str:
    return f"at://{DID}/app.bsky.feed.post/{rkey}"


STAGES = (MastodonServer, BlueskyServer)
