"""LinkedIn, Telegram, Discord, Slack and a receiver of our webhook, on loopback.

Each checks what proves who we are (token, app's proof, signature) and refuses in its network's own words.
"""

from __future__ import annotations

import hashlib
import hmac
import html
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from pipeline.channels.base import Channel
from pipeline.channels.pages.discord import Credentials as DiscordKeys
from pipeline.channels.pages.discord import Discord
from pipeline.channels.pages.hook import Credentials as HookKeys
from pipeline.channels.pages.hook import Hook
from pipeline.channels.pages.linkedin import Credentials as LinkedInKeys
from pipeline.channels.pages.linkedin import LinkedIn
from pipeline.channels.pages.slack import Credentials as SlackKeys
from pipeline.channels.pages.slack import Slack
from pipeline.channels.pages.telegram import Credentials as TelegramKeys
from pipeline.channels.pages.telegram import Telegram
from tests.factories.meta_stages import TOKEN, FacebookServer, ThreadsServer, query_of
from tests.factories.stage import SECRETS, TIMEOUT_S, Handler, Post, Stage


class LinkedInServer(Stage):
    """Versioned routes, URNs in headers, little text read as LinkedIn reads it, repeats refused for ever."""

    network = "linkedin"
    answer_to_repeat = "unknown"
    secrets_used = (TOKEN,)
    limit = 3000

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        keys = LinkedInKeys(access_token=secrets[TOKEN], organisation="2414183")
        return LinkedIn(credentials=keys, base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        assert request.headers["X-Restli-Protocol-Version"] == "2.0.0"
        assert re.fullmatch(r"20\d{4}", request.headers["LinkedIn-Version"])
        return request.headers["Authorization"] == f"Bearer {SECRETS[TOKEN]}"

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        place, urn = urlsplit(request.path).path, unquote(urlsplit(request.path).path.rpartition("/")[2])
        if method == "POST" and place == "/rest/posts":
            return self._post(request, json.loads(body))
        if method == "POST":
            return self._edited(request, urn, json.loads(body))
        if method == "DELETE":
            self.remove(urn)
            return 204, {}
        if place != "/rest/posts":
            found = next((post for post in self.posts if post.id == urn), None)
            return (200, self._shown(found)) if found else (404, {"message": "Could not find entity", "status": 404})
        assert request.headers["X-RestLi-Method"] == "FINDER"
        asked = query_of(request)
        assert (asked["q"], asked["author"]) == ("author", "urn:li:organization:2414183")
        return 200, {"elements": [self._shown(post) for post in self.posts[::-1][: int(asked["count"])]]}

    def store(self, text: str) -> Post:
        self.posts.append(Post(id=f"urn:li:share:{7000 + len(self.posts)}", text=text))
        return self.posts[-1]

    def _post(self, request: Handler, post: dict[str, Any]) -> tuple[int, Any]:
        text = as_linkedin_reads(post["commentary"])
        assert post["author"] == "urn:li:organization:2414183"
        twin = next((one for one in self.posts if one.text == text), None)
        if twin:
            said = f"Content is a duplicate of {twin.id}"
            return 422, {"message": said, "code": "DUPLICATE_POST", "status": 422}
        if len(text) > self.limit:
            return 422, {"message": "commentary exceeds the maximum length", "status": 422}
        request.more = {"x-restli-id": self.store(text).id}
        return 201, {}

    def _edited(self, request: Handler, urn: str, patch: dict[str, Any]) -> tuple[int, Any]:
        assert request.headers["X-RestLi-Method"] == "PARTIAL_UPDATE"
        text = as_linkedin_reads(patch["patch"]["$set"]["commentary"])
        self.posts = [Post(id=one.id, text=text if one.id == urn else one.text) for one in self.posts]
        return 204, {}

    def _shown(self, post: Post) -> dict[str, Any]:
        """Commentary comes back as little text."""
        return {"id": post.id, "commentary": re.sub(r"([\\|{}@\[\]()<>#*_~])", r"\\\1", post.text)}


def as_linkedin_reads(commentary: str) -> str:
    """Everything from the first bare reserved character on is lost, as authors found out the hard way."""
    read = re.sub(r"\{hashtag\|\\#\|([^|}]+)\}", r"\\#\1", commentary)
    bare = re.search(r"(?<!\\)(?:\\\\)*([|{}@\[\]()<>#*_~])", read)
    return re.sub(r"\\(.)", r"\1", read[: bare.start(1)] if bare else read, flags=re.S)


class TelegramServer(Stage):
    """A bot that can post, change and remove, and see nothing."""

    network = "telegram"
    answer_to_repeat = "second"
    reads_back = False
    secrets_used = (TOKEN,)
    limit = 4096

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        keys = TelegramKeys(token=secrets[TOKEN], chat="@harbour")
        return Telegram(credentials=keys, base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        return request.path.startswith(f"/bot{SECRETS[TOKEN]}/")

    def refuse(self, request: Handler, status: int) -> None:
        waits = {"parameters": {"retry_after": 7}} if status == 429 else {}
        request.say(status, {"ok": False, "error_code": status, "description": "no", **waits})

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        what, act = json.loads(body), request.path.rpartition("/")[2]
        assert what["chat_id"] == "@harbour"
        if act == "deleteMessage":
            gone = not self.remove(str(what["message_id"]))
            return self._no("Bad Request: message to delete not found") if gone else (200, {"ok": True, "result": True})
        assert act == "sendMessage"
        if len(what["text"]) > self.limit:
            return self._no("Bad Request: message is too long")
        post = self.store(what["text"])
        chat = {"id": -1001234, "username": "harbour", "type": "channel"}
        return 200, {"ok": True, "result": {"message_id": int(post.id), "chat": chat, "text": post.text}}

    def _no(self, said: str) -> tuple[int, Any]:
        return 400, {"ok": False, "error_code": 400, "description": said}


class DiscordServer(Stage):
    """A webhook that posts, and a bot that reads."""

    network = "discord"
    answer_to_repeat = "second"
    secrets_used = (TOKEN,)
    limit = 2000

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        hook = f"https://discord.com/api/webhooks/99/{secrets[TOKEN]}"
        keys = DiscordKeys(webhook=hook, bot_token=secrets[TOKEN], channel="7", server="5")
        return Discord(credentials=keys, base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        if request.path.startswith("/api/v10/channels/7/"):
            return request.headers["Authorization"] == f"Bot {SECRETS[TOKEN]}"
        return request.path.startswith(f"/api/v10/webhooks/99/{SECRETS[TOKEN]}")

    def refuse(self, request: Handler, status: int) -> None:
        request.say(status, {"message": "no", "retry_after": 7.2, "global": False, "code": 0})

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        asked, number = query_of(request), urlsplit(request.path).path.rpartition("/")[2]
        if method == "POST":
            what = json.loads(body)
            assert (asked["wait"], what["allowed_mentions"]) == ("true", {"parse": []})
            if len(what["content"]) > self.limit:
                return 400, {"message": "Invalid Form Body", "code": 50035}
            return 200, self._shown(self.store(what["content"]))
        if method == "DELETE":
            return (204, {}) if self.remove(number) else (404, {"message": "Unknown Message", "code": 10008})
        older = [post for post in self.posts[::-1] if int(post.id) < int(asked.get("before", 10**9))]
        return 200, [self._shown(post) for post in older[: int(asked["limit"])]]

    def _shown(self, post: Post) -> dict[str, Any]:
        return {"id": post.id, "channel_id": "7", "content": post.text, "webhook_id": "99"}


class SlackServer(Stage):
    """Answers of 200 that mean no, text in entities, addresses in angle brackets."""

    network = "slack"
    answers = True
    answer_to_repeat = "second"
    secrets_used = (TOKEN,)
    limit = 40000

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        keys = SlackKeys(token=secrets[TOKEN], channel="C0123")
        return Slack(credentials=keys, base_url=self.url, timeout_s=TIMEOUT_S)

    def knows(self, request: Handler, method: str) -> bool:
        return request.headers["Authorization"] == f"Bearer {SECRETS[TOKEN]}"

    def refuse(self, request: Handler, status: int) -> None:
        if status == 401:
            return request.say(200, {"ok": False, "error": "invalid_auth"})
        waits = {"Retry_After": "7"} if status == 429 else {}
        return request.say(status, {"ok": False, "error": {429: "ratelimited"}.get(status, "internal_error")}, **waits)

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        act = urlsplit(request.path).path
        if act == "/api/conversations.history":
            return 200, self._history(query_of(request), root="")
        if act == "/api/conversations.replies":
            return 200, self._history(query_of(request), root=query_of(request)["ts"])
        what = json.loads(body)
        assert what["channel"] == "C0123"
        if act == "/api/chat.delete":
            gone = not self.remove(what["ts"])
            return 200, {"ok": False, "error": "message_not_found"} if gone else {"ok": True, "ts": what["ts"]}
        assert act == "/api/chat.postMessage"
        if len(what["text"]) > self.limit:
            return 200, {"ok": False, "error": "msg_too_long"}
        assert what["unfurl_links"] is False
        root = what.get("thread_ts", "")
        assert root not in self.roots, "an answer is no message to answer"
        post = self.below(root, self.store(html.unescape(what["text"])))
        self.roots |= {post.id: root} if root else {}
        return 200, {"ok": True, "channel": "C0123", "ts": post.id}

    def __init__(self) -> None:
        super().__init__()
        self.roots: dict[str, str] = {}

    def store(self, text: str) -> Post:
        self.posts.append(Post(id=f"1795435200.{len(self.posts):06d}", text=text))
        return self.posts[-1]

    def above(self, ids: list[str]) -> list[str]:
        return [ids[0]] * (len(ids) - 1)

    def _history(self, asked: dict[str, str], *, root: str) -> dict[str, Any]:
        """A channel's history, newest first, holds no answers; a thread, oldest first, begins with its root."""
        start, size = int(asked.get("cursor", 0)), int(asked["limit"])
        if root:
            shown = [post for post in self.posts if root in (post.id, self.roots.get(post.id))]
        else:
            shown = [post for post in self.posts[::-1] if post.id not in self.roots]
        if "latest" in asked:
            shown = [post for post in shown if post.id in (root, asked["latest"])][-1:]
        page = [
            {"type": "message", "ts": post.id, "text": self._kept(post.text), "bot_id": "B01"}
            for post in shown[start:][:size]
        ]
        more = {"next_cursor": str(start + size)} if start + size < len(shown) else {"next_cursor": ""}
        return {"ok": True, "messages": page, "response_metadata": more}

    def _kept(self, text: str) -> str:
        return re.sub(r"(https://\S+)", r"<\1>", html.escape(text, quote=False))


class Receiver(Stage):
    """Something that takes our signed webhook: it checks the signature itself, from docs/channels.md."""

    network = "hook"
    answer_to_repeat = "same"
    secrets_used = (TOKEN,)

    def __init__(self) -> None:
        super().__init__()
        self.keys: dict[str, Post] = {}

    def channel(self, *, secrets: tuple[str, ...] = SECRETS) -> Channel:
        keys = HookKeys(url=f"{self.url}/in?from=dateline", secret=secrets[TOKEN])
        return Hook(credentials=keys, allow=frozenset({self.url.removeprefix("http://")}), timeout_s=TIMEOUT_S)

    def take(self, request: Handler, method: str, body: bytes) -> None:
        self.body = body
        super().take(request, method, body)

    def knows(self, request: Handler, method: str) -> bool:
        stamp, mac = re.fullmatch(r"t=(\d+), v1=([0-9a-f]{64})", request.headers["Dateline-Signature"]).groups()
        signed = self.body or f"GET {request.path}".encode()
        good = hmac.new(SECRETS[TOKEN].encode(), stamp.encode() + b"." + signed, hashlib.sha256).hexdigest()
        return hmac.compare_digest(good, mac)

    def act(self, request: Handler, method: str, body: bytes) -> tuple[int, Any]:
        if method == "GET":
            key = parse_qs(urlsplit(request.path).query)["key"][0]
            return 200, {"post": self._shown(self.keys[key]) if key in self.keys else None}
        what = json.loads(body)
        if what["event"] == "delete":
            self.keys = {key: post for key, post in self.keys.items() if post.id != what["id"]}
            return (200, {}) if self.remove(what["id"]) else (410, {})
        return self._post(request.headers["Idempotency-Key"], what["text"])

    def _post(self, key: str, text: str) -> tuple[int, Any]:
        if key in self.keys:
            return 200, self._shown(self.keys[key])
        if len(text) > self.limit:
            return 422, {"error": "too long"}
        self.keys[key] = self.store(text)
        return 201, self._shown(self.keys[key])

    def _shown(self, post: Post) -> dict[str, str]:
        return {"id": post.id, "url": f"{self.url}/posts/{post.id}", "text": post.text}


STAGES = (LinkedInServer, FacebookServer, ThreadsServer, TelegramServer, DiscordServer, SlackServer, Receiver)
