"""A certificate for one name, its key, and the root that vouches for it (itself)."""

from __future__ import annotations

import datetime
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """`chain` is the certificate with its key, `root` the certificate alone, both PEM files."""

    chain: Path
    root: Path
    key: rsa.RSAPrivateKey
    pem: bytes


def authority(place: Path, *, name: str) -> Authority:
    """A self-signed certificate for a host name or an IP address."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    now = datetime.datetime.now(datetime.UTC)
    title = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    is_number = name.replace(".", "").isdigit()
    who: x509.GeneralName = x509.IPAddress(ipaddress.ip_address(name)) if is_number else x509.DNSName(name)
    builder = x509.CertificateBuilder(title, title, key.public_key(), x509.random_serial_number(), now - DAY, now + DAY)
    builder = builder.add_extension(x509.SubjectAlternativeName([who]), critical=False)
    builder = builder.add_extension(x509.BasicConstraints(True, None), critical=True)
    pem = builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    chain, root = place / "chain.pem", place / "root.pem"
    chain.write_bytes(pem + secret)
    root.write_bytes(pem)
    return Authority(chain=chain, root=root, key=key, pem=pem)
