# SPDX-License-Identifier: Apache-2.0
"""A throw-away certificate authority for the demonstration and for tests.

It makes a root, a time-stamp authority and one seal certificate per department, and writes the root's
revocation list. Every subject says 演示, every certificate states a policy that means "not for
production", every address ends in ``.invalid``. It announces itself and refuses production.
"""

import datetime as dt
import fcntl
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding, load_der_public_key
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from seals import cms
from seals.demo_tsa import DemoTsa
from seals.keys import FileKeyStore, refuse_production
from seals.trust import TrustList
from storage.clock import Clock, IdSource
from storage.files import write_durably

NOT_FOR_PRODUCTION = "2.25.147820936017463258190436728150937264815"
DEMO_TSA_POLICY = "2.25.147820936017463258190436728150937264816"
ALGORITHM = "rsa-3072"
_ROOT, _TSA = "demo-root", "demo-tsa"
_OCSP = "http://ocsp.cunzheng-demo.invalid/"
_CRL = "http://crl.cunzheng-demo.invalid/root.crl"
_BACKDATE = dt.timedelta(hours=1)
_DAY = dt.timedelta(days=1)
_Extensions = list[tuple[x509.ExtensionType, bool]]
_LIST_VALID = 90 * _DAY


@dataclass(frozen=True, slots=True)
class DemoPki:
    """The throw-away authority of one data folder.

    Attributes:
        folder: Where certificates and the revocation list are.
        keys: The file key store that holds its keys.
        clock: Its time.
    """

    folder: Path
    keys: FileKeyStore
    clock: Clock

    @property
    def root(self) -> bytes:
        """Give the root certificate in DER."""
        return _read(self.folder / "root.pem")

    def pem(self) -> bytes:
        """Give what a stranger needs, in PEM: root, time-stamp certificate and revocation list."""
        return b"".join((self.folder / name).read_bytes() for name in ("root.pem", "tsa.pem", "root.crl"))

    def trust(self) -> TrustList:
        """Give the trust list of a stranger: no register."""
        return TrustList.from_pem(self.pem())

    def certificate(self, department: str) -> bytes:
        """Give a department's seal certificate in DER."""
        return _read(self.folder / f"seal-{department}.pem")

    def seal_key(self, department: str) -> str:
        """Give the key reference of a department's seal."""
        return f"seal-{department}"

    def signatory(self, department: str) -> cms.Signatory:
        """Give certificate and key of a department's seal."""
        return cms.Signatory.of(self.certificate(department), self.seal_key(department), self.keys)

    def tsa(self, ids: IdSource) -> DemoTsa:
        """Give the time-stamp authority."""
        signatory = cms.Signatory.of(_read(self.folder / "tsa.pem"), _TSA, self.keys)
        return DemoTsa(signatory, DEMO_TSA_POLICY, self.clock, ids)

    def write_revocations(self, revoked: Mapping[int, dt.datetime]) -> None:
        """Write the revocation list anew; what it lists already stays listed.

        Callers that race, in processes of several machines too, lose no entry of each other: each one reads
        the list and writes it under a lock. A revocation is never taken back.

        Args:
            revoked: Serial numbers with the instant from which they no longer hold.
        """
        with self._revocations_locked():
            self._publish({**self._listed(), **revoked})

    def refresh_revocations(self) -> None:
        """Write the list anew, entries kept, when less than two thirds of its life are left."""
        with self._revocations_locked():
            ends = self._list().next_update_utc
            if ends is None or ends - self.clock.now() < _LIST_VALID * 2 / 3:
                self._publish(self._listed())

    @contextmanager
    def _revocations_locked(self) -> Iterator[None]:
        with (self.folder / "root.crl.lock").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _list(self) -> x509.CertificateRevocationList:
        return x509.load_pem_x509_crl((self.folder / "root.crl").read_bytes())

    def _listed(self) -> dict[int, dt.datetime]:
        if not (self.folder / "root.crl").exists():
            return {}
        return {entry.serial_number: entry.revocation_date_utc for entry in self._list()}

    def _publish(self, revoked: Mapping[int, dt.datetime]) -> None:
        now = self.clock.now().replace(microsecond=0)
        root = x509.load_der_x509_certificate(self.root)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(root.subject)
            .last_update(now)
            .next_update(now + _LIST_VALID)
            .add_extension(x509.CRLNumber(int(now.timestamp())), critical=False)
            .add_extension(_authority_key(root), critical=False)
        )
        for serial, instant in revoked.items():
            entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(instant)
            builder = builder.add_revoked_certificate(entry.build())
        crl = builder.sign(self.keys.private_key(_ROOT), hashes.SHA256())
        write_durably(self.folder / "root.crl", crl.public_bytes(Encoding.PEM))

    def issue_seal(self, department: str, name: str) -> None:
        """Make key and certificate of a department's seal unless they are there.

        Args:
            department: Code of the department: small letters, digits, hyphens.
            name: Its Chinese name.
        """
        path = self.folder / f"seal-{department}.pem"
        if path.exists():
            return
        key = self.seal_key(department)
        if not self.keys.has(key):
            self.keys.create(key, ALGORITHM)
        usage = _usage(digital_signature=True, content_commitment=True)
        subject = _name(f"演示 {name}", name)
        write_durably(path, self._issue(key, subject, 5 * 365 * _DAY, [(usage, True)]))

    def _issue(self, key: str, subject: x509.Name, valid: dt.timedelta, extensions: _Extensions) -> bytes:
        root = x509.load_der_x509_certificate(self.root)
        builder = _builder(self.keys, key, subject, root.subject, self.clock, valid)
        common: _Extensions = [
            (x509.BasicConstraints(ca=False, path_length=None), True),
            (_authority_key(root), False),
            (_ocsp(), False),
            (_distribution_point(), False),
        ]
        for extension, critical in common + extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.keys.private_key(_ROOT), hashes.SHA256()).public_bytes(Encoding.PEM)

    def make_root(self) -> None:
        """Make root, time-stamp authority and an empty revocation list."""
        for key in (_ROOT, _TSA):
            if not self.keys.has(key):
                self.keys.create(key, ALGORITHM)
        subject = _name("演示 存证根证书（一次性，勿信任）", "演示 存证")
        builder = _builder(self.keys, _ROOT, subject, subject, self.clock, 10 * 365 * _DAY)
        root = (
            builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .sign(self.keys.private_key(_ROOT), hashes.SHA256())
        )
        write_durably(self.folder / "root.pem", root.public_bytes(Encoding.PEM))
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        extensions: _Extensions = [
            (_usage(digital_signature=True, content_commitment=True), True),
            (purpose, True),
        ]
        tsa = self._issue(_TSA, _name("演示 时间戳服务", "演示 存证"), 9 * 365 * _DAY, extensions)
        write_durably(self.folder / "tsa.pem", tsa)
        self.write_revocations({})


