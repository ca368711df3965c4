# SPDX-License-Identifier: Apache-2.0
"""Whom we trust: anchors, known certificates, revocation lists and, where given, the seal register.

Anchors come from us alone: a certificate that a file brings along never becomes one. With a register
every seal must stand in it, and the register's own revocations count beside the lists. Without any
source of revocation the answer is "unknown", never "not revoked". This module is pure: no database,
no network; it can be written down as JSON for a verifying child process.
"""

import base64
import datetime as dt
import enum
import hashlib
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtensionOID

from seals.errors import TrustInputError
from storage.clock import parse_rfc3339, rfc3339

_PEM = re.compile(rb"-----BEGIN (CERTIFICATE|X509 CRL)-----.+?-----END \1-----", re.DOTALL)
_UNDERSTOOD = frozenset(
    {ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE}
)
_MAX_DEPTH = 5


class Chain(enum.StrEnum):
    """How a certificate stands to our anchors at one instant."""

    TRUSTED = "trusted"
    UNKNOWN_ISSUER = "issuer-unknown"
    NOT_YET_VALID = "certificate-not-yet-valid"
    EXPIRED = "certificate-expired"
    MALFORMED = "certificate-malformed"


class Revocation(enum.StrEnum):
    """What is known about revocation."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "revocation-unknown"
    STALE = "revocation-stale"


@dataclass(frozen=True, slots=True)
class StateChange:
    """One change of a registered seal's state: ``enabled``, ``suspended`` or ``revoked``."""

    at: dt.datetime
    state: str


@dataclass(frozen=True, slots=True)
class RegisteredSeal:
    """What a verifier needs to know of a registered seal.

    Attributes:
        id: The seal's opaque id.
        name: Its name, as it stands in the ring.
        department: Code of the department that owns it.
        certificate: DER of its certificate.
        changes: Changes of state in order of time.
    """

    id: str
    name: str
    department: str
    certificate: bytes
    changes: tuple[StateChange, ...] = ()

    def state_at(self, instant: dt.datetime) -> str:
        """Give the state at an instant; ``registered`` before the first change."""
        state = "registered"
        for change in self.changes:
            if change.at <= instant:
                state = change.state
        return state

    def revoked_at(self) -> dt.datetime | None:
        """Give the instant of revocation, if the seal was revoked."""
        return next((change.at for change in self.changes if change.state == "revoked"), None)


@dataclass(frozen=True, slots=True)
class Standing:
    """A certificate's standing.

    Attributes:
        chain: Relation to our anchors at the instant asked about.
        revocation: What is known about revocation now.
        revoked_at: When it took effect, if revoked.
        anchor: Readable name of the anchor.
    """

    chain: Chain
    revocation: Revocation = Revocation.UNKNOWN
    revoked_at: dt.datetime | None = None
    anchor: str = ""


def fingerprint(certificate: bytes) -> str:
    """Give SHA-256 of a DER certificate in hex."""
    return hashlib.sha256(certificate).hexdigest()


def common_name(name: x509.Name) -> str:
    """Give the common name, or else the whole name in RFC 4514."""
    found = name.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return str(found[0].value) if found else name.rfc4514_string()


@cache
def load_certificate(certificate: bytes) -> x509.Certificate:
    """Read a DER certificate; raises ``ValueError``."""
    return x509.load_der_x509_certificate(certificate)


