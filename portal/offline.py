# SPDX-License-Identifier: Apache-2.0
"""Checks of licences without a network: a folder with the directory, the status list and the trusted keys.

The folder is saved where there is a network and carried along. The keys in it are trusted because they were
there first: a later directory is taken only if a key that is trusted already signed it.
"""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from documents.sandbox import Sandbox
from licenses.errors import AnswerInvalidError
from licenses.offline import BAD, GOOD, TITLES, OfflineAnswer, judge_offline
from licenses.published import Directory, read_directory
from licenses.status_list import StatusList, read_list
from portal.check_lines import NOT_A_LICENSE, NOT_CHECKED, Headline, Line
from portal.checking import CheckReport, Verify, judge, stated_metadata
from portal.errors import DirectoryUnreachableError, OfflineFolderError
from seals.trust import TrustList
from seals.verdicts import HOLDING
from storage.files import write_durably

KEYS, DIRECTORY, LIST = "trusted-keys.json", "directory.jws", "status-list.jwt"
_LOCAL: Final = frozenset({"127.0.0.1", "localhost", "::1"})
Fetch = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class OfflineFolder:
    """What a folder holds, checked; no list where none was saved."""

    directory: Directory
    listed: StatusList | None


def read_folder(folder: Path) -> OfflineFolder:
    """Read a folder and check the signatures in it with its trusted keys.

    Raises:
        OfflineFolderError: A file is missing, or does not verify.
    """
    try:
        trusted = _key_set((folder / KEYS).read_bytes())
        directory = read_directory((folder / DIRECTORY).read_text("ascii"), trusted)
        path = folder / LIST
        listed = read_list(path.read_text("ascii"), directory.jwks) if path.exists() else None
    except OSError as error:
        raise OfflineFolderError(file=Path(error.filename or "").name) from None
    except (AnswerInvalidError, UnicodeDecodeError) as error:
        raise OfflineFolderError(rule=getattr(error, "facts", {}).get("rule", "encoding")) from None
    return OfflineFolder(directory, listed)


def save_folder(folder: Path, directory: bytes, listed: bytes, keys: bytes) -> OfflineFolder:
    """Put a directory and a list into a folder.

    Args:
        folder: Made when missing.
        directory: The signed directory.
        listed: The signed status list.
        keys: Keys to trust; only for a folder that trusts none yet.

    Raises:
        OfflineFolderError: No trusted key signed the directory, or no key of the directory the list; the
            folder stays as it was.
    """
    kept = folder / KEYS
    trusted = _key_set(kept.read_bytes() if kept.exists() else keys)
    try:
        found = read_directory(directory.decode("ascii"), trusted)
        checked = read_list(listed.decode("ascii"), found.jwks)
    except (AnswerInvalidError, UnicodeDecodeError) as error:
        raise OfflineFolderError(rule=getattr(error, "facts", {}).get("rule", "encoding")) from None
    folder.mkdir(parents=True, exist_ok=True)
    files = {DIRECTORY: directory, LIST: listed, KEYS: json.dumps(found.jwks, sort_keys=True).encode()}
    for name, data in files.items():
        write_durably(folder / name, data)
    return OfflineFolder(found, checked)


def fetch_folder(folder: Path, address: str, fetch: Fetch) -> OfflineFolder:
    """Save what an installation publishes.

    Args:
        folder: As :func:`save_folder`.
        address: Of the installation.
        fetch: Gives what stands at an address, and follows it nowhere else.

    Raises:
        DirectoryUnreachableError: It cannot be fetched, or not over TLS.
        OfflineFolderError: It does not verify.
    """
    base = address.rstrip("/")
    parts = urlsplit(base)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOCAL):
        raise DirectoryUnreachableError(rule="https")
    names = ("/api/v1/directory", "/api/v1/status-lists/licences", "/.well-known/jwks.json")
    return save_folder(folder, *(fetch(base + name) for name in names))


def check_with_folder(
    path: Path, folder: OfflineFolder, verify: Verify, sandbox: Sandbox, at: dt.datetime
) -> CheckReport:
    """Check a file with what a folder holds, and with nothing else.

    Args:
        path: The file, not trusted.
        folder: The checked folder.
        verify: Verifies a file in a limited child.
        sandbox: Where attachments are read.
        at: The instant of the question.
    """
    verdict = verify(path, TrustList.from_pem(folder.directory.ca_pem), None, at)
    if not verdict.is_valid:
        return judge(verdict, NOT_CHECKED)
    stated = stated_metadata(path, sandbox)
    if stated is None:
        return judge(verdict, NOT_A_LICENSE)
    sealed_by = [one.certificate_sha256 for one in verdict.signatures if one.state in HOLDING]
    return judge(verdict, _line(judge_offline(stated, folder.directory, folder.listed, at, sealed_by)))


def _line(answer: OfflineAnswer) -> Line:
    zh, en = TITLES[answer.status]
    standing = Headline.CANNOT_TELL
    if answer.status in GOOD:
        standing = Headline.VALID
    elif answer.status in BAD:
        standing = Headline.INVALID
    clause = (f"证照{zh}", f"licence status: {en[0].lower()}{en[1:]}")
    return Line(str(answer.status), standing, zh, en, clause)


def _key_set(data: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise OfflineFolderError(file=KEYS) from None
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise OfflineFolderError(file=KEYS)
    return found
