# SPDX-License-Identifier: Apache-2.0
"""What readers of licences are shown: a licence as its reader may see it, and what a public check tells."""

import datetime as dt
from dataclasses import dataclass

from cases.holders import MaskedHolder
from licenses.copies.terms import CopyCard
from licenses.definition import LicenseType
from licenses.faces import FaceValue
from licenses.lifecycle import Process, StatusTitle
from licenses.status_maps import MinistryCode
from storage.ledger.acts import Promise


@dataclass(frozen=True, slots=True)
class SharedHolder:
    """One of several holders, with the share that the licence states."""

    holder: MaskedHolder
    share: str | None


@dataclass(frozen=True, slots=True)
class LicenseView:
    """A licence as its reader may see it.

    Attributes:
        face: Face fields, sensitive ones masked; empty in lists and public checks.
        sealed: Whether the sealed file is there.
        version: 1, 2, 3 … within its chain.
        pending: The process that is under way on it, if any; it is as valid as it is.
        trust: Trust level, ``A`` to ``D``.
        origin: ``case``, ``office`` or ``stock``.
        together: All of several holders in the order of the licence; empty where there is one.
        as_of: The earlier instant whose status and pending process these are; ``None`` for now.
        ministry: The status as the ministry that defines the type calls it, if it has a code for it.
    """

    id: str
    identifier: str
    kind: LicenseType
    status: StatusTitle
    issuer: str
    holder: MaskedHolder
    number: str
    issued_on: dt.date
    valid_from: dt.date | None
    valid_until: dt.date | None
    face: dict[str, FaceValue]
    sealed: bool
    version: int = 1
    pending: Process | None = None
    trust: str = "A"
    origin: str = "case"
    issuer_code: str = ""
    together: tuple[SharedHolder, ...] = ()
    as_of: dt.datetime | None = None
    ministry: MinistryCode | None = None


@dataclass(frozen=True, slots=True)
class PublicCard:
    """All that a public check tells: type, issuer, status, validity, masked holder, trust level, process.

    Attributes:
        pending: What is under way on it, if anything; it is as valid as its status says.
    """

    kind: LicenseType
    status: StatusTitle
    issuer: str
    valid_from: dt.date | None
    valid_until: dt.date | None
    holder: MaskedHolder
    trust: str = "A"
    pending: Process | None = None


@dataclass(frozen=True, slots=True)
class PublicCheck:
    """The answer to a public check, which is itself an act.

    Attributes:
        card: What strangers may know.
        promise: Of the recorded use.
        agrees: Whether what the file states is what the register states; true when no file was read.
        copy: What the copy is, when one was checked and not the licence's own file.
    """

    card: PublicCard
    promise: Promise
    agrees: bool = True
    copy: CopyCard | None = None
