"""Real servers on loopback for the outbound client to meet; tests ask for them as `net`."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from pipeline.kernel.outbound import http

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LIMIT = 1_000_000
Talk = Callable[[socket.socket, bytes], None]


@dataclass
class Site:
    """A TCP server that reads one request head per connection and lets `talk` answer it."""

    talk: Talk
    family: socket.AddressFamily = socket.AF_INET
    tls: ssl.SSLContext | None = None
    heads: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(
            ("::1" if self.family == socket.AF_INET6 else "127.0.0.1", 0), family=self.family
        )
        self._closing = False
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def place(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        return f"http://{self.place}{path}"

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._closing:
                    return
                connection.settimeout(10)
                self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        try:
            if self.tls is None:
                return self._converse(connection)
            with self.tls.wrap_socket(connection, server_side=True) as sealed:
                return self._converse(sealed)
        except OSError:
            return None  # the client gave up on us, which is what several tests are about

    def _converse(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            received = connection.recv(65536)
            if not received:
                return
            head += received
        self.heads.append(head)
        self.talk(connection, head)

    def close(self) -> None:
        self._closing = True
        with socket.create_connection(self._listener.getsockname()[:2]):
            self._thread.join(10)
        self._listener.close()


@contextmanager
def site(
    talk: Talk, family: socket.AddressFamily = socket.AF_INET, tls: ssl.SSLContext | None = None
) -> Iterator[Site]:
    running = Site(talk, family, tls)
    try:
        yield running
    finally:
        running.close()


def says(status: str, headers: str = "", body: bytes = b"") -> Talk:
    def talk(connection: socket.socket, head: bytes) -> None:
        lines = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{headers}\r\n"
        connection.sendall(lines.encode("latin-1") + body)

    return talk


def client(*sites: Site, allow: frozenset[str] = frozenset(), **options: object) -> http.Client:
    places = allow | {one.place for one in sites}
    return http.Client(site_url="https://news.example.org/", allow=places, **options)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context for "localhost" signed by itself, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), 7, today - timedelta(1), today + timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(Encoding.PEM)
    chain = tmp_path_factory.mktemp("tls") / "chain.pem"
    chain.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + pem)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(chain)
    return serving, ssl.create_default_context(cadata=pem.decode())


@dataclass(frozen=True)
class Net:
    """What the tests of the outbound client need, under one name."""

    site = staticmethod(site)
    says = staticmethod(says)
    client = staticmethod(client)


@pytest.fixture
def net() -> Net:
    return Net()
