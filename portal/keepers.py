# SPDX-License-Identifier: Apache-2.0
"""Makes what looks after stored bytes by hand, with keys that no lasting process has."""

from dataclasses import replace

from portal.bootstrap import bucket_address, holder_address
from portal.holding import HoldKeeper
from portal.object_keeping import ObjectKeeper
from portal.rooms import Rooms
from portal.settings import Settings
from storage.objects.holds import BucketHolds
from storage.objects.leftovers import Destroyer, FolderInventory, Inventory
from storage.objects.versions import TableBook


def object_keeper(settings: Settings, rooms: Rooms) -> ObjectKeeper:
    """Make what looks for leftovers; it removes them only where the destroyer's key is given."""
    address, destroyer = bucket_address(settings), None
    if address is None:
        return ObjectKeeper(rooms.database, FolderInventory(settings.objects), None, rooms.clock)
    name, secret = settings.s3_destroyer_access_key, settings.s3_destroyer_secret_key
    if name is not None and secret is not None:
        destroyer = Destroyer(replace(address, access_key=name, secret_key=secret.get_secret_value()))
    return ObjectKeeper(rooms.database, Inventory(address), destroyer, rooms.clock)


def hold_keeper(settings: Settings, rooms: Rooms) -> HoldKeeper:
    """Make what places and lifts legal holds; without the holder's key it tries with our own."""
    address = holder_address(settings) or bucket_address(settings)
    if address is None:
        return HoldKeeper(rooms.database, None)
    return HoldKeeper(rooms.database, BucketHolds(address, TableBook(rooms.database)))
