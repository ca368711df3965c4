# SPDX-License-Identifier: Apache-2.0
"""An uploaded file of records waits for a worker encrypted, and is erased by destroying its key.

The object store keeps what it has for as long as its lock says. A register is full of personal data and is
needed until it is read; so it lies there under the key of its run, and the key goes when the run ends.

The run and its step are committed before the key is made, and the digest before the bytes are stored: after a
crash in between the step finds a run whose file does not come, ends it and destroys its key
(docs/decisions/0047-uploads-of-stock.md).
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, Protocol

from licenses.stock.runs import LOST, StockRuns
from storage.database import Database
from storage.errors import CunzhengError
from storage.failpoints import failpoint
from storage.identity import Identity
from storage.objects.ports import ObjectStore
from storage.secrets import Secrets, UndecipherableError

MEDIA_TYPE: Final = "application/octet-stream"
_PART: Final = 1 << 20
_LENGTH: Final = struct.Struct(">I")
_PLACE: Final = struct.Struct(">Q")


class Sealed(Protocol):
    """A file of this request that goes with it: where an encrypted copy is on its way."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        ...

    @property
    def sha256(self) -> str:
        """Hex digest of what was written."""
        ...

    def write(self, data: bytes) -> int:
        """Write on."""
        ...


class Uploads:
    """Stores uploaded files for workers.

    Args:
        database: Opens units of work.
        objects: Where files wait.
        runs: The runs that they are for.
    """

    def __init__(self, database: Database, objects: ObjectStore, runs: StockRuns) -> None:
        self._database, self._objects, self._runs = database, objects, runs

    def lay_by(self, identity: Identity, run_id: str, source: Path, sealed: Sealed) -> None:
        """Put the file of an arriving run where workers find it, under the run's key.

        Args:
            identity: Who began the run.
            run_id: The run.
            source: The file.
            sealed: Takes the encrypted copy.

        Raises:
            ObjectStoreUnusableError: It cannot be stored; the run is over.
            StockRunOverError: The run was given up meanwhile.
        """
        failpoint("stock.upload.after-start")
        with source.open("rb") as file:
            for place, part in enumerate(iter(lambda: file.read(_PART), b"")):
                # The place is inside, so that parts cannot be exchanged.
                blob = self._database.secrets.encrypt(run_id, _PLACE.pack(place) + part)
                sealed.write(_LENGTH.pack(len(blob)) + blob)
        self._database.write(lambda uow: self._runs.name_object(uow, identity, run_id, sealed.sha256))
        failpoint("stock.upload.before-put")
        try:
            self._objects.put(sealed.path, MEDIA_TYPE)
        except CunzhengError:
            self._database.write(lambda uow: self._runs.end(uow, identity, run_id, LOST))
            raise
        failpoint("stock.upload.after-put")
        self._database.write(lambda uow: self._runs.arrived(uow, identity, run_id))


def bring_back(secrets: Secrets, objects: ObjectStore, sha256: str, target: Path) -> None:
    """Write a file that was laid by into a new file, in clear.

    Raises:
        ErasedError: Its run is over.
        ObjectMissingError: It is not there any more.
        UndecipherableError: It is damaged.
    """
    sealed = target.with_suffix(".sealed")
    objects.fetch(sha256, sealed)
    try:
        with sealed.open("rb") as file, target.open("xb") as out:
            for place, blob in enumerate(_parts(file.read)):
                part = secrets.decrypt(blob)
                if part[: _PLACE.size] != _PLACE.pack(place):
                    raise UndecipherableError
                out.write(part[_PLACE.size :])
    finally:
        sealed.unlink(missing_ok=True)


def _parts(read: Callable[[int], bytes]) -> Iterator[bytes]:
    while head := read(_LENGTH.size):
        if len(head) < _LENGTH.size:
            raise UndecipherableError
        (size,) = _LENGTH.unpack(head)
        blob = read(size)
        if len(blob) < size:
            raise UndecipherableError
        yield blob
