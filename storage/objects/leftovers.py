# SPDX-License-Identifier: Apache-2.0
"""Every version that a bucket holds, and the key that may remove those that nothing needs.

The removing key is not the writer's: it may delete versions whose lock has ended or is GOVERNANCE, and
nothing else. COMPLIANCE and legal hold refuse it, which is the server's word, not ours.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from minio.deleteobjects import DeleteObject

from storage.objects.server import BucketAddress, connect, server_errors


@dataclass(frozen=True, slots=True)
class SeenVersion:
    """A version as the bucket lists it.

    Attributes:
        key: Its key.
        version_id: Its id; empty when the bucket keeps no versions.
        size: In bytes; 0 of a delete marker.
        at: When it was made, by the server's clock.
        marker: Whether it is a delete marker.
    """

    key: str
    version_id: str
    size: int
    at: dt.datetime
    marker: bool


class Inventory:
    """Lists a bucket, as anybody may who may read it.

    Attributes:
        bucket: Its name.
    """

    def __init__(self, address: BucketAddress) -> None:
        self.bucket = address.bucket
        self._client = connect(address)

    def versions(self, prefix: str = "") -> Iterator[SeenVersion]:
        """Give every version under a prefix by key, the newest of a key first."""
        with server_errors():
            for one in self._client.list_objects(
                self.bucket, prefix=prefix, recursive=True, include_version=True
            ):
                yield SeenVersion(
                    str(one.object_name),
                    one.version_id or "",
                    one.size or 0,
                    # Without a time it counts as new, which is never removed.
                    one.last_modified or dt.datetime.max.replace(tzinfo=dt.UTC),
                    bool(one.is_delete_marker),
                )


class FolderInventory:
    """Lists what a folder holds under digests and names of manifests; there each key has one version.

    Attributes:
        bucket: The folder's name.
    """

    def __init__(self, folder: Path) -> None:
        self.bucket = folder.name
        self._folder = folder

    def versions(self, prefix: str = "") -> Iterator[SeenVersion]:
        """Give every file under a prefix by key."""
        for part in ("m", "o"):
            for path in sorted((self._folder / part).rglob("*")):
                key = path.relative_to(self._folder).as_posix()
                if path.is_file() and key.startswith(prefix):
                    seen = path.stat()
                    at = dt.datetime.fromtimestamp(seen.st_mtime, dt.UTC)
                    yield SeenVersion(key, "", seen.st_size, at, marker=False)


class Destroyer:
    """Removes versions with a key that can do nothing else.

    Args:
        address: The bucket, with the destroyer's key.
    """

    def __init__(self, address: BucketAddress) -> None:
        self._bucket = address.bucket
        self._client = connect(address)

    def remove(self, versions: Iterable[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Remove versions, each given by key and id; give those that the server does not let go."""
        asked = [DeleteObject(key, version_id or None) for key, version_id in versions]
        # The client sends a thousand at a time.
        with server_errors():
            errors = list(self._client.remove_objects(self._bucket, asked, bypass_governance_mode=True))
        return [(error.name or "", error.version_id or "") for error in errors]
