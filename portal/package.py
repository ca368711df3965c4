# SPDX-License-Identifier: Apache-2.0
"""A dossier as one ZIP for strangers: files, sealed manifest, receipts, keys, and how to check them offline.

Names inside are ASCII and name nobody. The same dossier at the same checkpoint gives the same bytes.
"""

import datetime as dt
import hashlib
import mimetypes
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Final

from sqlalchemy import select

from archive.manifests import acts_of
from archive.members import ANSWER_TYPE
from archive.models import Dossier, DossierMember
from archive.views import DossierView
from storage.clock import SHANGHAI
from storage.database import UnitOfWork
from storage.ledger.errors import ReceiptNotReadyError
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.ledger.reading import receipt_for
from storage.ledger.receipts import SUFFIX
from storage.objects.ports import ObjectStore

MANIFEST: Final = "manifest.json"
MANIFEST_SEAL: Final = f"{MANIFEST}.p7s"
SUMS: Final = "SHA256SUMS"
README: Final = "README.txt"
POLICY: Final = "keys/cunzheng-policy.txt"
AUTHORITY: Final = "keys/ca.pem"
_ENDINGS: Final = {
    ANSWER_TYPE: ".jws",
    "application/json": ".json",
    "image/jpeg": ".jpg",
    "image/tiff": ".tif",
}
_STORED: Final = frozenset({"application/pdf", "image/jpeg", "image/png"})
"""Kinds that hold compressed data already."""


@dataclass(frozen=True, slots=True)
class PackagedReceipt:
    """A receipt in the package, or an act that is not yet covered by a checkpoint.

    Attributes:
        act: The act's id.
        file: Name inside the package; ``None`` while the receipt is not ready.
    """

    act: str
    file: str | None


@dataclass(frozen=True, slots=True)
class PackagedMember:
    """A member of the dossier and its name inside the package."""

    member: DossierMember
    file: str


@dataclass(frozen=True, slots=True)
class Package:
    """What a package holds.

    Attributes:
        members: In the order of the catalogue.
        manifest: Its exact bytes, canonical JSON.
        receipts: Of every act that the manifest names, and of the filing itself.
        filed_at: The time that all entries of the ZIP bear, as clocks in China show it.
    """

    manifest: bytes
    members: Sequence[PackagedMember]
    receipts: Sequence[PackagedReceipt]
    filed_at: dt.datetime
    _receipt_bytes: dict[str, bytes]
    _seal: bytes

    def write(
        self, to: IO[bytes], objects: ObjectStore, keys: dict[str, bytes], readme: Callable[["Package"], str]
    ) -> None:
        """Write the ZIP.

        Args:
            to: Where it goes.
            objects: Where the members lie; each is hashed again while it is read.
            keys: Public keys and certificates by their names inside.
            readme: Says in words what is inside and how it is checked.

        Raises:
            ObjectDamagedError: A member's bytes are no longer those that were filed.
        """
        sums = []
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data, media_type in self._files(objects, keys, readme):
                self._add(archive, name, data, packed=media_type in _STORED)
                sums.append(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
            self._add(archive, SUMS, "".join(sums).encode(), packed=False)

    def _files(
        self, objects: ObjectStore, keys: dict[str, bytes], readme: Callable[["Package"], str]
    ) -> Iterator[tuple[str, bytes, str]]:
        yield README, readme(self).encode(), "text/plain"
        yield MANIFEST, self.manifest, "application/json"
        yield MANIFEST_SEAL, self._seal, "application/pkcs7-signature"
        for one in self.members:
            yield one.file, objects.read(one.member.sha256), one.member.media_type
        for name, data in self._receipt_bytes.items():
            yield name, data, "text/plain"
        for name, data in keys.items():
            yield name, data, "text/plain"

    def _add(self, archive: zipfile.ZipFile, name: str, data: bytes, *, packed: bool) -> None:
        entry = zipfile.ZipInfo(name, entry_time(self.filed_at))
        entry.external_attr = 0o644 << 16
        entry.compress_type = zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED
        archive.writestr(entry, data)


def entry_time(instant: dt.datetime) -> tuple[int, int, int, int, int, int]:
    """Give an instant as a ZIP tells it, which knows no time zones: as clocks in China show it."""
    local = instant.astimezone(SHANGHAI)
    return local.year, local.month, local.day, local.hour, local.minute, local.second


def package_name(dossier: Dossier) -> str:
    """Name a dossier's package by its archival number; by its id where that has other signs than ASCII's."""
    number = dossier.archival_number.replace("·", ".")
    return f"{number if re.fullmatch(r'[A-Za-z0-9.-]+', number) else dossier.id}.zip"


def compose(uow: UnitOfWork, view: DossierView, objects: ObjectStore) -> Package:
    """Gather what belongs to a dossier that may be seen.

    Raises:
        ObjectDamagedError: Manifest or seal are no longer what was filed.
    """
    dossier = view.dossier
    assert dossier.filed_at is not None
    manifest, seal = (
        objects.read(str(one)) for one in (dossier.manifest_sha256, dossier.manifest_seal_sha256)
    )
    receipts, held = [], {}
    for number, (act, kind) in enumerate([*_named(manifest), *_filing(uow, dossier.id)], 1):
        name = f"receipts/{number:03d}-{kind}{SUFFIX}"
        try:
            held[name] = receipt_for(uow.session, act)
        except ReceiptNotReadyError:
            receipts.append(PackagedReceipt(act, None))
        else:
            receipts.append(PackagedReceipt(act, name))
    members = [PackagedMember(one, _name(one)) for one in view.members]
    return Package(manifest, members, receipts, dossier.filed_at, held, seal)


def _named(manifest: bytes) -> Iterator[tuple[str, str]]:
    return ((act.act_id, act.kind) for act in acts_of(manifest))


def _filing(uow: UnitOfWork, dossier_id: str) -> list[tuple[str, str]]:
    """Give the act by which the dossier was filed, which its manifest cannot name."""
    acts = select(LedgerAct.act_id, LedgerAct.kind).where(
        LedgerAct.kind.in_((ActKind.DOSSIER_FILED, ActKind.DOSSIER_SUPPLEMENTED)),
        LedgerAct.object_id == dossier_id,
    )
    return [(act, kind) for act, kind in uow.session.execute(acts)]


def _name(member: DossierMember) -> str:
    ending = _ENDINGS.get(member.media_type) or mimetypes.guess_extension(member.media_type) or ".bin"
    code = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in member.code)
    return f"members/{member.position:03d}-{member.role}-{code}{ending}"
