# SPDX-License-Identifier: Apache-2.0
"""Where the demonstration's identity provider stands, and the secret that it shares with the installation."""

import secrets
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from portal.settings import Settings
from storage.files import create_once

_HOST: Final = "127.0.0.1"


def neighbour_port(settings: Settings) -> int:
    """Give a free port on this machine: the one after the web process's, if that is free."""
    for wanted in (settings.port + 1, 0):
        with socket.socket() as probe:
            try:
                probe.bind((_HOST, wanted))
            except (OSError, OverflowError):
                continue
            return int(probe.getsockname()[1])
    raise OSError("no free port")


def provider_environment(settings: Settings, port: int) -> Mapping[str, str]:
    """Give what both processes are told of each other."""
    return {
        "CUNZHENG_OIDC_ISSUER": f"http://{_HOST}:{port}",
        "CUNZHENG_OIDC_CLIENT_SECRET_FILE": str(_secret(settings)),
    }


def make_client_secret(settings: Settings) -> None:
    """Make the shared secret when there is none."""
    create_once(_secret(settings), secrets.token_urlsafe(32).encode(), 0o400)


def _secret(settings: Settings) -> Path:
    return settings.data / "demo-identity.secret"
