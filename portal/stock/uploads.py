# SPDX-License-Identifier: Apache-2.0
"""An uploaded file of records waits for a worker encrypted, and is erased by destroying its key.

The object store keeps what it has for as long as its lock says. A register is full of personal data and is
needed until it is read; so it lies there under the key of its run, and the key goes when the run ends.
"""

import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from licenses.stock.runs import Upload
from storage.clock import IdSource
from storage.objects.ports import ObjectStore
from storage.secrets import Secrets, UndecipherableError

MEDIA_TYPE: Final = "application/octet-stream"
_PART: Final = 1 << 20
_LENGTH: Final = struct.Struct(">I")
_PLACE: Final = struct.Struct(">Q")


def lay_by(secrets: Secrets, objects: ObjectStore, ids: IdSource, source: Path, scratch: Path) -> Upload:
    """Put an uploaded file where workers find it, under the key of a new run.

    Args:
        secrets: Makes the key.
        objects: Where it goes.
        ids: Gives the run's id.
        source: The file.
        scratch: Folder for the encrypted copy on its way.
    """
    run_id = ids.new_id()
    sealed = scratch / f"stock-{run_id}"
    try:
        with source.open("rb") as file, sealed.open("xb") as out:
            for place, part in enumerate(iter(lambda: file.read(_PART), b"")):
                # The place is inside, so that parts cannot be exchanged.
                blob = secrets.encrypt(run_id, _PLACE.pack(place) + part)
                out.write(_LENGTH.pack(len(blob)) + blob)
        return Upload(run_id, objects.put(sealed, MEDIA_TYPE).sha256)
    finally:
        sealed.unlink(missing_ok=True)


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
