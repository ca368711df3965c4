# SPDX-License-Identifier: Apache-2.0
"""Forgets what has served: keys of single records by a step, contacts and documents that wait by a watch.

Contacts of strangers go once their term is over, identity documents of officials once nobody may decide on
them any more.

A key that is to be destroyed does not hang on a process that goes on living after a commit: the decision adds
the step in its own transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from licenses.contacts import forget_contacts
from portal.accounts.documents import lapse_documents
from portal.housekeeping import repeatedly
from storage.database import Database, UnitOfWork
from storage.identity import system_identity
from storage.ledger.canonical import Json
from storage.secrets import Secrets
from storage.steps import Job, Staging

_LOOK_SECONDS: Final = 3600.0
_ACTOR: Final = system_identity("housekeeping")
_LATE: Final = "逾期未审批 / not decided in time"


class ForgetStep:
    """Destroys the key of a single record; the subject is the record.

    Args:
        kind: Name of the step, of which the act that decided it speaks.
        secrets: Destroys keys.
    """

    def __init__(self, kind: str, secrets: Secrets) -> None:
        self.kind = kind
        self._secrets = secrets

    def plan(self, uow: UnitOfWork, job: Job) -> Json:  # noqa: ARG002 - the subject says it all
        """Give the record."""
        return job.subject

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - nothing is staged
        """Destroy its key; again is as good as once."""
        self._secrets.destroy(str(plan))
        return None

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """The decision about the record is recorded already."""

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice."""


class ForgetWatch:
    """Looks every hour for contacts whose term is over, and for documents that nobody decided on in time.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look in a thread of its own, while the block runs."""
        with repeatedly("forgetting", _LOOK_SECONDS, self.look):
            yield

    def look(self) -> None:
        """Forget what is due."""
        while self._database.write(lambda uow: forget_contacts(uow, _ACTOR)):
            pass
        while self._database.write(lambda uow: lapse_documents(uow, _ACTOR, _LATE)):
            pass