def fingerprint(folder: Path) -> str:
    """Give the SHA-256, in hexadecimal, of the root certificate of a folder; opens no key."""
    return hashlib.sha256(_read(folder / "root.pem")).hexdigest()


def has_issued(folder: Path, certificate: bytes) -> bool:
    """Tell whether the root of a folder signed a certificate, given in DER; opens no key."""
    try:
        root = x509.load_der_x509_certificate(_read(folder / "root.pem"))
        x509.load_der_x509_certificate(certificate).verify_directly_issued_by(root)
    except (InvalidSignature, ValueError):
        return False
    return True


def create(
    folder: Path, keys: FileKeyStore, clock: Clock, departments: Iterable[tuple[str, str]] = ()
) -> DemoPki:
    """Open the throw-away authority of a folder, making whatever is missing.

    Args:
        folder: Where certificates and the revocation list are kept.
        keys: Where its keys are kept.
        clock: Its time.
        departments: Pairs of code and Chinese name; each gets a seal certificate.

    Raises:
        DemoInProductionError: In production.
    """
    refuse_production("certificate authority")
    folder.mkdir(parents=True, exist_ok=True)
    pki = DemoPki(folder, keys, clock)
    if not (folder / "root.crl").exists():
        pki.make_root()
    pki.refresh_revocations()
    for code, name in departments:
        pki.issue_seal(code, name)
    return pki


def _builder(
    keys: FileKeyStore, key: str, subject: x509.Name, issuer: x509.Name, clock: Clock, valid: dt.timedelta
) -> x509.CertificateBuilder:
    public = load_der_public_key(keys.public_key(key))
    start = clock.now().replace(microsecond=0) - _BACKDATE
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)  # type: ignore[arg-type]  # the store holds RSA and EC keys only
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + valid)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)  # type: ignore[arg-type]  # as above
        .add_extension(_policy(), critical=False)
    )


def _name(common: str, organisation: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "CN"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _cut(organisation)),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "演示专用 NOT FOR PRODUCTION"),
            x509.NameAttribute(NameOID.COMMON_NAME, _cut(common)),
        ]
    )


def _cut(text: str) -> str:
    """Keep what fits into the 64 bytes that the library allows (X.520 counts characters)."""
    return text.encode()[:64].decode(errors="ignore")


def _policy() -> x509.CertificatePolicies:
    notice = x509.UserNotice(None, "演示专用，不具有法律效力 / demonstration only")
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(NOT_FOR_PRODUCTION), [notice])]
    )


def _ocsp() -> x509.AuthorityInformationAccess:
    location = x509.UniformResourceIdentifier(_OCSP)
    return x509.AuthorityInformationAccess(
        [x509.AccessDescription(AuthorityInformationAccessOID.OCSP, location)]
    )


def _distribution_point() -> x509.CRLDistributionPoints:
    point = x509.DistributionPoint([x509.UniformResourceIdentifier(_CRL)], None, None, None)
    return x509.CRLDistributionPoints([point])


def _authority_key(root: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _usage(
    *,
    digital_signature: bool = False,
    content_commitment: bool = False,
    key_cert_sign: bool = False,
    crl_sign: bool = False,
) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=key_cert_sign,
        crl_sign=crl_sign,
        encipher_only=False,
        decipher_only=False,
    )


def _read(path: Path) -> bytes:
    return x509.load_pem_x509_certificate(path.read_bytes()).public_bytes(Encoding.DER)