class TrustList:
    """Anchors, known certificates, revocation lists and the register.

    Args:
        anchors: DER of the certificates trusted by themselves.
        known: DER of certificates we issued or hold (intermediates, seals, time-stamp authorities).
        crls: DER of revocation lists; one counts only when an issuer we trust signed it.
        seals: The register; ``None`` when there is no access to it.

    Raises:
        TrustInputError: A certificate or list cannot be read.
    """

    def __init__(
        self,
        anchors: Iterable[bytes],
        *,
        known: Iterable[bytes] = (),
        crls: Iterable[bytes] = (),
        seals: Iterable[RegisteredSeal] | None = None,
    ) -> None:
        try:
            self._anchors = tuple(x509.load_der_x509_certificate(data) for data in anchors)
            self._known = tuple(x509.load_der_x509_certificate(data) for data in known)
            self._crls = tuple(x509.load_der_x509_crl(data) for data in crls)
        except ValueError as error:
            raise TrustInputError(reason="certificate-or-list") from error
        self._seals = None if seals is None else {fingerprint(seal.certificate): seal for seal in seals}
        self._fingerprints = {
            fingerprint(c.public_bytes(Encoding.DER)) for c in (*self._anchors, *self._known)
        }
        self._fingerprints.update(self._seals or ())
        self._checked_crls: dict[int, bool] = {}

    @classmethod
    def from_pem(cls, *texts: bytes) -> "TrustList":
        """Read self-signed certificates as anchors, others as known, and revocation lists, from PEM.

        Raises:
            TrustInputError: Nothing usable is inside.
        """
        anchors: list[bytes] = []
        known: list[bytes] = []
        crls: list[bytes] = []
        for match in (found for text in texts for found in _PEM.finditer(text)):
            try:
                if match[1] == b"X509 CRL":
                    crls.append(x509.load_pem_x509_crl(match[0]).public_bytes(Encoding.DER))
                    continue
                certificate = x509.load_pem_x509_certificate(match[0])
            except ValueError as error:
                raise TrustInputError(reason="certificate-or-list") from error
            own = certificate.subject == certificate.issuer
            (anchors if own else known).append(certificate.public_bytes(Encoding.DER))
        if not anchors:
            raise TrustInputError(reason="no-anchor")
        return cls(anchors, known=known, crls=crls)

    def with_seals(self, seals: Iterable[RegisteredSeal]) -> "TrustList":
        """Give the same anchors, certificates and lists with this register."""
        return TrustList(
            [item.public_bytes(Encoding.DER) for item in self._anchors],
            known=[item.public_bytes(Encoding.DER) for item in self._known],
            crls=[item.public_bytes(Encoding.DER) for item in self._crls],
            seals=seals,
        )

    def as_json(self) -> dict[str, Any]:
        """Write the list down, for a child process."""
        seals = None if self._seals is None else [_seal_json(seal) for seal in self._seals.values()]
        return {
            "anchors": [_b64(item.public_bytes(Encoding.DER)) for item in self._anchors],
            "known": [_b64(item.public_bytes(Encoding.DER)) for item in self._known],
            "crls": [_b64(item.public_bytes(Encoding.DER)) for item in self._crls],
            "seals": seals,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "TrustList":
        """Read what :meth:`as_json` wrote."""
        seals = data["seals"]
        return cls(
            [base64.b64decode(item) for item in data["anchors"]],
            known=[base64.b64decode(item) for item in data["known"]],
            crls=[base64.b64decode(item) for item in data["crls"]],
            seals=None if seals is None else [_seal_from_json(item) for item in seals],
        )

    @property
    def has_register(self) -> bool:
        """Tell whether the seal register is at hand."""
        return self._seals is not None

    def seal(self, certificate: bytes) -> RegisteredSeal | None:
        """Give the registered seal of a certificate."""
        return None if self._seals is None else self._seals.get(fingerprint(certificate))

    def knows(self, certificate: bytes) -> bool:
        """Tell whether exactly this certificate is ours: anchor, known or registered."""
        return fingerprint(certificate) in self._fingerprints

    def standing(
        self, certificate: bytes, *, extra: Iterable[bytes] = (), at: dt.datetime, now: dt.datetime
    ) -> Standing:
        """Say how a certificate stands.

        Args:
            certificate: DER of the certificate.
            extra: Certificates the file brought along; they can be links of the chain, never its end.
            at: Instant at which the chain must be valid.
            now: Instant of the question; revocation lists must not be older than this allows.
        """
        try:
            links = (*self._known, *(load_certificate(bytes(item)) for item in extra))
            path = self._path(load_certificate(certificate), links)
            if path is None:
                return Standing(Chain.UNKNOWN_ISSUER)
            for link in path:
                if at < link.not_valid_before_utc:
                    return Standing(Chain.NOT_YET_VALID)
                if at > link.not_valid_after_utc:
                    return Standing(Chain.EXPIRED)
            state, revoked_at = self._revocation(path, now)
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
            return Standing(Chain.MALFORMED)
        return Standing(Chain.TRUSTED, state, revoked_at, common_name(path[-1].subject))

    def listed_since(self, certificate: bytes) -> dt.datetime | None:
        """Give since when a revocation list names this certificate or one that it rests on.

        The register and the certificate's own days are not asked. What cannot be read is named by no list.
        """
        try:
            path = self._path(load_certificate(certificate), self._known) or []
            pairs = itertools.pairwise(path)
            found = [self._listed(one, issuer, one.not_valid_before_utc)[1] for one, issuer in pairs]
        except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension):
            return None
        return min((since for since in found if since is not None), default=None)

    def _path(
        self, leaf: x509.Certificate, links: tuple[x509.Certificate, ...]
    ) -> list[x509.Certificate] | None:
        path = [leaf]
        while len(path) <= _MAX_DEPTH:
            current = path[-1]
            if any(
                extension.critical and extension.oid not in _UNDERSTOOD for extension in current.extensions
            ):
                return None
            if current in self._anchors:
                return path
            issuer = next((c for c in (*self._anchors, *links) if _issued(current, c, len(path) - 1)), None)
            if issuer is None or issuer in path:
                return None
            path.append(issuer)
        return None

    def _revocation(
        self, path: list[x509.Certificate], now: dt.datetime
    ) -> tuple[Revocation, dt.datetime | None]:
        registered = self.seal(path[0].public_bytes(Encoding.DER))
        worst, when = Revocation.GOOD, registered.revoked_at() if registered else None
        for certificate, issuer in itertools.pairwise(path):
            state, revoked_at = self._listed(certificate, issuer, now)
            if certificate is path[0] and registered and state is not Revocation.REVOKED:
                state = Revocation.GOOD
            if revoked_at is not None:
                when = revoked_at if when is None else min(when, revoked_at)
            elif state is not Revocation.GOOD:
                worst = state
        return (Revocation.REVOKED, when) if when is not None else (worst, None)

    def _listed(
        self, certificate: x509.Certificate, issuer: x509.Certificate, now: dt.datetime
    ) -> tuple[Revocation, dt.datetime | None]:
        lists = [crl for crl in self._crls if self._counts(crl, issuer)]
        if not lists:
            return Revocation.UNKNOWN, None
        for crl in lists:
            entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None:
                return Revocation.REVOKED, _effective(entry)
        newest = max(crl.next_update_utc or crl.last_update_utc for crl in lists)
        return (Revocation.GOOD if newest >= now else Revocation.STALE), None

    def _counts(self, crl: x509.CertificateRevocationList, issuer: x509.Certificate) -> bool:
        if crl.issuer != issuer.subject:
            return False
        if id(crl) not in self._checked_crls:
            try:
                valid = crl.is_signature_valid(issuer.public_key())  # type: ignore[arg-type]  # DH keys raise
            except (TypeError, ValueError, InvalidSignature, UnsupportedAlgorithm):
                valid = False
            self._checked_crls[id(crl)] = valid
        return self._checked_crls[id(crl)]


