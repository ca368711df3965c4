# SPDX-License-Identifier: Apache-2.0
"""Files embedded in a PDF. What comes from outside is parsed in a limited child."""

import base64
import io
from pathlib import Path

from documents.errors import ChildFailedError, SandboxUnavailableError, UnreadableError
from documents.programs import attachment
from documents.sandbox import Sandbox
from documents.zygotes import Trade

MOST_BYTES = 256 << 10
_TRADE = Trade(Path(attachment.__file__))


def read_attachment(path: Path, name: str, sandbox: Sandbox) -> bytes | None:
    """Give the embedded file with this name; None when there is none, or it is larger than 256 KiB.

    Raises:
        UnreadableError: The file is no readable PDF, or asks for more than the limits allow.
    """
    try:
        data = sandbox.zygotes(_TRADE).ask(path, name=name, limit=MOST_BYTES)["data"]
        return None if data is None else base64.b64decode(str(data))
    except ChildFailedError as failure:
        raise UnreadableError(reason=failure.reason) from None
    except (KeyError, ValueError):
        raise UnreadableError(reason="failed") from None


def checks_in_forks(sandbox: Sandbox) -> bool:
    """Tell whether files are looked at in forks of a child that is kept, by trying.

    Raises:
        SandboxUnavailableError: Nothing can be parsed on this machine.
    """
    try:
        return sandbox.zygotes(_TRADE).can_fork()
    except ChildFailedError as failure:
        raise SandboxUnavailableError(reason=failure.reason) from None


def read_own_attachment(data: bytes, name: str) -> bytes | None:
    """Give the embedded file with this name from a PDF that this installation made; parsed right here."""
    found = attachment.main({"file": io.BytesIO(data), "name": name, "limit": MOST_BYTES})["data"]
    return None if found is None else base64.b64decode(found)
