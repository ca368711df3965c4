# SPDX-License-Identifier: Apache-2.0
"""Whom this installation trusts: its own authority, and what its settings name."""

from licenses.standings import CertificateLists, RegisterStandings
from portal.settings import Settings
from seals.demo_pki import DemoPki
from seals.trust import TrustList
from storage.clock import Clock


def trusted(settings: Settings, pki: DemoPki) -> TrustList:
    """Read anchors, certificates and revocation lists, without the register."""
    return TrustList.from_pem(pki.pem(), *(path.read_bytes() for path in settings.trust))


def seal_standings(settings: Settings, pki: DemoPki, clock: Clock) -> RegisterStandings:
    """Give what is known of seals: the register, and the lists as they were read last."""
    return RegisterStandings(CertificateLists(lambda: trusted(settings, pki), clock))
