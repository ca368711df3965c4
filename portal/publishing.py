# SPDX-License-Identifier: Apache-2.0
"""Puts what strangers need to check us into the object store: whoever has the bucket needs nothing else.

Under ``k/<hash of the log's name>/<name>/<sha256>`` lie the log's policy and public key, the certificates
with their revocation list, and the keys of signed answers, write-once and locked like everything that is
final. An older state stays beside a newer one: what was signed then is checked with what held then.
"""

import datetime as dt
import hashlib
import logging
from collections.abc import Callable, Mapping
from typing import Final

from licenses.answers import AnswerKeys
from licenses.sharing.keys import MessageKeys
from portal.bootstrap import Foundation, ledger_signer
from portal.key_marks.services import require_own_keys
from portal.settings import Settings
from portal.sharing.opening import published_jwks
from storage.clock import Clock
from storage.errors import CunzhengError
from storage.ledger.canonical import canonical
from storage.ledger.files import origin_hash
from storage.ledger.policies import single_log_policy
from storage.objects.ports import ObjectStore

PREFIX: Final = "k/"
_EVERY: Final = dt.timedelta(hours=1)
_log = logging.getLogger(__name__)


def public_keys(foundation: Foundation, settings: Settings) -> dict[str, bytes]:
    """Give the files that strangers need, by name.

    Raises:
        KeysMissingError: A key is no longer there, as when a shared folder is not mounted any more.
        KeysForeignError: The keys are no longer those of the records.
        RecordsUnavailableError: The database does not answer.
    """
    # Whoever opens keys makes what is missing, and what is published here is locked for good.
    require_own_keys(settings)
    key = ledger_signer(settings).verifier
    return {
        "vkey": f"{key}\n".encode(),
        "policy": single_log_policy(key).encode(),
        "ca.pem": foundation.pki.pem(),
        "jwks.json": canonical(published_jwks(AnswerKeys(settings.keys), MessageKeys(settings.keys))),
    }


class KeyPublisher:
    """Puts public keys into the store whenever they have changed, and tries again after an hour.

    Args:
        store: Where they go.
        origin: The log's name.
        files: Gives what they are now.
        clock: The time.
    """

    def __init__(
        self, store: ObjectStore, origin: str, files: Callable[[], Mapping[str, bytes]], clock: Clock
    ) -> None:
        self._store = store
        self._folder = f"{PREFIX}{origin_hash(origin)}"
        self._files = files
        self._clock = clock
        self._due = clock.monotonic()

    def tick(self) -> bool:
        """Put what is not there if an hour has passed; tell whether everything lies there now.

        A store or a folder of keys that is away is only logged: nobody's work waits for this.
        """
        now = self._clock.monotonic()
        if now < self._due:
            return False
        self._due = now + _EVERY.total_seconds()
        try:
            for name, data in self._files().items():
                self._store.put_named(f"{self._folder}/{name}/{hashlib.sha256(data).hexdigest()}", data)
        except CunzhengError as error:
            _log.warning("public keys not published: %s", error.code)
            return False
        except OSError as error:
            _log.warning("public keys not published, their folder fails: %s", type(error).__name__)
            return False
        return True
