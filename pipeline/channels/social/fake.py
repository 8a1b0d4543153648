"""Agora, the pretend network that ships with Dateline: the same doubts as a real one, on this machine only.

The other side is pipeline/demo/network.py. An Idempotency-Key makes a repeated request harmless there.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

import httpx

from pipeline.channels.base import Limits, Message, Permanent, Picture, Published, RateLimited, Temporary, Unknown


def connect(*, keys: Mapping[str, str], handle: str, base_url: str) -> Agora:
    """The account of that handle on the pretend network at `base_url`."""
    return Agora(base_url=base_url, handle=handle, token=keys.get("token", ""))


class Agora:
    """One account on the pretend network. `timeout_s` is (connect, read) in seconds."""

    network = "agora"

    def __init__(self, *, base_url: str, handle: str, token: str, timeout_s: tuple[float, float] = (5.0, 30.0)) -> None:
        self.limits: Limits | None = None
        connect_s, read_s = timeout_s
        self._posts = f"/api/accounts/{quote(handle, safe='')}/posts"
        self._client = httpx.Client(
            base_url=base_url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(read_s, connect=connect_s),
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=False,
        )

    def __enter__(self) -> Agora:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def publish(self, message: Message) -> Published:
        """Place a post. Raises Temporary, RateLimited, Permanent or Unknown."""
        try:
            response = self._client.post(
                self._posts,
                json={
                    "text": message.text,
                    "language": message.language,
                    "media": [_attached(picture) for picture in message.pictures],
                },
                headers={"Idempotency-Key": message.key},
            )
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.UnsupportedProtocol) as lost:
            raise Temporary(f"Agora could not be reached: {type(lost).__name__}") from lost
        except httpx.HTTPError as lost:
            raise Unknown(f"no answer from Agora: {type(lost).__name__}") from lost
        if response.status_code in (200, 201):
            return _published(response)
        raise _refusal(response, writing=True)

    def find(self, message: Message) -> Published | None:
        """The account's post that carries the marker, or None. Raises Temporary, RateLimited or Permanent."""
        response = self._asked("GET", self._posts, params={"contains": message.marker})
        if response.status_code != 200:
            raise _refusal(response, writing=False)
        whole = re.compile(rf"{re.escape(message.marker)}(?![\w-])")
        for post in _body(response).get("posts", ()):
            if whole.search(str(post.get("text", ""))):
                return Published(remote_id=str(post["id"]), url=post.get("url"))
        return None

    def delete(self, remote_id: str) -> None:
        """Remove a post; one already gone is not an error. Raises Temporary, RateLimited or Permanent."""
        response = self._asked("DELETE", f"/api/posts/{quote(remote_id, safe='')}")
        if not response.is_success and response.status_code not in (404, 410):
            raise _refusal(response, writing=False)

    def _asked(self, method: str, path: str, *, params: dict[str, str] | None = None) -> httpx.Response:
        try:
            return self._client.request(method, path, params=params)
        except httpx.HTTPError as lost:
            raise Temporary(f"no answer from Agora: {type(lost).__name__}") from lost


def _attached(picture: Picture) -> dict[str, str]:
    content = base64.b64encode(picture.content).decode("ascii")
    return {"content": content, "media_type": picture.media_type, "alt": picture.alt}


def _published(response: httpx.Response) -> Published:
    body = _body(response)
    if "id" not in body:
        raise Unknown(f"Agora answered {response.status_code} without the post's id")
    return Published(remote_id=str(body["id"]), url=body.get("url"))


def _refusal(response: httpx.Response, *, writing: bool) -> Exception:
    """The error that an answer other than success stands for."""
    status = response.status_code
    said = f"Agora answered {status}: {_body(response).get('error') or response.reason_phrase}"
    if status == 429:
        return RateLimited(said, retry_after_s=_patience(response.headers))
    if status == 503:
        return Temporary(said)  # Agora's promise: 503 is said before anything is stored
    if status == 408 or status >= 500:
        return Unknown(said) if writing else Temporary(said)
    return Permanent(said)


def _patience(headers: httpx.Headers) -> float | None:
    """Retry-After in seconds, given as a number or a date (RFC 9110 10.2.3)."""
    said = headers.get("Retry-After", "").strip()
    if said.isdigit():
        return float(said)
    try:
        until: datetime = parsedate_to_datetime(said)
    except ValueError:
        return None
    return max(0.0, until.timestamp() - datetime.now(UTC).timestamp())


def _body(response: httpx.Response) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
