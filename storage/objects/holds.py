# SPDX-License-Identifier: Apache-2.0
"""Legal holds in a bucket: a version under one goes by no key, whatever its lock says.

The key that sets and lifts them is not the writer's (:mod:`storage.objects.policies`).
"""

from collections.abc import Collection

from storage.objects.ports import ObjectMissingError
from storage.objects.server import BucketAddress, connect, server_errors
from storage.objects.versions import VersionBook


class BucketHolds:
    """Sets and lifts legal holds on the recorded versions of keys.

    Args:
        address: The bucket, with the holder's key.
        book: Knows the version of each key.
    """

    def __init__(self, address: BucketAddress, book: VersionBook) -> None:
        self._bucket = address.bucket
        self._client = connect(address)
        self._book = book

    def hold(self, keys: Collection[str]) -> None:
        """Set the hold on each; one that is set stays.

        Raises:
            ObjectMissingError: One is not in the bucket.
            ObjectsUnavailableError: The server does not answer or refuses.
        """
        for key in sorted(keys):
            version = self._version(key)
            with server_errors():
                self._client.enable_object_legal_hold(self._bucket, key, version)

    def lift(self, keys: Collection[str]) -> None:
        """Lift the hold of each; errors as :meth:`hold`."""
        for key in sorted(keys):
            version = self._version(key)
            with server_errors():
                self._client.disable_object_legal_hold(self._bucket, key, version)

    def held(self, keys: Collection[str]) -> frozenset[str]:
        """Give those that are under a hold, by asking the server; errors as :meth:`hold`."""
        held = set()
        for key in sorted(keys):
            version = self._version(key)
            with server_errors():
                if self._client.is_object_legal_hold_enabled(self._bucket, key, version):
                    held.add(key)
        return frozenset(held)

    def _version(self, key: str) -> str | None:
        version = self._book.find(key)
        if version is None:
            raise ObjectMissingError
        return version.version_id or None
