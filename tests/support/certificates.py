"""Keys and certificates that are made for one run of the tests and never written down."""

from __future__ import annotations

import base64
from datetime import datetime, timedelta, timezone
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

from tests.support.fakes import START


@cache
def private_key(name: str, bits: int) -> rsa.RSAPrivateKey:
    """The key of this name, the same as long as the tests run."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(name: str = "eventbridge", bits: int = 2048, *, as_pem: bool = True) -> bytes:
    key = private_key(name, bits)
    made = _builder(name, key, START).sign(key, hashes.SHA256())
    return made.public_bytes(serialization.Encoding.PEM if as_pem else serialization.Encoding.DER)


def server_pem(host: str) -> bytes:
    """Key and certificate of a server of this name, valid now, for a client that trusts it."""
    key = private_key("server", 2048)
    made = (
        _builder(host, key, datetime.now(timezone.utc))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return private_pem("server") + made.public_bytes(serialization.Encoding.PEM)


def _builder(name: str, key: rsa.RSAPrivateKey, now: datetime) -> x509.CertificateBuilder:
    """Of one that its own key signs, valid a day before and after."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def private_pem(name: str = "eventbridge") -> bytes:
    return private_key(name, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(name: str = "eventbridge") -> bytes:
    public = private_key(name, 2048).public_key()
    return public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def sign(text: bytes, name: str = "eventbridge", bits: int = 2048) -> bytes:
    return private_key(name, bits).sign(text, padding.PKCS1v15(), hashes.SHA256())


def sign_base64(text: bytes, name: str = "eventbridge") -> str:
    return base64.b64encode(sign(text, name)).decode()
