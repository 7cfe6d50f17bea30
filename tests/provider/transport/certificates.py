"""Certificates of our own making, for TLS on this machine."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)
_SIGNS_CERTIFICATES = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


class Authority:
    """A private authority; all that it issues is in its folder, `ca.pem` among it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._certificate = _builder("ca", self._key, issuer="ca", valid=True).sign(
            self._key, hashes.SHA256()
        )
        self.path = folder / "ca.pem"
        self.path.write_bytes(self._certificate.public_bytes(Encoding.PEM))

    def issue(
        self, name: str, *, valid: bool = True, password: bytes | None = None
    ) -> tuple[Path, Path]:
        """Paths of a certificate for that host (or client), and of its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        # Python 3.13 asks for it: whose key this was signed with (RFC 5280 4.2.1.1).
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(
            self._key.public_key()
        )
        certificate = (
            _builder(name, key, issuer="ca", valid=valid)
            .add_extension(identifier, False)
            .sign(self._key, hashes.SHA256())
        )
        return _written(self.folder, name, certificate, key, password)


def self_signed(folder: Path, name: str) -> tuple[Path, Path]:
    """Paths of a certificate that no authority signed, and of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = _builder(name, key, issuer=name, valid=True).sign(
        key, hashes.SHA256()
    )
    return _written(folder, f"{name}-alone", certificate, key, None)


def server_context(
    paths: tuple[Path, Path], *, clients_of: Authority | None = None
) -> ssl.SSLContext:
    """TLS for a server; with `clients_of` clients need a certificate, too."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*paths)
    if clients_of is not None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients_of.path)
    return context


def _builder(
    name: str, key: ec.EllipticCurvePrivateKey, *, issuer: str, valid: bool
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    is_authority = name == "ca"
    builder = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * DAY)
        .not_valid_after(now + DAY if valid else now - DAY)
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), True)
    )
    if is_authority:
        return builder.add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False
        ).add_extension(_SIGNS_CERTIFICATES, True)
    return builder.add_extension(
        x509.SubjectAlternativeName([_general(name)]), False
    ).add_extension(
        x509.ExtendedKeyUsage(
            [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
        ),
        False,
    )


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _written(
    folder: Path,
    name: str,
    certificate: x509.Certificate,
    key: ec.EllipticCurvePrivateKey,
    password: bytes | None,
) -> tuple[Path, Path]:
    paths = folder / f"{name}.pem", folder / f"{name}-key.pem"
    paths[0].write_bytes(certificate.public_bytes(Encoding.PEM))
    encryption = BestAvailableEncryption(password) if password else NoEncryption()
    paths[1].write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)
    )
    return paths
