# SPDX-License-Identifier: Apache-2.0
"""Writes acts: core and encrypted detail of each, and its place among those that wait for their numbers.

Several acts are written as one is, each with its own core, key and promise; only the statements that carry
them to the database are shared.
"""

import datetime as dt
import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from storage.base import Base
from storage.clock import IdSource
from storage.inserting import insert_many
from storage.ledger.acts import Act, Promise, core_bytes, detail_bytes
from storage.ledger.models import LedgerAct, LedgerPending
from storage.secrets import Secrets, SubjectKey

Follow = Callable[[Sequence[Promise]], Sequence[Act]]
"""Gives the acts that follow from others, once it is known what these promise."""
REDEEM_WITHIN: Final = dt.timedelta(seconds=300)
# Core inserts: the ORM's bulk path costs a tenth of a decision.
_ACTS, _PENDING = (Base.metadata.tables[model.__tablename__] for model in (LedgerAct, LedgerPending))
_ACT = insert(_ACTS).values({one.name: bindparam(one.name) for one in _ACTS.c}).returning(_ACTS.c.act_id)
# Where the database is elsewhere, one way there and back instead of two: half of what an act costs.
_INSERT_BOTH = insert(_PENDING).from_select(["act_id"], select(_ACT.cte("act").c.act_id))


class ActWriter:
    """Writes the acts of one unit of work.

    Args:
        session: Its session.
        ids: Where nonces come from.
        secrets: Keys of subjects.
        origin: Name of the log, part of every promise.
    """

    def __init__(self, session: Session, ids: IdSource, secrets: Secrets, origin: str) -> None:
        self._session = session
        self._ids = ids
        self._secrets = secrets
        self._origin = origin
        self._keys: dict[str, SubjectKey] = {}

    def write(self, acts: Sequence[Act], now: dt.datetime, follow: Follow | None = None) -> list[Promise]:
        """Write acts in their order, and behind them those that follow; rows of the session come before."""
        self._session.flush()
        rows = [self._row(act, now) for act in acts]
        promises = [self._promise(row, now) for row in rows]
        if follow is not None:
            rows += [self._row(act, now) for act in follow(promises)]
            promises += [self._promise(row, now) for row in rows[len(promises) :]]
        connection = self._session.connection()
        if len(rows) == 1 and connection.dialect.name == "postgresql":
            connection.execute(_INSERT_BOTH, rows[0])
        else:
            insert_many(connection, LedgerAct, rows)
            insert_many(connection, LedgerPending, rows)
        return promises

    def _promise(self, row: Mapping[str, Any], now: dt.datetime) -> Promise:
        return Promise(self._origin, row["act_id"], now + REDEEM_WITHIN)

    def _row(self, act: Act, now: dt.datetime) -> dict[str, Any]:
        key = self._keys.get(act.subject)
        if key is None:
            # Whether a key still stands is looked up on disk: once for the acts that are written together.
            key = self._keys[act.subject] = self._secrets.key_of(act.subject)
        detail = key.encrypt(detail_bytes(act, now))
        core = core_bytes(act, self._ids.nonce(), detail)
        return {
            "act_id": hashlib.sha256(core).hexdigest(),
            "kind": str(act.kind),
            "outcome": str(act.outcome),
            "core": core,
            "detail": detail,
            "actor_id": act.actor.id,
            "organisation": act.actor.organisation,
            "object_type": act.object_type,
            "object_id": act.object_id,
            "case_id": act.case,
            "subject": act.subject,
            "intent": act.intent,
            "recorded_at": now,
        }
