# SPDX-License-Identifier: Apache-2.0
"""Where a data folder is served: the web process leaves its address there for commands of other terminals."""

from typing import Final

from portal.settings import Settings
from storage.files import write_durably

_FILE: Final = "web-address"


def publish(settings: Settings) -> None:
    """Leave the address in the data folder; the web process does it when it starts, over an earlier one."""
    write_durably(settings.data / _FILE, f"{settings.public_url}\n".encode())


def served_at(settings: Settings) -> str:
    """Give the configured address, else the one the folder is or was last served on, else the default."""
    if settings.has_configured_address:
        return settings.public_url
    try:
        return (settings.data / _FILE).read_text().strip()
    except FileNotFoundError:
        return settings.public_url