def _issued(certificate: x509.Certificate, issuer: x509.Certificate, below: int) -> bool:
    if certificate.issuer != issuer.subject:
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
        basic = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        usage = issuer.extensions.get_extension_for_class(x509.KeyUsage).value
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound):
        return False
    return basic.ca and usage.key_cert_sign and (basic.path_length is None or basic.path_length >= below)


def _effective(entry: x509.RevokedCertificate) -> dt.datetime:
    try:
        stated = entry.extensions.get_extension_for_class(x509.InvalidityDate).value.invalidity_date_utc
    except x509.ExtensionNotFound:
        return entry.revocation_date_utc
    return min(stated, entry.revocation_date_utc)


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _seal_json(seal: RegisteredSeal) -> dict[str, Any]:
    return {
        "id": seal.id,
        "name": seal.name,
        "department": seal.department,
        "certificate": _b64(seal.certificate),
        "changes": [[rfc3339(change.at), change.state] for change in seal.changes],
    }


def _seal_from_json(data: Mapping[str, Any]) -> RegisteredSeal:
    return RegisteredSeal(
        data["id"],
        data["name"],
        data["department"],
        base64.b64decode(data["certificate"]),
        tuple(StateChange(parse_rfc3339(at), state) for at, state in data["changes"]),
    )
