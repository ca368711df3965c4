# SPDX-License-Identifier: Apache-2.0
"""A time-stamp authority (RFC 3161) inside the process, for the demonstration and for tests.

Its tokens are real and verify with any RFC 3161 verifier; its certificate comes from the throw-away
CA. It announces itself and refuses production.
"""

import hashlib

from seals import cms, der
from seals.errors import TokenRefusedError
from seals.keys import refuse_production
from seals.signatures import SignatureProblemError, parse_request
from seals.tokens import IMPRINTS
from storage.clock import Clock, IdSource

_GRANTED, _REJECTION = 0, 2
_BAD_ALGORITHM, _BAD_FORMAT = 0, 5
_SIZES = {"sha256": 32, "sm3": 32}


class DemoTsa:
    """The demonstration's time-stamp authority.

    Args:
        signatory: Certificate and key of the authority.
        policy: Policy OID that its tokens state.
        clock: Its time.
        ids: Where serial numbers come from.

    Raises:
        DemoInProductionError: In production.
    """

    def __init__(self, signatory: cms.Signatory, policy: str, clock: Clock, ids: IdSource) -> None:
        refuse_production("time-stamp authority")
        self._signatory = signatory
        self._policy = policy
        self._clock = clock
        self._ids = ids

    def stamp(self, imprint: bytes, algorithm: str = "sha256", nonce: int | None = None) -> bytes:
        """Give a DER TimeStampToken over an imprint.

        Raises:
            TokenRefusedError: The imprint is not one of SHA-256 or SM3.
        """
        if len(imprint) != _SIZES.get(algorithm, -1):
            raise TokenRefusedError(reason="token-status")
        info = der.sequence(
            der.integer(1),
            der.oid(self._policy),
            der.sequence(der.sequence(der.oid(IMPRINTS[algorithm])), der.octets(imprint)),
            der.integer(int.from_bytes(self._ids.nonce(), "big")),
            der.generalized_time(self._clock.now()),
            der.sequence(der.integer(1)),
            b"" if nonce is None else der.integer(nonce),
        )
        return cms.sign(
            self._signatory,
            digest=hashlib.sha256(info).digest(),
            content_type=cms.TST_INFO,
            content=info,
        )

    def respond(self, request: bytes) -> bytes:
        """Answer a DER TimeStampReq with a DER TimeStampResp; a bad request is a rejection, not an error."""
        try:
            algorithm, imprint, nonce = parse_request(request)
        except SignatureProblemError:
            return _status(_REJECTION, _BAD_FORMAT)
        try:
            return _status(_GRANTED, None, self.stamp(imprint, algorithm, nonce))
        except TokenRefusedError:
            return _status(_REJECTION, _BAD_ALGORITHM)


def _status(status: int, failure: int | None, token: bytes = b"") -> bytes:
    parts = [der.integer(status)]
    if failure is not None:
        octet = bytes((0x80 >> failure,))
        parts.append(der.tlv(0x03, bytes((7 - failure,)), octet))
    return der.sequence(der.sequence(*parts), token)
