# SPDX-License-Identifier: Apache-2.0
"""Keeps every process of an installation on the same keys (docs/decisions/0024-shared-keys.md).

The first ``cunzheng init`` makes the keys and leaves their marks among the records; whoever starts later
compares. A process that made keys of its own would write what no other can read, and sign another log.
"""

from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from licenses.answers import AnswerKeys
from licenses.sharing.keys import MessageKeys
from portal.bootstrap import ledger_signer
from portal.errors import KeysForeignError, KeysMissingError, MigrationNeededError
from portal.key_marks.models import KeyMark
from portal.migrations.upgrading import asked, one_transaction
from portal.settings import Settings
from seals import demo_pki
from seals.keys import FileKeyStore
from seals.register import registered_seals
from storage.clock import SystemClock
from storage.ledger.checkpoints import newest_checkpoint
from storage.ledger.errors import ProofRefusedError
from storage.ledger.models import LedgerAct
from storage.ledger.notes import open_checkpoint
from storage.secrets import SYSTEM_SUBJECT, Secrets

LEDGER = "ledger"
_INDEX_SCHEME = "key mark"
"""Scheme under which the key folder is recognised; no person has such a code."""


def marks_of(settings: Settings) -> dict[str, str]:
    """Give the marks of the keys that are there; makes none.

    Raises:
        KeysMissingError: One of them is not there.
    """
    keys, root = settings.keys, settings.pki / "root.pem"
    files = (keys / "index.key", keys / "ledger.key", keys / "answer-0001.jwk", root)
    folders = (keys / "subjects", keys / "seals")
    if not all(path.is_file() for path in files) or not all(path.is_dir() for path in folders):
        raise KeysMissingError
    if not any(folders[0].glob("*/*.key")):
        # Set-up made one; a subject's key that is not there is made when it is needed.
        raise KeysMissingError
    return {
        "index": Secrets(keys).lookup_hash(_INDEX_SCHEME, "index").hex(),
        LEDGER: str(ledger_signer(settings).verifier),
        "answers": AnswerKeys(keys).first,
        "authority": demo_pki.fingerprint(settings.pki),
    }


def require_own_keys(settings: Settings) -> None:
    """Compare the keys that are there with the marks among the records.

    Raises:
        MigrationNeededError: The records hold no marks yet.
        KeysMissingError: A key is not there.
        KeysForeignError: The keys are others than those of the records; ``keys`` names them.
        RecordsUnavailableError: The database does not answer.
    """
    marks = asked(settings.database_url, lambda connection: read_marks(Session(bind=connection)))
    if not marks:
        raise MigrationNeededError
    require_same(marks, marks_of(settings))


def claim_keys(settings: Settings) -> None:
    """Make the keys of a new installation and leave their marks, or compare with those that are there.

    Of two that set up at the same time one waits; it makes no keys.

    Raises:
        KeysMissingError: There are records, and a key of theirs is not there.
        KeysForeignError: The keys are others than those of the records.
        DemoInProductionError: In production.
    """
    with one_transaction(settings.owner_database_url) as connection, Session(bind=connection) as session:
        marks = read_marks(session)
        if marks:
            require_same(marks, marks_of(settings))
            return
        newest = session.scalars(select(LedgerAct).order_by(LedgerAct.recorded_at.desc()).limit(1)).first()
        if newest is None:
            _make_keys(settings)
        found = marks_of(settings)
        if newest is not None:
            _require_fit(session, settings, newest)
        write_marks(session, found)
        session.flush()


def require_same(marks: Mapping[str, str], found: Mapping[str, str]) -> None:
    """Refuse keys that are others than those of the records.

    Raises:
        KeysForeignError: ``keys`` names which.
    """
    foreign = sorted(name for name, value in marks.items() if found.get(name) != value)
    if foreign:
        raise KeysForeignError(keys=" ".join(foreign))


def read_marks(session: Session) -> dict[str, str]:
    """Give the marks among the records; none before the first set-up of this version."""
    return {mark.name: mark.value for mark in session.scalars(select(KeyMark))}


def write_marks(session: Session, marks: Mapping[str, str]) -> None:
    """Put marks in the place of those among the records."""
    session.execute(delete(KeyMark))
    session.add_all(KeyMark(name=name, value=value) for name, value in marks.items())


def _make_keys(settings: Settings) -> None:
    Secrets(settings.keys).encrypt(SYSTEM_SUBJECT, b"")
    ledger_signer(settings)
    AnswerKeys(settings.keys)
    MessageKeys(settings.keys)
    demo_pki.create(settings.pki, FileKeyStore(settings.keys / "seals"), SystemClock())


def _require_fit(session: Session, settings: Settings, newest: LedgerAct) -> None:
    """Prove with records older than marks that the keys are theirs."""
    if not Secrets(settings.keys).made(newest.subject, newest.detail):
        raise KeysForeignError(keys="index")
    checkpoint = newest_checkpoint(session)
    try:
        if checkpoint is not None:
            open_checkpoint(checkpoint.note, [ledger_signer(settings).verifier])
    except ProofRefusedError as error:
        raise KeysForeignError(keys=LEDGER) from error
    if not all(demo_pki.has_issued(settings.pki, seal.certificate) for seal in registered_seals(session)):
        raise KeysForeignError(keys="authority")
